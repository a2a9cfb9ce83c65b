package qingcloudsim_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// TestFaults: what each fault answers, and whether the change happened.
func TestFaults(t *testing.T) {
	const lost = -2 // no answer
	tests := []struct {
		name   string
		fault  cloudsim.Fault
		status int
		code   int
		jobs   int
	}{
		{"none", cloudsim.Fault{Kind: cloudsim.Throttle, Call: "createCluster"}, 200, 0, 1},
		{"drop before", cloudsim.Fault{Kind: cloudsim.DropBefore}, 0, lost, 0},
		{"drop after", cloudsim.Fault{Kind: cloudsim.DropAfter}, 0, lost, 1},
		{"throttle", cloudsim.Fault{Kind: cloudsim.Throttle}, 200, 2500, 0},
		{"throttle with another code", cloudsim.Fault{Kind: cloudsim.Throttle, Code: "5100"}, 200, 5100, 0},
		{"throttle with a status", cloudsim.Fault{Kind: cloudsim.Throttle, Status: 429}, 429, 2500, 0},
		{"error before", cloudsim.Fault{Kind: cloudsim.ErrorBefore}, 500, 5000, 0},
		{"error after", cloudsim.Fault{Kind: cloudsim.ErrorAfter}, 500, 5000, 1},
		{"unavailable", cloudsim.Fault{Kind: cloudsim.ErrorBefore, Status: 503}, 503, 5100, 0},
		{"bad gateway after", cloudsim.Fault{Kind: cloudsim.ErrorAfter, Status: 502}, 502, 5000, 1},
		{"the cloud's 5000 before", cloudsim.Fault{Kind: cloudsim.ErrorBefore, Code: "5000"}, 200, 5000, 0},
		{"the cloud's 5000 after", cloudsim.Fault{Kind: cloudsim.ErrorAfter, Code: "5000"}, 200, 5000, 1},
		{"no balance", cloudsim.Fault{Kind: cloudsim.ErrorBefore, Code: "2400"}, 200, 2400, 0},
		{"no capacity", cloudsim.Fault{Kind: cloudsim.ErrorBefore, Code: "5200"}, 200, 5200, 0},
		{"garbage", cloudsim.Fault{Kind: cloudsim.Garbage}, 200, -1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, cloudsim.Options{JobTime: time.Minute}, mixed())
			w.inject(tt.fault)
			r := w.resize(sizeBody("compute", "4", "12288"))
			if tt.code == lost {
				if r.err == nil {
					t.Errorf("answered %s", r.text)
				}
			} else if r.err != nil || r.status != tt.status || r.code() != tt.code {
				t.Errorf("got HTTP %d, ret_code %d, %v", r.status, r.code(), r.err)
			}
			if tt.code > 0 && r.header.Get("Date") != start.Format(http.TimeFormat) {
				t.Errorf("Date %q", r.header.Get("Date"))
			}
			if got := len(w.state().Jobs); got != tt.jobs {
				t.Errorf("%d jobs, want %d", got, tt.jobs)
			}
		})
	}
}

// TestHeld: a request held back lands late, unless its signature is too old by
// then.
func TestHeld(t *testing.T) {
	for _, tt := range []struct {
		delay time.Duration
		jobs  int
		code  string
	}{{60 * time.Second, 1, ""}, {61 * time.Second, 0, "1300"}} {
		w := newWorld(t, cloudsim.Options{JobTime: time.Hour}, mixed())
		w.inject(cloudsim.Fault{Kind: cloudsim.Hold, Delay: tt.delay})
		if r := w.resize(sizeBody("compute", "4", "12288")); r.err == nil {
			t.Fatalf("answered %s", r.text)
		}
		w.clock.add(tt.delay - time.Second)
		w.sim.Release()
		if got := len(w.state().Jobs); got != 0 {
			t.Errorf("held %s: %d jobs before", tt.delay, got)
		}
		w.clock.add(time.Second)
		w.sim.Release()
		if got := len(w.state().Jobs); got != tt.jobs {
			t.Errorf("held %s: %d jobs, want %d", tt.delay, got, tt.jobs)
		}
		if log := w.sim.Log().Entries(); len(log) != 1 || log[0].Code != tt.code || log[0].Fault != cloudsim.Hold {
			t.Errorf("held %s: log %+v", tt.delay, log)
		}
	}
}

// TestStale: reads may come from the past, jobs of that time included.
func TestStale(t *testing.T) {
	w := newWorld(t, cloudsim.Options{JobTime: 90 * time.Second, History: 10}, mixed())
	cpu := func() []any {
		return column(w.nodes(map[string]string{"cluster_id": "ehpc-gk3wfc7e", "node_role": "compute"}), "cpu")
	}
	stale := func(back time.Duration) []any {
		w.inject(cloudsim.Fault{Kind: cloudsim.Stale, Call: "listNodes", Delay: back})
		return cpu()
	}
	w.clock.add(time.Minute)
	w.wantCode(w.resize(sizeBody("compute", "4", "12288")), 0)
	w.clock.add(2 * time.Minute)
	for _, tt := range []struct {
		back time.Duration
		want []any
	}{
		{150 * time.Second, []any{2.0, 2.0, 2.0}}, // before the resize
		{85 * time.Second, []any{4.0, 2.0, 2.0}},  // 35 s into it
		{30 * time.Second, []any{4.0, 4.0, 4.0}},
	} {
		if diff := cmp.Diff(tt.want, stale(tt.back)); diff != "" {
			t.Errorf("%s ago: %s", tt.back, diff)
		}
	}
	if diff := cmp.Diff([]any{4.0, 4.0, 4.0}, cpu()); diff != "" {
		t.Errorf("now: %s", diff)
	}
	if got := len(w.state().Jobs); got != 1 {
		t.Errorf("%d jobs", got)
	}
}

func TestDrift(t *testing.T) {
	const id = "ehpc-gk3wfc7e"
	tests := []struct {
		name  string
		drift cloudsim.Drift
		want  []string // the nodes after, as "role cpu"
		nodes []string // of the log's line
	}{
		{"add", cloudsim.Drift{Cluster: id, Group: "compute", Add: 2}, []string{"login 1", "controller 2", "compute 2", "compute 2", "compute 2", "compute 2", "compute 2"}, []string{"cln-00000006", "cln-00000007"}},
		{"remove the newest", cloudsim.Drift{Cluster: id, Group: "compute", Remove: 2}, []string{"login 1", "controller 2", "compute 2"}, []string{"cln-00000004", "cln-00000005"}},
		{"resize", cloudsim.Drift{Cluster: id, Group: "login", Set: map[string]any{"cpu": 8, "memory": 24576}}, []string{"login 8", "controller 2", "compute 2", "compute 2", "compute 2"}, []string{"cln-00000001"}},
		{"rename", cloudsim.Drift{Cluster: id, Set: map[string]any{"cluster_name": "other"}}, []string{"login 1", "controller 2", "compute 2", "compute 2", "compute 2"}, nil},
		{"delete", cloudsim.Drift{Cluster: id, Delete: true}, nil, []string{"cln-00000001", "cln-00000002", "cln-00000003", "cln-00000004", "cln-00000005"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, cloudsim.Options{}, mixed())
			w.drift(tt.drift)
			var got []string
			for _, cl := range w.clusters(nil) {
				for _, n := range w.nodes(map[string]string{"cluster_id": cl["cluster_id"].(string)}) {
					got = append(got, fmt.Sprint(n["role"], " ", n["cpu"]))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			log := w.sim.Log().Entries()
			if len(log) != 1 || log[0].Event != "drift" || !cmp.Equal(log[0].Nodes, tt.nodes) {
				t.Errorf("log %+v", log)
			}
		})
	}
}

func TestDriftRefused(t *testing.T) {
	const id = "ehpc-gk3wfc7e"
	for name, d := range map[string]cloudsim.Drift{
		"unknown cluster": {Cluster: "ehpc-none", Delete: true},
		"no group":        {Cluster: id, Add: 1},
		"unknown group":   {Cluster: id, Group: "gpu", Add: 1},
		"too many":        {Cluster: id, Group: "compute", Remove: 4},
		"negative":        {Cluster: id, Group: "compute", Add: -1},
		"unknown field":   {Cluster: id, Set: map[string]any{"color": "red"}},
		"wrong type":      {Cluster: id, Group: "compute", Remove: 1, Set: map[string]any{"cpu": "eight"}},
		"the id":          {Cluster: id, Set: map[string]any{"cluster_id": "ehpc-2"}},
		"a node's role":   {Cluster: id, Group: "compute", Set: map[string]any{"role": "login"}},
		"all nodes":       {Cluster: id, Set: map[string]any{"nodes": []any{}}},
	} {
		w := newWorld(t, cloudsim.Options{}, mixed())
		before := w.state()
		w.sim.Cloud(func(c cloudsim.Cloud) {
			if err := c.Drift(d); err == nil {
				t.Errorf("%s: done", name)
			}
		})
		if diff := cmp.Diff(before, w.state()); diff != "" {
			t.Errorf("%s: changed %s", name, diff)
		}
		if log := w.sim.Log().Entries(); len(log) != 0 {
			t.Errorf("%s: logged %+v", name, log)
		}
	}
}

// TestDriftDuringJob: a job whose cluster or node goes away does not stumble,
// and what came from outside is not the job's.
func TestDriftDuringJob(t *testing.T) {
	const id = "ehpc-gk3wfc7e"
	w := newWorld(t, cloudsim.Options{JobTime: time.Minute}, mixed())
	w.wantCode(w.resize(sizeBody("compute", "4", "12288")), 0)
	w.drift(cloudsim.Drift{Cluster: id, Group: "compute", Remove: 1, Add: 1})
	w.clock.add(time.Minute)
	want := []any{4.0, 4.0, 2.0}
	if diff := cmp.Diff(want, column(w.nodes(map[string]string{"cluster_id": id, "node_role": "compute"}), "cpu")); diff != "" {
		t.Error(diff)
	}
	log := w.sim.Log().Entries()
	if last := log[len(log)-1]; last.Event != "resized" || !cmp.Equal(last.Nodes, []string{"cln-00000003", "cln-00000004"}) {
		t.Errorf("log ends %+v", last)
	}

	w.wantCode(w.resize(sizeBody("compute", "8", "24576")), 0)
	w.drift(cloudsim.Drift{Cluster: id, Delete: true})
	jobs := w.jobs(map[string]string{"resource_ids": id, "reverse": "1"})
	if jobs[0]["status"] != "failed" || jobs[0]["error_codes"] != "2100" {
		t.Errorf("job of a deleted cluster: %v", jobs[0])
	}
	w.wantCode(w.resize(sizeBody("compute", "8", "24576")), 2100)
}

// TestDriftMoves: a cluster that changes hands is listed at its new place.
func TestDriftMoves(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, qingcloudsim.Example())
	w.drift(cloudsim.Drift{Cluster: "hpc-gk3wfc7e", Set: map[string]any{"owner": "usr-new"}})
	if got := w.clusters(nil); len(got) != 0 {
		t.Errorf("still at its old place: %v", got)
	}
	if got := w.clusters(map[string]string{"owner": "usr-new"}); len(got) != 1 {
		t.Errorf("not at its new place")
	}
}
