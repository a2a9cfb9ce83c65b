package huaweisim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/google/go-cmp/cmp"
)

// What a reader sees of a cluster at one moment.
type moment struct{ At, State, Scale, Stage, Core, Total string }

func (s *sim) watch(times ...time.Duration) []moment {
	s.t.Helper()
	start := s.now
	var seen []moment
	for _, at := range times {
		s.now = start.Add(at)
		d := s.detail(analytics)
		seen = append(seen, moment{at.String(), d.ClusterState, d.Scale, d.StageDesc, d.CoreNodeNum, d.TotalNodeNum})
	}
	return seen
}

func TestScaleOutOverTime(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	checkResize(t, s, resize("scale_out", "core", 2), "")
	got := s.watch(0, 2*time.Minute, 4*time.Minute, 6*time.Minute, 8*time.Minute-time.Second, 8*time.Minute)
	want := []moment{
		{"0s", "scaling-out", "scaling-out", "Preparing for cluster expansion", "3", "17"},
		{"2m0s", "scaling-out", "scaling-out", "Creating VM", "3", "17"},
		{"4m0s", "scaling-out", "scaling-out", "Initializing VM", "3", "17"},
		{"6m0s", "scaling-out", "scaling-out", "Adding node to the cluster", "3", "17"},
		{"7m59s", "scaling-out", "scaling-out", "Adding node to the cluster", "3", "17"},
		{"8m0s", "running", "", "", "5", "19"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	hs := s.hosts(analytics)
	if len(hs) != 19 {
		t.Fatalf("%d hosts", len(hs))
	}
	added := hs[5:7] // after 2 Master and 3 Core
	want2 := []hostView{
		{"0000a000-0000-4000-8000-000000000018", "0000b000-0000-4000-8000-000000000018", "node-orderadd-00018.com", "Core", "core_node_analysis_group", "16", "32768", "ACTIVE"},
		{"0000a000-0000-4000-8000-000000000019", "0000b000-0000-4000-8000-000000000019", "node-orderadd-00019.com", "Core", "core_node_analysis_group", "16", "32768", "ACTIVE"},
	}
	if diff := cmp.Diff(want2, added); diff != "" {
		t.Error(diff)
	}
}

func TestScaleInOverTime(t *testing.T) {
	s := newSim(t, fleet(5, 0, ""))
	checkResize(t, s, resize("scale_in", "core", 2), "")
	got := s.watch(0, 2*time.Minute, 4*time.Minute, 6*time.Minute, 8*time.Minute)
	want := []moment{
		{"0s", "scaling-in", "scaling-in", "Preparing for cluster shrink", "5", "7"},
		{"2m0s", "scaling-in", "scaling-in", "Decommissioning instance", "5", "7"},
		{"4m0s", "scaling-in", "scaling-in", "Deleting VM", "5", "7"},
		{"6m0s", "scaling-in", "scaling-in", "Deleting node from the cluster", "5", "7"},
		{"8m0s", "running", "", "", "3", "5"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJobAtOnce(t *testing.T) {
	s := newSim(t, fleet(3, 0, ""), func(o *cloudsim.Options) { o.JobTime = 0 })
	if got := s.put(analytics, resize("scale_out", "core", 1)); got.status != 200 {
		t.Fatal(got.body)
	}
	if d := s.detail(analytics); d.ClusterState != "running" || d.CoreNodeNum != "4" {
		t.Errorf("%+v", d)
	}
}

// A job ends when it ends, not when somebody looks.
func TestEndIsIndependentOfReads(t *testing.T) {
	s := newSim(t, fleet(3, 0, ""))
	checkResize(t, s, resize("scale_out", "core", 1), "")
	s.pass(24 * time.Hour)
	if got, want := s.detail(analytics).UpdateAt, "1795219680"; got != want {
		t.Errorf("updateAt %s, want %s", got, want)
	}
	log := s.server.Log().Entries()
	if last := log[len(log)-1]; !last.Time.Equal(time.Date(2026, 11, 21, 0, 8, 0, 0, time.UTC)) {
		t.Errorf("logged at %v", last.Time)
	}
}

// Jobs of several clusters end in order of time, and number their hosts so.
func TestJobsOfSeveralClusters(t *testing.T) {
	s := newSim(t, string(huaweisim.Fleet(3)))
	id := func(i string) string { return "00000000-0000-4000-8000-00000000000" + i }
	for _, i := range []string{"3", "1", "2"} {
		if got := s.put(id(i), resize("scale_out", "task", 1)); got.status != 200 {
			t.Fatal(got.body)
		}
		s.pass(time.Minute)
	}
	s.pass(jobTime)
	var ended []string
	s.detail(id("1"))
	for _, e := range s.server.Log().Entries() {
		if e.Event == "added" {
			ended = append(ended, e.Cluster[len(e.Cluster)-1:]+" "+e.Nodes[0][30:])
		}
	}
	if want := []string{"3 000022", "1 000023", "2 000024"}; !slices.Equal(ended, want) {
		t.Errorf("ended %q, want %q", ended, want)
	}
}

func taskIDs(s *sim) []string {
	var ids []string
	for _, h := range s.hosts(analytics) {
		if h.Type == "Task" {
			ids = append(ids, h.ID)
		}
	}
	return ids
}

func TestNamedAndUnnamedScaleIn(t *testing.T) {
	s := newSim(t, fleet(3, 6, ""))
	ids := taskIDs(s)
	// Named, out of order and not side by side.
	checkResize(t, s, resize("scale_in", "task", 3, `"server_ids":["`+ids[4]+`","`+ids[0]+`","`+ids[2]+`"]`), "")
	s.pass(jobTime)
	if got, want := taskIDs(s), []string{ids[1], ids[3], ids[5]}; !slices.Equal(got, want) {
		t.Fatalf("left %q, want %q", got, want)
	}
	// Unnamed: the youngest.
	checkResize(t, s, resize("scale_in", "task", 2), "")
	s.pass(jobTime)
	if got, want := taskIDs(s), ids[1:2]; !slices.Equal(got, want) {
		t.Fatalf("left %q, want %q", got, want)
	}
	// A number is never given again.
	checkResize(t, s, resize("scale_out", "task", 1), "")
	s.pass(jobTime)
	if got := taskIDs(s); len(got) != 2 || slices.Contains(ids, got[1]) {
		t.Errorf("got %q, which reuses one of %q", got, ids)
	}
}

func TestTaskToZeroAndBack(t *testing.T) {
	for _, drop := range []bool{false, true} {
		more := []string{}
		groups := 1
		if drop {
			more, groups = []string{`"dropEmptyGroups":true`}, 0
		}
		s := newSim(t, fleet(3, 1, "", more...))
		checkResize(t, s, resize("scale_in", "task", 1), "")
		s.pass(jobTime)
		d := s.detail(analytics)
		if len(d.TaskNodeGroups) != groups || len(d.NodeGroups) != 2+groups || d.TotalNodeNum != "5" {
			t.Errorf("drop %t: %+v", drop, d)
		}
		checkResize(t, s, resize("scale_out", "task", 1), "12000002")
		checkResize(t, s, resize("scale_out", "task", 2, info), "")
		s.pass(jobTime)
		want := []groupView{{GroupName: "task_node_default_group", NodeSize: "s3.xlarge.2.linux.bigdata",
			DataVolumeType: "SATA", NodeNum: 2, DataVolumeCount: 2, DataVolumeSize: 200}}
		if diff := cmp.Diff(want, s.detail(analytics).TaskNodeGroups); diff != "" {
			t.Errorf("drop %t: %s", drop, diff)
		}
		if h := s.hosts(analytics)[5]; h.CPU != "4" || h.Mem != "8192" {
			t.Errorf("drop %t: %+v", drop, h)
		}
	}
}

func TestTaskGroupOfStreamingCluster(t *testing.T) {
	s := newSim(t, fleet(3, 0, `"clusterType":1`, `"hostTypes":"group"`))
	checkResize(t, s, resize("scale_out", "task", 1, task(size)), "")
	s.pass(jobTime)
	h := s.hosts(analytics)[5]
	if h.Group != "task_node_streaming_group" || h.Type != "Streaming_Task" {
		t.Errorf("%+v", h)
	}
	want := []groupView{{GroupName: "task_node_default_group", NodeSize: "s3.xlarge.2.linux.bigdata",
		DataVolumeType: "SATA", NodeNum: 1, DataVolumeCount: 1, DataVolumeSize: 100}}
	if diff := cmp.Diff(want, s.detail(analytics).TaskNodeGroups); diff != "" {
		t.Error(diff)
	}
}

// A mixed cluster has two groups of each role; node_group means the first, and
// limits count both.
func TestMixedCluster(t *testing.T) {
	group := func(name string, n string) string { return `{"groupName":"` + name + `","nodeNum":` + n + `}` }
	state := `{"clusters":[{"clusterId":"` + analytics + `","clusterName":"mixed","clusterType":2,"groups":[` + strings.Join([]string{
		group("core_node_analysis_group", "2"), group("core_node_streaming_group", "3"),
		group("task_node_analysis_group", "1"), group("task_node_streaming_group", "2"),
	}, ",") + `]}]}`
	s := newSim(t, state)
	d := s.detail(analytics)
	if d.CoreNodeNum != "5" || d.TotalNodeNum != "8" || d.MasterNodeNum != "0" || len(d.TaskNodeGroups) != 2 ||
		d.TaskNodeGroups[1].GroupName != "task_node_streaming_group" {
		t.Errorf("%+v", d)
	}
	checkResize(t, s, resize("scale_out", "core", 493), "12000028")
	checkResize(t, s, resize("scale_in", "task", 2), "12000013") // the first group has 1
	ids := taskIDs(s)
	checkResize(t, s, resize("scale_in", "task", 2, `"server_ids":["`+ids[1]+`","`+ids[2]+`"]`), "")
	s.pass(jobTime)
	checkResize(t, s, resize("scale_in", "core", 2), "")
	s.pass(jobTime)
	var counts []int
	for _, g := range s.detail(analytics).NodeGroups {
		counts = append(counts, g.NodeNum)
	}
	if want := []int{0, 3, 1, 0}; !slices.Equal(counts, want) {
		t.Errorf("counts %v, want %v", counts, want)
	}
}

func TestFailedJobs(t *testing.T) {
	const ecs = "(MRS.201) An ECS error occurred. (ECS:0319, insufficient resources)"
	tests := []struct {
		name              string
		fault             cloudsim.Fault
		scaleType, group  string
		n                 int
		core, total       string
		stageDesc, reason string
	}{
		{"out fails", cloudsim.Fault{Kind: cloudsim.JobFails}, "scale_out", "core", 3, "5", "13", "Cluster expansion failed " + ecs, ecs},
		{"out is partial", cloudsim.Fault{Kind: cloudsim.JobPartial}, "scale_out", "core", 3, "6", "14", "Cluster expansion failed " + ecs, ecs},
		{"in fails", cloudsim.Fault{Kind: cloudsim.JobFails, Code: "MRS.300"}, "scale_in", "core", 2, "5", "13",
			"Cluster shrink failed (MRS.300) An internal MRS error occurred; try again later.", "(MRS.300) An internal MRS error occurred; try again later."},
		{"in is partial", cloudsim.Fault{Kind: cloudsim.JobPartial, Code: "MRS.105"}, "scale_in", "task", 5, "5", "11",
			"Cluster shrink failed (MRS.105) The subnet has too few IP addresses.", "(MRS.105) The subnet has too few IP addresses."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSim(t, fleet(5, 6, ""))
			s.inject(tt.fault)
			body := resize(tt.scaleType, tt.group, tt.n)
			checkResize(t, s, body, "")
			s.pass(jobTime)
			d := s.detail(analytics)
			if d.ClusterState != "running" || d.Scale != "scaling-error" || d.StageDesc != tt.stageDesc || d.ErrorInfo != tt.reason ||
				d.CoreNodeNum != tt.core || d.TotalNodeNum != tt.total {
				t.Errorf("%+v", d)
			}
			if got := s.get(hosts); decode[struct{ Total int }](t, got).Total != len(s.hosts(analytics)) {
				t.Errorf("hosts %s", got.body)
			}
			// The next one is taken, and clears the marks.
			checkResize(t, s, resize("scale_out", "core", 1), "")
			if d := s.detail(analytics); d.ErrorInfo != "" || d.StageDesc != "Preparing for cluster expansion" {
				t.Errorf("%+v", d)
			}
			s.pass(jobTime)
			if d := s.detail(analytics); d.Scale != "" || d.StageDesc != "" {
				t.Errorf("%+v", d)
			}
		})
	}
}

// A named scale-in that stops half way has removed the first half of its names.
func TestPartialNamedScaleIn(t *testing.T) {
	s := newSim(t, fleet(3, 4, ""))
	ids := taskIDs(s)
	s.inject(cloudsim.Fault{Kind: cloudsim.JobPartial})
	checkResize(t, s, resize("scale_in", "task", 2, `"server_ids":["`+ids[1]+`","`+ids[2]+`"]`), "")
	s.pass(jobTime)
	if got, want := taskIDs(s), []string{ids[0], ids[2], ids[3]}; !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
}
