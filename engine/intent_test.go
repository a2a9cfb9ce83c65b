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

// TestIntentOfEachOp: what the verdict is taken against differs from op to op.
func TestIntentOfEachOp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.disk = 50
		b.cloud.add("c1", "a", map[string]int{"core": 2})
		intents := map[provider.Op]journal.Intent{}
		b.cloud.take = func(int) bool {
			now, _, err := b.store.Open()
			for _, in := range now {
				intents[in.Op] = in
			}
			return err == nil
		}
		for _, spec := range []*Cluster{
			want("a", `{"node_groups": {"core": {"count": 2, "disk": 100}}}`), want("a", `{"node_groups": {"core": {"count": 3}}}`),
			want("new", `{"node_groups": {"core": {"count": 2}}}`),
		} {
			b.apply(t.Context(), b.planAfter(spec))
		}
		resize, grow, create := intents[provider.OpResize], intents[provider.OpScaleOut], intents[provider.OpCreate]
		check(t, "sizes before a resize", resize.Sizes, map[string]map[string]int64{"n001": {"disk": 50}, "n002": {"disk": 50}})
		check(t, "what it leads to", resize.To, map[string]int64{"disk": 100})
		check(t, "a growth", []any{grow.K, grow.Base, len(grow.Victims)}, []any{int64(1), []string{"n001", "n002"}, 0})
		check(t, "a create", []any{create.K, create.Base, create.Name, create.ClusterID}, []any{int64(1), []string{}, "new", ""})
		check(t, "its identity", create.Identity, b.entry.identity("", "new"))
	})
}

// TestExpires: how long a request may still be taken. Before the send, which is
// all that a killed run leaves, the whole of a send's time counts as well.
func TestExpires(t *testing.T) {
	for _, test := range []struct {
		name    string
		set     func(*model)
		written time.Duration // before the send, after the call of Start
		expires time.Duration // in the end, after the call of Start
	}{
		{"counts from the return of Start", func(m *model) {}, 150 * time.Second, 60 * time.Second},
		{"our clock is ahead by twenty seconds", func(m *model) {
			m.observe = func(o provider.Observation) provider.Observation { o.At = o.At.Add(-20 * time.Second); return o }
		}, 170 * time.Second, 80 * time.Second},
		{"our clock is behind", func(m *model) {
			m.observe = func(o provider.Observation) provider.Observation { o.At = o.At.Add(time.Hour); return o }
		}, 150 * time.Second, 60 * time.Second},
		{"a clock that cannot be", func(m *model) {
			m.observe = func(o provider.Observation) provider.Observation { o.At = time.Unix(0, 0); return o }
		}, 210 * time.Second, 120 * time.Second},
		{"Start was cut off, and may sign after that", func(m *model) {
			m.answer = func(int, provider.Answer) provider.Answer { time.Sleep(91 * time.Second); return provider.Answer{} }
		}, 150 * time.Second, 241 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 3})
				b.cloud.answer = lost
				test.set(b.cloud)
				var called time.Time
				var written []journal.Intent
				b.cloud.take = func(int) bool {
					called = time.Now()
					written, _, _ = b.store.Open()
					return false
				}
				b.apply(t.Context(), b.plan(want("a", toFive)))
				if len(written) != 1 {
					t.Fatalf("%d intents before the send", len(written))
				}
				check(t, "written before the send", written[0].Expires.Sub(called), test.written)
				check(t, "in the end", last(t, b).Intent.Expires.Sub(called), test.expires)
			})
		})
	}
}

// TestActionRaisesTheWindow: where the cloud takes an action's request for
// longer than its kind's, nothing is concluded from what is not there before
// the longer window ends.
func TestActionRaisesTheWindow(t *testing.T) {
	const window = 3 * time.Minute // the kind's is one
	for _, test := range []struct {
		name    string
		arrives time.Duration // 0: never
		outcome string
		sends   int
		after   time.Duration // of the verdict
	}{
		{"it arrives after the kind's window", 100 * time.Second, "a/core scale_out applied done", 1, 120 * time.Second},
		{"it never arrives", 0, "a/core scale_out fell_short none", 0, window + 10*time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 3})
				b.cloud.plan = func(r provider.PlanResponse) provider.PlanResponse {
					r.Clusters[0].Actions[0].AcceptWindow = window
					return r
				}
				var written []journal.Intent
				b.cloud.late = func(int) time.Duration {
					written, _, _ = b.store.Open()
					return test.arrives
				}
				b.cloud.take = func(int) bool { return false }
				b.cloud.answer = lost
				begun := time.Now()
				result := b.apply(t.Context(), b.plan(want("a", toFive)))
				check(t, "outcomes", states(result.Outcomes), []string{test.outcome})
				check(t, "sends", len(b.cloud.sends), test.sends)
				if took := time.Since(begun); took < test.after {
					t.Errorf("decided after %s, before %s", took, test.after)
				}
				if len(written) != 1 {
					t.Fatalf("%d intents before the send", len(written))
				}
				check(t, "window in the intent", written[0].AcceptWindow, window)
				check(t, "expires, before the send", written[0].Expires.Sub(begun), window+90*time.Second)
				check(t, "expires, after the send", last(t, b).Intent.Expires.Sub(begun), window)
			})
		})
	}
}

// last is the newest record of the bench's journal.
func last(t testing.TB, b *bench) journal.Record {
	t.Helper()
	var last journal.Record
	if err := b.store.History(func(r journal.Record) bool { last = r; return true }); err != nil {
		t.Fatal(err)
	}
	return last
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
