package aliyunsim

import (
	"net/http"
	"strconv"
	"strings"
)

// pageInfo is how lists count.
type pageInfo struct {
	Number int `json:"page_number"`
	Size   int `json:"page_size"`
	Total  int `json:"total_count"`
}

// page reads the two paging parameters: 10 entries by default, at most 100
// (the vendor's SDK tells so for DescribeClusterNodes; the same for the other
// lists is a choice). Names that an action does not know are ignored.
func (c *cloud) page(q *call, number, size string) (pageInfo, bool) {
	p := pageInfo{Number: 1, Size: 10}
	for _, v := range []struct {
		name string
		into *int
		high int
	}{{number, &p.Number, 1 << 30}, {size, &p.Size, 100}} {
		text := q.query.Get(v.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > v.high {
			c.refuse(q, invalid("%s must be from 1 to %d", v.name, v.high))
			return p, false
		}
		*v.into = n
	}
	return p, true
}

// of cuts one page out of a list of n entries.
func (p *pageInfo) of(n int) (from, to int) {
	p.Total = n
	from = min((p.Number-1)*p.Size, n)
	return from, min(from+p.Size, n)
}

// clusterView is a cluster as the cloud shows it. That it is a sandbox one
// stands nowhere.
type clusterView struct {
	ID         string            `json:"cluster_id"`
	Name       string            `json:"name"`
	Region     string            `json:"region_id"`
	State      string            `json:"state"`
	Type       string            `json:"cluster_type"`
	Profile    string            `json:"profile"`
	Spec       string            `json:"cluster_spec"`
	Version    string            `json:"current_version"`
	Size       int               `json:"size"`
	Tags       []Tag             `json:"tags"`
	VPC        string            `json:"vpc_id"`
	VSwitches  []string          `json:"vswitch_ids"`
	Created    string            `json:"created"`
	Updated    string            `json:"updated"`
	Protected  bool              `json:"deletion_protection"`
	Parameters map[string]string `json:"parameters,omitempty"`
	MetaData   string            `json:"meta_data"`
}

func (cl *Cluster) profile() string {
	if cl.Kind == Edge {
		return "Edge"
	}
	return "Default"
}

func (cl *Cluster) view() clusterView {
	return clusterView{
		ID: cl.ID, Name: cl.Name, Region: cl.Region, State: cl.Status, Type: cl.Type, Profile: cl.profile(),
		Spec: cl.Spec, Version: cl.Version, Size: cl.joined, Tags: append([]Tag{}, cl.Tags...), VPC: cl.VPC,
		VSwitches: cl.VSwitches, Created: stampTime(cl.Created), Updated: stampTime(cl.Updated),
		Protected: cl.Protected, MetaData: "{}",
	}
}

// clusterDetail is DescribeClusterDetail.
func (c *cloud) clusterDetail(q *call) {
	cl := c.clusters[q.Cluster]
	if cl == nil {
		c.refuse(q, clusterNotFound)
		return
	}
	view := cl.view()
	view.Parameters = map[string]string{"VSwitchIds": strings.Join(cl.VSwitches, ",")}
	reply(q.w, http.StatusOK, view)
}

// listClusters is DescribeClustersV1. Choice: name finds parts of names, the
// other filters whole values.
func (c *cloud) listClusters(q *call) {
	p, ok := c.page(q, "page_number", "page_size")
	if !ok {
		return
	}
	list := c.state.Clusters
	get := q.query.Get
	name, id, kind, profile, spec, region := get("name"), get("cluster_id"), get("cluster_type"), get("profile"), get("cluster_spec"), get("region_id")
	if name+id+kind+profile+spec+region != "" {
		list = nil
		same := func(want, got string) bool { return want == "" || want == got }
		for _, cl := range c.state.Clusters {
			if strings.Contains(cl.Name, name) && same(id, cl.ID) && same(kind, cl.Type) &&
				same(profile, cl.profile()) && same(spec, cl.Spec) && same(region, cl.Region) {
				list = append(list, cl)
			}
		}
	}
	from, to := p.of(len(list))
	views := make([]clusterView, 0, to-from)
	for _, cl := range list[from:to] {
		views = append(views, cl.view())
	}
	reply(q.w, http.StatusOK, map[string]any{"clusters": views, "page_info": p})
}

// taskView is a task in lists; DescribeTaskInfo shows more.
type taskView struct {
	ID      string     `json:"task_id"`
	Type    string     `json:"task_type"`
	State   string     `json:"state"`
	Created string     `json:"created"`
	Updated string     `json:"updated"`
	Error   *TaskError `json:"error,omitempty"`
}

func (t *Task) view() taskView {
	return taskView{t.ID, t.Type, t.Status, stampTime(t.Created), stampTime(t.Updated), t.Error}
}

// listTasks is DescribeClusterTasks, newest first (choice).
func (c *cloud) listTasks(q *call) {
	cl := c.clusters[q.Cluster]
	if cl == nil {
		c.refuse(q, clusterNotFound)
		return
	}
	p, ok := c.page(q, "page_number", "page_size")
	if !ok {
		return
	}
	from, to := p.of(len(cl.Tasks))
	views := make([]taskView, 0, to-from)
	for i := from; i < to; i++ {
		views = append(views, cl.Tasks[len(cl.Tasks)-1-i].view())
	}
	reply(q.w, http.StatusOK, map[string]any{"requestId": q.id, "tasks": views, "page_info": p})
}

// taskInfo is DescribeTaskInfo. The names of stages are told nowhere (choice).
func (c *cloud) taskInfo(q *call) {
	w, ok := c.tasks[q.path[1]]
	if !ok {
		c.refuse(q, service(http.StatusNotFound, "ErrorTaskNotFound", "the task cannot be found"))
		return
	}
	type object = map[string]any
	t := w.task
	stage := "finish"
	switch {
	case t.Job != nil && t.Job.Victims != nil:
		stage = "remove_nodes"
	case t.Job != nil && t.Job.Begun:
		stage = "join_nodes"
	case t.Job != nil:
		stage = "create_instances"
	}
	reply(q.w, http.StatusOK, struct {
		taskView
		Cluster    string   `json:"cluster_id"`
		Results    []Result `json:"task_result"`
		Stage      string   `json:"current_stage"`
		Stages     []object `json:"stages"`
		Events     []object `json:"events"`
		Target     object   `json:"target"`
		Parameters object   `json:"parameters"`
	}{
		t.view(), w.cluster.ID, append([]Result{}, t.Results...), stage,
		[]object{{"state": t.Status, "message": stage, "start_time": stampTime(t.Created)}}, []object{},
		object{"type": "cluster", "id": w.cluster.ID}, object{"count": strconv.Itoa(t.Asked)},
	})
}
