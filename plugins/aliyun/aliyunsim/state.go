package aliyunsim

import (
	"bytes"
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Kinds of cluster. The cloud tells them apart by itself; its answers show
// only whether a cluster is an edge one.
const (
	Sandbox = "sandbox"
	Edge    = "edge"
)

// State is the whole account, as Restore takes it and State gives it. A state
// written by hand needs little: every field but a cluster's id and kind has a
// default, and nodes may be empty objects:
//
//	{"clusters": [{"cluster_id": "c1", "kind": "edge", "nodes": [{}, {}]}]}
type State struct {
	Clusters []*Cluster `json:"clusters"`
	// How many nodes, tasks and requests there ever were, so that their ids
	// never come twice.
	NodesEver    int `json:"nodes_ever,omitempty"`
	TasksEver    int `json:"tasks_ever,omitempty"`
	RequestsEver int `json:"requests_ever,omitempty"`
	// NodeQuota is how many nodes one cluster may have (0: 5000, a choice).
	NodeQuota int `json:"node_quota,omitempty"`
	// Arrears refuses scale-outs with InsufficientBalance.
	Arrears bool `json:"arrears,omitempty"`
	// Denied lists actions ("ScaleOutCluster") that the key may not do.
	Denied []string `json:"denied,omitempty"`
}

// Cluster is one cluster. The JSON names are the cloud's where it has one.
type Cluster struct {
	ID        string    `json:"cluster_id"`
	Kind      string    `json:"kind"`                      // Sandbox or Edge
	Name      string    `json:"name,omitempty"`            // default: the id
	Status    string    `json:"state,omitempty"`           // default "running"
	Type      string    `json:"cluster_type,omitempty"`    // default "ManagedKubernetes"
	Spec      string    `json:"cluster_spec,omitempty"`    // default "ack.pro.small"
	Version   string    `json:"current_version,omitempty"` // default "1.30.7-aliyun.1"
	Region    string    `json:"region_id,omitempty"`       // default "cn-beijing"
	VPC       string    `json:"vpc_id,omitempty"`          // made up by default
	VSwitches []string  `json:"vswitch_ids,omitempty"`     // made up by default
	NodePool  string    `json:"nodepool_id,omitempty"`     // made up by default
	Tags      []Tag     `json:"tags,omitempty"`
	Protected bool      `json:"deletion_protection,omitempty"`
	Created   time.Time `json:"created,omitzero"`        // default 2026-01-01
	Updated   time.Time `json:"updated,omitzero"`        // default Created
	Nodes     []*Node   `json:"nodes,omitempty"`         // oldest first
	Tasks     []*Task   `json:"cluster_tasks,omitempty"` // oldest first
	joined    int       // nodes that "size" counts
}

// Tag is a cluster's label.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Node is one machine of a cluster. Names, addresses and the cloud's other
// words for its condition follow from these fields.
type Node struct {
	ID      string    `json:"instance_id,omitempty"`          // default: the next of the counter
	IP      string    `json:"ip,omitempty"`                   // default: from the counter
	Role    string    `json:"instance_role,omitempty"`        // default "Worker"; or "Master"
	Type    string    `json:"instance_type,omitempty"`        // default by kind
	Charge  string    `json:"instance_charge_type,omitempty"` // default "PostPaid"
	Image   string    `json:"image_id,omitempty"`
	Status  string    `json:"state,omitempty"`        // default "running"; "pending" while joining, "removing"
	Created time.Time `json:"creation_time,omitzero"` // default: the cluster's
}

// Task is one asynchronous change, as DescribeTaskInfo tells of it.
type Task struct {
	ID      string     `json:"task_id"`
	Type    string     `json:"task_type"`
	Status  string     `json:"state"` // running, success, failed
	Created time.Time  `json:"created"`
	Updated time.Time  `json:"updated"`
	Asked   int        `json:"count"`
	Results []Result   `json:"task_result,omitempty"`
	Error   *TaskError `json:"error,omitempty"`
	Job     *Job       `json:"job,omitempty"` // what is still to do; gone at the end
}

// Result is the fate of one node in a task.
type Result struct {
	Data   string `json:"data"`   // instance id
	Status string `json:"status"` // initial, success, failed
}

// TaskError says why a task failed.
type TaskError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Job is the work of a running task.
type Job struct {
	Request string     `json:"request"`           // id of the request that asked for it
	Middle  time.Time  `json:"middle"`            // machines exist from here on
	End     time.Time  `json:"end"`               //
	Works   int        `json:"works"`             // how many of the nodes asked for will succeed
	Fails   *TaskError `json:"fails,omitempty"`   // why the others will not
	Model   Node       `json:"model,omitzero"`    // what new nodes look like
	Victims []string   `json:"victims,omitempty"` // instance ids to remove
	Begun   bool       `json:"begun,omitempty"`   // Middle is past
}

// State gives the whole account as JSON.
func (c *cloud) State() ([]byte, error) { return json.Marshal(&c.state) }

// Restore replaces the account.
func (c *cloud) Restore(data []byte) error {
	var s State
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields() // a misspelt field in a hand-written state
	if err := dec.Decode(&s); err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	r := cloud{clusters: map[string]*Cluster{}, tasks: map[string]work{}}
	machines := map[string]bool{}
	for _, cl := range s.Clusters {
		if cl == nil || cl.ID == "" {
			return errors.New("a cluster in the state has no cluster_id")
		}
		if r.clusters[cl.ID] != nil {
			return fmt.Errorf("cluster %s stands twice in the state", cl.ID)
		}
		r.clusters[cl.ID] = cl
		for _, n := range cl.Nodes {
			if n == nil || n.ID != "" && machines[n.ID] {
				return fmt.Errorf("cluster %s: a node is null or stands twice", cl.ID)
			}
			machines[n.ID] = true
			s.NodesEver = max(s.NodesEver, number(n.ID, nodeID))
		}
		for _, t := range cl.Tasks {
			if t == nil || t.ID == "" || r.tasks[t.ID].task != nil {
				return fmt.Errorf("cluster %s: a task is without id or stands twice", cl.ID)
			}
			r.tasks[t.ID] = work{cl, t}
			s.TasksEver = max(s.TasksEver, number(t.ID, taskID))
			if t.Job != nil {
				r.running = append(r.running, work{cl, t})
			}
		}
	}
	for _, cl := range s.Clusters {
		if err := s.complete(cl); err != nil {
			return err
		}
	}
	heap.Init(&r.running)
	c.state, c.clusters, c.tasks, c.running = s, r.clusters, r.tasks, r.running
	c.version++
	return nil
}

// complete fills a cluster's defaults.
func (s *State) complete(cl *Cluster) error {
	if cl.Kind != Sandbox && cl.Kind != Edge {
		return fmt.Errorf("cluster %s: kind is %q; there are %s and %s", cl.ID, cl.Kind, Sandbox, Edge)
	}
	fill(&cl.Name, cl.ID)
	fill(&cl.Status, "running")
	fill(&cl.Type, "ManagedKubernetes")
	fill(&cl.Spec, "ack.pro.small")
	fill(&cl.Version, "1.30.7-aliyun.1")
	fill(&cl.Region, "cn-beijing")
	fill(&cl.VPC, "vpc-2zes3rfz7bmk0nxxxxxxx")
	fill(&cl.NodePool, "np"+cl.ID)
	if cl.VSwitches == nil {
		cl.VSwitches = []string{"vsw-2zes3rfz7bmk0nxxxxxxx"}
	}
	if cl.Created.IsZero() {
		cl.Created = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if cl.Updated.IsZero() {
		cl.Updated = cl.Created
	}
	for _, n := range cl.Nodes {
		if n.ID == "" || n.IP == "" {
			id, ip := s.mint()
			fill(&n.ID, id)
			fill(&n.IP, ip)
		}
		fill(&n.Role, "Worker")
		fill(&n.Type, machineType(cl.Kind))
		fill(&n.Charge, "PostPaid")
		fill(&n.Status, "running")
		if n.Created.IsZero() {
			n.Created = cl.Created
		}
	}
	cl.recount()
	return nil
}

// Ids as the pages' examples look, made from counters.
const (
	nodeID    = "i-2ze%017d"
	taskID    = "T-%024x"
	requestID = "687C5BAA-D103-4993-884B-%012X"
)

// number is the counter that made an id, or 0 for an id chosen by hand.
func number(id, format string) int {
	var n int
	if _, err := fmt.Sscanf(id, format, &n); err != nil || fmt.Sprintf(format, n) != id {
		return 0
	}
	return n
}

// mint makes the next instance's id and address.
func (s *State) mint() (id, ip string) {
	s.NodesEver++
	n := s.NodesEver
	return fmt.Sprintf(nodeID, n), fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

// machineType is what a node is when nothing says so: the pages' examples.
func machineType(kind string) string {
	if kind == Edge {
		return "ens.sn1.tiny"
	}
	return "ecs.ebmg5s.24xlarge"
}

// recount brings "size" up to date. Choice: it counts masters too, and new
// nodes only once they have joined.
func (cl *Cluster) recount() {
	cl.joined = 0
	for _, n := range cl.Nodes {
		if n.Status != pending {
			cl.joined++
		}
	}
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
