package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// TestPausedBeforeTheSend: the process stands still between the intent and the
// send, longer than a send may take (^Z, a terminal stopped with ^S, a full
// pipe: all block the report of Sending), then sends, and is killed before the
// answer is on disk. What the intent says of the request's expiry must still be
// true.
func TestPausedBeforeTheSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		window := b.entry.Description.Kinds[0].AcceptWindow
		b.cloud.late = func(n int) time.Duration {
			if n == 0 {
				return window * 9 / 10
			}
			return 0
		}
		ctx, cancel := context.WithCancel(t.Context())
		a := &Applier{Plan: b.plan(want("a", toFive)), Entries: b.entries(), Holder: journal.Self("test", time.Now()),
			Store: &failing{Store: b.store, puts: 1}}
		a.Report = func(e Event) {
			switch e.State {
			case Sending:
				time.Sleep(time.Hour)
			case Watching:
				cancel() // with the failing store: as if killed here
			}
		}
		if _, err := a.Apply(ctx); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			settler := &Applier{Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now())}
			intents, _, _ := b.store.Open()
			settler.SettleOpen(t.Context(), intents)
			b.apply(t.Context(), b.planAfter(want("a", toFive)))
		}
		time.Sleep(2 * window)
		check(t, "sends", b.cloud.sends, []string{"scale_out c1a core +2"})
	})
}
