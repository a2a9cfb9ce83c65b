package main

import (
	"errors"
	"fmt"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
)

// Exit codes. Where a run has several results, the first that applies of
// 6, 130, 5, 3, 4, 7, 1 is taken.
const (
	exitOK          = 0
	exitError       = 1 // an error; at plan: blocked or unread clusters
	exitPending     = 2 // changes pending, with --detailed-exitcode only
	exitStale       = 3
	exitLocked      = 4
	exitPartly      = 5 // partly applied, or something blocked or unread at apply
	exitUnknown     = 6
	exitDenied      = 7 // by policy, guard or missing approval
	exitInterrupted = 130
)

// exitCode is an error with the code that the process ends with. An empty
// message prints nothing: everything was said before.
type exitCode struct {
	code int
	msg  string
}

func (e *exitCode) Error() string { return e.msg }

func exitf(code int, format string, args ...any) error {
	return &exitCode{code, fmt.Sprintf(format, args...)}
}

// quietly ends with code; what there is to say has been said.
func quietly(code int) error {
	if code == exitOK {
		return nil
	}
	return &exitCode{code: code}
}

// codeOf maps an error to the process's exit code.
func codeOf(err error) int {
	var exit *exitCode
	var locked *journal.LockedError
	var stale *engine.StaleError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &locked):
		return exitLocked
	case errors.As(err, &stale):
		return exitStale
	}
	return exitError
}

// planCode is how plan ends.
func planCode(p *engine.Plan, detailed bool) int {
	switch {
	case len(p.Denied) > 0:
		return exitDenied
	case len(p.Blocked)+len(p.Unread)+len(p.OpenIntents) > 0:
		return exitError
	case detailed && !p.Empty():
		return exitPending
	}
	return exitOK
}

// resultCode is how apply ends.
func resultCode(r *engine.Result, interrupted bool) int {
	applied, short, failed := r.Count(engine.Applied), false, false
	for _, o := range r.Outcomes {
		switch o.State {
		case engine.FellShort:
			short = short || o.Verdict != journal.None
			failed = true
		case engine.Applied, engine.Unsettled:
		default:
			failed = true
		}
		failed = failed || len(o.Differs) > 0
	}
	switch {
	case r.Has(engine.Unsettled):
		return exitUnknown
	case interrupted:
		return exitInterrupted
	case short, applied > 0 && failed, r.Has(engine.Held), len(r.Blocked)+len(r.Unread) > 0:
		return exitPartly
	case r.Has(engine.Stale):
		return exitStale
	case r.Has(engine.Locked):
		return exitLocked
	case r.Has(engine.Refused):
		return exitDenied
	case failed:
		return exitError
	}
	return exitOK
}
