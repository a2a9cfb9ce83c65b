package aliyun

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const sandboxSpec = `{"node_groups":{"worker":{"count":4,"key_pair":"ops","vswitch_ids":["vsw-1"],"worker_instance_types":["ecs.ebmg5s.24xlarge"],"worker_system_disk_category":"cloud_efficiency","worker_system_disk_size":120,"worker_data_disk":true,"worker_data_disk_category":"cloud_efficiency","worker_data_disk_size":240}}}`

func countChange(before, after int64) provider.Change {
	op := provider.OpScaleOut
	if after < before {
		op = provider.OpScaleIn
	}
	return provider.Change{Group: "worker", Op: op, Fields: []provider.FieldChange{{Path: "count", Before: before, After: after}}}
}

func liveCluster(workers int, attributes string) *provider.State {
	s := &provider.State{ID: "c1", Name: "secure", Status: provider.StatusReady, Groups: []provider.Group{{Role: "worker", Count: workers}}}
	if attributes != "" {
		s.Attributes = json.RawMessage(attributes)
	}
	return s
}

// planOne plans one growth from have workers and returns its action.
func planOne(t *testing.T, kind string, spec json.RawMessage, have int) provider.Action {
	t.Helper()
	plan := planFor(t, provider.ClusterChange{
		Desired: provider.Desired{Address: "secure", Kind: kind, ID: "c1", Name: "secure", Spec: spec},
		Current: liveCluster(have, ""),
		Changes: []provider.Change{countChange(int64(have), 4)},
	})
	if len(plan.Actions) != 1 || len(plan.Blocked) != 0 {
		t.Fatalf("plan %+v", plan)
	}
	return plan.Actions[0]
}

func planFor(t *testing.T, cc provider.ClusterChange) provider.ClusterPlan {
	t.Helper()
	p := newPlugin(fixedOptions())
	resp, err := p.Plan(context.Background(), provider.PlanRequest{Clusters: []provider.ClusterChange{cc}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Plan(context.Background(), provider.PlanRequest{Clusters: []provider.ClusterChange{cc}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(resp, again); diff != "" {
		t.Errorf("two plans of one input differ:\n%s", diff)
	}
	return resp.Clusters[0]
}

func TestPlanGrowth(t *testing.T) {
	got := planOne(t, kindSandbox, json.RawMessage(sandboxSpec), 1)
	got.Request = nil // see TestRequestBytes
	want := provider.Action{
		Group: "worker", Op: provider.OpScaleOut,
		From:    map[string]int64{"count": 1},
		To:      map[string]int64{"count": 4},
		Fields:  []provider.FieldChange{{Path: "count", Before: int64(1), After: int64(4)}},
		Removes: []provider.NodeRef{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("action (-want +got):\n%s", diff)
	}
}

func TestPlanAsksForThePassword(t *testing.T) {
	got := planOne(t, kindEdge, specOf(t, edgeExample, 4), 1)
	if diff := cmp.Diff([]string{"node_groups.worker.login_password"}, got.Secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

// The action carries the window of the timeout that the spec states.
func TestPlanSetsTheAcceptWindow(t *testing.T) {
	for mins, want := range map[int]time.Duration{5: 0, 60: time.Hour} {
		spec := fmt.Sprintf(`{"node_groups":{"worker":{"count":4,"key_pair":"ops","timeout_mins":%d}}}`, mins)
		if got := planOne(t, kindEdge, json.RawMessage(spec), 1).AcceptWindow; got != want {
			t.Errorf("timeout_mins %d: %v, want %v", mins, got, want)
		}
	}
}

func TestPlanAcceptWindow(t *testing.T) {
	simulated := newPlugin(fixedOptions())
	simulated.session = &session{timing: &provider.Timing{AcceptWindow: time.Second, ReadLag: time.Second}}
	for _, tt := range []struct {
		p    *plugin
		kind string
		mins int64
		want time.Duration
	}{
		{newPlugin(fixedOptions()), kindEdge, 0, 0},
		{newPlugin(fixedOptions()), kindEdge, 15, 0},
		{newPlugin(fixedOptions()), kindEdge, 16, 16 * time.Minute},
		{newPlugin(fixedOptions()), kindEdge, 60, time.Hour},
		{newPlugin(fixedOptions()), kindEdge, 1 << 62, 365 * 24 * time.Hour},
		{simulated, kindEdge, 60, 0},
		{newPlugin(fixedOptions()), kindSandbox, 60, 0},
	} {
		b, err := newBody(tt.kind)
		if err != nil {
			t.Fatal(err)
		}
		if edge, ok := b.(*edgeBody); ok {
			edge.TimeoutMins = tt.mins
		}
		if got := tt.p.window(b); got != tt.want {
			t.Errorf("%s with %d minutes: %v, want %v", tt.kind, tt.mins, got, tt.want)
		}
	}
}

func TestPlanBlocked(t *testing.T) {
	pin := provider.Change{Op: provider.OpUnknown, Fields: []provider.FieldChange{{Path: "profile", Before: "Edge", After: "Default"}}}
	tests := []struct {
		name    string
		kind    string
		current *provider.State
		changes []provider.Change
		want    []string // a part of each reason
	}{
		{"absent", kindSandbox, nil, []provider.Change{{Op: provider.OpCreate, Fields: countChange(0, 4).Fields}}, []string{"creation is not offered"}},
		{"fewer", kindSandbox, liveCluster(6, ""), []provider.Change{countChange(6, 4)}, []string{"4 workers are wanted and 6 are live: ScaleOutCluster only adds nodes; DeleteClusterNodes could remove them"}},
		{"as many", kindSandbox, liveCluster(4, ""), []provider.Change{countChange(3, 4)}, []string{"4 workers are wanted and 4 are live: there is nothing to add"}},
		{"edge cluster, sandbox spec", kindSandbox, liveCluster(1, `{"profile":"Edge"}`), []provider.Change{countChange(1, 4), pin}, []string{"kind ack_edge may be meant", "kind ack_edge may be meant"}},
		{"serverless cluster, sandbox spec", kindSandbox, liveCluster(1, `{"profile":"Serverless"}`), []provider.Change{countChange(1, 4)}, []string{"takes no sandboxed-container workers"}},
		{"other cluster, edge spec", kindEdge, liveCluster(1, `{"profile":"Default"}`), []provider.Change{countChange(1, 4)}, []string{"kind ack_sandbox may be meant"}},
		{"unknown kind", "mrs", liveCluster(1, ""), []provider.Change{countChange(1, 4)}, []string{`no kind "mrs"`}},
		{"another field", kindSandbox, liveCluster(1, ""), []provider.Change{{Op: provider.OpUnknown, Fields: []provider.FieldChange{{Path: "region", Before: "a", After: "b"}}}}, []string{"region cannot be changed in place"}},
		{"another group", kindSandbox, liveCluster(1, ""), []provider.Change{{Group: "master", Fields: []provider.FieldChange{{Path: "count", Before: int64(1), After: int64(2)}}}}, []string{"count cannot be changed in place"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plan := planFor(t, provider.ClusterChange{
				Desired: provider.Desired{Address: "secure", Kind: tt.kind, ID: "c1", Name: "secure", Spec: json.RawMessage(sandboxSpec)},
				Current: tt.current, Changes: tt.changes,
			})
			if len(plan.Actions) != 0 || len(plan.Blocked) != len(tt.want) {
				t.Fatalf("plan %+v", plan)
			}
			for i, b := range plan.Blocked {
				if !strings.Contains(b.Reason, tt.want[i]) {
					t.Errorf("reason %q, want %q in it", b.Reason, tt.want[i])
				}
			}
			covers(t, tt.changes, plan)
		})
	}
}

func TestPlanBlockedCounts(t *testing.T) {
	for _, tt := range []struct {
		want, live int
		reason     string
	}{
		{1, 2, "1 worker is wanted and 2 are live: ScaleOutCluster"},
		{0, 1, "0 workers are wanted and 1 is live: ScaleOutCluster"},
		{1, 1, "1 worker is wanted and 1 is live: there is nothing to add"},
	} {
		spec := fmt.Sprintf(`{"node_groups":{"worker":{"count":%d,"key_pair":"ops"}}}`, tt.want)
		plan := planFor(t, provider.ClusterChange{
			Desired: provider.Desired{Address: "secure", Kind: kindEdge, ID: "c1", Spec: json.RawMessage(spec)},
			Current: liveCluster(tt.live, ""), Changes: []provider.Change{countChange(2, int64(tt.want))},
		})
		if len(plan.Blocked) != 1 || !strings.HasPrefix(plan.Blocked[0].Reason, tt.reason) {
			t.Errorf("%+v, want %s", plan, tt.reason)
		}
	}
}

// Workers whose number the spec leaves to others are not touched, whatever else
// differs.
func TestPlanWithoutACount(t *testing.T) {
	spec := json.RawMessage(strings.Replace(sandboxSpec, `"count":4,`, "", 1))
	pin := []provider.Change{{Op: provider.OpUnknown, Fields: []provider.FieldChange{{Path: "profile", Before: nil, After: "Default"}}}}
	for blocked, changes := range [][]provider.Change{nil, pin} {
		plan := planFor(t, provider.ClusterChange{
			Desired: provider.Desired{Address: "secure", Kind: kindSandbox, ID: "c1", Name: "secure", Spec: spec},
			Current: liveCluster(6, ""), Changes: changes,
		})
		if len(plan.Actions) != 0 || len(plan.Blocked) != blocked {
			t.Errorf("%d changes: plan %+v", len(changes), plan)
		}
		covers(t, changes, plan)
	}
}

// An action and a blocked field of one cluster share its changes.
func TestPlanCoversEveryField(t *testing.T) {
	changes := []provider.Change{
		{Op: provider.OpUnknown, Fields: []provider.FieldChange{{Path: "profile", Before: nil, After: "Default"}}},
		countChange(1, 4),
	}
	plan := planFor(t, provider.ClusterChange{
		Desired: provider.Desired{Address: "secure", Kind: kindSandbox, ID: "c1", Spec: json.RawMessage(sandboxSpec)},
		Current: liveCluster(1, ""), Changes: changes,
	})
	if len(plan.Actions) != 1 || len(plan.Blocked) != 1 {
		t.Fatalf("plan %+v", plan)
	}
	covers(t, changes, plan)
}

// covers checks that every field is in exactly one action or blocked entry.
func covers(t *testing.T, changes []provider.Change, plan provider.ClusterPlan) {
	t.Helper()
	want, got := map[string]int{}, map[string]int{}
	add := func(to map[string]int, group string, fields []provider.FieldChange) {
		for _, f := range fields {
			to[group+"/"+f.Path]++
		}
	}
	for _, c := range changes {
		add(want, c.Group, c.Fields)
	}
	for _, a := range plan.Actions {
		add(got, a.Group, a.Fields)
	}
	for _, b := range plan.Blocked {
		add(got, b.Group, b.Fields)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestPlanRefusesASpecItCannotRead(t *testing.T) {
	p := newPlugin(fixedOptions())
	for _, spec := range []string{`{`, `{"node_groups":{"worker":{"count":"four"}}}`, `{"node_groups":{"worker":{"count":4,"cuont":1}}}`} {
		_, err := p.Plan(context.Background(), provider.PlanRequest{Clusters: []provider.ClusterChange{{
			Desired: provider.Desired{Address: "secure", Kind: kindSandbox, Spec: json.RawMessage(spec)},
			Current: liveCluster(1, ""), Changes: []provider.Change{countChange(1, 4)},
		}}})
		if err == nil || provider.AsError(err).Kind != provider.KindInvalid {
			t.Errorf("%s: %v", spec, err)
		}
	}
}
