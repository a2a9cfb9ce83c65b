package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestExitCodes is every way in which apply ends, and which of several results
// gives the code: the first that applies of 6, 130, 5, 3, 4, 7, 1.
func TestExitCodes(t *testing.T) {
	applied := engine.Outcome{State: engine.Applied, Verdict: journal.Done}
	differs := engine.Outcome{State: engine.Applied, Verdict: journal.Done, Differs: []provider.FieldChange{{Path: "count"}}}
	short := func(v journal.Verdict) engine.Outcome { return engine.Outcome{State: engine.FellShort, Verdict: v} }
	of := func(s engine.OutcomeState) engine.Outcome { return engine.Outcome{State: s} }
	list := func(o ...engine.Outcome) []engine.Outcome { return o }
	blocked, unread := []engine.Blocked{{Address: "b"}}, []engine.Unread{{Address: "u"}}
	unknown, stale, locked, held, failed, skipped, interrupted := of(engine.Unsettled), of(engine.Stale), of(engine.Locked),
		of(engine.Held), of(engine.Failed), of(engine.Skipped), of(engine.Interrupted)
	for _, test := range []struct {
		name        string
		outcomes    []engine.Outcome
		settled     []engine.Outcome
		blocked     []engine.Blocked
		unread      []engine.Unread
		interrupted bool
		want        int
	}{
		{"nothing to do", nil, nil, nil, nil, false, 0},
		{"done", list(applied, applied), nil, nil, nil, false, 0},
		{"done, and an earlier request fell short", list(applied), list(short(journal.Partial)), nil, nil, false, 0},
		{"not done", list(short(journal.None)), nil, nil, nil, false, 1},
		{"refused", list(failed), nil, nil, nil, false, 1},
		{"skipped after a refusal", list(failed, skipped), nil, nil, nil, false, 1},
		{"done, and still reported otherwise", list(differs), nil, nil, nil, false, 5},

		{"in part", list(short(journal.Partial)), nil, nil, nil, false, 5},
		{"otherwise", list(short(journal.Drifted)), nil, nil, nil, false, 5},
		{"one of two", list(applied, failed), nil, nil, nil, false, 5},
		{"busy", list(held), nil, nil, nil, false, 5},
		{"an earlier one cannot be closed", nil, list(held), nil, nil, false, 5},
		{"blocked", list(applied), nil, blocked, nil, false, 5},
		{"unread", list(applied), nil, nil, unread, false, 5},
		{"only blocked", nil, nil, blocked, nil, false, 5},

		{"stale", list(stale, skipped), nil, nil, nil, false, 3},
		{"stale and locked", list(locked, stale), nil, nil, nil, false, 3},
		{"stale and refused", list(failed, stale), nil, nil, nil, false, 3},
		{"stale after one was done", list(applied, stale), nil, nil, nil, false, 5},
		{"stale and busy", list(stale, held), nil, nil, nil, false, 5},
		{"locked", list(locked), nil, nil, nil, false, 4},
		{"an earlier one is locked", nil, list(locked), nil, nil, false, 4},
		{"locked and refused", list(locked, failed), nil, nil, nil, false, 4},
		{"locked after one was done", list(applied, locked), nil, nil, nil, false, 5},

		{"interrupted", list(interrupted), nil, nil, nil, true, 130},
		{"interrupted after one was done", list(applied, interrupted), nil, nil, nil, true, 130},
		{"interrupted, and stale, and blocked", list(stale, interrupted), nil, blocked, nil, true, 130},

		{"unknown", list(unknown), nil, nil, nil, false, 6},
		{"unknown and interrupted", list(unknown, interrupted), nil, nil, nil, true, 6},
		{"unknown and everything else", list(applied, unknown, held, stale, locked, failed), list(applied), blocked, unread, true, 6},
		{"an earlier one is unknown", list(applied), list(unknown), nil, nil, false, 6},
	} {
		result := &engine.Result{Outcomes: test.outcomes, Settled: test.settled, Blocked: test.blocked, Unread: test.unread}
		if got := resultCode(result, test.interrupted); got != test.want {
			t.Errorf("%s: exit %d, want %d", test.name, got, test.want)
		}
	}
}

// TestPlanExitCodes is how plan and status end.
func TestPlanExitCodes(t *testing.T) {
	action, open := []engine.Action{{ID: "a1"}}, []engine.OpenIntent{{Address: "a"}}
	for _, test := range []struct {
		name           string
		plan           engine.Plan
		plain, details int
	}{
		{"no changes", engine.Plan{}, 0, 0},
		{"changes", engine.Plan{Actions: action}, 0, 2},
		{"blocked", engine.Plan{Actions: action, Blocked: []engine.Blocked{{}}}, 1, 1},
		{"unread", engine.Plan{Actions: action, Unread: []engine.Unread{{}}}, 1, 1},
		{"unsettled", engine.Plan{Actions: action, OpenIntents: open}, 1, 1},
		{"denied", engine.Plan{Actions: action, OpenIntents: open, Denied: []engine.Denied{{}}}, 7, 7},
	} {
		if got := planCode(&test.plan, false); got != test.plain {
			t.Errorf("%s: exit %d, want %d", test.name, got, test.plain)
		}
		if got := planCode(&test.plan, true); got != test.details {
			t.Errorf("%s, with details: exit %d, want %d", test.name, got, test.details)
		}
	}
}

// TestErrorExitCodes: an error keeps its code through whatever wraps it, and an
// unsettled request outranks it.
func TestErrorExitCodes(t *testing.T) {
	unknown := []engine.Outcome{{State: engine.Unsettled}}
	for _, test := range []struct {
		name    string
		err     error
		settled []engine.Outcome
		want    int
	}{
		{"none", nil, unknown, 0},
		{"any", errors.New("no"), nil, 1},
		{"stale", exitf(exitStale, "another build"), nil, 3},
		{"wrapped", fmt.Errorf("entry x: %w", exitf(exitStale, "another build")), nil, 3},
		{"beside another", errors.Join(errors.New("no"), exitf(exitStale, "another build")), nil, 3},
		{"locked", fmt.Errorf("close: %w", &journal.LockedError{Key: "k"}), nil, 4},
		{"denied", exitf(exitDenied, "no"), []engine.Outcome{{State: engine.Applied}}, 7},
		{"denied, and an earlier request is open", exitf(exitDenied, "no"), unknown, 6},
		{"interrupted, and an earlier request is open", quietly(exitInterrupted), unknown, 6},
		{"any, and an earlier request is open", errors.New("no"), unknown, 6},
	} {
		err := outranked(test.err, test.settled)
		if got := codeOf(err); got != test.want {
			t.Errorf("%s: exit %d, want %d", test.name, got, test.want)
		}
		if test.err != nil && err.Error() != test.err.Error() {
			t.Errorf("%s: it says %q", test.name, err)
		}
	}
}
