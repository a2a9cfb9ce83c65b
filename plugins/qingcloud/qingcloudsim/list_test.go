package qingcloudsim_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// names counts "c00001" and on, from one number to another, up or down.
func names(from, to int) []any {
	var list []any
	for i := from; ; {
		list = append(list, fmt.Sprintf("c%05d", i))
		if i == to {
			return list
		}
		if from < to {
			i++
		} else {
			i--
		}
	}
}

func TestListPaging(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, qingcloudsim.Fleet(120))
	tests := []struct {
		name  string
		query map[string]string
		want  []any
	}{
		{"default", nil, names(1, 10)},
		{"limit 1", map[string]string{"limit": "1"}, names(1, 1)},
		{"limit 100", map[string]string{"limit": "100"}, names(1, 100)},
		{"limit 101 is cut", map[string]string{"limit": "101"}, names(1, 100)},
		{"offset", map[string]string{"limit": "3", "offset": "5"}, names(6, 8)},
		{"last page", map[string]string{"limit": "100", "offset": "100"}, names(101, 120)},
		{"past the end", map[string]string{"offset": "120"}, []any{}},
		{"reversed", map[string]string{"reverse": "1"}, names(120, 111)},
		{"reversed, last page", map[string]string{"reverse": "1", "offset": "115"}, names(5, 1)},
		{"by name", map[string]string{"sort_key": "cluster_name", "reverse": "1", "limit": "2"}, names(120, 119)},
		{"by id", map[string]string{"sort_key": "cluster_id", "limit": "2"}, names(1, 2)},
		{"by time", map[string]string{"sort_key": "create_time", "limit": "2"}, names(1, 2)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			query := map[string]string{"owner": owner}
			for name, value := range tt.query {
				query[name] = value
			}
			r := w.get("/api/cluster/list", query)
			if diff := cmp.Diff(tt.want, column(w.set(r, "cluster_set"), "cluster_name")); diff != "" {
				t.Error(diff)
			}
			if r.body["total_count"] != 120.0 {
				t.Errorf("total_count %v", r.body["total_count"])
			}
		})
	}
}

func TestListFilters(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, []byte(`{"clusters": [
		{"cluster_id": "ehpc-1a", "cluster_name": "Alpha", "zone": "jn1a", "owner": "usr-8rhqe0n7"},
		{"cluster_id": "hpc-2b", "cluster_name": "beta", "zone": "jn1a", "owner": "usr-8rhqe0n7", "cluster_status": "stopped"},
		{"cluster_id": "ehpc-3c", "cluster_name": "gamma", "zone": "jn1a", "owner": "usr-8rhqe0n7", "cluster_status": "installing"},
		{"cluster_id": "ehpc-4d", "cluster_name": "delta", "zone": "jn1a", "owner": "usr-8rhqe0n7", "cluster_status": "suspended"},
		{"cluster_id": "ehpc-5e", "cluster_name": "alpha", "zone": "jinan1a", "owner": "usr-8rhqe0n7"},
		{"cluster_id": "ehpc-6f", "cluster_name": "alpha", "zone": "jn1a", "owner": "usr-other"}]}`))
	tests := []struct {
		name  string
		query map[string]string
		want  []any
	}{
		{"all of the place", nil, []any{"Alpha", "beta", "gamma", "delta"}},
		{"other zone", map[string]string{"zone": "jinan1a"}, []any{"alpha"}},
		{"other owner", map[string]string{"owner": "usr-other"}, []any{"alpha"}},
		{"nobody", map[string]string{"owner": "usr-none"}, []any{}},
		{"one id", map[string]string{"cluster_id": "hpc-2b"}, []any{"beta"}},
		{"part of an id", map[string]string{"cluster_id": "hpc-2"}, []any{}},
		{"another owner's id", map[string]string{"cluster_id": "ehpc-6f"}, []any{}},
		{"type", map[string]string{"cluster_type": "hpc"}, []any{"beta"}},
		{"id of another type", map[string]string{"cluster_id": "hpc-2b", "cluster_type": "ehpc"}, []any{}},
		{"active", map[string]string{"status": "active"}, []any{"Alpha"}},
		{"stopped", map[string]string{"status": "stopped"}, []any{"beta"}},
		{"pending is any stage", map[string]string{"status": "pending"}, []any{"gamma"}},
		{"suspended", map[string]string{"status": "suspended"}, []any{"delta"}},
		{"search is fuzzy", map[string]string{"search_word": "aLPH"}, []any{"Alpha"}},
		{"whose projects", map[string]string{"run_user": "usr-1", "shared_status": "1"}, []any{"Alpha", "beta", "gamma", "delta"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, column(w.clusters(tt.query), "cluster_name")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestListRefuses(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, nil)
	tests := []struct {
		path, name, value string
		want              int
	}{
		{"list", "limit", "0", 1101},
		{"list", "limit", "ten", 1100},
		{"list", "limit", "-1", 1100},
		{"list", "offset", "-1", 1100},
		{"list", "reverse", "2", 1101},
		{"list", "verbose", "true", 1101},
		{"list", "sort_key", "color", 1101},
		{"list", "cluster_type", "gpu", 1101},
		{"list", "status", "gone", 1101},
		{"list", "limt", "10", 1101},
		{"listNodes", "limit", "0", 1101},
		{"listNodes", "node_role", "master", 1101},
		{"listNodes", "sort_key", "color", 1101},
		{"listNodes", "cluster_ids", "ehpc-1", 1101},
	}
	for _, tt := range tests {
		t.Run(tt.path+" "+tt.name+" "+tt.value, func(t *testing.T) {
			query := map[string]string{tt.name: tt.value}
			if tt.path == "list" {
				query["owner"] = owner
			}
			w.wantCode(w.get("/api/cluster/"+tt.path, query), tt.want)
		})
	}
	w.wantCode(w.get("/api/cluster/list", nil), 1100) // no owner
	for _, path := range []string{"/api/cluster/list", "/api/cluster/listNodes", "/api/operation"} {
		q := commonQuery(start)
		q["owner"] = owner
		w.wantCode(w.send("GET", path, signed(qingcloudsim.SecretKey, "GET", path, q, ""), ""), 1100) // no zone
	}
}

func TestClusterItem(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, qingcloudsim.Example())
	want := map[string]any{
		"cluster_id": "hpc-gk3wfc7e", "app_cluster_id": "cl-gk3wfc7e", "cluster_name": "login", "cluster_type": "hpc",
		"cluster_status": "active", "create_time": "2026-01-02T03:04:05Z", "description": " ", "nas_id": "nas-1",
		"nas_mount_point": "/home", "nas_path": "10.0.0.7@o2ib:/lustrefs/x", "nas_shared_path": "",
		"paid_type": "PayForUsed", "scheduler_type": "", "total_node_count": 1.0, "cluster_sw": []any{},
		"project_info": map[string]any{"shared_status": "", "project_role": ""}, "cpu_hours": 0.0, "mem_hours": 0.0,
		"running_job_count": 0.0, "pending_job_count": 0.0, "finished_job_count": 0.0, "stopped_job_count": 0.0,
		"deleted_job_count": 0.0,
	}
	if diff := cmp.Diff([]map[string]any{want}, w.clusters(nil)); diff != "" {
		t.Error(diff)
	}
	want["app_cluster"] = map[string]any{
		"cluster_id": "cl-gk3wfc7e", "name": "login", "app_version": "appv-8k3d0ytv", "vxnet_id": "vxnet-oilq879",
	}
	if diff := cmp.Diff([]map[string]any{want}, w.clusters(map[string]string{"verbose": "1"})); diff != "" {
		t.Error(diff)
	}
}

func TestNodeItem(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, qingcloudsim.Example())
	items := w.nodes(map[string]string{"cluster_id": "hpc-gk3wfc7e"})
	var env map[string]any
	if err := json.Unmarshal([]byte(items[0]["env"].(string)), &env); err != nil {
		t.Fatal(err)
	}
	delete(items[0], "env")
	want := map[string]any{
		"node_id": "cln-gk3wfc7e", "cluster_id": "cl-gk3wfc7e", "role": "login", "cpu": 1.0, "memory": 2048.0,
		"storage_size": 10.0, "status": "active", "transition_status": "", "resource_class": 6.0,
		"name": "login-gk3wfc7e", "private_ip": items[0]["private_ip"], "vxnet_id": "vxnet-oilq879",
		"app_version": "appv-8k3d0ytv", "nas_mount_point": "/home", "owner": owner, "instance_id": "i-gk3wfc7e",
		"create_time": "2026-01-02T03:04:05Z", "status_time": "2026-01-02T03:04:05Z",
	}
	if diff := cmp.Diff([]map[string]any{want}, items); diff != "" {
		t.Error(diff)
	}
	wantEnv := map[string]any{
		"admin_user": "admin", "admin_password": "******", "admin_user_id": 11017754.0, "admin_group_id": 11017754.0,
		"nas_path": "10.0.0.7@o2ib:/lustrefs/x", "nfs_need": 1.0, "nfs_dns": "10.104.100.99",
		"nfs_export": "qingyun.nsccjn.com:/shanhe", "start_hook_on": 1.0, "nfs_local": "/es01/software",
		"nfs_network": "10.104.0.0/16",
	}
	if diff := cmp.Diff(wantEnv, env); diff != "" {
		t.Error(diff)
	}
}

func TestListNodes(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, qingcloudsim.Fleet(30))
	tests := []struct {
		name  string
		query map[string]string
		total float64
		want  []any
	}{
		{"one cluster", map[string]string{"cluster_id": "ehpc-00000002"}, 4, []any{"login-00000005", "controller-00000006", "compute-00000007", "compute-00000008"}},
		{"the id of its nodes", map[string]string{"cluster_id": "cl-00000002"}, 0, []any{}},
		{"other zone", map[string]string{"cluster_id": "ehpc-00000002", "zone": "jinan1a"}, 0, []any{}},
		{"role", map[string]string{"cluster_id": "ehpc-00000002", "node_role": "compute"}, 2, []any{"compute-00000007", "compute-00000008"}},
		{"the zone, across clusters", map[string]string{"offset": "3", "limit": "3"}, 120, []any{"compute-00000004", "login-00000005", "controller-00000006"}},
		{"the zone, its end", map[string]string{"offset": "118", "limit": "100"}, 120, []any{"compute-00000119", "compute-00000120"}},
		{"past the end", map[string]string{"offset": "120"}, 120, []any{}},
		{"reversed", map[string]string{"reverse": "1", "limit": "2"}, 120, []any{"compute-00000120", "compute-00000119"}},
		{"by name", map[string]string{"sort_key": "name", "limit": "2"}, 120, []any{"compute-00000003", "compute-00000004"}},
		{"by role and search", map[string]string{"sort_key": "role", "search_word": "000120", "limit": "2"}, 1, []any{"compute-00000120"}},
		{"status", map[string]string{"status": "pending"}, 0, []any{}},
		{"health", map[string]string{"health_status": "healthy", "limit": "1"}, 120, []any{"login-00000001"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := w.get("/api/cluster/listNodes", tt.query)
			if diff := cmp.Diff(tt.want, column(w.set(r, "hpc_app_nodes_set"), "name")); diff != "" {
				t.Error(diff)
			}
			if r.body["total_count"] != tt.total {
				t.Errorf("total_count %v, want %v", r.body["total_count"], tt.total)
			}
		})
	}
	for limit, want := range map[string]int{"": 10, "100": 100, "101": 100} {
		query := map[string]string{}
		if limit != "" {
			query["limit"] = limit
		}
		if got := len(w.nodes(query)); got != want {
			t.Errorf("limit %q gives %d nodes, want %d", limit, got, want)
		}
	}
}

func TestOperation(t *testing.T) {
	w := newWorld(t, cloudsim.Options{JobTime: time.Minute}, mixed())
	w.wantCode(w.resize(sizeBody("login", "2", "4096")), 0) // j-…6
	w.clock.add(2 * time.Minute)
	w.wantCode(w.create(hpcBody("login")), 0) // hpc-…7, cl-…8, cln-…9, j-…10
	w.clock.add(2 * time.Minute)
	w.inject(cloudsim.Fault{Kind: cloudsim.JobFails})
	w.wantCode(w.resize(sizeBody("controller", "4", "12288")), 0) // j-…11
	w.clock.add(2 * time.Minute)
	w.wantCode(w.resize(sizeBody("compute", "4", "12288")), 0) // j-…12
	const first, create, failed, runs = "j-00000000006", "j-00000000010", "j-00000000011", "j-00000000012"
	tests := []struct {
		name  string
		query map[string]string
		want  []any
	}{
		{"all", nil, []any{first, create, failed, runs}},
		{"newest first", map[string]string{"reverse": "1", "limit": "2"}, []any{runs, failed}},
		{"one job", map[string]string{"job_ids": failed}, []any{failed}},
		{"two jobs", map[string]string{"job_ids": runs + "," + first}, []any{first, runs}},
		{"one job under its other name", map[string]string{"jobs": create}, []any{create}},
		{"a job that is not there", map[string]string{"job_ids": "j-none"}, []any{}},
		{"a cluster", map[string]string{"resource_ids": "ehpc-gk3wfc7e"}, []any{first, failed, runs}},
		{"a cluster, running", map[string]string{"resource_ids": "ehpc-gk3wfc7e", "status": "pending"}, []any{runs}},
		{"a node", map[string]string{"resource_ids": "cln-00000004"}, []any{runs}},
		{"two resources", map[string]string{"resource_ids": "hpc-00000007 cln-00000002"}, []any{create, failed}},
		{"a job and another resource", map[string]string{"job_ids": first, "resource_ids": "hpc-00000007"}, []any{}},
		{"failed", map[string]string{"status": "failed"}, []any{failed}},
		{"successful", map[string]string{"status": "successful"}, []any{first, create}},
		{"action", map[string]string{"job_action": "HpcClusterCreateCluster"}, []any{create}},
		{"owner", map[string]string{"owner": owner}, []any{first, create, failed, runs}},
		{"other owner", map[string]string{"owner": "usr-other"}, []any{}},
		{"other zone", map[string]string{"zone": "jinan1a"}, []any{}},
		{"from a time", map[string]string{"start_time": "2026-01-02T03:08:05Z"}, []any{failed, runs}},
		{"to a time", map[string]string{"end_time": "2026-01-02T03:06:05Z"}, []any{first, create}},
		{"search", map[string]string{"search_word": "HPC-00000007"}, []any{create}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, column(w.jobs(tt.query), "job_id")); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, want := range map[string]int{"start_time": 1100, "status": 1101, "limit": 1100, "sort_key": 1101} {
		w.wantCode(w.get("/api/operation", map[string]string{name: "x"}), want)
	}
	want := map[string]any{
		"job_id": failed, "job_action": "HpcClusterResizeCluster", "action_describe": "resize the controller nodes",
		"resource_ids": "ehpc-gk3wfc7e cln-00000002", "owner": owner, "status": "failed", "error_codes": "5000",
		"create_time": "2026-01-02T03:08:05Z", "status_time": "2026-01-02T03:09:05Z", "submitter": owner, "task_count": 1.0,
	}
	if diff := cmp.Diff([]map[string]any{want}, w.jobs(map[string]string{"job_ids": failed})); diff != "" {
		t.Error(diff)
	}
	if got := w.jobs(map[string]string{"job_ids": create})[0]["resource_ids"]; got != "hpc-00000007 cln-00000009" {
		t.Errorf("create works on %v", got)
	}
}
