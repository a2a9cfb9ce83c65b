package qingcloud

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const ehpcSpec = `{"provider":"qc","kind":"ehpc","version_id":"appv-1","vxnet":"vxnet-1","nas_id":"nas-1","nas_path":"10.0.0.7@o2ib:/lustrefs/x",
	"admin_password":{"env":"CCTL_SECRET_A"},"password":{"file":"p"},"admin_user":"admin","admin_user_id":7,"deploy_mode":"1",
	"paid_type":"Reserved","duration":12,"is_auto_renewal":0,"software_library":{"nfs_need":1,"nfs_dns":"10.104.100.99","nfs_export":"qingyun.nsccjn.com:/shanhe","start_hook_on":1,"nfs_local":"/es01/software","nfs_network":"10.104.0.0/16"},
	"node_groups":{"login":{"count":1,"cpu":2,"memory":4096,"nas_mount_point":"/home","instance_class":"7"},
	"controller":{"count":1,"cpu":2,"memory":4096,"nas_mount_point":"/home"},
	"compute":{"count":2,"cpu":4,"memory":12288,"nas_mount_point":"/home","storage_size":100,"instance_class":"7"}}}`

func desired(kind, id, spec string) provider.Desired {
	return provider.Desired{Address: "simulation", Kind: kind, ID: id, Name: "simulation", Spec: json.RawMessage(spec)}
}

// created is the change that the engine makes of an absent cluster, as far as
// these tests need it.
func created(t *testing.T, spec string) []provider.Change {
	t.Helper()
	o, err := decodeObject([]byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	change := provider.Change{Op: provider.OpCreate, Fields: []provider.FieldChange{{Path: "nas_id", After: o.text("nas_id")}}}
	for _, role := range roles {
		group := o.object("node_groups").object(role)
		for _, name := range []string{"count", "storage_size"} {
			if n, ok := group.whole(name); ok {
				change.Fields = append(change.Fields, provider.FieldChange{Path: "node_groups." + role + "." + name, After: n})
			}
		}
	}
	return []provider.Change{change}
}

func planOf(t *testing.T, p *plugin, clusters ...provider.ClusterChange) provider.ClusterPlan {
	t.Helper()
	req := provider.PlanRequest{Clusters: clusters}
	resp, err := p.Plan(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := p.Plan(context.Background(), req)
	if diff := cmp.Diff(resp, again); diff != "" {
		t.Errorf("Plan is not pure:\n%s", diff)
	}
	return resp.Clusters[len(resp.Clusters)-1]
}

// compact drops the white space of a request written for people.
func compact(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(s)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPlanCreate(t *testing.T) {
	p := configure(t, "")
	plan := planOf(t, p, provider.ClusterChange{Desired: desired("ehpc", "", ehpcSpec), Changes: created(t, ehpcSpec)})
	if len(plan.Actions) != 2 || len(plan.Blocked) != 0 {
		t.Fatalf("%+v", plan)
	}
	if strings.Contains(string(plan.Actions[0].Request), "CCTL_SECRET") || strings.Contains(string(plan.Actions[0].Request), "admin.password") {
		t.Errorf("the request names the secret's source or place: %s", plan.Actions[0].Request)
	}
	plan.Actions[0].Request = nil // its bytes are golden in TestStartCreate
	want := provider.ClusterPlan{
		Actions: []provider.Action{{
			Op: provider.OpCreate, From: map[string]int64{}, To: map[string]int64{}, Removes: []provider.NodeRef{},
			Fields: []provider.FieldChange{
				{Path: "nas_id", After: "nas-1"}, {Path: "node_groups.login.count", After: int64(1)},
				{Path: "node_groups.controller.count", After: int64(1)}, {Path: "node_groups.compute.count", After: int64(2)},
			},
			Secrets: []string{"admin_password", "password"},
		}, {
			Group: "compute", Op: provider.OpResize, From: map[string]int64{},
			To:     map[string]int64{"cpu": 4, "memory": 12288, "storage_size": 100},
			Fields: []provider.FieldChange{{Path: "storage_size", After: int64(100)}}, Removes: []provider.NodeRef{},
			Request: []byte(`{"call":"resizeCluster","body":{"cluster_id":"","cpu":"4","instance_class":"7","memory":"12288","node_role":"compute","storage_size":"100","zone":"jn1a"}}`),
			Reason:  "createCluster has no storage_size: this resize follows it, planned again for the new cluster's id",
			Risk:    riskResize,
		}},
		Warnings: []string{"instance_class of login nodes is sent with a resize only; createCluster has no such parameter"},
	}
	if diff := cmp.Diff(want, plan); diff != "" {
		t.Error(diff)
	}
}

// What the spec leaves out of a small hpc cluster is what the create assumes.
func TestPlanCreateDefaults(t *testing.T) {
	const spec = `{"version_id":"v","vxnet":"vxnet-1","nas_id":"n","nas_path":"/x","admin_password":{"env":"A"},"deploy_mode":"1",
		"node_groups":{"login":{"count":1,"cpu":2,"memory":12288,"nas_mount_point":"/home"}}}`
	plan := planOf(t, configure(t, ""), provider.ClusterChange{Desired: desired("hpc", "", spec), Changes: created(t, spec)})
	want := compact(t, `{"call":"createCluster","body":{"cluster_conf":{"cluster":{"login":{"count":1,"cpu":2,"memory":12288,"nas_mount_point":"/home"},
		"name":"simulation","nas_id":"n","version":"v","vxnet":"vxnet-1"},"env":{"admin.group_id":11017755,"admin.user":"admin","admin.user_id":11017754,"nas_path":"/x"},"version":"v"},
		"cluster_name":"simulation","cluster_type":"hpc","deploy_mode":"1","gid_number":11017755,"nas_id":"n","nas_path":"/x","owner":"usr-abc",
		"paid_type":"PayForUsed","uid_number":11017754,"version_id":"v","zone":"jn1a"},"secrets":["admin_password"]}`)
	if got := string(plan.Actions[0].Request); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(plan.Warnings) != 1 || !strings.Contains(plan.Warnings[0], "cpu 2 with memory 12288") {
		t.Errorf("warnings %q", plan.Warnings)
	}
}

func TestPlanCreateBlocked(t *testing.T) {
	absent := func(address, kind, id, spec string) provider.ClusterChange {
		d := desired(kind, id, spec)
		d.Address = address
		return provider.ClusterChange{Desired: d, Changes: []provider.Change{{Op: provider.OpCreate, Fields: []provider.FieldChange{{Path: "nas_id", After: "n"}}}}}
	}
	const hpc = `{"version_id":"v","vxnet":"vxnet-1","nas_id":"n","nas_path":"/x","admin_password":{"env":"A"},"node_groups":{"login":{"count":1,"cpu":2,"memory":4096,"nas_mount_point":"/home"}}}`
	tests := []struct {
		name     string
		clusters []provider.ClusterChange
		want     string
	}{
		{"with an id", []provider.ClusterChange{absent("a", "ehpc", "ehpc-9", ehpcSpec)}, "there is no cluster ehpc-9"},
		{"incomplete", []provider.ClusterChange{absent("a", "ehpc", "", hpc)}, "must state node_groups.compute.count"},
		{"compact", []provider.ClusterChange{absent("a", "ehpc", "", `{"deploy_mode":"2"}`)}, "admin_password, node_groups.compute.count, node_groups.compute.cpu, node_groups.compute.memory, node_groups.compute.nas_mount_point, node_groups.login.count"},
		{"second hpc", []provider.ClusterChange{absent("a", "hpc", "", hpc), absent("b", "hpc", "", hpc)}, "one hpc cluster only, and a is it"},
		{"beside a live hpc", []provider.ClusterChange{
			{Desired: provider.Desired{Address: "live", Kind: "hpc"}, Current: &provider.State{ID: "hpc-1"}}, absent("b", "hpc", "", hpc),
		}, "and live is it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plan := planOf(t, configure(t, ""), tt.clusters...)
			if len(plan.Actions) != 0 || len(plan.Blocked) != 1 || !strings.Contains(plan.Blocked[0].Reason, tt.want) {
				t.Errorf("got %+v", plan)
			}
		})
	}
}

// live is a cluster of kind with one group of two nodes; differing fields of
// the nodes are left out of the group, as Observe does.
func live(kind, role, shared string, sizes ...string) *provider.State {
	g := provider.Group{Role: role, Count: len(sizes), Attributes: json.RawMessage(shared)}
	for _, s := range sizes {
		g.Nodes = append(g.Nodes, provider.Node{ID: "cln", Attributes: json.RawMessage(s)})
	}
	return &provider.State{ID: kind + "-1", Kind: kind, Status: provider.StatusReady, Groups: []provider.Group{g}}
}

func TestPlanResize(t *testing.T) {
	const even = `{"cpu":2,"memory":4096,"storage_size":50}`
	change := func(group string, paths ...string) []provider.Change {
		c := provider.Change{Group: group, Op: provider.OpResize}
		for _, path := range paths {
			c.Fields = append(c.Fields, provider.FieldChange{Path: path, After: int64(1)})
		}
		return []provider.Change{c}
	}
	tests := []struct {
		name, kind, spec string
		live             *provider.State
		changes          []provider.Change
		from, to         map[string]int64
		request          string
		blocked          string
		warns            bool
	}{
		{
			name: "both", kind: "hpc", spec: `{"node_groups":{"login":{"cpu":4,"memory":12288}}}`,
			live: live("hpc", "login", even, even), changes: change("login", "cpu", "memory"),
			from: map[string]int64{"cpu": 2, "memory": 4096}, to: map[string]int64{"cpu": 4, "memory": 12288},
			request: `{"cluster_id":"hpc-1","cpu":"4","memory":"12288","node_role":"login","zone":"jn1a"}`,
		},
		{
			name: "cpu alone", kind: "hpc", spec: `{"node_groups":{"login":{"cpu":4}}}`,
			live: live("hpc", "login", even, even), changes: change("login", "cpu"), warns: true,
			from: map[string]int64{"cpu": 2, "memory": 4096}, to: map[string]int64{"cpu": 4, "memory": 4096},
			request: `{"cluster_id":"hpc-1","cpu":"4","memory":"4096","node_role":"login","zone":"jn1a"}`,
		},
		{
			name: "storage alone, smaller", kind: "ehpc", spec: `{"node_groups":{"controller":{"storage_size":20,"instance_class":"6"}}}`,
			live: live("ehpc", "controller", even, even), changes: change("controller", "storage_size"), warns: true,
			from: map[string]int64{"cpu": 2, "memory": 4096, "storage_size": 50}, to: map[string]int64{"cpu": 2, "memory": 4096, "storage_size": 20},
			request: `{"cluster_id":"ehpc-1","cpu":"2","instance_class":"6","memory":"4096","node_role":"controller","storage_size":"20","zone":"jn1a"}`,
		},
		{
			name: "storage that does not change is left out", kind: "ehpc", spec: `{"node_groups":{"compute":{"cpu":4,"memory":12288,"storage_size":50}}}`,
			live: live("ehpc", "compute", even, even), changes: change("compute", "cpu", "memory"),
			from: map[string]int64{"cpu": 2, "memory": 4096}, to: map[string]int64{"cpu": 4, "memory": 12288},
			request: `{"cluster_id":"ehpc-1","cpu":"4","memory":"12288","node_role":"compute","zone":"jn1a"}`,
		},
		{
			name: "nodes differ, spec states all", kind: "ehpc", spec: `{"node_groups":{"compute":{"cpu":4,"memory":12288}}}`,
			live:    live("ehpc", "compute", `{}`, even, `{"cpu":4,"memory":12288}`),
			changes: change("compute", "cpu", "memory"),
			from:    map[string]int64{}, to: map[string]int64{"cpu": 4, "memory": 12288},
			request: `{"cluster_id":"ehpc-1","cpu":"4","memory":"12288","node_role":"compute","zone":"jn1a"}`,
		},
		{
			name: "nodes differ in what the spec leaves out", kind: "ehpc", spec: `{"node_groups":{"compute":{"cpu":4}}}`,
			live:    live("ehpc", "compute", `{}`, even, `{"cpu":4,"memory":12288}`),
			changes: change("compute", "cpu"), blocked: "compute nodes differ in memory (4096, 12288): state it in the spec",
		},
		{
			name: "compute floor by a live value", kind: "ehpc", spec: `{"node_groups":{"compute":{"cpu":4}}}`,
			live: live("ehpc", "compute", `{"cpu":2,"memory":2048}`, even), changes: change("compute", "cpu"), blocked: "at least cpu 2 and memory 4096",
		},
		{
			name: "live size that the call does not take", kind: "ehpc", spec: `{"node_groups":{"login":{"cpu":4}}}`,
			live: live("ehpc", "login", `{"cpu":2,"memory":8192}`, even), changes: change("login", "cpu"), blocked: "not 8192: state memory",
		},
		{
			name: "hpc resizes login only", kind: "hpc", spec: `{"node_groups":{"compute":{"cpu":4,"memory":12288}}}`,
			live: live("hpc", "compute", even, even), changes: change("compute", "cpu", "memory"), blocked: "login nodes only of an hpc cluster",
		},
		{
			name: "nodes whose number is unmanaged", kind: "ehpc", spec: `{"node_groups":{"login":{},"compute":{"cpu":4,"memory":12288}}}`,
			live: live("ehpc", "compute", even, even, even, even), changes: change("compute", "cpu", "memory"),
			from: map[string]int64{"cpu": 2, "memory": 4096}, to: map[string]int64{"cpu": 4, "memory": 12288},
			request: `{"cluster_id":"ehpc-1","cpu":"4","memory":"12288","node_role":"compute","zone":"jn1a"}`,
		},
		{
			name: "no nodes", kind: "ehpc", spec: `{"node_groups":{"compute":{"cpu":4,"memory":12288}}}`,
			live: live("ehpc", "login", even, even), changes: change("compute", "cpu"), blocked: "no compute nodes to resize",
		},
		{
			name: "no such role", kind: "ehpc", spec: `{"node_groups":{"gpu":{"cpu":4,"memory":12288}}}`,
			live: live("ehpc", "gpu", even, even), changes: change("gpu", "cpu"), blocked: `no role "gpu"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plan := planOf(t, configure(t, ""), provider.ClusterChange{Desired: desired(tt.kind, "", tt.spec), Current: tt.live, Changes: tt.changes})
			if tt.blocked != "" {
				if len(plan.Actions) != 0 || len(plan.Blocked) != 1 || !strings.Contains(plan.Blocked[0].Reason, tt.blocked) {
					t.Errorf("got %+v, want %q", plan, tt.blocked)
				}
				return
			}
			if len(plan.Actions) != 1 || len(plan.Blocked) != 0 {
				t.Fatalf("got %+v", plan)
			}
			a := plan.Actions[0]
			if diff := cmp.Diff(tt.from, a.From); diff != "" {
				t.Errorf("from: %s", diff)
			}
			if diff := cmp.Diff(tt.to, a.To); diff != "" {
				t.Errorf("to: %s", diff)
			}
			if want := `{"call":"resizeCluster","body":` + tt.request + `}`; string(a.Request) != want {
				t.Errorf("got  %s\nwant %s", a.Request, want)
			}
			if diff := cmp.Diff(tt.changes[0].Fields, a.Fields); diff != "" {
				t.Errorf("fields: %s", diff)
			}
			if (len(plan.Warnings) > 0) != tt.warns || a.Op != provider.OpResize || a.Risk == "" {
				t.Errorf("warnings %q, action %+v", plan.Warnings, a)
			}
		})
	}
}

// One cluster with everything wrong: sizes in the order of roles, the rest
// blocked with what could do it.
func TestPlanMixed(t *testing.T) {
	const size = `{"cpu":2,"memory":4096}`
	current := &provider.State{ID: "ehpc-1", Kind: "ehpc"}
	for _, role := range []string{"compute", "controller", "login"} {
		current.Groups = append(current.Groups, provider.Group{Role: role, Count: 2, Attributes: json.RawMessage(size)})
	}
	field := func(path string, before, after any) provider.FieldChange {
		return provider.FieldChange{Path: path, Before: before, After: after}
	}
	changes := []provider.Change{
		{Op: provider.OpResize, Fields: []provider.FieldChange{field("vxnet", "vxnet-1", "vxnet-2")}},
		{Group: "compute", Op: provider.OpScaleOut, Fields: []provider.FieldChange{field("count", int64(2), int64(3))}},
		{Group: "compute", Op: provider.OpResize, Fields: []provider.FieldChange{field("cpu", int64(2), int64(4)), field("memory", int64(4096), int64(12288)), field("nas_mount_point", "/home", "/data")}},
		{Group: "controller", Op: provider.OpScaleIn, Fields: []provider.FieldChange{field("count", int64(2), int64(1))}},
		{Group: "login", Op: provider.OpScaleIn, Fields: []provider.FieldChange{field("count", int64(2), int64(1))}},
		{Group: "login", Op: provider.OpResize, Fields: []provider.FieldChange{field("cpu", int64(2), int64(1)), field("memory", int64(4096), int64(2048))}},
	}
	spec := `{"node_groups":{"compute":{"cpu":4,"memory":12288},"login":{"cpu":1,"memory":2048}}}`
	plan := planOf(t, configure(t, ""), provider.ClusterChange{Desired: desired("ehpc", "", spec), Current: current, Changes: changes})
	var got []string
	for _, a := range plan.Actions {
		got = append(got, "resize "+a.Group)
	}
	fields := 0
	for _, b := range plan.Blocked {
		got = append(got, b.Reason)
		fields += len(b.Fields)
	}
	want := []string{
		"resize login", "resize compute",
		`vxnet is "vxnet-1" and should be "vxnet-2": no EHPC call changes it in place; it needs a new cluster`,
		"2 compute nodes live, 3 wanted: resizeCluster changes the size of nodes, not their number; addNodes could add them, but it is not offered yet",
		`nas_mount_point of compute nodes is "/home" and should be "/data": no EHPC call changes it in place; it needs a new cluster`,
		"2 controller nodes live, 1 wanted: resizeCluster changes the size of nodes, not their number; no EHPC call changes the number of controller nodes",
		"2 login nodes live, 1 wanted: resizeCluster changes the size of nodes, not their number; deleteNodes could remove them, but it is not offered yet",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if fields != 5 {
		t.Errorf("%d fields are blocked", fields)
	}
}
