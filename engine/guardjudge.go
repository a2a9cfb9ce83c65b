package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// removals are the nodes that were taken away, as history and open requests
// tell: what budgets are counted by.
type removals []removed

type removed struct {
	journal.Identity
	group string
	at    time.Time
	nodes int64
	open  bool // not settled: they may go at any moment
}

// readRemovals counts what requests of the store removed, or may have: a request
// that is not settled, or that fell short, counts with all it asked for unless
// history names the nodes.
func readRemovals(history func(func(journal.Record) bool) error, open []journal.Intent) (removals, error) {
	var all removals
	for _, in := range open {
		if in.Op == provider.OpScaleIn {
			all = append(all, removed{in.Identity, in.Group, in.SignedAt, in.K, true})
		}
	}
	err := history(func(r journal.Record) bool {
		if r.Intent.Op != provider.OpScaleIn || r.Verdict == journal.None {
			return true
		}
		n := r.Intent.K
		if r.Verdict == journal.Partial && len(r.Removed) > 0 {
			n = int64(len(r.Removed))
		}
		all = append(all, removed{r.Intent.Identity, r.Intent.Group, r.At, n, false})
		return true
	})
	var torn *journal.TornError
	if err != nil && !errors.As(err, &torn) {
		return nil, unreadable(err)
	}
	return all, nil
}

// within counts the nodes removed from a place since a moment. A place without
// id is the account; without group, the whole cluster.
func (r removals) within(place journal.Identity, group string, since time.Time) (n int64) {
	for _, one := range r {
		here := one.Plugin == place.Plugin && one.Account == place.Account && one.Endpoint == place.Endpoint &&
			(place.ID == "" || one.ID == place.ID) && (group == "" || one.group == group)
		if here && (one.open || one.at.After(since)) {
			n += one.nodes
		}
	}
	return n
}

// keeper judges the actions on one cluster by the guards in force.
type keeper struct {
	entry            *Entry
	id               string // of the live cluster
	cluster, account inForce
	taken            func() (removals, error) // asked only where there is a budget
	now              time.Time
}

// reduces reports that an action removes nodes or makes some smaller. A resize
// of nodes whose size is not known may do so; of a cluster that the same plan
// creates it does not.
func (a *Action) reduces() bool {
	if a.Op == provider.OpResize && !a.follows() {
		for name, to := range a.To {
			if from, known := a.From[name]; !known || to < from {
				return true
			}
		}
	}
	return a.Removed() > 0
}

// denies lists the guards that an action goes against.
func (k *keeper) denies(a *Action) ([]Denied, error) {
	if !a.reduces() {
		return nil, nil
	}
	var out []Denied
	for _, group := range groupsAround(a.Group) {
		if d := k.protected(a, group); d != nil {
			out = append(out, *d)
		}
	}
	if a.Removed() == 0 {
		return out, nil
	}
	type place struct {
		inForce
		id, group, name string
	}
	places := []place{{k.account, "", "", "the account of providers entry " + k.entry.Name}}
	for _, group := range groupsAround(a.Group) {
		places = append(places, place{k.cluster, k.id, group, Address(a.Cluster, group)})
	}
	for _, p := range places {
		d, err := k.spent(a, p.inForce, k.entry.identity(p.id, ""), p.group, p.name)
		if err != nil {
			return nil, err
		}
		if d != nil {
			out = append(out, *d)
		}
	}
	return out, nil
}

// groupsAround are the places inside a cluster that an action on a group
// concerns.
func groupsAround(group string) []string {
	if group == "" {
		return []string{""}
	}
	return []string{"", group}
}

const gone = "; the line is gone or looser, but a guard is lifted only by a plan that does not need it lifted: take the removal or downsizing out, apply, then put it back"

func (k *keeper) protected(a *Action, group string) *Denied {
	by, stated := k.cluster.stated.Protected[group]
	old, kept := k.cluster.remembered.Protected[group]
	if lifted, was := k.cluster.lifted.Protected[group]; was && !kept {
		old, kept = lifted, true
	}
	if !stated && !kept {
		return nil
	}
	what := way(a.From, a.To)
	if a.Removed() > 0 {
		what = fmt.Sprintf("removes %d of %s", a.Removed(), plural(a.From["count"], "node"))
	} else {
		what = "would make nodes smaller: " + what
	}
	reason := fmt.Sprintf("%s, and %s is protected", what, Address(a.Cluster, group))
	if !stated {
		by, reason = old, reason+gone
	}
	return &Denied{Address: a.Address, Guard: GuardProtect, Source: by.Source, Reason: reason}
}

// spent holds an action against one place's budgets: the one that is stated and
// the one that history remembers.
func (k *keeper) spent(a *Action, f inForce, place journal.Identity, group, name string) (*Denied, error) {
	type budget struct {
		journal.Budget
		lifted bool
	}
	var budgets []budget
	if b, ok := f.stated.MaxRemoved[group]; ok {
		budgets = append(budgets, budget{b, false})
	}
	for _, g := range []journal.Guards{f.remembered, f.lifted} {
		if b, ok := g.MaxRemoved[group]; ok {
			budgets = append(budgets, budget{b, true})
		}
	}
	for _, b := range budgets {
		taken, err := k.taken()
		if err != nil {
			return nil, err
		}
		before := taken.within(place, group, k.now.Add(-Span(b.Per).length()))
		if before+int64(a.Removed()) <= b.Count {
			continue
		}
		reason := fmt.Sprintf("removes %s; with the %d removed or planned before it in %s that is more than the %d that %s may lose",
			plural(a.Removed(), "node"), before, b.Per, b.Count, name)
		switch {
		case b.lifted && place.ID == "" && len(f.stated.MaxRemoved) == 0:
			reason += "; a spec that shares the account states it"
		case b.lifted:
			reason += gone
		}
		return &Denied{Address: a.Address, Guard: GuardMaxRemoved, Source: b.Source, Reason: reason}, nil
	}
	return nil, nil
}
