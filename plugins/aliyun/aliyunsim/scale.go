package aliyunsim

import (
	"container/heap"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// Words of the cloud for the condition of clusters, nodes and tasks.
const (
	running  = "running"
	scaling  = "scaling"
	removing = "removing"
	pending  = "pending"
	success  = "success"
	failed   = "failed"
	initial  = "initial"
)

var clusterNotFound = service(http.StatusNotFound, "ErrorClusterNotFound", "the cluster cannot be found")

// notReady refuses a second change while one runs. The pages say nothing of
// states; that only a running cluster is taken is a choice, its code from a
// third party's note.
func notReady(cl *Cluster) refusal {
	return service(http.StatusBadRequest, "ErrorClusterState", "the cluster's state is "+cl.Status)
}

// scaleOut is ScaleOutCluster: count nodes more, never a total. There is no
// client token: whoever sends it twice is served twice.
func (c *cloud) scaleOut(q *call) {
	cl := c.clusters[q.Cluster]
	if cl == nil {
		c.refuse(q, clusterNotFound)
		return
	}
	f := readFields(q.body)
	read, status := readSandbox, http.StatusAccepted // "HTTP/1.1 202 Accepted"
	if cl.Kind == Edge {
		read, status = readEdge, http.StatusOK // "HTTP/1.1 200"
	}
	o := read(f)
	f.close()
	q.count = o.count
	quota := c.state.NodeQuota
	if quota == 0 {
		quota = 5000
	}
	switch {
	case f.problem != "":
		c.refuse(q, invalid("%s", f.problem))
		return
	case cl.Status != running:
		c.refuse(q, notReady(cl))
		return
	case c.state.Arrears:
		c.refuse(q, service(http.StatusBadRequest, "InsufficientBalance", "the account's balance does not suffice"))
		return
	case len(cl.Nodes)+o.count > quota:
		c.refuse(q, service(http.StatusBadRequest, "QuotaExceeded.Node", fmt.Sprintf("a cluster has at most %d nodes", quota)))
		return
	}
	job := &Job{Works: o.count, Model: o.model}
	if o.timeout > 0 && o.timeout < c.opts.JobTime {
		// timeout_mins is the scale-out's time limit (edge page). That it then
		// fails with nothing left is a choice.
		job.End = c.opts.Now().Add(o.timeout)
		job.Works, job.Fails = 0, &TaskError{"Timeout", "the scale-out took longer than timeout_mins"}
	}
	cl.Status = scaling
	t := c.begin(q, cl, "cluster_scaleout", o.count, job)
	c.taken(q, t.ID, "with "+o.login)
	c.answerTask(q, status, cl, t)
}

// deleteNodes is DeleteClusterNodes: names of workers, not instance ids.
func (c *cloud) deleteNodes(q *call) {
	cl := c.clusters[q.Cluster]
	if cl == nil {
		c.refuse(q, clusterNotFound)
		return
	}
	f := readFields(q.body)
	var names []string
	if f.need("nodes", "a list of strings", &names) {
		f.require(len(names) > 0, "nodes must not be empty")
	}
	f.flag("drain_node")
	f.flag("release_node")
	f.close()
	q.count = len(names)
	byName := make(map[string]*Node, len(cl.Nodes))
	for _, n := range cl.Nodes {
		byName[n.name(cl)] = n
	}
	var victims []string
	for _, name := range names {
		n := byName[name]
		f.require(n != nil, "nodes: %q is no node of this cluster, or stands twice", name)
		if n != nil {
			f.require(n.Role == "Worker", "nodes: %q is no worker", name)
			victims = append(victims, n.ID)
		}
		delete(byName, name)
	}
	switch {
	case f.problem != "":
		c.refuse(q, invalid("%s", f.problem))
		return
	case cl.Status != running:
		c.refuse(q, notReady(cl))
		return
	}
	for _, n := range cl.Nodes {
		if slices.Contains(victims, n.ID) {
			n.Status = removing
		}
	}
	cl.Status = removing
	// The task's type is named nowhere (choice), nor is the status.
	t := c.begin(q, cl, "cluster_nodes_remove", len(victims), &Job{Works: len(victims), Victims: victims})
	c.taken(q, t.ID, "")
	c.answerTask(q, http.StatusAccepted, cl, t)
}

// begin starts a task whose job takes the simulator's time, or less when the
// job already has an end.
func (c *cloud) begin(q *call, cl *Cluster, kind string, asked int, job *Job) *Task {
	now := c.opts.Now()
	if job.End.IsZero() {
		job.End = now.Add(c.opts.JobTime)
	}
	job.Request, job.Middle = q.id, now.Add(job.End.Sub(now)/2)
	if f := cloudsim.FaultOf(q.ctx); f != nil && (f.Kind == cloudsim.JobFails || f.Kind == cloudsim.JobPartial) {
		job.Fails = &TaskError{Code: f.Code, Message: "not every node could be served"}
		fill(&job.Fails.Code, "InternalError")
		job.Works = 0
		if f.Kind == cloudsim.JobPartial {
			job.Works = asked / 2
		}
	}
	c.state.TasksEver++
	t := &Task{ID: fmt.Sprintf(taskID, c.state.TasksEver), Type: kind, Status: running, Created: now, Updated: now, Asked: asked, Job: job}
	cl.Tasks = append(cl.Tasks, t)
	cl.Updated = now
	c.tasks[t.ID] = work{cl, t}
	heap.Push(&c.running, work{cl, t})
	c.version++
	return t
}

// answerTask is the body that both pages show. The edge page has an XML form
// beside it, here for who asks for XML and not for JSON (choice).
func (c *cloud) answerTask(q *call, status int, cl *Cluster, t *Task) {
	if cl.Kind == Edge && strings.Contains(q.accept, "xml") && !strings.Contains(q.accept, "json") {
		q.w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		q.w.WriteHeader(status)
		fmt.Fprintf(q.w, "<cluster_id>%s</cluster_id>\n<task_id>%s</task_id>\n<request_id>%s</request_id>\n", cl.ID, t.ID, q.id)
		return
	}
	reply(q.w, status, map[string]string{"cluster_id": cl.ID, "request_id": q.id, "task_id": t.ID})
}

// name is what the cloud calls a node: its region and address.
func (n *Node) name(cl *Cluster) string { return cl.Region + "." + n.IP }

// at is the moment of the job's next step.
func (j *Job) at() time.Time {
	if j.Begun {
		return j.End
	}
	return j.Middle
}
