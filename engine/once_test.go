package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// planAfter plans with the journal's history, as apply does.
func (b *bench) planAfter(clusters ...*Cluster) *Plan {
	b.t.Helper()
	intents, corrupt, err := b.store.Open()
	if err != nil {
		b.t.Fatal(err)
	}
	plan, err := (&Planner{Entries: b.entries(), Intents: intents, Corrupt: corrupt, Last: b.store.Last}).Plan(b.t.Context(), clusters)
	if err != nil {
		b.t.Fatal(err)
	}
	return plan
}

// TestPlanActsOnce: a plan that was applied is refused even when somebody has
// undone what it did, so that the cluster looks as it did before; a new plan
// is not.
func TestPlanActsOnce(t *testing.T) {
	for _, test := range []struct {
		name   string
		wanted *Cluster
		undo   func(*model)
		first  string
		second string
	}{
		{"scale out", want("a", toFive), func(m *model) { c := m.clusters["c1"]; c.groups["core"] = c.groups["core"][:3] },
			"a/core scale_out applied done", "a/core scale_out stale"},
		{"create", want("new", `{"node_groups": {"core": {"count": 2}}}`), func(m *model) {
			for id, c := range m.clusters {
				if c.name == "new" {
					delete(m.clusters, id)
				}
			}
		}, "new create applied done", "new create stale"},
	} {
		for _, knows := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, history known to the planner: %v", test.name, knows), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t)
					b.cloud.add("c1", "a", map[string]int{"core": 3})
					plan := b.planAfter(test.wanted)
					if !knows {
						plan = b.plan(test.wanted)
					}
					check(t, "first", states(b.apply(t.Context(), plan).Outcomes), []string{test.first})
					test.undo(b.cloud)
					again := b.apply(t.Context(), plan)
					check(t, "again", states(again.Outcomes), []string{test.second})
					if d := again.Outcomes[0].Detail; !strings.Contains(d, "this plan's") || !strings.Contains(d, "ended as done") {
						t.Errorf("detail %q does not say that the plan was applied", d)
					}
					check(t, "sends", len(b.cloud.sends), 1)
					fresh := b.planAfter(test.wanted)
					if !knows {
						// What saving does where there is no store.
						fresh = b.plan(test.wanted)
						fresh.Nonce = "another approval"
						if err := fresh.Seal(); err != nil {
							t.Fatal(err)
						}
					}
					check(t, "a new plan", states(b.apply(t.Context(), fresh).Outcomes), []string{test.first})
				})
			})
		}
	}
}

// failing is a store whose writes fail from the n-th on.
type failing struct {
	journal.Store
	puts, closes int // that succeed
	put, closed  int
}

type failingLease struct {
	journal.Lease
	store *failing
}

func (f *failing) Lock(ctx context.Context, key string, holder journal.Holder) (journal.Lease, error) {
	lease, err := f.Store.Lock(ctx, key, holder)
	return &failingLease{lease, f}, err
}

func (l *failingLease) Put(in journal.Intent) error {
	if l.store.put++; l.store.put > l.store.puts {
		return errDisk
	}
	return l.Lease.Put(in)
}

func (l *failingLease) Close(r journal.Record) error {
	if l.store.closed++; l.store.closed > l.store.closes {
		return errDisk
	}
	return l.Lease.Close(r)
}

var errDisk = errors.New("no space left on device")

// TestJournalThatCannotBeWritten: no intent, no send; and a verdict that could
// not be written permits nothing further.
func TestJournalThatCannotBeWritten(t *testing.T) {
	refused := func(int, provider.Answer) provider.Answer {
		return provider.Answer{Outcome: provider.OutcomeRefused, Error: provider.Errorf(provider.KindThrottled, "slowly")}
	}
	for _, test := range []struct {
		name         string
		puts, closes int
		answer       func(int, provider.Answer) provider.Answer
		outcomes     []string
		started      int
		open         int
		next         []string
	}{
		{"the intent", 0, 9, nil, []string{"a/task scale_in failed", "a/core scale_out skipped"}, 0, 0, []string{}},
		{"the answer", 1, 9, nil, []string{"a/task scale_in applied done", "a/core scale_out failed"}, 1, 0, []string{}},
		{"the verdict", 9, 0, nil, []string{"a/task scale_in unknown done", "a/core scale_out skipped"}, 1, 1, []string{"a/task scale_in applied done"}},
		{"the refusal", 9, 0, refused, []string{"a/task scale_in failed none", "a/core scale_out skipped"}, 1, 1, []string{"a/task scale_in fell_short none"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
				b.cloud.answer = test.answer
				b.cloud.take = func(int) bool { return test.answer == nil }
				plan := b.plan(want("a", growAndShrink))
				a := &Applier{Plan: plan, Entries: b.entries(), Store: &failing{Store: b.store, puts: test.puts, closes: test.closes}, Holder: journal.Self("test", time.Now())}
				result, err := a.Apply(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				check(t, "outcomes", states(result.Outcomes), test.outcomes)
				check(t, "calls of Start", b.cloud.started, test.started)
				check(t, "open intents", b.open(), test.open)
				intents, _, _ := b.store.Open()
				settler := &Applier{Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now())}
				check(t, "settled by the next run", states(settler.SettleOpen(t.Context(), intents)), test.next)
				check(t, "calls of Start", b.cloud.started, test.started)
			})
		})
	}
}

// TestTwoKeysOneCluster: what two keys want of one cluster is not planned on
// one and the same read.
func TestTwoKeysOneCluster(t *testing.T) {
	byID := want("by-id", toFive)
	byID.ID = "c1"
	other := want("b", toFive)
	other.Name = "new"
	for _, test := range []struct {
		name     string
		clusters []*Cluster
		summary  Summary
	}{
		{"by name and by id", []*Cluster{want("a", `{"node_groups": {"core": {"count": 7}}}`), byID}, Summary{Blocked: 2, Clusters: 2, Cost: []provider.Price{}}},
		{"one of them is as wanted", []*Cluster{want("a", `{"node_groups": {"core": {"count": 3}}}`), byID}, Summary{ScaleOut: 1, Unchanged: 1, Clusters: 2, Unpriced: 1, Cost: []provider.Price{}}},
		{"two new ones of a name", []*Cluster{other, want("new", toFive)}, Summary{Blocked: 2, Clusters: 2, Cost: []provider.Price{}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 3})
			plan := b.plan(test.clusters...)
			check(t, "summary", plan.Summary, test.summary)
			if test.summary.Blocked > 0 && !strings.Contains(plan.Blocked[0].Reason, plan.Blocked[1].Address) {
				t.Errorf("the other key is not named: %s", plan.Blocked[0].Reason)
			}
		})
	}
}

// TestOneNameOfTwoClusters: a run does not take its own lock on a name for
// another run's.
func TestOneNameOfTwoClusters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "prod", map[string]int{"core": 3})
		b.cloud.add("c2", "x", map[string]int{"core": 3})
		byID := want("x", toFive) // its key is the other one's name
		byID.ID = "c1"
		byName := want("y", toFive)
		byName.Name = "x"
		result := b.apply(t.Context(), b.plan(byID, byName))
		check(t, "outcomes", states(result.Outcomes), []string{"x/core scale_out applied done", "y/core scale_out applied done"})
	})
}

// TestOpenIntentUnderAnotherName: a create of which nothing is known blocks its
// cluster also for a spec that names it by id.
func TestOpenIntentUnderAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		b.cloud.answer = func(_ int, given provider.Answer) provider.Answer { cancel(); return provider.Answer{} }
		created := b.plan(want("new", `{"node_groups": {"core": {"count": 2}}}`))
		check(t, "create", states(b.apply(ctx, created).Outcomes), []string{"new create unknown"})
		b.cloud.answer = nil
		time.Sleep(time.Minute) // the job ends
		byID := want("by-id", toFive)
		for id := range b.cloud.clusters {
			byID.ID = id
		}
		blocked := b.plan(byID)
		check(t, "actions", len(blocked.Actions), 0)
		check(t, "open intents", len(blocked.OpenIntents), 1)
		// A plan that was made before the intent came finds it as well.
		unaware, err := (&Planner{Entries: b.entries()}).Plan(t.Context(), []*Cluster{byID})
		if err != nil {
			t.Fatal(err)
		}
		result := b.apply(t.Context(), unaware)
		check(t, "settled", states(result.Settled), []string{"new create applied done"})
		check(t, "outcomes", states(result.Outcomes), []string{"by-id/core scale_out applied done"})
		check(t, "open intents", b.open(), 0)
	})
}

// TestCorruptIntentBlocksItsClusterOnly, whether the spec names it by id or by
// name.
func TestCorruptIntentBlocksItsClusterOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		b.cloud.add("c2", "b", map[string]int{"core": 3})
		saved := b.plan(want("a", toFive), want("b", toFive))
		path := filepath.Join(b.store.Dir(), "open", b.entry.identity("c1", "").Key()+".json")
		if err := os.WriteFile(path, []byte(`{"sum":"x","intent":{}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		plan := b.plan(want("a", toFive), want("b", toFive))
		check(t, "summary", plan.Summary, Summary{ScaleOut: 1, Clusters: 2, Unpriced: 1, Cost: []provider.Price{}})
		check(t, "open intents", len(plan.OpenIntents), 1)
		result := b.apply(t.Context(), saved)
		check(t, "outcomes", states(result.Outcomes), []string{"a/core scale_out held", "b/core scale_out applied done"})
	})
}

// TestInterruptAfterTheRead: the last moment to stop is before the intent.
func TestInterruptAfterTheRead(t *testing.T) {
	for range 20 { // Go picks among what is ready by chance
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 3})
			saved := b.plan(want("a", toFive))
			ctx, cancel := context.WithCancel(t.Context())
			b.cloud.plan = func(r provider.PlanResponse) provider.PlanResponse { cancel(); return r }
			check(t, "outcomes", states(b.apply(ctx, saved).Outcomes), []string{"a/core scale_out interrupted"})
			check(t, "calls of Start", b.cloud.started, 0)
			check(t, "open intents", b.open(), 0)
		})
	}
}

// TestInterruptDoesNotCutASend: the request that is under way gets its answer.
func TestInterruptDoesNotCutASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		ctx, cancel := context.WithCancel(t.Context())
		slow := &slowly{b.cloud, cancel}
		b.entry.Provider = slow
		result := b.apply(ctx, b.plan(want("a", toFive)))
		check(t, "outcomes", states(result.Outcomes), []string{"a/core scale_out unknown"})
		intents, _, err := b.store.Open()
		if err != nil || len(intents) != 1 || intents[0].Answer == nil || intents[0].Answer.Outcome != provider.OutcomeAccepted {
			t.Errorf("the answer was not recorded: %+v %v", intents, err)
		}
	})
}

// slowly is a model whose Start takes a second, in which the user interrupts.
type slowly struct {
	*model
	cancel context.CancelFunc
}

func (s *slowly) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	if !req.CheckOnly {
		s.cancel()
		if !sleep(ctx, time.Second) {
			return provider.Answer{}
		}
	}
	return s.model.Start(ctx, req)
}

// TestImpurePlan: a provider that plans the same input differently is stale at
// the send.
func TestImpurePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		n := 0
		b.cloud.plan = func(r provider.PlanResponse) provider.PlanResponse {
			n++
			r.Clusters[0].Actions[0].Request, _ = json.Marshal(modelRequest{Op: provider.OpScaleOut, Cluster: "c1", Group: "core", Count: int64(n)})
			return r
		}
		result := b.apply(t.Context(), b.plan(want("a", toFive)))
		check(t, "outcomes", states(result.Outcomes), []string{"a/core scale_out stale"})
		check(t, "calls of Start", b.cloud.started, 0)
	})
}

// TestLongRetryAfterIsNotWaitedFor: no longer than for a busy cluster.
func TestLongRetryAfterIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		b.cloud.take = func(int) bool { return false }
		b.cloud.answer = func(int, provider.Answer) provider.Answer {
			return provider.Answer{Outcome: provider.OutcomeRefused, Error: &provider.Error{Kind: provider.KindThrottled, RetryAfter: 24 * time.Hour}}
		}
		begun := time.Now()
		check(t, "outcomes", states(b.apply(t.Context(), b.plan(want("a", toFive))).Outcomes), []string{"a/core scale_out failed none"})
		if took := time.Since(begun); took > time.Hour {
			t.Errorf("waited for %s", took)
		}
	})
}

// TestSecretsStayOut: a cloud that repeats a secret in its refusal does not
// bring it into outcomes, events or the journal.
func TestSecretsStayOut(t *testing.T) {
	const password = "Correct-Horse-7"
	for _, atCheck := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 3})
			b.cloud.plan = func(r provider.PlanResponse) provider.PlanResponse {
				r.Clusters[0].Actions[0].Secrets = []string{"password"}
				return r
			}
			echo := provider.Answer{Outcome: provider.OutcomeRefused, Error: provider.Errorf(provider.KindInvalid, "password %s is too plain", password)}
			b.cloud.answer = func(int, provider.Answer) provider.Answer { return echo }
			wanted := want("a", `{"password": {"env": "CCTL_SECRET_X"}, "node_groups": {"core": {"count": 5}}}`)
			wanted.Meanings = provider.Meanings{"password": provider.Secret}
			if atCheck {
				b.entry.Provider = &checking{b.cloud, echo}
			}
			var said []string
			a := &Applier{Plan: b.plan(wanted), Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now()),
				Secret: func(Values) (string, error) { return password, nil },
				Report: func(e Event) { said = append(said, e.Text) }}
			result, err := a.Apply(t.Context())
			if (err != nil) != atCheck {
				t.Fatal(err)
			}
			history, _ := os.ReadFile(filepath.Join(b.store.Dir(), "history.jsonl"))
			all, _ := json.Marshal([]any{result, said, string(history)})
			if text := string(all); strings.Contains(text, password) || err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("the password is told: %s %v", text, err)
			}
		})
	}
}

// TestNoSecretInAnError: not in what an error wraps either, where its text would
// show again once somebody unwraps or prints it.
func TestNoSecretInAnError(t *testing.T) {
	const canary = "Correct-Horse-7"
	deep := fmt.Errorf("status 400: %w", errors.New("body: password="+canary))
	given := &provider.Error{Kind: provider.KindInvalid, Code: "X1", Message: "password " + canary + " is too plain", Err: deep}
	entry := &Entry{Provider: &checking{newModel(), provider.Answer{Outcome: provider.OutcomeRefused, Error: given}}}
	answer := start(t.Context(), entry, provider.StartRequest{CheckOnly: true, Secrets: map[string]string{"password": canary, "unset": ""}})
	check(t, "answer", answer, provider.Answer{Outcome: provider.OutcomeRefused,
		Error: &provider.Error{Kind: provider.KindInvalid, Code: "X1", Message: "password (secret) is too plain"}})
	for err := error(answer.Error); err != nil; err = errors.Unwrap(err) {
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, canary) {
			t.Errorf("the password is told by %T", err)
		}
	}
}

// checking refuses every check.
type checking struct {
	*model
	answer provider.Answer
}

func (c *checking) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	if req.CheckOnly {
		return c.answer
	}
	return c.model.Start(ctx, req)
}

// TestPlansThatDoNotHangTogether are refused before anything is read.
func TestPlansThatDoNotHangTogether(t *testing.T) {
	for _, test := range []struct {
		name  string
		edit  func(*Plan)
		words string
	}{
		{"a cluster without actions", func(p *Plan) { p.Actions = nil }, "cluster a has no action"},
		{"an action without its cluster", func(p *Plan) { p.Clusters = nil }, `cluster "a", which is not in it`},
		{"an action of another entry", func(p *Plan) { p.Actions[0].Provider = "other" }, "not in it as such"},
		{"an action twice", func(p *Plan) { p.Actions = append(p.Actions, p.Actions[0]) }, "twice"},
		{"a cluster twice", func(p *Plan) { p.Clusters = append(p.Clusters, p.Clusters[0]) }, "twice"},
		{"an action on another cluster than the spec means", func(p *Plan) { p.Clusters[0].Desired.ID = "c2" }, "action a1 is about cluster c1, and a is wanted of c2"},
		{"a create of what is there", func(p *Plan) { p.Actions[0].Op = provider.OpCreate }, "creates a cluster that is there"},
		{"an action without its cluster's id", func(p *Plan) { p.Actions[0].ClusterID = "" }, "does not say which cluster"},
		{"an entry that does not run", func(p *Plan) { p.Clusters[0].Provider, p.Actions[0].Provider = "x", "x" }, `"x"`},
		{"a denied action", func(p *Plan) { p.Denied = []Denied{{Address: "a/core", Guard: "shrink"}} }, "guard shrink denies a/core"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 3})
			plan := b.plan(want("a", toFive))
			test.edit(plan)
			_, err := (&Applier{Plan: plan, Entries: b.entries(), Store: b.store}).Apply(t.Context())
			if !errors.Is(err, ErrNotAPlan) || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %v, want one that says %q", err, test.words)
			}
			check(t, "calls of Start", b.cloud.started, 0)
		})
	}
}
