package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// guardedPlan plans with what history knows.
func (b *bench) guardedPlan(clusters ...*Cluster) *Plan {
	b.t.Helper()
	intents, _, err := b.store.Open()
	if err != nil {
		b.t.Fatal(err)
	}
	p := &Planner{Entries: b.entries(), SpecDigest: "sha256:spec", Intents: intents, AllowShrink: true, Last: b.store.Last, History: b.store.History}
	plan, err := p.Plan(b.t.Context(), clusters)
	if err != nil {
		b.t.Fatal(err)
	}
	return plan
}

// ruled is a cluster with counts and rules, as in `{"protect": true}`.
func ruled(t testing.TB, address, counts, rules string) *Cluster {
	t.Helper()
	c := want(address, `{"node_groups": `+counts+`}`)
	var err error
	if c.Rules, err = ReadRules([]byte(rules)); err != nil {
		t.Fatal(err)
	}
	return c
}

// guardWords are the plan's guards and denials, "a/core protect set".
func guardWords(p *Plan) (guards, denied []string) {
	for _, g := range p.Guards {
		guards = append(guards, g.Address+" "+g.String()+" "+g.Source)
	}
	for _, d := range p.Denied {
		denied = append(denied, d.Address+" "+d.Guard+" "+d.Source)
	}
	return guards, denied
}

// Each rule refuses what it is about, and only that.
func TestGuardsDeny(t *testing.T) {
	for _, test := range []struct {
		name, counts, rules string
		denied              []string
	}{
		{"no rule", `{"core": {"count": 3}, "task": {"count": 2}}`, ``, nil},
		{"a protected cluster", `{"core": {"count": 4}, "task": {"count": 2}}`, `{"protect": true}`,
			[]string{"a/task protect fleet.cue:protect", "a/core protect fleet.cue:protect"}},
		{"a protected group", `{"core": {"count": 4}, "task": {"count": 2}}`, `{"node_groups": {"core": {"protect": true}}}`,
			[]string{"a/core protect fleet.cue:node_groups.core.protect"}},
		{"growing is no removal", `{"core": {"count": 9}}`, `{"protect": true, "max_removed": {"count": 0, "per": "1h"}}`, nil},
		{"smaller nodes", `{"core": {"cpu": 1}}`, `{"protect": true}`, []string{"a/core protect fleet.cue:protect"}},
		{"larger nodes", `{"core": {"cpu": 4}}`, `{"protect": true}`, nil},
		{"smaller nodes are not removed", `{"core": {"cpu": 1}}`, `{"max_removed": {"count": 0, "per": "1h"}}`, nil},
		{"within the group's budget", `{"core": {"count": 3}}`, `{"node_groups": {"core": {"max_removed": {"count": 2, "per": "1h"}}}}`, nil},
		{"over the group's budget", `{"core": {"count": 2}}`, `{"node_groups": {"core": {"max_removed": {"count": 2, "per": "1h"}}}}`,
			[]string{"a/core max_removed fleet.cue:node_groups.core.max_removed"}},
		{"over the cluster's in sum", `{"core": {"count": 4}, "task": {"count": 2}}`, `{"max_removed": {"count": 2, "per": "1h"}}`,
			[]string{"a/core max_removed fleet.cue:max_removed"}},
		{"another group's budget", `{"core": {"count": 2}}`, `{"node_groups": {"task": {"max_removed": {"count": 0, "per": "1h"}}}}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 5, "task": 4})
			_, denied := guardWords(b.guardedPlan(ruled(t, "a", test.counts, test.rules)))
			check(t, "denied", denied, test.denied)
		})
	}
}

// Taking the line out together with the shrink does not lift a guard; a plan
// that only lifts it does, once it was applied.
func TestGuardOutlivesItsLine(t *testing.T) {
	for _, test := range []struct{ name, rules, looser, set, denied, lifted string }{
		{"protect", `{"protect": true}`, ``, "a protect set fleet.cue:protect", "a/core protect fleet.cue:protect", "a protect lifted fleet.cue:protect"},
		{"protect of a group", `{"node_groups": {"core": {"protect": true}}}`, ``, "a/core core protect set fleet.cue:node_groups.core.protect",
			"a/core protect fleet.cue:node_groups.core.protect", "a/core core protect lifted fleet.cue:node_groups.core.protect"},
		{"a budget", `{"max_removed": {"count": 0, "per": "1h"}}`, ``, "a max_removed set to 0 nodes in 1h fleet.cue:max_removed",
			"a/core max_removed fleet.cue:max_removed", "a max_removed of 0 nodes in 1h lifted fleet.cue:max_removed"},
		{"a looser budget", `{"max_removed": {"count": 0, "per": "1h"}}`, `{"max_removed": {"count": 5, "per": "1h"}}`, "a max_removed set to 0 nodes in 1h fleet.cue:max_removed",
			"a/core max_removed fleet.cue:max_removed", "a max_removed changed from 0 nodes in 1h to 5 nodes in 1h fleet.cue:max_removed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 5})
				const five, three = `{"core": {"count": 5}}`, `{"core": {"count": 3}}`
				setting := b.guardedPlan(ruled(t, "a", five, test.rules))
				guards, denied := guardWords(setting)
				check(t, "first plan", guards, []string{test.set})
				check(t, "denied at first", len(denied), 0)
				if setting.Empty() {
					t.Error("a plan with a guard counts as empty")
				}
				result := b.apply(t.Context(), setting)
				check(t, "written", len(result.Guards), 1)
				if again := b.guardedPlan(ruled(t, "a", five, test.rules)); !again.Empty() {
					t.Errorf("plan again: %+v", again.Guards)
				}

				both := b.guardedPlan(ruled(t, "a", three, test.looser))
				guards, denied = guardWords(both)
				check(t, "lifted with the shrink", guards, []string{test.lifted})
				check(t, "denied with the shrink", denied, []string{test.denied})
				if len(both.Denied) == 0 || !strings.Contains(both.Denied[0].Reason, "take the removal or downsizing out, apply, then put it back") {
					t.Errorf("reasons: %+v", both.Denied)
				}

				lifting := b.guardedPlan(ruled(t, "a", five, test.looser))
				guards, denied = guardWords(lifting)
				check(t, "only lifted", guards, []string{test.lifted})
				check(t, "denied when only lifted", len(denied), 0)
				b.apply(t.Context(), lifting)
				check(t, "sends", len(b.cloud.sends), 0)
				shrink := b.guardedPlan(ruled(t, "a", three, test.looser))
				check(t, "denied after lifting", len(shrink.Denied)+len(shrink.Guards), 0)
				check(t, "outcome", states(b.apply(t.Context(), shrink).Outcomes), []string{"a/core scale_in applied done"})
			})
		})
	}
}

// A stricter budget is set, and both are kept until the plan was applied.
func TestStricterBudgetIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 5})
		b.apply(t.Context(), b.guardedPlan(ruled(t, "a", `{"core": {"count": 5}}`, `{"max_removed": {"count": 3, "per": "1d"}}`)))
		plan := b.guardedPlan(ruled(t, "a", `{"core": {"count": 3}}`, `{"max_removed": {"count": 1, "per": "1w"}}`))
		guards, denied := guardWords(plan)
		check(t, "guards", guards, []string{"a max_removed changed from 3 nodes in 1d to 1 node in 1w fleet.cue:max_removed"})
		check(t, "change", plan.Guards[0].Change, GuardSet)
		check(t, "denied", denied, []string{"a/core max_removed fleet.cue:max_removed"})
	})
}

// Budgets count what was removed over time, whichever plan did it.
func TestBudgetsCountHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.entry.MaxRemoved, b.entry.Source = &Budget{Count: 3, Per: "1d"}, "fleet.cue:4:2"
		b.cloud.add("c1", "a", map[string]int{"core": 9})
		b.cloud.add("c2", "b", map[string]int{"core": 9})
		shrink := func(address string, n int) *Plan {
			return b.guardedPlan(ruled(t, address, fmt.Sprintf(`{"core": {"count": %d}}`, n), ``))
		}
		first := shrink("a", 7)
		set := append(first.Guards, Guard{})[0]
		check(t, "guards", set.String()+" at "+set.Source, "max_removed set to 3 nodes in 1d at fleet.cue:4:2")
		b.apply(t.Context(), first)
		second := shrink("b", 7)
		_, denied := guardWords(second)
		check(t, "2 more", denied, []string{"b/core max_removed fleet.cue:4:2"})
		check(t, "reason", fmt.Sprint(append(second.Denied, Denied{})[0].Reason), "removes 2 nodes; with the 2 removed or planned before it in 1d that is more than the 3 that the account of providers entry m may lose")
		check(t, "1 more", len(shrink("b", 8).Denied), 0)
		check(t, "growing", len(shrink("a", 9).Denied), 0)
		time.Sleep(24 * time.Hour)
		check(t, "a day later", len(shrink("b", 7).Denied), 0)
	})
}

// A guard that came after the plan was made is kept at the last moment.
func TestGuardAfterThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 5, "task": 3})
		shrink := b.guardedPlan(ruled(t, "a", `{"core": {"count": 3}, "task": {"count": 4}}`, ``))
		b.apply(t.Context(), b.guardedPlan(ruled(t, "a", `{"core": {"count": 5}}`, `{"node_groups": {"core": {"protect": true}}}`)))
		result := b.apply(t.Context(), shrink)
		var refused *Outcome
		for i := range result.Outcomes {
			if result.Outcomes[i].Address == "a/core" {
				refused = &result.Outcomes[i]
			}
		}
		check(t, "state", refused.State, Refused)
		if !strings.Contains(refused.Detail, "denied by guard protect (fleet.cue:node_groups.core.protect): removes 2 of 5 nodes") {
			t.Errorf("detail: %s", refused.Detail)
		}
		check(t, "open", b.open(), 0)
		for _, s := range b.cloud.sends {
			if strings.Contains(s, "scale_in") {
				t.Errorf("sent %s", s)
			}
		}
	})
}

// The guards of a cluster that is created are recorded under the id it gets.
func TestGuardsOfANewCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		cluster := ruled(t, "a", `{"core": {"count": 3}}`, `{"protect": true}`)
		result := b.apply(t.Context(), b.guardedPlan(cluster))
		check(t, "written", len(result.Guards), 1)
		if again := b.guardedPlan(cluster); !again.Empty() {
			t.Errorf("plan again: %d actions, %+v", len(again.Actions), again.Guards)
		}
		_, denied := guardWords(b.guardedPlan(ruled(t, "a", `{"core": {"count": 1}}`, ``)))
		check(t, "denied", denied, []string{"a/core protect fleet.cue:protect"})
	})
}

// Whatever people ask for, in whatever order: no protected node goes, and no
// window sees more removals than the budget that was in force all through it.
func TestGuardsHoldInAnyOrder(t *testing.T) {
	seeds := 60
	if testing.Short() || raceDetector {
		seeds = 10
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 4))
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 12})
			count := 12
			var inForce *Rules // as of the last plan that was applied
			type loss struct {
				at time.Time
				n  int64
			}
			var losses []loss
			for range 14 {
				if r.IntN(2) == 0 {
					count = max(1, count+r.IntN(9)-5)
				}
				rules := []string{``, `{"protect": true}`, `{"max_removed": {"count": 2, "per": "2h"}}`, `{"max_removed": {"count": 4, "per": "1h"}}`}[r.IntN(4)]
				cluster := ruled(t, "a", fmt.Sprintf(`{"core": {"count": %d}}`, count), rules)
				plan := b.guardedPlan(cluster)
				before := len(b.cloud.clusters["c1"].groups["core"])
				if len(plan.Denied) == 0 {
					b.apply(t.Context(), plan)
				} else {
					count = before
				}
				lost := before - len(b.cloud.clusters["c1"].groups["core"])
				if lost > 0 {
					losses = append(losses, loss{time.Now(), int64(lost)})
					for _, rules := range []*Rules{inForce, &cluster.Rules} {
						if rules == nil {
							continue
						}
						if rules.Protect {
							t.Fatalf("seed %d: %d nodes went although %+v", seed, lost, rules)
						}
						if m := rules.MaxRemoved; m != nil {
							var n int64
							for _, l := range losses {
								if time.Since(l.at) < m.Per.length() {
									n += l.n
								}
							}
							if n > m.Count {
								t.Fatalf("seed %d: %d nodes went in %s although %s", seed, n, m.Per, m)
							}
						}
					}
				}
				if len(plan.Denied) == 0 {
					inForce = &cluster.Rules
				}
				time.Sleep(time.Duration(r.IntN(90)) * time.Minute)
			}
		})
	}
}

// A damaged history decides nothing: with a budget the plan is refused.
func TestBudgetNeedsHistory(t *testing.T) {
	b := newBench(t)
	b.cloud.add("c1", "a", map[string]int{"core": 5})
	p := &Planner{Entries: b.entries(), AllowShrink: true, Last: b.store.Last,
		History: func(func(journal.Record) bool) error { return fmt.Errorf("line 3 was changed") }}
	if _, err := p.Plan(t.Context(), []*Cluster{ruled(t, "a", `{"core": {"count": 3}}`, `{"max_removed": {"count": 9, "per": "1h"}}`)}); err == nil || !strings.Contains(err.Error(), "history cannot be read") {
		t.Errorf("got %v", err)
	}
	if _, err := p.Plan(t.Context(), []*Cluster{ruled(t, "a", `{"core": {"count": 3}}`, ``)}); err != nil {
		t.Errorf("without a budget: %v", err)
	}
}

// What fell short counts as far as history names the nodes, else in full.
func TestReadRemovals(t *testing.T) {
	record := func(verdict journal.Verdict, names int) journal.Record {
		return journal.Record{Intent: journal.Intent{Op: provider.OpScaleIn, K: 5, Identity: journal.Identity{Plugin: "p", ID: "c1"}, Group: "core"}, Verdict: verdict, At: time.Unix(100, 0), Removed: make([]journal.Node, names)}
	}
	all := []journal.Record{record(journal.Done, 5), record(journal.Partial, 2), record(journal.Partial, 0), record(journal.Drifted, 0), record(journal.None, 0),
		{Intent: journal.Intent{Op: provider.OpScaleOut, K: 7}, Verdict: journal.Done, At: time.Unix(100, 0)}}
	got, err := readRemovals(func(f func(journal.Record) bool) error {
		for _, r := range all {
			f(r)
		}
		return nil
	}, []journal.Intent{{Op: provider.OpScaleIn, K: 1, Identity: journal.Identity{Plugin: "p", ID: "c1"}, SignedAt: time.Unix(100, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "in the cluster", got.within(journal.Identity{Plugin: "p", ID: "c1"}, "", time.Unix(99, 0)), int64(5+2+5+5+1))
	check(t, "in the group", got.within(journal.Identity{Plugin: "p", ID: "c1"}, "core", time.Unix(99, 0)), int64(5+2+5+5))
	check(t, "in another", got.within(journal.Identity{Plugin: "p", ID: "c2"}, "", time.Unix(99, 0)), int64(0))
	check(t, "since then", got.within(journal.Identity{Plugin: "p"}, "", time.Unix(100, 0)), int64(1)) // what is open may still go
}
