package engine

import (
	"fmt"
	"maps"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// guardian holds one plan to the guards of its clusters and accounts.
type guardian struct {
	*Planner
	accounts map[string]inForce // by entry
	clusters map[string]inForce // by address
	taken    removals           // of history, and of the plan so far
	read     bool
	now      time.Time
}

// guardian reads the guards in force, and puts those that are new or lifted into
// the plan. live has the ids of clusters that are there; those that are absent
// stand in it with none.
func (p *Planner) guardian(plan *Plan, clusters []*Cluster, live map[string]string) (*guardian, error) {
	g := &guardian{Planner: p, accounts: map[string]inForce{}, clusters: map[string]inForce{}, now: time.Now()}
	stated, err := p.stated(clusters, live)
	if err != nil {
		return nil, err
	}
	for _, c := range clusters {
		entry := p.Entries[c.Entry]
		if _, done := g.accounts[c.Entry]; !done {
			f, err := g.inForce(stated[entry.guarded("")], entry.guarded(""))
			if err != nil {
				return nil, err
			}
			g.accounts[c.Entry] = f
			// Other specs share the account: one that says nothing of its budget
			// leaves it as it is.
			if len(f.stated.MaxRemoved) > 0 {
				plan.Guards = append(plan.Guards, f.changes(Guard{Address: "providers." + c.Entry, Provider: c.Entry})...)
			}
		}
		id, read := live[c.Address]
		if !read {
			continue // nothing is known of it and nothing will be done
		}
		f := inForce{stated: c.Rules.guards(c.Source)}
		if id != "" {
			if f, err = g.inForce(stated[entry.guarded(id)], entry.guarded(id)); err != nil {
				return nil, err
			}
		}
		g.clusters[c.Address] = f
		plan.Guards = append(plan.Guards, f.changes(Guard{Address: c.Address, Provider: c.Entry, Kind: c.Kind, Cluster: c.Address, ClusterID: id})...)
	}
	sortGuards(plan.Guards)
	return g, nil
}

// stated are the guards that the spec states for each account, and for each
// cluster that is there. Two entries of one account, or two keys of one cluster,
// state them together: what only one of them says is not lifted by the other.
func (p *Planner) stated(clusters []*Cluster, live map[string]string) (map[journal.Identity]journal.Guards, error) {
	all := map[journal.Identity]journal.Guards{}
	add := func(identity journal.Identity, g journal.Guards, name string) error {
		old, there := all[identity]
		if !there {
			all[identity] = g
			return nil
		}
		for group, b := range g.MaxRemoved {
			was, both := old.MaxRemoved[group]
			switch now, before := planBudget(b, true), planBudget(was, both); {
			case !both || stricter(*now, *before):
				old.MaxRemoved[group] = b
			case !stricter(*before, *now):
				return fmt.Errorf("max_removed of %s is %s at %s and %s at %s, for one and the same; state one of them", name, now, b.Source, before, was.Source)
			}
		}
		maps.Copy(old.Protected, g.Protected)
		return nil
	}
	entries := map[string]bool{}
	for _, c := range clusters {
		entry := p.Entries[c.Entry]
		if !entries[c.Entry] {
			entries[c.Entry] = true
			if err := add(entry.guarded(""), entry.guards(), "providers."+c.Entry); err != nil {
				return nil, err
			}
		}
		if id := live[c.Address]; id != "" {
			if err := add(entry.guarded(id), c.Rules.guards(c.Source), c.Address); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func (g *guardian) inForce(stated journal.Guards, identity journal.Identity) (f inForce, err error) {
	f.stated = stated
	if g.Last != nil {
		f.remembered, f.op, err = remembered(g.Last, identity)
	}
	return f, err
}

// judge denies what goes against a guard. An action that passes or not counts
// for those after it.
func (g *guardian) judge(c *Cluster, a *Action) ([]Denied, error) {
	entry := g.Entries[c.Entry]
	k := &keeper{entry: entry, id: a.ClusterID, cluster: g.clusters[c.Address], account: g.accounts[c.Entry], taken: g.removals, now: g.now}
	denied, err := k.denies(a)
	if n := a.Removed(); n > 0 {
		g.taken = append(g.taken, removed{entry.identity(a.ClusterID, ""), a.Group, g.now, int64(n), false})
	}
	return denied, err
}

func (g *guardian) removals() (removals, error) {
	if !g.read && g.History != nil {
		all, err := readRemovals(g.History, g.Intents)
		if err != nil {
			return nil, err
		}
		g.taken = append(all, g.taken...)
	}
	g.read = true
	return g.taken, nil
}
