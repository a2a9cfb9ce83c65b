package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

func TestMarkdownPlan(t *testing.T) {
	full := fullPlan()
	full.SpecDigest, full.Digest = "sha256:"+strings.Repeat("0", 64), "sha256:"+strings.Repeat("1", 64)
	full.Actions = append(full.Actions, engine.Action{ID: "a6", Address: "login/login", Op: provider.OpResize, Provider: "qc", Kind: "hpc", Cluster: "login",
		From: map[string]int64{"cpu": 8, "memory": 4096}, To: map[string]int64{"cpu": 4, "memory": 8192},
		Cost: &provider.Price{Amount: -20, Currency: "CNY", Per: "month"}, Source: "hpc.cue:33:18"})
	for name, p := range map[string]*engine.Plan{
		"plan.md":   full,
		"noplan.md": {Summary: engine.Summary{Clusters: 43, Unchanged: 43}},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, commentOf(t, p))
		})
	}
	for _, n := range []int{300, 5000} {
		text := commentOf(t, manyActions(n))
		if strings.Count(text, "\n- ") < 20 || strings.Count(text, "\n| ") < 10 {
			t.Errorf("%d: a section keeps less than its first items", n)
		}
	}
	text := commentOf(t, manyActions(5000))
	if !strings.Contains(text, "more removals, left out to fit one comment") || !strings.Contains(text, "more actions, left out to fit one comment") {
		t.Errorf("what is left out is not told:\n%s", text)
	}
}

func commentOf(t *testing.T, p *engine.Plan) string {
	t.Helper()
	var b strings.Builder
	if err := MarkdownPlan(&b, p, Comment{Name: "plan .", Command: "clusterctl plan"}); err != nil {
		t.Fatal(err)
	}
	within(t, b.String(), MarkdownLimit)
	if err := inert(b.String()); err != nil {
		t.Error(err)
	}
	return b.String()
}

// manyActions removes two of a hundred nodes of n groups and adds to n others.
func manyActions(n int) *engine.Plan {
	p := &engine.Plan{Summary: engine.Summary{ScaleIn: n, Removed: 60 * n, ScaleOut: n, Clusters: n}}
	for i := range n {
		from, to := counts(100, 40)
		name := fmt.Sprintf("cluster-%05d", i)
		in := engine.Action{ID: name + "-in", Address: name + "/task", Op: provider.OpScaleIn, Cluster: name, Group: "task", From: from, To: to, Source: "fleet.cue:8:2"}
		for k := range 60 {
			in.Removes = append(in.Removes, provider.NodeRef{ID: fmt.Sprintf("node-%05d-%d", i, k)})
		}
		from, to = counts(3, 5)
		p.Actions = append(p.Actions, in, engine.Action{ID: name + "-out", Address: name + "/core", Op: provider.OpScaleOut, Cluster: name, Group: "core", From: from, To: to,
			DependsOn: []string{in.ID}, Source: "fleet.cue:7:2", Cost: &provider.Price{Amount: float64(i), Currency: "CNY", Per: "month"}})
	}
	return p
}

func TestMarkdownResult(t *testing.T) {
	out := func(address string, state engine.OutcomeState, detail string) engine.Outcome {
		return engine.Outcome{Address: address, Op: provider.OpScaleOut, State: state, Detail: detail}
	}
	short := out("c/worker", engine.FellShort, "3 nodes; 1 new; the cloud says: 库存不足 (code 1)")
	short.Verdict, short.New = journal.Partial, []string{"i-7"}
	drifted := out("b/task", engine.Applied, "8 nodes; 2 gone")
	drifted.Foreign, drifted.Differs = []string{"n-9"}, []provider.FieldChange{{Path: "count", Before: int64(8), After: int64(9)}}
	full := &engine.Result{PlanDigest: "sha256:" + strings.Repeat("1", 64), Duration: 552e9,
		Settled: []engine.Outcome{out("edge/worker", engine.Applied, "4 nodes; 2 new"), out("far/core", engine.Unsettled, "no two reads agreed")},
		Outcomes: []engine.Outcome{drifted, short, out("d", engine.Unsettled, "no two reads agreed"), out("e/core", engine.Failed, "quota: 500 nodes (code 12000003, request r-1)"),
			out("f/core", engine.Stale, "the plan is stale: gone; plan again"), out("g/core", engine.Locked, "locked by ops@host"), out("g/task", engine.Skipped, "not sent: g/core came before it"),
			out("h/core", engine.Held, "busy"), out("i/core", engine.Interrupted, "")},
		Blocked: fullPlan().Blocked, Unread: fullPlan().Unread}
	large := &engine.Result{}
	for i := range 5000 {
		large.Outcomes = append(large.Outcomes, out(fmt.Sprintf("cluster-%05d/core", i), []engine.OutcomeState{engine.Applied, engine.Unsettled, engine.Failed}[i%3], "detail"))
	}
	for name, r := range map[string]*engine.Result{"result.md": full, "noresult.md": {}, "": large} {
		var b strings.Builder
		if err := MarkdownResult(&b, r, Comment{Name: "apply ."}); err != nil {
			t.Fatal(err)
		}
		within(t, b.String(), MarkdownLimit)
		if err := inert(b.String()); err != nil {
			t.Error(err)
		}
		if name != "" {
			golden(t, name, b.String())
		} else if !strings.Contains(b.String(), "## Applied 1,667 of 5,000 in 0 ms, 1,667 unknown, 1,666 not done") {
			t.Error(b.String()[:200])
		}
	}
}

func TestMarkdownProblems(t *testing.T) {
	var b strings.Builder
	list := []Annotation{{Level: LevelWarning, Rule: "provider", Message: "vendored schemas differ"},
		{Level: LevelError, Rule: "limit", File: "a|b.cue", Line: 3, Message: "cpu must be 1 or 2, not 16\nlimit from @doc"}}
	if err := MarkdownProblems(&b, list, comment()); err != nil {
		t.Fatal(err)
	}
	if err := inert(b.String()); err != nil {
		t.Error(err)
	}
	golden(t, "problems.md", b.String())
}
