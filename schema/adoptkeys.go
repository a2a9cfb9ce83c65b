package schema

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// longestKey is how many signs a key made of a name may have.
const longestKey = 60

// keys gives every cluster a key of its own, made from its name: one that
// people can type as a target, that is no group's address and no pattern.
// Clusters that would share a key are told apart by the end of their ids.
func keys(live []Live, taken map[string]bool) []string {
	used := map[string]bool{}
	for key := range taken {
		used[norm.NFC.String(key)] = true
	}
	base, sharing := make([]string, len(live)), map[string]int{}
	for i, one := range live {
		if base[i] = keyFrom(one.State.Name); base[i] == "" {
			base[i] = keyFrom(one.State.ID)
		}
		if base[i] == "" {
			base[i] = "cluster"
		}
		sharing[base[i]]++
	}
	// Those that need nothing more come first, so that no other takes their key.
	list := make([]string, len(live))
	for i := range live {
		if sharing[base[i]] == 1 && !used[base[i]] {
			list[i] = base[i]
			used[base[i]] = true
		}
	}
	for i, one := range live {
		for n := 6; list[i] == ""; n++ {
			key := base[i] + "-" + tail(keyFrom(one.State.ID), n)
			if n > longestKey { // ids that do not tell them apart
				key = fmt.Sprintf("%s-%d", base[i], n-longestKey+1)
			}
			if !used[key] {
				list[i] = key
				used[key] = true
			}
		}
	}
	return list
}

// keyFrom makes a key of any text, in the normal form: what looks alike is one
// key to people.
func keyFrom(text string) string {
	key := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.L, unicode.M, unicode.Nd) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, strings.ToValidUTF8(text, "-"))
	for strings.Contains(key, "--") {
		key = strings.ReplaceAll(key, "--", "-")
	}
	if signs := []rune(key); len(signs) > longestKey {
		key = string(signs[:longestKey])
	}
	return strings.Trim(norm.NFC.String(key), "-.")
}

// tail is the end of an id, at least n signs where there are as many.
func tail(id string, n int) string {
	signs := []rune(id)
	return strings.TrimLeft(string(signs[max(0, len(signs)-n):]), "-.")
}
