package aliyunsim

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

func TestClusterDetail(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	a := b.get("DescribeClusterDetail", "/clusters/"+secureID)
	want := map[string]any{
		"cluster_id": secureID, "name": "secure", "region_id": "cn-beijing", "state": "running", "cluster_type": "Kubernetes",
		"profile": "Default", "cluster_spec": "ack.pro.small", "current_version": "1.30.7-aliyun.1", "size": 5.0, "tags": []any{},
		"vpc_id": "vpc-2zes3rfz7bmk0nxxxxxxx", "vswitch_ids": []any{"vsw-2zes3rfz7bmk0nxxxxxxx"},
		"created": "2026-01-01T08:00:00+08:00", "updated": "2026-01-01T08:00:00+08:00", "deletion_protection": false,
		"parameters": map[string]any{"VSwitchIds": "vsw-2zes3rfz7bmk0nxxxxxxx"}, "meta_data": "{}",
	}
	if diff := cmp.Diff(want, a.body); a.status != 200 || diff != "" {
		t.Errorf("%d (-want +got)\n%s", a.status, diff)
	}
	edge := b.get("DescribeClusterDetail", "/clusters/"+edgeID)
	if edge.body["profile"] != "Edge" || edge.body["cluster_type"] != "ManagedKubernetes" || edge.body["size"] != 2.0 {
		t.Errorf("edge: %s", edge.raw)
	}
	for _, target := range []string{"", "/nodes", "/tasks"} {
		action := map[string]string{"": "DescribeClusterDetail", "/nodes": "DescribeClusterNodes", "/tasks": "DescribeClusterTasks"}[target]
		if a := b.get(action, "/clusters/none"+target); a.status != 404 || a.body["code"] != "ErrorClusterNotFound" || a.body["requestId"] == nil {
			t.Errorf("%s of no cluster: %d %s", action, a.status, a.raw)
		}
	}
	if a := b.get("DescribeTaskInfo", "/tasks/none"); a.status != 404 || a.body["code"] != "ErrorTaskNotFound" {
		t.Errorf("no task: %d %s", a.status, a.raw)
	}
}

func TestClusterPages(t *testing.T) {
	b := newBed(t, Fleet(105), cloudsim.Options{})
	page := func(number, size, total int) map[string]any {
		return map[string]any{"page_number": float64(number), "page_size": float64(size), "total_count": float64(total)}
	}
	for _, tt := range []struct {
		query       string
		first, last string
		n           int
		page        map[string]any
	}{
		{"", "c00000", "c00009", 10, page(1, 10, 105)},
		{"page_number=2", "c00010", "c00019", 10, page(2, 10, 105)},
		{"page_size=100", "c00000", "c00099", 100, page(1, 100, 105)},
		{"page_size=100&page_number=2", "c00100", "c00104", 5, page(2, 100, 105)},
		{"page_size=100&page_number=3", "", "", 0, page(3, 100, 105)},
		{"pageSize=50", "c00000", "c00009", 10, page(1, 10, 105)}, // that is another list's name
		{"name=c0004", "c00040", "c00049", 10, page(1, 10, 10)},
		{"profile=Edge&page_size=2", "c00001", "c00003", 2, page(1, 2, 52)},
		{"cluster_id=" + fmt.Sprintf("c%032d", 7), "c00007", "c00007", 1, page(1, 10, 1)},
		{"region_id=cn-hangzhou", "", "", 0, page(1, 10, 0)},
		{"cluster_type=ManagedKubernetes&cluster_spec=ack.pro.small&region_id=cn-beijing&page_size=1", "c00000", "c00000", 1, page(1, 1, 105)},
	} {
		a := b.get("DescribeClustersV1", "/api/v1/clusters?"+tt.query)
		names := column(a, "clusters", "name")
		if diff := cmp.Diff(tt.page, field(a, "page_info")); diff != "" || len(names) != tt.n {
			t.Errorf("%q: %d clusters (-want +got)\n%s", tt.query, len(names), diff)
			continue
		}
		if tt.n > 0 && (names[0] != tt.first || names[tt.n-1] != tt.last) {
			t.Errorf("%q: from %v to %v", tt.query, names[0], names[tt.n-1])
		}
	}
	for _, query := range []string{"page_size=101", "page_size=0", "page_number=0", "page_number=x", "page_number=9999999999999999999"} {
		if a := b.get("DescribeClustersV1", "/api/v1/clusters?"+query); a.status != 400 || a.body["code"] != "InvalidParameter" {
			t.Errorf("%q: %d %s", query, a.status, a.raw)
		}
	}
}

func TestNode(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	a := b.get("DescribeClusterNodes", "/clusters/"+edgeID+"/nodes")
	want := map[string]any{
		"instance_id": "i-2ze00000000000000006", "instance_name": "worker-k8s-for-cs-" + edgeID, "instance_role": "Worker",
		"instance_type": "ens.sn1.tiny", "instance_type_family": "ens.sn1", "instance_status": "Running", "instance_charge_type": "PostPaid",
		"node_name": "cn-beijing.10.0.0.6", "node_status": "Ready", "state": "running", "host_name": "cn-beijing-10-0-0-6",
		"ip_address": []any{"10.0.0.6"}, "image_id": "centos_7_06_64_20G_alibase_20190711", "nodepool_id": "np" + edgeID, "source": "scale_out",
		"is_aliyun_node": true, "creation_time": "2026-01-01T08:00:00+08:00", "expired_time": "2099-12-31T23:59:00+08:00",
		"error_message": "", "spot_strategy": "NoSpot",
	}
	nodes, _ := a.body["nodes"].([]any)
	if len(nodes) != 2 {
		t.Fatal(a.raw)
	}
	if diff := cmp.Diff(want, nodes[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	roles := column(b.get("DescribeClusterNodes", "/clusters/"+secureID+"/nodes"), "nodes", "instance_role")
	if diff := cmp.Diff([]any{"Master", "Master", "Master", "Worker", "Worker"}, roles); diff != "" {
		t.Errorf("roles (-want +got)\n%s", diff)
	}
}

func TestNodePages(t *testing.T) {
	const id = "c1"
	state := State{Clusters: []*Cluster{{ID: id, Kind: Edge, Nodes: append(nodes(Node{}, 99),
		&Node{Status: pending}, &Node{Status: removing}, &Node{Status: "stopped"}, &Node{Status: "odd"})}}}
	b := newBed(t, encodeState(state), cloudsim.Options{})
	for _, tt := range []struct {
		query    string
		n, total int
	}{
		{"", 10, 103},
		{"pageSize=100", 100, 103},
		{"pageSize=100&pageNumber=2", 3, 103},
		{"pageNumber=11", 3, 103},
		{"page_size=100", 10, 103}, // snake case is not known here
		{"state=all", 10, 103},
		{"state=running&pageSize=100", 99, 99},
		{"state=initial", 1, 1},
		{"state=removing", 1, 1},
		{"state=failed", 1, 1},
		{"nodepool_id=npc1", 10, 103},
		{"nodepool_id=other", 0, 0},
		{"instanceIds=i-2ze00000000000000005,i-2ze00000000000000003,none", 2, 2},
	} {
		a := b.get("DescribeClusterNodes", "/clusters/"+id+"/nodes?"+tt.query)
		if n := len(column(a, "nodes", "instance_id")); n != tt.n || field(a, "page", "total_count") != float64(tt.total) {
			t.Errorf("%q: %d nodes, page %v", tt.query, n, field(a, "page"))
		}
	}
	for _, query := range []string{"pageSize=101", "pageSize=0", "pageNumber=-1", "state=pending"} {
		if a := b.get("DescribeClusterNodes", "/clusters/"+id+"/nodes?"+query); a.status != 400 || a.body["code"] != "InvalidParameter" {
			t.Errorf("%q: %d %s", query, a.status, a.raw)
		}
	}
	// "size" leaves out the one that has not joined.
	if a := b.get("DescribeClusterDetail", "/clusters/"+id); a.body["size"] != 102.0 {
		t.Errorf("size is %v", a.body["size"])
	}
}

func TestTaskPages(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	var ids []any
	for range 12 {
		a := b.scale(edgeID, 1, nil)
		ids = append([]any{a.body["task_id"]}, ids...)
	}
	a := b.get("DescribeClusterTasks", "/clusters/"+edgeID+"/tasks")
	if diff := cmp.Diff(ids[:10], column(a, "tasks", "task_id")); diff != "" || a.body["requestId"] == nil {
		t.Errorf("first page (-want +got)\n%s", diff)
	}
	a = b.get("DescribeClusterTasks", "/clusters/"+edgeID+"/tasks?page_number=2")
	if diff := cmp.Diff(ids[10:], column(a, "tasks", "task_id")); diff != "" || field(a, "page_info", "total_count") != 12.0 {
		t.Errorf("second page (-want +got)\n%s", diff)
	}
	if a := b.get("DescribeClusterTasks", "/clusters/"+secureID+"/tasks"); a.status != 200 || field(a, "page_info", "total_count") != 0.0 {
		t.Errorf("no tasks: %s", a.raw)
	}
}

func BenchmarkListPage(b *testing.B) {
	c := New(cloudsim.Options{})
	c.Cloud(func(cl cloudsim.Cloud) {
		if err := cl.Restore(Fleet(10_000)); err != nil {
			b.Fatal(err)
		}
		sim := cl.(*cloud)
		for b.Loop() {
			sim.listClusters(&call{w: discard{}, query: map[string][]string{"page_size": {"100"}, "page_number": {"50"}}})
		}
	})
}
