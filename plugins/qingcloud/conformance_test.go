package qingcloud_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest/rpctest"
	"github.com/clusterctl/clusterctl/plugins/qingcloud"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// The plugin keeps the contract, in process and over RPC.
func TestConformance(t *testing.T) {
	for name, newProvider := range map[string]func() provider.Provider{
		"in process": qingcloud.New,
		"over RPC":   func() provider.Provider { return rpctest.Connect(t, qingcloud.New()) },
	} {
		t.Run(name, func(t *testing.T) {
			opts, log := conformance(t)
			providertest.Run(t, newProvider, opts)
			// Of all that the suite tried, each action was taken once.
			var taken []string
			for _, e := range log.Entries() {
				if e.Event == "request" && e.Outcome == "accepted" {
					taken = append(taken, e.Call+" "+e.Cluster)
				}
			}
			if diff := cmp.Diff([]string{"resizeCluster hpc-gk3wfc7e", "createCluster ehpc-00000010"}, taken); diff != "" {
				t.Errorf("requests that the cloud took (-want +got):\n%s", diff)
			}
		})
	}
}

// simulation is the cluster of the example fleet that is to be created.
const simulation = `{"provider":"qc","kind":"ehpc","deploy_mode":"1","version_id":"appv-8k3d0ytv","vxnet":"vxnet-oilq879",
	"nas_id":"nas-1","nas_path":"10.0.0.7@o2ib:/lustrefs/x","admin_user":"admin","admin_password":{"env":"CCTL_SECRET_EHPC"},
	"software_library":{"nfs_need":1,"nfs_dns":"10.104.100.99","nfs_export":"qingyun.nsccjn.com:/shanhe","start_hook_on":1,"nfs_local":"/es01/software","nfs_network":"10.104.0.0/16"},
	"node_groups":{
		"login":{"count":1,"cpu":2,"memory":4096,"nas_mount_point":"/home"},
		"controller":{"count":1,"cpu":2,"memory":4096,"nas_mount_point":"/home"},
		"compute":{"count":2,"cpu":4,"memory":12288,"nas_mount_point":"/home"}}}`

// created are the fields of a spec that a create settles, as the engine lists
// them.
func created(t *testing.T, spec string) []provider.Change {
	t.Helper()
	var top map[string]any
	if err := json.Unmarshal([]byte(spec), &top); err != nil {
		t.Fatal(err)
	}
	fields := []provider.FieldChange{}
	for _, name := range []string{"version_id", "vxnet", "nas_id", "nas_path"} {
		fields = append(fields, provider.FieldChange{Path: name, After: top[name]})
	}
	for role, group := range top["node_groups"].(map[string]any) {
		for name, value := range group.(map[string]any) {
			if n, ok := value.(float64); ok {
				value = int64(n)
			}
			fields = append(fields, provider.FieldChange{Path: "node_groups." + role + "." + name, After: value})
		}
	}
	slices.SortFunc(fields, func(a, b provider.FieldChange) int { return strings.Compare(a.Path, b.Path) })
	return []provider.Change{{Op: provider.OpCreate, Fields: fields}}
}

// conformance is the example account beside two more clusters, on a clock that
// runs ahead while the suite waits.
func conformance(t *testing.T) (providertest.Options, *cloudsim.Log) {
	t.Helper()
	var ahead atomic.Int64
	sim := qingcloudsim.New(cloudsim.Options{
		Now:     func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		JobTime: 2 * time.Minute, AcceptWindow: 24 * time.Hour,
		AccessKeyID: "CANARYACCESSKEY01", SecretKey: "canary-of-the-secret-key",
	})
	var state, more qingcloudsim.State
	for raw, into := range map[string]*qingcloudsim.State{string(qingcloudsim.Example()): &state, string(qingcloudsim.Fleet(2)): &more} {
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			t.Fatal(err)
		}
	}
	state.Clusters = append(state.Clusters, more.Clusters...)
	state.RequestLimit = more.RequestLimit
	const closed = "ehpc-00000002" // its nodes cannot be read
	sim.Cloud(func(c cloudsim.Cloud) {
		if err := c.Restore(provider.Raw(state)); err != nil {
			t.Fatal(err)
		}
	})
	if err := sim.Inject(cloudsim.Fault{Kind: cloudsim.ErrorBefore, Call: "listNodes", Cluster: closed, Times: -1, Status: 200, Code: "1400"}); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(sim)
	t.Cleanup(web.Close)

	config := provider.Config{
		Entry: "qc", Endpoint: web.URL,
		Settings:    json.RawMessage(`{"plugin":"qingcloud","zone":"jn1a","owner":"usr-8rhqe0n7","uid_number":11017754,"gid_number":11017754}`),
		Credentials: map[string]string{"access_key_id": "CANARYACCESSKEY01", "secret_access_key": "canary-of-the-secret-key"},
		Timing:      &provider.Timing{AcceptWindow: time.Second, ReadLag: time.Millisecond},
	}
	unauthorized := config
	unauthorized.Credentials = map[string]string{"access_key_id": "CANARYACCESSKEY01", "secret_access_key": "canary-of-a-wrong-key"}
	field := func(path string, before, after any) provider.FieldChange {
		return provider.FieldChange{Path: path, Before: before, After: after}
	}
	return providertest.Options{
		Config: config, Unauthorized: &unauthorized,
		Malformed: []json.RawMessage{
			json.RawMessage(`{"zone":"jn1a","owner":"somebody","uid_number":1,"gid_number":1}`),
			json.RawMessage(`{"zone":"jn1a","owner":"usr-8rhqe0n7","uid_number":1}`),
		},
		Present: []provider.Key{
			{Kind: "hpc", ID: "hpc-gk3wfc7e"}, {Kind: "hpc", Name: "login"}, {Kind: "ehpc", ID: "ehpc-00000001"},
		},
		Absent:     []provider.Key{{Kind: "ehpc", ID: "ehpc-0000beef"}, {Kind: "ehpc", Name: "nobody"}},
		Unreadable: []provider.Key{{Kind: "ehpc", ID: closed}},
		Scenarios: []providertest.Scenario{
			{
				Name: "the example: a resize",
				Desired: provider.Desired{
					Address: "login", Kind: "hpc", Name: "login",
					Spec: json.RawMessage(`{"provider":"qc","kind":"hpc","deploy_mode":"1","node_groups":{"login":{"count":1,"cpu":2,"memory":4096,"nas_mount_point":"/home"}}}`),
				},
				Changes: []provider.Change{{Group: "login", Op: provider.OpResize, Fields: []provider.FieldChange{
					field("cpu", int64(1), int64(2)), field("memory", int64(2048), int64(4096)),
				}}},
				Actions: []providertest.Expected{{
					Group: "login", Op: provider.OpResize,
					From: map[string]int64{"cpu": 1, "memory": 2048}, To: map[string]int64{"cpu": 2, "memory": 4096},
				}},
			},
			{
				Name:    "the example: a create",
				Desired: provider.Desired{Address: "simulation", Kind: "ehpc", Name: "simulation", Spec: json.RawMessage(simulation)},
				Changes: created(t, simulation),
				Actions: []providertest.Expected{{Op: provider.OpCreate}},
				Secrets: map[string]string{"admin_password": "Canary-Passw0rd-of-admin"},
				BadSecrets: []map[string]string{
					{"admin_password": ""}, {"admin_password": "canary-with-a\nline-break"}, {"admin_password": "canary-\xff-not-text"},
				},
			},
			{
				Name: "another number of nodes, another network",
				Desired: provider.Desired{
					Address: "resting", Kind: "ehpc", ID: "ehpc-00000001", Name: "c00001",
					Spec: json.RawMessage(`{"provider":"qc","kind":"ehpc","id":"ehpc-00000001","vxnet":"vxnet-2","node_groups":{"compute":{"count":3}}}`),
				},
				Changes: []provider.Change{
					{Fields: []provider.FieldChange{field("vxnet", "vxnet-oilq879", "vxnet-2")}},
					{Group: "compute", Op: provider.OpScaleOut, Fields: []provider.FieldChange{field("count", int64(2), int64(3))}},
				},
			},
		},
		Wait: func(ctx context.Context) error {
			ahead.Add(int64(time.Minute))
			return ctx.Err()
		},
		Skips: []string{},
	}, sim.Log()
}
