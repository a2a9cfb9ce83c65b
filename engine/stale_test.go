package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestCompareActions: each part of an action that was approved is held to.
func TestCompareActions(t *testing.T) {
	planned := func() *Action {
		return &Action{
			Address: "a/core", Op: provider.OpScaleIn, Cluster: "a", ClusterID: "c1", Group: "core",
			From: map[string]int64{"count": 3}, To: map[string]int64{"count": 2},
			Fields:  []provider.FieldChange{{Path: "count", Before: int64(3), After: int64(2)}},
			Removes: []provider.NodeRef{{ID: "n3"}}, Request: []byte("r"), Secrets: []string{"password"},
		}
	}
	follows := func() *Action {
		return &Action{
			Address: "a/core", Op: provider.OpResize, Cluster: "a", Group: "core",
			To:     map[string]int64{"cpu": 4, "memory": 8192},
			Fields: []provider.FieldChange{{Path: "cpu", After: int64(4)}}, Request: []byte("r"), Secrets: []string{"password"},
		}
	}
	for _, test := range []struct {
		name    string
		planned func() *Action
		edit    func(*Action)
		want    string
	}{
		{"the same", planned, func(*Action) {}, ""},
		{"number and place", planned, func(a *Action) { a.ID, a.Source, a.DependsOn = "a9", "x.cue:1", []string{"a1"} }, ""},
		{"another cluster", planned, func(a *Action) { a.ClusterID = "c2" }, "the cluster was c1 and is now c2"},
		{"from", planned, func(a *Action) { a.From = map[string]int64{"count": 4} },
			"scale in of a/core was planned from 3 to 2 nodes and would now go from 4 to 2 nodes"},
		{"to", planned, func(a *Action) { a.To = map[string]int64{"count": 1} },
			"scale in of a/core was planned from 3 to 2 nodes and would now go from 3 to 1 node"},
		{"another victim", planned, func(a *Action) { a.Removes = []provider.NodeRef{{ID: "n1"}} },
			"scale in of a/core was planned to remove n3 and would now remove n1"},
		{"other fields", planned, func(a *Action) { a.Fields = nil }, "scale in of a/core would now change other fields"},
		{"another request", planned, func(a *Action) { a.Request = []byte("s") }, "the plugin now makes another request for scale in of a/core"},
		{"another secret", planned, func(a *Action) { a.Secrets = []string{"token"} }, "the plugin now asks for other secrets for scale in of a/core"},
		{"one more secret", planned, func(a *Action) { a.Secrets = []string{"password", "token"} }, "the plugin now asks for other secrets for scale in of a/core"},
		{"no secret any more", planned, func(a *Action) { a.Secrets = nil }, "the plugin now asks for other secrets for scale in of a/core"},

		{"after a create: what the create gave", follows, func(a *Action) {
			a.ClusterID, a.Request, a.From = "c1", []byte("s"), map[string]int64{"cpu": 2}
			a.Fields = []provider.FieldChange{{Path: "cpu", Before: int64(2), After: int64(4)}}
		}, ""},
		{"after a create: to", follows, func(a *Action) { a.To = map[string]int64{"cpu": 8, "memory": 8192} },
			"resize of a/core was to end at cpu 4, memory 8192 and would now end at cpu 8, memory 8192"},
		{"after a create: another goal", follows, func(a *Action) { a.Fields = []provider.FieldChange{{Path: "cpu", After: int64(8)}} },
			"resize of a/core would now change other fields"},
		{"after a create: a removal", follows, func(a *Action) { a.Removes = []provider.NodeRef{{ID: "n1"}} }, "resize of a/core is not what was approved"},
		{"after a create: another secret", follows, func(a *Action) { a.Secrets = []string{"token"} }, "resize of a/core is not what was approved"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := test.planned()
			test.edit(now)
			check(t, "reason", compareActions(test.planned(), now), test.want)
		})
	}
}

// TestSealedEdits: a plan that was edited by somebody who can seal it too still
// sends nothing but what live state and the saved wishes lead to.
func TestSealedEdits(t *testing.T) {
	request := func(edit func(*modelRequest)) func(*Plan) {
		return func(p *Plan) {
			var r modelRequest
			if err := json.Unmarshal(p.Actions[0].Request, &r); err != nil {
				t.Fatal(err)
			}
			edit(&r)
			p.Actions[0].Request, _ = json.Marshal(r)
		}
	}
	both := []string{"scale_in c1a task -2", "scale_out c1a core +2"}
	for _, test := range []struct {
		name  string
		edit  func(*Plan)
		sends []string
		words string // of the first outcome that is not applied
	}{
		{"none", func(*Plan) {}, both, ""},
		{"from", func(p *Plan) { p.Actions[0].From = map[string]int64{"count": 5} }, nil, "was planned from 5 to 2 nodes and would now go from 4 to 2"},
		{"to", func(p *Plan) { p.Actions[0].To = map[string]int64{"count": 0} }, nil, "was planned from 4 to 0 nodes and would now go from 4 to 2"},
		{"a victim", func(p *Plan) { p.Actions[0].Removes[0].ID = "n004" }, nil, "was planned to remove n004, n007 and would now remove n006, n007"},
		{"no victims", func(p *Plan) { p.Actions[0].Removes = nil }, nil, "was planned to remove"},
		{"a field", func(p *Plan) { p.Actions[0].Fields[0].After = int64(0) }, nil, "would now change other fields"},
		{"the request's count", request(func(r *modelRequest) { r.Count = 4 }), nil, "the plugin now makes another request"},
		{"the request's victims", request(func(r *modelRequest) { r.Victims = []string{"n004", "n005"} }), nil, "the plugin now makes another request"},
		{"the request's cluster", request(func(r *modelRequest) { r.Cluster = "c2" }), nil, "the plugin now makes another request"},
		{"the group", func(p *Plan) { p.Actions[0].Group, p.Actions[0].Address = "core", "a/core" }, nil, "scale in of a/core is no longer called for"},
		{"the op", func(p *Plan) { p.Actions[0].Op = provider.OpScaleOut }, nil, "scale out of a/task is no longer called for"},
		{"the cluster", func(p *Plan) { p.Actions[0].ClusterID = "c2" }, nil, `cluster c2 was found by its name "a" and is named "b" now`},
		{"the second action's cluster", func(p *Plan) { p.Actions[1].ClusterID = "c2" }, both[:1], "the cluster was c2 and is now c1"},
		{"the wish", func(p *Plan) { p.Clusters[0].Desired.Spec = json.RawMessage(toFive) }, nil, "scale in of a/task is no longer called for"},
		{"what fields mean", func(p *Plan) { p.Clusters[0].Meanings = provider.Meanings{"node_groups.task.count": provider.Param} }, nil, "is no longer called for"},
		{"a secret more", func(p *Plan) { p.Actions[0].Secrets = []string{"note"} }, nil, ""},
		{"an action twice", func(p *Plan) {
			again := p.Actions[0]
			again.ID = "a3"
			p.Actions = append(p.Actions, again)
		}, both, "scale in of a/task is no longer called for: the group has 2 nodes already"},
		{"an action less", func(p *Plan) { p.Actions = p.Actions[:1] }, both[:1], ""},
		{"another order", func(p *Plan) {
			p.Actions[0], p.Actions[1] = p.Actions[1], p.Actions[0]
			p.Actions[0].DependsOn, p.Actions[1].DependsOn = nil, []string{p.Actions[0].ID}
		}, []string{both[1], both[0]}, ""},
		{"the newest request", func(p *Plan) { p.Clusters[0].LastOp = "X" }, nil, "it was made with another journal"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"task": 0})
				b.cloud.grow(b.cloud.clusters["c1"], "core", 3, 2)
				b.cloud.grow(b.cloud.clusters["c1"], "task", 4, 2)
				b.cloud.add("c2", "b", map[string]int{"core": 3})
				plan := b.planAfter(want("a", growAndShrink))
				test.edit(plan)
				if err := plan.Seal(); err != nil {
					t.Fatal(err)
				}
				a := b.applier()
				a.Plan = plan
				words := ""
				result, err := a.Apply(t.Context())
				if err == nil {
					for _, o := range result.Outcomes {
						if o.State != Applied && words == "" {
							words = o.Detail
						}
					}
				} else if test.name != "a secret more" {
					t.Fatal(err)
				}
				check(t, "sends", b.cloud.sends, test.sends)
				if !strings.Contains(words, test.words) || (words == "") != (test.words == "") {
					t.Errorf("detail %q, want one that says %q", words, test.words)
				}
				check(t, "open intents", b.open(), 0)
			})
		})
	}
}

// TestStanding: a plan that is no longer called for is told why.
func TestStanding(t *testing.T) {
	group := func(size string, nodes ...string) *provider.State {
		g := provider.Group{Role: "core", Count: len(nodes), Attributes: json.RawMessage(size)}
		for i, attrs := range nodes {
			g.Nodes = append(g.Nodes, provider.Node{ID: fmt.Sprint(i), Attributes: json.RawMessage(attrs)})
		}
		return &provider.State{Groups: []provider.Group{{Role: "login", Count: 9}, g}}
	}
	resize := map[string]int64{"memory": 8192, "cpu": 4}
	for _, test := range []struct {
		name string
		op   provider.Op
		to   map[string]int64
		live *provider.State
		want string
	}{
		{"resized already", provider.OpResize, resize, group(`{"cpu":4,"memory":8192}`, `{}`, `{}`), "its nodes have cpu 4, memory 8192 already"},
		{"the only node is resized already", provider.OpResize, resize, group(`{}`, `{"cpu":4,"memory":8192,"disk":40}`), "its node has cpu 4, memory 8192 already"},
		{"resized otherwise", provider.OpResize, resize, group(`{"cpu":8,"memory":8192}`, `{}`, `{}`), "its nodes have cpu 8, memory 8192 now"},
		{"some are resized", provider.OpResize, resize, group(`{"cpu":4,"memory":8192}`, `{}`, `{"cpu":2}`), "its nodes are of different sizes"},
		{"sizes are not told", provider.OpResize, resize, group(`{}`, `{}`), "its node has no known size"},
		{"nothing to resize", provider.OpResize, resize, group(`{"cpu":4}`), "the group has no nodes"},
		{"grown already", provider.OpScaleOut, map[string]int64{"count": 2}, group(`{}`, `{}`, `{}`), "the group has 2 nodes already"},
		{"shrunk already", provider.OpScaleIn, map[string]int64{"count": 1}, group(`{}`, `{}`), "the group has 1 node already"},
		{"grown beyond", provider.OpScaleOut, map[string]int64{"count": 1}, group(`{}`, `{}`, `{}`), "the group has 2 nodes now"},
		{"no such group", provider.OpScaleIn, map[string]int64{"count": 0}, &provider.State{}, "the group is not there"},
		{"no such cluster", provider.OpScaleIn, map[string]int64{"count": 0}, nil, "the cluster does not exist"},
	} {
		check(t, test.name, standing(&Action{Group: "core", Op: test.op, To: test.to}, test.live), test.want)
	}
}

func TestWay(t *testing.T) {
	for _, test := range []struct {
		from, to map[string]int64
		want     string
	}{
		{map[string]int64{"count": 2}, map[string]int64{"count": 4}, "from 2 to 4 nodes"},
		{map[string]int64{"count": 0}, map[string]int64{"count": 1}, "from 0 to 1 node"},
		{map[string]int64{"memory": 4096, "cpu": 2}, map[string]int64{"memory": 8192, "cpu": 4}, "from cpu 2, memory 4096 to cpu 4, memory 8192"},
		{nil, map[string]int64{"cpu": 4}, "to cpu 4"},
	} {
		check(t, test.want, way(test.from, test.to), test.want)
	}
}

// TestOneNode: verdicts and reads count one node as one.
func TestOneNode(t *testing.T) {
	one := reading{ids: []string{"c1"}, status: provider.StatusReady, counted: true, nodes: []string{"n1"}, sizes: map[string]map[string]int64{"n1": {"cpu": 4}}}
	for _, test := range []struct {
		op   provider.Op
		want string
	}{
		{provider.OpScaleOut, "1 node; 0 new"},
		{provider.OpScaleIn, "1 node; 0 gone"},
		{provider.OpResize, "1 of 1 node at the new size"},
	} {
		in := &journal.Intent{Op: test.op, K: 1, Base: []string{"n1"}, To: map[string]int64{"cpu": 4}, Sizes: map[string]map[string]int64{"n1": {"cpu": 2}}}
		check(t, string(test.op), judge(in, one, nil).detail, test.want)
	}
	check(t, "read", describe(one), "ready, 1 node")
	check(t, "clusters of a name", judge(&journal.Intent{Op: provider.OpCreate}, reading{ids: []string{"c1", "c2"}}, nil).detail, "2 clusters of that name: c1, c2")
	check(t, "ambiguous", ambiguous("a", []string{"c1", "c2"}), `2 live clusters bear the name "a": c1, c2; name one by id`)
}

// TestStaleResize: somebody resized the nodes since the plan was made.
func TestStaleResize(t *testing.T) {
	for size, words := range map[int64]string{
		4: "the plan is stale: resize of a/core is no longer called for: its nodes have cpu 4 already; plan again",
		3: "the plan is stale: resize of a/core was planned from cpu 2 to cpu 4 and would now go from cpu 3 to cpu 4; plan again",
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			c := b.cloud.add("c1", "a", map[string]int{"core": 2})
			plan := b.plan(want("a", `{"node_groups": {"core": {"cpu": 4}}}`))
			for i := range c.groups["core"] {
				c.groups["core"][i].Size = size
			}
			result := b.apply(t.Context(), plan)
			check(t, "outcomes", states(result.Outcomes), []string{"a/core resize stale"})
			check(t, "detail", result.Outcomes[0].Detail, words)
			check(t, "calls of Start", b.cloud.started, 0)
		})
	}
}
