package huawei

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// clock is the time of the simulated cloud and of the provider.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is a provider before the simulated cloud.
type world struct {
	*testing.T
	clock *clock
	sim   *cloudsim.Server
	p     *Provider
}

func simulate(t *testing.T, state []byte) *world {
	t.Helper()
	w := &world{T: t, clock: &clock{t: signedAt}}
	w.sim = huaweisim.New(cloudsim.Options{Now: w.clock.now, JobTime: time.Minute})
	w.sim.Cloud(func(c cloudsim.Cloud) {
		if err := c.Restore(state); err != nil {
			t.Fatal(err)
		}
	})
	server := httptest.NewServer(w.sim)
	t.Cleanup(server.Close)
	w.p = NewWith(Options{Now: w.clock.now, Jitter: func() float64 { return 0 }})
	err := w.p.Configure(t.Context(), provider.Config{
		Settings:    provider.Raw(map[string]string{"region": "cn-north-4", "project_id": testProject}),
		Endpoint:    server.URL,
		Credentials: map[string]string{credentialAK: huaweisim.AccessKeyID, credentialSK: huaweisim.SecretKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) read() *provider.State {
	w.Helper()
	got := observe(w.T, w.p, provider.LevelNodes, provider.Key{Address: "analytics", Kind: kindMRS, ID: clusterA})
	if len(got) != 1 || got[0].Presence != provider.Present {
		w.Fatalf("%+v", got)
	}
	for _, g := range got[0].Cluster.Groups {
		if len(g.Nodes) != g.Count && got[0].Cluster.Status == provider.StatusReady {
			w.Errorf("%s counts %d nodes and lists %d", g.Role, g.Count, len(g.Nodes))
		}
	}
	return got[0].Cluster
}

// want plans the counts of core and task, and returns the actions.
func (w *world) want(groups string, core, task int) []provider.Action {
	w.Helper()
	state := w.read()
	var changes []provider.Change
	for _, g := range state.Groups {
		if n := map[string]int{roleMaster: g.Count, roleCore: core, roleTask: task}[g.Role]; n != g.Count {
			changes = append(changes, count(g.Role, g.Count, n))
		}
	}
	got := plan(w.T, provider.PlanRequest{Clusters: []provider.ClusterChange{{
		Desired: provider.Desired{Address: "analytics", Kind: kindMRS, ID: clusterA, Spec: []byte(`{"node_groups":` + groups + `}`)},
		Current: state, Changes: changes,
	}}})
	if len(got.Blocked) > 0 {
		w.Fatalf("blocked: %s", got.Blocked[0].Reason)
	}
	return got.Actions
}

func (w *world) start(a provider.Action) provider.Answer {
	w.Helper()
	return w.p.Start(w.Context(), provider.StartRequest{Request: a.Request})
}

// finish lets the job end and checks what it says meanwhile.
func (w *world) finish(status string) *provider.State {
	w.Helper()
	if s := w.read(); s.Status != provider.StatusBusy || !strings.HasPrefix(s.StatusText, status) {
		w.Errorf("while it runs: %s, %s", s.Status, s.StatusText)
	}
	w.clock.pass(2 * time.Minute)
	s := w.read()
	if s.Status != provider.StatusReady {
		w.Fatalf("after the job: %s, %s", s.Status, s.StatusText)
	}
	return s
}

// changed counts the audit log's entries of one event.
func (w *world) changed(event string) (entries []cloudsim.Entry) {
	w.sim.Cloud(func(cloudsim.Cloud) {})
	for _, e := range w.sim.Log().Entries() {
		if e.Event == event {
			entries = append(entries, e)
		}
	}
	return entries
}

// TestCycle: observe, plan, start, poll, observe, until nothing is left.
func TestCycle(t *testing.T) {
	w := simulate(t, huaweisim.Example())
	steps := []struct {
		groups     string
		core, task int
		op         provider.Op
		status     string
	}{
		{`{}`, 5, 12, provider.OpScaleOut, "scaling-out"},
		{`{"core":{"scale_in":"cloud_chooses"}}`, 3, 12, provider.OpScaleIn, "scaling-in"},
		{`{}`, 3, 10, provider.OpScaleIn, "scaling-in"},
		{`{"task":{"skip_bootstrap_scripts":true,"scale_without_start":true}}`, 3, 11, provider.OpScaleOut, "scaling-out"},
		{`{}`, 3, 0, provider.OpScaleIn, "scaling-in"},
		{`{"task":{"node_size":"s3.xlarge.2.linux.bigdata","data_volume_type":"SATA","data_volume_count":2,"data_volume_size":200}}`, 3, 2,
			provider.OpScaleOut, "scaling-out"},
	}
	for _, s := range steps {
		t.Run(fmt.Sprintf("%s to %d and %d", s.op, s.core, s.task), func(t *testing.T) {
			w := *w
			w.T = t
			actions := w.want(s.groups, s.core, s.task)
			if len(actions) != 1 || actions[0].Op != s.op {
				t.Fatalf("%+v", actions)
			}
			a := w.start(actions[0])
			if a.Outcome != provider.OutcomeAccepted || len(a.Operation.Handle) != 0 || a.RequestID == "" {
				t.Fatalf("%+v", a)
			}
			polled, err := w.p.Poll(t.Context(), []provider.Operation{a.Operation})
			if err != nil || polled[0].Error == nil {
				t.Errorf("%+v, %v", polled, err)
			}
			after := w.finish(s.status)
			for _, n := range actions[0].Removes {
				for _, g := range after.Groups {
					if slices.ContainsFunc(g.Nodes, func(live provider.Node) bool { return live.ID == n.ID }) {
						t.Errorf("%s is still there", n.ID)
					}
				}
			}
			if left := w.want(s.groups, s.core, s.task); len(left) != 0 {
				t.Errorf("planned again: %+v", left)
			}
		})
	}
	last := w.read().Groups[2]
	if got := string(last.Attributes); got != `{"node_size":"s3.xlarge.2.linux.bigdata","data_volume_type":"SATA","data_volume_count":2,"data_volume_size":200}` {
		t.Errorf("task nodes are %s", got)
	}
	if n := len(w.changed("request")); n != len(steps) {
		t.Errorf("%d requests for %d steps", n, len(steps))
	}
}

// TestLostReply: the reply is lost, the change is made once.
func TestLostReply(t *testing.T) {
	for _, kind := range []string{cloudsim.DropAfter, cloudsim.ErrorAfter, cloudsim.Garbage} {
		t.Run(kind, func(t *testing.T) {
			w := simulate(t, huaweisim.Example())
			if err := w.sim.Inject(cloudsim.Fault{Kind: kind}); err != nil {
				t.Fatal(err)
			}
			if a := w.start(w.want(`{}`, 5, 12)[0]); a.Outcome != provider.OutcomeUnknown || a.Error == nil {
				t.Errorf("%+v", a)
			}
			w.finish("scaling-out")
			if left := w.want(`{}`, 5, 12); len(left) != 0 {
				t.Errorf("planned again: %+v", left)
			}
			if made := w.changed("added"); len(made) != 1 || len(made[0].Nodes) != 2 {
				t.Errorf("added %+v", made)
			}
		})
	}
}

// TestNothingDone: what is refused, dropped before it arrived or throttled
// changes nothing, and only what is certain is called refused.
func TestNothingDone(t *testing.T) {
	for _, c := range []struct {
		fault cloudsim.Fault
		want  provider.Outcome
	}{
		{cloudsim.Fault{Kind: cloudsim.DropBefore}, provider.OutcomeUnknown},
		{cloudsim.Fault{Kind: cloudsim.ErrorBefore}, provider.OutcomeUnknown},
		{cloudsim.Fault{Kind: cloudsim.Throttle}, provider.OutcomeRefused},
	} {
		t.Run(c.fault.Kind, func(t *testing.T) {
			w := simulate(t, huaweisim.Example())
			action := w.want(`{}`, 5, 12)[0]
			if err := w.sim.Inject(c.fault); err != nil {
				t.Fatal(err)
			}
			if a := w.start(action); a.Outcome != c.want {
				t.Errorf("%+v", a)
			}
			w.clock.pass(time.Hour)
			if again := w.want(`{}`, 5, 12); len(again) != 1 || string(again[0].Request) != string(action.Request) {
				t.Errorf("planned again: %+v", again)
			}
		})
	}
}

// TestFailedJob: the cluster is ready again and says why nothing came of it.
func TestFailedJob(t *testing.T) {
	w := simulate(t, huaweisim.Example())
	action := w.want(`{}`, 5, 12)[0]
	if err := w.sim.Inject(cloudsim.Fault{Kind: cloudsim.JobFails}); err != nil {
		t.Fatal(err)
	}
	if a := w.start(action); a.Outcome != provider.OutcomeAccepted {
		t.Fatalf("%+v", a)
	}
	s := w.finish("scaling-out")
	if !strings.Contains(s.StatusText, "scaling-error") || s.Groups[1].Count != 3 {
		t.Errorf("%s with %d core nodes", s.StatusText, s.Groups[1].Count)
	}
	t.Log(s.StatusText)
}

// TestSecondResizeIsRefused: one change at a time.
func TestSecondResizeIsRefused(t *testing.T) {
	w := simulate(t, huaweisim.Example())
	action := w.want(`{}`, 5, 12)[0]
	if a := w.start(action); a.Outcome != provider.OutcomeAccepted {
		t.Fatalf("%+v", a)
	}
	a := w.start(action)
	if a.Outcome != provider.OutcomeRefused || a.Error.Kind != provider.KindConflict {
		t.Errorf("%+v", a)
	}
}

// TestSimulatedFleet: a thousand clusters of the simulator, one call per page.
func TestSimulatedFleet(t *testing.T) {
	w := simulate(t, huaweisim.Fleet(1000))
	if got := observe(t, w.p, provider.LevelSummary); len(got) != 1000 {
		t.Errorf("%d observations", len(got))
	}
	calls := 0
	for _, n := range w.sim.Log().Calls() {
		calls += n
	}
	if calls != 10 {
		t.Errorf("%v", w.sim.Log().Calls())
	}
}

// TestLivePreconditions: what the simulated cloud would refuse, Plan blocks
// from what Observe read.
func TestLivePreconditions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*huaweisim.Cluster)
		groups string
		reason string
	}{
		{"custom", func(c *huaweisim.Cluster) { c.ClusterType = 3 }, `{}`, "custom"},
		{"yearly or monthly", func(c *huaweisim.Cluster) { c.YearlyMonthly, c.BillingType = true, "Period" }, `{}`, "year or month"},
		{"abnormal", func(c *huaweisim.Cluster) { c.ClusterState = "abnormal" }, `{}`, "abnormal"},
		{"an old version", func(c *huaweisim.Cluster) { c.ClusterVersion = "MRS 1.6.3" }, `{"core":{"scale_without_start":true}}`, "1.7.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var state huaweisim.State
			if err := json.Unmarshal(huaweisim.Example(), &state); err != nil {
				t.Fatal(err)
			}
			c.change(state.Clusters[0])
			w := simulate(t, provider.Raw(state))
			live := w.read()
			got := plan(t, provider.PlanRequest{Clusters: []provider.ClusterChange{{
				Desired: provider.Desired{Address: "analytics", Kind: kindMRS, Spec: []byte(`{"node_groups":` + c.groups + `}`)},
				Current: live, Changes: []provider.Change{count(roleCore, 3, 4)},
			}}})
			if len(got.Actions) != 0 || len(got.Blocked) != 1 || !strings.Contains(got.Blocked[0].Reason, c.reason) {
				t.Errorf("%s: %+v", live.Attributes, got)
			}
		})
	}
}

// TestUnseenPrecondition: where reads do not show why, the refusal does.
func TestUnseenPrecondition(t *testing.T) {
	var state huaweisim.State
	if err := json.Unmarshal(huaweisim.Example(), &state); err != nil {
		t.Fatal(err)
	}
	state.Clusters[0].YearlyMonthly = true
	w := simulate(t, provider.Raw(state))
	a := w.start(w.want(`{}`, 4, 12)[0])
	if a.Outcome != provider.OutcomeRefused || a.Error.Kind != provider.KindUnsupported || a.Error.Code != "12000065" {
		t.Errorf("%+v", a)
	}
	if made := w.changed("added"); len(made) != 0 {
		t.Errorf("added %+v", made)
	}
}
