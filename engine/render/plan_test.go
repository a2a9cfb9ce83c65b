package render

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

func counts(from, to int64) (map[string]int64, map[string]int64) {
	return map[string]int64{"count": from}, map[string]int64{"count": to}
}

// fullPlan has one of everything.
func fullPlan() *engine.Plan {
	from, to := counts(10, 8)
	in := engine.Action{ID: "a1", Address: "analytics/task", Op: provider.OpScaleIn, Provider: "huawei", Kind: "mrs", Cluster: "analytics",
		ClusterID: "c-1", Group: "task", From: from, To: to, Source: "fleet.cue:21:17", Reason: "the newest go\x1b[1m",
		Removes: []provider.NodeRef{{Name: "node-2", Created: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}, {ID: "i-1"}}}
	from, to = counts(3, 5)
	out := engine.Action{ID: "a2", Address: "analytics/核心", Op: provider.OpScaleOut, Provider: "huawei", Kind: "mrs", Cluster: "analytics",
		ClusterID: "c-1", Group: "核心", From: from, To: to, Source: "fleet.cue:20:16", DependsOn: []string{"a1"}}
	from, to = counts(6, 4)
	choice := engine.Action{ID: "a3", Address: "batch/core", Op: provider.OpScaleIn, Provider: "huawei", Kind: "mrs", Cluster: "batch",
		ClusterID: "c-2", Group: "core", From: from, To: to, CloudChooses: true, Source: "fleet.cue:30:3"}
	resize := engine.Action{ID: "a4", Address: "login/login", Op: provider.OpResize, Provider: "qc", Kind: "hpc", Cluster: "login",
		ClusterID: "hpc-1", Group: "login", From: map[string]int64{"cpu": 2, "memory": 4096}, To: map[string]int64{"cpu": 4, "memory": 12288},
		Cost: &provider.Price{Amount: 312, Currency: "CNY", Per: "month"}, Risk: "may interrupt service", Source: "hpc.cue:31:18"}
	create := engine.Action{ID: "a5", Address: "simulation", Op: provider.OpCreate, Provider: "qc", Kind: "ehpc", Cluster: "simulation",
		Fields: []provider.FieldChange{{Path: "node_groups.login.count", After: int64(1)}, {Path: "node_groups.login.cpu", After: int64(2)}, {Path: "node_groups.login.memory", After: int64(4096)}},
		Source: "hpc.cue:9:2"}
	return &engine.Plan{
		Summary: engine.Summary{ScaleIn: 2, Removed: 4, ScaleOut: 1, Resize: 1, Create: 1, Blocked: 1, Unread: 3, Unchanged: 38, Clusters: 46},
		Actions: []engine.Action{in, out, choice, resize, create},
		Blocked: []engine.Blocked{{Address: "secure", Provider: "ali", Kind: "ack_sandbox", Reason: "4 workers wanted, 6 live; ScaleOutCluster only adds nodes", Source: "fleet.cue:44:4"}},
		Unread: []engine.Unread{
			{Address: "a", Provider: "far", Kind: provider.KindUnavailable, Reason: "no route", Source: "x.cue:1:1"},
			{Address: "b", Provider: "far", Kind: provider.KindUnavailable, Reason: "no route", Source: "x.cue:2:1"},
			{Address: "c", Provider: "far", Kind: provider.KindNotFound, Reason: "签名错误 (code 1200)", Source: "x.cue:3:1"},
		},
		OpenIntents: []engine.OpenIntent{{Address: "edge/worker", Op: provider.OpScaleOut, Since: noon, Reason: "its outcome is not known yet"}},
		Denied:      []engine.Denied{{Address: "big/task", Guard: "shrink", Reason: "removes 5 of 12 nodes", Source: "fleet.cue:6:21"}},
		Warnings:    []string{"clocks differ by 40 s"},
	}
}

func TestPlan(t *testing.T) {
	for name, tc := range map[string]struct {
		look Look
		want string
	}{
		"plain": {Look{}, `analytics  huawei/mrs  c-1
  - task  scale in   10 → 8 nodes     fleet.cue:21:17
          removes  node-2 (2026-03-02), i-1
          the newest go[1m
  ~ 核心  scale out  3 → 5 nodes      fleet.cue:20:16   after task

batch  huawei/mrs  c-2
  - core  scale in  6 → 4 nodes     fleet.cue:30:3
          REMOVES 2 NODES; THE CLOUD CHOOSES WHICH

login  qc/hpc  hpc-1
  ~ login  resize  2c/4G → 4c/12G     hpc.cue:31:18     +¥312.00 a month
           may interrupt service

simulation  qc/ehpc  new
  + create  login 1 × 2c/4G     hpc.cue:9:2

! secure  ali/ack_sandbox   blocked: 4 workers wanted, 6 live; ScaleOutCluster only adds nodes     fleet.cue:44:4
! a, b  far   not read: no route
  check the network, the proxy and the endpoint of entry far, then run this again
! c  far   not read: 签名错误 (code 1200)     x.cue:3:1
! edge/worker   scale out since 2026-03-02 12:00:00Z is unsettled: its outcome is not known yet (clusterctl resolve edge)
! big/task   denied by guard shrink: removes 5 of 12 nodes     fleet.cue:6:21
warning: clocks differ by 40 s

Plan: 2 removals (4 nodes), 1 create, 1 scale-out, 1 resize, 1 blocked, 3 not read, 1 unsettled, 1 denied, 38 unchanged.  Cost: +¥312.00 a month, 4 actions without a price.
`},
		"narrow": {Look{Width: 50}, `analytics  huawei/mrs  c-1
  - task  scale in   10 → 8 nodes
          fleet.cue:21:17
          removes  node-2 (2026-03-02), i-1
          the newest go[1m
  ~ 核心  scale out  3 → 5 nodes
          fleet.cue:20:16   after task

batch  huawei/mrs  c-2
  - core  scale in  6 → 4 nodes
          fleet.cue:30:3
          REMOVES 2 NODES; THE CLOUD CHOOSES
          WHICH

login  qc/hpc  hpc-1
  ~ login  resize  2c/4G → 4c/12G
           hpc.cue:31:18     +¥312.00 a month
           may interrupt service

simulation  qc/ehpc  new
  + create  login 1 × 2c/4G     hpc.cue:9:2

! secure  ali/ack_sandbox   blocked: 4 workers
  wanted, 6 live; ScaleOutCluster only adds nodes
  fleet.cue:44:4
! a, b  far   not read: no route
  check the network, the proxy and the endpoint
  of entry far, then run this again
! c  far   not read: 签名错误 (code 1200)
  x.cue:3:1
! edge/worker   scale out since 2026-03-02
  12:00:00Z is unsettled: its outcome is not
  known yet (clusterctl resolve edge)
! big/task   denied by guard shrink: removes 5 of
  12 nodes     fleet.cue:6:21
warning: clocks differ by 40 s

Plan: 2 removals (4 nodes), 1 create, 1
scale-out, 1 resize, 1 blocked, 3 not read, 1
unsettled, 1 denied, 38 unchanged.  Cost:
+¥312.00 a month, 4 actions without a price.
`},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := Plan(&b, fullPlan(), tc.look); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, b.String()); diff != "" {
				t.Errorf("the plan differs (-want +got):\n%s", diff)
			}
			for _, line := range strings.Split(b.String(), "\n") {
				if tc.look.Width > 0 && width(line) >= tc.look.Width {
					t.Errorf("%d cells in a window of %d: %q", width(line), tc.look.Width, line)
				}
			}
		})
	}
}

// Colour repeats what the symbols say and changes no word.
func TestPlanColour(t *testing.T) {
	var plain, painted strings.Builder
	_ = Plan(&plain, fullPlan(), Look{})
	_ = Plan(&painted, fullPlan(), Look{Colour: true})
	for _, want := range []string{"\x1b[31;1m-", "\x1b[33m~", "\x1b[32m+"} {
		if !strings.Contains(painted.String(), want) {
			t.Errorf("%q is not painted", want)
		}
	}
	if diff := cmp.Diff(plain.String(), escapes.ReplaceAllString(painted.String(), "")); diff != "" {
		t.Errorf("colour changed the text (-plain +painted):\n%s", diff)
	}
}

func TestSummaryOfNothing(t *testing.T) {
	for clusters, want := range map[int]string{1: "No changes. 1 cluster matches the spec.", 43: "No changes. 43 clusters match the spec."} {
		if got := Summary(&engine.Plan{Summary: engine.Summary{Clusters: clusters, Unchanged: clusters}}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A price without a period says that none is documented, once, in the sum.
func TestCost(t *testing.T) {
	priced := func(amount float64, per string) engine.Action {
		return engine.Action{Cost: &provider.Price{Amount: amount, Currency: "CNY", Per: per}}
	}
	p := &engine.Plan{Actions: []engine.Action{priced(0.2, ""), priced(0.04, ""), priced(-3, "month"), priced(5, "once"), {}}}
	if got, want := Cost(p), "+¥0.24 (period not documented), +¥5.00 once, refund ¥3.00 a month, 1 action without a price"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestChangeOfSize(t *testing.T) {
	small, large := map[string]int64{"cpu": 2, "memory": 4096, "storage_size": 50}, map[string]int64{"cpu": 2, "memory": 4096, "storage_size": 100}
	for want, a := range map[string]engine.Action{
		"2c/4G storage_size 50 GB → 2c/4G storage_size 100 GB": {Op: provider.OpResize, From: small, To: large},
		"to 2c/4G storage_size 100 GB":                         {Op: provider.OpResize, To: large},
	} {
		if got := Change(&a); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRemovals(t *testing.T) {
	want := []string{"  removes 2 nodes from analytics/task: node-2 (2026-03-02), i-1", "  removes 2 nodes from batch/core; the cloud chooses which"}
	if diff := cmp.Diff(want, Removals(fullPlan(), Look{})); diff != "" {
		t.Error(diff)
	}
}

func TestTableWithout(t *testing.T) {
	for width, want := range map[int]string{0: "NAME  KIND  NOTE\na     mrs   fine\n", 80: "NAME  KIND  NOTE\na     mrs   fine\n", 32: "NAME  NOTE\na     fine\n"} {
		var b strings.Builder
		rows := [][]string{{"NAME", "KIND", "NOTE"}, {"a", "mrs", "fine"}}
		if err := TableWithout(&b, rows, Look{Width: width}, "KIND"); err != nil || b.String() != want {
			t.Errorf("width %d: %v\n%s", width, err, b.String())
		}
	}
}

func TestEffectOfAnotherOwner(t *testing.T) {
	f := review.Field{Path: "node_groups.task.owned_by.count", Before: "autoscaler", After: "ann", Effect: review.EffectReleased}
	if got := EffectText(&f); got != "kept by somebody else" {
		t.Error(got)
	}
}

func TestTable(t *testing.T) {
	rows := [][]string{{"CLUSTER", "STATE", "NOTE"}, {"分析", "running", "2 to remove, as the spec says so in line 4"}, {"b", "运行中", "\x1b[2Jnothing"}}
	for name, tc := range map[string]struct {
		width int
		want  string
	}{
		"file": {0, "CLUSTER  STATE    NOTE\n分析     running  2 to remove, as the spec says so in line 4\nb        运行中   [2Jnothing\n"},
		"room": {45, "CLUSTER  STATE    NOTE\n分析     running  2 to remove, as the spec\n                  says so in line 4\nb        运行中   [2Jnothing\n"},
		"none": {40, "CLUSTER  STATE    NOTE\n分析     running  2 to remove, as the\n                  spec says so in line\n                  4\nb        运行中   [2Jnothing\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := Table(&b, rows, Look{Width: tc.width}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
