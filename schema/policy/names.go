package policy

import (
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
func (n *names) didYouMean(name string) string { return schema.DidYouMean(name, n.known()) }
