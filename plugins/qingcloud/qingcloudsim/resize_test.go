package qingcloudsim_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

func TestResizeLimits(t *testing.T) {
	size := func(value any, path string) o { return with(sizeBody("compute", "4", "12288"), value, path) }
	type test struct {
		name string
		body o
		want int
	}
	tests := []test{
		{"texts", sizeBody("compute", "4", "12288"), 0},
		{"numbers", with(size(4, "cpu"), 12288, "memory"), 0},
		{"no cluster_id", size(nil, "cluster_id"), 1100},
		{"unknown cluster", size("ehpc-none", "cluster_id"), 2100},
		{"the id of its nodes", size("cl-gk3wfc7e", "cluster_id"), 2100},
		{"no zone", size(nil, "zone"), 1100},
		{"other zone", size("jinan1a", "zone"), 2100},
		{"no node_role", size(nil, "node_role"), 1100},
		{"other node_role", size("master", "node_role"), 1101},
		{"no cpu", size(nil, "cpu"), 1100},
		{"cpu no number", size("four", "cpu"), 1100},
		{"cpu below", size("-4", "cpu"), 1100},
		{"cpu signed", size("+4", "cpu"), 1100},
		{"cpu as a list", size([]any{4}, "cpu"), 1100},
		{"no memory", size(nil, "memory"), 1100},
		{"compute at its floor", sizeBody("compute", "2", "4096"), 0},
		{"compute with 1 core", sizeBody("compute", "1", "4096"), 1101},
		{"compute with 2G", sizeBody("compute", "2", "2048"), 1101},
		{"login at the floor", sizeBody("login", "1", "2048"), 0},
		{"controller at the floor", sizeBody("controller", "1", "2048"), 0},
		{"ceiling", sizeBody("compute", "26", "81920"), 0},
		{"above the ceiling", sizeBody("compute", "27", "81920"), 1101},
		{"memory above the ceiling", sizeBody("compute", "26", "81921"), 1101},
		{"memory of 26G", sizeBody("compute", "12", "26624"), 1101},
		{"pair that no sample has", sizeBody("compute", "26", "4096"), 0},
		{"the size it has", sizeBody("compute", "2", "4096"), 0},
		{"storage", size("100", "storage_size"), 0},
		{"storage as a number", size(1, "storage_size"), 0},
		{"no storage", size("0", "storage_size"), 1101},
		{"storage in parts", size("1.5", "storage_size"), 1100},
		{"instance_class", size("202", "instance_class"), 0},
		{"instance_class as a number", size(202, "instance_class"), 1100},
		{"unknown parameter", size(1, "count"), 1101},
	}
	for _, cpu := range []string{"1", "2", "4", "8", "12", "26"} {
		tests = append(tests, test{"cpu " + cpu, sizeBody("login", cpu, "4096"), 0})
	}
	for _, cpu := range []string{"0", "3", "6", "16", "24"} {
		tests = append(tests, test{"cpu " + cpu, sizeBody("login", cpu, "4096"), 1101})
	}
	for _, memory := range []string{"2048", "4096", "12288", "24576", "40960", "81920"} {
		tests = append(tests, test{"memory " + memory, sizeBody("login", "2", memory), 0})
	}
	for _, memory := range []string{"0", "1024", "8192", "16384", "4098", "81921"} {
		tests = append(tests, test{"memory " + memory, sizeBody("login", "2", memory), 1101})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, cloudsim.Options{JobTime: time.Minute}, mixed())
			w.wantCode(w.resize(tt.body), tt.want)
			jobs := 0
			if tt.want == 0 {
				jobs = 1
			}
			if got := len(w.state().Jobs); got != jobs {
				t.Errorf("%d jobs, want %d", got, jobs)
			}
		})
	}
}

func TestResizeHPC(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, []byte(`{"clusters": [{
		"cluster_id": "hpc-1", "cluster_name": "login", "zone": "jn1a", "owner": "usr-1",
		"nodes": [{"role": "login", "cpu": 1, "memory": 2048}]}]}`))
	body := func(role string) o { return with(sizeBody(role, "2", "4096"), "hpc-1", "cluster_id") }
	w.wantCode(w.resize(body("login")), 0)
	w.wantCode(w.resize(body("compute")), 1101)
	w.wantCode(w.resize(body("controller")), 1101)
}

func TestResizeRoleWithoutNodes(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, []byte(`{"clusters": [{
		"cluster_id": "ehpc-gk3wfc7e", "cluster_name": "compact", "zone": "jn1a", "owner": "usr-1", "deploy_mode": "2",
		"nodes": [{"role": "login", "cpu": 1, "memory": 2048}]}]}`))
	w.wantCode(w.resize(sizeBody("controller", "2", "4096")), 2100)
}

func TestResizeAnswer(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, mixed())
	r := w.resize(sizeBody("compute", "26", "81920"))
	if want := `{"action":"HpcClusterResizeClusterResponse","job_id":"j-00000000006","resize_info":[` +
		`{"cpu":26,"cpu_model":"CascadeLake","gpu":0,"memory":81920,"resource_class":6,"role":"compute","volume_type":0}],"ret_code":0}`; r.text != want {
		t.Error(cmp.Diff(want, r.text))
	}
}

// TestOneChangeAtATime: a cluster takes the next change when its job is over.
func TestOneChangeAtATime(t *testing.T) {
	w := newWorld(t, cloudsim.Options{JobTime: time.Minute}, mixed())
	w.wantCode(w.resize(sizeBody("compute", "4", "12288")), 0)
	w.wantCode(w.resize(sizeBody("compute", "4", "12288")), 1400) // the same again
	w.wantCode(w.resize(sizeBody("login", "2", "4096")), 1400)    // another role
	w.wantCode(w.create(ehpcBody("other")), 0)                    // another cluster
	w.clock.add(59 * time.Second)
	w.wantCode(w.resize(sizeBody("login", "2", "4096")), 1400)
	w.clock.add(time.Second)
	w.wantCode(w.resize(sizeBody("login", "2", "4096")), 0)
}

func TestResizeNeedsActive(t *testing.T) {
	for _, status := range []string{"creating", "installing", "initialising", "abnormal", "stopped", "suspended"} {
		w := newWorld(t, cloudsim.Options{}, mixed())
		w.drift(cloudsim.Drift{Cluster: "ehpc-gk3wfc7e", Set: map[string]any{"cluster_status": status}})
		w.wantCode(w.resize(sizeBody("compute", "4", "12288")), 1400)
	}
}

func TestResizeFee(t *testing.T) {
	w := newWorld(t, cloudsim.Options{JobTime: time.Minute}, mixed())
	fee := func(role, cpu, memory string, more ...string) reply {
		q := map[string]string{"cluster_id": "ehpc-gk3wfc7e", "node_role": role, "cpu": cpu, "memory": memory}
		for i := 0; i < len(more); i += 2 {
			q[more[i]] = more[i+1]
		}
		return w.get("/api/cluster/resizeClusterFee", q)
	}
	price := func(r reply) any {
		w.wantCode(r, 0)
		return r.body["price"]
	}
	for _, tt := range []struct {
		name string
		got  any
		want float64
	}{
		{"three nodes grow", price(fee("compute", "4", "12288")), 3 * (2*0.12 + 8*0.06)},
		{"nothing changes", price(fee("compute", "2", "4096")), 0},
		{"one node shrinks", price(fee("controller", "1", "2048")), -(0.12 + 2*0.06)},
		{"storage grows", price(fee("login", "1", "2048", "storage_size", "20")), 0.02},
	} {
		if diff := cmp.Diff(tt.want, tt.got, cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 })); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	w.wantCode(fee("compute", "3", "12288"), 1101)
	w.wantCode(fee("compute", "1", "2048"), 1101)
	w.wantCode(fee("compute", "4", "12288", "cluster_id", "ehpc-none"), 2100)
	w.wantCode(fee("compute", "4", "12288", "limit", "1"), 1101)
	if got := w.state().Jobs; len(got) != 0 {
		t.Errorf("asking the price started %d jobs", len(got))
	}
}
