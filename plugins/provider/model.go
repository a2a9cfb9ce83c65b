package provider

import (
	"encoding/json"
	"time"
)

// Desired is one cluster as the spec wants it.
type Desired struct {
	Address string `json:"address"` // the key under "clusters"
	Kind    string `json:"kind"`
	ID      string `json:"id,omitempty"`
	Name    string `json:"name"` // looked for by exact name when ID is empty

	// Spec is the whole cluster as the schema completed it, secrets as
	// references: {"node_groups": {"core": {"count": 5}}, …}. A count is an
	// integer, also where the spec states a range, or absent: then it is to stay
	// as it is live.
	Spec json.RawMessage `json:"spec"`
}

// Level says how much Observe reads.
type Level string

const (
	// LevelSummary is what list calls answer: status, groups, counts and
	// attributes. Nodes and tasks may be missing.
	LevelSummary Level = "summary"
	// LevelNodes adds every node and task.
	LevelNodes Level = "nodes"
)

// ObserveRequest asks for clusters by key, or for all without keys.
type ObserveRequest struct {
	Level Level
	Keys  []Key
}

// Key names one cluster to read: by ID when it is set, else by exact Name.
type Key struct {
	Address string // echoed in the observation
	Kind    string
	ID      string
	Name    string
}

// Presence is what a read found.
type Presence string

const (
	// Unread, the zero value: nothing is known. Never means absent.
	Unread Presence = ""
	// Present: exactly one live cluster answers to the key.
	Present Presence = "present"
	// Absent: the cloud says that no live cluster answers to the key. A
	// cluster that is deleted or terminated is absent.
	Absent Presence = "absent"
	// Ambiguous: several live clusters bear the name; IDs lists them.
	Ambiguous Presence = "ambiguous"
)

// Observation is the answer for one key.
type Observation struct {
	Address  string
	Presence Presence
	Cluster  *State   // when Present
	IDs      []string // every live cluster of that exact name, when asked by name
	Error    *Error   // when Unread: why
	// At is the cloud's time of the read (its Date header or the like), or
	// the plugin's own when the cloud tells none.
	At time.Time
}

// Status is a cluster's readiness for a change. The zero value is the cautious
// one.
type Status string

const (
	StatusUnknown Status = ""      // treated as busy
	StatusReady   Status = "ready" // would take a change now
	StatusBusy    Status = "busy"  // something runs; wait
	// StatusBroken: needs a person (failed, frozen, abnormal); no change is
	// sent.
	StatusBroken Status = "broken"
)

// State is a live cluster.
type State struct {
	ID     string
	Name   string
	Kind   string // the kind asked for; for a whole account the provider's best reading
	Status Status
	// StatusText is the cloud's own word for the state and what it says of
	// its progress; printed beside ours, never matched.
	StatusText string
	// Attributes are the cluster's readable fields, named and shaped as in the
	// spec, without node_groups. Absent means that it cannot be read.
	Attributes json.RawMessage
	Groups     []Group
	Tasks      []Task // LevelNodes and CapTasks: running and past, newest first
}

// Group is one node group of a live cluster.
type Group struct {
	Role string // the key under node_groups: "core"
	// Count is the cloud's own counter; where the cloud has none it is the
	// length of Nodes. The engine sends nothing while the two differ.
	Count int
	// Attributes are the group's readable fields, named as in the spec,
	// without count. When nodes of the group differ in a field, it is left
	// out here and stands in the nodes.
	Attributes json.RawMessage
	Nodes      []Node // LevelNodes
}

// Node is one machine.
type Node struct {
	ID         string // stable while the node lives
	Name       string
	Created    time.Time
	Status     Status
	StatusText string
	Attributes json.RawMessage // its size, where nodes of a group can differ
}

// Task is one of the cloud's own records of a change, ours or not.
type Task struct {
	ID      string
	Op      Op // OpUnknown when the type is not one of ours
	Type    string
	Group   string // empty when the cloud does not tell
	State   OperationState
	Created time.Time
	// Handle lets Poll follow the task.
	Handle []byte
}
