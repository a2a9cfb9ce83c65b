package aliyunsim

import (
	"container/heap"
	"context"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// Advance takes every job's steps that are due, in the order of their times.
func (c *cloud) Advance() {
	now := c.opts.Now()
	for len(c.running) > 0 && !c.running[0].task.Job.at().After(now) {
		if w := c.running[0]; w.task.Job.Begun {
			heap.Pop(&c.running)
			c.finish(w)
		} else {
			c.start(w)
			heap.Fix(&c.running, 0)
		}
		c.version++
	}
}

// start is the middle of a job: the new machines exist and begin to join. The
// task lists all of them; those that will fail never get into the node list.
func (c *cloud) start(w work) {
	cl, t := w.cluster, w.task
	job := t.Job
	job.Begun, t.Updated = true, job.Middle
	if job.Victims != nil {
		for _, id := range job.Victims {
			t.Results = append(t.Results, Result{id, initial})
		}
		return
	}
	var added []string
	for i := range t.Asked {
		n := job.Model
		n.ID, n.IP = c.state.mint()
		n.Role, n.Status, n.Created = "Worker", pending, job.Middle
		t.Results = append(t.Results, Result{n.ID, initial})
		if i < job.Works {
			cl.Nodes = append(cl.Nodes, &n)
			added = append(added, n.ID)
		}
	}
	c.effect("added", w, added)
}

// finish is the end of a job: nodes are ready, or gone, and the cluster takes
// changes again.
func (c *cloud) finish(w work) {
	cl, t := w.cluster, w.task
	job := t.Job
	done := map[string]bool{}
	for i := range t.Results {
		done[t.Results[i].Data] = i < job.Works
		t.Results[i].Status = failed
		if i < job.Works {
			t.Results[i].Status = success
		}
	}
	var removed []string
	cl.Nodes = slices.DeleteFunc(cl.Nodes, func(n *Node) bool {
		well, mine := done[n.ID]
		switch {
		case mine && well && job.Victims != nil:
			removed = append(removed, n.ID)
			return true
		case mine:
			n.Status = running
		}
		return false
	})
	c.effect("removed", w, removed)
	if cl.Status == scaling || cl.Status == removing { // else somebody changed it meanwhile
		cl.Status = running
	}
	t.Status, t.Error = success, job.Fails
	if job.Fails != nil {
		t.Status = failed
	}
	t.Updated, cl.Updated = job.End, job.End
	t.Job = nil
	cl.recount()
}

// effect records what a job did, at the moment it did it.
func (c *cloud) effect(event string, w work, nodes []string) {
	if len(nodes) == 0 {
		return
	}
	job := w.task.Job
	at := job.Middle
	if event == "removed" {
		at = job.End
	}
	c.opts.Log.Record(context.Background(), cloudsim.Entry{
		Time: at, Event: event, Cloud: c.Name(), Cluster: w.cluster.ID, Group: group,
		RequestID: job.Request, Job: w.task.ID, Count: len(nodes), Nodes: nodes,
	})
}
