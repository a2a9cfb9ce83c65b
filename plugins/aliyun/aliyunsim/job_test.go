package aliyunsim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// glance is what a client sees of a cluster and one of its tasks.
type glance struct {
	Cluster, Task, Stage string
	Size                 float64
	Workers              int
	Results              string // "i-…8=initial"
}

func (b *bed) glance(id, task string) glance {
	b.t.Helper()
	d := b.get("DescribeClusterDetail", "/clusters/"+id)
	i := b.get("DescribeTaskInfo", "/tasks/"+task)
	if d.status != 200 || i.status != 200 || i.body["cluster_id"] != id {
		b.t.Fatalf("%s %s", d.raw, i.raw)
	}
	g := glance{Cluster: d.body["state"].(string), Size: d.body["size"].(float64), Workers: b.workers(id)}
	g.Task, g.Stage = i.body["state"].(string), i.body["current_stage"].(string)
	var results []string
	data, status := column(i, "task_result", "data"), column(i, "task_result", "status")
	for n := range data {
		results = append(results, strings.TrimLeft(data[n].(string), "i-2ze0")+"="+status[n].(string))
	}
	g.Results = strings.Join(results, " ")
	return g
}

func TestScaleOutOverTime(t *testing.T) {
	for _, id := range []string{secureID, edgeID} {
		b := newBed(t, Example(), cloudsim.Options{JobTime: 10 * time.Minute})
		size := map[string]float64{secureID: 5, edgeID: 2}[id]
		a := b.scale(id, 2, nil)
		task := a.body["task_id"].(string)
		if task != "T-000000000000000000000001" || a.body["cluster_id"] != id || len(a.body["request_id"].(string)) != 36 || len(a.body) != 3 {
			t.Errorf("reply: %s", a.raw)
		}
		see := func(when string, want glance) {
			t.Helper()
			if diff := cmp.Diff(want, b.glance(id, task)); diff != "" {
				t.Errorf("%s, %s (-want +got)\n%s", id, when, diff)
			}
		}
		see("at once", glance{"scaling", "running", "create_instances", size, 2, ""})
		if a := b.scale(id, 1, nil); a.status != 400 || a.code() != "ErrorClusterState" {
			t.Errorf("a second one: %d %s", a.status, a.raw)
		}
		b.clock.move(5*time.Minute - time.Second)
		see("before the middle", glance{"scaling", "running", "create_instances", size, 2, ""})
		b.clock.move(time.Second)
		see("in the middle", glance{"scaling", "running", "join_nodes", size, 4, "8=initial 9=initial"})
		fresh := b.get("DescribeClusterNodes", "/clusters/"+id+"/nodes?state=initial")
		if diff := cmp.Diff([]any{"Unknown", "Unknown"}, column(fresh, "nodes", "node_status")); diff != "" {
			t.Errorf("new nodes (-want +got)\n%s", diff)
		}
		b.clock.move(5*time.Minute - time.Second)
		see("before the end", glance{"scaling", "running", "join_nodes", size, 4, "8=initial 9=initial"})
		b.clock.move(time.Second)
		see("at the end", glance{"running", "success", "finish", size + 2, 4, "8=success 9=success"})
		n := b.get("DescribeClusterNodes", "/clusters/"+id+"/nodes?instanceIds=i-2ze00000000000000009").body["nodes"].([]any)[0].(map[string]any)
		if n["creation_time"] != "2026-03-01T16:05:00+08:00" || n["state"] != "running" || n["node_status"] != "Ready" {
			t.Errorf("new node: %v", n)
		}
		if a := b.scale(id, 1, nil); a.code() != "" {
			t.Errorf("a later one: %d %s", a.status, a.raw)
		}
	}
}

func TestFailedJobs(t *testing.T) {
	for _, tt := range []struct {
		fault   cloudsim.Fault
		count   int
		workers int
		size    float64
		results string
		code    string
	}{
		{cloudsim.Fault{Kind: cloudsim.JobFails}, 2, 2, 2, "8=failed 9=failed", "InternalError"},
		{cloudsim.Fault{Kind: cloudsim.JobFails, Code: "OperationDenied.NoStock"}, 1, 2, 2, "8=failed", "OperationDenied.NoStock"},
		{cloudsim.Fault{Kind: cloudsim.JobPartial}, 2, 3, 3, "8=success 9=failed", "InternalError"},
		{cloudsim.Fault{Kind: cloudsim.JobPartial}, 1, 2, 2, "8=failed", "InternalError"},
	} {
		b := newBed(t, Example(), cloudsim.Options{JobTime: time.Minute})
		b.inject(tt.fault)
		a := b.scale(edgeID, tt.count, nil)
		task := a.body["task_id"].(string)
		b.clock.move(30 * time.Second)
		if g := b.glance(edgeID, task); g.Task != "running" || g.Workers != tt.workers || strings.Contains(g.Results, "failed") {
			t.Errorf("%+v in the middle: %+v", tt.fault, g)
		}
		b.clock.move(30 * time.Second)
		want := glance{"running", "failed", "finish", tt.size, tt.workers, tt.results}
		if diff := cmp.Diff(want, b.glance(edgeID, task)); diff != "" {
			t.Errorf("%+v (-want +got)\n%s", tt.fault, diff)
		}
		if i := b.get("DescribeTaskInfo", "/tasks/"+task); field(i, "error", "code") != tt.code {
			t.Errorf("%+v: %s", tt.fault, i.raw)
		}
		if i := b.get("DescribeClusterTasks", "/clusters/"+edgeID+"/tasks"); column(i, "tasks", "error")[0] == nil {
			t.Errorf("%+v: %s", tt.fault, i.raw)
		}
		if log := b.sim.Log().Entries(); log[0].Fault != tt.fault.Kind {
			t.Errorf("audit log: %+v", log[0])
		}
	}
}

func TestTimeout(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{JobTime: 2 * time.Hour})
	short := b.scale(edgeID, 1, map[string]any{"timeout_mins": 30}).body["task_id"].(string)
	b.clock.move(30*time.Minute - time.Second)
	if g := b.glance(edgeID, short); g.Task != "running" {
		t.Errorf("before the limit: %+v", g)
	}
	b.clock.move(time.Second)
	if g := b.glance(edgeID, short); g.Task != "failed" || g.Workers != 2 || g.Cluster != "running" {
		t.Errorf("at the limit: %+v", g)
	}
	long := b.scale(edgeID, 1, map[string]any{"timeout_mins": 120}).body["task_id"].(string)
	b.clock.move(2 * time.Hour)
	if g := b.glance(edgeID, long); g.Task != "success" || g.Workers != 3 {
		t.Errorf("in time: %+v", g)
	}
}

func TestDeleteNodes(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{JobTime: time.Minute})
	remove := func(id, body string) answer {
		return b.do("POST", "DeleteClusterNodes", "/clusters/"+id+"/nodes", body)
	}
	for name, body := range map[string]string{
		"an instance id": `{"nodes": ["i-2ze00000000000000004"]}`,
		"a master":       `{"nodes": ["cn-beijing.10.0.0.1"]}`,
		"twice":          `{"nodes": ["cn-beijing.10.0.0.4", "cn-beijing.10.0.0.4"]}`,
		"of another":     `{"nodes": ["cn-beijing.10.0.0.6"]}`,
		"none":           `{"nodes": []}`,
		"nothing":        `{}`,
		"strange member": `{"nodes": ["cn-beijing.10.0.0.4"], "force": true}`,
		"strange flag":   `{"nodes": ["cn-beijing.10.0.0.4"], "drain_node": "yes"}`,
	} {
		if a := remove(secureID, body); a.status != 400 || a.code() != "InvalidParameter" {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	if a := remove("none", `{"nodes": ["x"]}`); a.status != 404 || a.code() != "ErrorClusterNotFound" {
		t.Errorf("no cluster: %d %s", a.status, a.raw)
	}
	a := remove(secureID, `{"nodes": ["cn-beijing.10.0.0.4"], "drain_node": true, "release_node": true}`)
	task := a.body["task_id"].(string)
	if diff := cmp.Diff(glance{"removing", "running", "remove_nodes", 5, 2, ""}, b.glance(secureID, task)); a.status != 202 || diff != "" {
		t.Errorf("%s (-want +got)\n%s", a.raw, diff)
	}
	if a := b.scale(secureID, 1, nil); a.code() != "ErrorClusterState" {
		t.Errorf("beside it: %d %s", a.status, a.raw)
	}
	b.clock.move(time.Minute)
	if diff := cmp.Diff(glance{"running", "success", "finish", 4, 1, "4=success"}, b.glance(secureID, task)); diff != "" {
		t.Errorf("at the end (-want +got)\n%s", diff)
	}
	b.inject(cloudsim.Fault{Kind: cloudsim.JobPartial})
	a = remove(edgeID, `{"nodes": ["cn-beijing.10.0.0.7", "cn-beijing.10.0.0.6"]}`)
	b.clock.move(time.Minute)
	if diff := cmp.Diff(glance{"running", "failed", "finish", 1, 1, "7=success 6=failed"}, b.glance(edgeID, a.body["task_id"].(string))); diff != "" {
		t.Errorf("half (-want +got)\n%s", diff)
	}
	if states := column(b.get("DescribeClusterNodes", "/clusters/"+edgeID+"/nodes"), "nodes", "state"); states[0] != "running" {
		t.Errorf("the node that stayed is %v", states[0])
	}
	// Ids never come twice, whatever is gone.
	b.scale(edgeID, 1, nil)
	b.clock.move(time.Minute)
	if ids := column(b.get("DescribeClusterNodes", "/clusters/"+edgeID+"/nodes"), "nodes", "instance_id"); ids[1] != "i-2ze00000000000000008" {
		t.Errorf("ids: %v", ids)
	}
}

// Jobs that nobody watched are worked out in the order of their steps.
func TestJobOrder(t *testing.T) {
	b := newBed(t, Fleet(4), cloudsim.Options{JobTime: time.Minute})
	start := b.clock.Now()
	var want []string
	for i := range 4 {
		id := fmt.Sprintf("c%032d", 3-i)
		like := map[int]string{0: secureID, 1: edgeID}[(3-i)%2]
		if a := b.do("POST", "ScaleOutCluster", "/api/v2/clusters/"+id, scaleBody(like, 1, nil)); a.code() != "" {
			t.Fatal(a.raw)
		}
		want = append(want, fmt.Sprint(start.Add(time.Duration(10*i+30)*time.Second), " ", id))
		b.clock.move(10 * time.Second)
	}
	b.restore(b.state()) // now the running jobs stand in the clusters' order
	for _, d := range []time.Duration{19 * time.Second, 2 * time.Second} {
		b.clock.move(d)
		b.get("DescribeClustersV1", "/api/v1/clusters")
	}
	var got []string
	for _, e := range b.sim.Log().Entries() {
		if e.Event == "added" {
			got = append(got, fmt.Sprint(e.Time, " ", e.Cluster))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The audit log of a scripted run, line by line.
func TestAudit(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{JobTime: time.Minute})
	start := b.clock.Now()
	first := b.scale(secureID, 2, nil)
	second := b.scale(secureID, 2, nil)
	third := b.scale(edgeID, 1, map[string]any{"login_password": absent{}, "key_pair": "ops"})
	b.clock.move(time.Minute)
	b.get("DescribeClustersV1", "/api/v1/clusters")
	fourth := b.do("POST", "DeleteClusterNodes", "/clusters/"+edgeID+"/nodes", `{"nodes": ["cn-beijing.10.0.0.6"]}`)
	b.clock.move(2 * time.Minute)
	b.get("DescribeClustersV1", "/api/v1/clusters")

	job := func(n int) string { return "T-00000000000000000000000" + string(rune('0'+n)) }
	id := func(a answer) string { return a.header.Get("x-acs-request-id") }
	want := []cloudsim.Entry{
		{Time: start, Event: "request", Call: "ScaleOutCluster", Cluster: secureID, Outcome: "accepted", RequestID: id(first), Job: job(1), Count: 2, Detail: "with login_password"},
		{Time: start, Event: "request", Call: "ScaleOutCluster", Cluster: secureID, Outcome: "refused", Code: "ErrorClusterState", RequestID: id(second), Count: 2},
		{Time: start, Event: "request", Call: "ScaleOutCluster", Cluster: edgeID, Outcome: "accepted", RequestID: id(third), Job: job(2), Count: 1, Detail: "with key_pair"},
		{Time: start.Add(30 * time.Second), Event: "added", Cluster: secureID, RequestID: id(first), Job: job(1), Count: 2, Nodes: []string{"i-2ze00000000000000008", "i-2ze00000000000000009"}},
		{Time: start.Add(30 * time.Second), Event: "added", Cluster: edgeID, RequestID: id(third), Job: job(2), Count: 1, Nodes: []string{"i-2ze00000000000000010"}},
		{Time: start.Add(time.Minute), Event: "request", Call: "DeleteClusterNodes", Cluster: edgeID, Outcome: "accepted", RequestID: id(fourth), Job: job(3), Count: 1},
		{Time: start.Add(2 * time.Minute), Event: "removed", Cluster: edgeID, RequestID: id(fourth), Job: job(3), Count: 1, Nodes: []string{"i-2ze00000000000000006"}},
	}
	for i := range want {
		want[i].Seq, want[i].Cloud, want[i].Group = i+1, "aliyun", "worker"
	}
	if diff := cmp.Diff(want, b.sim.Log().Entries()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// A password that came in is nowhere: not in log, state or answers.
	log, err := json.Marshal(b.sim.Log().Entries())
	if err != nil {
		t.Fatal(err)
	}
	var state []byte
	b.sim.Cloud(func(c cloudsim.Cloud) { state, err = c.State() })
	refused := b.scale(secureID, 0, map[string]any{"login_password": "Hello1234!Hello1234!Hello1234!Hello1234!"})
	if all := string(log) + string(state) + first.raw + refused.raw; err != nil || strings.Contains(all, "Hello") {
		t.Errorf("the password is kept, or %v", err)
	}
}
