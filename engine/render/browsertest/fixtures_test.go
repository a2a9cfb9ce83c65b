//go:build browser

package browsertest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// page is what a renderer writes.
func page(t *testing.T, write func(*strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var about = render.Comment{Name: "plan envs/prod", Command: "clusterctl plan envs/prod"}

func counts(n int64) map[string]int64 { return map[string]int64{"count": n} }

func scale(id, cluster, group string, op provider.Op, from, to int64, line int) engine.Action {
	return engine.Action{ID: id, Address: cluster + "/" + group, Op: op, Provider: "huawei", Kind: "mrs", Cluster: cluster, ClusterID: "00000000-0000-4000-8000-0000000000" + id[1:],
		Group: group, From: counts(from), To: counts(to), Source: fmt.Sprintf("envs/prod/fleet.cue:%d:16", line),
		Fields: []provider.FieldChange{{Path: "count", Before: from, After: to}}}
}

func planned(address, kind, groups string, first ...string) engine.Planned {
	return engine.Planned{Address: address, Provider: "huawei", Desired: provider.Desired{Address: address, Kind: kind, Spec: json.RawMessage(`{"node_groups":` + groups + `}`)}, Rules: engine.Rules{DependsOn: first}}
}

// prodPlan has one of everything: seven actions on six clusters, three of which
// wait for others.
func prodPlan() *engine.Plan {
	born := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	in := scale("a1", "analytics", "task", provider.OpScaleIn, 12, 10, 21)
	in.Removes = []provider.NodeRef{{ID: "i-1", Name: "node-orderadd-TBvSr", Created: born}, {ID: "i-2", Name: "node-orderadd-Wq81x", Created: born}}
	in.Risk, in.Reason = "work that runs on the removed Task nodes is interrupted", "server_ids names none; hosts added by a resize go first"
	out := scale("a2", "analytics", "core", provider.OpScaleOut, 3, 5, 20)
	out.DependsOn = []string{"a1"}
	choice := scale("a3", "batch", "core", provider.OpScaleIn, 120, 96, 30)
	choice.CloudChooses = true
	resize := engine.Action{ID: "a4", Address: "login/login", Op: provider.OpResize, Provider: "qc", Kind: "hpc", Cluster: "login", ClusterID: "hpc-gk3wfc7e",
		Group: "login", From: map[string]int64{"cpu": 2, "memory": 4096}, To: map[string]int64{"cpu": 4, "memory": 12288},
		Fields: []provider.FieldChange{{Path: "cpu", Before: int64(2), After: int64(4)}, {Path: "memory", Before: int64(4096), After: int64(12288)}},
		Cost:   &provider.Price{Amount: 312, Currency: "CNY", Per: "month"}, Risk: "may interrupt service", Source: "envs/prod/hpc.cue:31:18"}
	create := engine.Action{ID: "a5", Address: "simulation", Op: provider.OpCreate, Provider: "qc", Kind: "ehpc", Cluster: "simulation", Source: "envs/prod/hpc.cue:9:2",
		Fields: []provider.FieldChange{{Path: "node_groups.login.count", After: int64(1)}, {Path: "node_groups.compute.count", After: int64(24)}, {Path: "node_groups.compute.cpu", After: int64(4)}, {Path: "node_groups.compute.memory", After: int64(12288)}}}
	edge := scale("a6", "edge", "worker", provider.OpScaleOut, 2, 4, 79)
	smaller := engine.Action{ID: "a7", Address: "report/login", Op: provider.OpResize, Provider: "qc", Kind: "hpc", Cluster: "report", ClusterID: "hpc-2", Group: "login",
		From: map[string]int64{"cpu": 8}, To: map[string]int64{"cpu": 4}, Fields: []provider.FieldChange{{Path: "cpu", Before: int64(8), After: int64(4)}},
		Cost: &provider.Price{Amount: -80, Currency: "CNY", Per: "month"}, Source: "envs/prod/hpc.cue:40:18"}
	return &engine.Plan{
		SpecDigest: "sha256:" + strings.Repeat("3f", 32), Digest: "sha256:" + strings.Repeat("a7", 32),
		Summary: engine.Summary{ScaleIn: 2, Removed: 26, ScaleOut: 2, Resize: 2, Create: 1, Blocked: 1, Unread: 3, Unchanged: 38, Clusters: 48},
		Actions: []engine.Action{in, out, choice, create, edge, resize, smaller},
		Blocked: []engine.Blocked{{Address: "secure/worker", Provider: "ali", Kind: "ack_sandbox", Reason: "4 workers wanted, 6 live; ScaleOutCluster only adds nodes",
			Fields: []provider.FieldChange{{Path: "count", Before: int64(6), After: int64(4)}}, Source: "envs/prod/fleet.cue:44:4"}},
		Unread: []engine.Unread{
			{Address: "far-a", Provider: "far", Kind: provider.KindUnavailable, Reason: "dial tcp: no route to host", Source: "x.cue:1:1"},
			{Address: "far-b", Provider: "far", Kind: provider.KindUnavailable, Reason: "dial tcp: no route to host", Source: "x.cue:2:1"},
			{Address: "far-c", Provider: "far", Kind: provider.KindDenied, Reason: "Forbidden.RAM (request 8A1D)", Source: "x.cue:3:1"}},
		OpenIntents: []engine.OpenIntent{{Address: "ingest/worker", Op: provider.OpScaleOut, Since: born, Reason: "its outcome is not known yet"}},
		Denied:      []engine.Denied{{Address: "batch/core", Guard: "protect", Reason: "removes 24 of 120 nodes of a protected group", Source: "envs/prod/fleet.cue:6:21"}},
		Guards:      []engine.Guard{{Address: "login", Guard: "protect", Change: engine.GuardSet, Provider: "qc", Source: "envs/prod/hpc.cue:28:3"}},
		Owned:       []engine.Owned{{Address: "stream/task", Provider: "huawei", Kind: "mrs", Owner: "autoscaler", Field: provider.FieldChange{Path: "count", Before: int64(9), After: int64(4)}, Source: "envs/prod/fleet.cue:90:4"}},
		Warnings:    []string{"batch is scaling now; apply waits until it is ready", "login/login: the clocks differ by 40 s"},
		Clusters: []engine.Planned{
			planned("analytics", "mrs", `{"master":{"count":2},"core":{"count":5},"task":{"count":10}}`),
			planned("batch", "mrs", `{"master":{"count":2},"core":{"count":96}}`, "analytics"),
			planned("edge", "ack_edge", `{"worker":{"count":4}}`),
			planned("login", "hpc", `{"login":{"count":1}}`),
			planned("report", "hpc", `{"login":{"count":2}}`, "analytics"),
			planned("simulation", "ehpc", `{"login":{"count":1},"compute":{"count":24}}`, "login"),
		},
	}
}

// manyActions is a plan that changes n clusters.
func manyActions(n int) *engine.Plan {
	p := &engine.Plan{Summary: engine.Summary{ScaleOut: n - n/10, ScaleIn: n / 10, Removed: 2 * (n / 10), Clusters: n}, Actions: []engine.Action{}}
	for i := range n {
		name := fmt.Sprintf("cluster-%04d", i)
		op, from, to := provider.OpScaleOut, int64(3), int64(3+i%30+1)
		if i%10 == 0 {
			op, from, to = provider.OpScaleIn, 14, 12
		}
		p.Actions = append(p.Actions, scale(fmt.Sprintf("a%d", i), name, "core", op, from, to, i+1))
		p.Clusters = append(p.Clusters, planned(name, "mrs", fmt.Sprintf(`{"master":{"count":2},"core":{"count":%d},"task":{"count":%d}}`, to, i%50)))
	}
	return p
}

// template is a review of a line that reaches n clusters, and of some others.
func template(n int) *review.Review {
	at := func(file string, line int) review.Place { return review.Place{File: file, Line: line, Column: 4} }
	r := &review.Review{Base: review.Revision{Name: "origin/main", Commit: strings.Repeat("1e9b4363c0", 4)}, Head: review.Revision{Name: "topic", Commit: strings.Repeat("7f00aa12c4", 4)}, Unchanged: 12}
	for i := range n {
		r.Clusters = append(r.Clusters, review.Change{Address: fmt.Sprintf("cluster-%04d", i), Kind: review.Changed, Provider: "huawei", Type: "mrs", Place: at("fleet.cue", i+1),
			Fields:  []review.Field{{Path: "node_groups.core.count", Before: json.Number("3"), After: json.Number("5"), Effect: review.EffectAction, Op: provider.OpScaleOut, Cause: at("template.cue", 12)}},
			Actions: []review.Action{{Group: "core", Op: provider.OpScaleOut, From: counts(3), To: counts(5)}}})
	}
	r.Clusters = append(r.Clusters,
		review.Change{Address: "shrinks", Kind: review.Changed, Provider: "huawei", Type: "mrs", Place: at("fleet.cue", 4),
			Fields:  []review.Field{{Path: "node_groups.task.count", Before: json.Number("20"), After: json.Number("14"), Effect: review.EffectAction, Op: provider.OpScaleIn, Cause: at("fleet.cue", 5)}},
			Actions: []review.Action{{Group: "task", Op: provider.OpScaleIn, From: counts(20), To: counts(14)}}},
		review.Change{Address: "stuck", Kind: review.Changed, Provider: "qc", Type: "hpc", Place: at("hpc.cue", 4),
			Fields: []review.Field{{Path: "vxnet", Before: "vxnet-1", After: "vxnet-2", Effect: review.EffectBlocked, Reason: "vxnet cannot be changed in place", Cause: at("hpc.cue", 5)}}},
		review.Change{Address: "zleaves", Kind: review.Removed, Provider: "ali", Type: "ack_edge", Place: at("fleet.cue", 13), Fields: []review.Field{}})
	return r
}

// prodResult is what came of prodPlan when some of it went wrong.
func prodResult() *engine.Result {
	return &engine.Result{PlanDigest: prodPlan().Digest, Duration: 9*time.Minute + 12*time.Second, Outcomes: []engine.Outcome{
		{Action: "a1", Address: "analytics/task", Op: provider.OpScaleIn, State: engine.Applied, Verdict: "done", Detail: "10 nodes; 2 gone", Duration: 4 * time.Minute},
		{Action: "a2", Address: "analytics/core", Op: provider.OpScaleOut, State: engine.Applied, Verdict: "done", Detail: "5 nodes; 2 new", New: []string{"node-a81Lp", "node-Zt20q"}, Foreign: []string{"node-xx"}, Duration: time.Minute},
		{Action: "a3", Address: "batch/core", Op: provider.OpScaleIn, State: engine.Stale, Detail: "the group has 118 nodes now"},
		{Action: "a4", Address: "login/login", Op: provider.OpResize, State: engine.Failed, Detail: "the cloud refused it: PermissionDenied (1400), request 5f2"},
		{Action: "a5", Address: "simulation", Op: provider.OpCreate, State: engine.Unsettled, Detail: "the reply was lost after the request was sent", Duration: time.Hour},
		{Action: "a6", Address: "edge/worker", Op: provider.OpScaleOut, State: engine.FellShort, Verdict: "partial", Detail: "3 nodes; 1 new", New: []string{"i-2ze1"}},
		{Action: "a7", Address: "report/login", Op: provider.OpResize, State: engine.Skipped, Detail: "an action before it did not end well"}}}
}

// spec is a fleet of n clusters, every tenth of which waits for two others.
func spec(n int) []*engine.Cluster {
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

// hostile is text that would like to be more than text.
const hostile = `</script><script>document.title="owned"</script><img src=x onerror='document.title="owned"'><svg/onload=document.title="owned"></svg></style></title>"'><a href=javascript:alert(1)>{{.}}` + "`${document.title='owned'}`\u202e<!--"
