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

func TestExample(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, qingcloudsim.Example())
	st := w.state()
	if len(st.Clusters) != 1 {
		t.Fatalf("%d clusters", len(st.Clusters))
	}
	cl := st.Clusters[0]
	got := fmt.Sprintln(cl.ClusterID, cl.ClusterName, cl.ClusterType, cl.ClusterStatus, cl.Zone, cl.Owner, cl.UIDNumber,
		cl.GIDNumber, cl.VersionID, cl.VxnetID, cl.NasID, cl.Env.NasPath, len(cl.Nodes))
	want := fmt.Sprintln("hpc-gk3wfc7e login hpc active jn1a usr-8rhqe0n7 11017754",
		"11017754 appv-8k3d0ytv vxnet-oilq879 nas-1 10.0.0.7@o2ib:/lustrefs/x 1")
	if got != want {
		t.Errorf("got %swant %s", got, want)
	}
	if n := cl.Nodes[0]; n.CPU != 1 || n.Memory != 2048 || n.NasMountPoint != "/home" || n.Role != "login" {
		t.Errorf("node %+v", n)
	}
	// What the example fleet asks for can be done.
	w.wantCode(w.resize(o{"cluster_id": cl.ClusterID, "zone": zone, "node_role": "login", "cpu": "2", "memory": "4096"}), 0)
	w.wantCode(w.create(ehpcBody("simulation")), 0)
}

func TestFleet(t *testing.T) {
	if diff := cmp.Diff(string(qingcloudsim.Fleet(3)), string(qingcloudsim.Fleet(3))); diff != "" {
		t.Errorf("not the same twice: %s", diff)
	}
	w := newWorld(t, cloudsim.Options{}, qingcloudsim.Fleet(12))
	st := w.state()
	last := st.Clusters[11]
	if last.ClusterID != "ehpc-00000012" || last.ClusterName != "c00012" || st.RequestLimit >= 0 {
		t.Errorf("last is %s %s, limit %d", last.ClusterID, last.ClusterName, st.RequestLimit)
	}
	roles := map[string]int{}
	for _, n := range last.Nodes {
		roles[n.Role]++
	}
	if diff := cmp.Diff(map[string]int{"login": 1, "controller": 1, "compute": 2}, roles); diff != "" {
		t.Error(diff)
	}
	if got := newWorld(t, cloudsim.Options{}, qingcloudsim.Fleet(0)).clusters(nil); len(got) != 0 {
		t.Errorf("a fleet of none has %v", got)
	}
}

// TestStateByHand: the least that must be written, and what Restore makes of it.
func TestStateByHand(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, []byte(`{"clusters": [{
		"cluster_id": "ehpc-a", "cluster_name": "a", "zone": "jn1a", "owner": "usr-1",
		"nodes": [{"role": "login", "cpu": 1, "memory": 2048}]}]}`))
	cl := w.state().Clusters[0]
	n := *cl.Nodes[0]
	got := fmt.Sprintln(cl.AppClusterID, cl.ClusterType, cl.ClusterStatus, cl.DeployMode, cl.PaidType, cl.CreateTime.Equal(start),
		n.NodeID, n.Name, n.Status, n.CreateTime.Equal(start), n.StatusTime.Equal(start), n.PrivateIP != "")
	if want := fmt.Sprintln("cl-a ehpc active 1 PayForUsed true cln-00000001 login-00000001 active true true true"); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}

func TestRestoreRefused(t *testing.T) {
	cluster := func(more string) string {
		return `{"clusters": [{"cluster_id": "ehpc-1a", "cluster_name": "a", "zone": "z", "owner": "usr-1"` + more + `}]}`
	}
	for name, state := range map[string]string{
		"no JSON":               `{`,
		"unknown field":         `{"cluster": []}`,
		"unknown cluster field": cluster(`, "color": "red"`),
		"a password":            cluster(`, "env": {"admin_password": "x"}`),
		"no name":               `{"clusters": [{"cluster_id": "ehpc-1a", "zone": "z", "owner": "usr-1"}]}`,
		"no type":               `{"clusters": [{"cluster_id": "x-1a", "cluster_name": "a", "zone": "z", "owner": "usr-1"}]}`,
		"unknown role":          cluster(`, "nodes": [{"role": "gpu", "cpu": 1, "memory": 2048}]`),
		"role of another type":  cluster(`, "cluster_type": "hpc", "nodes": [{"role": "compute", "cpu": 2, "memory": 4096}]`),
		"no size":               cluster(`, "nodes": [{"role": "login"}]`),
		"one node id twice":     cluster(`, "nodes": [{"node_id": "cln-1", "role": "login", "cpu": 1, "memory": 2048}, {"node_id": "cln-1", "role": "login", "cpu": 1, "memory": 2048}]`),
		"one cluster id twice":  `{"clusters": [{"cluster_id": "ehpc-1a", "cluster_name": "a", "zone": "z", "owner": "u"}, {"cluster_id": "ehpc-1a", "cluster_name": "b", "zone": "z", "owner": "u"}]}`,
		"one job id twice":      `{"jobs": [{"job_id": "j-1", "status": "failed"}, {"job_id": "j-1", "status": "failed"}]}`,
		"unknown job status":    `{"jobs": [{"job_id": "j-1", "status": "working"}]}`,
	} {
		w := newWorld(t, cloudsim.Options{}, mixed())
		before := w.state()
		w.sim.Cloud(func(c cloudsim.Cloud) {
			if err := c.Restore([]byte(state)); err == nil {
				t.Errorf("%s: restored", name)
			}
		})
		if diff := cmp.Diff(before, w.state()); diff != "" {
			t.Errorf("%s: changed %s", name, diff)
		}
	}
}

// TestIDsAreNew: no id comes twice, not after a removal and not after a restore.
func TestIDsAreNew(t *testing.T) {
	const id = "ehpc-gk3wfc7e"
	w := newWorld(t, cloudsim.Options{}, mixed())
	seen := map[string]bool{}
	for range 3 {
		w.drift(cloudsim.Drift{Cluster: id, Group: "compute", Remove: 2})
		w.drift(cloudsim.Drift{Cluster: id, Group: "compute", Add: 2})
		saved, err := json.Marshal(w.state())
		if err != nil {
			t.Fatal(err)
		}
		w.restore(saved)
		nodes := computeIDs(w.state().Clusters[0])
		for _, n := range nodes[1:] {
			if seen[n] || n <= "cln-00000005" {
				t.Errorf("%s comes again", n)
			}
			seen[n] = true
		}
	}
}

func TestVersion(t *testing.T) {
	w := newWorld(t, cloudsim.Options{JobTime: time.Minute}, mixed())
	version := func() (v int) {
		w.sim.Cloud(func(c cloudsim.Cloud) { v = c.Version() })
		return v
	}
	last := version()
	step := func(what string, rises bool) {
		t.Helper()
		if now := version(); now > last != rises || now < last {
			t.Errorf("%s: version %d after %d", what, now, last)
		} else {
			last = now
		}
	}
	w.clusters(nil)
	step("a read", false)
	w.wantCode(w.resize(sizeBody("compute", "3", "12288")), 1101)
	step("a refused change", false)
	w.wantCode(w.resize(sizeBody("compute", "4", "12288")), 0)
	step("a job starts", true)
	w.clock.add(20 * time.Second)
	step("a node is done", true)
	w.clock.add(time.Second)
	step("a second later", false)
	w.clock.add(time.Minute)
	step("a job ends", true)
	w.drift(cloudsim.Drift{Cluster: "ehpc-gk3wfc7e", Set: map[string]any{"description": "x"}})
	step("drift", true)
	w.wantCode(w.create(ehpcBody("sim")), 0)
	step("a creation", true)
	w.clock.add(20 * time.Second)
	step("a stage", true)
	w.clock.add(time.Minute)
	step("it ends", true)
}

func computeIDs(cl *qingcloudsim.Cluster) (ids []string) {
	for _, n := range cl.Nodes {
		if n.Role == "compute" {
			ids = append(ids, n.NodeID)
		}
	}
	return ids
}
