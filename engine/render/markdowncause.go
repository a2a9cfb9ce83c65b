package render

import (
	"cmp"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// cause is a changed line with all that it does.
type cause struct {
	place    review.Place
	inBase   bool
	clusters []string
	variants []variant // in the order in which clusters show them
	removed  int64     // nodes
	denied   []refusal
	blocked  []refusal
}

// variant is one way in which a value changes because of a line.
type variant struct {
	path, before, after, effect string
	kind                        review.Effect
	lifts                       bool // a guard
	clusters                    int
}

// refusal is something that will not happen, and to what.
type refusal struct {
	address, guard, reason string
}

// causesOf gathers what a review says by the lines that make it so: first the
// ones that cannot be applied, then those that take nodes away, then by reach.
func causesOf(r *review.Review) []*cause {
	type key struct {
		file   string
		line   int
		inBase bool
	}
	index := map[key]*cause{}
	var all []*cause
	at := func(p review.Place, inBase bool) *cause {
		k := key{p.File, p.Line, inBase}
		if index[k] == nil {
			index[k] = &cause{place: p, inBase: inBase}
			all = append(all, index[k])
		}
		return index[k]
	}
	seen := map[*cause]map[variant]int{}
	for i := range r.Clusters {
		c := &r.Clusters[i]
		if c.Kind == review.Added || c.Kind == review.Removed {
			continue
		}
		for j := range c.Fields {
			f := &c.Fields[j]
			line := at(f.Cause, f.InBase)
			line.reach(c.Address)
			v := variant{path: f.Path, before: stated(f.Before), after: stated(f.After), effect: EffectText(f), kind: f.Effect, lifts: f.Lifts()}
			if seen[line] == nil {
				seen[line] = map[variant]int{}
			}
			n, known := seen[line][v]
			if !known {
				n = len(line.variants)
				seen[line][v] = n
				line.variants = append(line.variants, v)
			}
			line.variants[n].clusters++
		}
		for _, a := range c.Actions {
			if a.Op == provider.OpScaleIn {
				line := at(placeOf(c, a.Group, func(f *review.Field) bool { return f.Op == provider.OpScaleIn }))
				line.reach(c.Address)
				line.removed += a.From["count"] - a.To["count"]
			}
		}
		for _, d := range c.Denied {
			line := at(placeOf(c, d.Group, func(f *review.Field) bool { return f.Effect == review.EffectAction }))
			line.reach(c.Address)
			line.denied = append(line.denied, refusal{whole(c, d.Group), d.Guard, d.Reason})
		}
		for _, b := range blockedOf(c) {
			line := at(placeOf(c, b.Group, func(f *review.Field) bool { return f.Reason == b.Reason }))
			line.reach(c.Address)
			line.blocked = append(line.blocked, refusal{address: whole(c, b.Group), reason: b.Reason})
		}
	}
	slices.SortStableFunc(all, func(a, b *cause) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(len(b.clusters), len(a.clusters)),
			cmp.Compare(a.place.File, b.place.File), cmp.Compare(a.place.Line, b.place.Line))
	})
	return all
}

func (c *cause) reach(address string) {
	if n := len(c.clusters); n == 0 || c.clusters[n-1] != address {
		c.clusters = append(c.clusters, address)
	}
}

// rank is lower for what a reviewer must see first.
func (c *cause) rank() int {
	switch {
	case len(c.denied) > 0:
		return 0
	case len(c.blocked) > 0:
		return 1
	case c.removed > 0, c.lifts():
		return 2
	case slices.ContainsFunc(c.variants, func(v variant) bool { return v.kind == review.EffectIdentity }):
		return 3
	}
	return 4
}

// lifts reports that the line takes a guard away, or makes it looser.
func (c *cause) lifts() bool {
	return slices.ContainsFunc(c.variants, func(v variant) bool { return v.lifts })
}

// blockedOf is what no call can change of a cluster, those fields included that
// were judged without a provider.
func blockedOf(c *review.Change) []review.Refusal {
	all := slices.Clone(c.Blocked)
	for i := range c.Fields {
		f := &c.Fields[i]
		told := slices.ContainsFunc(all, func(b review.Refusal) bool { return b.Reason == f.Reason })
		if f.Effect == review.EffectBlocked && !told {
			group := ""
			if rest, ok := strings.CutPrefix(f.Path, "node_groups."); ok {
				group, _, _ = strings.Cut(rest, ".")
			}
			all = append(all, review.Refusal{Group: group, Reason: f.Reason})
		}
	}
	return all
}

// placeOf is the line behind something that concerns a group: that of the field
// which fits, else of any field of the group, else the cluster's own.
func placeOf(c *review.Change, group string, fits func(*review.Field) bool) (place review.Place, inBase bool) {
	prefix := ""
	if group != "" {
		prefix = "node_groups." + group + "."
	}
	var any *review.Field
	for i := range c.Fields {
		f := &c.Fields[i]
		if !strings.HasPrefix(f.Path, prefix) {
			continue
		}
		if fits(f) {
			return f.Cause, f.InBase
		}
		if any == nil {
			any = f
		}
	}
	if any != nil {
		return any.Cause, any.InBase
	}
	return c.Place, false
}

func whole(c *review.Change, group string) string {
	if group == "" {
		return c.Address
	}
	return c.Address + "/" + group
}

// notStated stands for a value that a revision leaves out. No value is equal to
// it: those are UTF-8.
const notStated = "\xff"

// stated is a value of a spec as text, with every character that it has.
func stated(v any) string {
	if v == nil {
		return notStated
	}
	if s, ok := v.(string); ok {
		return s
	}
	return Value(v)
}

// atLine is a line without its column, for which a cause is known.
func atLine(p review.Place, inBase bool) string {
	if p.File == "" {
		return "a place that is not known"
	}
	text := code(lineOf(p))
	if inBase {
		text += " of the base"
	}
	return text
}
