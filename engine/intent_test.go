package engine

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestIntentSaysWhatIsNeeded: what a later run must know stands in the intent
// before the request leaves.
func TestIntentSaysWhatIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
		c.tasks = []*modelTask{{id: "old", done: true}}
		plan := b.plan(want("a", growAndShrink))
		var intents []journal.Intent
		b.cloud.take = func(int) bool {
			now, _, err := b.store.Open()
			intents = append(intents, now...)
			return err == nil
		}
		b.apply(t.Context(), plan)
		in := intents[0]
		check(t, "plan and action", []string{in.PlanDigest, in.ActionID, in.Cluster, in.Group, in.ClusterID, in.Name}, []string{plan.Digest, "a1", "a", "task", "c1", "a"})
		check(t, "identity", in.Identity, b.entry.identity("c1", ""))
		check(t, "from, to", []map[string]int64{in.From, in.To}, []map[string]int64{{"count": 4}, {"count": 2}})
		check(t, "k", in.K, int64(2))
		check(t, "base", len(in.Base), 4)
		check(t, "victims", slices.Equal(in.Victims, in.Base[2:]), true)
		check(t, "tasks", in.Tasks, []string{"old"})
		check(t, "windows", []time.Duration{in.AcceptWindow, in.ReadLag}, []time.Duration{time.Minute, 10 * time.Second})
		check(t, "digest of the request", strings.HasPrefix(in.RequestDigest, "sha256:"), true)
		check(t, "times", in.ReadAt.After(in.SignedAt) || !in.Expires.After(in.SignedAt.Add(in.AcceptWindow)) || !in.Deadline.After(in.Expires), false)
		check(t, "answer", in.Answer, (*journal.Answer)(nil))
		check(t, "fence rises", in.Fence > 0, true)
	})
}

// TestExpires: how long a request may still be taken.
func TestExpires(t *testing.T) {
	for _, test := range []struct {
		name  string
		set   func(*model)
		least time.Duration // after the call of Start
		most  time.Duration
	}{
		{"counts from the return of Start", func(m *model) {}, 60 * time.Second, 60 * time.Second},
		{"our clock is ahead by twenty seconds", func(m *model) {
			m.observe = func(o provider.Observation) provider.Observation { o.At = o.At.Add(-20 * time.Second); return o }
		}, 80 * time.Second, 80 * time.Second},
		{"our clock is behind", func(m *model) {
			m.observe = func(o provider.Observation) provider.Observation { o.At = o.At.Add(time.Hour); return o }
		}, 60 * time.Second, 60 * time.Second},
		{"a clock that cannot be", func(m *model) {
			m.observe = func(o provider.Observation) provider.Observation { o.At = time.Unix(0, 0); return o }
		}, 120 * time.Second, 120 * time.Second},
		{"Start was cut off, and may sign after that", func(m *model) {
			m.answer = func(int, provider.Answer) provider.Answer { time.Sleep(91 * time.Second); return provider.Answer{} }
		}, 241 * time.Second, 241 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 3})
				b.cloud.answer = lost
				test.set(b.cloud)
				var called time.Time
				b.cloud.take = func(int) bool { called = time.Now(); return false }
				b.apply(t.Context(), b.plan(want("a", toFive)))
				var expires time.Time
				if err := b.store.History(func(r journal.Record) bool { expires = r.Intent.Expires; return true }); err != nil {
					t.Fatal(err)
				}
				if got := expires.Sub(called); got < test.least || got > test.most {
					t.Errorf("expires %s after the call, want %s to %s", got, test.least, test.most)
				}
			})
		})
	}
}

func TestPast(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name string
		now  time.Time
		t    time.Time
		want bool
	}{
		{"later", now.Add(time.Second), now, true},
		{"earlier", now, now.Add(time.Second), false},
		{"the same", now, now, false},
		{"later than a persisted time", now.Add(time.Second), now.Round(0), true},
		{"earlier than a persisted time", now, now.Round(0).Add(time.Second), false},
	} {
		check(t, test.name, past(test.now, test.t), test.want)
		check(t, test.name+", remaining", remaining(time.Now().Add(time.Hour)) > 0, true)
	}
	check(t, "nothing remains", remaining(now.Add(-time.Second)), time.Duration(0))
}
