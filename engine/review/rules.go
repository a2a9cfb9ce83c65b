package review

import (
	"reflect"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Paths of what a cluster says to clusterctl itself, at its end.
const (
	ownedBy   = "owned_by"
	dependsOn = "depends_on"
)

// stated are all values of a cluster by path: those for the cloud and those for
// clusterctl itself.
func (c *Cluster) stated() []leaf {
	all := append(leaves(c.Spec), ruled(c.Rules)...)
	slices.SortFunc(all, func(a, b leaf) int { return compare(a.path, b.path) })
	return all
}

// ruled are the values of rules. A budget and a range are one value each.
func ruled(r engine.Rules) []leaf {
	var all []leaf
	add := func(path string, v any) { all = append(all, leaf{path, v}) }
	guards := func(prefix string, protect bool, budget *engine.Budget) {
		if protect {
			add(prefix+engine.GuardProtect, true)
		}
		if budget != nil {
			add(prefix+engine.GuardMaxRemoved, *budget)
		}
	}
	guards("", r.Protect, r.MaxRemoved)
	if len(r.DependsOn) > 0 {
		names := slices.Clone(r.DependsOn)
		slices.Sort(names) // their order means nothing
		add(dependsOn, names)
	}
	for role, g := range r.Groups {
		prefix := "node_groups." + role + "."
		guards(prefix, g.Protect, g.MaxRemoved)
		for path, owner := range g.OwnedBy {
			add(prefix+ownedBy+"."+path, owner)
		}
		if g.Count != nil {
			add(prefix+"count", *g.Count)
		}
	}
	return all
}

// alike reports that two revisions of a cluster state the same.
func alike(b, h *Cluster) bool {
	return string(b.Spec) == string(h.Spec) && b.Entry == h.Entry && reflect.DeepEqual(b.Rules, h.Rules)
}

// guard is the guard that a path is about, empty for others.
func guard(path string) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	within := strings.TrimSuffix(path, name)
	if parts := strings.Count(within, "."); parts != 0 && (parts != 2 || !strings.HasPrefix(within, "node_groups.")) {
		return ""
	}
	if name == engine.GuardProtect || name == engine.GuardMaxRemoved {
		return name
	}
	return ""
}

// ruledEffect is what becomes of a changed value that concerns clusterctl
// itself, or that its rules leave to others; none for the rest.
func ruledEffect(h *Cluster, path string, before, after any) (Effect, bool) {
	role, field := roleOf(path)
	owner, owned := strings.CutPrefix(field, ownedBy+".")
	switch {
	case guard(path) != "":
		return EffectGuard, true
	case path == dependsOn:
		return EffectOrder, true
	case role != "" && owned && owner != "":
		if after == nil {
			return EffectStated, true
		}
		return EffectReleased, true
	case role != "" && h.Rules.Groups[role].OwnedBy[field] != "":
		return EffectReleased, true
	case after == nil:
		return EffectReleased, true
	case isBand(before) || isBand(after):
		return EffectStated, true
	}
	return EffectNone, false
}

// causeWithin is cause for a value that may be written over several lines.
func causeWithin(h *Cluster, l leaf, changed func(Place) bool) Place {
	var parts []string
	switch l.value.(type) {
	case engine.Band:
		parts = []string{"min", "max"}
	case engine.Budget:
		parts = []string{"count", "per"}
	}
	for _, part := range parts {
		for _, p := range h.Origins(join(l.path, part)) {
			if changed(p) {
				return p
			}
		}
	}
	return cause(h, l.path, changed)
}

func isBand(v any) bool {
	_, ok := v.(engine.Band)
	return ok
}

// roleOf splits the path of a group's field; without a group role is empty.
func roleOf(path string) (role, field string) {
	rest, ok := strings.CutPrefix(path, "node_groups.")
	if !ok {
		return "", path
	}
	role, field, _ = strings.Cut(rest, ".")
	return role, field
}

// Lifts reports that a guard is gone, or permits what it did not.
func (f *Field) Lifts() bool {
	if f.Effect != EffectGuard || f.Before == nil {
		return false
	}
	was, budget := f.Before.(engine.Budget)
	is, still := f.After.(engine.Budget)
	return !budget || !still || looser(is, was)
}

// looser reports that a permits what b does not.
func looser(a, b engine.Budget) bool {
	x, errX := a.Per.Duration()
	y, errY := b.Per.Duration()
	return a.Count > b.Count || errX != nil || errY != nil || x < y
}

// lifted are the guards of a cluster that the head no longer has at all.
func lifted(b *Cluster) []Field {
	fields := []Field{}
	for _, l := range ruled(b.Rules) {
		if guard(l.path) != "" {
			fields = append(fields, Field{Path: l.path, Before: l.value, Effect: EffectGuard, Cause: first(b, l.path), InBase: true})
		}
	}
	slices.SortFunc(fields, func(a, b Field) int { return compare(a.Path, b.Path) })
	return fields
}

// unguard denies actions that a guard of the base is against when the head has
// it no more: history remembers it until a plan has lifted it and nothing else.
func (c *Change) unguard() {
	for _, a := range c.Actions {
		smaller := a.Op == provider.OpScaleIn
		for name, to := range a.To {
			smaller = smaller || a.Op == provider.OpResize && to < a.From[name]
		}
		if !smaller {
			continue
		}
		for i := range c.Fields {
			f := &c.Fields[i]
			if role, _ := roleOf(f.Path); guard(f.Path) == engine.GuardProtect && f.Lifts() && (role == "" || role == a.Group) {
				c.Denied = append(c.Denied, Refusal{Group: a.Group, Guard: engine.GuardProtect,
					Reason: f.Path + " is taken away together with the change that it is against: apply a plan that only lifts it first"})
			}
		}
	}
}
