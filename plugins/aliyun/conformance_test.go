package aliyun_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/aliyun"
	"github.com/clusterctl/clusterctl/plugins/aliyun/aliyunsim"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest/rpctest"
)

// The plugin keeps the contract, in process and over RPC.
func TestConformance(t *testing.T) {
	for name, newProvider := range map[string]func() provider.Provider{
		"in process": aliyun.New,
		"over RPC":   func() provider.Provider { return rpctest.Connect(t, aliyun.New()) },
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
			if diff := cmp.Diff([]string{"ScaleOutCluster " + secure, "ScaleOutCluster " + edge}, taken); diff != "" {
				t.Errorf("requests that the cloud took (-want +got):\n%s", diff)
			}
		})
	}
}

const (
	secure  = "c00000000000000000000000000000001" // of the example fleet
	edge    = "c00000000000000000000000000000002"
	resting = "c00000000000000000000000000000003"
	closed  = "c00000000000000000000000000000004" // its nodes cannot be read

	passwordPath = "node_groups.worker.login_password"
)

// conformance is the example account beside two more clusters, on a clock that
// runs ahead while the suite waits.
func conformance(t *testing.T) (providertest.Options, *cloudsim.Log) {
	t.Helper()
	var ahead atomic.Int64
	sim := aliyunsim.New(cloudsim.Options{
		Now:     func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		JobTime: 2 * time.Minute, AcceptWindow: 24 * time.Hour,
		AccessKeyID: "CANARYACCESSKEY01", SecretKey: "canary-of-the-secret-key",
	})
	var state aliyunsim.State
	if err := json.Unmarshal(aliyunsim.Example(), &state); err != nil {
		t.Fatal(err)
	}
	for id, name := range map[string]string{resting: "resting", closed: "closed"} {
		state.Clusters = append(state.Clusters, &aliyunsim.Cluster{
			ID: id, Kind: aliyunsim.Sandbox, Name: name, Nodes: []*aliyunsim.Node{{}, {}},
		})
	}
	sim.Cloud(func(c cloudsim.Cloud) {
		if err := c.Restore(provider.Raw(&state)); err != nil {
			t.Fatal(err)
		}
	})
	if err := sim.Inject(cloudsim.Fault{Kind: cloudsim.ErrorBefore, Call: "DescribeClusterNodes", Cluster: closed, Times: -1, Status: 403, Code: "Forbidden.RAM"}); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(sim)
	t.Cleanup(web.Close)

	config := provider.Config{
		Entry: "ali", Endpoint: web.URL, Settings: json.RawMessage(`{"plugin":"aliyun","region":"cn-beijing"}`),
		Credentials: map[string]string{"access_key_id": "CANARYACCESSKEY01", "access_key_secret": "canary-of-the-secret-key"},
		Timing:      &provider.Timing{AcceptWindow: time.Second, ReadLag: time.Millisecond},
	}
	unauthorized := config
	unauthorized.Credentials = map[string]string{"access_key_id": "CANARYACCESSKEY01", "access_key_secret": "canary-of-a-wrong-key"}
	counts := func(n int64) map[string]int64 { return map[string]int64{"count": n} }
	count := func(op provider.Op, from, to int64) []provider.Change {
		return []provider.Change{{Group: "worker", Op: op, Fields: []provider.FieldChange{{Path: "count", Before: from, After: to}}}}
	}
	grow := []providertest.Expected{{Group: "worker", Op: provider.OpScaleOut, From: counts(2), To: counts(4)}}
	const machines = `"vswitch_ids":["vsw-2zes3rfz7bmk0nxxxxxxx"],"worker_instance_types":["ecs.ebmg5s.24xlarge"],
		"worker_instance_charge_type":"PostPaid","worker_system_disk_category":"cloud_efficiency","worker_system_disk_size":120,
		"worker_data_disk":true,"worker_data_disk_category":"cloud_efficiency","worker_data_disk_size":240`
	return providertest.Options{
		Config: config, Unauthorized: &unauthorized,
		Malformed: []json.RawMessage{json.RawMessage(`{"region":"cn-beijing.example.org/"}`)},
		Present: []provider.Key{
			{Kind: "ack_sandbox", ID: secure}, {Kind: "ack_edge", ID: edge}, {Kind: "ack_sandbox", Name: "resting"},
		},
		Absent:     []provider.Key{{Kind: "ack_edge", ID: "c0000000000000000000000000000beef"}, {Kind: "ack_sandbox", Name: "nobody"}},
		Unreadable: []provider.Key{{Kind: "ack_sandbox", ID: closed}},
		Scenarios: []providertest.Scenario{
			{
				Name: "the example: sandboxed-container workers",
				Desired: provider.Desired{
					Address: "secure", Kind: "ack_sandbox", ID: secure, Name: "secure",
					Spec: json.RawMessage(`{"provider":"ali","kind":"ack_sandbox","id":"` + secure + `","node_groups":{"worker":{"count":4,"key_pair":"ops",` + machines + `}}}`),
				},
				Changes: count(provider.OpScaleOut, 2, 4), Actions: grow,
			},
			{
				Name: "workers whose number is somebody else's",
				Desired: provider.Desired{
					Address: "secure", Kind: "ack_sandbox", ID: secure, Name: "secure",
					Spec: json.RawMessage(`{"provider":"ali","kind":"ack_sandbox","id":"` + secure + `","node_groups":{"worker":{"key_pair":"ops",` + machines + `}}}`),
				},
			},
			{
				Name: "the example: edge workers",
				Desired: provider.Desired{
					Address: "edge", Kind: "ack_edge", ID: edge, Name: "edge",
					Spec: json.RawMessage(`{"provider":"ali","kind":"ack_edge","id":"` + edge + `","node_groups":{"worker":{"count":4,
						"worker_instance_type":"ens.sn1.tiny","ens_region_id":"cn-beijing-telecom",
						"worker_image_id":"centos_7_06_64_20G_alibase_20190711","ens_internet_charge_type":"BandwidthByDay",
						"worker_period":1,"worker_auto_renew":false,"login_password":{"env":"CCTL_SECRET_ACK"},
						"worker_system_disk_size":40,"worker_data_disk_size":20,"is_edge_worker":true}}}`),
				},
				Changes: count(provider.OpScaleOut, 2, 4), Actions: grow,
				Secrets:    map[string]string{passwordPath: "Canary-Passw0rd-of-edge"},
				BadSecrets: []map[string]string{{passwordPath: "canaryoflowercase"}, {passwordPath: "Sh0rt!"}, {passwordPath: ""}},
			},
			{
				Name: "fewer workers",
				Desired: provider.Desired{
					Address: "resting", Kind: "ack_sandbox", Name: "resting",
					Spec: json.RawMessage(`{"provider":"ali","kind":"ack_sandbox","node_groups":{"worker":{"count":1,"key_pair":"ops",` + machines + `}}}`),
				},
				Changes: count(provider.OpScaleIn, 2, 1),
			},
			{
				Name: "a cluster that is not there",
				Desired: provider.Desired{
					Address: "new", Kind: "ack_sandbox", Name: "new",
					Spec: json.RawMessage(`{"provider":"ali","kind":"ack_sandbox","node_groups":{"worker":{"count":1,"key_pair":"ops",` + machines + `}}}`),
				},
				Changes: []provider.Change{{Op: provider.OpCreate, Fields: []provider.FieldChange{{Path: "node_groups.worker.count", After: int64(1)}}}},
			},
		},
		Wait: func(ctx context.Context) error {
			ahead.Add(int64(time.Minute))
			return ctx.Err()
		},
		Skips: []string{"describe-quoter", "quote-price", "quote-bad-request"},
	}, sim.Log()
}
