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

// A state taken in the middle of a job goes on elsewhere as if nothing had
// happened: stages, end, ids.
func TestRestoreInTheMiddleOfAJob(t *testing.T) {
	for _, name := range []string{"out", "named in", "fails"} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, fleet(3, 4, ""))
			body := resize("scale_out", "core", 2)
			if name == "named in" {
				ids := taskIDs(s)
				body = resize("scale_in", "task", 2, `"server_ids":["`+ids[0]+`","`+ids[2]+`"]`)
			}
			if name == "fails" {
				s.inject(cloudsim.Fault{Kind: cloudsim.JobPartial})
			}
			checkResize(t, s, body, "")
			s.pass(3 * time.Minute)
			saved := s.state()
			other := newSim(t, saved)
			other.now = s.now
			if got := other.state(); got != saved {
				t.Fatalf("written anew as\n%s, want\n%s", got, saved)
			}
			for _, at := range []time.Duration{0, 2 * time.Minute, 3 * time.Minute} {
				s.pass(at)
				other.pass(at)
				if diff := cmp.Diff(s.detail(analytics), other.detail(analytics)); diff != "" {
					t.Errorf("after %v: %s", at, diff)
				}
			}
			if diff := cmp.Diff(s.hosts(analytics), other.hosts(analytics)); diff != "" {
				t.Error(diff)
			}
			if d := other.detail(analytics); d.ClusterState != "running" {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestNewIsEmpty(t *testing.T) {
	s := newSim(t, `{}`)
	if got := s.get(infos); got.body != `{"clusterTotal":0,"clusters":[]}` {
		t.Error(got.body)
	}
	empty := huaweisim.New(cloudsim.Options{Now: func() time.Time { return s.now }})
	s.server = empty
	if got := s.get(infos); got.body != `{"clusterTotal":0,"clusters":[]}` {
		t.Error(got.body)
	}
}

func TestRestoreRefuses(t *testing.T) {
	cluster := func(members string) string {
		return `{"clusters":[{"clusterId":"a","clusterName":"a",` + members + `}]}`
	}
	group := `{"groupName":"core_node_analysis_group"`
	for name, tt := range map[string]struct{ state, want string }{
		"no JSON":         {`{`, "read the state"},
		"unknown field":   {cluster(`"groups":[],"colour":"red"`), "colour"},
		"no name":         {`{"clusters":[{"clusterId":"a","groups":[]}]}`, "clusterName"},
		"no id":           {`{"clusters":[{"clusterName":"a","groups":[]}]}`, "clusterId"},
		"id twice":        {`{"clusters":[{"clusterId":"a","clusterName":"a","groups":[]},{"clusterId":"a","clusterName":"b","groups":[]}]}`, "two clusters"},
		"unknown state":   {cluster(`"clusterState":"resting","groups":[]`), "resting"},
		"unknown role":    {cluster(`"groups":[{"groupName":"worker"}]`), "worker"},
		"role alone":      {cluster(`"groups":[{"groupName":"core"}]`), "core"},
		"number and list": {cluster(`"groups":[` + group + `,"nodeNum":1,"hosts":[{"from":1,"count":1}]}]`), "nodeNum"},
		"host twice":      {cluster(`"groups":[` + group + `,"hosts":[{"from":1,"count":3},{"from":3,"count":1}]}]`), "host number 3"},
		"host from 0":     {cluster(`"groups":[` + group + `,"hosts":[{"from":0,"count":3}]}]`), "from and count"},
		"no hosts":        {cluster(`"groups":[` + group + `,"hosts":[{"from":1,"count":0}]}]`), "from and count"},
		"job of no group": {cluster(`"groups":[],"job":{"id":"j","group":"x"}`), "job"},
		"job without id":  {cluster(`"groups":[],"job":{"group":"core_node_default_group"}`), "job"},
	} {
		s := newSim(t, fleet(3, 0, ""))
		before := s.state()
		var err error
		s.server.Cloud(func(c cloudsim.Cloud) { err = c.Restore([]byte(tt.state)) })
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tt.want)
		}
		if s.state() != before {
			t.Errorf("%s: the state changed", name)
		}
	}
}

// Numbers go on after the highest that stands in the state.
func TestHostNumbersGoOn(t *testing.T) {
	s := newSim(t, `{"clusters":[
		{"clusterId":"`+analytics+`","clusterName":"a","groups":[{"groupName":"core_node_analysis_group","nodeNum":3}]},
		{"clusterId":"b","clusterName":"b","groups":[{"groupName":"core_node_analysis_group","hosts":[{"from":50,"count":2}]}]}]}`)
	checkResize(t, s, resize("scale_out", "core", 1), "")
	s.pass(jobTime)
	var ids []string
	for _, h := range s.hosts(analytics) {
		ids = append(ids, strings.TrimLeft(h.ID[24:], "0"))
	}
	if want := []string{"52", "53", "54", "55"}; !slices.Equal(ids, want) {
		t.Errorf("hosts %q, want %q", ids, want)
	}
}

// Version rises with every change and stands still for reads and refusals.
func TestVersion(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	version := func() (v int) {
		s.server.Cloud(func(c cloudsim.Cloud) { v = c.Version() })
		return v
	}
	last := version()
	step := func(what string, changes bool, f func()) {
		t.Helper()
		f()
		v := version()
		if changes != (v > last) || v < last {
			t.Errorf("%s: version %d after %d", what, v, last)
		}
		last = v
	}
	step("read", false, func() { s.detail(analytics) })
	step("list", false, func() { s.get(infos) })
	step("refused", false, func() { s.put(analytics, `{}`) })
	step("accepted", true, func() { s.put(analytics, resize("scale_out", "core", 1)) })
	step("stage", false, func() { s.pass(jobTime / 2); s.detail(analytics) })
	step("end", true, func() { s.pass(jobTime) })
	step("drift", true, func() {
		if err := s.drift(cloudsim.Drift{Cluster: analytics, Group: "core", Add: 1}); err != nil {
			t.Error(err)
		}
	})
}

func TestDrift(t *testing.T) {
	tests := []struct {
		name  string
		drift cloudsim.Drift
		core  string
		total string
		state string
	}{
		{"add by role", cloudsim.Drift{Group: "core", Add: 2}, "5", "19", "running"},
		{"add by written name", cloudsim.Drift{Group: "core_node_default_group", Add: 2}, "5", "19", "running"},
		{"add by read name", cloudsim.Drift{Group: "core_node_analysis_group", Add: 2}, "5", "19", "running"},
		{"add a Master", cloudsim.Drift{Group: "master", Add: 1}, "3", "18", "running"},
		{"remove below the floor", cloudsim.Drift{Group: "core", Remove: 3}, "0", "14", "running"},
		{"remove Task", cloudsim.Drift{Group: "task", Remove: 12}, "3", "5", "running"},
		{"add and remove", cloudsim.Drift{Group: "task", Add: 2, Remove: 1}, "3", "18", "running"},
		{"set", cloudsim.Drift{Set: map[string]any{"clusterState": "frozen"}}, "3", "17", "frozen"},
		{"set and add", cloudsim.Drift{Group: "task", Add: 1, Set: map[string]any{"clusterState": "abnormal"}}, "3", "18", "abnormal"},
		{"set groups", cloudsim.Drift{Set: map[string]any{"groups": []any{map[string]any{"groupName": "core_node_analysis_group", "nodeNum": 4}}}}, "4", "4", "running"},
		{"delete", cloudsim.Drift{Delete: true}, "3", "17", "terminated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSim(t, string(huaweisim.Example()))
			s.get(infos + "?clusterState=existing") // fills what lists keep
			tt.drift.Cluster = analytics
			if err := s.drift(tt.drift); err != nil {
				t.Fatal(err)
			}
			d := s.detail(analytics)
			if d.CoreNodeNum != tt.core || d.TotalNodeNum != tt.total || d.ClusterState != tt.state {
				t.Errorf("%+v", d)
			}
			existing := decode[list](t, s.get(infos+"?clusterState=existing"))
			if gone := existing.ClusterTotal == 0; gone != tt.drift.Delete {
				t.Errorf("existing: %+v", existing)
			}
			if got := s.state(); got != newSim(t, got).state() {
				t.Error("the state does not survive a restore")
			}
		})
	}
}

func TestDriftRefuses(t *testing.T) {
	for name, d := range map[string]cloudsim.Drift{
		"no cluster":     {Cluster: "nobody", Group: "core", Add: 1},
		"no group":       {Cluster: analytics, Group: "worker", Add: 1},
		"group left out": {Cluster: analytics, Add: 1},
		"too many":       {Cluster: analytics, Group: "core", Remove: 4},
		"negative":       {Cluster: analytics, Group: "core", Add: -1},
		"unknown field":  {Cluster: analytics, Set: map[string]any{"colour": "red"}},
		"wrong type":     {Cluster: analytics, Set: map[string]any{"clusterType": "x"}},
		"unknown state":  {Cluster: analytics, Set: map[string]any{"clusterState": "x"}},
		"id":             {Cluster: analytics, Set: map[string]any{"clusterId": "x"}},
		"job":            {Cluster: analytics, Set: map[string]any{"job": nil}},
		"groups and add": {Cluster: analytics, Group: "core", Add: 1, Set: map[string]any{"groups": []any{}}},
		"half way":       {Cluster: analytics, Group: "core", Remove: 4, Set: map[string]any{"clusterState": "frozen"}},
	} {
		s := newSim(t, string(huaweisim.Example()))
		before := s.state()
		if err := s.drift(d); err == nil {
			t.Errorf("%s: no error", name)
		}
		if s.state() != before || len(s.server.Log().Entries()) != 0 {
			t.Errorf("%s: something was done", name)
		}
	}
}

// Somebody takes away named nodes, or the cluster, while a job runs.
func TestDriftDuringAJob(t *testing.T) {
	s := newSim(t, fleet(3, 4, ""))
	ids := taskIDs(s)
	checkResize(t, s, resize("scale_in", "task", 2, `"server_ids":["`+ids[0]+`","`+ids[3]+`"]`), "")
	if err := s.drift(cloudsim.Drift{Cluster: analytics, Group: "task", Remove: 1}); err != nil {
		t.Fatal(err)
	}
	s.pass(jobTime)
	if got, want := taskIDs(s), ids[1:3]; !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}

	checkResize(t, s, resize("scale_out", "core", 1), "")
	if err := s.drift(cloudsim.Drift{Cluster: analytics, Set: map[string]any{"clusterState": "frozen"}}); err != nil {
		t.Fatal(err)
	}
	s.pass(jobTime)
	if d := s.detail(analytics); d.ClusterState != "frozen" || d.CoreNodeNum != "4" {
		t.Errorf("%+v", d)
	}

	if err := s.drift(cloudsim.Drift{Cluster: analytics, Set: map[string]any{"clusterState": "running"}}); err != nil {
		t.Fatal(err)
	}
	checkResize(t, s, resize("scale_out", "core", 1), "")
	if err := s.drift(cloudsim.Drift{Cluster: analytics, Delete: true}); err != nil {
		t.Fatal(err)
	}
	s.pass(jobTime)
	if d := s.detail(analytics); d.ClusterState != "terminated" || d.CoreNodeNum != "4" {
		t.Errorf("%+v", d)
	}
}
