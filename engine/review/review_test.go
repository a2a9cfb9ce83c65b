package review

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest"
)

// spec is a cluster of a revision; every value stands in line 1 of fleet.cue
// but for those that lines names.
func spec(address, content string, lines map[string]int) *Cluster {
	var stated struct{ ID, Name, Provider string }
	if err := json.Unmarshal([]byte(content), &stated); err != nil {
		panic(err)
	}
	if stated.Name == "" {
		stated.Name = address
	}
	return &Cluster{
		Cluster: &engine.Cluster{
			Desired: provider.Desired{Address: address, Kind: "mrs", ID: stated.ID, Name: stated.Name, Spec: json.RawMessage(content)},
			Entry:   stated.Provider,
			Meanings: provider.Meanings{"zone": provider.Immutable, "key": provider.Secret, "tags": provider.Set,
				"node_groups.core.flag": provider.Param},
			Source: func(string) string { return "fleet.cue:1:1" },
		},
		Origins: func(path string) []Place {
			line, ok := lines[path]
			if !ok {
				line = 1
			}
			return []Place{{"fleet.cue", line, 1}}
		},
	}
}

// told is a review in short lines.
func told(r *Review) []string {
	lines := []string{}
	for _, c := range r.Clusters {
		line := fmt.Sprintf("%s %s", c.Address, c.Kind)
		if c.Was != "" {
			line += " " + c.Was
		}
		lines = append(lines, line)
		if c.Kind == Added {
			continue
		}
		for _, f := range c.Fields {
			line := fmt.Sprintf("  %s %v>%v %s%s @%d", f.Path, f.Before, f.After, f.Effect, f.Op, f.Cause.Line)
			if f.InBase {
				line += " base"
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func TestCompare(t *testing.T) {
	const core = `{"provider":"p","id":"1","zone":"a","key":{"env":"K"},"node_groups":{"core":{"count":3,"flag":true}}}`
	edit := func(old, new string) string { return strings.Replace(core, old, new, 1) }
	for _, test := range []struct {
		name       string
		base, head []*Cluster
		want       []string
	}{
		{"nothing", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("a", core, nil)}, []string{}},
		{"a count", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("a", edit("3", "5"), map[string]int{"node_groups.core.count": 7})},
			[]string{"a changed", "  node_groups.core.count 3>5  @7"}},
		{"by a line around it", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("a", edit("3", "5"), map[string]int{"node_groups.core": 7})},
			[]string{"a changed", "  node_groups.core.count 3>5  @7"}},
		{"what cannot be changed", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("a", edit(`"a"`, `"b"`), nil)},
			[]string{"a changed", "  zone a>b blocked @1"}},
		{"a parameter and a secret", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("a", strings.Replace(edit("true", "false"), `"K"`, `"L"`, 1), nil)},
			[]string{"a changed", "  key.env K>L parameter @1", "  node_groups.core.flag true>false parameter @1"}},
		{"no longer stated", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("a", edit(`"zone":"a",`, ""), nil)},
			[]string{"a changed", "  zone a><nil> released @1 base"}},
		{"stated now", []*Cluster{spec("a", edit(`"zone":"a",`, ""), nil)}, []*Cluster{spec("a", core, nil)},
			[]string{"a changed", "  zone <nil>>a stated @1"}},
		{"another cluster is meant", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("a", edit(`"1"`, `"2"`), nil)},
			[]string{"a changed", "  id 1>2 identity @1"}},
		{"come and gone", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("b", edit(`"1"`, `"2"`), nil)},
			[]string{"a removed", "b added"}},
		{"another key, known by its id", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("b", core, nil)}, []string{"b renamed a"}},
		{"another key, known by its name", []*Cluster{spec("a", `{"provider":"p","name":"n"}`, nil)}, []*Cluster{spec("b", `{"provider":"p","name":"n"}`, nil)},
			[]string{"b renamed a"}},
		{"another key, in another account", []*Cluster{spec("a", core, nil)}, []*Cluster{spec("b", edit(`"p"`, `"q"`), nil)},
			[]string{"a removed", "b added"}},
		{"what the base does not tell", nil, []*Cluster{spec("unknown", core, nil)}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := Compare(test.base, test.head, []string{"unknown"}, func(p Place) bool { return p.Line == 7 })
			if diff := cmp.Diff(test.want, told(r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCauses(t *testing.T) {
	var base, head []*Cluster
	for i := range 300 {
		name := fmt.Sprintf("c%03d", i)
		base = append(base, spec(name, `{"provider":"p","x":{"y":1,"z":1}}`, nil))
		lines := map[string]int{"x.y": 12}
		if i == 0 {
			lines["x.z"] = 3
		}
		head = append(head, spec(name, `{"provider":"p","x":{"y":2,"z":`+fmt.Sprint(1+i%2)+`}}`, lines))
	}
	r := Compare(base, head, nil, func(p Place) bool { return p.Line == 12 })
	if len(r.Causes) != 2 || r.Causes[0].Place.Line != 12 || len(r.Causes[0].Clusters) != 300 || len(r.Causes[1].Clusters) != 150 {
		t.Errorf("causes: %+v", r.Causes)
	}
	if diff := cmp.Diff([]string{"x.y"}, r.Causes[0].Paths); diff != "" {
		t.Error(diff)
	}
}

// TestAsk: the provider plans against the base, and of what only the head
// states it sees no difference.
func TestAsk(t *testing.T) {
	const before = `{"provider":"p","id":"1","node_groups":{"core":{"count":3,"cpu":2},"task":{"count":9}}}`
	const after = `{"provider":"p","id":"1","note":"new","node_groups":{"core":{"count":5,"cpu":4},"task":{"count":2},"more":{"count":4}}}`
	// Two clusters without ids are two clusters.
	base := []*Cluster{spec("a", before, nil), spec("b", `{"provider":"p","node_groups":{"core":{"count":1}}}`, nil), spec("c", `{"provider":"p","node_groups":{"core":{"count":1}}}`, nil)}
	head := []*Cluster{spec("a", after, nil), spec("b", `{"provider":"p","node_groups":{"core":{"count":2}}}`, nil), spec("c", `{"provider":"p","node_groups":{"core":{"count":2}}}`, nil)}
	r := Compare(base, head, nil, func(Place) bool { return false })
	picky := &planning{}
	entries := map[string]*engine.Entry{"p": {Name: "p", Provider: picky, Description: &provider.Description{Name: "p", Kinds: []provider.Kind{{Name: "mrs"}}}}}
	if err := r.Ask(context.Background(), base, head, entries, false); err != nil {
		t.Fatal(err)
	}
	want := []string{"a changed",
		"  node_groups.core.count 3>5 actionscale_out @1",
		"  node_groups.core.cpu 2>4 blocked @1",
		"  node_groups.more.count <nil>>4 stated @1",
		"  node_groups.task.count 9>2 actionscale_in @1",
		"  note <nil>>new stated @1",
		"b changed", "  node_groups.core.count 1>2 actionscale_out @1",
		"c changed", "  node_groups.core.count 1>2 actionscale_out @1"}
	if diff := cmp.Diff(want, told(r)); diff != "" {
		t.Error(diff)
	}
	c := r.Clusters[0]
	if len(c.Actions) != 2 || len(c.Blocked) != 1 || c.Blocked[0].Reason != "no call resizes" {
		t.Errorf("actions %+v, blocked %+v", c.Actions, c.Blocked)
	}
	if text, err := json.Marshal(r); err != nil || strings.Contains(string(text), "assumed") {
		t.Errorf("made-up nodes are told: %v %s", err, text)
	}
}

// planning resizes nothing, and reads and sends nothing.
type planning struct{ providertest.Fake }

var errAsked = errors.New("a review asks no cloud")

func (*planning) Observe(context.Context, provider.ObserveRequest, func(provider.Observation) error) error {
	return errAsked
}

func (*planning) Start(context.Context, provider.StartRequest) provider.Answer {
	panic(errAsked)
}

func (*planning) Plan(_ context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	var resp provider.PlanResponse
	for _, c := range req.Clusters {
		var plan provider.ClusterPlan
		for _, change := range c.Changes {
			if change.Op == provider.OpResize {
				plan.Blocked = append(plan.Blocked, provider.Blocked{Group: change.Group, Fields: change.Fields, Reason: "no call resizes"})
				continue
			}
			a := provider.Action{Group: change.Group, Op: change.Op, Fields: change.Fields, Request: []byte("{}"),
				From: map[string]int64{"count": change.Fields[0].Before.(int64)}, To: map[string]int64{"count": change.Fields[0].After.(int64)}}
			if change.Op == provider.OpScaleIn {
				group := c.Current.Groups[slices.IndexFunc(c.Current.Groups, func(g provider.Group) bool { return g.Role == change.Group })]
				for _, n := range group.Nodes[a.To["count"]:] {
					a.Removes = append(a.Removes, provider.NodeRef{ID: n.ID})
				}
			}
			plan.Actions = append(plan.Actions, a)
		}
		resp.Clusters = append(resp.Clusters, plan)
	}
	return resp, nil
}
