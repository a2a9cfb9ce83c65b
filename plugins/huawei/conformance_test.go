package huawei_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest/rpctest"
)

// The plugin keeps the contract, in process and over RPC.
func TestConformance(t *testing.T) {
	for name, newProvider := range map[string]func() provider.Provider{
		"in process": huawei.New,
		"over RPC":   func() provider.Provider { return rpctest.Connect(t, huawei.New()) },
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
			if diff := cmp.Diff([]string{"UpdateClusterScaling " + analytics, "UpdateClusterScaling " + analytics}, taken); diff != "" {
				t.Errorf("requests that the cloud took (-want +got):\n%s", diff)
			}
		})
	}
}

const (
	analytics = "00000000-0000-4000-8000-000000000001" // of the example fleet
	resting   = "00000000-0000-4000-8000-000000000002"
	closed    = "00000000-0000-4000-8000-000000000003" // its hosts cannot be read
)

// conformance is the example account beside two more clusters, on a clock that
// runs ahead while the suite waits.
func conformance(t *testing.T) (providertest.Options, *cloudsim.Log) {
	t.Helper()
	var ahead atomic.Int64
	sim := huaweisim.New(cloudsim.Options{
		Now:     func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		JobTime: 2 * time.Minute, AcceptWindow: 24 * time.Hour,
		AccessKeyID: "CANARYACCESSKEY01", SecretKey: "canary-of-the-secret-key",
	})
	var state, more huaweisim.State
	for raw, into := range map[string]*huaweisim.State{string(huaweisim.Example()): &state, string(huaweisim.Fleet(3)): &more} {
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			t.Fatal(err)
		}
	}
	state.Clusters = append(state.Clusters, more.Clusters[1:]...)
	sim.Cloud(func(c cloudsim.Cloud) {
		if err := c.Restore(provider.Raw(state)); err != nil {
			t.Fatal(err)
		}
	})
	if err := sim.Inject(cloudsim.Fault{Kind: cloudsim.ErrorBefore, Call: "ListHosts", Cluster: closed, Times: -1, Status: 403, Code: "SIM.0403"}); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(sim)
	t.Cleanup(web.Close)

	config := provider.Config{
		Entry: "huawei", Endpoint: web.URL,
		Settings:    json.RawMessage(`{"plugin":"huawei","region":"cn-north-4","project_id":"0123456789abcdef0123456789abcdef"}`),
		Credentials: map[string]string{"access_key_id": "CANARYACCESSKEY01", "secret_access_key": "canary-of-the-secret-key"},
		Timing:      &provider.Timing{AcceptWindow: time.Second, ReadLag: time.Millisecond},
	}
	unauthorized := config
	unauthorized.Credentials = map[string]string{"access_key_id": "CANARYACCESSKEY01", "secret_access_key": "canary-of-a-wrong-key"}
	counts := func(n int64) map[string]int64 { return map[string]int64{"count": n} }
	count := func(group string, op provider.Op, from, to int64) provider.Change {
		return provider.Change{Group: group, Op: op, Fields: []provider.FieldChange{{Path: "count", Before: from, After: to}}}
	}
	return providertest.Options{
		Config: config, Unauthorized: &unauthorized,
		Malformed: []json.RawMessage{
			json.RawMessage(`{"region":"cn-north-4/x","project_id":"0123456789abcdef0123456789abcdef"}`),
			json.RawMessage(`{"region":"cn-north-4","project_id":"../clusters"}`),
		},
		Present:    []provider.Key{{Kind: "mrs", ID: analytics}, {Kind: "mrs", Name: "c00002"}},
		Absent:     []provider.Key{{Kind: "mrs", ID: "00000000-0000-4000-8000-00000000beef"}, {Kind: "mrs", Name: "nobody"}},
		Unreadable: []provider.Key{{Kind: "mrs", ID: closed}},
		Scenarios: []providertest.Scenario{
			{
				Name: "the example: Core grows, Task shrinks",
				Desired: provider.Desired{
					Address: "analytics", Kind: "mrs", ID: analytics, Name: "analytics",
					Spec: json.RawMessage(`{"provider":"huawei","kind":"mrs","id":"` + analytics + `","node_groups":{
						"core":{"count":5},
						"task":{"count":10,"node_size":"c3.4xlarge.2.linux.bigdata","data_volume_type":"SAS","data_volume_count":2,"data_volume_size":200}}}`),
				},
				Changes: []provider.Change{count("core", provider.OpScaleOut, 3, 5), count("task", provider.OpScaleIn, 12, 10)},
				Actions: []providertest.Expected{
					{Group: "task", Op: provider.OpScaleIn, From: counts(12), To: counts(10), Removes: 2},
					{Group: "core", Op: provider.OpScaleOut, From: counts(3), To: counts(5)},
				},
			},
			{
				Name: "another size of Task nodes whose number is somebody else's",
				Desired: provider.Desired{
					Address: "analytics", Kind: "mrs", ID: analytics, Name: "analytics",
					Spec: json.RawMessage(`{"provider":"huawei","kind":"mrs","id":"` + analytics + `","node_groups":{"core":{},"task":{"node_size":"s3.xlarge.2.linux.bigdata"}}}`),
				},
				Changes: []provider.Change{{Group: "task", Op: provider.OpResize, Fields: []provider.FieldChange{
					{Path: "node_size", Before: "c3.4xlarge.2.linux.bigdata", After: "s3.xlarge.2.linux.bigdata"}}}},
			},
			{
				Name: "Master nodes and the floor of Core",
				Desired: provider.Desired{
					Address: "resting", Kind: "mrs", Name: "c00002",
					Spec: json.RawMessage(`{"provider":"huawei","kind":"mrs","name":"c00002","node_groups":{"master":{"count":3},"core":{"count":1}}}`),
				},
				Changes: []provider.Change{count("master", provider.OpScaleOut, 2, 3), count("core", provider.OpScaleIn, 3, 1)},
			},
			{
				Name: "a cluster that is not there",
				Desired: provider.Desired{
					Address: "new", Kind: "mrs", Name: "new",
					Spec: json.RawMessage(`{"provider":"huawei","kind":"mrs","node_groups":{"core":{"count":3}}}`),
				},
				Changes: []provider.Change{{Op: provider.OpCreate, Fields: []provider.FieldChange{{Path: "node_groups.core.count", After: int64(3)}}}},
			},
		},
		Wait: func(ctx context.Context) error {
			ahead.Add(int64(time.Minute))
			return ctx.Err()
		},
		// MRS gives a resize no handle, takes no secrets and tells no prices.
		Skips: []string{
			"describe-quoter", "quote-price", "quote-bad-request", "start-bad-secrets",
			"tasks-followed", "poll-later-process", "poll-unread",
		},
	}, sim.Log()
}
