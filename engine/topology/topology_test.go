package topology

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func planned(address, entry, kind, spec string, rules engine.Rules) engine.Planned {
	return engine.Planned{Address: address, Provider: entry, Desired: provider.Desired{Address: address, Kind: kind, Spec: json.RawMessage(spec)}, Rules: rules}
}

func scale(id, cluster, group string, from, to int64, op provider.Op) engine.Action {
	return engine.Action{ID: id, Address: cluster + "/" + group, Cluster: cluster, Group: group, Op: op, Provider: "huawei", Kind: "mrs",
		From: map[string]int64{"count": from}, To: map[string]int64{"count": to}, Source: "fleet.cue:20:16",
		Fields: []provider.FieldChange{{Path: "count", Before: from, After: to}}}
}

// aPlan has one of everything.
func aPlan() *engine.Plan {
	in := scale("a1", "analytics", "task", 10, 8, provider.OpScaleIn)
	in.Removes = []provider.NodeRef{{ID: "i-1", Name: "node-orderadd-TBvSr"}, {ID: "i-2"}}
	out := scale("a2", "analytics", "core", 3, 5, provider.OpScaleOut)
	out.DependsOn = []string{"a1"}
	big := scale("a3", "batch", "core", 120, 90, provider.OpScaleIn)
	big.CloudChooses, big.DependsOn = true, []string{"a2"}
	resize := engine.Action{ID: "a4", Address: "login/login", Cluster: "login", Group: "login", Op: provider.OpResize, Provider: "qc", Kind: "hpc",
		From: map[string]int64{"cpu": 2}, To: map[string]int64{"cpu": 4}, Fields: []provider.FieldChange{{Path: "cpu", Before: int64(2), After: int64(4)}}, Source: "hpc.cue:31:18"}
	create := engine.Action{ID: "a5", Address: "simulation", Cluster: "simulation", Op: provider.OpCreate, Provider: "qc", Kind: "ehpc", Source: "hpc.cue:9:2"}
	return &engine.Plan{
		Summary: engine.Summary{Unchanged: 38},
		Actions: []engine.Action{in, out, big, resize, create},
		Clusters: []engine.Planned{
			planned("analytics", "huawei", "mrs", `{"node_groups":{"master":{"count":2},"core":{"count":5},"task":{"count":8}}}`, engine.Rules{}),
			planned("batch", "huawei", "mrs", `{"node_groups":{"core":{"count":90},"task":{}}}`, engine.Rules{DependsOn: []string{"elsewhere"}, Groups: map[string]engine.GroupRules{"task": {Count: &engine.Band{Min: 2, Max: 8}, Protect: true}}}),
			planned("login", "qc", "hpc", `{"node_groups":{"login":{"count":1,"cpu":4}}}`, engine.Rules{}),
			planned("simulation", "qc", "ehpc", `{"node_groups":{"login":{"count":1},"controller":{"count":1},"compute":{"count":2}}}`, engine.Rules{DependsOn: []string{"login"}}),
		},
		Blocked: []engine.Blocked{{Address: "secure/worker", Provider: "ali", Kind: "ack_sandbox", Reason: "4 workers wanted, 6 live; ScaleOutCluster only adds nodes",
			Fields: []provider.FieldChange{{Path: "count", Before: int64(6), After: int64(4)}}, Source: "fleet.cue:44:4"}},
		Unread:      []engine.Unread{{Address: "far", Provider: "ali", Reason: "no route", Source: "x.cue:1:1"}},
		OpenIntents: []engine.OpenIntent{{Address: "edge/worker", Op: provider.OpScaleOut}},
		Denied:      []engine.Denied{{Address: "batch/core", Guard: "shrink", Reason: "removes 30 of 120 nodes"}, {Address: "providers.ali", Guard: "max_removed", Reason: "of an account"}},
	}
}

func aFleet(n int) []*engine.Cluster {
	var all []*engine.Cluster
	for i := range n {
		name := fmt.Sprintf("cluster-%04d", i)
		c := &engine.Cluster{Entry: "huawei", Source: func(string) string { return fmt.Sprintf("fleet.cue:%d:2", i+1) },
			Desired: provider.Desired{Address: name, Kind: "mrs", Spec: json.RawMessage(fmt.Sprintf(`{"node_groups":{"core":{"count":%d},"task":{"count":%d}}}`, 3+i%9, i%60))}}
		if i%10 == 3 {
			c.Rules.DependsOn = []string{fmt.Sprintf("cluster-%04d", i-3), fmt.Sprintf("cluster-%04d", i-1)}
		}
		all = append(all, c)
	}
	return all
}

func aReview() *review.Review {
	count := func(path string, from, to any, effect review.Effect) review.Field {
		return review.Field{Path: path, Before: from, After: to, Effect: effect, Cause: review.Place{File: "t.cue", Line: 3, Column: 1}}
	}
	place := review.Place{File: "fleet.cue", Line: 4, Column: 2}
	return &review.Review{Unchanged: 1, Unknown: []string{"murky"}, Clusters: []review.Change{
		{Address: "a", Kind: review.Changed, Provider: "p", Type: "mrs", Place: place, Fields: []review.Field{
			count("node_groups.core.count", json.Number("3"), json.Number("5"), review.EffectAction), count("release", "1", "2", review.EffectParameter)},
			Actions: []review.Action{{Group: "core", Op: provider.OpScaleOut}}},
		{Address: "b", Kind: review.Changed, Provider: "p", Type: "mrs", Place: place, Fields: []review.Field{count("node_groups.core.count", 5, 3, review.EffectBlocked)},
			Blocked: []review.Refusal{{Group: "core", Reason: "it only grows"}}},
		{Address: "c", Kind: review.Renamed, Was: "see", Provider: "p", Type: "mrs", Place: place, Denied: []review.Refusal{{Guard: "protect", Reason: "no"}}},
		{Address: "d", Kind: review.Removed, Provider: "p", Type: "mrs", Place: place},
		{Address: "e", Kind: review.Added, Provider: "p", Type: "mrs", Place: place, Fields: []review.Field{count("node_groups.core.count", nil, 2, review.EffectStated), count("node_groups.core.cpu", nil, 2, review.EffectStated)}},
		{Address: "f", Kind: review.Changed, Provider: "p", Type: "mrs", Fields: []review.Field{count("node_groups.core.count", 2, nil, review.EffectReleased)}},
	}}
}

// sentences are a topology in words.
func sentences(topo *Topology) (all []string) {
	for i := range topo.Clusters {
		all = append(all, topo.Clusters[i].Sentence())
	}
	return all
}

func TestOfPlan(t *testing.T) {
	got := OfPlan(aPlan())
	want := []string{
		"analytics (huawei/mrs), changed; core 3 → 5 nodes, after analytics/task; master 2 nodes; task 10 → 8 nodes, removes node-orderadd-TBvSr, i-2",
		"batch (huawei/mrs), denied; core 120 → 90 nodes, after analytics/core, the cloud chooses which nodes go, denied by guard shrink: removes 30 of 120 nodes; task 2 to 8 nodes, protected; after analytics, elsewhere",
		"edge; waits: an earlier request is not settled",
		"far (ali), not read; not read: no route",
		"login (qc/hpc), changed; login 1 node, cpu 2 → 4",
		"secure (ali/ack_sandbox), blocked; worker 6 → 4 nodes, blocked: 4 workers wanted, 6 live; ScaleOutCluster only adds nodes",
		"simulation (qc/ehpc), new; compute 2 nodes; controller 1 node; login 1 node; after login",
	}
	if diff := cmp.Diff(want, sentences(got)); diff != "" {
		t.Error(diff)
	}
	if got.Others != 38 {
		t.Errorf("%d others", got.Others)
	}
}

// TestSteps: of several actions on one group the picture has the two ends.
func TestSteps(t *testing.T) {
	p := &engine.Plan{Clusters: []engine.Planned{planned("a", "huawei", "mrs", `{"node_groups":{"task":{"count":4}}}`, engine.Rules{})},
		Actions: []engine.Action{scale("a1", "a", "task", 9, 0, provider.OpScaleIn), scale("a2", "a", "task", 0, 4, provider.OpScaleOut)}}
	if got := OfPlan(p).Clusters[0].Groups[0].Count(); got != "9 → 4 nodes" {
		t.Errorf("got %s", got)
	}
}

func TestOfReview(t *testing.T) {
	want := []string{
		"a (p/mrs), changed; core 3 → 5 nodes; release 1 → 2; after z",
		"b (p/mrs), blocked; core 5 → 3 nodes, blocked: it only grows",
		"c (p/mrs), denied; was see; denied by guard protect: no",
		"d (p/mrs), no longer managed; nothing is deleted",
		"e (p/mrs), new; core 2 nodes",
		"f (p/mrs), changed; core 2 → not stated",
		"murky, not read; not comparable: the base is not sound there",
	}
	if diff := cmp.Diff(want, sentences(OfReview(aReview(), map[string][]string{"a": {"z"}}))); diff != "" {
		t.Error(diff)
	}
}

// A range is told as one, not as a number that is not stated, and a budget in
// the words of the other formats.
func TestOfReviewInWords(t *testing.T) {
	band := engine.Band{Min: 3, Max: 8}
	change := func(kind review.Kind, path string, before, after any) review.Change {
		return review.Change{Address: "a", Kind: kind, Provider: "p", Type: "mrs", Fields: []review.Field{{Path: path, Before: before, After: after}}}
	}
	for _, c := range []struct {
		change review.Change
		want   string
	}{
		{change(review.Changed, "node_groups.core.count", json.Number("5"), band), "a (p/mrs), changed; core, count 5 → 3 to 8"},
		{change(review.Changed, "node_groups.core.count", band, json.Number("5")), "a (p/mrs), changed; core, count 3 to 8 → 5"},
		{change(review.Changed, "node_groups.core.count", band, nil), "a (p/mrs), changed; core, count 3 to 8 → –"},
		{change(review.Added, "node_groups.core.count", nil, band), "a (p/mrs), new; core 3 to 8 nodes"},
		{change(review.Changed, "max_removed", engine.Budget{Count: 3, Per: "24h"}, engine.Budget{Count: 30, Per: "24h"}), "a (p/mrs), changed; max_removed 3 nodes in 24h → 30 nodes in 24h"},
	} {
		got := sentences(OfReview(&review.Review{Clusters: []review.Change{c.change}}, nil))
		if diff := cmp.Diff([]string{c.want}, got); diff != "" {
			t.Error(diff)
		}
	}
}

// A title fits the picture, however small that is.
func TestSVGTitle(t *testing.T) {
	topo := &Topology{Title: "Plan: 1 removal (1 node), 2 guards lifted, 4 unchanged", Clusters: []Cluster{{Address: "a"}}}
	var b strings.Builder
	if err := topo.SVG(&b); err != nil || !strings.Contains(b.String(), ">"+topo.Title+"</text>") {
		t.Errorf("%v: the title is cut:\n%s", err, b.String())
	}
}

func TestOfSpec(t *testing.T) {
	fleet := aFleet(4)
	fleet[1].Rules.Protect = true
	fleet[2].Rules.Groups = map[string]engine.GroupRules{"core": {Count: &engine.Band{Min: 1, Max: 4}}}
	fleet[2].Spec = json.RawMessage(`{"node_groups":{"core":{}}}`)
	got := OfSpec(fleet)
	want := []string{
		"cluster-0000 (huawei/mrs); core 3 nodes; task 0 nodes", "cluster-0001 (huawei/mrs); core 4 nodes, protected; task 1 node, protected",
		"cluster-0002 (huawei/mrs); core 1 to 4 nodes", "cluster-0003 (huawei/mrs); core 6 nodes; task 3 nodes; after cluster-0000, cluster-0002",
	}
	if diff := cmp.Diff(want, sentences(got)); diff != "" {
		t.Error(diff)
	}
	if got.Title != "4 clusters, 17 nodes" {
		t.Errorf("title %q", got.Title)
	}
	text, err := json.MarshalIndent(OutlineOf(fleet, "sha256:1"), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "outline.json", string(text)+"\n")
}

func TestTell(t *testing.T) {
	topo := OfPlan(aPlan())
	topo.Tell("analytics/core", "done", true, []string{"n-9"})
	topo.Tell("simulation", "unknown", false, nil)
	all := strings.Join(sentences(topo), "\n")
	for _, want := range []string{"core 3 → 5 nodes, new: n-9, after analytics/task, done", "login 1 node; after login; unknown"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}

func TestLayers(t *testing.T) {
	for name, tc := range map[string]struct {
		depends map[string][]string
		want    string
	}{
		"a chain and a short cut": {map[string][]string{"c": {"b", "a"}, "b": {"a"}, "a": nil}, "a | b | c"},
		"a diamond":               {map[string][]string{"a": nil, "b": {"a"}, "c": {"a"}, "d": {"b", "c"}}, "a | b c | d"},
		"what is not there":       {map[string][]string{"a": {"gone"}, "b": nil}, "a b"},
		"a circle ends":           {map[string][]string{"a": {"b"}, "b": {"a"}}, "b | a"},
		"itself":                  {map[string][]string{"a": {"a"}}, "a"},
	} {
		var clusters []Cluster
		for address, first := range tc.depends {
			clusters = append(clusters, Cluster{Address: address, DependsOn: first})
		}
		var got []string
		for _, rank := range layers((&Topology{Clusters: clusters}).sort().Clusters) {
			var names []string
			for _, c := range rank {
				names = append(names, c.Address)
			}
			got = append(got, strings.Join(names, " "))
		}
		if text := strings.Join(got, " | "); text != tc.want {
			t.Errorf("%s: %s, want %s", name, text, tc.want)
		}
	}
}
