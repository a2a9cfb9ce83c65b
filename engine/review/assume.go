package review

import (
	"context"
	"encoding/json"
	"fmt"
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
	state := &provider.State{ID: h.ID, Name: h.Name, Kind: h.Kind, Status: provider.StatusReady}
	if state.ID == "" {
		state.ID = "assumed-" + h.Address // ids are never alike
	}
	top := map[string]any{}
	groups := map[string]map[string]any{}
	var roles []string
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
		if groups[role] == nil {
			groups[role] = map[string]any{}
			roles = append(roles, role)
		}
		put(groups[role], field, v)
	}
	slices.Sort(roles)
	var err error
	if state.Attributes, err = json.Marshal(top); err != nil {
		return nil, err
	}
	for _, role := range roles {
		g := provider.Group{Role: role}
		if n, ok := groups[role]["count"].(json.Number); ok {
			count, err := n.Int64()
			if err != nil {
				return nil, err
			}
			g.Count = int(count)
		}
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
