package provider

import (
	"encoding/json"
	"time"
)

// Op is what a change or an action does.
type Op string

const (
	OpUnknown  Op = ""
	OpCreate   Op = "create"
	OpScaleOut Op = "scale_out"
	OpScaleIn  Op = "scale_in"
	OpResize   Op = "resize" // the size of the nodes of one group
)

// FieldChange is one leaf that differs. Paths are relative to the group when
// the change has one, else to the cluster. Before is nil when the live value
// is absent. Values are JSON values: string, bool, int64, float64, list.
type FieldChange struct {
	Path   string `json:"path"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// Change is one difference between a desired and a live cluster.
type Change struct {
	Group  string        `json:"group,omitempty"` // empty: the cluster itself
	Op     Op            `json:"op"`
	Fields []FieldChange `json:"fields"`
}

// PlanRequest holds clusters of one providers entry.
type PlanRequest struct {
	Clusters []ClusterChange
}

// ClusterChange is one cluster that differs.
type ClusterChange struct {
	Desired Desired
	Current *State // LevelNodes; nil: absent, to be created
	Changes []Change
	// Meanings of the kind's fields, so that Plan need not repeat them.
	Meanings Meanings
}

// PlanResponse answers in the order of PlanRequest.Clusters.
type PlanResponse struct {
	Clusters []ClusterPlan
}

// ClusterPlan is what can and what cannot be done for one cluster. Actions
// stand in the order in which they must run; the engine runs one at a time.
type ClusterPlan struct {
	Actions  []Action
	Blocked  []Blocked
	Warnings []string
}

// NodeRef names a node that an action removes.
type NodeRef struct {
	ID      string    `json:"id"`
	Name    string    `json:"name,omitempty"`
	Created time.Time `json:"created,omitzero"`
}

// Action is one call that changes the cloud.
type Action struct {
	Group string `json:"group,omitempty"`
	Op    Op     `json:"op"`
	// From and To are absolute: {"count": 3} and {"count": 5}; a resize has
	// the size fields. Both are empty for a create.
	From map[string]int64 `json:"from"`
	To   map[string]int64 `json:"to"`
	// Fields are the changes' fields that this action settles, copied.
	Fields []FieldChange `json:"fields"`
	// Removes names the victims of a scale-in. Empty when the spec lets the
	// cloud choose.
	Removes []NodeRef `json:"removes"`
	// Request is what Start sends, complete but for secrets, signature and
	// time. Opaque to the engine.
	Request []byte `json:"request"`
	// Secrets are the paths in Desired.Spec whose values Start needs.
	Secrets []string `json:"secrets,omitempty"`
	// AcceptWindow raises the kind's window when it is longer.
	AcceptWindow time.Duration `json:"accept_window,omitempty"`
	// Reason is one sentence for people: why this call, when it is not plain.
	Reason string `json:"reason,omitempty"`
	// Risk is what may go wrong for users of the cluster ("may interrupt service").
	Risk string `json:"risk,omitempty"`
}

// Blocked is a wanted change that the cloud's calls cannot make.
type Blocked struct {
	Group  string        `json:"group,omitempty"`
	Fields []FieldChange `json:"fields"`
	// Reason says why and, where there is one, which call could.
	Reason string `json:"reason"`
}

// StartRequest is one request to send.
type StartRequest struct {
	Request   []byte
	Secrets   map[string]string // by path, resolved
	CheckOnly bool
}

// Outcome is what is known after Start.
type Outcome string

const (
	// OutcomeUnknown, the zero value: the cloud may have received it.
	OutcomeUnknown Outcome = ""
	// OutcomeAccepted: the cloud took it.
	OutcomeAccepted Outcome = "accepted"
	// OutcomeRefused: the cloud answered with a code that means that nothing was done.
	OutcomeRefused Outcome = "refused"
	// OutcomeUnsent: no byte of the request left this machine.
	OutcomeUnsent Outcome = "unsent"
)

// Answer is what Start says.
type Answer struct {
	Outcome   Outcome
	Operation Operation // when accepted; the handle may be empty where the cloud gives none
	ClusterID string    // of a create, when the answer tells it
	RequestID string    // the cloud's, for its support
	Error     *Error    // refused, unsent, unknown: why
	At        time.Time // the cloud's time, zero when it told none
}

// Operation is the cloud's handle of an accepted change. Valid in a later
// process; at most MaxHandle bytes; opaque to the engine.
type Operation struct {
	Handle []byte
}

// OperationState is what became of an operation.
type OperationState string

const (
	OperationUnknown   OperationState = "" // keep asking
	OperationRunning   OperationState = "running"
	OperationSucceeded OperationState = "succeeded"
	OperationFailed    OperationState = "failed"
)

// OperationStatus is one answer of Poll.
type OperationStatus struct {
	State     OperationState
	Progress  string   // the cloud's own text
	Nodes     []string // ids of the nodes the operation made, where the cloud lists them
	ClusterID string   // of a create
	Error     *Error   // failed: why; unknown: why it cannot be read
	At        time.Time
}

// Price is what an action changes, per month or once.
type Price struct {
	Amount   float64 `json:"amount"`        // negative: a refund
	Currency string  `json:"currency"`      // "CNY"
	Per      string  `json:"per,omitempty"` // "month", "hour", "once"; empty when the cloud does not say
}

// Raw marshals v, for attributes; it panics on a value that JSON cannot hold,
// which is a bug of the caller's.
func Raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
