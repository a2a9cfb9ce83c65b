package aliyunsim

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

func (b *bed) state() []byte {
	b.t.Helper()
	var data []byte
	var err error
	b.sim.Cloud(func(c cloudsim.Cloud) { data, err = c.State() })
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// A state taken at any moment of a job and put into another simulator ends as
// the first one does.
func TestRestoreMidJob(t *testing.T) {
	for _, at := range []time.Duration{0, 20 * time.Second, 30 * time.Second, 59 * time.Second, time.Minute} {
		b := newBed(t, Example(), cloudsim.Options{JobTime: time.Minute})
		b.inject(cloudsim.Fault{Kind: cloudsim.JobPartial})
		task := b.scale(edgeID, 3, nil).body["task_id"].(string)
		b.clock.move(at)
		saved := b.state()
		other := newBed(t, saved, cloudsim.Options{JobTime: time.Hour})
		other.clock.move(at)
		if diff := cmp.Diff(string(saved), string(other.state())); diff != "" {
			t.Errorf("at %v the state changes on its way\n%s", at, diff)
		}
		b.clock.move(time.Minute)
		other.clock.move(time.Minute)
		want := b.glance(edgeID, task)
		if diff := cmp.Diff(want, other.glance(edgeID, task)); diff != "" || want.Workers != 3 || want.Task != "failed" {
			t.Errorf("at %v: %+v (-want +got)\n%s", at, want, diff)
		}
		if a := other.scale(edgeID, 1, nil); a.body["task_id"] != "T-000000000000000000000002" {
			t.Errorf("at %v the next task is %s", at, a.raw)
		}
	}
}

func TestRestore(t *testing.T) {
	b := newBed(t, []byte(`{"clusters": [{"cluster_id": "c1", "kind": "edge", "nodes": [
		{"instance_id": "i-mine"}, {}, {"instance_id": "i-2ze00000000000000041", "ip": "10.9.9.9", "instance_role": "Master"}, {}],
		"cluster_tasks": [{"task_id": "T-00000000000000000000000f", "task_type": "cluster_scaleout", "state": "success"}]}]}`), cloudsim.Options{})
	a := b.get("DescribeClusterNodes", "/clusters/c1/nodes")
	want := []any{"i-mine", "i-2ze00000000000000043", "i-2ze00000000000000041", "i-2ze00000000000000044"}
	if diff := cmp.Diff(want, column(a, "nodes", "instance_id")); diff != "" {
		t.Errorf("ids (-want +got)\n%s", diff)
	}
	wantNames := []any{"cn-beijing.10.0.0.42", "cn-beijing.10.0.0.43", "cn-beijing.10.9.9.9", "cn-beijing.10.0.0.44"}
	if diff := cmp.Diff(wantNames, column(a, "nodes", "node_name")); diff != "" {
		t.Errorf("names (-want +got)\n%s", diff)
	}
	// Ids written by hand push the counters: none comes twice.
	if a := b.do("POST", "ScaleOutCluster", "/api/v2/clusters/c1", scaleBody(edgeID, 1, nil)); a.body["task_id"] != "T-000000000000000000000010" {
		t.Errorf("next task: %s", a.raw)
	}
	before := string(b.state())
	for name, bad := range map[string]string{
		"no JSON":            `{`,
		"misspelt member":    `{"cluster": []}`,
		"no id":              `{"clusters": [{"kind": "edge"}]}`,
		"null cluster":       `{"clusters": [null]}`,
		"no kind":            `{"clusters": [{"cluster_id": "c1"}]}`,
		"twice":              `{"clusters": [{"cluster_id": "c1", "kind": "edge"}, {"cluster_id": "c1", "kind": "edge"}]}`,
		"null node":          `{"clusters": [{"cluster_id": "c1", "kind": "edge", "nodes": [null]}]}`,
		"node twice":         `{"clusters": [{"cluster_id": "c1", "kind": "edge", "nodes": [{"instance_id": "i"}, {"instance_id": "i"}]}]}`,
		"task without an id": `{"clusters": [{"cluster_id": "c1", "kind": "edge", "cluster_tasks": [{}]}]}`,
		"null task":          `{"clusters": [{"cluster_id": "c1", "kind": "edge", "cluster_tasks": [null]}]}`,
		"task twice":         `{"clusters": [{"cluster_id": "c1", "kind": "edge", "cluster_tasks": [{"task_id": "t"}, {"task_id": "t"}]}]}`,
	} {
		b.sim.Cloud(func(c cloudsim.Cloud) {
			if err := c.Restore([]byte(bad)); err == nil {
				t.Errorf("%s was taken", name)
			}
		})
	}
	if diff := cmp.Diff(before, string(b.state())); diff != "" {
		t.Errorf("a refused state changed something\n%s", diff)
	}
}

// Reads change no state: they cost no snapshot and no write.
func TestVersion(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{JobTime: time.Minute})
	version := func() (v int) {
		b.sim.Cloud(func(c cloudsim.Cloud) { v = c.Version() })
		return v
	}
	step := func(what string, moves bool, do func()) {
		t.Helper()
		before := version()
		do()
		if (version() > before) != moves {
			t.Errorf("%s: version %d after %d", what, version(), before)
		}
	}
	step("a read", false, func() { b.get("DescribeClustersV1", "/api/v1/clusters") })
	step("a refused write", false, func() { b.scale(edgeID, 0, nil) })
	step("a write", true, func() { b.scale(edgeID, 1, nil) })
	step("a job's middle", true, func() { b.clock.move(30 * time.Second); b.get("DescribeClustersV1", "/api/v1/clusters") })
	step("a job's end", true, func() { b.clock.move(30 * time.Second); b.get("DescribeClustersV1", "/api/v1/clusters") })
	step("a drift", true, func() {
		b.sim.Cloud(func(c cloudsim.Cloud) {
			if err := c.Drift(cloudsim.Drift{Cluster: edgeID, Add: 1}); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestFleet(t *testing.T) {
	if diff := cmp.Diff(string(Fleet(20)), string(Fleet(20))); diff != "" {
		t.Error(diff)
	}
	b := newBed(t, Fleet(3), cloudsim.Options{})
	a := b.get("DescribeClustersV1", "/api/v1/clusters")
	for name, want := range map[string][]any{
		"cluster_id": {"c00000000000000000000000000000000", "c00000000000000000000000000000001", "c00000000000000000000000000000002"},
		"name":       {"c00000", "c00001", "c00002"},
		"profile":    {"Default", "Edge", "Default"},
		"size":       {2.0, 2.0, 2.0},
	} {
		if diff := cmp.Diff(want, column(a, "clusters", name)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	types := column(b.get("DescribeClusterNodes", "/clusters/c00000000000000000000000000000000/nodes"), "nodes", "instance_type")
	if diff := cmp.Diff([]any{"ecs.ebmg5s.24xlarge", "ecs.ebmg5s.24xlarge"}, types); diff != "" {
		t.Error(diff)
	}
}
