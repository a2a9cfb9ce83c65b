package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// bench is one engine with its model cloud and journal, on a fake clock.
type bench struct {
	t     testing.TB
	cloud *model
	entry *Entry
	store *journal.FileStore
	wait  time.Duration
}

func newBench(t testing.TB) *bench {
	t.Helper()
	cloud := newModel()
	d, _ := cloud.Describe(context.Background())
	store, err := journal.OpenFile(t.TempDir(), journal.CreateNow, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, cloud: cloud, store: store,
		entry: &Entry{Name: "m", Provider: cloud, Description: d, Settings: json.RawMessage(`{"region":"r1"}`)}}
}

func (b *bench) entries() map[string]*Entry { return map[string]*Entry{"m": b.entry} }

// want makes a desired cluster from JSON.
func want(address, spec string) *Cluster {
	return &Cluster{
		Desired:  provider.Desired{Address: address, Kind: "k", Name: address, Spec: json.RawMessage(spec)},
		Entry:    "m",
		Meanings: provider.Meanings{"zone": provider.Immutable, "note": provider.Param},
		Source:   func(path string) string { return "fleet.cue:" + path },
	}
}

func (b *bench) plan(clusters ...*Cluster) *Plan {
	b.t.Helper()
	intents, corrupt, err := b.store.Open()
	if err != nil {
		b.t.Fatal(err)
	}
	p := &Planner{Entries: b.entries(), SpecDigest: "sha256:spec", Intents: intents, Corrupt: corrupt, AllowShrink: true}
	plan, err := p.Plan(b.t.Context(), clusters)
	if err != nil {
		b.t.Fatal(err)
	}
	return plan
}

func (b *bench) apply(ctx context.Context, plan *Plan) *Result {
	b.t.Helper()
	a := &Applier{Plan: plan, Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now()), Wait: b.wait}
	result, err := a.Apply(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func (b *bench) open() int {
	b.t.Helper()
	intents, _, err := b.store.Open()
	if err != nil {
		b.t.Fatal(err)
	}
	return len(intents)
}

// states renders outcomes as "a/core scale_out applied done".
func states(outcomes []Outcome) []string {
	out := []string{}
	for _, o := range outcomes {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", o.Address, o.Op, o.State, o.Verdict)))
	}
	return out
}

func check(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

const growAndShrink = `{"node_groups": {"core": {"count": 5}, "task": {"count": 2}}}`

func TestApplyThenNothingToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
		wanted := want("a", growAndShrink)
		made := want("new", `{"zone": "z1", "note": "x", "node_groups": {"core": {"count": 2}}}`)
		plan := b.plan(wanted, made)
		check(t, "summary", plan.Summary, Summary{Create: 1, ScaleOut: 1, ScaleIn: 1, Removed: 2, Clusters: 2, Unpriced: 3, Cost: []provider.Price{}})
		check(t, "order", []string{plan.Actions[0].Address, plan.Actions[1].Address, plan.Actions[2].Address}, []string{"a/task", "a/core", "new"})
		check(t, "depends", plan.Actions[1].DependsOn, []string{"a1"})
		check(t, "source", plan.Actions[1].Source, "fleet.cue:node_groups.core.count")

		result := b.apply(t.Context(), plan)
		check(t, "outcomes", states(result.Outcomes), []string{"a/task scale_in applied done", "a/core scale_out applied done", "new create applied done"})
		check(t, "open intents", b.open(), 0)
		check(t, "sends", len(b.cloud.sends), 3)
		again := b.plan(wanted, made)
		check(t, "plan again", again.Summary, Summary{Unchanged: 2, Clusters: 2, Cost: []provider.Price{}})
		check(t, "actions again", len(again.Actions), 0)
	})
}

func TestLostReplyIsNotSentAgain(t *testing.T) {
	lost := func(n int, given provider.Answer) provider.Answer {
		return provider.Answer{Error: provider.Errorf(provider.KindUnavailable, "connection reset")}
	}
	for _, test := range []struct {
		name    string
		set     func(*model)
		sends   int
		outcome []string
		// at least this long until the verdict
		after time.Duration
	}{
		{"taken, task seen", func(m *model) {}, 1, []string{"a/core scale_out applied done"}, 20 * time.Second},
		{"taken, no tasks", func(m *model) { m.noTasks = true }, 1, []string{"a/core scale_out applied done"}, 20 * time.Second},
		{"never arrived", func(m *model) { m.take = func(int) bool { return false } }, 0, []string{"a/core scale_out fell_short none"}, 70 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 3})
				b.cloud.answer = lost
				test.set(b.cloud)
				wanted := want("a", `{"node_groups": {"core": {"count": 5}}}`)
				begun := time.Now()
				result := b.apply(t.Context(), b.plan(wanted))
				check(t, "outcome", states(result.Outcomes), test.outcome)
				check(t, "sends", len(b.cloud.sends), test.sends)
				check(t, "calls of Start", b.cloud.started, 1)
				check(t, "open intents", b.open(), 0)
				if took := time.Since(begun); took < test.after {
					t.Errorf("decided after %s, before %s", took, test.after)
				}
				b.cloud.answer, b.cloud.take = nil, nil
				b.apply(t.Context(), b.planAfter(wanted))
				check(t, "nodes", len(b.cloud.clusters["c1"].groups["core"]), 5)
				check(t, "plan again", len(b.plan(wanted).Actions), 0)
			})
		})
	}
}

func TestCrashBeforeAnswerIsSettledByTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		wanted := want("a", `{"node_groups": {"core": {"count": 5}}}`)
		ctx, cancel := context.WithCancel(t.Context())
		b.cloud.answer = func(n int, given provider.Answer) provider.Answer {
			cancel() // the run is interrupted while the request is under way
			return provider.Answer{}
		}
		result := b.apply(ctx, b.plan(wanted))
		check(t, "outcome", states(result.Outcomes), []string{"a/core scale_out unknown"})
		check(t, "open intents", b.open(), 1)
		b.cloud.answer = nil

		blocked := b.plan(wanted)
		check(t, "actions while unsettled", len(blocked.Actions), 0)
		check(t, "open intents in the plan", len(blocked.OpenIntents), 1)

		intents, _, _ := b.store.Open()
		a := &Applier{Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now())}
		check(t, "settled", states(a.SettleOpen(t.Context(), intents)), []string{"a/core scale_out applied done"})
		check(t, "sends", len(b.cloud.sends), 1)
		check(t, "plan again", len(b.plan(wanted).Actions), 0)
	})
}

func TestStaleCheck(t *testing.T) {
	wanted := func() *Cluster { return want("a", growAndShrink) }
	for _, test := range []struct {
		name  string
		move  func(*model)
		state []string
		words string
	}{
		{"somebody grew it", func(m *model) { m.grow(m.clusters["c1"], "task", 1, 2) },
			[]string{"a/task scale_in stale", "a/core scale_out skipped"}, "was planned from 4 to 2 nodes and would now go from 5 to 2 nodes"},
		{"another victim", func(m *model) {
			c := m.clusters["c1"]
			c.groups["task"] = c.groups["task"][1:]
			m.grow(c, "task", 1, 2)
		},
			[]string{"a/task scale_in stale", "a/core scale_out skipped"}, "was planned to remove"},
		{"another name", func(m *model) { m.clusters["c1"].name = "old" },
			[]string{"a/task scale_in stale", "a/core scale_out skipped"}, `cluster c1 was found by its name "a" and is named "old" now`},
		{"gone", func(m *model) { delete(m.clusters, "c1") },
			[]string{"a/task scale_in stale", "a/core scale_out skipped"}, "the cluster is gone"},
		{"done by somebody", func(m *model) { c := m.clusters["c1"]; c.groups["task"] = c.groups["task"][:2] },
			[]string{"a/task scale_in stale", "a/core scale_out skipped"}, "no longer called for: the group has 2 nodes already"},
		{"broken", func(m *model) { m.clusters["c1"].status = provider.StatusBroken },
			[]string{"a/task scale_in held", "a/core scale_out skipped"}, "takes no change"},
		{"busy for too long", func(m *model) {
			m.clusters["c1"].tasks = []*modelTask{{id: "x", ends: time.Now().Add(time.Hour), work: func() []string { return nil }}}
		},
			[]string{"a/task scale_in held", "a/core scale_out skipped"}, "the cloud runs x on the cluster for longer than 5m0s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.wait = 5 * time.Minute
				b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
				plan := b.plan(wanted())
				test.move(b.cloud)
				result := b.apply(t.Context(), plan)
				check(t, "outcomes", states(result.Outcomes), test.state)
				if !strings.Contains(result.Outcomes[0].Detail, test.words) {
					t.Errorf("detail %q does not say %q", result.Outcomes[0].Detail, test.words)
				}
				check(t, "sends", len(b.cloud.sends), 0)
				check(t, "open intents", b.open(), 0)
			})
		})
	}
}

// TestSecondActionIsStale: each send of a cluster is held against live state, not
// only the first.
func TestSecondActionIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
		b.cloud.answer = func(_ int, given provider.Answer) provider.Answer {
			b.cloud.grow(c, "core", 1, 2)
			return given
		}
		result := b.apply(t.Context(), b.planAfter(want("a", growAndShrink)))
		check(t, "outcomes", states(result.Outcomes), []string{"a/task scale_in applied done", "a/core scale_out stale"})
		if d := result.Outcomes[1].Detail; !strings.Contains(d, "was planned from 3 to 5 nodes and would now go from 4 to 5 nodes") {
			t.Errorf("detail %q", d)
		}
		check(t, "sends", len(b.cloud.sends), 1)
	})
}

func TestAnswers(t *testing.T) {
	refuse := func(kind provider.ErrorKind, outcome provider.Outcome, times int) func(int, provider.Answer) provider.Answer {
		return func(n int, given provider.Answer) provider.Answer {
			if n >= times {
				return given
			}
			return provider.Answer{Outcome: outcome, Error: &provider.Error{Kind: kind, Code: "X1", Message: "no"}}
		}
	}
	for _, test := range []struct {
		name    string
		answer  func(int, provider.Answer) provider.Answer
		skip    int // Starts without effect
		outcome string
		started int
	}{
		{"refused for good", refuse(provider.KindQuota, provider.OutcomeRefused, 9), 9, "a/core scale_out failed none", 1},
		{"throttled twice", refuse(provider.KindThrottled, provider.OutcomeRefused, 2), 2, "a/core scale_out applied done", 3},
		{"no connection once", refuse(provider.KindUnavailable, provider.OutcomeUnsent, 1), 1, "a/core scale_out applied done", 2},
		{"throttled for ever", refuse(provider.KindThrottled, provider.OutcomeRefused, 99), 99, "a/core scale_out failed none", resends + 1},
		{"throttled but unknown", refuse(provider.KindThrottled, provider.OutcomeUnknown, 99), 99, "a/core scale_out fell_short none", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 3})
				b.cloud.answer = test.answer
				b.cloud.take = func(n int) bool { return n >= test.skip }
				result := b.apply(t.Context(), b.plan(want("a", `{"node_groups": {"core": {"count": 5}}}`)))
				check(t, "outcome", states(result.Outcomes), []string{test.outcome})
				check(t, "calls of Start", b.cloud.started, test.started)
				check(t, "open intents", b.open(), 0)
			})
		})
	}
}

func TestInterruptBeforeSendSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
		ctx, cancel := context.WithCancel(t.Context())
		plan := b.plan(want("a", growAndShrink))
		a := &Applier{Plan: plan, Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now())}
		a.Report = func(e Event) {
			if e.Outcome != nil && e.Outcome.State == Applied {
				cancel() // after the first of two
			}
		}
		result, err := a.Apply(ctx)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "outcomes", states(result.Outcomes), []string{"a/task scale_in applied done", "a/core scale_out interrupted"})
		check(t, "sends", len(b.cloud.sends), 1)
		check(t, "open intents", b.open(), 0)
	})
}

func TestLockedByAnotherRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		plan := b.plan(want("a", `{"node_groups": {"core": {"count": 5}}}`))
		lease, err := b.store.Lock(t.Context(), b.entry.identity("c1", "").Key(), journal.Holder{User: "eve", Host: "h", PID: 7, Command: "clusterctl apply"})
		if err != nil {
			t.Fatal(err)
		}
		result := b.apply(t.Context(), plan)
		check(t, "outcomes", states(result.Outcomes), []string{"a/core scale_out locked"})
		if d := result.Outcomes[0].Detail; !strings.Contains(d, "eve on h") {
			t.Errorf("the holder is not named: %q", d)
		}
		check(t, "sends", len(b.cloud.sends), 0)
		if err := lease.Unlock(); err != nil {
			t.Fatal(err)
		}
		check(t, "after unlock", states(b.apply(t.Context(), plan).Outcomes), []string{"a/core scale_out applied done"})
	})
}

// TestNewStoreWaitsForLostRequests: what a lost journal knew of may still
// arrive, and longer so when our clock is ahead of the cloud's.
func TestNewStoreWaitsForLostRequests(t *testing.T) {
	const window = 70 * time.Second // accept window and read lag
	for _, test := range []struct {
		name string
		at   func(time.Time) time.Time // the cloud's clock
		wait time.Duration
	}{
		{"the clocks agree", func(at time.Time) time.Time { return at }, window},
		{"the cloud's clock is behind", func(at time.Time) time.Time { return at.Add(-20 * time.Second) }, window + 20*time.Second},
		{"the cloud's clock is ahead", func(at time.Time) time.Time { return at.Add(time.Hour) }, window},
		{"a clock that cannot be", func(time.Time) time.Time { return time.Unix(0, 0) }, window + time.Minute},
		{"the cloud tells no time", func(time.Time) time.Time { return time.Time{} }, window},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 3})
				b.cloud.observe = func(o provider.Observation) provider.Observation { o.At = test.at(o.At); return o }
				var err error
				if b.store, err = journal.OpenFile(t.TempDir(), journal.CreateWait, time.Now()); err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				b.cloud.take = func(int) bool {
					if waited := time.Since(begun); waited < test.wait || waited > test.wait+time.Second {
						t.Errorf("sent after %s, want %s", waited, test.wait)
					}
					return true
				}
				result := b.apply(t.Context(), b.plan(want("a", `{"node_groups": {"core": {"count": 5}}}`)))
				check(t, "outcomes", states(result.Outcomes), []string{"a/core scale_out applied done"})
			})
		})
	}
}

func TestPluginsAreNotTrusted(t *testing.T) {
	for _, test := range []struct {
		name  string
		plan  func(*provider.ClusterPlan)
		words string
	}{
		{"drops a change", func(p *provider.ClusterPlan) { p.Actions = nil }, "node_groups.core.count differs and is neither planned nor blocked"},
		{"covers twice", func(p *provider.ClusterPlan) { p.Actions = append(p.Actions, p.Actions[0]) }, "node_groups.core.count is covered twice"},
		{"touches more", func(p *provider.ClusterPlan) {
			p.Actions[0].Fields = append(p.Actions[0].Fields, provider.FieldChange{Path: "cpu", After: 9})
		}, "covers node_groups.core.cpu, which does not differ"},
		{"another target", func(p *provider.ClusterPlan) { p.Actions[0].To = map[string]int64{"count": 50} }, "goes from 3 to 50 nodes where the change is from 3 to 5"},
		{"another field value", func(p *provider.ClusterPlan) { p.Actions[0].Fields[0].After = int64(6) }, "goes from 3 to 5 nodes where the change is from 3 to 6"},
		{"grows by removing", func(p *provider.ClusterPlan) { p.Actions[0].Removes = []provider.NodeRef{{ID: "n1"}} }, "removes nodes"},
		{"no request", func(p *provider.ClusterPlan) { p.Actions[0].Request = nil }, "has no request"},
		{"no reason", func(p *provider.ClusterPlan) {
			p.Blocked = []provider.Blocked{{Group: "core", Fields: p.Actions[0].Fields}}
			p.Actions = nil
		}, "has no reason"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 3})
			b.cloud.plan = func(r provider.PlanResponse) provider.PlanResponse {
				fields := append([]provider.FieldChange(nil), r.Clusters[0].Actions[0].Fields...)
				r.Clusters[0].Actions[0].Fields = fields
				test.plan(&r.Clusters[0])
				return r
			}
			_, err := (&Planner{Entries: b.entries()}).Plan(t.Context(), []*Cluster{want("a", `{"node_groups": {"core": {"count": 5}}}`)})
			var broke *ContractError
			if !errors.As(err, &broke) || !strings.Contains(err.Error(), test.words) || !strings.Contains(err.Error(), "plugin model") {
				t.Errorf("got %v, want a contract error that says %q", err, test.words)
			}
		})
	}
}

// TestConverges is the property that everything rests on: from any live state
// and any spec, apply reaches the spec, one send per action, and the next plan
// is empty; what the spec does not state is not touched.
func TestConverges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			b := newBench(t)
			var wanted []*Cluster
			for i := range 1 + r.IntN(4) {
				name := fmt.Sprintf("c%d", i)
				live := r.IntN(4) > 0
				if live {
					b.cloud.add("id-"+name, name, map[string]int{"core": r.IntN(6), "task": r.IntN(6)})
				}
				groups := map[string]any{}
				for _, role := range []string{"core", "task"} {
					group := map[string]any{}
					if r.IntN(3) > 0 {
						group["count"] = r.IntN(6)
					}
					if live && r.IntN(3) == 0 {
						group["cpu"] = 2 + r.IntN(2)
					}
					if len(group) > 0 {
						groups[role] = group
					}
				}
				spec, _ := json.Marshal(map[string]any{"node_groups": groups, "note": r.IntN(9)})
				wanted = append(wanted, want(name, string(spec)))
			}
			if r.IntN(3) == 0 {
				b.cloud.answer = func(n int, given provider.Answer) provider.Answer {
					if r.IntN(2) == 0 {
						return provider.Answer{}
					}
					return given
				}
			}
			b.cloud.noHandle, b.cloud.noTasks = r.IntN(4) == 0, r.IntN(4) == 0
			plan := b.plan(wanted...)
			result := b.apply(t.Context(), plan)
			for _, o := range result.Outcomes {
				if o.State != Applied {
					t.Errorf("seed %d: %s: %s", seed, states([]Outcome{o})[0], o.Detail)
				}
			}
			if len(b.cloud.sends) != len(plan.Actions) {
				t.Errorf("seed %d: %d actions, %d sends", seed, len(plan.Actions), len(b.cloud.sends))
			}
			again := b.plan(wanted...)
			if !again.Empty() || b.open() != 0 {
				t.Errorf("seed %d: plan again: %+v", seed, again.Summary)
			}
		})
	}
}
