package qingcloudsim_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// glimpse is a cluster at a moment: its status, then per node role, size,
// status and transition, then its job.
func (w *world) glimpse(id, job string) []string {
	w.Helper()
	var seen []string
	for _, cl := range w.clusters(map[string]string{"cluster_id": id}) {
		seen = append(seen, fmt.Sprintf("cluster %v, %v nodes", cl["cluster_status"], cl["total_node_count"]))
	}
	for _, n := range w.nodes(map[string]string{"cluster_id": id}) {
		seen = append(seen, fmt.Sprintf("%v %v/%v %v %v", n["role"], n["cpu"], n["memory"], n["status"], n["transition_status"]))
	}
	for _, j := range w.jobs(map[string]string{"job_ids": job}) {
		seen = append(seen, fmt.Sprintf("job %v %v", j["status"], j["error_codes"]))
	}
	return seen
}

// moment is what is seen after a time.
type moment struct {
	after time.Duration
	want  []string
}

func (w *world) watch(id, job string, moments []moment) {
	w.Helper()
	for _, m := range moments {
		w.clock.add(start.Add(m.after).Sub(w.clock.Now()))
		if diff := cmp.Diff(m.want, w.glimpse(id, job)); diff != "" {
			w.Errorf("after %s: %s", m.after, diff)
		}
	}
}

func TestCreateOverTime(t *testing.T) {
	making := []string{"login 2/4096 pending creating", "controller 2/4096 pending creating", "compute 4/12288 pending creating", "compute 4/12288 pending creating"}
	stage := func(status string) []string {
		return append(append([]string{"cluster " + status + ", 4 nodes"}, making...), "job pending ")
	}
	building := []moment{
		{0, stage("creating")},
		{99 * time.Second, stage("creating")},
		{100 * time.Second, stage("installing")},
		{200 * time.Second, stage("initialising")},
		{299 * time.Second, stage("initialising")},
	}
	tests := []struct {
		name, fault string
		end         []string
	}{
		{"done", "", []string{
			"cluster active, 4 nodes", "login 2/4096 active ", "controller 2/4096 active ",
			"compute 4/12288 active ", "compute 4/12288 active ", "job successful ",
		}},
		{"failed", cloudsim.JobFails, []string{"job failed 5000"}},
		{"partial", cloudsim.JobPartial, []string{
			"cluster abnormal, 2 nodes", "login 2/4096 active ", "controller 2/4096 active ", "job failed 5000",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, cloudsim.Options{JobTime: 5 * time.Minute}, nil)
			if tt.fault != "" {
				w.inject(cloudsim.Fault{Kind: tt.fault, Call: "createCluster"})
			}
			r := w.create(ehpcBody("sim"))
			w.wantCode(r, 0)
			w.watch(r.body["hpc_cluster_id"].(string), r.body["job_id"].(string), append(building, moment{5 * time.Minute, tt.end}))
		})
	}
}

func TestResizeOverTime(t *testing.T) {
	const others = 2 // login and controller
	view := func(job string, compute ...string) []string {
		seen := []string{"cluster active, 5 nodes", "login 1/2048 active ", "controller 2/4096 active "}
		for _, n := range compute {
			seen = append(seen, "compute "+n)
		}
		return append(seen, "job "+job)
	}
	const waits, done = "2/4096 active resizing", "4/12288 active updating"
	tests := []struct {
		name, fault string
		moments     []moment
	}{
		{"done", "", []moment{
			{0, view("pending ", waits, waits, waits)},
			{29 * time.Second, view("pending ", waits, waits, waits)},
			{30 * time.Second, view("pending ", done, waits, waits)},
			{60 * time.Second, view("pending ", done, done, waits)},
			{90 * time.Second, view("successful ", "4/12288 active ", "4/12288 active ", "4/12288 active ")},
		}},
		{"failed", cloudsim.JobFails, []moment{
			{60 * time.Second, view("pending ", waits, waits, waits)},
			{90 * time.Second, view("failed 5000", "2/4096 active ", "2/4096 active ", "2/4096 active ")},
		}},
		{"partial", cloudsim.JobPartial, []moment{
			{30 * time.Second, view("pending ", done, waits, waits)},
			{60 * time.Second, view("pending ", done, waits, waits)},
			{90 * time.Second, view("failed 5000", "4/12288 active ", "2/4096 active ", "2/4096 active ")},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, cloudsim.Options{JobTime: 90 * time.Second}, mixed())
			if tt.fault != "" {
				w.inject(cloudsim.Fault{Kind: tt.fault, Cluster: "ehpc-gk3wfc7e"})
			}
			r := w.resize(sizeBody("compute", "4", "12288"))
			w.wantCode(r, 0)
			w.watch("ehpc-gk3wfc7e", r.body["job_id"].(string), tt.moments)
			if got := len(w.state().Clusters[0].Nodes); got != others+3 {
				t.Errorf("%d nodes", got)
			}
		})
	}
}

func TestResizeStorage(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, mixed())
	storage := func() []any {
		return column(w.nodes(map[string]string{"cluster_id": "ehpc-gk3wfc7e", "node_role": "compute"}), "storage_size")
	}
	w.wantCode(w.resize(with(sizeBody("compute", "4", "12288"), "100", "storage_size")), 0)
	if diff := cmp.Diff([]any{100.0, 100.0, 100.0}, storage()); diff != "" {
		t.Error(diff)
	}
	w.wantCode(w.resize(sizeBody("compute", "8", "24576")), 0)
	if diff := cmp.Diff([]any{100.0, 100.0, 100.0}, storage()); diff != "" {
		t.Errorf("a resize without storage_size: %s", diff)
	}
}

// TestJobsAtOnce: without a job time the next request sees the effect.
func TestJobsAtOnce(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, nil)
	id := w.create(ehpcBody("sim")).body["hpc_cluster_id"].(string)
	w.wantCode(w.resize(with(sizeBody("compute", "8", "24576"), id, "cluster_id")), 0)
	want := []any{8.0, 8.0}
	if diff := cmp.Diff(want, column(w.nodes(map[string]string{"cluster_id": id, "node_role": "compute"}), "cpu")); diff != "" {
		t.Error(diff)
	}
}

// TestRestoreMidJob: a job goes on in another process as it would have here.
func TestRestoreMidJob(t *testing.T) {
	opts := cloudsim.Options{JobTime: 90 * time.Second}
	here := newWorld(t, opts, mixed())
	here.wantCode(here.create(ehpcBody("sim")), 0)
	here.inject(cloudsim.Fault{Kind: cloudsim.JobPartial})
	here.wantCode(here.resize(sizeBody("compute", "4", "12288")), 0)
	here.clock.add(30 * time.Second)
	saved, err := json.Marshal(here.state())
	if err != nil {
		t.Fatal(err)
	}
	there := newWorld(t, opts, saved)
	there.clock.add(30 * time.Second)
	if diff := cmp.Diff(here.state(), there.state()); diff != "" {
		t.Fatalf("restored: %s", diff)
	}
	there.wantCode(there.resize(sizeBody("login", "2", "4096")), 1400)
	for _, w := range []*world{here, there} {
		w.clock.add(time.Minute)
	}
	got, want := there.state(), here.state()
	got.Requests = want.Requests // the refused resize counted
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a minute later: %s", diff)
	}
	if got.Jobs[0].Status != "successful" || got.Jobs[1].Status != "failed" {
		t.Errorf("jobs ended %s and %s", got.Jobs[0].Status, got.Jobs[1].Status)
	}
}
