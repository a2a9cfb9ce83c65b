package aliyun

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
	schema "github.com/clusterctl/clusterctl/schema/aliyun"
)

// The documents' request examples. The sandbox example masks its password; a
// made-up one that keeps the rule stands for it.
const (
	sandboxExample = `{
    "login_password":"Hello1234!",
    "worker_instance_charge_type":"PostPaid",
    "vswitch_ids":["vsw-2zes3rfz7bmk0nxxxxxxx"],
    "worker_instance_types":["ecs.ebmg5s.24xlarge"],
    "worker_system_disk_category":"cloud_efficiency",
    "worker_system_disk_size":120,
    "worker_data_disk":true,
    "worker_data_disk_category":"cloud_efficiency",
    "worker_data_disk_size":200,
    "tags":[],
    "count":1,
    "disable_rollback":false
}`
	edgeExample = `{
  "timeout_mins": 60,
  "worker_instance_type": "ens.sn1.tiny",
  "ens_region_id": "cn-beijing-telecom",
  "worker_image_id": "m-2QVLO2T8NYgm8CNQVg",
  "ens_internet_charge_type": "BandwidthByDay",
  "worker_period": 1,
  "worker_auto_renew": true,
  "worker_auto_renew_period": 1,
  "login_password": "Hello1234!",
  "count": 1,
  "worker_system_disk_size": 20,
  "worker_data_disk_size": 0,
  "is_edge_worker": true
}`
	examplePassword = "Hello1234!"
)

// specOf turns a document's example into the spec that asks for it, with the
// total wanted.
func specOf(t *testing.T, example string, count int) json.RawMessage {
	t.Helper()
	var group map[string]any
	if err := json.Unmarshal([]byte(example), &group); err != nil {
		t.Fatal(err)
	}
	group["count"] = count
	group["login_password"] = map[string]string{"env": "CCTL_SECRET_ACK"}
	return provider.Raw(map[string]any{"node_groups": map[string]any{"worker": group}})
}

// A plan for one node more, sent with the password, is the document's example
// byte for byte but for white space.
func TestBodyIsTheDocumentsExample(t *testing.T) {
	for kind, example := range map[string]string{kindSandbox: sandboxExample, kindEdge: edgeExample} {
		t.Run(kind, func(t *testing.T) {
			action := planOne(t, kind, specOf(t, example, 4), 3)
			path, raw, err := signable(provider.StartRequest{
				Request: action.Request, Secrets: map[string]string{secretPassword: examplePassword},
			})
			if err != nil {
				t.Fatal(err)
			}
			if want := "/api/v2/clusters/c1"; path != want {
				t.Errorf("path %s, want %s", path, want)
			}
			var want bytes.Buffer
			if err := json.Compact(&want, []byte(example)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), string(raw)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if strings.Contains(string(action.Request), "password") {
				t.Errorf("the request holds a password: %s", action.Request)
			}
		})
	}
}

func TestRequestBytes(t *testing.T) {
	sandbox := `{"action":"ScaleOutCluster","kind":"ack_sandbox","cluster_id":"c1","body":{"key_pair":"ops","worker_instance_charge_type":"PostPaid","vswitch_ids":["vsw-1"],"worker_instance_types":["ecs.ebmg5s.24xlarge"],"worker_system_disk_category":"cloud_efficiency","worker_system_disk_size":120,"worker_data_disk":true,"worker_data_disk_category":"cloud_efficiency","worker_data_disk_size":240,"count":2}}`
	edge := `{"action":"ScaleOutCluster","kind":"ack_edge","cluster_id":"c1","body":{"worker_instance_type":"ens.sn1.tiny","ens_region_id":"cn-beijing-telecom","worker_image_id":"m<&>1","ens_internet_charge_type":"95BandwidthByMonth","worker_period":1,"key_pair":"ops","count":2,"worker_system_disk_size":40,"is_edge_worker":true}}`
	spec := map[string]string{
		kindSandbox: `{"node_groups":{"worker":{"count":4,"key_pair":"ops","vswitch_ids":["vsw-1"],"worker_instance_types":["ecs.ebmg5s.24xlarge"],"worker_instance_charge_type":"PostPaid","worker_system_disk_category":"cloud_efficiency","worker_system_disk_size":120,"worker_data_disk":true,"worker_data_disk_category":"cloud_efficiency","worker_data_disk_size":240}}}`,
		// worker_period is sent though the spec leaves it out.
		kindEdge: `{"node_groups":{"worker":{"count":4,"key_pair":"ops","worker_instance_type":"ens.sn1.tiny","ens_region_id":"cn-beijing-telecom","worker_image_id":"m<&>1","ens_internet_charge_type":"95BandwidthByMonth","worker_system_disk_size":40,"is_edge_worker":true}}}`,
	}
	for kind, want := range map[string]string{kindSandbox: sandbox, kindEdge: edge} {
		action := planOne(t, kind, json.RawMessage(spec[kind]), 2)
		if diff := cmp.Diff(want, string(action.Request)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
		if len(action.Secrets) != 0 {
			t.Errorf("%s asks for secrets %v with a key pair", kind, action.Secrets)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	tests := []struct {
		password string
		ok       bool
	}{
		{"Hello1234!", true},
		{"Hello123", true},
		{"Hello12", false},
		{strings.Repeat("Aa1", 10), true},
		{strings.Repeat("Aa1", 10) + "x", false},
		{"hello123", false},
		{"HELLO123", false},
		{"hello!!!", false},
		{"hello12!", true},
		{"HELLO12!", true},
		{"Hello!!!", true},
		{"Hellohel", false},
		{"12345678", false},
		{"密码密码密码密码密码aA1", true}, // characters, not bytes
		{"Hello 12 ", true},
		{"hello 12", false}, // a space is no special character
		{"", false},
	}
	for _, tt := range tests {
		err := checkPassword(tt.password)
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.password, err)
		}
		if err != nil && tt.password != "" && strings.Contains(err.Error(), tt.password) {
			t.Errorf("the message prints the password: %v", err)
		}
	}
}

func TestParseScaleOutRefuses(t *testing.T) {
	good := `{"action":"ScaleOutCluster","kind":"ack_edge","cluster_id":"c1","body":{"count":1}}`
	if _, _, err := parseScaleOut([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string][2]string{
		"action":       {"ScaleOutCluster", "DeleteCluster"},
		"kind":         {"ack_edge", "mrs"},
		"id":           {`"c1"`, `"../c1"`},
		"no id":        {`"c1"`, `""`},
		"count":        {`"count":1`, `"count":0`},
		"unknown":      {`"count":1`, `"count":1,"size":2`},
		"password":     {`"count":1`, `"count":1,"login_password":"Hello1234!"`},
		"body":         {`{"count":1}`, `[]`},
		"rest":         {`}}`, `}}{}`},
		"not JSON":     {`{"action"`, `"action"`},
		"outer member": {`{"action"`, `{"extra":1,"action"`},
	} {
		if _, _, err := parseScaleOut([]byte(strings.Replace(good, edit[0], edit[1], 1))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Every field that the schema allows in a group goes into the call, and none
// else: a field on one side only would be lost or refused.
func TestBodiesHoldTheSchemasFields(t *testing.T) {
	files := schema.Files()
	for _, tt := range []struct {
		file, definition string
		body             any
	}{
		{"ack_sandbox.cue", "#SandboxWorkers: {", sandboxBody{}},
		{"ack_edge.cue", "#EdgeWorkers: {", edgeBody{}},
	} {
		_, text, ok := strings.Cut(string(files[tt.file]), tt.definition)
		if !ok {
			t.Fatalf("%s has no %s", tt.file, tt.definition)
		}
		text, _, _ = strings.Cut(text, "\n}\n")
		want, got := map[string]bool{}, map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^\t([a-z_]+)[?!]?: `).FindAllStringSubmatch(text, -1) {
			want[m[1]] = true
		}
		body := reflect.TypeOf(tt.body)
		for i := range body.NumField() {
			name, _, _ := strings.Cut(body.Field(i).Tag.Get("json"), ",")
			got[name] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-schema +body):\n%s", tt.file, diff)
		}
	}
}
