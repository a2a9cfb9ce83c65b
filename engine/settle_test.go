package engine

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

const toFive = `{"node_groups": {"core": {"count": 5}}}`

// lost lets every Start be carried out and its answer be lost.
func lost(int, provider.Answer) provider.Answer { return provider.Answer{} }

// TestSettle is what the watch must see through. Every case grows core from
// three to five nodes.
func TestSettle(t *testing.T) {
	// seen edits what is read from the first send on, with the time since then.
	seen := func(m *model, edit func(since time.Duration, o *provider.Observation)) {
		var sent time.Time
		answer := m.answer
		m.answer = func(n int, given provider.Answer) provider.Answer {
			sent = time.Now()
			if answer != nil {
				return answer(n, given)
			}
			return given
		}
		m.observe = func(o provider.Observation) provider.Observation {
			if !sent.IsZero() {
				edit(time.Since(sent), &o)
			}
			return o
		}
	}
	// before cuts a read back to what it was before the send.
	before := func(o *provider.Observation) {
		g := &o.Cluster.Groups[0]
		g.Nodes = g.Nodes[:3]
		g.Count = 3
		o.Cluster.Tasks, o.Cluster.Status = nil, provider.StatusReady
	}
	for _, test := range []struct {
		name    string
		set     func(*model)
		outcome string
		detail  string
		sends   int
		nodes   int
		open    int
		after   time.Duration // no verdict earlier
		within  time.Duration // and none later
	}{
		{"plain", func(*model) {}, "applied done", "", 1, 5, 0, 30 * time.Second, time.Minute},
		{"reads lag behind an accepted change as long as they may", func(m *model) {
			m.noHandle, m.jobTime = true, 0
			seen(m, func(since time.Duration, o *provider.Observation) {
				if since < 10*time.Second {
					before(o)
				}
			})
		}, "applied done", "", 1, 5, 0, 20 * time.Second, time.Minute},
		{"two stale reads agree before a lost request shows", func(m *model) {
			m.answer, m.noTasks = lost, true
			seen(m, func(since time.Duration, o *provider.Observation) {
				if since < time.Minute {
					before(o)
				}
			})
		}, "applied done", "", 1, 5, 0, time.Minute, 2 * time.Minute},
		{"reads flap between two states", func(m *model) {
			m.noHandle, m.jobTime = true, 0
			n := 0
			seen(m, func(since time.Duration, o *provider.Observation) {
				if n++; since < 3*time.Minute && n%2 == 0 {
					before(o)
				}
			})
		}, "applied done", "", 1, 5, 0, 3 * time.Minute, 4 * time.Minute},
		{"reads fail between two states", func(m *model) {
			m.noHandle, m.jobTime, m.noTasks = true, 0, true
			seen(m, func(since time.Duration, o *provider.Observation) {
				switch {
				case since < 70*time.Second:
					before(o)
				case since < 100*time.Second:
					*o = provider.Observation{Address: o.Address, Error: provider.Errorf(provider.KindUnavailable, "no")}
				case since < 115*time.Second:
					o.Cluster.Groups[0].Nodes = o.Cluster.Groups[0].Nodes[:4]
					o.Cluster.Groups[0].Count = 4
				}
			})
		}, "applied done", "", 1, 5, 0, 120 * time.Second, 3 * time.Minute},
		{"busy, then ready", func(m *model) { m.jobTime = 20 * time.Minute }, "applied done", "", 1, 5, 0, 20 * time.Minute, 21 * time.Minute},
		{"the request was held back and arrives late", func(m *model) {
			m.late = func(n int) time.Duration { return time.Duration(1-n) * 50 * time.Second }
		}, "applied done", "", 1, 5, 0, 70 * time.Second, 3 * time.Minute},
		{"held back, and nobody lists tasks", func(m *model) {
			m.noTasks = true
			m.late = func(n int) time.Duration { return time.Duration(1-n) * 59 * time.Second }
		}, "applied done", "", 1, 5, 0, 70 * time.Second, 3 * time.Minute},
		{"a foreign task of our type alone", func(m *model) {
			m.take, m.answer = func(int) bool { return false }, lost
			m.foreign(30*time.Second, "core", 1)
		}, "fell_short partial", "", 0, 4, 0, 70 * time.Second, 3 * time.Minute},
		{"ours and a foreign task: none is followed", func(m *model) {
			m.answer = lost
			m.foreign(5*time.Second, "core", 2)
		}, "fell_short drifted", "4 new", 1, 7, 0, 70 * time.Second, 3 * time.Minute},
		{"a foreign task first, ours arrives later: the inference is withdrawn", func(m *model) {
			m.late = func(n int) time.Duration { return time.Duration(1-n) * 50 * time.Second }
			m.foreign(5*time.Second, "core", 2)
			m.jobTime = 40 * time.Second
		}, "fell_short drifted", "4 new", 1, 7, 0, 90 * time.Second, 3 * time.Minute},
		{"a foreign task of another group is not ours", func(m *model) {
			m.answer = lost
			m.foreign(5*time.Second, "task", 2)
		}, "applied done", "+task/n006, +task/n007", 1, 5, 0, 20 * time.Second, 3 * time.Minute},
		{"the operation fails half way", func(m *model) {
			m.fails = func(m *model, c *modelCluster) []string { return m.grow(c, "core", 1, 2) }
		}, "fell_short partial", "the cloud says: no capacity", 1, 4, 0, 30 * time.Second, time.Minute},
		{"the operation fails and leaves nothing", func(m *model) {
			m.fails = func(*model, *modelCluster) []string { return nil }
		}, "fell_short none", "no capacity", 1, 3, 0, 30 * time.Second, time.Minute},
		{"foreign growth beside the task's nodes", func(m *model) {
			seen(m, func(since time.Duration, o *provider.Observation) {
				if since > 5*time.Second && len(m.clusters["c1"].groups["core"]) == 5 {
					m.grow(m.clusters["c1"], "core", 1, 2)
				}
			})
		}, "applied done", "", 1, 6, 0, 30 * time.Second, 2 * time.Minute},
		{"never ready again", func(m *model) {
			seen(m, func(_ time.Duration, o *provider.Observation) { o.Cluster.Status = provider.StatusBusy })
		}, "unknown", "no two reads agreed before", 1, 5, 1, 2 * time.Hour, 2*time.Hour + 5*time.Minute},
		{"never read again", func(m *model) {
			seen(m, func(_ time.Duration, o *provider.Observation) {
				*o = provider.Observation{Address: o.Address, Error: provider.Errorf(provider.KindUnavailable, "no")}
			})
		}, "unknown", "no two reads agreed before", 1, 5, 1, 2 * time.Hour, 2*time.Hour + 5*time.Minute},
		{"the cluster is deleted meanwhile", func(m *model) {
			m.answer = func(n int, given provider.Answer) provider.Answer {
				m.clusters["c1"].name = "deleted"
				return provider.Answer{}
			}
			m.observe = func(o provider.Observation) provider.Observation {
				if m.clusters["c1"].name == "deleted" {
					return provider.Observation{Address: o.Address, Presence: provider.Absent}
				}
				return o
			}
		}, "fell_short drifted", "the cluster is gone", 1, 5, 0, 70 * time.Second, 3 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 0})
				test.set(b.cloud)
				begun := time.Now()
				result := b.apply(t.Context(), b.plan(want("a", toFive)))
				took := time.Since(begun)
				check(t, "outcome", states(result.Outcomes), []string{"a/core scale_out " + test.outcome})
				if !strings.Contains(result.Outcomes[0].Detail, test.detail) {
					t.Errorf("detail %q does not say %q", result.Outcomes[0].Detail, test.detail)
				}
				check(t, "calls of Start", b.cloud.started, 1)
				check(t, "sends", len(b.cloud.sends), test.sends)
				b.cloud.mu.Lock()
				b.cloud.advance()
				check(t, "nodes", len(b.cloud.clusters["c1"].groups["core"]), test.nodes)
				b.cloud.mu.Unlock()
				check(t, "open intents", b.open(), test.open)
				if took < test.after || took > test.within {
					t.Errorf("decided after %s, not between %s and %s", took, test.after, test.within)
				}
			})
		})
	}
}

// TestLongReadLag: where reads lag for a minute and come every ten seconds, two
// that agree prove nothing by themselves.
func TestLongReadLag(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*model)
		busy time.Duration // until then reads say busy
		// stale is until when reads show the nodes of before.
		stale, after, within time.Duration
	}{
		{"after the operation's end", func(m *model) {}, 0, 79 * time.Second, 80 * time.Second, 3 * time.Minute},
		{"after the answer, without a handle", func(m *model) { m.noHandle, m.jobTime = true, 0 }, 0, 59 * time.Second, 60 * time.Second, 4 * time.Minute},
		{"after the last busy read", func(m *model) { m.noHandle, m.noTasks = true, true }, 5 * time.Minute, 350 * time.Second, 350 * time.Second, 8 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.entry.Description.Kinds[0].ReadLag = time.Minute
				b.cloud.add("c1", "a", map[string]int{"core": 3})
				test.set(b.cloud)
				begun := time.Now()
				b.cloud.observe = func(o provider.Observation) provider.Observation {
					since := time.Since(begun)
					if b.cloud.started > 0 && since < test.stale {
						g := &o.Cluster.Groups[0]
						g.Nodes, g.Count = g.Nodes[:3], 3
						o.Cluster.Status, o.Cluster.Tasks = provider.StatusReady, nil
					}
					if b.cloud.started > 0 && since < test.busy {
						o.Cluster.Status = provider.StatusBusy
					}
					return o
				}
				check(t, "outcome", states(b.apply(t.Context(), b.plan(want("a", toFive))).Outcomes), []string{"a/core scale_out applied done"})
				if took := time.Since(begun); took < test.after || took > test.within {
					t.Errorf("decided after %s, not between %s and %s", took, test.after, test.within)
				}
			})
		})
	}
}

// noted is a lease that only remembers.
type noted struct {
	journal.Lease
	put []journal.Intent
}

func (n *noted) Put(in journal.Intent) error { n.put = append(n.put, in); return nil }

// TestInfer: which task is followed after a lost reply.
func TestInfer(t *testing.T) {
	task := func(id string, op provider.Op, group string) provider.Task {
		return provider.Task{ID: id, Op: op, Group: group, State: provider.OperationRunning, Handle: []byte("h-" + id)}
	}
	const out, in = provider.OpScaleOut, provider.OpScaleIn
	for _, test := range []struct {
		name  string
		tasks []provider.Task
		want  string
	}{
		{"none", nil, ""},
		{"the new one", []provider.Task{task("t1", out, "core"), task("old", out, "core")}, "h-t1"},
		{"one that does not tell its group", []provider.Task{task("t1", out, "")}, "h-t1"},
		{"the old one", []provider.Task{task("old", out, "core")}, ""},
		{"another op", []provider.Task{task("t1", in, "core")}, ""},
		{"an unknown op", []provider.Task{task("t1", provider.OpUnknown, "core")}, ""},
		{"another group", []provider.Task{task("t1", out, "task")}, ""},
		{"another group beside it", []provider.Task{task("t1", out, "core"), task("t2", out, "task")}, "h-t1"},
		{"two", []provider.Task{task("t1", out, "core"), task("t2", out, "core")}, ""},
		{"one without a handle", []provider.Task{{ID: "t1", Op: out}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t)
			lease := &noted{}
			a := &Applier{Entries: b.entries()}
			a.defaults()
			s := &settler{entry: b.entry, lease: lease, call: a.call("m"), report: func(EventState, string, time.Time) {},
				intent: &journal.Intent{Op: out, Group: "core", Tasks: []string{"old"}, Answer: &journal.Answer{}}}
			s.infer(t.Context(), provider.Observation{Cluster: &provider.State{Tasks: test.tasks}})
			check(t, "followed", string(s.handle), test.want)
			check(t, "made durable", len(lease.put) == 1 && string(lease.put[0].Inferred) == test.want, test.want != "")
		})
	}
}

// TestDoneAfterLostReplyHoldsTheNextAction: done may be told before the lost
// request expires, but nothing else is sent until then, in this run or in
// another.
func TestDoneAfterLostReplyHoldsTheNextAction(t *testing.T) {
	for _, specs := range [][]string{
		{growAndShrink},
		{`{"node_groups": {"task": {"count": 2}}}`, growAndShrink},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
			b.cloud.answer = func(n int, given provider.Answer) provider.Answer {
				if n == 0 {
					return provider.Answer{}
				}
				return given
			}
			var sent []time.Time
			b.cloud.take = func(int) bool { sent = append(sent, time.Now()); return true }
			var outcomes []Outcome
			for _, spec := range specs {
				outcomes = append(outcomes, b.apply(t.Context(), b.plan(want("a", spec))).Outcomes...)
			}
			check(t, "outcomes", states(outcomes), []string{"a/task scale_in applied done", "a/core scale_out applied done"})
			if len(sent) != 2 || sent[1].Sub(sent[0]) < 70*time.Second {
				t.Errorf("sent at %v: the second within accept window and read lag of the first", sent)
			}
		})
	}
}

// TestDeadlineLeavesTheIntent: what is not known blocks its cluster, is watched
// for no longer than a busy cluster by the next run, and can settle then.
func TestDeadlineLeavesTheIntent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.wait = 10 * time.Minute
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		blind := true
		b.cloud.observe = func(o provider.Observation) provider.Observation {
			if blind && b.cloud.started > 0 {
				o.Cluster.Status = provider.StatusUnknown
			}
			return o
		}
		saved := b.plan(want("a", toFive))
		check(t, "outcome", states(b.apply(t.Context(), saved).Outcomes), []string{"a/core scale_out unknown"})
		begun := time.Now()
		again := b.apply(t.Context(), saved)
		check(t, "settled", states(again.Settled), []string{"a/core scale_out unknown"})
		check(t, "outcome", states(again.Outcomes), []string{"a/core scale_out skipped"})
		if took := time.Since(begun); took > 11*time.Minute {
			t.Errorf("watched for %s", took)
		}
		check(t, "open intents", b.open(), 1)
		check(t, "calls of Start", b.cloud.started, 1)
		blind = false
		again = b.apply(t.Context(), saved)
		check(t, "settled", states(again.Settled), []string{"a/core scale_out applied done"})
		check(t, "outcome", states(again.Outcomes), []string{"a/core scale_out stale"})
		check(t, "calls of Start", b.cloud.started, 1)
	})
}

// TestHungPlugin: a plugin that answers nothing does not hold a run for ever.
func TestHungPlugin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		hung := &hanging{model: b.cloud}
		b.entry.Provider = hung
		plan := b.plan(want("a", toFive))
		hung.after = 1
		check(t, "outcome", states(b.apply(t.Context(), plan).Outcomes), []string{"a/core scale_out unknown"})
		check(t, "open intents", b.open(), 1)
	})
}

// hanging is a model whose reads hang until they are cut off, once so many
// requests were sent.
type hanging struct {
	*model
	after int
}

func (h *hanging) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	if h.after > 0 && h.started >= h.after {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.model.Observe(ctx, req, yield)
}
