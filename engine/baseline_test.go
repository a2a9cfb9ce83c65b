package engine

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestBaselineIsReadLateEnough: a cluster that was busy is not changed on a
// read that may still show the nodes of before.
func TestBaselineIsReadLateEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.cloud.add("c1", "a", map[string]int{"core": 3})
		plan := b.plan(want("a", toFive))
		begun := time.Now()
		// Somebody grows it: ready after 30 s, the new node is told 9 s later.
		b.cloud.observe = func(o provider.Observation) provider.Observation {
			switch since := time.Since(begun); {
			case since < 30*time.Second:
				o.Cluster.Status = provider.StatusBusy
			case since >= 39*time.Second && len(c.groups["core"]) == 3:
				b.cloud.grow(c, "core", 1, 2)
				o.Cluster = b.cloud.state(c, "k")
			}
			return o
		}
		check(t, "outcomes", states(b.apply(t.Context(), plan).Outcomes), []string{"a/core scale_out stale"})
		check(t, "calls of Start", b.cloud.started, 0)
	})
}

// TestCounterAndListMustAgree: nothing is sent while the cloud's counter and
// its node list differ.
func TestCounterAndListMustAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.wait = time.Minute
		b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 1})
		plan := b.plan(want("a", toFive))
		b.cloud.observe = func(o provider.Observation) provider.Observation {
			o.Cluster.Groups[1].Nodes = nil // of a group that is not even changed
			return o
		}
		result := b.apply(t.Context(), plan)
		check(t, "outcomes", states(result.Outcomes), []string{"a/core scale_out held"})
		if d := result.Outcomes[0].Detail; !strings.Contains(d, "counter and node list differ for longer than 1m0s") {
			t.Errorf("detail %q", d)
		}
		check(t, "calls of Start", b.cloud.started, 0)
	})
}

// TestNobodyWaits: who does not want to wait for a busy cluster still gives a
// read the time it takes.
func TestNobodyWaits(t *testing.T) {
	for _, test := range []struct {
		name    string
		busy    bool
		outcome string
	}{
		{"a read takes five seconds", false, "a/core scale_out applied done"},
		{"the cluster is busy", true, "a/core scale_out held"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.wait = 1 // a nanosecond, which is none
				b.cloud.add("c1", "a", map[string]int{"core": 3})
				plan := b.plan(want("a", toFive))
				b.entry.Provider = &slowReader{b.cloud}
				b.cloud.observe = func(o provider.Observation) provider.Observation {
					if test.busy {
						o.Cluster.Status = provider.StatusBusy
					}
					return o
				}
				begun := time.Now()
				result := b.apply(t.Context(), plan)
				check(t, "outcomes", states(result.Outcomes), []string{test.outcome})
				if took := time.Since(begun); test.busy && took != 5*time.Second {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// slowReader is a model that takes five seconds for a read.
type slowReader struct{ *model }

func (s *slowReader) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	if !sleep(ctx, 5*time.Second) {
		return ctx.Err()
	}
	return s.model.Observe(ctx, req, yield)
}
