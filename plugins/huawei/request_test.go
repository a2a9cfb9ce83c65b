package huawei

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestDocumentedBodies: Plan makes the bodies of the document's examples (MRS
// API, cluster resize, Example), byte for byte but for blanks.
func TestDocumentedBodies(t *testing.T) {
	const flags = `"skip_bootstrap_scripts":false,"scale_without_start":false`
	victims := []host{{ID: "c9573435-7814-4b2c-9131-ad78b814414c"}, {ID: "a4951009-6a0f-4e7b-9c81-9d4bd1f8c537"}, {ID: "f0000000-0000-4000-8000-000000000000"}}
	for _, c := range []struct {
		name, want string
		f          fixture
	}{
		{"add core nodes", `{"service_id":"","plan_id":"","parameters":{"order_id":"","scale_type":"scale_out","node_id":"node_orderadd",` +
			`"node_group":"core_node_default_group","instances":"1","skip_bootstrap_scripts":false,"scale_without_start":false},"previous_values":{"plan_id":""}}`,
			fixture{core: 3, groups: `{"core":{` + flags + `}}`, changes: []provider.Change{count("core", 3, 4)}}},
		{"add task nodes to some", `{"service_id":"","plan_id":"","parameters":{"order_id":"","scale_type":"scale_out","node_id":"node_orderadd",` +
			`"node_group":"task_node_default_group","instances":"1","skip_bootstrap_scripts":false,"scale_without_start":false},"previous_values":{"plan_id":""}}`,
			fixture{core: 3, task: 1, groups: `{"task":{"node_size":"s3.xlarge.2.linux.bigdata",` + flags + `}}`, changes: []provider.Change{count("task", 1, 2)}}},
		{"add task nodes to none", `{"service_id":"","plan_id":"","parameters":{"order_id":"","scale_type":"scale_out","node_id":"node_orderadd",` +
			`"node_group":"task_node_default_group","task_node_info":{"node_size":"s3.xlarge.2.linux.bigdata","data_volume_type":"SATA","data_volume_count":2,"data_volume_size":200},` +
			`"instances":"1","scale_without_start":false},"previous_values":{"plan_id":""}}`,
			fixture{core: 3, groups: `{"task":{"node_size":"s3.xlarge.2.linux.bigdata","data_volume_type":"SATA","data_volume_count":2,"data_volume_size":200,"scale_without_start":false}}`,
				changes: []provider.Change{count("task", 0, 1)}}},
		{"remove core nodes", `{"service_id":"","plan_id":"","parameters":{"order_id":"","scale_type":"scale_in","node_id":"node_orderadd",` +
			`"node_group":"core_node_default_group","instances":"1"},"previous_values":{"plan_id":""}}`,
			fixture{core: 4, groups: `{"core":{"scale_in":"cloud_chooses",` + flags + `}}`, changes: []provider.Change{count("core", 4, 3)}}},
		{"remove named task nodes", `{"service_id":"","plan_id":"","parameters":{"order_id":"","scale_type":"scale_in","node_id":"node_orderadd",` +
			`"node_group":"task_node_default_group","instances":"2","server_ids":["a4951009-6a0f-4e7b-9c81-9d4bd1f8c537","c9573435-7814-4b2c-9131-ad78b814414c"]},"previous_values":{"plan_id":""}}`,
			fixture{core: 3, task: 3, tasks: victims, groups: `{"task":{"server_ids":["c9573435-7814-4b2c-9131-ad78b814414c","a4951009-6a0f-4e7b-9c81-9d4bd1f8c537"],` + flags + `}}`,
				changes: []provider.Change{count("task", 3, 1)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.f.facts, c.f.status = `{"cluster_version":"MRS 3.1.0"}`, provider.StatusReady
			got := plan(t, c.f.request())
			if len(got.Actions) != 1 {
				t.Fatalf("%+v", got)
			}
			var request struct {
				Kind      string
				ClusterID string `json:"cluster_id"`
				Body      json.RawMessage
			}
			if err := json.Unmarshal(got.Actions[0].Request, &request); err != nil {
				t.Fatal(err)
			}
			if request.Kind != kindMRS || request.ClusterID != clusterA {
				t.Errorf("%s", got.Actions[0].Request)
			}
			if diff := cmp.Diff(c.want, string(request.Body)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestParseResizeRefuses(t *testing.T) {
	good := provider.Raw(newResize(clusterA, roleTask, -2))
	if _, err := parseResize(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"no JSON", "{", "["},
		{"another kind", `"mrs"`, `"hpc"`},
		{"cluster id that leads elsewhere", clusterA, "../x"},
		{"unknown member", `"kind"`, `"extra":1,"kind"`},
		{"scale type", `"scale_in"`, `"scale_up"`},
		{"node id", `"node_orderadd"`, `"x"`},
		{"node group", "task_node_default_group", "master_node_default_group"},
		{"no node", `"instances":"2"`, `"instances":"0"`},
		{"too many nodes", `"instances":"2"`, `"instances":"501"`},
		{"an odd number", `"instances":"2"`, `"instances":"+2"`},
		{"too few victims", `"instances":"2"`, `"instances":"2","server_ids":["a"]`},
		{"an empty victim", `"instances":"2"`, `"instances":"2","server_ids":["a",""]`},
		{"victims of core", `task_node_default_group","instances":"2"`, `core_node_default_group","instances":"1","server_ids":["a"]`},
		{"victims of growth", `scale_in","node_id":"node_orderadd","node_group":"task_node_default_group","instances":"2"`,
			`scale_out","node_id":"node_orderadd","node_group":"task_node_default_group","instances":"1","server_ids":["a"]`},
		{"a size with a removal", `"instances"`, `"task_node_info":{"node_size":"a"},"instances"`},
		{"a flag with a removal", `"instances"`, `"skip_bootstrap_scripts":false,"instances"`},
		{"a reserved member", `"order_id":""`, `"order_id":"x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := bytes.Replace(good, []byte(c.old), []byte(c.new), 1)
			if bytes.Equal(bad, good) {
				t.Fatal("the case changes nothing")
			}
			got := New().Start(t.Context(), provider.StartRequest{Request: bad, CheckOnly: true})
			if got.Outcome != provider.OutcomeRefused || got.Error == nil || got.Error.Kind != provider.KindInvalid {
				t.Errorf("check_only: %+v", got)
			}
			got = New().Start(t.Context(), provider.StartRequest{Request: bad})
			if got.Outcome != provider.OutcomeUnsent || got.Error == nil || got.Error.Kind != provider.KindInvalid {
				t.Errorf("start: %+v", got)
			}
		})
	}
	if got := New().Start(t.Context(), provider.StartRequest{Request: append(good, '1'), CheckOnly: true}); got.Outcome != provider.OutcomeRefused {
		t.Errorf("trailing bytes: %+v", got)
	}
}
