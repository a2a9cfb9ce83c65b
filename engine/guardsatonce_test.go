package engine

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// slowHistory takes its time after history was read, so that whoever reads
// without the lock on guards has read it before another writes.
type slowHistory struct{ journal.Store }

func (s slowHistory) History(f func(journal.Record) bool) error {
	err := s.Store.History(f)
	time.Sleep(time.Second)
	return err
}

// Between counting what a budget has left and the intent that spends it, no
// other run counts.
func TestBudgetIsSpentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.entry.MaxRemoved = &Budget{Count: 5, Per: "1d"}
		var plans []*Plan
		for i := range 4 {
			address := fmt.Sprintf("k%d", i)
			b.cloud.add("id-"+address, address, map[string]int{"core": 6})
			plans = append(plans, b.guardedPlan(ruled(t, address, `{"core": {"count": 4}}`, ``)))
			check(t, "denied", len(plans[i].Denied), 0)
		}
		var wait sync.WaitGroup
		results := make([]*Result, len(plans))
		for i, plan := range plans {
			wait.Go(func() {
				a := &Applier{Plan: plan, Entries: b.entries(), Store: slowHistory{b.store}, Holder: journal.Self("test", time.Now())}
				var err error
				if results[i], err = a.Apply(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		applied, refused := 0, 0
		for _, r := range results {
			applied, refused = applied+r.Count(Applied), refused+r.Count(Refused)
		}
		check(t, "applied and refused", []int{applied, refused}, []int{2, 2})
		check(t, "sends", len(b.cloud.sends), 2)
	})
}

// An account's budget is for every spec that uses the account: one that does not
// state it neither lifts it nor passes it by, and a larger one loosens it.
func TestAccountBudgetIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 9})
		keep, shrink := ruled(t, "a", `{"core": {"count": 9}}`, ``), ruled(t, "a", `{"core": {"count": 7}}`, ``)
		b.entry.MaxRemoved, b.entry.Source = &Budget{Count: 1, Per: "1d"}, "fleet.cue:4:2"
		b.apply(t.Context(), b.guardedPlan(keep))
		b.entry.MaxRemoved, b.entry.Source = nil, ""
		if other := b.guardedPlan(keep); !other.Empty() {
			t.Errorf("a spec that says nothing of it: %+v", other.Guards)
		}
		_, denied := guardWords(b.guardedPlan(shrink))
		check(t, "denied", denied, []string{"a/core max_removed fleet.cue:4:2"})
		b.entry.MaxRemoved, b.entry.Source = &Budget{Count: 5, Per: "1d"}, "fleet.cue:5:2"
		guards, _ := guardWords(b.guardedPlan(keep))
		check(t, "loosened", guards, []string{"providers.m max_removed changed from 1 node in 1d to 5 nodes in 1d fleet.cue:5:2"})
	})
}
