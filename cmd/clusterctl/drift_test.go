package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
)

func TestDriftExitCodes(t *testing.T) {
	differs := []engine.Drifted{{Address: "web"}}
	for name, tc := range map[string]struct {
		drift          engine.Drift
		plain, precise int
	}{
		"all match":           {engine.Drift{}, exitOK, exitOK},
		"others keep a field": {engine.Drift{Owned: make([]engine.Owned, 1)}, exitOK, exitOK},
		"one differs":         {engine.Drift{Clusters: differs}, exitOK, exitPending},
		"a request is open":   {engine.Drift{OpenIntents: make([]engine.OpenIntent, 1)}, exitOK, exitOK},
		"one is unread":       {engine.Drift{Clusters: differs, Unread: make([]engine.Unread, 1)}, exitError, exitError},
		"two of one name":     {engine.Drift{Clusters: differs, Ambiguous: make([]engine.Ambiguous, 1)}, exitError, exitError},
	} {
		for _, detailed := range []bool{false, true} {
			want := tc.plain
			if detailed {
				want = tc.precise
			}
			if got := driftCode(&tc.drift, detailed); got != want {
				t.Errorf("%s, detailed %v: exit %d, want %d", name, detailed, got, want)
			}
		}
	}
}

// TestRefreshFlags: what --refresh-only lets through are flags of plan.
func TestRefreshFlags(t *testing.T) {
	var have []string
	for _, f := range (&shell{}).planCommand().Flags {
		have = append(have, f.Names()...)
	}
	for _, name := range ofRefresh {
		if !slices.Contains(have, name) {
			t.Errorf("plan has no flag --%s", name)
		}
	}
}

// told is a store that knows a history and nothing else.
type told struct {
	journal.Store
	records int
	err     error
}

func (s told) History(f func(journal.Record) bool) error {
	for i := range s.records {
		if !f(journal.Record{Detail: fmt.Sprint(i)}) {
			return s.err // as one may that failed to close a file
		}
	}
	return s.err
}

func TestHistoryOf(t *testing.T) {
	broken := errors.New("broken")
	n, last := 0, error(nil)
	for _, err := range historyOf(told{records: 3, err: broken}) {
		n, last = n+1, err
	}
	if n != 4 || last != broken {
		t.Errorf("%d steps, the last with %v", n, last)
	}
	for range historyOf(told{records: 3, err: broken}) {
		break // must not be called again
	}
	for _, err := range historyOf(told{records: 1}) {
		if err != nil {
			t.Error(err)
		}
	}
}
