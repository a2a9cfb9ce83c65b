package engine

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestCreateAfterASettledOne: a plan that does not know of an open create of
// the same name finds it and settles it. Were the cluster deleted before the
// next read, its own create would go out under the dead cluster's id, where
// no later run that knows the name would look for it.
func TestCreateAfterASettledOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		wanted := want("new", `{"node_groups": {"core": {"count": 2}}}`)
		unaware := func(spec string) *Plan {
			plan, err := (&Planner{Entries: b.entries(), SpecDigest: spec}).Plan(t.Context(), []*Cluster{wanted})
			if err != nil {
				t.Fatal(err)
			}
			return plan
		}
		first, second := unaware("sha256:1"), unaware("sha256:2")
		cut := func(plan *Plan) []string {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b.cloud.answer = func(int, provider.Answer) provider.Answer { cancel(); return provider.Answer{} }
			return states(b.apply(ctx, plan).Outcomes)
		}
		check(t, "first", cut(first), []string{"new create unknown"})
		var somebody sync.WaitGroup
		somebody.Go(func() { // deletes the cluster when its create is settled
			for b.open() > 0 {
				time.Sleep(time.Second)
			}
			b.cloud.mu.Lock()
			defer b.cloud.mu.Unlock()
			clear(b.cloud.clusters)
		})
		defer somebody.Wait()
		check(t, "second", cut(second), []string{"new create stale"})
		check(t, "calls of Start", b.cloud.started, 1)
		check(t, "open intents", b.open(), 0)
	})
}
