package review

import (
	"encoding/json"
	"slices"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// FormatVersion is that of a Review as JSON.
const FormatVersion = "1.0"

// Place is a position in a spec's file. Lines and columns count from 1.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Cluster is one cluster of a revision.
type Cluster struct {
	*engine.Cluster
	// Origins are the places that have a part in the value at a path, the one
	// that it was taken from first; "" is the cluster itself.
	Origins func(path string) []Place
}

// Review is what differs between two revisions of a spec.
type Review struct {
	FormatVersion string   `json:"format_version"`
	Base          Revision `json:"base"`
	Head          Revision `json:"head"`
	// Clusters are those that differ, by address.
	Clusters  []Change `json:"clusters"`
	Unchanged int      `json:"unchanged"`
	// Unknown are clusters of the head of which the base says nothing sound.
	Unknown []string `json:"unknown"`
	// Causes are the lines behind the changes, those with the most clusters first.
	Causes []Cause `json:"causes"`
	// Notes are sentences about the comparison itself.
	Notes []string `json:"notes"`
}

// Revision is one side.
type Revision struct {
	Name   string `json:"name"`             // as people gave it, or "working tree"
	Commit string `json:"commit,omitempty"` // empty for the working tree
}

// Kind of a Change.
type Kind string

const (
	Added   Kind = "added"   // managed from now on
	Changed Kind = "changed" // another topology is wanted
	Removed Kind = "removed" // no longer managed; nothing is deleted
	Renamed Kind = "renamed" // the same cluster under another key
)

// Change is one cluster that differs.
type Change struct {
	Address  string `json:"address"`
	Was      string `json:"was,omitempty"` // its address in the base, when renamed
	Kind     Kind   `json:"kind"`
	Provider string `json:"provider"` // the providers entry
	Type     string `json:"type"`     // the cluster's kind: "mrs"
	// Place is the cluster in the head; of a removed one, in the base.
	Place  Place   `json:"place,omitzero"`
	Fields []Field `json:"fields"`
	// Actions, Blocked and Denied are what a plan would hold if the base were
	// live. Absent when the provider was not asked.
	Actions []Action  `json:"actions,omitempty"`
	Blocked []Refusal `json:"blocked,omitempty"`
	Denied  []Refusal `json:"denied,omitempty"`
}

// Action is a call that a plan would make.
type Action struct {
	Group  string           `json:"group,omitempty"`
	Op     provider.Op      `json:"op"`
	From   map[string]int64 `json:"from"`
	To     map[string]int64 `json:"to"`
	Reason string           `json:"reason,omitempty"`
	Risk   string           `json:"risk,omitempty"`
}

// Refusal is what no call can do, or what a guard does not let pass.
type Refusal struct {
	Group  string `json:"group,omitempty"`
	Guard  string `json:"guard,omitempty"`
	Reason string `json:"reason"`
}

// Effect is what becomes of a changed field.
type Effect string

const (
	EffectNone      Effect = ""          // the provider was not asked
	EffectAction    Effect = "action"    // a call changes it in place
	EffectBlocked   Effect = "blocked"   // no call can
	EffectParameter Effect = "parameter" // sent with the next change, not compared
	EffectStated    Effect = "stated"    // compared with the live cluster from now on
	EffectReleased  Effect = "released"  // no longer compared; the live value stays
	EffectIdentity  Effect = "identity"  // another cluster or account is meant
	EffectGuard     Effect = "guard"     // a guard or budget of clusterctl is set, changed or lifted
	EffectOrder     Effect = "order"     // other clusters come first
)

// Field is one value that differs.
type Field struct {
	Path   string `json:"path"`
	Before any    `json:"before"` // nil: the base does not state it
	After  any    `json:"after"`  // nil: the head does not
	Effect Effect `json:"effect"`
	// Op is the action's, when Effect is EffectAction.
	Op provider.Op `json:"op,omitempty"`
	// Reason is why it is blocked.
	Reason string `json:"reason,omitempty"`
	// Cause is the line of the head that makes the difference; of what the head
	// no longer states, the line of the base.
	Cause  Place `json:"cause,omitzero"`
	InBase bool  `json:"in_base,omitempty"` // Cause is a line of the base
}

// Cause is a line and the clusters that differ because of it.
type Cause struct {
	Place    Place    `json:"place"`
	InBase   bool     `json:"in_base,omitempty"`
	Clusters []string `json:"clusters"`
	Paths    []string `json:"paths"`
}

// identity are the fields that say which cluster is meant.
var identity = []string{"provider", "kind", "id", "name"}

// Compare finds what differs. Both sides are sorted by address. unknown are
// addresses of the head of which the base says nothing sound; changed says
// whether a line of the head was written since the base.
func Compare(base, head []*Cluster, unknown []string, changed func(Place) bool) *Review {
	r := &Review{FormatVersion: FormatVersion, Clusters: []Change{}, Unknown: append([]string{}, unknown...), Causes: []Cause{}, Notes: []string{}}
	was := byAddress(base)
	is := byAddress(head)
	renamed := renames(base, head, was, is)
	for _, h := range head {
		if slices.Contains(unknown, h.Address) {
			continue
		}
		b, kind := was[h.Address], Changed
		if b == nil {
			if b, kind = renamed[h.Address], Renamed; b == nil {
				r.Clusters = append(r.Clusters, added(h))
				continue
			}
		}
		fields := differing(b, h, changed)
		if len(fields) == 0 && kind == Changed {
			r.Unchanged++
			continue
		}
		c := Change{Address: h.Address, Kind: kind, Provider: h.Entry, Type: h.Kind, Place: first(h, ""), Fields: fields}
		if kind == Renamed {
			c.Was = b.Address
		}
		r.Clusters = append(r.Clusters, c)
	}
	gone := map[string]bool{}
	for _, b := range renamed {
		gone[b.Address] = true
	}
	for _, b := range base {
		if is[b.Address] == nil && !gone[b.Address] {
			r.Clusters = append(r.Clusters, Change{Address: b.Address, Kind: Removed, Provider: b.Entry, Type: b.Kind, Place: first(b, ""), Fields: lifted(b)})
		}
	}
	slices.SortStableFunc(r.Clusters, func(a, b Change) int { return compare(a.Address, b.Address) })
	r.Causes = causes(r.Clusters)
	return r
}

func byAddress(clusters []*Cluster) map[string]*Cluster {
	m := make(map[string]*Cluster, len(clusters))
	for _, c := range clusters {
		m[c.Address] = c
	}
	return m
}

// renames finds clusters of the head that are live ones of the base under
// another key: the same entry and id, or without ids the same stated name.
func renames(base, head []*Cluster, was, is map[string]*Cluster) map[string]*Cluster {
	type live struct{ entry, kind, id, name string }
	of := func(c *Cluster) live {
		if c.ID != "" {
			return live{entry: c.Entry, kind: c.Kind, id: c.ID}
		}
		return live{entry: c.Entry, kind: c.Kind, name: c.Name}
	}
	lost := map[live]*Cluster{}
	for _, b := range base {
		if is[b.Address] == nil {
			lost[of(b)] = b
		}
	}
	found := map[string]*Cluster{}
	for _, h := range head {
		if b := lost[of(h)]; was[h.Address] == nil && b != nil {
			found[h.Address] = b
		}
	}
	return found
}

// added lists what a new cluster states.
func added(h *Cluster) Change {
	c := Change{Address: h.Address, Kind: Added, Provider: h.Entry, Type: h.Kind, Place: first(h, ""), Fields: []Field{}}
	for _, l := range h.stated() {
		if !slices.Contains(identity, l.path) {
			effect, ours := ruledEffect(h, l.path, nil, l.value)
			if !ours {
				effect = EffectStated
			}
			c.Fields = append(c.Fields, Field{Path: l.path, After: l.value, Effect: effect, Cause: c.Place})
		}
	}
	return c
}

// differing are the values that the two revisions of a cluster state differently.
func differing(b, h *Cluster, changed func(Place) bool) []Field {
	if alike(b, h) {
		return nil
	}
	var fields []Field
	before := map[string]any{}
	for _, l := range b.stated() {
		before[l.path] = l.value
	}
	for _, l := range h.stated() {
		old, stated := before[l.path]
		delete(before, l.path)
		if stated && same(old, l.value) {
			continue
		}
		f := Field{Path: l.path, Before: old, After: l.value, Effect: offline(h, l.path, old, l.value), Cause: causeWithin(h, l, changed)}
		if f.Effect == EffectBlocked {
			f.Reason = l.path + " cannot be changed in place"
		}
		fields = append(fields, f)
	}
	for path, old := range before {
		effect, _ := ruledEffect(h, path, old, nil)
		fields = append(fields, Field{Path: path, Before: old, Effect: effect, Cause: first(b, path), InBase: true})
	}
	slices.SortFunc(fields, func(a, b Field) int { return compare(a.Path, b.Path) })
	return fields
}

// offline is the effect that needs no provider.
func offline(h *Cluster, path string, before, after any) Effect {
	if effect, ours := ruledEffect(h, path, before, after); ours {
		return effect
	}
	switch meaning := h.Meanings.Of(path); {
	case slices.Contains(identity, path):
		return EffectIdentity
	case meaning&(provider.Param|provider.Secret) != 0:
		return EffectParameter
	case before == nil:
		return EffectStated
	case meaning&provider.Immutable != 0:
		return EffectBlocked
	}
	return EffectNone
}

func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
