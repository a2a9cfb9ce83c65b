package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// brief is each annotation in a line, its message indented.
func brief(all []Annotation) string {
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, "%s %s %s:%d:%d %s\n", a.Level, a.Rule, a.File, a.Line, a.Column, a.Title)
		for line := range strings.Lines(a.Message) {
			b.WriteString("\t" + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	return b.String()
}

func TestPlanAnnotations(t *testing.T) {
	p := fullPlan()
	p.Actions = append(p.Actions, engine.Action{ID: "a6", Address: "old/login", Op: provider.OpResize, Cluster: "old", Group: "login",
		From: map[string]int64{"cpu": 4}, To: map[string]int64{"cpu": 2}, Cost: &provider.Price{Amount: -12, Currency: "CNY", Per: "month"}, Source: "old.cue:3:1"})
	p.Clusters = []engine.Planned{{Address: "edge", Sources: map[string]string{"": "fleet.cue:70:2"}}}
	p.Guards = []engine.Guard{{Address: "big", Guard: engine.GuardProtect, Change: engine.GuardLift, Source: "fleet.cue:6:3"},
		{Address: "login", Guard: engine.GuardMaxRemoved, Change: engine.GuardSet, Source: "hpc.cue:30:3"}}
	p.Owned = []engine.Owned{{Address: "web/worker", Owner: "autoscaler", Field: provider.FieldChange{Path: "count", Before: int64(7), After: int64(4)}, Source: "web.cue:4:2"}}
	want := strings.TrimPrefix(`
error denied fleet.cue:6:21 denied by guard shrink: big/task
	big/task: denied by guard shrink: removes 5 of 12 nodes
error blocked fleet.cue:44:4 blocked: secure
	secure: blocked: 4 workers wanted, 6 live; ScaleOutCluster only adds nodes
error unsettled fleet.cue:70:2 an earlier request is not settled: edge/worker
	edge/worker: scale out since 2026-03-02 12:00:00Z: its outcome is not known yet; see clusterctl resolve edge
error unread x.cue:1:1 not read: a, b
	a, b: not read: no route; check the network, the proxy and the endpoint of entry far, then run this again
error unread x.cue:3:1 not read: c
	c: not read: 签名错误 (code 1200)
warning removal fleet.cue:21:17 2 nodes removed: analytics/task
	analytics/task: scale in 10 → 8 nodes; removes node-2, i-1; the newest go`+"\x1b[1m"+`
warning removal fleet.cue:30:3 2 nodes removed: batch/core
	batch/core: scale in 6 → 4 nodes; the cloud chooses which nodes go
warning shrink old.cue:3:1 made smaller: old/login
	old/login: resize cpu 4 → cpu 2; refund ¥12.00 a month
warning lifted fleet.cue:6:3 guard protect lifted: big
	big: guard protect is lifted
notice guard hpc.cue:30:3 new guard max_removed: login
	login: guard max_removed is new
warning note :0:0 note
	clocks differ by 40 s
notice change fleet.cue:20:16 scale out: analytics/核心
	analytics/核心: scale out 3 → 5 nodes
notice change hpc.cue:31:18 resize: login/login
	login/login: resize 2c/4G → 4c/12G; +¥312.00 a month; may interrupt service
notice change hpc.cue:9:2 create: simulation
	simulation: create login 1 × 2c/4G
notice owned web.cue:4:2 kept by autoscaler: web/worker
	web/worker: count: 4 wanted, 7 live; kept by autoscaler
`, "\n")
	got := PlanAnnotations(p)
	if diff := cmp.Diff(want, brief(got)); diff != "" {
		t.Error(diff)
	}
	for _, a := range got {
		if Rules[a.Rule] == "" {
			t.Errorf("rule %s has no sentence", a.Rule)
		}
	}
	var out strings.Builder
	if err := GitHub(&out, got); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != len(got) {
		t.Errorf("%d lines of %d annotations", n, len(got))
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("an escape of a plugin's gets out")
	}
}

func TestPlanAnnotationsOfNothing(t *testing.T) {
	if got := PlanAnnotations(&engine.Plan{}); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// A line of a template is told once, however many clusters it shrinks; what is
// the same for all of them is said once.
func TestPlanAnnotationOfTemplate(t *testing.T) {
	p := &engine.Plan{}
	for i := range 300 {
		from, to := counts(10, int64(9-i%2))
		p.Actions = append(p.Actions, engine.Action{Address: fmt.Sprintf("c%03d/task", i), Op: provider.OpScaleIn, From: from, To: to, CloudChooses: true, Source: "template.cue:12:3"})
		p.Denied = append(p.Denied, engine.Denied{Address: fmt.Sprintf("c%03d/task", i), Guard: []string{"protect", "shrink"}[i%2], Reason: fmt.Sprint("reason ", i), Source: "template.cue:12:3"})
	}
	want := strings.TrimPrefix(`
error denied template.cue:12:3 denied by guards: c000/task, c001/task, c002/task, c003/task, c004/task, c005/task and 294 more
	c000/task: denied by guard protect: reason 0
	c001/task: denied by guard shrink: reason 1
	c002/task: denied by guard protect: reason 2
	c003/task: denied by guard shrink: reason 3
	c004/task: denied by guard protect: reason 4
	c005/task: denied by guard shrink: reason 5
	c006/task: denied by guard protect: reason 6
	c007/task: denied by guard shrink: reason 7
	c008/task: denied by guard protect: reason 8
	c009/task: denied by guard shrink: reason 9
	and 290 more
warning removal template.cue:12:3 450 nodes removed: c000/task, c001/task, c002/task, c003/task, c004/task, c005/task and 294 more
	c000/task, c002/task, c004/task, c006/task, c008/task, c010/task and 144 more: scale in 10 → 9 nodes; the cloud chooses which nodes go
	c001/task, c003/task, c005/task, c007/task, c009/task, c011/task and 144 more: scale in 10 → 8 nodes; the cloud chooses which nodes go
`, "\n")
	if diff := cmp.Diff(want, brief(PlanAnnotations(p))); diff != "" {
		t.Error(diff)
	}
}

func TestResultAnnotations(t *testing.T) {
	p := fullPlan()
	p.Clusters = []engine.Planned{{Address: "analytics", Sources: map[string]string{"": "fleet.cue:18:2"}}}
	r := &engine.Result{
		Outcomes: []engine.Outcome{
			{Action: "a1", Address: "analytics/task", Op: provider.OpScaleIn, State: engine.Unsettled, Detail: "the reply was lost"},
			{Action: "a2", Address: "analytics/核心", Op: provider.OpScaleOut, State: engine.Skipped, Detail: "not sent: analytics/task came before it"},
			{Action: "a3", Address: "batch/core", Op: provider.OpScaleIn, State: engine.FellShort, Verdict: journal.Partial, Detail: "5 nodes; 1 gone", Foreign: []string{"i-9"}},
			{Action: "a4", Address: "login/login", Op: provider.OpResize, State: engine.Applied, Differs: []provider.FieldChange{{Path: "cpu", Before: int64(2), After: int64(4)}}},
			{Action: "a5", Address: "simulation", Op: provider.OpCreate, State: engine.Failed, Detail: "quota (code 1400)"},
		},
		Settled: []engine.Outcome{
			{Action: "a1", Address: "analytics/核心", Op: provider.OpScaleOut, State: engine.Failed, Detail: "refused"},
			{Action: "a7", Address: "gone", Op: provider.OpCreate, State: engine.Held, Detail: "it cannot be read"},
			{Action: "a8", Address: "fine", Op: provider.OpCreate, State: engine.Applied},
		},
		Blocked: p.Blocked, Unread: p.Unread[2:],
	}
	want := strings.TrimPrefix(`
error unsettled fleet.cue:21:17 unknown: analytics/task
	analytics/task: scale in: unknown. the reply was lost; see clusterctl resolve analytics
error short fleet.cue:30:3 fell short: batch/core
	batch/core: scale in: only in part. 5 nodes; 1 gone; not ours: i-9
error undone hpc.cue:9:2 not done: simulation
	simulation: create: not done. quota (code 1400)
error undone fleet.cue:18:2 not done: analytics/核心
	analytics/核心: earlier scale out: not done. refused
error unsent :0:0 not sent: gone
	gone: earlier create: it cannot be read
error unsent fleet.cue:20:16 skipped: analytics/核心
	analytics/核心: scale out: not sent: analytics/task came before it
error blocked fleet.cue:44:4 blocked: secure
	secure: blocked: 4 workers wanted, 6 live; ScaleOutCluster only adds nodes
error unread x.cue:3:1 not read: c
	c: not read: 签名错误 (code 1200)
warning foreign fleet.cue:30:3 not ours: batch/core
	batch/core: came or went meanwhile: i-9
error differs hpc.cue:31:18 still differs from the spec: login/login
	login/login: still differs from the spec, cpu 2 → 4
`, "\n")
	if diff := cmp.Diff(want, brief(ResultAnnotations(r, p))); diff != "" {
		t.Error(diff)
	}
	if got := ResultAnnotations(&engine.Result{Outcomes: []engine.Outcome{{Action: "a1", Address: "analytics/task", State: engine.Applied}}}, p); len(got) != 0 {
		t.Errorf("what went well is told: %v", got)
	}
}

// Each state that is not simply applied has words of its own.
func TestEveryOutcomeIsTold(t *testing.T) {
	for _, e := range endings {
		r := &engine.Result{Outcomes: []engine.Outcome{{Action: "a1", Address: "analytics/task", Op: provider.OpScaleIn, State: e.state}}}
		if got := ResultAnnotations(r, fullPlan()); len(got) != 1 || got[0].Line != 21 || got[0].Title == "" || Rules[got[0].Rule] == "" {
			t.Errorf("%s: %+v", e.state, got)
		}
	}
}

func TestPositionOf(t *testing.T) {
	type at struct {
		file         string
		line, column int
	}
	for source, want := range map[string]at{
		"fleet.cue:14:10":              {"fleet.cue", 14, 10},
		"fleet.cue:14":                 {"fleet.cue", 14, 0},
		"fleet.cue":                    {"fleet.cue", 0, 0},
		"":                             {},
		`C:\specs\a.cue:1:2`:           {`C:\specs\a.cue`, 1, 2},
		"odd:7/fleet.cue:1:2":          {"odd:7/fleet.cue", 1, 2},
		"a:1:2:3":                      {"a:1", 2, 3},
		"x.cue:99999999999999999999:1": {"x.cue", 9223372036854775807, 1},
	} {
		file, line, column := positionOf(source)
		if (at{file, line, column}) != want {
			t.Errorf("%s: got %s %d %d", source, file, line, column)
		}
	}
}
