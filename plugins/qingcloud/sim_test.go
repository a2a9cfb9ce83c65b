package qingcloud

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// simulated is the simulator on loopback, a provider that talks to it, and the
// clock they share.
type simulated struct {
	*plugin
	sim *cloudsim.Server
	now time.Time
}

const jobTime = 5 * time.Minute

func simulate(t *testing.T) *simulated {
	t.Helper()
	s := &simulated{now: testNow}
	clock := func() time.Time { return s.now } // moved only while no request runs
	s.sim = qingcloudsim.New(cloudsim.Options{Now: clock, JobTime: jobTime, AccessKeyID: testKeyID, SecretKey: testSecret})
	server := httptest.NewServer(s.sim)
	t.Cleanup(server.Close)
	s.plugin = configure(t, server.URL)
	s.plugin.now = clock
	s.account.Load().now = clock
	return s
}

func (s *simulated) read(t *testing.T, kind string) provider.Observation {
	t.Helper()
	return observe(t, s.plugin, provider.LevelNodes, provider.Key{Address: "a", Kind: kind, Name: "simulation"})["a"]
}

func (s *simulated) send(t *testing.T, a provider.Action) provider.Answer {
	t.Helper()
	secrets := map[string]string{}
	for _, path := range a.Secrets {
		secrets[path] = "Passw0rd!"
	}
	if check := s.Start(context.Background(), provider.StartRequest{Request: a.Request, Secrets: secrets, CheckOnly: true}); check.Error != nil {
		t.Fatal(check.Error)
	}
	return s.Start(context.Background(), provider.StartRequest{Request: a.Request, Secrets: secrets})
}

func (s *simulated) poll(t *testing.T, handle []byte) provider.OperationStatus {
	t.Helper()
	got, err := s.Poll(context.Background(), []provider.Operation{{Handle: handle}})
	if err != nil || got[0].Error != nil {
		t.Fatal(err, got[0].Error)
	}
	return got[0]
}

// events counts the audit log's lines of one kind.
func (s *simulated) events(name string) int {
	n := 0
	for _, e := range s.sim.Log().Entries() {
		if e.Event == name {
			n++
		}
	}
	return n
}

func TestSimCreateThenResize(t *testing.T) {
	s := simulate(t)
	if o := s.read(t, "ehpc"); o.Presence != provider.Absent {
		t.Fatalf("an empty account: %+v", o)
	}
	plan := planOf(t, s.plugin, provider.ClusterChange{Desired: desired("ehpc", "", ehpcSpec), Changes: created(t, ehpcSpec)})
	a := s.send(t, plan.Actions[0])
	if a.Outcome != provider.OutcomeAccepted || a.ClusterID == "" {
		t.Fatalf("create: %+v %v", a, a.Error)
	}
	if o := s.read(t, "ehpc"); o.Presence != provider.Present || o.Cluster.Status != provider.StatusBusy || o.Cluster.ID != a.ClusterID {
		t.Errorf("while it is created: %+v", o)
	}
	if st := s.poll(t, a.Operation.Handle); st.State != provider.OperationRunning || st.ClusterID != a.ClusterID {
		t.Errorf("poll: %+v", st)
	}
	s.now = s.now.Add(jobTime + time.Second)
	if st := s.poll(t, a.Operation.Handle); st.State != provider.OperationSucceeded {
		t.Errorf("poll: %+v", st)
	}
	o := s.read(t, "ehpc")
	if o.Presence != provider.Present || o.Cluster.Status != provider.StatusReady {
		t.Fatalf("after the create: %+v", o)
	}
	s.sameAsSpec(t, o.Cluster, "storage_size")

	// The resize that was planned beside the create, now with the id.
	changes := []provider.Change{{Group: "compute", Op: provider.OpResize, Fields: []provider.FieldChange{{Path: "storage_size", Before: int64(0), After: int64(100)}}}}
	again := planOf(t, s.plugin, provider.ClusterChange{Desired: desired("ehpc", "", ehpcSpec), Current: o.Cluster, Changes: changes})
	if len(again.Actions) != 1 || !cmp.Equal(again.Actions[0].To, plan.Actions[1].To) {
		t.Fatalf("planned again: %+v", again)
	}
	if price, err := s.Quote(context.Background(), again.Actions[0].Request); err != nil || price.Currency != "CNY" {
		t.Errorf("quote: %+v, %v", price, err)
	}
	a = s.send(t, again.Actions[0])
	if a.Outcome != provider.OutcomeAccepted {
		t.Fatalf("resize: %+v %v", a, a.Error)
	}
	if busy := s.read(t, "ehpc"); busy.Cluster.Status != provider.StatusBusy {
		t.Errorf("while it is resized: %+v", busy.Cluster)
	}
	if second := s.send(t, again.Actions[0]); second.Outcome != provider.OutcomeRefused || second.Error.Kind != provider.KindConflict {
		t.Errorf("a second resize meanwhile: %+v %v", second, second.Error)
	}
	s.now = s.now.Add(jobTime + time.Second)
	if st := s.poll(t, a.Operation.Handle); st.State != provider.OperationSucceeded {
		t.Errorf("poll: %+v", st)
	}
	o = s.read(t, "ehpc")
	s.sameAsSpec(t, o.Cluster, "")
	if len(o.Cluster.Tasks) != 2 || o.Cluster.Tasks[0].Op != provider.OpResize || o.Cluster.Tasks[1].Op != provider.OpCreate {
		t.Errorf("tasks: %+v", o.Cluster.Tasks)
	}
	if s.events("created") != 1 {
		t.Errorf("%d clusters were created", s.events("created"))
	}
}

// sameAsSpec compares everything readable with ehpcSpec, but for one field.
func (s *simulated) sameAsSpec(t *testing.T, state *provider.State, except string) {
	t.Helper()
	want, err := decodeObject([]byte(ehpcSpec))
	if err != nil {
		t.Fatal(err)
	}
	compare := func(where string, raw json.RawMessage, spec object, names ...string) {
		got, err := decodeObject(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if spec[name] != nil && name != except && !cmp.Equal(spec[name], got[name]) {
				t.Errorf("%s%s is %v, the spec says %v", where, name, got[name], spec[name])
			}
		}
	}
	compare("", state.Attributes, want, "version_id", "vxnet", "nas_id", "nas_path", "paid_type", "scheduler_type")
	for _, g := range state.Groups {
		spec := want.object("node_groups").object(g.Role)
		if count, _ := spec.whole("count"); int64(g.Count) != count || len(g.Nodes) != g.Count {
			t.Errorf("%s has %d nodes and lists %d, the spec says %d", g.Role, g.Count, len(g.Nodes), count)
		}
		compare(g.Role+".", g.Attributes, spec, "cpu", "memory", "storage_size", "nas_mount_point")
	}
	if len(state.Groups) != len(roles) {
		t.Errorf("%d groups", len(state.Groups))
	}
}

// A create whose reply is lost is unknown, and reading shows it done once.
func TestSimLostReply(t *testing.T) {
	const spec = `{"version_id":"v","vxnet":"vxnet-1","nas_id":"n","nas_path":"/x","admin_password":{"env":"A"},"deploy_mode":"1",
		"software_library":{"nfs_need":1,"nfs_dns":"10.104.100.99","nfs_export":"qingyun.nsccjn.com:/shanhe","start_hook_on":1,"nfs_local":"/es01/software","nfs_network":"10.104.0.0/16"},
		"node_groups":{"login":{"count":1,"cpu":2,"memory":4096,"nas_mount_point":"/home"}}}`
	for _, kind := range []string{cloudsim.DropAfter, cloudsim.ErrorAfter, cloudsim.Garbage} {
		t.Run(kind, func(t *testing.T) {
			s := simulate(t)
			if err := s.sim.Inject(cloudsim.Fault{Kind: kind, Call: createCluster}); err != nil {
				t.Fatal(err)
			}
			plan := planOf(t, s.plugin, provider.ClusterChange{Desired: desired("hpc", "", spec), Changes: created(t, spec)})
			a := s.send(t, plan.Actions[0])
			if a.Outcome != provider.OutcomeUnknown || a.Error == nil {
				t.Fatalf("got %+v", a)
			}
			o := s.read(t, "hpc")
			if o.Presence != provider.Present || len(o.Cluster.Tasks) != 1 {
				t.Fatalf("got %+v", o)
			}
			s.now = s.now.Add(jobTime + time.Second)
			if st := s.poll(t, o.Cluster.Tasks[0].Handle); st.State != provider.OperationSucceeded {
				t.Errorf("the task's handle: %+v", st)
			}
			if o = s.read(t, "hpc"); o.Cluster.Status != provider.StatusReady {
				t.Errorf("got %+v", o.Cluster)
			}
			if n := s.sim.Log().Calls()[createCluster]; n != 1 || s.events("created") != 1 {
				t.Errorf("sent %d times, created %d", n, s.events("created"))
			}
		})
	}
}

func TestSimFaults(t *testing.T) {
	s := simulate(t)
	if err := s.sim.Inject(
		cloudsim.Fault{Kind: cloudsim.Throttle, Call: "list", Times: 2},
		cloudsim.Fault{Kind: cloudsim.DropBefore, Call: "list"},
	); err != nil {
		t.Fatal(err)
	}
	if o := s.read(t, "ehpc"); o.Presence != provider.Absent {
		t.Errorf("reads go on: %+v", o)
	}
	s.plugin.now = nil
	s.account.Load().now = func() time.Time { return testNow.Add(-2 * time.Minute) }
	err := s.Observe(context.Background(), provider.ObserveRequest{}, nil)
	if err == nil || !strings.Contains(err.Error(), "1300") {
		t.Errorf("a clock that is off: %v", err)
	}
}
