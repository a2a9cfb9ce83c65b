package qingcloudsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// index finds what requests name without a walk over the account, so that a
// page of a list costs what the page holds.
type index struct {
	clusters   map[string]*Cluster  // by cluster_id
	places     map[place][]*Cluster // oldest first
	jobs       map[string]*Job      // by job_id
	byResource map[string][]*Job    // by cluster_id and node_id, oldest first
	running    []*Job
}

type place struct{ zone, owner string }

func newIndex(st *State) index {
	x := index{
		clusters:   make(map[string]*Cluster, len(st.Clusters)),
		places:     map[place][]*Cluster{},
		jobs:       make(map[string]*Job, len(st.Jobs)),
		byResource: map[string][]*Job{},
	}
	for _, cl := range st.Clusters {
		x.addCluster(cl)
	}
	for _, j := range st.Jobs {
		x.addJob(j)
	}
	return x
}

func (x *index) addCluster(cl *Cluster) {
	x.clusters[cl.ClusterID] = cl
	at := place{cl.Zone, cl.Owner}
	x.places[at] = append(x.places[at], cl)
}

func (x *index) addJob(j *Job) {
	x.jobs[j.JobID] = j
	for _, id := range append([]string{j.ClusterID}, j.Nodes...) {
		x.byResource[id] = append(x.byResource[id], j)
	}
	if j.Status == statusPending {
		x.running = append(x.running, j)
	}
}

// busy reports whether a job runs on the cluster.
func (x *index) busy(clusterID string) bool {
	return slices.ContainsFunc(x.byResource[clusterID], func(j *Job) bool { return j.Status == statusPending })
}

// State gives the account as JSON.
func (c *cloud) State() ([]byte, error) { return json.Marshal(c.st) }

// Restore replaces the account.
func (c *cloud) Restore(state []byte) error {
	var st State
	dec := json.NewDecoder(bytes.NewReader(state))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&st); err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	st.pastIDs()
	for _, cl := range st.Clusters {
		if err := st.complete(cl, c.opts.Now()); err != nil {
			return fmt.Errorf("cluster %q: %w", cl.ClusterID, err)
		}
	}
	if err := st.check(); err != nil {
		return err
	}
	c.st, c.index = st, newIndex(&st)
	c.version++
	return nil
}

// check finds ids that are borne twice, and jobs of no known status.
func (st *State) check() error {
	seen := map[string]bool{}
	claim := func(id string) error {
		if seen[id] {
			return fmt.Errorf("two things have the id %q", id)
		}
		seen[id] = true
		return nil
	}
	for _, cl := range st.Clusters {
		if err := errors.Join(claim(cl.ClusterID), claim(cl.AppClusterID)); err != nil {
			return err
		}
		for _, n := range cl.Nodes {
			if err := claim(n.NodeID); err != nil {
				return err
			}
		}
	}
	for _, j := range st.Jobs {
		if err := claim(j.JobID); err != nil {
			return err
		}
		if !slices.Contains([]string{statusPending, jobSuccessful, jobFailed}, j.Status) {
			return fmt.Errorf("job %q: no status %q", j.JobID, j.Status)
		}
	}
	return nil
}

// complete fills in what a hand-written cluster leaves out.
func (st *State) complete(cl *Cluster, now time.Time) error {
	if cl.ClusterID == "" || cl.ClusterName == "" || cl.Zone == "" || cl.Owner == "" {
		return errors.New("cluster_id, cluster_name, zone and owner must be set")
	}
	prefix, rest, _ := strings.Cut(cl.ClusterID, "-")
	orElse(&cl.ClusterType, prefix)
	if cl.ClusterType != kindHPC && cl.ClusterType != kindEHPC {
		return fmt.Errorf("no cluster_type %q", cl.ClusterType)
	}
	orElse(&cl.AppClusterID, "cl-"+rest)
	orElse(&cl.ClusterStatus, statusActive)
	orElse(&cl.DeployMode, "1")
	orElse(&cl.Description, " ")
	orElse(&cl.PaidType, payForUsed)
	orElse(&cl.CreateTime, now)
	for _, n := range cl.Nodes {
		if !slices.Contains(rolesOf(cl.ClusterType), n.Role) || n.CPU == 0 || n.Memory == 0 {
			return errors.New("each node needs cpu, memory and a role of its cluster's type")
		}
		st.completeNode(n, cl.CreateTime)
	}
	return nil
}

func (st *State) completeNode(n *Node, made time.Time) {
	if n.NodeID == "" {
		n.NodeID = st.newID("cln-", 8)
	}
	orElse(&n.Status, statusActive)
	orElse(&n.Name, n.Role+strings.TrimPrefix(n.NodeID, "cln"))
	orElse(&n.PrivateIP, privateIP(n.NodeID))
	orElse(&n.CreateTime, made)
	orElse(&n.StatusTime, n.CreateTime)
}

func orElse[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// newID hands out an id that nothing bore before.
func (st *State) newID(prefix string, digits int) string {
	st.NextID++
	return fmt.Sprintf("%s%0*d", prefix, digits, st.NextID)
}

// pastIDs raises the counter past every number that an id of the state bears,
// so that a hand-written node which is removed does not come back by its id.
func (st *State) pastIDs() {
	past := func(id string) {
		_, digits, _ := strings.Cut(id, "-")
		if n, err := strconv.Atoi(digits); err == nil {
			st.NextID = max(st.NextID, n)
		}
	}
	for _, cl := range st.Clusters {
		past(cl.ClusterID)
		past(cl.AppClusterID)
		for _, n := range cl.Nodes {
			past(n.NodeID)
		}
	}
	for _, j := range st.Jobs {
		past(j.JobID)
		for _, id := range j.Nodes {
			past(id)
		}
	}
}

// privateIP is an address that follows from the node's id.
func privateIP(id string) string {
	var sum uint32
	for _, b := range []byte(id) {
		sum = sum*31 + uint32(b)
	}
	return fmt.Sprintf("10.%d.%d.%d", sum>>16&0xff, sum>>8&0xff, sum&0xff)
}
