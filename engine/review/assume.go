package review

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Ask lets the providers of the entries plan the changed clusters as if the
// base were live, and notes what they would do and what they cannot. Nothing is
// read or sent: observations are made up from the base, and what only a live
// cluster could tell is taken to be as the head wants it.
func (r *Review) Ask(ctx context.Context, base, head []*Cluster, entries map[string]*engine.Entry, allowShrink bool) error {
	was, is := byAddress(base), byAddress(head)
	states := map[string]*provider.State{}
	var clusters []*engine.Cluster
	index := map[string]*Change{}
	for i := range r.Clusters {
		c := &r.Clusters[i]
		if c.Kind != Changed && c.Kind != Renamed || entries[c.Provider] == nil {
			continue
		}
		before := c.Address
		if c.Kind == Renamed {
			before = c.Was
		}
		h, b := is[c.Address], was[before]
		if b.Entry != h.Entry || b.Kind != h.Kind || b.ID != h.ID {
			continue // another cluster is meant, of which nothing is known
		}
		state, err := assume(b, h)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Address, err)
		}
		states[c.Address] = state
		clusters = append(clusters, h.Cluster)
		index[c.Address] = c
	}
	assumed := map[string]*engine.Entry{}
	for name, e := range entries {
		copied := *e
		copied.Provider = assuming{e.Provider, states}
		assumed[name] = &copied
	}
	planner := &engine.Planner{Entries: assumed, AllowShrink: allowShrink}
	plan, err := planner.Plan(ctx, clusters)
	if err != nil {
		return err
	}
	r.note(plan, index)
	return nil
}

// note puts a plan's parts to the clusters and fields that they are about.
func (r *Review) note(plan *engine.Plan, index map[string]*Change) {
	for _, a := range plan.Actions {
		c := index[a.Cluster]
		c.Actions = append(c.Actions, Action{Group: a.Group, Op: a.Op, From: a.From, To: a.To, Reason: a.Reason, Risk: a.Risk})
		c.mark(a.Group, a.Fields, func(f *Field) { f.Effect, f.Op = EffectAction, a.Op })
	}
	for _, b := range plan.Blocked {
		address, group, _ := strings.Cut(b.Address, "/")
		c := index[address]
		c.Blocked = append(c.Blocked, Refusal{Group: group, Reason: b.Reason})
		c.mark(group, b.Fields, func(f *Field) { f.Effect, f.Reason = EffectBlocked, b.Reason })
	}
	for _, u := range plan.Unread {
		r.Notes = append(r.Notes, fmt.Sprintf("%s: the provider was not asked: %s", u.Address, u.Reason))
	}
	for _, d := range plan.Denied {
		address, group, _ := strings.Cut(d.Address, "/")
		c := index[address]
		c.Denied = append(c.Denied, Refusal{Group: group, Guard: d.Guard, Reason: d.Reason})
	}
	for _, c := range index {
		c.unguard()
	}
}

func (c *Change) mark(group string, fields []provider.FieldChange, set func(*Field)) {
	for _, changed := range fields {
		path := changed.Path
		if group != "" {
			path = "node_groups." + group + "." + path
		}
		for i := range c.Fields {
			if c.Fields[i].Path == path {
				set(&c.Fields[i])
			}
		}
	}
}

// assume makes a live cluster of what the base states. Of what only the head
// states nothing is known: it is taken to be so already.
func assume(b, h *Cluster) (*provider.State, error) {
	values := map[string]any{}
	for _, side := range []*Cluster{h, b} {
		for _, l := range leaves(side.Spec) {
			if side.Meanings.Of(l.path)&(provider.Param|provider.Secret) == 0 && !slices.Contains(identity, l.path) {
				values[l.path] = l.value
			}
		}
	}
	stated := map[string]bool{}
	for _, l := range leaves(h.Spec) {
		stated[l.path] = true
	}
	counts, err := assumedCounts(b, h)
	if err != nil {
		return nil, err
	}
	state := &provider.State{ID: h.ID, Name: h.Name, Kind: h.Kind, Status: provider.StatusReady}
	if state.ID == "" {
		state.ID = "assumed-" + h.Address // ids are never alike
	}
	top := map[string]any{}
	groups := map[string]map[string]any{}
	for role := range counts {
		groups[role] = map[string]any{}
	}
	for path, v := range values {
		if !stated[path] {
			continue // released: not compared
		}
		rest, ok := strings.CutPrefix(path, "node_groups.")
		if !ok {
			put(top, path, v)
			continue
		}
		role, field, _ := strings.Cut(rest, ".")
		put(groups[role], field, v)
	}
	if state.Attributes, err = json.Marshal(top); err != nil {
		return nil, err
	}
	for _, role := range slices.Sorted(maps.Keys(groups)) {
		g := provider.Group{Role: role, Count: int(counts[role])}
		delete(groups[role], "count")
		if g.Attributes, err = json.Marshal(groups[role]); err != nil {
			return nil, err
		}
		for n := range g.Count {
			g.Nodes = append(g.Nodes, provider.Node{ID: fmt.Sprintf("assumed-%s-%05d", role, n), Status: provider.StatusReady, Attributes: g.Attributes})
		}
		state.Groups = append(state.Groups, g)
	}
	return state, nil
}

// assumedCounts are the numbers of nodes that are taken to be live in the groups
// of the head: what the base states, and of its range the number nearest to what
// the head wants. A number that the base does not state is taken to be as
// wanted; nodes of which nobody states a number are there.
func assumedCounts(b, h *Cluster) (map[string]int64, error) {
	was, err := statedCounts(b)
	if err != nil {
		return nil, err
	}
	counts, err := statedCounts(h)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for role, want := range counts {
		if want == nil {
			want = &engine.Band{Min: 1, Max: 1}
			if was[role] != nil {
				want = was[role]
			}
		}
		out[role] = want.Min
		if have := was[role]; have != nil {
			out[role] = min(max(want.Min, have.Min), have.Max)
		}
	}
	return out, nil
}

// statedCounts are the counts of a cluster's groups by role; a number is a range
// of one. nil: the group states none.
func statedCounts(c *Cluster) (map[string]*engine.Band, error) {
	var spec struct {
		Groups map[string]struct {
			Count *int64 `json:"count"`
		} `json:"node_groups"`
	}
	if err := json.Unmarshal(c.Spec, &spec); err != nil {
		return nil, err
	}
	counts := map[string]*engine.Band{}
	for role, g := range spec.Groups {
		counts[role] = c.Rules.Groups[role].Count
		if g.Count != nil {
			counts[role] = &engine.Band{Min: *g.Count, Max: *g.Count}
		}
	}
	return counts, nil
}

// put sets a dotted path in nested members.
func put(members map[string]any, path string, v any) {
	for {
		name, rest, more := strings.Cut(path, ".")
		if !more {
			members[name] = v
			return
		}
		inner, ok := members[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			members[name] = inner
		}
		members, path = inner, rest
	}
}

// assuming is a provider whose live clusters are made up. It sends nothing.
type assuming struct {
	provider.Provider
	states map[string]*provider.State
}

func (a assuming) Observe(_ context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	for _, key := range req.Keys {
		o := provider.Observation{Address: key.Address, Presence: provider.Present, Cluster: a.states[key.Address]}
		if o.Cluster != nil {
			o.IDs = []string{o.Cluster.ID}
		}
		if err := yield(o); err != nil {
			return err
		}
	}
	return nil
}
