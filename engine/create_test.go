package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestCreateIsFound: by the id that the cloud told where the name does not lead
// to it, and late.
func TestCreateIsFound(t *testing.T) {
	for _, test := range []struct {
		name    string
		set     func(*model)
		outcome string
	}{
		{"by name", func(*model) {}, "new create applied done"},
		{"under another name, by the answer's id", func(m *model) {
			m.answer = func(_ int, given provider.Answer) provider.Answer {
				for id, c := range m.clusters {
					c.name, given.ClusterID = "new-1", id
				}
				return given
			}
		}, "new create applied done"},
		{"found by name late, after a lost reply", func(m *model) {
			m.answer = lost
			begun := time.Now()
			m.observe = func(o provider.Observation) provider.Observation {
				if time.Since(begun) < 68*time.Second {
					return provider.Observation{Address: o.Address, Presence: provider.Absent}
				}
				return o
			}
		}, "new create applied done"},
		{"not listed before its job has ended", func(m *model) {
			m.jobTime = 10 * time.Minute
			begun := time.Now()
			m.observe = func(o provider.Observation) provider.Observation {
				if time.Since(begun) < m.jobTime {
					return provider.Observation{Address: o.Address, Presence: provider.Absent}
				}
				return o
			}
		}, "new create applied done"},
		{"never arrived", func(m *model) { m.take, m.answer = func(int) bool { return false }, lost }, "new create fell_short none"},
		{"somebody makes another of that name", func(m *model) {
			m.answer = func(_ int, given provider.Answer) provider.Answer {
				m.add("theirs", "new", nil)
				return given
			}
		}, "new create fell_short drifted"},
		{"it fails", func(m *model) {
			m.fails = func(_ *model, c *modelCluster) []string { c.status = provider.StatusBroken; return nil }
		}, "new create fell_short partial"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				test.set(b.cloud)
				result := b.apply(t.Context(), b.plan(want("new", `{"node_groups": {"core": {"count": 2}}}`)))
				check(t, "outcome", states(result.Outcomes), []string{test.outcome})
				check(t, "calls of Start", b.cloud.started, 1)
				check(t, "open intents", b.open(), 0)
			})
		})
	}
}

// TestWhatFollowsACreate: an action that was planned without the cluster's id
// is made anew for it, and is nothing where the cloud's default is as wanted.
func TestWhatFollowsACreate(t *testing.T) {
	for _, test := range []struct {
		name    string
		disk    int64 // of the cloud's new nodes
		move    func(*model)
		outcome []string
		started int
	}{
		{"resized", 50, func(*model) {}, []string{"new create applied done", "new/core resize applied done"}, 2},
		{"as wanted from the start", 100, func(*model) {}, []string{"new create applied done", "new/core resize applied done"}, 1},
		{"another goal", 50, func(m *model) {
			m.plan = func(r provider.PlanResponse) provider.PlanResponse {
				if a := &r.Clusters[0].Actions[0]; a.Op == provider.OpResize {
					a.To["cpu"] = 8
				}
				return r
			}
		}, []string{"new create applied done", "new/core resize stale"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.disk = test.disk
				test.move(b.cloud)
				wanted := want("new", `{"node_groups": {"core": {"count": 2, "disk": 100}}}`)
				plan := b.plan(wanted)
				check(t, "cluster ids", []string{plan.Actions[0].ClusterID, plan.Actions[1].ClusterID}, []string{"", ""})
				result := b.apply(t.Context(), plan)
				check(t, "outcomes", states(result.Outcomes), test.outcome)
				check(t, "calls of Start", b.cloud.started, test.started)
				check(t, "open intents", b.open(), 0)
			})
		})
	}
}
