package huaweisim

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

const (
	active     = "ACTIVE"     // a host that runs
	terminated = "terminated" // a cluster that was deleted, which GET still shows
)

// scale serves UpdateClusterScaling: it checks the request, starts the job and
// records both outcomes. no is a refusal from before (signature, path).
func (c *cloud) scale(ctx context.Context, requestID, cluster string, body []byte, no *refusal) *refusal {
	entry := cloudsim.Entry{
		Time: c.opts.Now(), Event: "request", Cloud: c.Name(), Call: callScale,
		Cluster: cluster, RequestID: requestID,
	}
	if no == nil {
		var q resize
		q, no = parseResize(body)
		entry.Group, entry.Count, entry.Detail = q.group, q.instances, q.scaleType
		cl := c.byID[cluster]
		if no == nil && cl == nil {
			no = refuse("12000003")
		}
		if no == nil {
			no = c.admit(cl, q)
		}
		if no == nil {
			entry.Job = c.start(cl, q, cloudsim.FaultOf(ctx))
		}
	}
	entry.Outcome = "accepted"
	if no != nil {
		entry.Outcome, entry.Code = "refused", no.code
	}
	c.opts.Log.Record(ctx, entry)
	return no
}

// start puts the cluster into scaling and returns the job's id. The fault, if
// it is one of the job faults, decides how the job will end.
func (c *cloud) start(cl *Cluster, q resize, f *cloudsim.Fault) string {
	now := c.opts.Now()
	c.state.LastJob++
	job := &Job{
		ID: fmt.Sprintf("job-%08d", c.state.LastJob), Out: q.out, Group: q.group,
		Count: q.instances, Do: q.instances, Task: q.task, Start: now, End: now.Add(c.opts.JobTime),
	}
	if !q.out {
		for _, id := range q.serverIDs {
			job.Named = append(job.Named, hostNumber(id))
		}
	}
	if f != nil && (f.Kind == cloudsim.JobFails || f.Kind == cloudsim.JobPartial) {
		job.Fails = cmp.Or(f.Code, "MRS.201")
		job.Do = 0
		if f.Kind == cloudsim.JobPartial {
			job.Do = q.instances / 2
		}
	}
	cl.Job = job
	cl.ClusterState = "scaling-in"
	if q.out {
		cl.ClusterState = "scaling-out"
	}
	cl.Scale = cl.ClusterState
	cl.StageDesc, cl.ErrorInfo = "", ""
	cl.UpdateAt = unix(now)
	c.enqueue(cl)
	c.changed(cl)
	return job.ID
}

// enqueue keeps the clusters with jobs in the order in which these end.
func (c *cloud) enqueue(cl *Cluster) {
	at, _ := slices.BinarySearchFunc(c.queue, cl, func(a, b *Cluster) int {
		return cmp.Or(a.Job.End.Compare(b.Job.End), cmp.Compare(a.Job.ID, b.Job.ID))
	})
	c.queue = slices.Insert(c.queue, at, cl)
}

// Advance ends the jobs that are due.
func (c *cloud) Advance() {
	now := c.opts.Now()
	for len(c.queue) > 0 && !c.queue[0].Job.End.After(now) {
		cl := c.queue[0]
		c.queue = c.queue[1:]
		c.finish(cl)
	}
}

// finish does what a job was to do. When counts change during a resize is
// documented nowhere; taken: all at its end. A failed job leaves the cluster
// running, with scale scaling-error and the reason in stageDesc (MRS API,
// querying cluster details, scale and stageDesc).
func (c *cloud) finish(cl *Cluster) {
	job := cl.Job
	cl.Job = nil
	event, ids := "removed", []string(nil)
	if job.Out {
		event = "added"
		ids = c.addNodes(cl, job)
	} else {
		ids = c.removeNodes(cl, job)
	}
	detail := ""
	cl.Scale, cl.StageDesc, cl.ErrorInfo = "", "", ""
	if job.Fails != "" {
		detail = "(" + job.Fails + ") " + refuse(job.Fails).text
		text := "Cluster shrink failed"
		if job.Out {
			text = "Cluster expansion failed"
		}
		cl.Scale, cl.StageDesc, cl.ErrorInfo = "scaling-error", text+" "+detail, detail
	}
	// Somebody may have frozen the cluster meanwhile.
	if s := cl.status(); s == "scaling-out" || s == "scaling-in" {
		cl.ClusterState = "running"
	}
	cl.UpdateAt = unix(job.End)
	c.changed(cl)
	if len(ids) > 0 {
		c.opts.Log.Record(context.Background(), cloudsim.Entry{
			Time: job.End, Event: event, Cloud: c.Name(), Call: callScale, Cluster: cl.ClusterID,
			Group: job.Group, Job: job.ID, Count: job.Count, Nodes: ids, Detail: detail,
		})
	}
}

func (c *cloud) addNodes(cl *Cluster, job *Job) []string {
	if job.Do == 0 {
		return nil
	}
	g := cl.target(job.Group)
	if g == nil {
		g = &Group{GroupName: cl.newTaskGroup()}
		cl.Groups = append(cl.Groups, g)
	}
	if job.Task != nil && g.count() == 0 {
		s := spec(nil, job.Task)
		g.NodeSize, g.DataVolumeType = s.NodeSize, s.DataVolumeType
		g.DataVolumeCount, g.DataVolumeSize = s.DataVolumeCount, s.DataVolumeSize
	}
	return g.grow(&c.state, job.Do, true)
}

// newTaskGroup names the Task group of a cluster that has none.
func (cl *Cluster) newTaskGroup() string {
	if cl.ClusterType == 1 {
		return "task_node_streaming_group"
	}
	return "task_node_analysis_group"
}

func (c *cloud) removeNodes(cl *Cluster, job *Job) []string {
	var ids []string
	if len(job.Named) > 0 {
		for _, number := range job.Named[:job.Do] {
			if g := cl.taskGroupOf(number); g != nil { // else gone by another hand
				ids = append(ids, g.remove([]int{number})...)
			}
		}
	} else if g := cl.target(job.Group); g != nil {
		// Which nodes the cloud chooses is documented nowhere; taken: the
		// youngest.
		ids = g.remove(g.newest(job.Do))
	}
	c.dropEmpty(cl)
	return ids
}

func (c *cloud) dropEmpty(cl *Cluster) {
	if c.state.DropEmptyGroups {
		cl.Groups = slices.DeleteFunc(cl.Groups, func(g *Group) bool {
			return role(g.GroupName) == "task" && g.count() == 0
		})
	}
}

// stage is what stageDesc shows now: while a job runs, the stage it has
// reached, each taking the same time.
func (c *cloud) stage(cl *Cluster) string {
	job := cl.Job
	if job == nil {
		return cl.StageDesc
	}
	names := stages(job.Out)
	i := 0
	if whole := job.End.Sub(job.Start); whole > 0 {
		i = int(c.opts.Now().Sub(job.Start) * time.Duration(len(names)) / whole)
	}
	return names[min(max(i, 0), len(names)-1)]
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
