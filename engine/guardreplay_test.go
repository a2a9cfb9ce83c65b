package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// refused applies a plan that must be refused as stale before anything is written.
func (b *bench) refused(plan *Plan) {
	b.t.Helper()
	a := &Applier{Plan: plan, Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now()), Wait: b.wait}
	_, err := a.Apply(b.t.Context())
	var stale *StaleError
	if !errors.As(err, &stale) {
		b.t.Errorf("applied a plan that is stale: %v", err)
	}
}

const fiveCore, threeCore = `{"core": {"count": 5}}`, `{"core": {"count": 3}}`

// A plan that lifts a guard lifts the one that it was made after, and that once.
func TestLiftActsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 5})
		free, kept := ruled(t, "a", fiveCore, ``), ruled(t, "a", fiveCore, `{"protect": true}`)
		b.apply(t.Context(), b.guardedPlan(kept))
		lift, other := b.guardedPlan(free), b.guardedPlan(free)
		check(t, "written", len(b.apply(t.Context(), lift).Guards), 1)
		check(t, "written when there is nothing to lift", len(b.apply(t.Context(), other).Guards), 0)
		b.apply(t.Context(), b.guardedPlan(kept))
		b.refused(lift)
		b.refused(other)
		_, denied := guardWords(b.guardedPlan(ruled(t, "a", threeCore, ``)))
		check(t, "denied", denied, []string{"a/core protect fleet.cue:protect"})
		lift = b.guardedPlan(free)
		check(t, "written by a new plan", len(b.apply(t.Context(), lift).Guards), 1)
	})
}

// An older plan, and one that was made without history, loosens no budget.
func TestSettingLoosensNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 5})
		wide, tight := ruled(t, "a", fiveCore, `{"max_removed": {"count": 9, "per": "1d"}}`), ruled(t, "a", fiveCore, `{"max_removed": {"count": 1, "per": "1d"}}`)
		old := b.guardedPlan(wide)
		b.apply(t.Context(), old)
		b.apply(t.Context(), b.guardedPlan(tight))
		b.refused(old)
		b.refused(b.plan(wide))
		b.refused(b.plan(ruled(t, "a", threeCore, `{"max_removed": {"count": 9, "per": "1d"}}`)))
		check(t, "sends", len(b.cloud.sends), 0)
		check(t, "written by a plan that loosens nothing", len(b.apply(t.Context(), b.plan(tight)).Guards), 0)
	})
}

// What a plan lifts holds for its own actions, also when it is needed only now.
func TestLiftedHoldsForItsOwnPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 5})
		b.cloud.add("c2", "b", map[string]int{"core": 5})
		budget := func(n int64) { b.entry.MaxRemoved, b.entry.Source = &Budget{Count: n, Per: "1d"}, "fleet.cue:4:2" }
		budget(2)
		b.apply(t.Context(), b.guardedPlan(ruled(t, "a", fiveCore, ``)))
		other := b.guardedPlan(ruled(t, "b", threeCore, ``))
		budget(4)
		both := b.guardedPlan(ruled(t, "a", threeCore, ``))
		check(t, "denied", len(both.Denied), 0)
		budget(2)
		b.apply(t.Context(), other)
		budget(4)
		check(t, "state", b.apply(t.Context(), both).Outcomes[0].State, Refused)
		check(t, "sends", len(b.cloud.sends), 1)
	})
}

// A removal that is not settled counts however long ago it was sent.
func TestOpenRemovalsCount(t *testing.T) {
	got, err := readRemovals(func(func(journal.Record) bool) error { return nil },
		[]journal.Intent{{Op: "scale_in", K: 2, SignedAt: time.Unix(100, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "much later", got.within(journal.Identity{}, "", time.Unix(1e6, 0)), int64(2))
}

// Another spelling of where a cloud is reached leads to the same locks and guards.
func TestEndpointHasOneSpelling(t *testing.T) {
	for endpoint, want := range map[string]string{
		"": "", "https://mrs.cn-north-4.cloud.test": "", "https://CLOUD.test:443/": "",
		"https://notcloud.test": "https://notcloud.test", "HTTPS://Other.Test:443/": "https://other.test",
		"http://127.0.0.1:8080/": "http://127.0.0.1:8080", "http://127.0.0.1:443": "http://127.0.0.1:443",
		"http://[::1]:80": "http://[::1]", "https://[::1]:8443/": "https://[::1]:8443",
	} {
		e := &Entry{Endpoint: endpoint, Description: &provider.Description{Name: "p", Domains: []string{"cloud.test"}}}
		check(t, endpoint, e.identity("c1", "").Endpoint, want)
	}
}

// Two entries of one account, and two keys of one cluster, state their guards
// together: what one says the other does not lift.
func TestGuardsAreStatedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 5})
		other := *b.entry
		other.Name, b.entry.MaxRemoved = "n", &Budget{Count: 2, Per: "1d"}
		other.MaxRemoved = &Budget{Count: 5, Per: "1d"} // looser: it does not count
		entries := map[string]*Entry{"m": b.entry, "n": &other}
		kept, free := ruled(t, "a", fiveCore, `{"protect": true, "max_removed": {"count": 1, "per": "1w"}}`), ruled(t, "b", fiveCore, `{"max_removed": {"count": 3, "per": "1d"}}`)
		kept.ID, free.ID, free.Name, free.Entry = "c1", "c1", "a", "n"
		plan := func() (*Plan, error) {
			p := &Planner{Entries: entries, AllowShrink: true, Last: b.store.Last, History: b.store.History}
			return p.Plan(t.Context(), []*Cluster{kept, free})
		}
		first, err := plan()
		if err != nil {
			t.Fatal(err)
		}
		a := &Applier{Plan: first, Entries: entries, Store: b.store, Holder: journal.Self("test", time.Now()), Wait: b.wait}
		if _, err := a.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		again, err := plan()
		if err != nil {
			t.Fatal(err)
		}
		guards, _ := guardWords(again)
		check(t, "planned again", len(guards), 0)
		free.Spec = want("b", `{"node_groups": `+threeCore+`}`).Spec
		shrink, err := plan()
		if err != nil {
			t.Fatal(err)
		}
		_, denied := guardWords(shrink)
		check(t, "denied", denied, []string{"b/core protect fleet.cue:protect", "b/core max_removed fleet.cue:max_removed"})
		free.Rules.MaxRemoved = &Budget{Count: 0, Per: "1m"}
		if _, err := plan(); err == nil || !strings.Contains(err.Error(), "max_removed of b is 0 nodes in 1m at fleet.cue:max_removed and 1 node in 1w at fleet.cue:max_removed, for one and the same; state one of them") {
			t.Errorf("budgets that cannot be told apart: %v", err)
		}
	})
}

// Who waits for the lock on guards can be interrupted, and who waits in vain
// sends nothing.
func TestGuardLockIsHeld(t *testing.T) {
	for _, test := range []struct {
		patience time.Duration
		want     OutcomeState
	}{{10 * time.Second, Interrupted}, {time.Hour, Held}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 5})
			plan := b.guardedPlan(ruled(t, "a", threeCore, ``))
			lease, err := b.store.Lock(t.Context(), b.entry.guarded("").Key(), journal.Holder{User: "eve"})
			if err != nil {
				t.Fatal(err)
			}
			defer lease.Unlock()
			ctx, cancel := context.WithTimeout(t.Context(), test.patience)
			defer cancel()
			check(t, "state", b.apply(ctx, plan).Outcomes[0].State, test.want)
			check(t, "sends and intents", len(b.cloud.sends)+b.open(), 0)
		})
	}
}
