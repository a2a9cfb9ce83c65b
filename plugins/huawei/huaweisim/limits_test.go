package huaweisim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
)

// fleet is a state with one cluster of the given Core and Task nodes; more are
// further members of the cluster, account of the state.
func fleet(core, task int, more string, account ...string) string {
	groups := `{"groupName":"master_node_default_group","nodeNum":2},{"groupName":"core_node_analysis_group","nodeNum":` + fmt.Sprint(core) + `}`
	if task > 0 {
		groups += `,{"groupName":"task_node_analysis_group","nodeNum":` + fmt.Sprint(task) + `}`
	}
	if more != "" {
		more = "," + more
	}
	return `{"clusters":[{"clusterId":"` + analytics + `","clusterName":"analytics","groups":[` + groups + `]` + more + `}]` +
		strings.Join(append([]string{""}, account...), ",") + `}`
}

const (
	info  = `"task_node_info":{"node_size":"s3.xlarge.2.linux.bigdata","data_volume_type":"SATA","data_volume_count":2,"data_volume_size":200}`
	inert = `"skip_bootstrap_scripts":false,"scale_without_start":false`
)

// Every limit with its accepted edge and its refused neighbour.
func TestLimits(t *testing.T) {
	tests := []struct {
		name  string
		state string
		body  string
		code  string // "" is accepted
	}{
		// 500 Core and Task nodes together.
		{"3 Core, 497 more", fleet(3, 0, ""), resize("scale_out", "core", 497), ""},
		{"3 Core, 498 more", fleet(3, 0, ""), resize("scale_out", "core", 498), "12000028"},
		{"Core beside Task, edge", fleet(3, 12, ""), resize("scale_out", "core", 485), ""},
		{"Core beside Task, over", fleet(3, 12, ""), resize("scale_out", "core", 486), "12000028"},
		{"Task beside Core, edge", fleet(3, 12, ""), resize("scale_out", "task", 485), ""},
		{"Task beside Core, over", fleet(3, 12, ""), resize("scale_out", "task", 486), "12000030"},
		{"full", fleet(300, 200, ""), resize("scale_out", "task", 1), "12000030"},
		{"limit raised by support", fleet(300, 200, "", `"maxNodes":501`), resize("scale_out", "task", 1), ""},
		{"own limit for Core, edge", fleet(3, 1, "", `"maxCore":5`), resize("scale_out", "core", 2), ""},
		{"own limit for Core, over", fleet(3, 1, "", `"maxCore":5`), resize("scale_out", "core", 3), "12000028"},
		{"own limit for Core leaves Task alone", fleet(3, 1, "", `"maxCore":3`), resize("scale_out", "task", 3), ""},

		// Floors.
		{"5 Core, 2 less", fleet(5, 5, ""), resize("scale_in", "core", 2), ""},
		{"5 Core, 3 less", fleet(5, 5, ""), resize("scale_in", "core", 3), "12000013"},
		{"3 Core, 1 less", fleet(3, 0, ""), resize("scale_in", "core", 1), "12000013"},
		{"2 Core, 1 less", fleet(2, 0, ""), resize("scale_in", "core", 1), "12000013"},
		{"2 Core may grow", fleet(2, 0, ""), resize("scale_out", "core", 1), ""},
		{"5 Task, all less", fleet(5, 5, ""), resize("scale_in", "task", 5), ""},
		{"5 Task, 6 less", fleet(5, 5, ""), resize("scale_in", "task", 6), "12000013"},
		{"no Task, 1 less", fleet(5, 0, ""), resize("scale_in", "task", 1), "12000013"},

		// task_node_info, exactly from zero.
		{"Task from 0 with info", fleet(3, 0, ""), resize("scale_out", "task", 1, info), ""},
		{"Task from 0 without info", fleet(3, 0, ""), resize("scale_out", "task", 1), "12000002"},
		{"Task from 0 with null", fleet(3, 0, ""), resize("scale_out", "task", 1, `"task_node_info":null`), "12000002"},
		{"Task from 1 with info", fleet(3, 1, ""), resize("scale_out", "task", 1, info), "12000002"},
		{"Task from 1 without info", fleet(3, 1, ""), resize("scale_out", "task", 1), ""},
		{"Core with info", fleet(3, 0, ""), resize("scale_out", "core", 1, info), "12000002"},
		{"scale-in with info", fleet(3, 1, ""), resize("scale_in", "task", 1, info), "12000002"},
		{"over the sum from 0", fleet(499, 0, ""), resize("scale_out", "task", 2, info), "12000030"},

		// Both flags since MRS 1.7.2.
		{"flags false before 1.7.2", fleet(3, 0, `"clusterVersion":"MRS 1.7.1"`), resize("scale_out", "core", 1, inert), ""},
		{"skip before 1.7.2", fleet(3, 0, `"clusterVersion":"MRS 1.7.1"`), resize("scale_out", "core", 1, `"skip_bootstrap_scripts":true`), "12000054"},
		{"skip as text before 1.7.2", fleet(3, 0, `"clusterVersion":"MRS 1.7.1"`), resize("scale_out", "core", 1, `"skip_bootstrap_scripts":"true"`), "12000054"},
		{"no start before 1.7.2", fleet(3, 0, `"clusterVersion":"MRS 1.7.1"`), resize("scale_out", "core", 1, `"scale_without_start":true`), "12000054"},
		{"both at 1.7.2", fleet(3, 0, `"clusterVersion":"MRS 1.7.2"`), resize("scale_out", "core", 1, `"skip_bootstrap_scripts":true,"scale_without_start":true`), ""},
		{"scale-in before 1.7.2, no effect", fleet(4, 0, `"clusterVersion":"MRS 1.7.1"`), resize("scale_in", "core", 1, `"scale_without_start":true`), ""},
		{"version is compared by number", fleet(3, 0, `"clusterVersion":"MRS 1.10.0"`), resize("scale_out", "core", 1, `"scale_without_start":true`), ""},

		// Cluster kinds.
		{"yearly/monthly out", fleet(3, 0, `"yearlyMonthly":true`), resize("scale_out", "core", 1), "12000065"},
		{"yearly/monthly in", fleet(4, 0, `"yearlyMonthly":true`), resize("scale_in", "core", 1), "12000065"},
		{"too old", fleet(3, 0, `"clusterVersion":"MRS 1.5.9"`, `"oldestVersion":"1.6.0"`), resize("scale_out", "core", 1), "12000067"},
		{"just new enough", fleet(3, 0, `"clusterVersion":"MRS 1.6.0"`, `"oldestVersion":"1.6.0"`), resize("scale_out", "core", 1), ""},
		{"too old may shrink", fleet(4, 0, `"clusterVersion":"MRS 1.5.9"`, `"oldestVersion":"1.6.0"`), resize("scale_in", "core", 1), ""},
		{"unpaid order out", fleet(3, 0, `"unpaidOrder":true`), resize("scale_out", "core", 1), "12000121"},
		{"unpaid order in", fleet(4, 0, `"unpaidOrder":true`), resize("scale_in", "core", 1), ""},
		{"custom", fleet(3, 0, `"clusterType":3`), resize("scale_out", "core", 1), "12000054"},
		{"streaming", fleet(3, 0, `"clusterType":1`), resize("scale_out", "core", 1), ""},
		{"mixed", fleet(3, 0, `"clusterType":2`), resize("scale_out", "core", 1), ""},
		{"sold out", fleet(3, 0, "", `"soldOut":["c3.4xlarge.2.linux.bigdata"]`), resize("scale_out", "core", 1), "12000233"},
		{"sold out, another size", fleet(3, 0, "", `"soldOut":["c3.4xlarge.2.linux.bigdata"]`), resize("scale_out", "task", 1, info), ""},

		// Quota: the cluster uses 5 nodes of 16 vCPUs, 32 GiB and 2 volumes of 200 GB.
		{"nodes, edge", fleet(3, 0, "", `"quota":{"nodes":6}`), resize("scale_out", "core", 1), ""},
		{"nodes, over", fleet(3, 0, "", `"quota":{"nodes":6}`), resize("scale_out", "core", 2), "12000030"},
		{"vCPUs, edge", fleet(3, 0, "", `"quota":{"cpu":96}`), resize("scale_out", "core", 1), ""},
		{"vCPUs, over", fleet(3, 0, "", `"quota":{"cpu":95}`), resize("scale_out", "core", 1), "12000031"},
		{"vCPUs of the Task specification", fleet(3, 0, "", `"quota":{"cpu":84}`), resize("scale_out", "task", 1, info), ""},
		{"memory, edge", fleet(3, 0, "", `"quota":{"memory":192}`), resize("scale_out", "core", 1), ""},
		{"memory, over", fleet(3, 0, "", `"quota":{"memory":191}`), resize("scale_out", "core", 1), "12000032"},
		{"disks, edge", fleet(3, 0, "", `"quota":{"disks":12}`), resize("scale_out", "core", 1), ""},
		{"disks, over", fleet(3, 0, "", `"quota":{"disks":11}`), resize("scale_out", "core", 1), "12000033"},
		{"disk capacity, edge", fleet(3, 0, "", `"quota":{"diskSize":2400}`), resize("scale_out", "core", 1), ""},
		{"disk capacity, over", fleet(3, 0, "", `"quota":{"diskSize":2399}`), resize("scale_out", "core", 1), "12000034"},
		{"quota does not bound a scale-in", fleet(4, 0, "", `"quota":{"nodes":0}`), resize("scale_in", "core", 1), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSim(t, tt.state)
			checkResize(t, s, tt.body, tt.code)
		})
	}
}

// checkResize sends a resize and checks the answer, that a refused one left
// everything as it was, and the audit log.
func checkResize(t *testing.T, s *sim, body, code string) {
	t.Helper()
	before := s.detail(analytics)
	got := s.put(analytics, body)
	if got.code(t) != code {
		t.Fatalf("code %q, want %q: %s", got.code(t), code, got.body)
	}
	after := s.detail(analytics)
	log := s.server.Log().Entries()
	last := log[len(log)-1]
	if code == "" {
		if got.body != `{"result":"succeeded"}` {
			t.Errorf("reply %s", got.body)
		}
		if after.Scale == before.Scale || after.Scale != after.ClusterState || last.Outcome != "accepted" || last.Job == "" {
			t.Errorf("accepted, yet state %q, scale %q, log %+v", after.ClusterState, after.Scale, last)
		}
		return
	}
	if after.ClusterState != before.ClusterState || after.Scale != before.Scale || after.UpdateAt != before.UpdateAt {
		t.Errorf("refused, yet changed to %+v", after)
	}
	if last.Outcome != "refused" || last.Code != code || last.Job != "" {
		t.Errorf("log %+v", last)
	}
}

// Quotas are the account's: other clusters, and nodes still being added, count;
// deleted clusters do not.
func TestQuotaOverClusters(t *testing.T) {
	two := strings.TrimSuffix(fleet(3, 0, "", `"quota":{"nodes":11}`), "}")
	two = strings.Replace(two, `"clusters":[`, `"clusters":[{"clusterId":"b","clusterName":"b","groups":[{"groupName":"core_node_analysis_group","nodeNum":4}]},`+
		`{"clusterId":"gone","clusterName":"gone","clusterState":"terminated","groups":[{"groupName":"core_node_analysis_group","nodeNum":40}]},`, 1) + "}"
	s := newSim(t, two)
	if got := s.put("b", resize("scale_out", "core", 2)); got.status != 200 { // 4 + 5 + 2
		t.Fatal(got.body)
	}
	checkResize(t, s, resize("scale_out", "core", 1), "12000030")
	s.pass(jobTime)
	checkResize(t, s, resize("scale_out", "core", 1), "12000030")
	if got := s.put("b", resize("scale_in", "core", 1)); got.status != 200 {
		t.Fatal(got.body)
	}
	s.pass(jobTime)
	checkResize(t, s, resize("scale_out", "core", 1), "")
}

func TestStates(t *testing.T) {
	for state, code := range map[string]string{
		"running": "", "scaling-out": "12000018", "scaling-in": "12000018",
		"starting": "12000017", "abnormal": "12000017", "failed": "12000017",
		"frozen": "12000017", "terminating": "12000017", "terminated": "12000017",
	} {
		t.Run(state, func(t *testing.T) {
			s := newSim(t, fleet(3, 0, `"clusterState":"`+state+`"`))
			checkResize(t, s, resize("scale_out", "core", 1), code)
		})
	}
	for scale, code := range map[string]string{
		"": "", "scaling-error": "", "scaled-up-success": "", "scaling-up": "12000018", "scaling_up_first": "12000018",
	} {
		t.Run("scale "+scale, func(t *testing.T) {
			s := newSim(t, fleet(3, 0, `"scale":"`+scale+`"`))
			checkResize(t, s, resize("scale_out", "core", 1), code)
		})
	}
	t.Run("a node is down", func(t *testing.T) {
		s := newSim(t, `{"clusters":[{"clusterId":"`+analytics+`","clusterName":"a","groups":[{"groupName":"core_node_analysis_group",
			"hosts":[{"from":1,"count":3},{"from":4,"count":1,"status":"SHUTOFF"}]}]}]}`)
		checkResize(t, s, resize("scale_in", "core", 1), "12000068")
		if hs := s.hosts(analytics); hs[3].Status != "SHUTOFF" || hs[0].Status != "ACTIVE" {
			t.Errorf("hosts %+v", hs)
		}
	})
	t.Run("no such cluster", func(t *testing.T) {
		s := newSim(t, string(huaweisim.Example()))
		if got := s.put("nobody", resize("scale_out", "core", 1)); got.status != 400 || got.code(t) != "12000003" {
			t.Errorf("%d %s", got.status, got.body)
		}
		if got := s.put("no+body", resize("scale_out", "core", 1)); got.code(t) != "12000002" {
			t.Errorf("%d %s", got.status, got.body)
		}
		if got := s.put(strings.Repeat("x", 65), resize("scale_out", "core", 1)); got.code(t) != "12000002" {
			t.Errorf("%d %s", got.status, got.body)
		}
		if got := s.put(strings.Repeat("x", 64), resize("scale_out", "core", 1)); got.code(t) != "12000003" {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

// One change at a time, then the next; and twice the same acts twice.
func TestNoIdempotency(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	body := resize("scale_out", "core", 2)
	checkResize(t, s, body, "")
	checkResize(t, s, body, "12000018")
	checkResize(t, s, resize("scale_in", "task", 1), "12000018")
	s.pass(jobTime)
	checkResize(t, s, body, "")
	s.pass(jobTime)
	if d := s.detail(analytics); d.CoreNodeNum != "7" {
		t.Errorf("Core %s, want 7", d.CoreNodeNum)
	}
}

// Every code of the document's table is reachable; those that no state leads to
// come through the cluster's refuse.
func TestRefuseWithAnyCode(t *testing.T) {
	for code, status := range map[string]int{
		"12000001": 401, "12000002": 400, "12000003": 400, "12000009": 400, "12000012": 400, "12000013": 400,
		"12000014": 400, "12000017": 400, "12000018": 400, "12000019": 400, "12000028": 400, "12000029": 400,
		"12000030": 400, "12000031": 400, "12000032": 400, "12000033": 400, "12000034": 400, "12000054": 400,
		"12000065": 400, "12000067": 400, "12000068": 400, "12000121": 400, "12000123": 400, "12000124": 400,
		"12000233": 400, "MRS.101": 400, "MRS.102": 401, "MRS.103": 400, "MRS.104": 400, "MRS.105": 400,
		"MRS.201": 500, "MRS.202": 500, "MRS.203": 500, "MRS.300": 500, "12999999": 400,
	} {
		t.Run(code, func(t *testing.T) {
			s := newSim(t, fleet(3, 0, `"refuse":"`+code+`"`))
			checkResize(t, s, resize("scale_out", "core", 1), code)
			if got := s.put(analytics, resize("scale_out", "core", 1)); got.status != status {
				t.Errorf("status %d, want %d", got.status, status)
			}
		})
	}
}
