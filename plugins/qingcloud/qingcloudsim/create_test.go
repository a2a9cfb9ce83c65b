package qingcloudsim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// TestCreateLimits: each documented limit with its accepted edge and its
// refused neighbour.
func TestCreateLimits(t *testing.T) {
	ehpc := func(value any, path ...string) o { return with(ehpcBody("c"), value, path...) }
	hpc := func(value any, path ...string) o { return with(hpcBody("c"), value, path...) }
	pay := func(kind, duration, renewal any) o {
		return with(with(ehpc(kind, "paid_type"), duration, "duration"), renewal, "is_auto_renewal")
	}
	at := func(path ...string) []string { return append([]string{"cluster_conf", "cluster"}, path...) }
	env := func(name string) []string { return []string{"cluster_conf", "env", name} }
	tests := []struct {
		name string
		body o
		want int
	}{
		{"ehpc", ehpcBody("c"), 0},
		{"hpc", hpcBody("c"), 0},

		{"no gid_number", ehpc(nil, "gid_number"), 1100},
		{"gid_number as text", ehpc("11017754", "gid_number"), 1100},
		{"no uid_number", ehpc(nil, "uid_number"), 1100},
		{"uid_number with a fraction", ehpc(1.5, "uid_number"), 1100},
		{"no version_id", ehpc(nil, "version_id"), 1100},
		{"no cluster_type", ehpc(nil, "cluster_type"), 1100},
		{"other cluster_type", ehpc("EHPC", "cluster_type"), 1101},
		{"no owner", ehpc(nil, "owner"), 1100},
		{"owner of another form", ehpc("user-1", "owner"), 1101},
		{"owner without its rest", ehpc("usr-", "owner"), 1101},
		{"shortest owner", ehpc("usr-1", "owner"), 0},
		{"no zone", ehpc(nil, "zone"), 1100},
		{"empty zone", ehpc("", "zone"), 1100},
		{"no cluster_conf", ehpc(nil, "cluster_conf"), 1100},
		{"cluster_conf as text", ehpc("{}", "cluster_conf"), 1100},
		{"no cluster", ehpc(nil, at()...), 1100},
		{"no env", ehpc(nil, "cluster_conf", "env"), 1100},

		{"standard mode by default", ehpc(nil, "deploy_mode"), 0},
		{"compact mode", ehpc("2", "deploy_mode"), 0},
		{"compact mode without controller", with(ehpc("2", "deploy_mode"), nil, at("controller")...), 0},
		{"compact mode without compute", with(ehpc("2", "deploy_mode"), nil, at("compute")...), 1100},
		{"other mode", ehpc("3", "deploy_mode"), 1101},
		{"mode as a number", ehpc(1, "deploy_mode"), 1100},
		{"hpc in compact mode", hpc("2", "deploy_mode"), 1101},

		{"hpc with controller", hpc(role(1, 2, 4096), at("controller")...), 1101},
		{"hpc with compute", hpc(role(1, 2, 4096), at("compute")...), 1101},
		{"hpc without login", hpc(nil, at("login")...), 1100},
		{"ehpc without login", ehpc(nil, at("login")...), 1100},
		{"ehpc without controller", ehpc(nil, at("controller")...), 1100},
		{"ehpc without compute", ehpc(nil, at("compute")...), 1100},
		{"role as a list", ehpc([]any{}, at("login")...), 1100},

		{"one node", ehpc(1, at("compute", "count")...), 0},
		{"no node", ehpc(0, at("compute", "count")...), 1101},
		{"no count", ehpc(nil, at("compute", "count")...), 1100},
		{"count as text", ehpc("2", at("compute", "count")...), 1100},
		{"as many nodes as go", ehpc(998, at("compute", "count")...), 0},
		{"more nodes than go", ehpc(999, at("compute", "count")...), 2500},
		{"far more nodes", ehpc(1<<40, at("compute", "count")...), 2500},
		{"largest size", ehpc(role(1, 26, 81920), at("login")...), 0},
		{"smallest size", ehpc(role(1, 1, 2048), at("login")...), 0},
		{"no cpu", ehpc(nil, at("login", "cpu")...), 1100},
		{"cpu as text", ehpc("2", at("login", "cpu")...), 1100},
		{"no memory", ehpc(nil, at("login", "memory")...), 1100},
		{"memory the page calls 26G", ehpc(24576, at("login", "memory")...), 0},
		{"memory of 26G", ehpc(26624, at("login", "memory")...), 1101},
		{"compute at its floor", ehpc(role(1, 2, 4096), at("compute")...), 0},
		{"compute with 1 core", ehpc(role(1, 1, 4096), at("compute")...), 1101},
		{"compute with 2G", ehpc(role(1, 2, 2048), at("compute")...), 1101},
		{"compute with 4098", ehpc(role(1, 2, 4098), at("compute")...), 1101},
		{"no nas_mount_point", ehpc(nil, at("login", "nas_mount_point")...), 1100},
		{"empty nas_mount_point", ehpc("", at("login", "nas_mount_point")...), 1100},
		{"unknown parameter of a role", ehpc(1, at("login", "size")...), 1101},

		{"no name", ehpc(nil, at("name")...), 1100},
		{"no vxnet", ehpc(nil, at("vxnet")...), 1100},
		{"vxnet of another form", ehpc("net-1", at("vxnet")...), 1101},
		{"shortest vxnet", ehpc("vxnet-0", at("vxnet")...), 0},
		{"no nas_id", ehpc(nil, at("nas_id")...), 1100},
		{"no version", ehpc(nil, at("version")...), 1100},
		{"other version", ehpc("appv-2", at("version")...), 1101},
		{"version beside cluster", with(ehpc(nil, at("version")...), "appv-8k3d0ytv", "cluster_conf", "version"), 0},
		{"version in both places", ehpc("appv-8k3d0ytv", "cluster_conf", "version"), 0},
		{"two versions", ehpc("appv-2", "cluster_conf", "version"), 1101},

		{"cluster_name the same", ehpc("c", "cluster_name"), 0},
		{"cluster_name another", ehpc("d", "cluster_name"), 1101},
		{"nas_id the same", ehpc("nas-1", "nas_id"), 0},
		{"nas_id another", ehpc("nas-2", "nas_id"), 1101},
		{"nas_path another", ehpc("/other", "nas_path"), 1101},

		{"paid as used", pay("PayForUsed", 0, 0), 0},
		{"reserved", pay("Reserved", 1, 0), 0},
		{"reserved, renewed", pay("Reserved", 36, 1), 0},
		{"reserved for 60", pay("Reserved", 60, 1), 0},
		{"reserved for 70", pay("Reserved", 70, 1), 0},
		{"reserved for 2", pay("Reserved", 2, 1), 1101},
		{"reserved for 0", pay("Reserved", 0, 1), 1101},
		{"reserved without duration", pay("Reserved", nil, 1), 1100},
		{"reserved without is_auto_renewal", pay("Reserved", 12, nil), 1100},
		{"renewed twice", pay("Reserved", 12, 2), 1101},
		{"renewal below", pay("Reserved", 12, -1), 1101},
		{"duration as text", pay("Reserved", "12", 1), 1100},
		{"paid_type as the page spells it", pay("reserved", 12, 1), 1101},
		{"paid_type misspelt", pay("PayForUesd", 0, 0), 1101},

		{"no admin.user", ehpc(nil, env("admin.user")...), 1100},
		{"no admin.password", ehpc(nil, env("admin.password")...), 1100},
		{"empty admin.password", ehpc("", env("admin.password")...), 1100},
		{"no admin.user_id", ehpc(nil, env("admin.user_id")...), 1100},
		{"admin.user_id as text", ehpc("1", env("admin.user_id")...), 1100},
		{"no admin.group_id", ehpc(nil, env("admin.group_id")...), 1100},
		{"no nas_path", ehpc(nil, env("nas_path")...), 1100},
		{"no nfs_need", ehpc(nil, env("nfs_need")...), 1100},
		{"nfs_need 2", ehpc(2, env("nfs_need")...), 1101},
		{"no nfs_dns", ehpc(nil, env("nfs_dns")...), 1100},
		{"empty nfs_dns", ehpc("", env("nfs_dns")...), 1100},
		{"no library, empty nfs_dns", with(ehpc("", env("nfs_dns")...), 0, env("nfs_need")...), 0},
		{"no library, no nfs_dns", with(ehpc(nil, env("nfs_dns")...), 0, env("nfs_need")...), 1100},
		{"other nfs_export", ehpc("shanhe.nsccjn.com:/shanhe", env("nfs_export")...), 0},
		{"no nfs_export", ehpc(nil, env("nfs_export")...), 1100},
		{"no start_hook_on", ehpc(nil, env("start_hook_on")...), 1100},
		{"start_hook_on -1", ehpc(-1, env("start_hook_on")...), 1101},
		{"no nfs_local", ehpc(nil, env("nfs_local")...), 1100},
		{"no nfs_network", ehpc(nil, env("nfs_network")...), 1100},
		{"dots written as underscores", with(ehpc("admin", env("admin_user")...), nil, env("admin.user")...), 1100},
		{"unknown env", ehpc("x", env("nfs_port")...), 1101},

		{"optional texts", with(with(ehpc("slurm", "scheduler_type"), "app-1", "app_id"), "u", "user_name"), 0},
		{"optional text as a number", ehpc(1, "scheduler_type"), 1100},
		{"columns of the record", with(ehpc("stopped", "status"), "ehpc-1", "cluster_id"), 0},
		{"null for an optional parameter", ehpc(o(nil), "software_info"), 0},
		{"null for a required parameter", ehpc(o(nil), "version_id"), 1100},
		{"unknown parameter", ehpc(1, "cluter_name"), 1101},
		{"unknown parameter of cluster_conf", ehpc(1, "cluster_conf", "x"), 1101},
		{"unknown parameter of cluster", ehpc(1, at("x")...), 1101},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, cloudsim.Options{}, nil)
			r := w.create(tt.body)
			w.wantCode(r, tt.want)
			made := 0
			if tt.want == 0 {
				made = 1
			}
			if got := len(w.state().Clusters); got != made {
				t.Errorf("%d clusters, want %d", got, made)
			}
			if strings.Contains(r.text, password) {
				t.Error("the answer repeats the password")
			}
		})
	}
}

// TestSizes: every documented cpu and memory, and what lies beside them.
func TestSizes(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, nil)
	allowed := map[int]bool{1: true, 2: true, 4: true, 8: true, 12: true, 26: true}
	for cpu := -1; cpu <= 30; cpu++ {
		want := 1101
		if allowed[cpu] {
			want = 0
		}
		w.wantCode(w.create(with(ehpcBody("c"), cpu, "cluster_conf", "cluster", "controller", "cpu")), want)
	}
	for _, gb := range []int{2, 4, 12, 24, 40, 80} {
		body := func(memory int) o {
			return with(ehpcBody("c"), memory, "cluster_conf", "cluster", "controller", "memory")
		}
		w.wantCode(w.create(body(gb*1024)), 0)
		w.wantCode(w.create(body(gb*1024-1)), 1101)
		w.wantCode(w.create(body(gb*1024+1)), 1101)
		w.wantCode(w.create(body(gb)), 1101)
	}
}

func TestCreateAnswer(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, nil)
	if r := w.create(ehpcBody("sim")); r.text != `{"action":"HpcClusterCreateClusterResponse","hpc_cluster_id":"ehpc-00000001","job_id":"j-00000000007","ret_code":0}` {
		t.Errorf("ehpc: %s", r.text)
	}
	if r := w.create(hpcBody("login")); r.body["hpc_cluster_id"] != "hpc-00000008" {
		t.Errorf("hpc: %s", r.text)
	}
}

// TestCreateTwice: there is no token, and a name may be borne twice.
func TestCreateTwice(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, nil)
	first, second := w.create(ehpcBody("sim")), w.create(ehpcBody("sim"))
	w.wantCode(first, 0)
	w.wantCode(second, 0)
	if first.body["hpc_cluster_id"] == second.body["hpc_cluster_id"] {
		t.Error("both have the same id")
	}
	if got := column(w.clusters(nil), "cluster_name"); len(got) != 2 || got[0] != got[1] {
		t.Errorf("names %v", got)
	}
}

func TestOneHPC(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, nil)
	w.wantCode(w.create(hpcBody("a")), 0)
	w.wantCode(w.create(hpcBody("b")), 2500)
	w.wantCode(w.create(with(hpcBody("b"), "jinan1a", "zone")), 2500)
	w.wantCode(w.create(with(hpcBody("b"), "usr-other", "owner")), 0)
	w.wantCode(w.create(ehpcBody("c")), 0)
}

func TestBodies(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, mixed())
	const path = "/api/cluster/resizeCluster"
	const good = `{"cluster_id":"ehpc-gk3wfc7e","cpu":"4","memory":"12288","node_role":"compute","zone":"jn1a"}`
	post := func(body, contentType string, extra ...string) reply {
		q := commonQuery(start)
		for i := 0; i < len(extra); i += 2 {
			q[extra[i]] = extra[i+1]
		}
		raw := signed(qingcloudsim.SecretKey, "POST", path, q, body)
		req, err := http.NewRequest("POST", w.http.URL+path+"?"+raw, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		return w.do(req)
	}
	for _, tt := range []struct {
		name string
		r    reply
		want int
	}{
		{"good", post(good, "application/json"), 0},
		{"with a charset", post(good, "application/json; charset=utf-8"), 0},
		{"zone in both", post(good, "application/json", "zone", zone), 0},
		{"no content type", post(good, ""), 1100},
		{"a form", post(good, "application/x-www-form-urlencoded"), 1100},
		{"empty", post("", "application/json"), 1100},
		{"no object", post(`["a"]`, "application/json"), 1100},
		{"null", post(`null`, "application/json"), 1100},
		{"cut off", post(good[:40], "application/json"), 1100},
		{"two objects", post(good+good, "application/json"), 1100},
		{"parameter in the query", post(good, "application/json", "cluster_id", "ehpc-gk3wfc7e"), 1100},
	} {
		t.Run(tt.name, func(t *testing.T) { w.wantCode(tt.r, tt.want) })
	}
}
