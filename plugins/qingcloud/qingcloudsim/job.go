package qingcloudsim

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// start begins a job on a cluster. An injected fault decides here how it ends.
func (c *cloud) start(q request, cl *Cluster, action string, nodes []string) *Job {
	now := c.opts.Now()
	j := &Job{
		JobID: c.st.newID("j-", 11), JobAction: action, ClusterID: cl.ClusterID, Zone: cl.Zone, Owner: cl.Owner,
		Status: statusPending, CreateTime: now, StatusTime: now, EndTime: now.Add(c.opts.JobTime), Nodes: nodes,
	}
	if f := cloudsim.FaultOf(q.Context()); f != nil && (f.Kind == cloudsim.JobFails || f.Kind == cloudsim.JobPartial) {
		j.Fate = f.Kind
	}
	c.st.Jobs = append(c.st.Jobs, j)
	c.addJob(j)
	c.version++
	return j
}

// Advance brings the running jobs up to the clock.
func (c *cloud) Advance() {
	now := c.opts.Now()
	for _, j := range slices.Clone(c.running) {
		cl := c.clusters[j.ClusterID]
		switch {
		case cl == nil: // deleted from outside
			c.finish(j, now, codeNotFound)
		case j.Role == "":
			c.advanceCreate(j, cl, now)
		default:
			c.advanceResize(j, cl, now)
		}
	}
}

// past is how many of n equal parts of the job's time have passed.
func (j *Job) past(n int, now time.Time) int {
	if !now.Before(j.EndTime) {
		return n
	}
	return int(now.Sub(j.CreateTime) * time.Duration(n) / j.EndTime.Sub(j.CreateTime))
}

// reach is how much of n the job gets done before it ends.
func (j *Job) reach(n int) int {
	switch j.Fate {
	case cloudsim.JobFails:
		return 0
	case cloudsim.JobPartial:
		return n / 2
	}
	return n
}

// finish ends a job; a code of 0 is success.
func (c *cloud) finish(j *Job, at time.Time, code int) {
	j.Status, j.StatusTime = jobSuccessful, at
	if code != 0 {
		j.Status, j.ErrorCodes = jobFailed, strconv.Itoa(code)
	}
	c.running = slices.DeleteFunc(c.running, func(other *Job) bool { return other == j })
	c.version++
}

// stages are what a cluster shows while it is made (Quick start, create an
// EHPC cluster), each for a third of the time.
var stages = []string{statusCreating, statusInstalling, statusInitialising}

func (c *cloud) advanceCreate(j *Job, cl *Cluster, now time.Time) {
	done := j.past(len(stages), now)
	if done < len(stages) {
		if done != j.Done {
			j.Done, cl.ClusterStatus = done, stages[done]
			c.version++
		}
		return
	}
	j.Done = done
	code := 0
	if j.Fate != "" {
		code = codeInternal
	}
	c.finish(j, j.EndTime, code)
	if j.Fate == cloudsim.JobFails {
		c.removeCluster(cl)
		return
	}
	// Nodes that were added or removed from outside meanwhile are not the job's.
	made := j.Nodes[:j.reach(len(j.Nodes))]
	cl.Nodes = slices.DeleteFunc(cl.Nodes, func(n *Node) bool {
		return slices.Contains(j.Nodes, n.NodeID) && !slices.Contains(made, n.NodeID)
	})
	var quiet []string
	for _, id := range made {
		if n := cl.node(id); n != nil {
			n.Status, n.TransitionStatus, n.StatusTime = statusActive, "", j.EndTime
			quiet = append(quiet, id)
		}
	}
	cl.ClusterStatus = statusActive
	if j.Fate != "" {
		cl.ClusterStatus = statusAbnormal
	}
	c.effect(j, "created", "", quiet)
}

// advanceResize resizes one node after the other, in equal parts of the time:
// nodes of one role with different sizes are a resize under way (or one that
// failed). A resized node shows updating until the job ends (Managing clusters,
// resize: the console goes through resizing, updating, active).
func (c *cloud) advanceResize(j *Job, cl *Cluster, now time.Time) {
	reach := j.reach(len(j.Nodes))
	done := min(j.past(len(j.Nodes), now), reach)
	for ; j.Done < done; j.Done++ {
		c.version++
		if n := cl.node(j.Nodes[j.Done]); n != nil {
			n.CPU, n.Memory = j.CPU, j.Memory
			if j.StorageSize > 0 {
				n.StorageSize = j.StorageSize
			}
			n.TransitionStatus = "updating"
		}
	}
	if now.Before(j.EndTime) {
		return
	}
	var resized []string
	for i, id := range j.Nodes {
		n := cl.node(id)
		if n == nil { // removed from outside
			continue
		}
		n.TransitionStatus, n.StatusTime = "", j.EndTime
		if i < reach {
			resized = append(resized, id)
		}
	}
	code := 0
	if j.Fate != "" {
		code = codeInternal
	}
	c.finish(j, j.EndTime, code)
	if len(resized) > 0 {
		c.effect(j, "resized", j.Role, resized)
	}
}

// effect records what a job did. A job that did nothing leaves no line.
func (c *cloud) effect(j *Job, event, group string, nodes []string) {
	c.opts.Log.Record(context.Background(), cloudsim.Entry{
		Time: j.EndTime, Event: event, Cloud: c.Name(), Cluster: j.ClusterID, Group: group,
		Job: j.JobID, Count: len(nodes), Nodes: nodes,
	})
}
