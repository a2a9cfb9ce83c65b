package huawei

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		state, scale string
		want         provider.Status
		gone         bool
	}{
		{"running", "", provider.StatusReady, false},
		{"running", "scaling-error", provider.StatusReady, false},
		{"running", "scaled-up-success", provider.StatusReady, false},
		{"running", "scaling-out", provider.StatusBusy, false},
		{"running", "scaling-in", provider.StatusBusy, false},
		{"running", "scaling-up", provider.StatusBusy, false},
		{"running", "scaling_up_first", provider.StatusBusy, false},
		{"running", "scaled_up_first", provider.StatusBusy, false},
		{"running", "something-new", provider.StatusUnknown, false},
		{"starting", "", provider.StatusBusy, false},
		{"scaling-out", "scaling-out", provider.StatusBusy, false},
		{"scaling-in", "", provider.StatusBusy, false},
		{"terminating", "", provider.StatusBusy, false},
		{"abnormal", "", provider.StatusBroken, false},
		{"failed", "", provider.StatusBroken, false},
		{"frozen", "", provider.StatusBroken, false},
		{"terminated", "", provider.StatusUnknown, true},
		{"", "", provider.StatusUnknown, false},
		{"运行中", "", provider.StatusUnknown, false},
	} {
		cl := cluster{State: c.state, Scale: word(c.scale)}
		if got := cl.status(); got != c.want {
			t.Errorf("%s, %s: %q, want %q", c.state, c.scale, got, c.want)
		}
		if got := cl.gone(); got != c.gone {
			t.Errorf("%s: gone is %v", c.state, got)
		}
	}
}

func TestStatusText(t *testing.T) {
	for _, c := range []struct {
		cluster cluster
		want    string
	}{
		{cluster{State: "running"}, "running"},
		{cluster{State: "scaling-out", Scale: "scaling-out", StageDesc: "Creating VM"}, "scaling-out: Creating VM"},
		{cluster{State: "running", Scale: "scaling-error", StageDesc: "Cluster expansion failed", ErrorInfo: "(MRS.105) 现子网IP不足"},
			"running, scaling-error: Cluster expansion failed: (MRS.105) 现子网IP不足 [MRS.105: the subnet has too few free addresses]"},
	} {
		if diff := cmp.Diff(c.want, c.cluster.statusText()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

// TestCounts: counts come as strings or numbers, in groups or counters, under
// keys of either case.
func TestCounts(t *testing.T) {
	type counts struct{ Master, Core, Task int }
	for _, c := range []struct {
		name, body string
		want       counts
		incomplete bool
	}{
		{name: "groups before counters", body: `{"coreNodeNum":"9","masterNodeNum":"9","nodeGroups":[
			{"groupName":"master_node_default_group","nodeNum":2},{"groupName":"core_node_analysis_group","nodeNum":"3"},
			{"groupName":"core_node_streaming_group","nodeNum":2}]}`, want: counts{2, 5, 0}},
		{name: "task groups are not counted twice", body: `{"nodeGroups":[{"groupName":"core_node_analysis_group","nodeNum":3},
			{"groupName":"task_node_analysis_group","nodeNum":4}],"taskNodeGroups":[{"groupName":"task_node_default_group","nodeNum":4}]}`,
			want: counts{0, 3, 4}},
		{name: "task groups among the groups only", body: `{"nodeGroups":[{"groupName":"core_node_analysis_group","nodeNum":3},
			{"groupName":"task_node_analysis_group","nodeNum":4}],"taskNodeGroups":null}`, want: counts{0, 3, 4}},
		{name: "keys as the client library writes them", body: `{"NodeGroups":[{"GroupName":"core_node_default_group","NodeNum":3}],
			"TaskNodeGroups":[{"GroupName":"task_node_streaming_group","NodeNum":1}]}`, want: counts{0, 3, 1}},
		{name: "counters", body: `{"masterNodeNum":"2","coreNodeNum":"3","totalNodeNum":"7"}`, want: counts{2, 3, 2}},
		{name: "counters as numbers", body: `{"masterNodeNum":2,"coreNodeNum":3,"totalNodeNum":5}`, want: counts{2, 3, 0}},
		{name: "an emptied group stays listed", body: `{"coreNodeNum":"3","nodeGroups":[],
			"taskNodeGroups":[{"groupName":"task_node_default_group","nodeNum":0}]}`, want: counts{0, 3, 0}},
		{name: "nothing", body: `{"coreNodeNum":null,"nodeGroups":null}`, incomplete: true},
		{name: "core without task", body: `{"coreNodeNum":"3"}`, want: counts{0, 3, 0}, incomplete: true},
		{name: "an odd number", body: `{"coreNodeNum":"three","nodeGroups":[]}`, incomplete: true},
		{name: "custom groups", body: `{"clusterType":3,"nodeGroups":[{"groupName":"node_group_1","nodeNum":3}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cl cluster
			if err := json.Unmarshal([]byte(c.body), &cl); err != nil {
				t.Fatal(err)
			}
			master, core, task := cl.counts()
			if diff := cmp.Diff(c.want, counts{master.value, core.value, task.value}); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if cl.complete() == c.incomplete {
				t.Errorf("complete is %v", cl.complete())
			}
		})
	}
}

func TestTaskSpecification(t *testing.T) {
	group := func(name string, n int, size string, disk int) nodeGroup {
		return nodeGroup{Name: name, NodeNum: number{n, true}, NodeSize: size, DataVolumeType: "SAS",
			DataVolumeCount: number{1, true}, DataVolumeSize: number{disk, true}}
	}
	for _, c := range []struct {
		name   string
		groups []nodeGroup
		want   string
		mixed  bool
	}{
		{"none", nil, `{}`, false},
		{"one", []nodeGroup{group("task_node_default_group", 1, "a", 100)},
			`{"node_size":"a","data_volume_type":"SAS","data_volume_count":1,"data_volume_size":100}`, false},
		{"emptied", []nodeGroup{group("task_node_default_group", 0, "a", 100)}, `{}`, false},
		{"two alike", []nodeGroup{group("task_node_analysis_group", 1, "a", 100), group("task_node_streaming_group", 2, "a", 100)},
			`{"node_size":"a","data_volume_type":"SAS","data_volume_count":1,"data_volume_size":100}`, false},
		{"two that differ", []nodeGroup{group("task_node_analysis_group", 1, "a", 100), group("task_node_streaming_group", 2, "b", 100)},
			`{"data_volume_type":"SAS","data_volume_count":1,"data_volume_size":100}`, true},
	} {
		a, mixed := cluster{TaskNodeGroups: c.groups}.taskSpecification()
		if got := string(provider.Raw(a)); got != c.want || mixed != c.mixed {
			t.Errorf("%s: %s, mixed %v", c.name, got, mixed)
		}
	}
}

func TestHostRoles(t *testing.T) {
	for _, c := range []struct{ kind, group, want string }{
		{"MasterNode", "", roleMaster}, {"Core", "", roleCore}, {"Streaming_Task", "", roleTask}, {"Analysis_Core", "", roleCore},
		{"", "task_node_analysis_group", roleTask}, {"", "", ""},
	} {
		if got := (host{Type: c.kind, Group: c.group}).role(); got != c.want {
			t.Errorf("%s in %s is %q", c.kind, c.group, got)
		}
	}
}

func TestYearlyMonthly(t *testing.T) {
	for _, c := range []struct {
		cluster cluster
		want    bool
	}{
		{cluster{BillingType: "Metered", PeriodType: number{0, true}}, false},
		{cluster{BillingType: "12"}, false},
		{cluster{}, false},
		{cluster{PeriodType: number{0, true}, Duration: "0"}, false},
		{cluster{PeriodType: number{1, true}, Duration: "1"}, true},
		{cluster{BillingType: "Period"}, true},
		{cluster{BillingType: "Prepaid"}, true},
		{cluster{BillingType: "11"}, true},
	} {
		if got := yearlyMonthly(c.cluster.billing()); got != c.want {
			t.Errorf("%+v: %v", c.cluster, got)
		}
	}
}
