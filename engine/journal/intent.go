package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Identity says which cluster of which cloud a record is about, independent of
// the spec's checkout and names: two specs that manage one cluster share it.
type Identity struct {
	Plugin   string `json:"plugin"`
	Account  string `json:"account"` // the identifying settings, canonical: "project_id=… region=…"
	Endpoint string `json:"endpoint,omitempty"`
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"` // only where there is no id yet: a create
	// Scope is empty for requests, and Guarded for guards. Of an account's
	// guards the identity has neither ID nor Name.
	Scope string `json:"scope,omitempty"`
}

// Key is the identity as a file name.
func (i Identity) Key() string {
	b, err := json.Marshal(i)
	if err != nil {
		panic(err) // a struct of strings
	}
	sum := sha256.Sum256(b)
	return i.Plugin + "-" + hex.EncodeToString(sum[:12])
}

// Answer is what Start said, as recorded.
type Answer struct {
	Outcome   provider.Outcome `json:"outcome"` // "" is unknown
	At        time.Time        `json:"at"`
	Handle    []byte           `json:"handle,omitempty"`
	ClusterID string           `json:"cluster_id,omitempty"`
	RequestID string           `json:"request_id,omitempty"`
	Kind      string           `json:"kind,omitempty"`
	Code      string           `json:"code,omitempty"`
	Message   string           `json:"message,omitempty"`
}

// Intent is a request that may have been sent. It is durable before the send
// and stays until a verdict closes it.
type Intent struct {
	FormatVersion int    `json:"format_version"`
	OpID          string `json:"op_id"`
	PlanDigest    string `json:"plan_digest"`
	ActionID      string `json:"action_id"`
	// Who is whose run sent it, user@host; empty in records of earlier releases.
	Who string `json:"who,omitempty"`

	Identity  Identity    `json:"identity"`
	Entry     string      `json:"entry"` // the spec's providers entry
	Kind      string      `json:"kind"`
	Cluster   string      `json:"cluster"` // the spec's key
	Name      string      `json:"name"`    // the live name
	ClusterID string      `json:"cluster_id,omitempty"`
	Group     string      `json:"group,omitempty"`
	Op        provider.Op `json:"op"`

	From map[string]int64 `json:"from"`
	To   map[string]int64 `json:"to"`
	// K is how many nodes the request adds or removes; 1 for a create.
	K int64 `json:"k"`
	// Victims are the nodes it removes by name; empty: the cloud chooses.
	Victims []string `json:"victims,omitempty"`
	// Names are those of the nodes before a scale-in, by id, where a node has
	// another name than its id: who is gone cannot be asked any more.
	Names map[string]string `json:"names,omitempty"`
	// Base are the node ids of the group before the send; of a create, the
	// ids of the live clusters of that exact name.
	Base []string `json:"base"`
	// Sizes are the nodes' sizes before a resize, by node id.
	Sizes map[string]map[string]int64 `json:"sizes,omitempty"`
	// Tasks are the ids of the cloud's tasks, running and past, before the send.
	Tasks  []string  `json:"tasks"`
	ReadAt time.Time `json:"read_at"`

	RequestDigest string `json:"request_digest"`
	// SignedAt is no later than the signature; Expires no earlier than the
	// moment until which the cloud takes the request.
	SignedAt     time.Time     `json:"signed_at"`
	AcceptWindow time.Duration `json:"accept_window"`
	Expires      time.Time     `json:"expires"`
	Deadline     time.Time     `json:"deadline"`
	ReadLag      time.Duration `json:"read_lag"`
	Fence        uint64        `json:"fence"`

	// Answer is nil until Start returned and the answer was recorded: a run
	// that died between counts as unknown.
	Answer *Answer `json:"answer,omitempty"`
	// Inferred is the handle of the one new task of our type that was seen
	// after an unknown answer.
	Inferred []byte `json:"inferred,omitempty"`
}

// Verdict is how an intent was closed.
type Verdict string

const (
	// Unknown, the zero value: not settled; the intent stays open.
	Unknown Verdict = ""
	Done    Verdict = "done"
	Partial Verdict = "partial"
	// None: the request had no effect and can have none any more.
	None    Verdict = "none"
	Drifted Verdict = "drifted"
)

// Record is one line of history: an intent that was closed.
type Record struct {
	Intent  Intent    `json:"intent"`
	Verdict Verdict   `json:"verdict"`
	At      time.Time `json:"at"`
	// QuietUntil is the moment before which no further request is sent to the
	// cluster: until then the closed one could still arrive, or reads lag.
	QuietUntil time.Time `json:"quiet_until"`
	Detail     string    `json:"detail,omitempty"`  // one sentence of evidence
	Foreign    []string  `json:"foreign,omitempty"` // nodes that came or went and are not ours
	By         string    `json:"by,omitempty"`      // a person's decision: who and why
	// Guards are all that the record leaves in force, when it is about guards;
	// nothing was sent then.
	Guards *Guards `json:"guards,omitempty"`
	// Closer is whose run closed it, user@host; Added and Removed are the nodes
	// that the request made and took away. Earlier releases recorded neither.
	Closer  string `json:"closer,omitempty"`
	Added   []Node `json:"added,omitempty"`
	Removed []Node `json:"removed,omitempty"`
}

// Node is a node as history names it.
type Node struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"` // where it is another than the id
}
