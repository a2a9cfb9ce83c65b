package huawei

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// fixture is a live cluster with a wanted state.
type fixture struct {
	master, core, task int    // live
	tasks              []host // task hosts; default t0, t1, …
	facts              string // State.Attributes
	status             provider.Status
	groups             string // spec's node_groups
	changes            []provider.Change
}

func (f fixture) request() provider.PlanRequest {
	state := &provider.State{
		ID: clusterA, Name: "analytics", Kind: kindMRS, Status: f.status, StatusText: string(f.status),
		Attributes: json.RawMessage(f.facts),
		Groups: []provider.Group{
			{Role: roleMaster, Count: f.master}, {Role: roleCore, Count: f.core}, {Role: roleTask, Count: f.task},
		},
	}
	if f.tasks == nil {
		for i := range f.task {
			f.tasks = append(f.tasks, host{ID: fmt.Sprintf("t%03d", i)})
		}
	}
	for _, h := range f.tasks {
		state.Groups[2].Nodes = append(state.Groups[2].Nodes, h.node(false))
	}
	return provider.PlanRequest{Clusters: []provider.ClusterChange{{
		Desired: provider.Desired{Address: "analytics", Kind: kindMRS, Spec: json.RawMessage(`{"node_groups":` + f.groups + `}`)},
		Current: state, Changes: f.changes,
	}}}
}

// count is a change of a group's count.
func count(group string, from, to int) provider.Change {
	op := provider.OpScaleOut
	if to < from {
		op = provider.OpScaleIn
	}
	return provider.Change{Group: group, Op: op, Fields: []provider.FieldChange{{Path: "count", Before: int64(from), After: int64(to)}}}
}

func size(path string, before, after any) provider.Change {
	return provider.Change{Group: roleTask, Op: provider.OpResize, Fields: []provider.FieldChange{{Path: path, Before: before, After: after}}}
}

// summary prints a plan for comparison: one line per action and block.
func summary(plan provider.ClusterPlan) (lines []string) {
	paths := func(fields []provider.FieldChange) string {
		var all []string
		for _, f := range fields {
			all = append(all, f.Path)
		}
		return strings.Join(all, ",")
	}
	for _, a := range plan.Actions {
		line := fmt.Sprintf("%s %s %d->%d [%s]", a.Op, a.Group, a.From["count"], a.To["count"], paths(a.Fields))
		for _, n := range a.Removes {
			line += " -" + n.ID
		}
		lines = append(lines, line)
	}
	for _, b := range plan.Blocked {
		lines = append(lines, fmt.Sprintf("blocked %s [%s]", b.Group, paths(b.Fields)))
	}
	return lines
}

func TestPlan(t *testing.T) {
	ready := func(f fixture) fixture {
		if f.master == 0 {
			f.master = 2
		}
		if f.status == "" {
			f.status = provider.StatusReady
		}
		if f.groups == "" {
			f.groups = "{}"
		}
		return f
	}
	const sized = `{"task":{"node_size":"s3.xlarge.2.linux.bigdata"}}`
	const choose = `{"core":{"scale_in":"cloud_chooses"},"task":{"node_size":"s3.xlarge.2.linux.bigdata"}}`
	for _, c := range []struct {
		name   string
		f      fixture
		want   []string
		reason string // in the first block's reason
	}{
		{name: "nothing", f: fixture{core: 3}},
		{name: "core grows", f: fixture{core: 3, changes: []provider.Change{count("core", 3, 5)}},
			want: []string{"scale_out core 3->5 [count]"}},
		{name: "counts as JSON numbers", f: fixture{core: 3, changes: []provider.Change{
			{Group: "core", Fields: []provider.FieldChange{{Path: "count", Before: 3.0, After: 5.0}}}}},
			want: []string{"scale_out core 3->5 [count]"}},
		{name: "one core node may grow", f: fixture{core: 1, changes: []provider.Change{count("core", 1, 2)}},
			want: []string{"scale_out core 1->2 [count]"}},
		{name: "busy is planned, the engine waits", f: fixture{core: 3, status: provider.StatusBusy, changes: []provider.Change{count("core", 3, 5)}},
			want: []string{"scale_out core 3->5 [count]"}},

		{name: "500 is reached", f: fixture{core: 3, changes: []provider.Change{count("core", 3, 500)}},
			want: []string{"scale_out core 3->500 [count]"}},
		{name: "500 counts live task nodes", f: fixture{core: 3, task: 1, changes: []provider.Change{count("core", 3, 500)}},
			want: []string{"blocked core [count]"}, reason: "the number of Core nodes wanted is 500 and that of Task nodes 1, 501 together: a cluster has at most 500"},
		{name: "500 counts live core nodes", f: fixture{core: 3, task: 1, groups: sized, changes: []provider.Change{count("task", 1, 498)}},
			want: []string{"blocked task [count]"}, reason: "the number of Task nodes wanted is 498 and that of Core nodes 3, 501 together"},
		{name: "500 counts live core nodes whose number is unmanaged", f: fixture{core: 3, task: 1, groups: `{"core":{},"task":{"node_size":"s3.xlarge.2.linux.bigdata","count":498}}`,
			changes: []provider.Change{count("task", 1, 498)}},
			want: []string{"blocked task [count]"}, reason: "the number of Task nodes wanted is 498 and that of Core nodes 3, 501 together"},
		{name: "500 is reached beside core nodes whose number is unmanaged", f: fixture{core: 3, task: 1, groups: `{"core":{},"task":{"count":497}}`,
			changes: []provider.Change{count("task", 1, 497)}},
			want: []string{"scale_out task 1->497 [count]"}},
		{name: "500 counts live task nodes whose number is unmanaged", f: fixture{core: 3, task: 7, groups: `{"core":{"count":494},"task":{}}`,
			changes: []provider.Change{count("core", 3, 494)}},
			want: []string{"blocked core [count]"}, reason: "the number of Core nodes wanted is 494 and that of Task nodes 7, 501 together"},
		{name: "numbers that are all unmanaged", f: fixture{core: 3, task: 7, groups: `{"master":{},"core":{"scale_in":"cloud_chooses"},"task":{"server_ids":["t001"]}}`}},
		{name: "another size of task nodes whose number is unmanaged", f: fixture{core: 3, task: 2, groups: `{"task":{"node_size":"new"}}`, changes: []provider.Change{size("node_size", "old", "new")}},
			want: []string{"blocked task [node_size]"}, reason: "node_size of the live Task nodes is old and new is wanted"},
		{name: "near 500 task goes first", f: fixture{core: 490, task: 10, changes: []provider.Change{count("core", 490, 495), count("task", 10, 5)}},
			want: []string{"scale_in task 10->5 [count] -t009 -t008 -t007 -t006 -t005", "scale_out core 490->495 [count]"}},
		{name: "near 500 core goes first", f: fixture{core: 490, task: 10, groups: choose, changes: []provider.Change{count("core", 490, 485), count("task", 10, 15)}},
			want: []string{"scale_in core 490->485 [count]", "scale_out task 10->15 [count]"}},
		{name: "near 500 a blocked removal leaves no room", f: fixture{core: 490, task: 10, changes: []provider.Change{count("core", 490, 485), count("task", 10, 15)}},
			want: []string{"blocked core [count]", "blocked task [count]"}, reason: "cloud_chooses"},
		{name: "far from 500 removal is first too", f: fixture{core: 3, task: 4, changes: []provider.Change{count("core", 3, 4), count("task", 4, 3)}},
			want: []string{"scale_in task 4->3 [count] -t003", "scale_out core 3->4 [count]"}},
		{name: "both grow, core first", f: fixture{core: 3, task: 1, changes: []provider.Change{count("task", 1, 2), count("core", 3, 4)}},
			want: []string{"scale_out core 3->4 [count]", "scale_out task 1->2 [count]"}},
		{name: "both shrink, task first", f: fixture{core: 5, task: 2, groups: choose, changes: []provider.Change{count("core", 5, 4), count("task", 2, 1)}},
			want: []string{"scale_in task 2->1 [count] -t001", "scale_in core 5->4 [count]"}},

		{name: "core shrinks to 3", f: fixture{core: 5, groups: choose, changes: []provider.Change{count("core", 5, 3)}},
			want: []string{"scale_in core 5->3 [count]"}},
		{name: "core does not shrink below 3", f: fixture{core: 5, groups: choose, changes: []provider.Change{count("core", 5, 2)}},
			want: []string{"blocked core [count]"}, reason: "2 Core nodes are wanted of 5: removal of Core nodes ends at 3"},
		{name: "two core nodes never shrink", f: fixture{core: 2, groups: choose, changes: []provider.Change{count("core", 2, 1)}},
			want: []string{"blocked core [count]"}, reason: "ends at 3"},
		{name: "core shrinks only where the cloud may choose", f: fixture{core: 5, changes: []provider.Change{count("core", 5, 4)}},
			want: []string{"blocked core [count]"}, reason: `scale_in: "cloud_chooses"`},

		{name: "task shrinks to 0", f: fixture{core: 3, task: 2, changes: []provider.Change{count("task", 2, 0)}},
			want: []string{"scale_in task 2->0 [count] -t001 -t000"}},
		{name: "added ones go first, then the highest ids", f: fixture{core: 3, task: 4, tasks: []host{
			{ID: "a"}, {ID: "b", Name: "node_orderadd_x.com"}, {ID: "c", Name: "node-orderadd-TBvSr.com"}, {ID: "d"}},
			changes: []provider.Change{count("task", 4, 1)}},
			want: []string{"scale_in task 4->1 [count] -c -b -d"}},
		{name: "the named go", f: fixture{core: 3, task: 3, groups: `{"task":{"server_ids":["t002","t001"]}}`, changes: []provider.Change{count("task", 3, 1)}},
			want: []string{"scale_in task 3->1 [count] -t001 -t002"}},
		{name: "too few are named", f: fixture{core: 3, task: 3, groups: `{"task":{"server_ids":["t002"]}}`, changes: []provider.Change{count("task", 3, 1)}},
			want: []string{"blocked task [count]"}, reason: "hosts in server_ids is 1, that of Task nodes to remove is 2 (live: 3, wanted: 1)"},
		{name: "too many are named", f: fixture{core: 3, task: 3, groups: `{"task":{"server_ids":["t002","t001"]}}`, changes: []provider.Change{count("task", 3, 2)}},
			want: []string{"blocked task [count]"}, reason: "hosts in server_ids is 2, that of Task nodes to remove is 1"},
		{name: "a stranger is named", f: fixture{core: 3, task: 3, groups: `{"task":{"server_ids":["t002","x"]}}`, changes: []provider.Change{count("task", 3, 1)}},
			want: []string{"blocked task [count]"}, reason: "not live Task nodes, or one twice: x"},
		{name: "one is named twice", f: fixture{core: 3, task: 3, groups: `{"task":{"server_ids":["t002","t002"]}}`, changes: []provider.Change{count("task", 3, 1)}},
			want: []string{"blocked task [count]"}, reason: "one twice: t002"},
		{name: "names left over have no effect on growth", f: fixture{core: 3, task: 1, groups: `{"task":{"server_ids":["gone"]}}`, changes: []provider.Change{count("task", 1, 2)}},
			want: []string{"scale_out task 1->2 [count]"}},
		{name: "names left over have no effect on core", f: fixture{core: 3, task: 1, groups: `{"task":{"server_ids":["gone"]}}`, changes: []provider.Change{count("core", 3, 4)}},
			want: []string{"scale_out core 3->4 [count]"}},
		{name: "counter and host list differ", f: fixture{core: 3, task: 3, tasks: []host{{ID: "a"}}, changes: []provider.Change{count("task", 3, 2)}},
			want: []string{"blocked task [count]"}, reason: "counter of Task nodes is 3 and its list of hosts has 1"},

		{name: "first task nodes with their size", f: fixture{core: 3, groups: sized,
			changes: []provider.Change{size("node_size", nil, "s3.xlarge.2.linux.bigdata"), count("task", 0, 2)}},
			want: []string{"scale_out task 0->2 [count,node_size]"}},
		{name: "first task nodes without a size", f: fixture{core: 3, changes: []provider.Change{count("task", 0, 2)}},
			want: []string{"blocked task [count]"}, reason: "state node_groups.task.node_size"},
		{name: "another size while task nodes live", f: fixture{core: 3, task: 1, groups: sized, changes: []provider.Change{size("node_size", "old", "new")}},
			want:   []string{"blocked task [node_size]"},
			reason: "node_size of the live Task nodes is old and new is wanted: a resize cannot change it while Task nodes exist; it can be chosen anew once there are no Task nodes"},
		{name: "another disk while task nodes live", f: fixture{core: 3, task: 1, groups: sized, changes: []provider.Change{size("data_volume_size", int64(100), int64(200))}},
			want: []string{"blocked task [data_volume_size]"}, reason: "data_volume_size of the live Task nodes is 100 and 200 is wanted"},
		{name: "sizes that are not alike", f: fixture{core: 3, task: 2, groups: sized, changes: []provider.Change{size("node_size", nil, "new")}},
			want: []string{"blocked task [node_size]"}, reason: "not the same in all"},
		{name: "growth of another size", f: fixture{core: 3, task: 1, groups: sized, changes: []provider.Change{size("node_size", "old", "new"), count("task", 1, 2)}},
			want: []string{"blocked task [count,node_size]"}, reason: "new nodes would be of the live specification"},
		{name: "removal beside another size", f: fixture{core: 3, task: 1, groups: sized, changes: []provider.Change{size("node_size", "old", "new"), count("task", 1, 0)}},
			want: []string{"scale_in task 1->0 [count] -t000", "blocked task [node_size]"}, reason: "once there are no Task nodes"},
		{name: "a size for nobody", f: fixture{core: 3, groups: sized, changes: []provider.Change{size("node_size", nil, "new")}},
			want: []string{"blocked task [node_size]"}, reason: "there are no Task nodes"},

		{name: "more masters", f: fixture{core: 3, changes: []provider.Change{count("master", 2, 3)}},
			want: []string{"blocked master [count]"}, reason: "has 2 Master nodes and 3 are wanted: the resize call takes Core and Task nodes only; ExpandCluster"},
		{name: "fewer masters", f: fixture{core: 3, changes: []provider.Change{count("master", 2, 1)}},
			want: []string{"blocked master [count]"}, reason: "no call removes Master nodes"},
		{name: "masters beside core", f: fixture{core: 3, changes: []provider.Change{count("master", 2, 1), count("core", 3, 4)}},
			want: []string{"scale_out core 3->4 [count]", "blocked master [count]"}},
		{name: "something of the cluster", f: fixture{core: 3, changes: []provider.Change{{Fields: []provider.FieldChange{{Path: "x", After: "y"}}}}},
			want: []string{"blocked  [x]"}, reason: "and nothing else"},
		{name: "something of core", f: fixture{core: 3, changes: []provider.Change{{Group: "core", Fields: []provider.FieldChange{{Path: "node_size", After: "y"}}}}},
			want: []string{"blocked core [node_size]"}, reason: "cannot change this"},
		{name: "no number", f: fixture{core: 3, changes: []provider.Change{{Group: "task", Fields: []provider.FieldChange{{Path: "count", After: int64(-1)}}}}},
			want: []string{"blocked task [count]"}, reason: "cannot change this"},

		{name: "custom", f: fixture{core: 3, facts: `{"cluster_type":3}`, changes: []provider.Change{count("core", 3, 4), count("task", 0, 1)}},
			want: []string{"blocked core [count]", "blocked task [count]"}, reason: "ExpandCluster and ShrinkCluster"},
		{name: "yearly or monthly", f: fixture{core: 3, facts: `{"billing_type":"Period"}`, changes: []provider.Change{count("core", 3, 4)}},
			want: []string{"blocked core [count]"}, reason: "12000065"},
		{name: "metered", f: fixture{core: 3, facts: `{"cluster_type":0,"billing_type":"Metered"}`, changes: []provider.Change{count("core", 3, 4)}},
			want: []string{"scale_out core 3->4 [count]"}},
		{name: "abnormal", f: fixture{core: 3, status: provider.StatusBroken, changes: []provider.Change{count("core", 3, 4)}},
			want: []string{"blocked core [count]"}, reason: "only a running cluster can be resized"},
		{name: "a flag for an old version", f: fixture{core: 3, facts: `{"cluster_version":"MRS 1.7.1"}`, groups: `{"core":{"skip_bootstrap_scripts":true}}`,
			changes: []provider.Change{count("core", 3, 4)}},
			want: []string{"blocked core [count]"}, reason: "skip_bootstrap_scripts needs MRS 1.7.2 or later, and the cluster is MRS 1.7.1"},
		{name: "the other flag for an old version", f: fixture{core: 3, task: 1, facts: `{"cluster_version":"MRS 1.6.3"}`, groups: `{"task":{"scale_without_start":true}}`,
			changes: []provider.Change{count("task", 1, 2)}},
			want: []string{"blocked task [count]"}, reason: "scale_without_start needs MRS 1.7.2"},
		{name: "a false flag for an old version", f: fixture{core: 3, facts: `{"cluster_version":"MRS 1.7.1"}`, groups: `{"core":{"skip_bootstrap_scripts":false}}`,
			changes: []provider.Change{count("core", 3, 4)}},
			want: []string{"scale_out core 3->4 [count]"}},
		{name: "a flag for the first version that has it", f: fixture{core: 3, facts: `{"cluster_version":"MRS 1.7.2"}`, groups: `{"core":{"skip_bootstrap_scripts":true}}`,
			changes: []provider.Change{count("core", 3, 4)}},
			want: []string{"scale_out core 3->4 [count]"}},
		{name: "a flag does not hinder removal", f: fixture{core: 3, task: 1, facts: `{"cluster_version":"MRS 1.6.3"}`, groups: `{"task":{"scale_without_start":true}}`,
			changes: []provider.Change{count("task", 1, 0)}},
			want: []string{"scale_in task 1->0 [count] -t000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := ready(c.f).request()
			plan := plan(t, req)
			if diff := cmp.Diff(c.want, summary(plan)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if c.reason != "" && !strings.Contains(plan.Blocked[0].Reason, c.reason) {
				t.Errorf("reason is %q, want %q in it", plan.Blocked[0].Reason, c.reason)
			}
			checkCover(t, req.Clusters[0].Changes, plan)
			for _, a := range plan.Actions {
				checkRequest(t, a)
			}
		})
	}
}

func plan(t *testing.T, req provider.PlanRequest) provider.ClusterPlan {
	t.Helper()
	resp, err := New().Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	again, err := New().Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(resp, again); diff != "" {
		t.Errorf("the same input gives another plan\n%s", diff)
	}
	return resp.Clusters[0]
}

// checkCover: every field of every change stands once in the plan, and no other.
func checkCover(t *testing.T, changes []provider.Change, plan provider.ClusterPlan) {
	t.Helper()
	var want, got []string
	for _, c := range changes {
		for _, f := range c.Fields {
			want = append(want, c.Group+"/"+f.Path)
		}
	}
	for _, a := range plan.Actions {
		for _, f := range a.Fields {
			got = append(got, a.Group+"/"+f.Path)
		}
	}
	for _, b := range plan.Blocked {
		for _, f := range b.Fields {
			got = append(got, b.Group+"/"+f.Path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields -changes +plan\n%s", diff)
	}
}

// checkRequest: the request is one that Start takes, and says what the action says.
func checkRequest(t *testing.T, a provider.Action) {
	t.Helper()
	r, err := parseResize(a.Request)
	if err != nil {
		t.Fatal(err)
	}
	delta := a.To["count"] - a.From["count"]
	if r.Body.Parameters.ScaleType == scaleIn {
		delta = -delta
	}
	if got := r.Body.Parameters.Instances; got != fmt.Sprint(delta) {
		t.Errorf("instances is %s for %v", got, a)
	}
	if got := New().Start(t.Context(), provider.StartRequest{Request: a.Request, CheckOnly: true}); got.Outcome != provider.OutcomeUnsent || got.Error != nil {
		t.Errorf("check_only: %+v", got)
	}
}

// TestRemovalOrder: which nodes go, and that the reason claims no age that the
// cloud does not tell.
func TestRemovalOrder(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	const foreseeable = "server_ids names none and the cloud tells no creation times: hosts added by a resize go first, then the highest ids"
	for _, c := range []struct {
		name  string
		nodes []provider.Node
		want  []string
		why   string
	}{
		{"as the cloud numbers them", []provider.Node{
			{ID: "0b-006", Name: "node-task-00006.com"}, {ID: "0b-017", Name: "node-task-00017.com"}, {ID: "0b-009", Name: "node-task-00009.com"},
		}, []string{"0b-017", "0b-009", "0b-006"}, foreseeable},
		{"an added one of a low id", []provider.Node{
			{ID: "b"}, {ID: "a", Name: "node-orderadd-TBvSr.com"}, {ID: "c"},
		}, []string{"a", "c", "b"}, foreseeable},
		{"all times are known", []provider.Node{
			{ID: "a", Created: day(2)}, {ID: "c", Created: day(1), Name: "node-orderadd-x"}, {ID: "b", Created: day(3)}, {ID: "d", Created: day(2)},
		}, []string{"b", "d", "a", "c"}, "the newest go, as the spec names none in server_ids"},
		{"one time is not", []provider.Node{
			{ID: "a", Created: day(2)}, {ID: "b", Created: day(1)}, {ID: "c"},
		}, []string{"c", "b", "a"}, foreseeable},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := planner{
				state: &provider.State{Groups: []provider.Group{{Role: roleTask, Nodes: c.nodes}}},
				spec:  map[string]groupSpec{},
			}
			chosen, why, fault := p.victims(resizing{role: roleTask, from: len(c.nodes)})
			var got []string
			for _, n := range chosen {
				got = append(got, n.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || fault != "" {
				t.Errorf("%s -want +got\n%s", fault, diff)
			}
			if why != c.why {
				t.Errorf("reason is %q", why)
			}
		})
	}
}

// TestPlanAbsent: MRS clusters are not created.
func TestPlanAbsent(t *testing.T) {
	req := fixture{groups: "{}"}.request()
	req.Clusters[0].Current = nil
	req.Clusters[0].Changes = []provider.Change{{Op: provider.OpCreate, Fields: []provider.FieldChange{{Path: "node_groups.core.count", After: int64(3)}}}}
	got := plan(t, req)
	if len(got.Actions) != 0 || len(got.Blocked) != 1 || !strings.Contains(got.Blocked[0].Reason, "CreateCluster") {
		t.Errorf("%+v", got)
	}
	checkCover(t, req.Clusters[0].Changes, got)
}

// TestPlanMixedWarns: nobody documents which group of a mixed cluster changes.
func TestPlanMixedWarns(t *testing.T) {
	got := plan(t, fixture{core: 3, facts: `{"cluster_type":2}`, groups: "{}", changes: []provider.Change{count("core", 3, 4)}}.request())
	if len(got.Actions) != 1 || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "mixed cluster") {
		t.Errorf("%+v", got)
	}
}

// TestPlanAgainAfterTheFirstAction: what is left comes out with the same bytes,
// or the engine would call the plan stale.
func TestPlanAgainAfterTheFirstAction(t *testing.T) {
	groups := `{"task":{"server_ids":["t001","t003"]}}`
	first := plan(t, fixture{core: 490, task: 10, groups: groups, changes: []provider.Change{count("core", 490, 492), count("task", 10, 8)}}.request())
	second := plan(t, fixture{core: 490, task: 8, groups: groups, changes: []provider.Change{count("core", 490, 492)}}.request())
	if diff := cmp.Diff(first.Actions[1:], second.Actions); diff != "" {
		t.Errorf("-first +second\n%s", diff)
	}
}

func TestPlanRefusesGarbage(t *testing.T) {
	req := fixture{groups: "{}"}.request()
	req.Clusters[0].Desired.Spec = json.RawMessage(`{`)
	if _, err := New().Plan(t.Context(), req); err == nil {
		t.Error("a broken spec is planned")
	}
}
