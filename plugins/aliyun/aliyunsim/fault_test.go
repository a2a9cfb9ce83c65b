package aliyunsim

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// outcomes lists, for the requests in the audit log, what became of them.
func (b *bed) outcomes() []string {
	var list []string
	for _, e := range b.sim.Log().Entries() {
		if e.Event == "request" {
			list = append(list, strings.TrimSpace(e.Outcome+" "+e.Code))
		}
	}
	return list
}

func TestLostReplies(t *testing.T) {
	for _, tt := range []struct {
		fault   cloudsim.Fault
		status  int // 0: the connection breaks
		code    string
		workers int
	}{
		{cloudsim.Fault{Kind: cloudsim.DropBefore}, 0, "", 2},
		{cloudsim.Fault{Kind: cloudsim.DropAfter}, 0, "", 3},
		{cloudsim.Fault{Kind: cloudsim.ErrorBefore}, 500, "InternalError", 2},
		{cloudsim.Fault{Kind: cloudsim.ErrorAfter}, 500, "InternalError", 3},
		{cloudsim.Fault{Kind: cloudsim.ErrorBefore, Status: 503}, 503, "ServiceUnavailable", 2},
		{cloudsim.Fault{Kind: cloudsim.ErrorAfter, Status: 502, Code: "X"}, 502, "X", 3},
		{cloudsim.Fault{Kind: cloudsim.Garbage}, 200, "", 3},
		{cloudsim.Fault{Kind: cloudsim.Slow, Delay: time.Millisecond}, 200, "", 3},
		{cloudsim.Fault{Kind: cloudsim.Throttle}, 400, "Throttling.User", 2},
		{cloudsim.Fault{Kind: cloudsim.Throttle, Status: 429, Code: "Throttling.Api"}, 429, "Throttling.Api", 2},
		{cloudsim.Fault{Kind: cloudsim.Throttle, Status: 503, Code: "ServiceUnavailable"}, 503, "ServiceUnavailable", 2},
		{cloudsim.Fault{Kind: cloudsim.Throttle, Code: "QPS Limit Exceeded"}, 400, "QPS Limit Exceeded", 2},
	} {
		b := newBed(t, Example(), cloudsim.Options{})
		b.inject(tt.fault)
		a := b.scale(edgeID, 1, nil)
		if (a.err != nil) != (tt.status == 0) || a.status != tt.status || a.code() != tt.code {
			t.Errorf("%+v: %d %s %v", tt.fault, a.status, a.raw, a.err)
		}
		if got := b.workers(edgeID); got != tt.workers {
			t.Errorf("%+v: %d workers, want %d", tt.fault, got, tt.workers)
		}
		if tt.fault.Kind == cloudsim.Garbage && a.body != nil {
			t.Errorf("garbage is JSON: %s", a.raw)
		}
		if a.status >= 400 && (a.header.Get("Date") != "Sun, 01 Mar 2026 08:00:00 GMT" || a.header.Get("x-acs-request-id") == "") {
			t.Errorf("%+v: headers %v", tt.fault, a.header)
		}
		// The fault is spent: the same order again adds one more.
		if a := b.scale(edgeID, 1, nil); a.status != 200 || b.workers(edgeID) != tt.workers+1 {
			t.Errorf("%+v, then: %d %s", tt.fault, a.status, a.raw)
		}
	}
}

func TestThrottleHeaders(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	for code, header := range map[string]string{"": "x-ratelimit-user", "Throttling": "x-ratelimit-user", "Throttling.Api": "x-ratelimit-user-api"} {
		b.inject(cloudsim.Fault{Kind: cloudsim.Throttle, Code: code, Call: "DescribeClustersV1", Delay: 3 * time.Second})
		a := b.get("DescribeClustersV1", "/api/v1/clusters")
		if got := a.header.Get(header); !strings.Contains(got, ",TimeLeft:3000,") || a.body["Code"] == nil {
			t.Errorf("%q: %s is %q, %s", code, header, got, a.raw)
		}
	}
}

func TestHeldRequest(t *testing.T) {
	for _, tt := range []struct {
		delay   time.Duration
		workers int
		last    string
	}{
		{14 * time.Minute, 3, "accepted"},
		{16 * time.Minute, 2, "refused InvalidTimeStamp.Expired"},
	} {
		b := newBed(t, Example(), cloudsim.Options{})
		b.inject(cloudsim.Fault{Kind: cloudsim.Hold, Delay: tt.delay})
		if a := b.scale(edgeID, 1, nil); a.err == nil {
			t.Errorf("the connection holds: %s", a.raw)
		}
		b.clock.move(tt.delay - time.Second)
		if got := b.workers(edgeID); got != 2 || len(b.outcomes()) != 0 {
			t.Errorf("too early: %d workers, %v", got, b.outcomes())
		}
		b.clock.move(time.Second)
		b.sim.Release()
		if got := b.workers(edgeID); got != tt.workers {
			t.Errorf("after %v: %d workers, want %d", tt.delay, got, tt.workers)
		}
		if diff := cmp.Diff([]string{tt.last}, b.outcomes()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestStaleReads(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{History: 20, JobTime: time.Minute})
	stale := func(back time.Duration) {
		b.inject(cloudsim.Fault{Kind: cloudsim.Stale, Delay: back})
	}
	b.clock.move(time.Hour)
	b.scale(edgeID, 1, nil)
	b.clock.move(10 * time.Second)
	stale(20 * time.Second)
	if a := b.get("DescribeClusterDetail", "/clusters/"+edgeID); a.body["state"] != "running" {
		t.Errorf("before the scale-out: %s", a.raw)
	}
	if a := b.get("DescribeClusterDetail", "/clusters/"+edgeID); a.body["state"] != "scaling" {
		t.Errorf("now: %s", a.raw)
	}
	b.clock.move(5 * time.Minute)
	if got := b.workers(edgeID); got != 3 {
		t.Errorf("now: %d workers", got)
	}
	// Nobody looked when the job's middle passed; the past knows it all the same.
	stale(4*time.Minute + 30*time.Second)
	if got := b.workers(edgeID); got != 3 {
		t.Errorf("in the job's second half: %d workers", got)
	}
	stale(5 * time.Minute)
	if got := b.workers(edgeID); got != 2 {
		t.Errorf("in its first half: %d workers", got)
	}
	n := 0
	for _, e := range b.sim.Log().Entries() {
		n += len(e.Nodes)
	}
	if n != 1 {
		t.Errorf("looking back added nodes: %d in the log", n)
	}
}

func TestDrift(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{JobTime: time.Minute})
	drift := func(d cloudsim.Drift) (err error) {
		b.sim.Cloud(func(c cloudsim.Cloud) { err = c.Drift(d) })
		return err
	}
	for _, d := range []cloudsim.Drift{
		{Cluster: "none"},
		{Cluster: edgeID, Group: "core"},
		{Cluster: edgeID, Remove: 3},
		{Cluster: edgeID, Add: -1},
		{Cluster: edgeID, Set: map[string]any{"nodes": []any{}}},
		{Cluster: edgeID, Set: map[string]any{"cluster_id": "x"}},
		{Cluster: edgeID, Set: map[string]any{"no_such": 1}},
		{Cluster: edgeID, Set: map[string]any{"name": 1}},
	} {
		if err := drift(d); err == nil {
			t.Errorf("%+v was taken", d)
		}
	}
	if b.workers(edgeID) != 2 || len(b.sim.Log().Entries()) != 0 {
		t.Error("a refused drift changed something")
	}
	for _, d := range []cloudsim.Drift{
		{Cluster: secureID, Group: "worker", Add: 3, Remove: 1},
		{Cluster: secureID, Group: "master", Remove: 1},
		{Cluster: edgeID, Set: map[string]any{"state": "updating", "name": "other", "tags": []Tag{{"a", "b"}}}},
	} {
		if err := drift(d); err != nil {
			t.Error(err)
		}
	}
	ids := column(b.get("DescribeClusterNodes", "/clusters/"+secureID+"/nodes"), "nodes", "instance_id")
	want := []any{"i-2ze00000000000000001", "i-2ze00000000000000002", "i-2ze00000000000000004", "i-2ze00000000000000008", "i-2ze00000000000000009", "i-2ze00000000000000010"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("nodes (-want +got)\n%s", diff)
	}
	if a := b.get("DescribeClusterDetail", "/clusters/"+secureID); a.body["size"] != 6.0 {
		t.Errorf("size: %s", a.raw)
	}
	a := b.get("DescribeClusterDetail", "/clusters/"+edgeID)
	if a.body["state"] != "updating" || a.body["name"] != "other" || len(a.body["tags"].([]any)) != 1 || b.workers(edgeID) != 2 {
		t.Errorf("set: %s", a.raw)
	}
	b.scale(secureID, 1, nil)
	if err := drift(cloudsim.Drift{Cluster: secureID, Delete: true}); err != nil {
		t.Error(err)
	}
	if a := b.get("DescribeClusterDetail", "/clusters/"+secureID); a.code() != "ErrorClusterNotFound" {
		t.Errorf("deleted: %s", a.raw)
	}
	if a := b.get("DescribeTaskInfo", "/tasks/T-000000000000000000000001"); a.code() != "ErrorTaskNotFound" {
		t.Errorf("its task: %s", a.raw)
	}
	if a := b.get("DescribeClustersV1", "/api/v1/clusters"); len(column(a, "clusters", "name")) != 1 {
		t.Errorf("list: %s", a.raw)
	}
	b.clock.move(time.Hour) // what ran on the deleted cluster never ends
	b.get("DescribeClustersV1", "/api/v1/clusters")
	var details []string
	for _, e := range b.sim.Log().Entries() {
		if e.Event != "request" {
			details = append(details, e.Detail+" "+strings.Join(e.Nodes, " "))
		}
	}
	if diff := cmp.Diff([]string{
		"removed i-2ze00000000000000005", "added i-2ze00000000000000008 i-2ze00000000000000009 i-2ze00000000000000010",
		"removed i-2ze00000000000000003", "set ", "deleted ",
	}, details); diff != "" {
		t.Errorf("audit log (-want +got)\n%s", diff)
	}
}

// A drift under a running job: the job ends well all the same.
func TestDriftDuringJob(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{JobTime: time.Minute})
	task := b.scale(edgeID, 2, nil).body["task_id"].(string)
	b.clock.move(40 * time.Second)
	b.sim.Cloud(func(c cloudsim.Cloud) {
		if err := c.Drift(cloudsim.Drift{Cluster: edgeID, Remove: 1, Set: map[string]any{"state": "failed"}}); err != nil {
			t.Error(err)
		}
	})
	b.clock.move(20 * time.Second)
	want := glance{"failed", "success", "finish", 3, 3, "8=success 9=success"}
	if diff := cmp.Diff(want, b.glance(edgeID, task)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
