package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// guarded is the identity under which the guards of a cluster are recorded;
// with id empty, those of the account.
func (e *Entry) guarded(id string) journal.Identity {
	identity := e.identity(id, "")
	identity.Scope = journal.Guarded
	return identity
}

// guards are those that the rules state; source tells their lines.
func (r Rules) guards(source func(path string) string) journal.Guards {
	g := journal.Guards{Protected: map[string]journal.Protection{}, MaxRemoved: map[string]journal.Budget{}}
	state := func(group string, protect bool, budget *Budget) {
		if protect {
			g.Protected[group] = journal.Protection{Source: source(groupPath(group, GuardProtect))}
		}
		if budget != nil {
			g.MaxRemoved[group] = journal.Budget{Count: budget.Count, Per: string(budget.Per), Source: source(groupPath(group, GuardMaxRemoved))}
		}
	}
	state("", r.Protect, r.MaxRemoved)
	for group, rules := range r.Groups {
		state(group, rules.Protect, rules.MaxRemoved)
	}
	return g
}

// guards are those that the entry states for its account.
func (e *Entry) guards() journal.Guards {
	return Rules{MaxRemoved: e.MaxRemoved}.guards(func(string) string { return e.Source })
}

// remembered are the guards that history has for an identity, and the name of
// the record that has them.
func remembered(last func(key string) (*journal.Record, error), identity journal.Identity) (g journal.Guards, op string, err error) {
	r, err := lastRecord(last, []journal.Identity{identity})
	if err != nil {
		return g, "", err
	}
	if r != nil && r.Guards != nil {
		g = *r.Guards
	}
	return g, opOf(r), nil
}

// inForce are the guards in force about one cluster, or one account: what the
// spec states, and what history remembers until a plan has lifted it.
type inForce struct {
	stated, remembered journal.Guards
	lifted             journal.Guards // by the very plan: its own actions do not profit
	op                 string         // the record that has the remembered ones; empty: not asked
}

// changes are what apply would write to history: of each place, by group.
func (f inForce) changes(place Guard) []Guard {
	var out []Guard
	add := func(group, guard, change, source string, before, after *Budget) {
		g := place
		if g.Group = group; group != "" {
			g.Address = Address(g.Address, group)
		}
		g.Guard, g.Change, g.Source, g.Before, g.After, g.LastOp = guard, change, source, before, after, f.op
		out = append(out, g)
	}
	for _, group := range both(f.stated.Protected, f.remembered.Protected) {
		now, is := f.stated.Protected[group]
		old, was := f.remembered.Protected[group]
		switch {
		case is && !was:
			add(group, GuardProtect, GuardSet, now.Source, nil, nil)
		case was && !is:
			add(group, GuardProtect, GuardLift, old.Source, nil, nil)
		}
	}
	for _, group := range both(f.stated.MaxRemoved, f.remembered.MaxRemoved) {
		now, is := f.stated.MaxRemoved[group]
		old, was := f.remembered.MaxRemoved[group]
		after, before := planBudget(now, is), planBudget(old, was)
		switch {
		case is && !was, is && *after != *before && stricter(*after, *before):
			add(group, GuardMaxRemoved, GuardSet, now.Source, before, after)
		case is && *after != *before:
			add(group, GuardMaxRemoved, GuardLift, now.Source, before, after)
		case !is:
			add(group, GuardMaxRemoved, GuardLift, old.Source, before, nil)
		}
	}
	return out
}

func planBudget(b journal.Budget, there bool) *Budget {
	if !there {
		return nil
	}
	return &Budget{Count: b.Count, Per: Span(b.Per)}
}

// stricter reports that a allows nothing that b does not.
func stricter(a, b Budget) bool {
	return a.Count <= b.Count && a.Per.length() >= b.Per.length()
}

// both are the keys of either map, sorted.
func both[V any](a, b map[string]V) []string {
	all := slices.Collect(maps.Keys(a))
	all = slices.AppendSeq(all, maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// written is what history remembers after the changes.
func written(g journal.Guards, changes []Guard) journal.Guards {
	out := journal.Guards{Protected: maps.Clone(g.Protected), MaxRemoved: maps.Clone(g.MaxRemoved)}
	if out.Protected == nil {
		out.Protected = map[string]journal.Protection{}
	}
	if out.MaxRemoved == nil {
		out.MaxRemoved = map[string]journal.Budget{}
	}
	for _, c := range changes {
		switch {
		case c.Guard == GuardProtect && c.Change == GuardSet:
			out.Protected[c.Group] = journal.Protection{Source: c.Source}
		case c.Guard == GuardProtect:
			delete(out.Protected, c.Group)
		case c.After != nil:
			out.MaxRemoved[c.Group] = journal.Budget{Count: c.After.Count, Per: string(c.After.Per), Source: c.Source}
		default:
			delete(out.MaxRemoved, c.Group)
		}
	}
	return out
}

// String words a budget: "5 nodes in 24h".
func (b Budget) String() string { return fmt.Sprintf("%s in %s", plural(b.Count, "node"), b.Per) }

// sortGuards brings guards into the order of their addresses.
func sortGuards(list []Guard) {
	slices.SortStableFunc(list, func(a, b Guard) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Guard, b.Guard))
	})
}
