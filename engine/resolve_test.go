package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// unsettled leaves one open request behind: core of cluster a was to grow to
// five, and the run ended before it knew what came of it. Nothing did.
func unsettled(t testing.TB) *bench {
	t.Helper()
	b := newBench(t)
	b.cloud.add("c1", "a", map[string]int{"core": 3})
	ctx, cancel := context.WithCancel(t.Context())
	b.cloud.take = func(int) bool { cancel(); return false }
	b.cloud.answer = lost
	check(t, "outcomes", states(b.apply(ctx, b.planAfter(want("a", toFive))).Outcomes), []string{"a/core scale_out unknown"})
	b.cloud.take, b.cloud.answer = nil, nil
	return b
}

// corrupt flips what stands in the open request's record.
func (b *bench) corrupt() {
	b.t.Helper()
	path := filepath.Join(b.store.Dir(), "open", b.entry.identity("c1", "").Key()+".json")
	if err := os.WriteFile(path, []byte(`{"sum":"x","body":{}}`), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) applier() *Applier {
	return &Applier{Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now())}
}

// TestExamine: what a person is shown of an open request.
func TestExamine(t *testing.T) {
	gone := func(o provider.Observation) provider.Observation {
		return provider.Observation{Address: o.Address, Presence: provider.Absent}
	}
	unread := func(o provider.Observation) provider.Observation {
		return provider.Observation{Address: o.Address, Error: provider.Errorf(provider.KindUnavailable, "no route")}
	}
	byID := want("a", toFive)
	byID.ID = "c1"
	other := want("b", toFive)
	for _, test := range []struct {
		name    string
		cluster *Cluster
		set     func(*bench)
		shows   string
		seems   journal.Verdict
		fault   string
		err     string
	}{
		{"nothing came of it", want("a", toFive), func(*bench) {}, "ready, 3 nodes: 3 nodes; 0 new", journal.None, "", ""},
		{"it was done", want("a", toFive), func(b *bench) { b.cloud.grow(b.cloud.clusters["c1"], "core", 2, 2) },
			"ready, 5 nodes: 5 nodes; 2 new; came: n004, n005", journal.Done, "", ""},
		{"a node went", want("a", toFive), func(b *bench) { c := b.cloud.clusters["c1"]; c.groups["core"] = c.groups["core"][1:] },
			"ready, 2 nodes: 2 nodes; 0 new; went: n001", journal.None, "", ""},
		{"by id", byID, func(*bench) {}, "ready, 3 nodes", journal.None, "", ""},
		{"by id, and it cannot be read", byID, func(b *bench) { b.cloud.observe = unread }, "cannot be read: no route", "", "", ""},
		{"by name, and it cannot be read", want("a", toFive), func(b *bench) { b.cloud.observe = unread }, "cannot be read: no route", "", "", ""},
		{"by name, and it is gone", want("a", toFive), func(b *bench) { b.cloud.observe = gone }, "no such cluster", journal.Drifted, "", ""},
		{"the record cannot be trusted", want("a", toFive), (*bench).corrupt, "ready", "", "cannot be trusted", ""},
		{"the record cannot be trusted, nor the cluster be read", want("a", toFive),
			func(b *bench) { b.corrupt(); b.cloud.observe = unread }, "", "", "", "cluster a is found by its name, and it cannot be read: no route"},
		{"of another cluster", other, func(b *bench) { b.cloud.add("c2", "b", nil) }, "", "", "", "nothing is unsettled"},
		{"of another cluster that cannot be read", other, func(b *bench) { b.cloud.observe = unread }, "", "", "", "cluster b is found by its name, and it cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := unsettled(t)
				test.set(b)
				ev, err := b.applier().Examine(t.Context(), test.cluster)
				if test.err != "" {
					if err == nil || !strings.Contains(err.Error(), test.err) {
						t.Fatalf("got %v, want one that says %q", err, test.err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				check(t, "seems", ev.Seems, test.seems)
				if shows := ev.Shows + ": " + ev.Detail; !strings.Contains(shows, test.shows) {
					t.Errorf("shows %q, not %q", shows, test.shows)
				}
				if !strings.Contains(ev.Fault, test.fault) || (ev.Fault == "") != (test.fault == "") {
					t.Errorf("fault %q, want one that says %q", ev.Fault, test.fault)
				}
				// The intent was signed now; its window is a minute, the lag ten seconds.
				check(t, "quiet for", time.Until(ev.QuietUntil), 70*time.Second)
			})
		})
	}
}

// TestDecide: a person's word closes a request, stands in history, and permits
// nothing before the request can no longer arrive.
func TestDecide(t *testing.T) {
	for _, test := range []struct {
		name    string
		corrupt bool
		verdict journal.Verdict
	}{
		{"not applied", false, journal.None},
		{"applied", false, journal.Done},
		{"a record that cannot be trusted", true, journal.None},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := unsettled(t)
				if test.corrupt {
					b.corrupt()
				}
				begun := time.Now()
				a := b.applier()
				ev, err := a.Examine(t.Context(), want("a", toFive))
				if err != nil {
					t.Fatal(err)
				}
				if err := a.Decide(t.Context(), ev, test.verdict, "eve: I saw it"); err != nil {
					t.Fatal(err)
				}
				r := last(t, b)
				check(t, "record", []string{r.By, string(r.Verdict), r.Intent.Cluster, r.Intent.ClusterID}, []string{"eve: I saw it", string(test.verdict), "a", "c1"})
				if _, err := a.Examine(t.Context(), want("a", toFive)); !errors.Is(err, ErrSettled) {
					t.Errorf("it is still open: %v", err)
				}
				if err := a.Decide(t.Context(), ev, test.verdict, "eve: again"); err == nil || !strings.Contains(err.Error(), "settled by another run meanwhile") {
					t.Errorf("decided twice: %v", err)
				}
				var sent time.Time
				b.cloud.take = func(int) bool { sent = time.Now(); return true }
				check(t, "the next apply", states(b.apply(t.Context(), b.planAfter(want("a", toFive))).Outcomes), []string{"a/core scale_out applied done"})
				if waited := sent.Sub(begun); waited < 70*time.Second {
					t.Errorf("sent %s after the request that was decided about", waited)
				}
			})
		})
	}
}

// TestDecideRefuses: no word without a reason, a verdict that a person can know,
// and the lock.
func TestDecideRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := unsettled(t)
		a := b.applier()
		ev, err := a.Examine(t.Context(), want("a", toFive))
		if err != nil {
			t.Fatal(err)
		}
		for _, verdict := range []journal.Verdict{journal.Unknown, journal.Partial, journal.Drifted} {
			if err := a.Decide(t.Context(), ev, verdict, "eve: so"); err == nil {
				t.Errorf("a person decided %q", verdict)
			}
		}
		if err := a.Decide(t.Context(), ev, journal.Done, ""); err == nil {
			t.Error("decided without a reason")
		}
		lease, err := b.store.Lock(t.Context(), b.entry.identity("c1", "").Key(), journal.Holder{User: "adam", Command: "clusterctl apply"})
		if err != nil {
			t.Fatal(err)
		}
		var held *journal.LockedError
		if err := a.Decide(t.Context(), ev, journal.Done, "eve: so"); !errors.As(err, &held) || held.Holder.User != "adam" {
			t.Errorf("decided while another run holds it: %v", err)
		}
		holder, err := a.HolderOf(t.Context(), want("a", toFive))
		if err != nil || holder == nil || holder.User != "adam" {
			t.Errorf("holder %v %v", holder, err)
		}
		if err := lease.Unlock(); err != nil {
			t.Fatal(err)
		}
		if holder, err := a.HolderOf(t.Context(), want("a", toFive)); err != nil || holder != nil {
			t.Errorf("holder %v %v", holder, err)
		}
		check(t, "open intents", b.open(), 1)
	})
}

// TestUnreadableMayBeTheLongest: a request of which nothing is known may have
// been one that the cloud takes for longer than the kind's others.
func TestUnreadableMayBeTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 3 * time.Minute
		b := unsettled(t)
		b.corrupt()
		begun := time.Now()
		a := b.applier()
		ev, err := a.Examine(t.Context(), want("a", toFive))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Decide(t.Context(), ev, journal.None, "eve: so"); err != nil {
			t.Fatal(err)
		}
		b.cloud.plan = func(r provider.PlanResponse) provider.PlanResponse {
			r.Clusters[0].Actions[0].AcceptWindow = window
			return r
		}
		var sent time.Time
		b.cloud.take = func(int) bool { sent = time.Now(); return true }
		check(t, "outcomes", states(b.apply(t.Context(), b.planAfter(want("a", toFive))).Outcomes), []string{"a/core scale_out applied done"})
		if waited := sent.Sub(begun); waited < window+10*time.Second {
			t.Errorf("sent %s after a request that may be taken for %s", waited, window)
		}
	})
}

// TestOthersWork: an open request that another run works on is left to it when
// this run is about other clusters, and waited for when it is not.
func TestOthersWork(t *testing.T) {
	for _, mine := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := unsettled(t)
			lease, err := b.store.Lock(t.Context(), b.entry.identity("c1", "").Key(), journal.Holder{User: "adam"})
			if err != nil {
				t.Fatal(err)
			}
			intents, _, err := b.store.Open()
			if err != nil {
				t.Fatal(err)
			}
			said := 0
			a := b.applier()
			a.LockTimeout = time.Minute
			a.Mine = func(in *journal.Intent) bool { return in.Cluster == "a" && mine }
			a.Report = func(Event) { said++ }
			begun := time.Now()
			outcomes := states(a.SettleOpen(t.Context(), intents))
			want, waits := []string{}, time.Duration(0)
			if mine {
				want, waits = []string{"a/core scale_out locked"}, time.Minute
			}
			check(t, "outcomes", outcomes, want)
			check(t, "waited", time.Since(begun), waits)
			check(t, "said", said > 0, mine)
			if err := lease.Unlock(); err != nil {
				t.Fatal(err)
			}
			// Where nobody works on it, it is settled, whoever's it is.
			check(t, "settled", states(a.SettleOpen(t.Context(), intents)), []string{"a/core scale_out fell_short none"})
		})
	}
}

// TestDecideIsAboutWhatWasShown: when the request that a person looked at was
// settled meanwhile and another one is open, the word is not for that one.
func TestDecideIsAboutWhatWasShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := unsettled(t)
		a := b.applier()
		ev, err := a.Examine(t.Context(), want("a", toFive))
		if err != nil {
			t.Fatal(err)
		}
		lease, err := b.store.Lock(t.Context(), ev.identity.Key(), journal.Holder{})
		if err != nil {
			t.Fatal(err)
		}
		next := *ev.Intent
		next.OpID = "another"
		for _, err := range []error{lease.Close(journal.Record{Intent: *ev.Intent, Verdict: journal.None}), lease.Put(next), lease.Unlock()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Decide(t.Context(), ev, journal.None, "eve: I saw it"); err == nil || !strings.Contains(err.Error(), "settled by another run meanwhile") {
			t.Errorf("decided about another request: %v", err)
		}
		check(t, "open intents", b.open(), 1)
	})
}
