package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/schema"
)

// CUE's own words for what the package tells in its own.
const (
	saysNotAllowed = "field not allowed"
	saysRequired   = "field is required but not present"
	saysIncomplete = "incomplete value %v"
	saysMismatch   = "conflicting values %s and %s (mismatched types %s and %s)"
	saysConflict   = "conflicting values %s and %s"
	saysBound      = "invalid value %s (out of bound %s)"
	saysValidator  = "invalid value %s (does not satisfy %s)"
	saysDisjuncts  = "%d errors in empty disjunction:"
	saysIntegers   = "incompatible integer bounds %v and %v"
	saysNumbers    = "incompatible number bounds %v and %v"
	saysLengths    = "incompatible list lengths (%d and %d)"
)

// said is what CUE said; it says one thing in two spellings.
func said(e errors.Error) (format string, args []any) {
	format, args = e.Msg()
	return strings.Replace(format, "value %v (out", "value %s (out", 1), args
}

// worded says whether e is an error(…) that stands in the policies, or in the
// definition of what they are about.
func (t *tree) worded(e errors.Error) bool {
	if format, _ := said(e); cueWords(format) {
		return false
	}
	return slices.ContainsFunc(errors.Positions(e), func(pos token.Pos) bool {
		src := t.files[pos.Filename()]
		if pos.IsValid() && src == nil && pos.Filename() == definitionFile {
			src = definition
		}
		return pos.IsValid() && pos.Offset() < len(src) && bytes.HasPrefix(src[pos.Offset():], []byte("error("))
	})
}

// cueWords are those with which CUE says that a value is not what a constraint
// wants; anything else is a constraint that cannot be worked out.
func cueWords(format string) bool {
	switch format {
	case saysNotAllowed, saysRequired, saysIncomplete, saysMismatch, saysConflict, saysBound, saysValidator, saysDisjuncts, saysLengths:
		return true
	}
	return false
}

// explain tells what is wrong with a rule's own statements, before there is a
// plan.
func (j *judgment) explain(err error, name string) {
	told := map[string]bool{}
	for _, g := range grouped(err) {
		if len(g) == 1 && j.tree.worded(g[0]) && !definitionSays(g[0]) {
			continue // that is the rule: it denies
		}
		path := dotted(inside(g[0].Path()))
		detail := j.tree.detail(g, cue.Value{})
		all := positions(g)
		pos := j.tree.first(all)
		kind, message := schema.KindLimit, detail.text
		format, args := said(g[0])
		if !slices.ContainsFunc(g, definitionSays) { // the policies contradict themselves
			kind = schema.KindConflict
			if format == saysConflict || format == saysMismatch {
				if path == "" { // rules.NAME.message
					path = last(g[0].Path())
				}
				message = fmt.Sprintf("%s has two values, %s and %s", path, brief(args[1]), brief(args[0]))
			}
		}
		if told[message] {
			continue
		}
		told[message] = true
		p := j.tree.problem(kind, pos, strings.TrimSpace(message), "")
		if name != "" {
			p.Notes = append(p.Notes, "rule "+name)
		}
		if kind == schema.KindConflict {
			for _, other := range all {
				if j.tree.ours(other) && other.Position() != pos.Position() && len(p.Notes) < 3 {
					p.Notes = append(p.Notes, "the other is at "+j.tree.at(other))
				}
			}
		}
		j.problems = append(j.problems, p)
	}
}

// definitionSays says whether our definition has a part in e.
func definitionSays(e errors.Error) bool {
	return slices.ContainsFunc(errors.Positions(e), func(pos token.Pos) bool { return pos.IsValid() && pos.Filename() == definitionFile })
}

func last(path []string) string {
	if len(path) == 0 {
		return "it"
	}
	return unquoted(path[len(path)-1])
}

func positions(g []errors.Error) []token.Pos {
	var all []token.Pos
	for _, e := range g {
		all = append(all, errors.Positions(e)...)
	}
	return all
}

// grouped puts together what CUE says about one constraint: a value that fits
// no arm of several is one fault, also where the arms are structs.
func grouped(err error) [][]errors.Error {
	var groups [][]errors.Error
	index := map[string]int{}
	var either []string // the path of the arms that are being told
	all := errors.Errors(err)
	for i, e := range all {
		path := inside(e.Path())
		if format, _ := said(e); format == saysDisjuncts && i+1 < len(all) {
			either = path
			continue // what is wrong with each arm follows
		}
		key := strings.Join(path, "\x00")
		if either != nil && len(path) >= len(either) && slices.Equal(path[:len(either)], either) {
			key = strings.Join(either, "\x00") + "\x00|"
		}
		at, known := index[key]
		if !known {
			at = len(groups)
			index[key] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], e)
	}
	return groups
}

// inside is the path within an action or plan, of rules.NAME.action.PATH.
func inside(path []string) []string {
	out := []string{} // not nil: that would be no path
	for _, seg := range path[min(3, len(path)):] {
		out = append(out, unquoted(seg))
	}
	return out
}
