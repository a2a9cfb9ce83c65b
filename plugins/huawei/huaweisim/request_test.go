package huaweisim_test

import (
	"fmt"
	"strings"
	"testing"
)

func task(members string) string { return `"task_node_info":{` + members + `}` }

const size = `"node_size":"s3.xlarge.2.linux.bigdata"`

// The forms of a request: what no live state decides. The cluster has 5 Core
// and 5 Task nodes with the numbers 8 to 12.
func TestRequestForms(t *testing.T) {
	id := func(n int) string { return fmt.Sprintf(`"0000a000-0000-4000-8000-%012d"`, n) }
	ids := func(n ...string) string { return `"server_ids":[` + strings.Join(n, ",") + `]` }
	in := func(n int, more string) string { return resize("scale_in", "task", n, more) }
	params := func(s string) string { return `{"parameters":{` + s + `}}` }
	const required = `"scale_type":"scale_out","node_id":"node_orderadd"`
	tests := []struct{ name, body, code string }{
		{"the document's example", `{"service_id":"","plan_id":"","parameters":{"order_id":"","scale_type":"scale_out","node_id":"node_orderadd",
			"node_group":"core_node_default_group","instances":"1","skip_bootstrap_scripts":false,"scale_without_start":false},"previous_values":{"plan_id":""}}`, ""},
		{"least", params(required + `,"instances":1`), ""},
		{"members nobody knows", params(required + `,"instances":1,"colour":"red"`), ""},

		{"no body", ``, "12000009"},
		{"no JSON", `{"parameters":`, "12000009"},
		{"more than one value", resize("scale_out", "core", 1) + "{}", "12000009"},
		{"a list", `[]`, "12000009"},
		{"null", `null`, "12000009"},
		{"no parameters", `{}`, "12000002"},
		{"parameters null", `{"parameters":null}`, "12000002"},
		{"parameters of another type", `{"parameters":"x"}`, "12000009"},
		{"another case", strings.Replace(resize("scale_out", "core", 1), "instances", "Instances", 1), "12000002"},

		{"reserved service_id", `{"service_id":"x",` + resize("scale_out", "core", 1)[1:], "12000002"},
		{"reserved plan_id", `{"plan_id":"x",` + resize("scale_out", "core", 1)[1:], "12000002"},
		{"reserved order_id", resize("scale_out", "core", 1, `"order_id":"x"`), "12000002"},
		{"reserved previous plan_id", `{"previous_values":{"plan_id":"x"},` + resize("scale_out", "core", 1)[1:], "12000002"},
		{"previous_values of another type", `{"previous_values":7,` + resize("scale_out", "core", 1)[1:], "12000009"},

		{"no scale_type", params(`"node_id":"node_orderadd","instances":1`), "12000002"},
		{"another scale_type", resize("scale_up", "core", 1), "12000002"},
		{"scale_type of another type", params(`"scale_type":1,"node_id":"node_orderadd","instances":1`), "12000009"},
		{"no node_id", params(`"scale_type":"scale_out","instances":1`), "12000002"},
		{"another node_id", params(`"scale_type":"scale_out","node_id":"node_1","instances":1`), "12000002"},

		{"group empty means Core", params(required + `,"instances":1,"node_group":""`), ""},
		{"group null means Core", params(required + `,"instances":1,"node_group":null`), ""},
		{"Master cannot be resized", resize("scale_out", "master", 1), "12000002"},
		{"the name that is read", params(required + `,"instances":1,"node_group":"core_node_analysis_group"`), "12000002"},

		{"instances missing", params(required), "12000002"},
		{"instances null", params(required + `,"instances":null`), "12000002"},
		{"instances 0", params(required + `,"instances":0`), "12000002"},
		{"instances text 0", params(required + `,"instances":"0"`), "12000002"},
		{"instances negative", params(required + `,"instances":-1`), "12000002"},
		{"instances signed", params(required + `,"instances":"+1"`), "12000002"},
		{"instances with a space", params(required + `,"instances":" 1"`), "12000002"},
		{"instances empty", params(required + `,"instances":""`), "12000002"},
		{"instances a fraction", params(required + `,"instances":1.5`), "12000002"},
		{"instances huge", params(required + `,"instances":"99999999999999999999"`), "12000002"},
		{"instances a list", params(required + `,"instances":[1]`), "12000009"},
		{"instances a boolean", params(required + `,"instances":true`), "12000009"},

		{"flag as text", resize("scale_out", "core", 1, `"skip_bootstrap_scripts":"false"`), ""},
		{"flag of another type", resize("scale_out", "core", 1, `"skip_bootstrap_scripts":1`), "12000009"},
		{"flag of another text", resize("scale_out", "core", 1, `"scale_without_start":"yes"`), "12000009"},

		{"no node named", in(2, ids()), ""},
		{"nodes named", in(2, ids(id(8), id(12))), ""},
		{"more named than instances", in(1, ids(id(8), id(9))), "12000002"},
		{"fewer named than instances", in(2, ids(id(8))), "12000002"},
		{"a node named twice", in(2, ids(id(8), id(8))), "12000002"},
		{"a Core node named", in(1, ids(id(7))), "12000013"},
		{"nobody named", in(1, ids(id(13))), "12000013"},
		{"a name instead of an id", in(1, ids(`"node-task-00008.com"`)), "12000013"},
		{"a resource_id instead of an id", in(1, ids(`"0000b000-0000-4000-8000-000000000008"`)), "12000013"},
		{"nodes named for Core", resize("scale_in", "core", 1, ids(id(3))), "12000002"},
		{"nodes named for a scale-out have no effect", resize("scale_out", "task", 1, ids(id(8), id(8))), ""},
		{"server_ids of another type", in(1, `"server_ids":"x"`), "12000009"},
		{"server_ids of numbers", in(1, `"server_ids":[8]`), "12000009"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkResize(t, newSim(t, fleet(5, 5, "")), tt.body, tt.code)
		})
	}
}

// task_node_info, each member with its edges.
func TestTaskNodeInfo(t *testing.T) {
	tests := []struct{ name, task, code string }{
		{"node size alone", task(size), ""},
		{"no node size", task(`"data_volume_count":1`), "12000002"},
		{"empty object", task(``), "12000002"},
		{"empty node size", task(`"node_size":""`), "12000002"},
		{"no node size of MRS", task(`"node_size":"large"`), "12000002"},
		{"node size of another type", task(`"node_size":1`), "12000009"},
		{"info of another type", `"task_node_info":"x"`, "12000009"},
		{"SATA", task(size + `,"data_volume_type":"SATA"`), ""},
		{"SAS", task(size + `,"data_volume_type":"SAS"`), ""},
		{"SSD", task(size + `,"data_volume_type":"SSD"`), ""},
		{"GPSSD", task(size + `,"data_volume_type":"GPSSD"`), "12000002"},
		{"empty type", task(size + `,"data_volume_type":""`), "12000002"},
		{"0 volumes", task(size + `,"data_volume_count":0`), "12000002"},
		{"1 volume", task(size + `,"data_volume_count":1`), ""},
		{"10 volumes", task(size + `,"data_volume_count":10`), ""},
		{"11 volumes", task(size + `,"data_volume_count":11`), "12000002"},
		{"count as text", task(size + `,"data_volume_count":"1"`), "12000009"},
		{"99 GB", task(size + `,"data_volume_size":99`), "12000002"},
		{"100 GB", task(size + `,"data_volume_size":100`), ""},
		{"32000 GB", task(size + `,"data_volume_size":32000`), ""},
		{"32001 GB", task(size + `,"data_volume_size":32001`), "12000002"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkResize(t, newSim(t, fleet(3, 0, "")), resize("scale_out", "task", 1, tt.task), tt.code)
		})
	}
}
