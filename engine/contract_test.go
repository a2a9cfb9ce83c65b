package engine

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestCoverage is what a plan must not do, beyond TestPluginsAreNotTrusted.
func TestCoverage(t *testing.T) {
	count := provider.FieldChange{Path: "count", Before: int64(3), After: int64(5)}
	cpu := provider.FieldChange{Path: "cpu", Before: int64(2), After: int64(4)}
	less := provider.FieldChange{Path: "count", Before: int64(3), After: int64(1)}
	five, three, one := map[string]int64{"count": 5}, map[string]int64{"count": 3}, map[string]int64{"count": 1}
	request := []byte("{}")
	out := provider.Action{Group: "core", Op: provider.OpScaleOut, From: three, To: five, Fields: []provider.FieldChange{count}, Request: request}
	in := provider.Action{Group: "core", Op: provider.OpScaleIn, From: three, To: one, Fields: []provider.FieldChange{less}, Request: request}
	resize := provider.Action{Group: "core", Op: provider.OpResize, To: map[string]int64{"cpu": 4}, Fields: []provider.FieldChange{cpu}, Request: request}
	create := provider.Action{Op: provider.OpCreate, Request: request, Fields: []provider.FieldChange{{Path: "node_groups.core.count", After: int64(5)}}}
	node := func(id string) provider.NodeRef { return provider.NodeRef{ID: id} }
	live := &provider.State{ID: "c1", Groups: []provider.Group{
		{Role: "core", Count: 3, Nodes: []provider.Node{{ID: "n1"}, {ID: "n2"}, {ID: "n3"}}},
		{Role: "task", Count: 1, Nodes: []provider.Node{{ID: "t1"}}},
	}}
	edit := func(a provider.Action, f func(*provider.Action)) []provider.Action {
		f(&a)
		return []provider.Action{a}
	}
	changes := func(op provider.Op, fields ...provider.FieldChange) []provider.Change {
		return []provider.Change{{Group: "core", Op: op, Fields: fields}}
	}
	created := []provider.Change{{Op: provider.OpCreate, Fields: create.Fields}}
	for _, test := range []struct {
		name    string
		live    *provider.State
		changes []provider.Change
		actions []provider.Action
		words   string // empty: sound
	}{
		{"scale out", live, changes(provider.OpScaleOut, count), []provider.Action{out}, ""},
		{"scale in, unnamed", live, changes(provider.OpScaleIn, less), []provider.Action{in}, ""},
		{"scale in, named", live, changes(provider.OpScaleIn, less), edit(in, func(a *provider.Action) { a.Removes = []provider.NodeRef{node("n2"), node("n3")} }), ""},
		{"resize", live, changes(provider.OpResize, cpu), []provider.Action{resize}, ""},
		{"create", nil, created, []provider.Action{create}, ""},
		{"create without a field", nil, nil, edit(create, func(a *provider.Action) { a.Fields = nil }), ""},

		{"removes another group's node", live, changes(provider.OpScaleIn, less), edit(in, func(a *provider.Action) { a.Removes = []provider.NodeRef{node("n2"), node("t1")} }), `removes "t1", which is not a node of the group`},
		{"removes one node twice", live, changes(provider.OpScaleIn, less), edit(in, func(a *provider.Action) { a.Removes = []provider.NodeRef{node("n2"), node("n2")} }), "named twice"},
		{"names fewer than it removes", live, changes(provider.OpScaleIn, less), edit(in, func(a *provider.Action) { a.Removes = []provider.NodeRef{node("n2")} }), "names 1 node and removes 2"},
		{"removes for a size", live, changes(provider.OpResize, cpu), edit(in, func(a *provider.Action) { a.Fields = []provider.FieldChange{cpu} }), "that no change asks for"},
		{"a count in the guise of the cluster's field", live, changes(provider.OpScaleOut, count), edit(out, func(a *provider.Action) {
			a.Group, a.To = "", map[string]int64{"count": 50}
			a.Fields = []provider.FieldChange{{Path: "node_groups.core.count", Before: int64(3), After: int64(5)}}
		}), "is about no group"},
		{"a count in the guise of another group's field", live, changes(provider.OpScaleOut, count), edit(resize, func(a *provider.Action) {
			a.Group, a.Fields = "core.count", []provider.FieldChange{{Path: "", Before: int64(3), After: int64(5)}}
		}), "covers the count of another group"},
		{"a count settled by a resize", live, changes(provider.OpScaleOut, count), edit(resize, func(a *provider.Action) { a.Fields = []provider.FieldChange{count} }), "changes a number of nodes"},
		{"a resize to nothing", live, changes(provider.OpResize, cpu), edit(resize, func(a *provider.Action) { a.To = nil }), "does not say to what size"},
		{"creates what is there", live, changes(provider.OpScaleOut, count), edit(create, func(a *provider.Action) {
			a.Fields = []provider.FieldChange{{Path: "node_groups.core.count", Before: int64(3), After: int64(5)}}
		}), "creates a cluster that is there"},
		{"creates twice", nil, created, []provider.Action{create, create}, "creates it late"},
		{"changes what is not there", nil, created, edit(out, func(*provider.Action) {}), "changes a cluster that is not there"},
		{"creates a group", nil, created, edit(create, func(a *provider.Action) { a.Group = "core" }), "creates a group"},
		{"a negative window", live, changes(provider.OpScaleOut, count), edit(out, func(a *provider.Action) { a.AcceptWindow = -1 }), "negative accept window"},
		{"an unknown op", live, changes(provider.OpScaleOut, count), edit(out, func(a *provider.Action) { a.Op = "explode" }), `unknown op "explode"`},
		{"from less than nothing", live, changes(provider.OpScaleOut, count), edit(out, func(a *provider.Action) { a.From = map[string]int64{"count": -3} }), "goes from -3"},
		{"a value that cannot be compared", live, changes(provider.OpScaleOut, count), edit(out, func(a *provider.Action) {
			a.Fields = []provider.FieldChange{{Path: "count", Before: int64(3), After: struct{ hidden []int }{}}}
		}), "that no change asks for"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := checkCoverage(test.live, test.changes, provider.ClusterPlan{Actions: test.actions})
			switch {
			case test.words == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.words != "" && (err == nil || !strings.Contains(err.Error(), test.words)):
				t.Errorf("got %v, want one that says %q", err, test.words)
			}
		})
	}
}

func TestGuardShrink(t *testing.T) {
	for _, test := range []struct {
		from, to int64
		op       provider.Op
		denied   bool
	}{
		{10, 7, provider.OpScaleIn, false}, // exactly 30 %
		{10, 6, provider.OpScaleIn, true},
		{9, 0, provider.OpScaleIn, false}, // a small group
		{100, 70, provider.OpScaleIn, false},
		{100, 69, provider.OpScaleIn, true},
		{10, 0, provider.OpScaleIn, true},
		{10, 100, provider.OpScaleOut, false},
	} {
		denied := guardShrink(&Action{Op: test.op, From: map[string]int64{"count": test.from}, To: map[string]int64{"count": test.to}})
		if (denied != nil) != test.denied {
			t.Errorf("%s from %d to %d: denied %v", test.op, test.from, test.to, denied)
		}
	}
	check(t, "nil maps", guardShrink(&Action{Op: provider.OpScaleIn}), (*Denied)(nil))
}

// odd is a provider that observes what it is told to.
type odd struct {
	*model
	yield func(k provider.Key, level provider.Level) []provider.Observation
}

func (o *odd) Observe(_ context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	for _, k := range req.Keys {
		for _, one := range o.yield(k, req.Level) {
			_ = yield(one) // it does not stop when it is told to
		}
	}
	return nil
}

// TestOddObservations: what a plugin says wrongly makes its cluster unread;
// nothing panics, nothing is created and nothing is planned on it.
func TestOddObservations(t *testing.T) {
	group := func(g provider.Group) func(*provider.Observation) {
		return func(o *provider.Observation) { o.Cluster.Groups = append(o.Cluster.Groups, g) }
	}
	for _, test := range []struct {
		name  string
		edit  func(*provider.Observation)
		words string
	}{
		{"no state", func(o *provider.Observation) { o.Cluster = nil }, "said present and gave no state"},
		{"no id", func(o *provider.Observation) { o.Cluster.ID = "" }, "without an id"},
		{"another cluster", func(o *provider.Observation) { o.Cluster.Name = "b" }, `asked for the name "a" and gave "b"`},
		{"not among its own", func(o *provider.Observation) { o.IDs = []string{"c9"} }, "not among those of the name"},
		{"unknown presence", func(o *provider.Observation) { o.Presence, o.Cluster = "gone?", nil }, `unknown presence "gone?"`},
		{"absent with a state", func(o *provider.Observation) { o.Presence = provider.Absent }, "said absent and gave a cluster"},
		{"ambiguous between one", func(o *provider.Observation) {
			o.Presence, o.Cluster, o.IDs = provider.Ambiguous, nil, []string{"c1"}
		}, "did not name several"},
		{"unread without a reason", func(o *provider.Observation) { *o = provider.Observation{Address: "a"} }, "gave no reason"},
		{"a group twice", group(provider.Group{Role: "core"}), `group "core" twice`},
		{"a group without a name", group(provider.Group{}), `group "" twice or without a name`},
		{"a negative count", group(provider.Group{Role: "task", Count: -1}), "counts -1 nodes in group task"},
		{"a node twice", group(provider.Group{Role: "task", Count: 2, Nodes: []provider.Node{{ID: "x"}, {ID: "x"}}}), `node "x" of group task twice`},
		{"a node without an id", group(provider.Group{Role: "task", Count: 1, Nodes: []provider.Node{{}}}), `node "" of group task`},
		{"attributes that are no JSON", func(o *provider.Observation) { o.Cluster.Attributes = json.RawMessage(`{`) }, "attributes: unexpected end"},
		{"attributes that are no object", func(o *provider.Observation) { o.Cluster.Attributes = json.RawMessage(`[1]`) }, "attributes: json"},
		{"a group's attributes", group(provider.Group{Role: "task", Attributes: json.RawMessage(`5 5`)}), "attributes of group task"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.entry.Provider = &odd{b.cloud, func(k provider.Key, _ provider.Level) []provider.Observation {
				o := provider.Observation{Address: k.Address, Presence: provider.Present, Cluster: &provider.State{
					ID: "c-" + k.Name, Name: k.Name, Status: provider.StatusReady, Groups: []provider.Group{{Role: "core", Count: 1, Nodes: []provider.Node{{ID: "n1"}}}},
				}}
				if k.Address == "a" {
					test.edit(&o)
				}
				return []provider.Observation{o}
			}}
			plan := b.plan(want("a", toFive), want("b", toFive))
			check(t, "summary", plan.Summary, Summary{ScaleOut: 1, Unread: 1, Clusters: 2, Unpriced: 1, Cost: []provider.Price{}})
			if reason := plan.Unread[0].Reason; plan.Unread[0].Address != "a" || !strings.Contains(reason, test.words) || !strings.Contains(reason, "plugin model") {
				t.Errorf("unread %s: %q does not say %q", plan.Unread[0].Address, reason, test.words)
			}
		})
	}
}

// TestAnswersThatWereNotAskedFor leave what was asked for unread, not absent.
func TestAnswersThatWereNotAskedFor(t *testing.T) {
	b := newBench(t)
	b.entry.Provider = &odd{b.cloud, func(k provider.Key, _ provider.Level) []provider.Observation {
		present := provider.Observation{Address: k.Address, Presence: provider.Present, Cluster: &provider.State{ID: "c1", Name: k.Name, Groups: []provider.Group{{Role: "core", Count: 5}}}}
		switch k.Address {
		case "twice":
			return []provider.Observation{present, {Address: k.Address, Presence: provider.Absent}}
		case "silent":
			return nil
		}
		return []provider.Observation{{Address: "stranger", Presence: provider.Absent}}
	}}
	plan := b.plan(want("other", toFive), want("silent", toFive), want("twice", toFive))
	check(t, "summary", plan.Summary, Summary{Unread: 2, Unchanged: 1, Clusters: 3, Cost: []provider.Price{}})
}

// TestGoneBetweenTwoReads: what was there a moment ago is not created anew.
func TestGoneBetweenTwoReads(t *testing.T) {
	b := newBench(t)
	b.entry.Provider = &odd{b.cloud, func(k provider.Key, level provider.Level) []provider.Observation {
		if level == provider.LevelNodes {
			return []provider.Observation{{Address: k.Address, Presence: provider.Absent}}
		}
		return []provider.Observation{{Address: k.Address, Presence: provider.Present, Cluster: &provider.State{ID: "c1", Name: k.Name}}}
	}}
	check(t, "summary", b.plan(want("a", toFive)).Summary, Summary{Unread: 1, Clusters: 1, Cost: []provider.Price{}})
}

// TestOddPlans: a provider's own nils and emptiness do no harm.
func TestOddPlans(t *testing.T) {
	b := newBench(t)
	b.cloud.add("c1", "a", map[string]int{"core": 3})
	b.cloud.plan = func(r provider.PlanResponse) provider.PlanResponse {
		r.Clusters[0] = provider.ClusterPlan{Blocked: []provider.Blocked{{Group: "core", Fields: r.Clusters[0].Actions[0].Fields, Reason: "no"}, {Reason: "and for no field"}}}
		return r
	}
	plan := b.plan(want("a", toFive))
	check(t, "summary", plan.Summary, Summary{Blocked: 2, Clusters: 1, Cost: []provider.Price{}})
	saved, err := plan.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(saved), "null") && !strings.Contains(string(saved), `"before": null`) {
		t.Errorf("a list is null:\n%s", saved)
	}
	if _, err := (&Planner{}).Plan(t.Context(), []*Cluster{want("a", toFive)}); err == nil || !strings.Contains(err.Error(), `providers entry "m"`) {
		t.Errorf("a cluster without its plugin: %v", err)
	}
}

// TestOtherGroupsAreWatched: what moved outside the action's group is told.
func TestOtherGroupsAreWatched(t *testing.T) {
	nodes := func(ids ...string) (list []provider.Node) {
		for _, id := range ids {
			list = append(list, provider.Node{ID: id})
		}
		return list
	}
	before := &provider.State{Groups: []provider.Group{{Role: "core", Nodes: nodes("a")}, {Role: "task", Nodes: nodes("t1", "t2")}, {Role: "old", Nodes: nodes("o")}}}
	after := &provider.State{Groups: []provider.Group{{Role: "core", Nodes: nodes("a", "b")}, {Role: "task", Nodes: nodes("t2", "t3")}, {Role: "new", Nodes: nodes("n")}}}
	check(t, "moved", elsewhere(before, after, "core"), []string{"+task/t3", "-task/t1", "-old/o", "+new/n"})
	check(t, "of a create", elsewhere(nil, after, ""), []string(nil))
}
