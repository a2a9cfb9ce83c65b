package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"

	"github.com/clusterctl/clusterctl/schema"
)

// names is what may be named at one place of an action or a plan.
type names struct {
	of   map[string]*names
	any  *names // of every further name; nil: there are no others
	elem *names // of a list's elements; nil: it is no list
	free bool   // nothing is known about it
}

// namesOf reads them from a definition.
func namesOf(v cue.Value) *names {
	n := &names{}
	switch v.IncompleteKind() {
	case cue.StructKind:
		n.of = map[string]*names{}
		it, err := v.Fields(cue.Optional(true), cue.Patterns(true))
		for err == nil && it.Next() {
			if sel := it.Selector(); sel.ConstraintType() == cue.PatternConstraint {
				n.any = namesOf(it.Value())
			} else {
				n.of[nameOf(sel)] = namesOf(it.Value())
			}
		}
		n.free = len(n.of) == 0 && n.any == nil
	case cue.ListKind:
		n.elem = namesOf(v.LookupPath(cue.MakePath(cue.AnyIndex)))
	case cue.TopKind:
		n.free = true
	}
	return n
}

// wishes are the names that a cluster, and a providers entry, may have under any
// of the schemas.
func wishes(sources []schema.Source) (cluster, entry *names, err error) {
	limits, err := schema.Limits(sources)
	if err != nil {
		return nil, nil, err
	}
	cluster, entry = &names{of: map[string]*names{}}, &names{of: map[string]*names{}}
	for _, l := range limits {
		if l.Kind == "" {
			entry.add(strings.Split(l.Path, "."))
		} else {
			cluster.add(strings.Split(l.Path, "."))
		}
	}
	// What a spec says to clusterctl itself stands in no plugin's schema.
	for _, name := range []string{"protect", "max_removed.count", "max_removed.per", "depends_on.[]"} {
		cluster.add(strings.Split(name, "."))
	}
	if groups := cluster.of["node_groups"]; groups != nil {
		for _, g := range groups.of {
			for _, name := range []string{"protect", "max_removed.count", "max_removed.per", "owned_by.*"} {
				g.add(strings.Split(name, "."))
			}
		}
	}
	return cluster, entry, nil
}

// add adds a path of a schema: "[]" is an element, "*" any name.
func (n *names) add(path []string) {
	if len(path) == 0 {
		return
	}
	var next **names
	switch path[0] {
	case "[]":
		next = &n.elem
	case "*":
		next = &n.any
	default:
		if n.of == nil {
			n.of = map[string]*names{}
		}
		at := n.of[path[0]]
		next = &at
		defer func() { n.of[path[0]] = at }()
	}
	if *next == nil {
		*next = &names{}
	}
	(*next).add(path[1:])
}

// below is what may be named under a field; nil: there is no such field.
func (n *names) below(name string) *names {
	switch {
	case n.free:
		return n
	case n.of[name] != nil:
		return n.of[name]
	}
	return n.any
}

// under is what may be named under the fields that a pattern is about; nil: it
// is about none that there is.
func (n *names) under(matches func(name string) bool) *names {
	if n.free {
		return n
	}
	var all []*names
	for _, name := range slices.Sorted(maps.Keys(n.of)) {
		if matches(name) {
			all = append(all, n.of[name])
		}
	}
	if n.any != nil {
		all = append(all, n.any)
	}
	return union(all)
}

func union(all []*names) *names {
	if len(all) == 0 {
		return nil
	}
	u := &names{}
	fields := map[string][]*names{}
	var anys, elems []*names
	for _, n := range all {
		u.free = u.free || n.free
		for name, inner := range n.of {
			fields[name] = append(fields[name], inner)
		}
		if n.any != nil {
			anys = append(anys, n.any)
		}
		if n.elem != nil {
			elems = append(elems, n.elem)
		}
	}
	for name, list := range fields {
		if u.of == nil {
			u.of = map[string]*names{}
		}
		u.of[name] = union(list)
	}
	u.any, u.elem = union(anys), union(elems)
	return u
}

// known lists the names.
func (n *names) known() []string { return slices.Sorted(maps.Keys(n.of)) }

// didYouMean is the hint for an unknown name.
func (n *names) didYouMean(name string) string {
	known := n.known()
	best, least := "", max(1, len(name)/3)+1
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	const most = 12
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) == 0:
		return ""
	case len(known) > most:
		return fmt.Sprintf("known here: %s and %d more", strings.Join(known[:most], ", "), len(known)-most)
	}
	return "known here: " + strings.Join(known, ", ")
}

// distance counts the letters to insert, drop, replace, or swap with their
// neighbour to turn a into b.
func distance(a, b string) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
