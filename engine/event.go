package engine

import (
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// EventState is where an action stands.
type EventState string

const (
	Waiting  EventState = "waiting"  // for a lock, a busy cluster, or another cluster's action
	Sending  EventState = "sending"  // the intent is durable, the request goes out
	Running  EventState = "running"  // accepted; the cloud works
	Watching EventState = "watching" // the answer was lost; the cluster is watched
	Expiring EventState = "expiring" // waiting until a lost request can no longer arrive
	Ended    EventState = "ended"
)

// Event is progress of one action. Text is what the cloud or the engine says
// about it; Until, when set, is the moment that is waited for, and For the address
// of another cluster's action that comes first.
type Event struct {
	At      time.Time
	Action  *Action
	State   EventState
	Text    string
	Until   time.Time
	For     string
	Outcome *Outcome // Ended
}

// OutcomeState is how an action ended in this run.
type OutcomeState string

const (
	// Applied: the verdict is done.
	Applied OutcomeState = "applied"
	// FellShort: sent and settled with a verdict other than done.
	FellShort OutcomeState = "fell_short"
	// Unsettled: sent, and what became of it is not known.
	Unsettled OutcomeState = "unknown"
	// Failed: not applied; the cloud refused it or it could not be sent.
	Failed OutcomeState = "failed"
	// Stale: the cloud changed since the plan; nothing was sent.
	Stale OutcomeState = "stale"
	// Locked: another run holds the cluster; nothing was sent.
	Locked OutcomeState = "locked"
	// Refused: a guard does not let it pass; nothing was sent.
	Refused OutcomeState = "denied"
	// Held: the cluster is busy, cannot be read, or takes no change; nothing was sent.
	Held OutcomeState = "held"
	// Skipped: an action before it, on the cluster or on one that it depends on,
	// did not end well.
	Skipped OutcomeState = "skipped"
	// Interrupted: not sent, the user stopped the run.
	Interrupted OutcomeState = "interrupted"
)

// Outcome is how one action ended.
type Outcome struct {
	Action  string          `json:"action"`
	Address string          `json:"address"`
	Op      provider.Op     `json:"op"`
	State   OutcomeState    `json:"state"`
	Verdict journal.Verdict `json:"verdict,omitempty"`
	Detail  string          `json:"detail,omitempty"`
	// New are the nodes, or the cluster, that the action made.
	New []string `json:"new,omitempty"`
	// Foreign are nodes that came or went meanwhile and are not the action's.
	Foreign []string `json:"foreign,omitempty"`
	// Differs lists what still differs from the spec on the action's own
	// paths after it was done.
	Differs  []provider.FieldChange `json:"differs,omitempty"`
	Duration time.Duration          `json:"duration"`
}

// Result is what came of an apply.
type Result struct {
	FormatVersion string        `json:"format_version"`
	PlanDigest    string        `json:"plan_digest"`
	Outcomes      []Outcome     `json:"outcomes"`
	Settled       []Outcome     `json:"settled"` // earlier requests that this run closed or left open
	Blocked       []Blocked     `json:"blocked"`
	Unread        []Unread      `json:"unread"`
	Guards        []Guard       `json:"guards"` // those that this run wrote to history or took out of it
	Duration      time.Duration `json:"duration"`
}

// Has reports whether any outcome is in one of the states.
func (r *Result) Has(states ...OutcomeState) bool {
	for _, list := range [][]Outcome{r.Outcomes, r.Settled} {
		for _, o := range list {
			for _, s := range states {
				if o.State == s {
					return true
				}
			}
		}
	}
	return false
}

// Count is how many of the plan's actions ended in a state.
func (r *Result) Count(state OutcomeState) int {
	n := 0
	for _, o := range r.Outcomes {
		if o.State == state {
			n++
		}
	}
	return n
}
