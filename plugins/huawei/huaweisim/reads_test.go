package huaweisim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/google/go-cmp/cmp"
)

// The whole detail, so that names and types are pinned: counts are strings.
func TestDetail(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	got := decode[map[string]any](t, s.get(infos+"/"+analytics))
	group := func(name string, n float64) any {
		return map[string]any{
			"groupName": name, "nodeNum": n, "nodeSize": "c3.4xlarge.2.linux.bigdata",
			"rootVolumeType": "SAS", "rootVolumeSize": 480.0,
			"dataVolumeType": "SAS", "dataVolumeCount": 2.0, "dataVolumeSize": 200.0,
		}
	}
	want := map[string]any{"cluster": map[string]any{
		"clusterId": analytics, "clusterName": "analytics",
		"masterNodeNum": "2", "coreNodeNum": "3", "totalNodeNum": "17",
		"clusterState": "running", "stageDesc": "", "scale": "", "errorInfo": "",
		"clusterVersion": "MRS 3.1.0", "clusterType": 0.0, "billingType": "Metered", "periodType": "",
		"masterNodeSize": "c3.4xlarge.2.linux.bigdata", "coreNodeSize": "c3.4xlarge.2.linux.bigdata",
		"masterDataVolumeType": "SAS", "masterDataVolumeSize": 200.0, "masterDataVolumeCount": 2.0,
		"coreDataVolumeType": "SAS", "coreDataVolumeSize": 200.0, "coreDataVolumeCount": 2.0,
		"createAt": "1763683200", "updateAt": "1763683200", "tags": "", "bootstrapScripts": []any{},
		"nodeGroups": []any{
			group("master_node_default_group", 2), group("core_node_analysis_group", 3), group("task_node_analysis_group", 12),
		},
		"taskNodeGroups":      []any{group("task_node_default_group", 12)},
		"enterpriseProjectId": "0", "vpcId": "", "subnetId": "",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// A list item carries the same.
	list := decode[struct {
		ClusterTotal int
		Clusters     []any
	}](t, s.get(infos))
	if diff := cmp.Diff([]any{want["cluster"]}, list.Clusters); diff != "" || list.ClusterTotal != 1 {
		t.Errorf("total %d\n%s", list.ClusterTotal, diff)
	}
}

func TestHeaders(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	ids := map[string]bool{}
	for _, target := range []string{infos, infos + "/" + analytics, infos + "/nobody", "/v3/nothing"} {
		got := s.get(target)
		if d := got.header.Get("Date"); d != "Sat, 21 Nov 2026 00:00:00 GMT" {
			t.Errorf("%s: Date %q", target, d)
		}
		id := got.header.Get("X-Request-Id")
		if len(id) != 32 || ids[id] {
			t.Errorf("%s: X-Request-Id %q", target, id)
		}
		ids[id] = true
		if ct := got.header.Get("Content-Type"); ct != "application/json" {
			t.Errorf("%s: Content-Type %q", target, ct)
		}
	}
}

func TestUnknownAPI(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	for _, tt := range [][2]string{
		{"GET", "/"}, {"GET", "/v1.1"}, {"GET", "/v1.1//cluster_infos"}, {"GET", "/v1/" + project + "/cluster_infos"},
		{"GET", infos + "/"}, {"GET", infos + "/" + analytics + "/more"}, {"DELETE", infos + "/" + analytics},
		{"POST", infos}, {"GET", hosts + "/1"}, {"POST", hosts}, {"GET", "/v2/" + project + "/clusters/" + analytics + "/nodes"},
	} {
		got := s.send(s.request(tt[0], tt[1], ""))
		if got.status != http.StatusNotFound || got.code(t) != "APIG.0101" || !strings.Contains(got.body, `"request_id"`) {
			t.Errorf("%v: %d %s", tt, got.status, got.body)
		}
	}
}

func TestNotFound(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	base := "/v1.1/" + project
	for _, target := range []string{infos + "/nobody", base + "/clusters/nobody/hosts", base + "/clusters/nobody/tags"} {
		if got := s.get(target); got.status != http.StatusBadRequest || got.code(t) != "12000003" {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
	}
}

func TestTerminatedIsStillRead(t *testing.T) {
	s := newSim(t, fleet(3, 2, `"clusterState":"terminated"`))
	if d := s.detail(analytics); d.ClusterState != "terminated" || d.CoreNodeNum != "3" {
		t.Errorf("%+v", d)
	}
	if got := s.get(hosts); got.body != `{"total":0,"hosts":[]}` {
		t.Errorf("hosts %s", got.body)
	}
}

type list struct {
	ClusterTotal int
	Clusters     []clusterView
}

func (l list) names() string {
	names := []string{}
	for _, c := range l.Clusters {
		names = append(names, c.ClusterName)
	}
	return fmt.Sprint(l.ClusterTotal, " ", strings.Join(names, " "))
}

func TestListFilters(t *testing.T) {
	s := newSim(t, `{"clusters":[
		{"clusterId":"1","clusterName":"ana","groups":[],"tags":"env=prod,team=a"},
		{"clusterId":"2","clusterName":"Banana","groups":[],"tags":"env=test","clusterState":"frozen"},
		{"clusterId":"3","clusterName":"analytics","groups":[],"clusterState":"terminated","tags":"env=prod"},
		{"clusterId":"4","clusterName":"other","groups":[],"enterpriseProjectId":"ep-1"},
		{"clusterId":"5","clusterName":"ana","groups":[],"clusterState":"scaling-out","tags":"team=a"}]}`)
	for query, want := range map[string]string{
		"":                                       "4 ana Banana analytics ana",
		"clusterState=existing":                  "3 ana Banana ana",
		"clusterState=running":                   "1 ana",
		"clusterState=frozen":                    "1 Banana",
		"clusterState=terminated&clusterName=an": "1 analytics",
		"clusterName=ana":                        "4 ana Banana analytics ana",
		"clusterName=ANALYT":                     "1 analytics",
		"clusterName=nobody":                     "0 ",
		"clusterState=existing&clusterName=ana":  "3 ana Banana ana",
		"enterpriseProjectId=0":                  "4 ana Banana analytics ana",
		"enterpriseProjectId=ep-1":               "1 other",
		"tags=env":                               "3 ana Banana analytics",
		"tags=env*prod":                          "2 ana analytics",
		"tags=env*prod,team":                     "1 ana",
		"tags=env*prod,team*b":                   "0 ",
		"pageSize=1&currentPage=2":               "4 Banana",
	} {
		for range 2 { // the second time from what is kept
			if got := decode[list](t, s.get(infos+"?"+query)).names(); got != want {
				t.Errorf("%q: %s, want %s", query, got, want)
			}
		}
	}
	if got := s.get(infos + "?clusterState=gone"); got.code(t) != "12000002" {
		t.Error(got.body)
	}
}

func TestListPaging(t *testing.T) {
	s := newSim(t, string(huaweisim.Fleet(25)))
	for query, want := range map[string]string{
		"":                          "25: 10 from c00001",
		"currentPage=2":             "25: 10 from c00011",
		"currentPage=3":             "25: 5 from c00021",
		"currentPage=4":             "25: 0",
		"pageSize=25":               "25: 25 from c00001",
		"pageSize=24&currentPage=2": "25: 1 from c00025",
		"pageSize=2147483646":       "25: 25 from c00001",
		"pageSize=2147483646&currentPage=2147483646": "25: 0",
		"pageSize=0":          "12000002",
		"pageSize=2147483647": "12000002",
		"pageSize=-1":         "12000002",
		"pageSize=x":          "12000002",
		"currentPage=0":       "12000002",
	} {
		got := s.get(infos + "?" + query)
		text := got.code(t)
		if text == "" {
			l := decode[list](t, got)
			text = fmt.Sprintf("%d: %d", l.ClusterTotal, len(l.Clusters))
			if len(l.Clusters) > 0 {
				text += " from " + l.Clusters[0].ClusterName
			}
		}
		if text != want {
			t.Errorf("%q: %s, want %s", query, text, want)
		}
	}
}

func TestHostPaging(t *testing.T) {
	s := newSim(t, fleet(3, 12, ""))
	for query, want := range map[string]string{
		"":                           "17: 1-10",
		"?currentPage=2":             "17: 11-17",
		"?currentPage=3":             "17: none",
		"?pageSize=4&currentPage=2":  "17: 5-8", // across two groups
		"?pageSize=100":              "17: 1-17",
		"?pageSize=17&currentPage=2": "17: none",
		"?pageSize=2147483646&currentPage=2147483646": "17: none",
		"?pageSize=0": "12000002",
	} {
		got := s.get(hosts + query)
		text := got.code(t)
		if text == "" {
			l := decode[struct {
				Total int
				Hosts []hostView
			}](t, got)
			text = fmt.Sprintf("%d: none", l.Total)
			if n := len(l.Hosts); n > 0 {
				var first, last int
				fmt.Sscanf(l.Hosts[0].ID[30:], "%d", &first)
				fmt.Sscanf(l.Hosts[n-1].ID[30:], "%d", &last)
				text = fmt.Sprintf("%d: %d-%d", l.Total, first, last)
				if last-first+1 != n {
					t.Errorf("%q: %d hosts from %d to %d", query, n, first, last)
				}
			}
		}
		if text != want {
			t.Errorf("%q: %s, want %s", query, text, want)
		}
	}
}

func TestHost(t *testing.T) {
	for state, want := range map[string]string{
		``:                     "Master,Core,Task",
		`"hostTypes":"node"`:   "MasterNode,CoreNode,TaskNode",
		`"hostTypes":"group"`:  "Master,Analysis_Core,Analysis_Task",
		`"hostTotalText":true`: "Master,Core,Task",
	} {
		account := []string{}
		if state != "" {
			account = []string{state}
		}
		s := newSim(t, fleet(1, 1, "", account...))
		types := []string{}
		for _, h := range s.hosts(analytics)[1:] {
			types = append(types, h.Type)
		}
		if got := strings.Join(types, ","); got != want {
			t.Errorf("%s: %s, want %s", state, got, want)
		}
		if text := strings.Contains(s.get(hosts).body, `"total":"4"`); text != strings.Contains(state, "hostTotalText") {
			t.Errorf("%s: %s", state, s.get(hosts).body)
		}
	}
	s := newSim(t, fleet(1, 1, ""))
	got := decode[struct{ Hosts []map[string]any }](t, s.get(hosts)).Hosts[3]
	want := map[string]any{
		"id": "0000a000-0000-4000-8000-000000000004", "resource_id": "0000b000-0000-4000-8000-000000000004",
		"name": "node-task-00004.com", "ip": "10.0.0.4", "status": "ACTIVE", "flavor": "c3.4xlarge.2.linux.bigdata",
		"type": "Task", "mem": "32768", "cpu": "16", "root_volume_size": "480",
		"data_volume_type": "SAS", "data_volume_size": 200.0, "data_volume_count": 2.0,
		"node_group_name": "task_node_analysis_group", "tags": "", "availability_zone_id": "az1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTags(t *testing.T) {
	target := "/v1.1/" + project + "/clusters/" + analytics + "/tags"
	for tags, want := range map[string]string{
		"":            `{"tags":[]}`,
		"env=prod,x=": `{"tags":[{"key":"env","value":"prod"},{"key":"x","value":""}]}`,
		"only":        `{"tags":[{"key":"only","value":""}]}`,
	} {
		s := newSim(t, fleet(3, 0, `"tags":"`+tags+`"`))
		if got := s.get(target); got.body != want {
			t.Errorf("%q: %s", tags, got.body)
		}
	}
}

// With X-Language: zh-cn state and stage come in Chinese.
func TestChinese(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	read := func() clusterView {
		r := s.request("GET", infos+"/"+analytics, "")
		r.Header.Set("X-Language", "zh-cn")
		return decode[struct{ Cluster clusterView }](t, s.send(r)).Cluster
	}
	if d := read(); d.ClusterState != "运行中" {
		t.Errorf("%+v", d)
	}
	checkResize(t, s, resize("scale_out", "core", 1), "")
	if d := read(); d.ClusterState != "扩容中" || d.StageDesc != "准备扩容" || d.Scale != "scaling-out" {
		t.Errorf("%+v", d)
	}
}

func TestPathIsUnescaped(t *testing.T) {
	s := newSim(t, `{"clusters":[{"clusterId":"a_b","clusterName":"a","groups":[]}]}`)
	if got := s.get(infos + "/a%5Fb"); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.get(infos + "/" + url.PathEscape("ä")); got.code(t) != "12000002" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// Fleet's identities are fixed, for benchmarks and tests elsewhere.
func TestFleet(t *testing.T) {
	s := newSim(t, string(huaweisim.Fleet(10000)))
	d := s.detail("00000000-0000-4000-8000-000000010000")
	if d.ClusterName != "c10000" || d.CoreNodeNum != "3" || d.TotalNodeNum != "7" {
		t.Errorf("%+v", d)
	}
	if n := len(s.state()); n > 5<<20 {
		t.Errorf("the state takes %d bytes", n)
	}
	if !json.Valid(huaweisim.Fleet(0)) {
		t.Error("Fleet(0) is no JSON")
	}
}
