// Package journaltest judges implementations of journal.Store.
//
// Place in the flow: none of its own. A store that passes keeps the promise of
// apply: one run at a time changes a cluster, and no request that may have an
// effect is forgotten, whoever is killed and when.
package journaltest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Open opens the store called place and makes it when there is none. A place is
// a path under a temporary directory; every check has one of its own. Opening
// it again, also in another process, gives a store with the same content.
type Open func(t *testing.T, place string) journal.Store

// Run judges the stores that open gives. Some checks need further processes and
// start the test binary again, which runs the test that called Run: that test
// calls Run once, before it does anything else.
func Run(t *testing.T, open Open) {
	if task := os.Getenv(taskVariable); task != "" {
		if err := serve(t, open, task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	for _, check := range []struct {
		name string
		run  func(*bench)
	}{
		{"locks exclude goroutines", locksExcludeGoroutines},
		{"locks exclude processes", locksExcludeProcesses},
		{"locks of different keys are independent", locksAreIndependent},
		{"fences rise", fencesRise},
		{"the holder is named", holderIsNamed},
		{"a killed process holds nothing", killedHolder},
		{"a lease that was given back writes nothing", givenBack},
		{"put is durable", putIsDurable},
		{"put replaces its own intent only", putReplacesOwn},
		{"a lease writes under its key only", wrongKey},
		{"close appends once", closeAppendsOnce},
		{"close of what is not open is refused", closeOfOther},
		{"guards are recorded apart from requests", guardsAreApart},
		{"open is sorted", openIsSorted},
		{"last is per key", lastIsPerKey},
		{"history is in order", historyIsInOrder},
		{"results are the caller's own", resultsAreCopies},
		{"concurrent closers lose nothing", concurrentClosers},
		{"killed writers lose nothing", killedWriters},
	} {
		t.Run(check.name, func(t *testing.T) {
			check.run(&bench{T: t, open: open, place: filepath.Join(t.TempDir(), "store")})
		})
	}
}

// bench is one check's place with a store.
type bench struct {
	*testing.T
	open  Open
	place string
}

// store opens the place afresh.
func (b *bench) store() journal.Store {
	b.Helper()
	return b.open(b.T, b.place)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// refuse wants an error.
func (b *bench) refuse(what string, err error) {
	b.Helper()
	if err == nil {
		b.Errorf("%s: no error", what)
	}
}

func (b *bench) lock(s journal.Store, key string) journal.Lease {
	b.Helper()
	lease, err := s.Lock(b.Context(), key, holder("a goroutine"))
	b.must(err)
	return lease
}

// settled locks, puts, closes and unlocks one intent of a cluster.
func (b *bench) settled(s journal.Store, cluster, op string) journal.Record {
	b.Helper()
	r := Record(Intent(cluster, op))
	lease := b.lock(s, Key(cluster))
	b.must(lease.Put(r.Intent))
	b.must(lease.Close(r))
	b.must(lease.Unlock())
	return r
}

// wantIntent compares the open intent of a cluster; want nil is none.
func (b *bench) wantIntent(s journal.Store, cluster string, want *journal.Intent) {
	b.Helper()
	got, err := s.Intent(Key(cluster))
	b.must(err)
	b.same("intent of "+cluster, got, want)
}

// wantHistory compares the op ids in history.
func (b *bench) wantHistory(s journal.Store, want ...string) {
	b.Helper()
	got, err := ops(s)
	b.must(err)
	b.same("history", got, want)
}

func (b *bench) same(what string, got, want any) {
	b.Helper()
	// The format version is the store's to set.
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(journal.Intent{}, "FormatVersion"), cmpopts.EquateEmpty()); d != "" {
		b.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// ops are the op ids in history, oldest first.
func ops(s journal.Store) ([]string, error) {
	var ids []string
	err := s.History(func(r journal.Record) bool {
		ids = append(ids, r.Intent.OpID)
		return true
	})
	return ids, err
}

func holder(user string) journal.Holder {
	return journal.Holder{PID: os.Getpid(), Host: "h1", User: user, Command: "clusterctl apply", Since: at(0)}
}

func locked(err error) bool {
	var held *journal.LockedError
	return errors.As(err, &held)
}

func at(second int) time.Time { return time.Date(2025, 3, 1, 12, 0, second, 0, time.UTC) }

// Key is the key of a made-up cluster.
func Key(cluster string) string { return identity(cluster).Key() }

func identity(cluster string) journal.Identity {
	return journal.Identity{Plugin: "cloud", Account: "project_id=p1 region=r1", ID: cluster}
}

// Intent is one of a made-up cluster with every field set.
func Intent(cluster, op string) journal.Intent {
	return journal.Intent{
		OpID: op, PlanDigest: "sha256:00", ActionID: "a1",
		Identity: identity(cluster), Entry: "cloud", Kind: "k", Cluster: cluster, Name: "name of " + cluster,
		ClusterID: cluster, Group: "core", Op: provider.OpScaleIn,
		From: map[string]int64{"count": 5}, To: map[string]int64{"count": 3}, K: 2,
		Victims: []string{"n4", "n5"}, Base: []string{"n1", "n2", "n3", "n4", "n5"},
		Sizes: map[string]map[string]int64{"n1": {"cpu": 2}}, Tasks: []string{"t1"}, ReadAt: at(1),
		RequestDigest: "sha256:11", SignedAt: at(2), AcceptWindow: time.Minute, Expires: at(3), Deadline: at(4),
		ReadLag: 10 * time.Second, Fence: 1,
		Answer: &journal.Answer{
			Outcome: provider.OutcomeAccepted, At: at(5), Handle: []byte{0, 255, '\n'}, ClusterID: cluster, RequestID: "r",
			Kind: "internal", Code: "E<1>", Message: "line\nbreak, \u2028, 节点 and \x00",
		},
		Inferred: []byte{1},
	}
}

// Record is one that closes an intent.
func Record(in journal.Intent) journal.Record {
	return journal.Record{
		Intent: in, Verdict: journal.Done, At: at(6), QuietUntil: at(7),
		Detail: "two nodes are gone", Foreign: []string{"n9"}, By: "",
	}
}
