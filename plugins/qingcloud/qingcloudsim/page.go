package qingcloudsim

import (
	"slices"
	"strings"
)

// Paging of the lists (List clusters: limit 10 by default; API reference: a
// list returns at most 100 items).
const (
	defaultLimit = 10
	maxLimit     = 100
)

// paging is what every list's query has.
type paging struct {
	limit, offset int
	reverse       bool
	sortKey       string
	verbose       bool
	word          string // search_word
}

func readPaging(o *object, sortKeys ...string) paging {
	p := paging{limit: defaultLimit}
	if o.has("limit") {
		if p.limit = o.digits("limit"); p.limit < 1 {
			o.wrong("limit", "at least 1")
		}
		// Assumption: "returns at most 100" cuts, it does not refuse.
		p.limit = min(p.limit, maxLimit)
	}
	if o.has("offset") {
		p.offset = o.digits("offset")
	}
	if len(sortKeys) > 0 {
		p.sortKey = o.oneOf("sort_key", sortKeys...)
	}
	p.reverse = o.oneOf("reverse", "0", "1") == "1"
	p.verbose = o.oneOf("verbose", "0", "1") == "1"
	p.word = strings.ToLower(o.text("search_word"))
	return p
}

// finds is the fuzzy search. Assumption: a part of the name in any case.
func (p paging) finds(name string) bool {
	return p.word == "" || strings.Contains(strings.ToLower(name), p.word)
}

// page cuts one page out of all, which is oldest first. Assumption: that is the
// order without sort_key, and reverse turns it round.
func page[T any](all []T, p paging) []T {
	from := min(p.offset, len(all))
	to := min(from+p.limit, len(all))
	if !p.reverse {
		return all[from:to]
	}
	cut := slices.Clone(all[len(all)-to : len(all)-from])
	slices.Reverse(cut)
	return cut
}

// filter keeps what fits; without a condition all is handed on as it is, so
// that a plain page of a long list costs no walk.
func filter[T any](all []T, plain bool, fits func(T) bool) []T {
	if plain {
		return all
	}
	var kept []T
	for _, v := range all {
		if fits(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// sorted orders by a text, keeping the order of what is equal.
func sorted[T any](all []T, text func(T) string) []T {
	if text == nil {
		return all
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b T) int { return strings.Compare(text(a), text(b)) })
	return all
}
