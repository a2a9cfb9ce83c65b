package render

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

func TestResult(t *testing.T) {
	r := &engine.Result{Duration: 9*time.Minute + 12*time.Second,
		Settled: []engine.Outcome{{Address: "edge/worker", Op: provider.OpScaleOut, State: engine.Applied, Detail: "4 nodes; 2 new", New: []string{"i-1", "i-2"}}},
		Outcomes: []engine.Outcome{
			{Address: "a/core", Op: provider.OpScaleOut, State: engine.Applied, Detail: "5 nodes; 2 new", New: []string{"n-1", "n-2"}},
			{Address: "b/task", Op: provider.OpScaleIn, State: engine.Applied, Detail: "8 nodes; 2 gone", Foreign: []string{"n-9"}},
			{Address: "c/worker", Op: provider.OpScaleOut, State: engine.FellShort, Verdict: journal.Partial, Detail: "3 nodes; 1 new; the cloud says: 库存不足 (code 1)"},
			{Address: "d", Op: provider.OpCreate, State: engine.Unsettled, Detail: "no two reads agreed"},
			{Address: "e/core", Op: provider.OpScaleOut, State: engine.Failed, Verdict: journal.None, Detail: "quota: 500 nodes (code 12000003, request r-1)"},
			{Address: "f/core", Op: provider.OpScaleOut, State: engine.Stale, Detail: "the plan is stale: gone; plan again"},
			{Address: "g/core", Op: provider.OpScaleOut, State: engine.Locked, Detail: "locked by ops"},
			{Address: "g/task", Op: provider.OpScaleIn, State: engine.Skipped, Detail: "not sent: g/core came before it"},
		},
		Blocked: []engine.Blocked{{Address: "h", Provider: "ali", Kind: "ack_edge", Reason: "only adds nodes", Source: "f.cue:1:2"}},
	}
	const summary = `Applied 2 of 8 in 9 min 12 s. 1 unknown: d (create); 1 fell short: c/worker (scale out); 1 not done: e/core (scale out); 1 stale: f/core (scale out); 1 locked: g/core (scale out); 1 skipped: g/task (scale in). Apply again to go on watching; nothing is sent twice. Evidence: clusterctl resolve d.
`
	const lines = `edge/worker  earlier scale out: done. 4 nodes; 2 new: i-1, i-2
! b/task  scale in: done. 8 nodes; 2 gone; not ours: n-9
! c/worker  scale out: only in part. 3 nodes; 1 new; the cloud says: 库存不足 (code 1)
! d  create: unknown. no two reads agreed
! e/core  scale out: not done. quota: 500 nodes (code 12000003, request r-1)
! f/core  scale out: the plan is stale: gone; plan again
! g/core  scale out: locked by ops
! g/task  scale in: not sent: g/core came before it
! h  ali/ack_edge   blocked: only adds nodes     f.cue:1:2
`
	for name, tc := range map[string]struct {
		told bool
		want string
	}{"new": {false, lines + summary}, "told": {true, summary}} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := Result(&b, r, tc.told, Look{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A run that only closed what an earlier one left says just that.
func TestResultOfSettling(t *testing.T) {
	out := func(state engine.OutcomeState, addresses ...string) (list []engine.Outcome) {
		for _, a := range addresses {
			list = append(list, engine.Outcome{Address: a, Op: provider.OpScaleOut, State: state})
		}
		return list
	}
	for name, tc := range map[string]struct {
		result engine.Result
		want   string
	}{
		"done":       {engine.Result{Settled: out(engine.Applied, "a/x")}, "1 earlier request settled; nothing more to apply."},
		"fell short": {engine.Result{Settled: out(engine.FellShort, "a/x", "b/x")}, "2 earlier requests settled; nothing more to apply."},
		"blocked": {engine.Result{Settled: out(engine.Applied, "a/x"), Blocked: []engine.Blocked{{Address: "b"}}},
			"1 earlier request settled; nothing else was sent."},
		"unknown": {engine.Result{Settled: out(engine.Unsettled, "a/x", "a/y", "b/x")},
			"3 unknown: a/x (scale out), a/y (scale out), b/x (scale out); nothing new was sent. " +
				"Apply again to go on watching; nothing is sent twice. Evidence: clusterctl resolve a, clusterctl resolve b."},
		"locked": {engine.Result{Settled: out(engine.Locked, "a/x", "b/x", "c/x", "d/x", "e/x")},
			"5 locked: a/x (scale out), b/x (scale out), c/x (scale out), and 2 more; nothing new was sent."},
		"mixed": {engine.Result{Settled: slices.Concat(out(engine.Locked, "a/x"), out(engine.Applied, "b/x"), out(engine.Interrupted, "c/x"))},
			"1 earlier request settled; 1 locked: a/x (scale out); 1 interrupted: c/x (scale out); nothing new was sent."},
		"beside others": {engine.Result{Duration: time.Second, Outcomes: out(engine.Applied, "b/x"),
			Settled: slices.Concat(out(engine.Locked, "a/x"), out(engine.Applied, "b/y"))},
			"Applied 1 of 1 in 1.0 s. Of earlier requests, 1 locked: a/x (scale out)."},
	} {
		if got := resultSummary(&tc.result); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 999 * time.Millisecond: "999 ms", 9 * time.Second: "9.0 s", 9970 * time.Millisecond: "9.9 s", 59 * time.Second: "59 s",
		552 * time.Second: "9 min 12 s", 65 * time.Minute: "1 h 5 min",
	} {
		if got := Span(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}
