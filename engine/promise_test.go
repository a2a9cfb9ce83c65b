package engine

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// unkind makes the model lose, hold back and refuse requests, fail reads, and
// answer reads with what it showed within the read lag before.
func unkind(m *model, r *rand.Rand) {
	const (
		taken = iota
		lostTaken
		lostNever
		held
		refused
		unsent
		kinds
	)
	what := make([]int, 64)
	wait := make([]time.Duration, 64)
	for i := range what {
		what[i], wait[i] = r.IntN(kinds), time.Duration(1+r.IntN(59))*time.Second
	}
	m.take = func(n int) bool { return what[n] == taken || what[n] == lostTaken }
	m.late = func(n int) time.Duration {
		if what[n] == held {
			return wait[n]
		}
		return 0
	}
	m.answer = func(n int, given provider.Answer) provider.Answer {
		switch what[n] {
		case taken:
			return given
		case refused:
			return provider.Answer{Outcome: provider.OutcomeRefused, Error: provider.Errorf(provider.KindThrottled, "slowly")}
		case unsent:
			return provider.Answer{Outcome: provider.OutcomeUnsent, Error: provider.Errorf(provider.KindUnavailable, "no route")}
		}
		return provider.Answer{}
	}
	m.noTasks, m.noHandle = r.IntN(2) == 0, r.IntN(3) == 0
	var shown *provider.State
	var at time.Time
	m.observe = func(o provider.Observation) provider.Observation {
		switch n := r.IntN(10); {
		case n == 0:
			return provider.Observation{Address: o.Address, Error: provider.Errorf(provider.KindUnavailable, "no")}
		case n < 5 && shown != nil && time.Since(at) < 10*time.Second:
			o.Cluster = shown
			return o
		}
		shown, at = o.Cluster, time.Now()
		return o
	}
}

// TestPromise: whatever is lost, late, refused, stale, interrupted, applied
// again or at the same time, and whichever write of the journal fails, one
// plan's change reaches the cloud at most once, and what comes after it ends
// as the spec says.
func TestPromise(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
			wanted := want("a", growAndShrink)
			saved := b.planAfter(wanted)
			unkind(b.cloud, rand.New(rand.NewPCG(seed, 4))) // used under the model's lock
			for range 3 {
				var wait sync.WaitGroup
				for range 1 + r.IntN(2) {
					ctx, cancel := context.WithCancel(t.Context())
					if r.IntN(2) == 0 {
						ctx, cancel = context.WithTimeout(t.Context(), time.Duration(r.IntN(200))*time.Second)
					}
					store := &failing{Store: b.store, puts: 99, closes: 99}
					if r.IntN(3) == 0 {
						store.puts, store.closes = r.IntN(4), r.IntN(2)
					}
					a := &Applier{Plan: saved, Entries: b.entries(), Store: store, Holder: journal.Self("test", time.Now()), LockTimeout: time.Duration(r.IntN(2)) * time.Hour}
					wait.Go(func() {
						defer cancel()
						_, _ = a.Apply(ctx)
					})
				}
				wait.Wait()
			}
			time.Sleep(time.Minute) // what is held back arrives
			b.cloud.mu.Lock()
			times := map[string]int{}
			for _, sent := range b.cloud.sends {
				if times[sent]++; times[sent] > 1 {
					t.Errorf("seed %d: carried out twice: %v", seed, b.cloud.sends)
				}
			}

			// The clouds clear.
			b.cloud.take, b.cloud.late, b.cloud.answer, b.cloud.observe = nil, nil, nil, nil
			b.cloud.mu.Unlock()
			for range 3 {
				intents, _, _ := b.store.Open()
				(&Applier{Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now())}).SettleOpen(t.Context(), intents)
				b.apply(t.Context(), b.planAfter(wanted))
			}
			if again := b.planAfter(wanted); !again.Empty() || b.open() != 0 {
				t.Errorf("seed %d: in the end %+v, %d open intents", seed, again.Summary, b.open())
			}
		})
	}
}
