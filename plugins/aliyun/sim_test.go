package aliyun

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/aliyun/aliyunsim"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

const (
	simSecure = "c00000000000000000000000000000001"
	simEdge   = "c00000000000000000000000000000002"
	jobTime   = 10 * time.Minute
)

// bed is the example account with a clock that the test moves.
type bed struct {
	*plugin
	sim *cloudsim.Server

	mu   sync.Mutex
	time time.Time
}

func (b *bed) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.time
}

func (b *bed) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.time = b.time.Add(d)
}

func simulated(t *testing.T, state []byte) *bed {
	t.Helper()
	b := &bed{time: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	b.sim = aliyunsim.New(cloudsim.Options{Now: b.now, JobTime: jobTime})
	b.sim.Cloud(func(c cloudsim.Cloud) {
		if err := c.Restore(state); err != nil {
			t.Fatal(err)
		}
	})
	web := httptest.NewServer(b.sim)
	t.Cleanup(web.Close)
	b.plugin = newPlugin(options{now: b.now, jitter: func() float64 { return 0 }, nonce: newNonce})
	err := b.Configure(context.Background(), provider.Config{
		Entry: "ali", Endpoint: web.URL, Settings: json.RawMessage(`{"plugin":"aliyun","region":"cn-beijing"}`),
		Credentials: map[string]string{"access_key_id": aliyunsim.AccessKeyID, "access_key_secret": aliyunsim.SecretKey},
		Timing:      &provider.Timing{AcceptWindow: time.Second, ReadLag: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bed) look(t *testing.T, kind, id string) *provider.State {
	t.Helper()
	o := observe(t, b.plugin, provider.LevelNodes, provider.Key{Address: id, Kind: kind, ID: id})[id]
	if o.Presence != provider.Present {
		t.Fatalf("%s: %+v", id, o)
	}
	return o.Cluster
}

// grow plans four workers over what is live.
func (b *bed) grow(t *testing.T, kind string, live *provider.State, spec json.RawMessage) provider.Action {
	t.Helper()
	resp, err := b.Plan(context.Background(), provider.PlanRequest{Clusters: []provider.ClusterChange{{
		Desired: provider.Desired{Address: "x", Kind: kind, ID: live.ID, Spec: spec},
		Current: live,
		Changes: []provider.Change{countChange(liveWorkers(live), 4)},
	}}})
	if err != nil || len(resp.Clusters[0].Actions) != 1 {
		t.Fatalf("plan %+v, %v", resp, err)
	}
	return resp.Clusters[0].Actions[0]
}

func (b *bed) accepted(t *testing.T) int {
	t.Helper()
	n := 0
	for _, e := range b.sim.Log().Entries() {
		if e.Event == "request" && e.Outcome == "accepted" {
			n++
		}
	}
	return n
}

func TestSimulatedCycle(t *testing.T) {
	for _, tt := range []struct {
		kind, id, example string
	}{
		{kindSandbox, simSecure, sandboxExample},
		{kindEdge, simEdge, edgeExample},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			b := simulated(t, aliyunsim.Example())
			before := b.look(t, tt.kind, tt.id)
			if before.Status != provider.StatusReady || before.Groups[0].Count != 2 {
				t.Fatalf("before: %+v", before)
			}
			action := b.grow(t, tt.kind, before, specOf(t, tt.example, 4))
			start := provider.StartRequest{Request: action.Request, Secrets: map[string]string{secretPassword: examplePassword}}
			check := start
			check.CheckOnly = true
			if answer := b.Start(context.Background(), check); answer.Outcome != provider.OutcomeUnsent || answer.Error != nil {
				t.Fatalf("check: %+v", answer)
			}
			answer := b.Start(context.Background(), start)
			if answer.Outcome != provider.OutcomeAccepted {
				t.Fatalf("start: %+v %v", answer, answer.Error)
			}
			if during := b.look(t, tt.kind, tt.id); during.Status != provider.StatusBusy || during.Tasks[0].State != provider.OperationRunning {
				t.Errorf("during: %+v", during)
			}
			if again := b.Start(context.Background(), start); again.Outcome != provider.OutcomeRefused && again.Outcome != provider.OutcomeUnknown {
				t.Errorf("a busy cluster: %+v", again)
			}
			status := b.poll(t, answer.Operation)
			if status.State != provider.OperationRunning {
				t.Errorf("poll: %+v", status)
			}
			b.pass(jobTime + time.Second)
			status = b.poll(t, answer.Operation)
			if status.State != provider.OperationSucceeded || len(status.Nodes) != 2 {
				t.Errorf("poll: %+v", status)
			}
			after := b.look(t, tt.kind, tt.id)
			if after.Status != provider.StatusReady || after.Groups[0].Count != 4 {
				t.Errorf("after: %+v", after)
			}
			// The task names the nodes that came.
			fresh := map[string]bool{}
			for _, n := range after.Groups[0].Nodes {
				fresh[n.ID] = true
			}
			for _, n := range before.Groups[0].Nodes {
				delete(fresh, n.ID)
			}
			named := map[string]bool{}
			for _, id := range status.Nodes {
				named[id] = true
			}
			if diff := cmp.Diff(fresh, named); diff != "" {
				t.Errorf("new nodes (-live +task):\n%s", diff)
			}
			if n := b.accepted(t); n != 1 {
				t.Errorf("%d scale-outs were taken", n)
			}
		})
	}
}

func (b *bed) poll(t *testing.T, op provider.Operation) provider.OperationStatus {
	t.Helper()
	got, err := b.Poll(context.Background(), []provider.Operation{op})
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

// A reply that is lost leaves the outcome unknown; the one new task in the list
// tells what became of the request, and its handle can be followed.
func TestSimulatedLostReply(t *testing.T) {
	for _, kind := range []string{cloudsim.DropAfter, cloudsim.ErrorAfter, cloudsim.Garbage} {
		t.Run(kind, func(t *testing.T) {
			b := simulated(t, aliyunsim.Example())
			before := b.look(t, kindEdge, simEdge)
			action := b.grow(t, kindEdge, before, specOf(t, edgeExample, 4))
			if err := b.sim.Inject(cloudsim.Fault{Kind: kind, Call: actionScaleOut}); err != nil {
				t.Fatal(err)
			}
			answer := b.Start(context.Background(), provider.StartRequest{Request: action.Request, Secrets: map[string]string{secretPassword: examplePassword}})
			if answer.Outcome != provider.OutcomeUnknown || answer.Error == nil {
				t.Fatalf("start: %+v", answer)
			}
			known := map[string]bool{}
			for _, task := range before.Tasks {
				known[task.ID] = true
			}
			var found []provider.Task
			for _, task := range b.look(t, kindEdge, simEdge).Tasks {
				if !known[task.ID] && task.Op == provider.OpScaleOut {
					found = append(found, task)
				}
			}
			if len(found) != 1 {
				t.Fatalf("new tasks %+v", found)
			}
			b.pass(jobTime + time.Second)
			if status := b.poll(t, provider.Operation{Handle: found[0].Handle}); status.State != provider.OperationSucceeded {
				t.Errorf("poll: %+v", status)
			}
			if n := b.accepted(t); n != 1 || b.look(t, kindEdge, simEdge).Groups[0].Count != 4 {
				t.Errorf("%d scale-outs were taken", n)
			}
		})
	}
}

func TestSimulatedRefusals(t *testing.T) {
	send := func(b *bed, action provider.Action) provider.Answer {
		return b.Start(context.Background(), provider.StartRequest{Request: action.Request, Secrets: map[string]string{secretPassword: examplePassword}})
	}
	t.Run("throttled", func(t *testing.T) {
		b := simulated(t, aliyunsim.Example())
		action := b.grow(t, kindEdge, b.look(t, kindEdge, simEdge), specOf(t, edgeExample, 4))
		if err := b.sim.Inject(cloudsim.Fault{Kind: cloudsim.Throttle, Call: actionScaleOut}); err != nil {
			t.Fatal(err)
		}
		if answer := send(b, action); answer.Outcome != provider.OutcomeRefused || answer.Error.Kind != provider.KindThrottled {
			t.Errorf("%+v", answer)
		}
		if answer := send(b, action); answer.Outcome != provider.OutcomeAccepted { // a refusal may be sent again
			t.Errorf("%+v", answer)
		}
	})
	t.Run("the connection closes before", func(t *testing.T) {
		b := simulated(t, aliyunsim.Example())
		action := b.grow(t, kindEdge, b.look(t, kindEdge, simEdge), specOf(t, edgeExample, 4))
		if err := b.sim.Inject(cloudsim.Fault{Kind: cloudsim.DropBefore, Call: actionScaleOut}); err != nil {
			t.Fatal(err)
		}
		if answer := send(b, action); answer.Outcome != provider.OutcomeUnknown || b.accepted(t) != 0 {
			t.Errorf("%+v", answer)
		}
	})
	t.Run("a job that fails in part", func(t *testing.T) {
		b := simulated(t, aliyunsim.Example())
		action := b.grow(t, kindEdge, b.look(t, kindEdge, simEdge), specOf(t, edgeExample, 4))
		if err := b.sim.Inject(cloudsim.Fault{Kind: cloudsim.JobPartial, Call: actionScaleOut}); err != nil {
			t.Fatal(err)
		}
		answer := send(b, action)
		b.pass(jobTime + time.Second)
		status := b.poll(t, answer.Operation)
		if status.State != provider.OperationFailed || status.Error == nil {
			t.Errorf("%+v", status)
		}
		if n := b.look(t, kindEdge, simEdge).Groups[0].Count; n != 3 {
			t.Errorf("%d workers", n)
		}
	})
	t.Run("the wrong kind", func(t *testing.T) {
		b := simulated(t, aliyunsim.Example())
		plan := planFor(t, provider.ClusterChange{
			Desired: provider.Desired{Kind: kindSandbox, ID: simEdge, Spec: json.RawMessage(sandboxSpec)},
			Current: b.look(t, kindSandbox, simEdge), Changes: []provider.Change{countChange(2, 4)},
		})
		if len(plan.Actions) != 0 || len(plan.Blocked) != 1 {
			t.Errorf("%+v", plan)
		}
	})
}

func TestSimulatedFleet(t *testing.T) {
	b := simulated(t, aliyunsim.Fleet(120))
	got := observe(t, b.plugin, provider.LevelSummary,
		provider.Key{Address: "id", Kind: kindEdge, ID: fmt.Sprintf("c%032d", 119)},
		provider.Key{Address: "name", Kind: kindSandbox, Name: "c00118"},
		provider.Key{Address: "none", Kind: kindSandbox, Name: "nobody"})
	for address, want := range map[string]provider.Presence{"id": provider.Present, "name": provider.Present, "none": provider.Absent} {
		if o := got[address]; o.Presence != want || o.Cluster != nil && o.Cluster.Groups[0].Count != 2 {
			t.Errorf("%s: %+v", address, o)
		}
	}
	if calls := b.sim.Log().Calls(); calls["DescribeClusterNodes"] != 2 {
		t.Errorf("calls %v", calls)
	}
}
