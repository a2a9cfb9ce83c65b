package engine

import (
	"testing"
	"testing/synctest"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// records are all of a bench's history.
func (b *bench) records() (all []journal.Record) {
	b.t.Helper()
	if err := b.store.History(func(r journal.Record) bool { all = append(all, r); return true }); err != nil {
		b.t.Fatal(err)
	}
	return all
}

// nodesNamed gives every node a name of its own; the name of who is gone is
// known from before.
func nodesNamed(o provider.Observation) provider.Observation {
	if o.Cluster != nil {
		for _, g := range o.Cluster.Groups {
			for i := range g.Nodes {
				g.Nodes[i].Name = "name of " + g.Nodes[i].ID
			}
		}
	}
	return o
}

// TestHistorySaysWhoAndWhich: each request is recorded with whose run sent and
// closed it, and with what came and went.
func TestHistorySaysWhoAndWhich(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.observe = nodesNamed
		b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
		plan := b.plan(want("a", growAndShrink), want("new", `{"zone": "z1", "note": "x", "node_groups": {"core": {"count": 2}}}`))
		holder := journal.Holder{User: "ops", Host: "ci-7"}
		a := &Applier{Plan: plan, Entries: b.entries(), Store: b.store, Holder: holder}
		if _, err := a.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		node := func(id string) journal.Node { return journal.Node{ID: id, Name: "name of " + id} }
		added, removed := map[provider.Op][]journal.Node{}, map[provider.Op][]journal.Node{}
		for _, r := range b.records() {
			check(t, "who", []string{r.Intent.Who, r.Closer}, []string{"ops@ci-7", "ops@ci-7"})
			check(t, "names are kept of what may go", len(r.Intent.Names) > 0, r.Intent.Op == provider.OpScaleIn)
			added[r.Intent.Op], removed[r.Intent.Op] = r.Added, r.Removed
		}
		var victims []journal.Node
		for _, v := range plan.Actions[0].Removes {
			victims = append(victims, node(v.ID))
		}
		check(t, "removed", removed, map[provider.Op][]journal.Node{provider.OpScaleIn: victims, provider.OpScaleOut: nil, provider.OpCreate: nil})
		check(t, "victims", len(victims), 2)
		check(t, "a new cluster", len(added[provider.OpCreate]), 1)
		check(t, "its name is no node's", added[provider.OpCreate][0].Name, "")
		check(t, "added", []int{len(added[provider.OpScaleOut]), len(added[provider.OpScaleIn])}, []int{2, 0})
		check(t, "by name", added[provider.OpScaleOut][0], node(added[provider.OpScaleOut][0].ID))
	})
}

// TestHistorySaysWhoDecided: a person's word is recorded with the machine.
func TestHistorySaysWhoDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := unsettled(t)
		a := b.applier()
		a.Holder = journal.Holder{User: "eve", Host: "laptop"}
		ev, err := a.Examine(t.Context(), want("a", toFive))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Decide(t.Context(), ev, journal.None, "eve: seen"); err != nil {
			t.Fatal(err)
		}
		r := b.records()[0]
		check(t, "closer and reason", []string{r.Closer, r.By}, []string{"eve@laptop", "eve: seen"})
	})
}

// TestHistoryHasTheRequestIDOfARefusal: support asks for it, wherever the plugin
// put it.
func TestHistoryHasTheRequestIDOfARefusal(t *testing.T) {
	for _, answer := range []provider.Answer{
		{Outcome: provider.OutcomeRefused, RequestID: "req-1", Error: &provider.Error{Kind: provider.KindQuota, Code: "Q"}},
		{Outcome: provider.OutcomeRefused, Error: &provider.Error{Kind: provider.KindQuota, Code: "Q", RequestID: "req-1"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 3})
			b.cloud.answer = func(int, provider.Answer) provider.Answer { return answer }
			b.apply(t.Context(), b.plan(want("a", toFive)))
			r := b.records()[0]
			check(t, "request id and code", []string{r.Intent.Answer.RequestID, r.Intent.Answer.Code}, []string{"req-1", "Q"})
			check(t, "closer", r.Closer, journal.Self("", r.At).Who())
		})
	}
}

func TestNodesOf(t *testing.T) {
	in := func(op provider.Op, victims ...string) *journal.Intent {
		return &journal.Intent{Op: op, Base: []string{"b1", "b2", "b3"}, Victims: victims, Names: map[string]string{"b1": "one"}}
	}
	nodes := func(ids ...string) (all []journal.Node) {
		for _, id := range ids {
			all = append(all, journal.Node{ID: id, Name: map[string]string{"b1": "one", "n1": "new"}[id]})
		}
		return all
	}
	for _, test := range []struct {
		name           string
		intent         *journal.Intent
		fresh          []string
		shows          *reading
		added, removed []journal.Node
	}{
		{"grown", in(provider.OpScaleOut), []string{"n1"}, &reading{ids: []string{"c"}, nodes: []string{"b1", "n1"}, names: map[string]string{"n1": "new"}}, nodes("n1"), nil},
		{"victims", in(provider.OpScaleIn, "b1"), nil, &reading{ids: []string{"c"}, nodes: []string{"b3"}}, nil, nodes("b1")},
		{"the cloud chose", in(provider.OpScaleIn), nil, &reading{ids: []string{"c"}, nodes: []string{"b3", "n1"}}, nil, nodes("b1", "b2")},
		{"the cluster is gone", in(provider.OpScaleIn), nil, &reading{}, nil, nil},
		{"never read", in(provider.OpScaleOut), nil, nil, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			added, removed := nodesOf(test.intent, ruling{fresh: test.fresh}, test.shows)
			check(t, "added", added, test.added)
			check(t, "removed", removed, test.removed)
		})
	}
}
