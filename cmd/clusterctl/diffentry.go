package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/clusterctl/clusterctl/schema"
)

// entryNotes say how the budgets of whole accounts change: they are nobody's
// cluster.
func entryNotes(base, head *schema.Fleet) []string {
	var notes []string
	names := slices.Collect(maps.Keys(base.Providers))
	names = slices.AppendSeq(names, maps.Keys(head.Providers))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		was, is := budgetWords(base.Providers[name]), budgetWords(head.Providers[name])
		switch {
		case was == is:
		case was == "":
			notes = append(notes, fmt.Sprintf("providers.%s: guard set, max_removed %s", name, is))
		case is == "":
			notes = append(notes, fmt.Sprintf("providers.%s: guard lifted, max_removed %s is gone", name, was))
		default:
			notes = append(notes, fmt.Sprintf("providers.%s: guard changed, max_removed %s → %s", name, was, is))
		}
	}
	return notes
}

// budgetWords is the budget of an entry for people, empty without one.
func budgetWords(e *schema.Entry) string {
	if e == nil {
		return ""
	}
	b := budgetOf(e)
	if b == nil {
		return ""
	}
	return b.String()
}
