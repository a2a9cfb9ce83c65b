package simulation

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// traits are what a kind of cluster tells about its work.
type traits struct {
	kind    string
	handles bool // Start's answer has a handle
	tasks   bool // observations list tasks, with handles
	lists   bool // an ended task lists the nodes that it made
	stages  bool // a create makes core only; the other group is scaled out later
	window  time.Duration
	raises  bool // a scale-out may arrive for twice as long, as its action says
	lag     time.Duration
}

var roles = []string{"core", "task"}

// cloud is the model of one vendor: it checks signatures, takes one change per
// cluster at a time, works on it for a while, and keeps a log of every effect.
type cloud struct {
	w        *world
	skew     time.Duration // our clock is ahead of the cloud's by this much
	clusters []*cluster
	requests []*request
	serial   int
}

type cluster struct {
	cloud    *cloud
	id, name string
	traits   traits
	status   provider.Status
	gone     bool
	groups   map[string][]node
	tasks    []*task
	running  *job
	versions []version
	born     time.Time
	made     *request    // the create it comes from
	touched  []time.Time // when somebody else changed it
	newest   int         // of the versions that were ever read
}

type node struct {
	id   string
	size int64
	born time.Time
	made *request
}

type task struct {
	id      string
	op      provider.Op
	group   string
	begun   time.Time
	ended   time.Time // zero while it runs
	failed  bool
	lists   []string // what it says that it made
	cluster *cluster
}

// version is a cluster as it was from a moment on; nil when it did not exist.
type version struct {
	at    time.Time
	state *provider.State
}

func (c *cloud) next(prefix string) string {
	c.serial++
	return fmt.Sprintf("%s%d", prefix, c.serial)
}

// now is the cloud's clock.
func (c *cloud) now() time.Time { return time.Now().Add(-c.skew) }

func (c *cloud) add(t traits, name string, status provider.Status) *cluster {
	cl := &cluster{cloud: c, id: c.next("id-"), name: name, traits: t, status: status, born: time.Now(), groups: map[string][]node{}}
	c.clusters = append(c.clusters, cl)
	return cl
}

func (c *cloud) byID(id string) *cluster {
	for _, cl := range c.clusters {
		if cl.id == id && !cl.gone {
			return cl
		}
	}
	return nil
}

func (cl *cluster) grow(role string, n, size int64, by *request) []string {
	var ids []string
	for range n {
		id := cl.cloud.next("n")
		cl.groups[role] = append(cl.groups[role], node{id, size, time.Now(), by})
		ids = append(ids, id)
	}
	return ids
}

func (cl *cluster) remove(role string, ids []string) {
	cl.groups[role] = slices.DeleteFunc(slices.Clone(cl.groups[role]), func(n node) bool { return slices.Contains(ids, n.id) })
}

func (cl *cluster) ids(role string) []string {
	var ids []string
	for _, n := range cl.groups[role] {
		ids = append(ids, n.id)
	}
	return ids
}

var sizeText = map[int64]json.RawMessage{2: json.RawMessage(`{"cpu":2}`), 4: json.RawMessage(`{"cpu":4}`), 8: json.RawMessage(`{"cpu":8}`)}

// commit makes the cluster as it is now what reads will see.
func (cl *cluster) commit() {
	if cl.gone {
		cl.versions = append(cl.versions, version{at: time.Now()})
		return
	}
	s := &provider.State{ID: cl.id, Name: cl.name, Kind: cl.traits.kind, Status: cl.status}
	for _, role := range roles {
		nodes := cl.groups[role]
		g := provider.Group{Role: role, Count: len(nodes)}
		same := true
		for _, n := range nodes {
			g.Nodes = append(g.Nodes, provider.Node{ID: n.id, Created: n.born, Status: provider.StatusReady, Attributes: sizeText[n.size]})
			same = same && n.size == nodes[0].size
		}
		if same && len(nodes) > 0 {
			g.Attributes = sizeText[nodes[0].size]
		}
		s.Groups = append(s.Groups, g)
	}
	if cl.traits.tasks {
		for _, t := range slices.Backward(cl.tasks) {
			s.Tasks = append(s.Tasks, provider.Task{ID: t.id, Op: t.op, Group: t.group, State: t.state(), Created: t.begun, Handle: []byte(t.id)})
		}
	}
	cl.versions = append(cl.versions, version{time.Now(), s})
}

func (t *task) state() provider.OperationState {
	switch {
	case t.ended.IsZero():
		return provider.OperationRunning
	case t.failed:
		return provider.OperationFailed
	}
	return provider.OperationSucceeded
}

// as is the cluster at a moment, nil when it did not exist.
func (cl *cluster) as(at time.Time) *provider.State {
	if i := cl.version(at); i >= 0 {
		return cl.versions[i].state
	}
	return nil
}

// version is the place of the newest version of a moment, -1 when there is none.
func (cl *cluster) version(at time.Time) int {
	for i, v := range slices.Backward(cl.versions) {
		if !v.at.After(at) {
			return i
		}
	}
	return -1
}

// shows counts what a reader may be misled by: the past, and a past that was
// over by an earlier read.
func (cl *cluster) shows(version int) {
	if version < len(cl.versions)-1 {
		cl.cloud.w.fault("stale read")
	}
	if version < cl.newest {
		cl.cloud.w.fault("flapping read")
	}
	cl.newest = max(cl.newest, version)
}

// read answers for one key from a replica that is behind by up to read_lag.
func (c *cloud) read(k provider.Key) provider.Observation {
	o := provider.Observation{Address: k.Address, At: c.now(), Presence: provider.Absent}
	// One answer comes from one replica; its counters may come from another.
	stale, other := c.w.faults.stale, c.w.luck.Float64()
	age := 0.0
	if c.w.rolls(stale) {
		age = min(1, 1.3*c.w.luck.Float64()) // often as old as can be
	}
	for _, cl := range c.clusters {
		if k.ID != "" && cl.id != k.ID || k.ID == "" && cl.name != k.Name {
			continue
		}
		behind := time.Duration(age * float64(cl.traits.lag))
		version := cl.version(time.Now().Add(-behind))
		if version >= 0 {
			cl.shows(version)
		}
		s := cl.as(time.Now().Add(-behind))
		if s == nil {
			continue
		}
		if stale > 0 && other < stale/4 {
			if counts := cl.as(time.Now()); counts != nil {
				s = c.w.withCounts(s, counts)
			}
		}
		o.IDs = append(o.IDs, cl.id)
		o.Presence, o.Cluster = provider.Present, s
	}
	if len(o.IDs) > 1 {
		o.Presence, o.Cluster = provider.Ambiguous, nil
	}
	return o
}

// withCounts is a state whose counters are those of another moment.
func (w *world) withCounts(s, counts *provider.State) *provider.State {
	mixed := *s
	mixed.Groups = slices.Clone(s.Groups)
	for i := range mixed.Groups {
		if mixed.Groups[i].Count != counts.Groups[i].Count {
			w.fault("counter and list differ")
		}
		mixed.Groups[i].Count = counts.Groups[i].Count
	}
	return &mixed
}

// poll answers for one handle, also from a replica.
func (c *cloud) poll(handle string) provider.OperationStatus {
	for _, cl := range c.clusters {
		for _, t := range cl.tasks {
			if t.id != handle {
				continue
			}
			at := time.Now()
			if c.w.rolls(c.w.faults.stale) {
				at = at.Add(-c.w.between(0, cl.traits.lag))
			}
			return t.status(at, c.now())
		}
	}
	return provider.OperationStatus{Error: provider.Errorf(provider.KindNotFound, "no task %s", handle)}
}

func (t *task) status(at, cloudTime time.Time) provider.OperationStatus {
	st := provider.OperationStatus{At: cloudTime, State: provider.OperationRunning, Progress: "working"}
	switch {
	case t.begun.After(at):
		st.State, st.Error = provider.OperationUnknown, provider.Errorf(provider.KindNotFound, "no task %s yet", t.id)
	case t.ended.IsZero() || t.ended.After(at):
	case t.failed:
		st.State, st.Error = provider.OperationFailed, provider.Errorf(provider.KindQuota, "no capacity")
	default:
		st.State = provider.OperationSucceeded
	}
	if st.State == provider.OperationSucceeded || st.State == provider.OperationFailed {
		if t.cluster.traits.lists {
			st.Nodes = slices.Clone(t.lists)
		}
		if t.op == provider.OpCreate {
			st.ClusterID = t.cluster.id
		}
	}
	return st
}

// touch marks a change that is not ours.
func (cl *cluster) touch() { cl.touched = append(cl.touched, time.Now()) }

// touchedSince reports whether others changed the cluster, or one that bears
// its name, after a moment.
func (c *cloud) touchedSince(id, name string, at time.Time) bool {
	for _, cl := range c.clusters {
		if cl.id == id || cl.name == name {
			for _, t := range cl.touched {
				if !t.Before(at) {
					return true
				}
			}
		}
	}
	return false
}
