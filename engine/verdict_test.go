package engine

import (
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// sized gives nodes their cpu, by id.
func sized(sizes map[string]int64) map[string]map[string]int64 {
	out := map[string]map[string]int64{}
	for id, cpu := range sizes {
		out[id] = map[string]int64{"cpu": cpu}
	}
	return out
}

// TestVerdicts is the verdict table, row by row.
func TestVerdicts(t *testing.T) {
	grow := &journal.Intent{Op: provider.OpScaleOut, K: 2, Base: []string{"b1", "b2"}}
	named := &journal.Intent{Op: provider.OpScaleIn, K: 2, Base: []string{"b1", "b2", "b3", "b4"}, Victims: []string{"b1", "b2"}}
	unnamed := &journal.Intent{Op: provider.OpScaleIn, K: 2, Base: []string{"b1", "b2", "b3", "b4"}}
	create := &journal.Intent{Op: provider.OpCreate, K: 1, Base: []string{}}
	beside := &journal.Intent{Op: provider.OpCreate, K: 1, Base: []string{"old"}}
	resize := &journal.Intent{Op: provider.OpResize, To: map[string]int64{"cpu": 4}, Sizes: sized(map[string]int64{"b1": 2, "b2": 2})}
	uneven := &journal.Intent{Op: provider.OpResize, To: map[string]int64{"cpu": 4}, Sizes: sized(map[string]int64{"b1": 4, "b2": 2})}
	const ready, broken = provider.StatusReady, provider.StatusBroken
	live := []string{"c1"}
	for _, test := range []struct {
		name    string
		in      *journal.Intent
		status  provider.Status
		ids     []string
		nodes   []string
		sizes   map[string]int64
		made    []string
		verdict journal.Verdict
		fresh   []string
		foreign []string
	}{
		{"grow, task: all", grow, ready, live, []string{"b1", "b2", "n1", "n2"}, nil, []string{"n1", "n2"}, journal.Done, []string{"n1", "n2"}, nil},
		{"grow, task: all and foreign growth", grow, ready, live, []string{"b1", "b2", "n1", "n2", "x"}, nil, []string{"n1", "n2"}, journal.Done, []string{"n1", "n2"}, []string{"x"}},
		{"grow, task: some", grow, ready, live, []string{"b1", "b2", "n1"}, nil, []string{"n1", "n2"}, journal.Partial, []string{"n1"}, nil},
		{"grow, task: some, foreign makes up the number", grow, ready, live, []string{"b1", "b2", "n1", "x"}, nil, []string{"n1", "n2"}, journal.Partial, []string{"n1"}, []string{"x"}},
		{"grow, task: none", grow, ready, live, []string{"b1", "b2"}, nil, []string{"n1", "n2"}, journal.None, nil, nil},
		{"grow, task: one node told twice", grow, ready, live, []string{"b1", "b2", "n1"}, nil, []string{"n1", "n1"}, journal.Partial, []string{"n1"}, nil},
		{"grow, task: lists nodes that were there", grow, ready, live, []string{"b1", "b2"}, nil, []string{"b1", "b2"}, journal.None, nil, nil},
		{"grow, task: lists all nodes of the group", grow, ready, live, []string{"b1", "b2", "n1", "n2"}, nil, []string{"b1", "b2", "n1", "n2"}, journal.Done, []string{"n1", "n2"}, nil},
		{"grow: k", grow, ready, live, []string{"b1", "b2", "n1", "n2"}, nil, nil, journal.Done, []string{"n1", "n2"}, nil},
		{"grow: k, and a node from before went", grow, ready, live, []string{"b1", "n1", "n2"}, nil, nil, journal.Done, []string{"n1", "n2"}, []string{"b2"}},
		{"grow: fewer", grow, ready, live, []string{"b1", "b2", "n1"}, nil, nil, journal.Partial, []string{"n1"}, nil},
		{"grow: none", grow, ready, live, []string{"b1", "b2"}, nil, nil, journal.None, nil, nil},
		{"grow: more", grow, ready, live, []string{"b1", "b2", "n1", "n2", "n3"}, nil, nil, journal.Drifted, []string{"n1", "n2", "n3"}, nil},
		{"grow: the cluster is gone", grow, "", nil, nil, nil, nil, journal.Drifted, nil, nil},

		{"shrink named: all", named, ready, live, []string{"b3", "b4"}, nil, nil, journal.Done, nil, nil},
		{"shrink named: some", named, ready, live, []string{"b2", "b3", "b4"}, nil, nil, journal.Partial, nil, nil},
		{"shrink named: none", named, ready, live, []string{"b1", "b2", "b3", "b4"}, nil, nil, journal.None, nil, nil},
		{"shrink named: all, others too", named, ready, live, []string{"b3"}, nil, nil, journal.Done, nil, []string{"b4"}},
		{"shrink named: none, others gone", named, ready, live, []string{"b1", "b2"}, nil, nil, journal.None, nil, []string{"b3", "b4"}},
		{"shrink named: all, others came", named, ready, live, []string{"b3", "b4", "x"}, nil, nil, journal.Done, nil, []string{"x"}},
		{"shrink named: the group is gone", named, ready, live, nil, nil, nil, journal.Done, nil, []string{"b3", "b4"}},

		{"shrink unnamed: k", unnamed, ready, live, []string{"b3", "b4"}, nil, nil, journal.Done, nil, nil},
		{"shrink unnamed: fewer", unnamed, ready, live, []string{"b2", "b3", "b4"}, nil, nil, journal.Partial, nil, nil},
		{"shrink unnamed: none", unnamed, ready, live, []string{"b1", "b2", "b3", "b4"}, nil, nil, journal.None, nil, nil},
		{"shrink unnamed: more", unnamed, ready, live, []string{"b4"}, nil, nil, journal.Drifted, nil, nil},

		{"create: one, active", create, ready, live, nil, nil, nil, journal.Done, live, nil},
		{"create: one, failed", create, broken, live, nil, nil, nil, journal.Partial, live, nil},
		{"create: none", create, "", nil, nil, nil, nil, journal.None, nil, nil},
		{"create: two", create, "", []string{"c1", "c2"}, nil, nil, nil, journal.Drifted, nil, nil},
		{"create: only the one from before", beside, ready, []string{"old"}, nil, nil, nil, journal.None, nil, nil},

		{"resize: all at to", resize, ready, live, nil, map[string]int64{"b1": 4, "b2": 4}, nil, journal.Done, nil, nil},
		{"resize: mixed", resize, ready, live, nil, map[string]int64{"b1": 4, "b2": 2}, nil, journal.Partial, nil, nil},
		{"resize: as before", resize, ready, live, nil, map[string]int64{"b1": 2, "b2": 2}, nil, journal.None, nil, nil},
		{"resize: as before, where one was at to", uneven, ready, live, nil, map[string]int64{"b1": 4, "b2": 2}, nil, journal.None, nil, nil},
		{"resize: all at to, where one was", uneven, ready, live, nil, map[string]int64{"b1": 4, "b2": 4}, nil, journal.Done, nil, nil},
		{"resize: another size", resize, ready, live, nil, map[string]int64{"b1": 4, "b2": 8}, nil, journal.Drifted, nil, nil},
		{"resize: a new node of the old size", resize, ready, live, nil, map[string]int64{"b1": 4, "b2": 4, "x": 2}, nil, journal.Drifted, nil, []string{"x"}},
		{"resize: a node went", resize, ready, live, nil, map[string]int64{"b1": 4}, nil, journal.Done, nil, []string{"b2"}},
		{"resize: no node is left", resize, ready, live, nil, nil, nil, journal.Drifted, nil, []string{"b1", "b2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := reading{status: test.status, ids: test.ids, nodes: test.nodes, counted: true, sizes: sized(test.sizes)}
			if test.sizes != nil {
				r.nodes = nil
				for _, id := range []string{"b1", "b2", "x"} {
					if _, ok := test.sizes[id]; ok {
						r.nodes = append(r.nodes, id)
					}
				}
			}
			if !r.decidable(test.in.Op) {
				t.Fatal("the read is not taken for one that decides")
			}
			got := judge(test.in, r, test.made)
			check(t, "verdict", got.verdict, test.verdict)
			check(t, "fresh", got.fresh, test.fresh)
			check(t, "foreign", got.foreign, test.foreign)
		})
	}
}

// TestTwoNewClusters: a create after which there are two names both.
func TestTwoNewClusters(t *testing.T) {
	r := reading{ids: []string{"c1", "c2", "old"}, counted: true}
	got := judge(&journal.Intent{Op: provider.OpCreate, K: 1, Base: []string{"old"}}, r, nil)
	check(t, "ruling", got.detail, "2 clusters of that name: c1, c2")
}

// TestDecidable: what must not be judged yet.
func TestDecidable(t *testing.T) {
	ready := reading{ids: []string{"c1"}, status: provider.StatusReady, counted: true}
	for _, test := range []struct {
		name string
		op   provider.Op
		edit func(*reading)
		want bool
	}{
		{"ready", provider.OpScaleOut, func(*reading) {}, true},
		{"busy", provider.OpScaleOut, func(r *reading) { r.status = provider.StatusBusy }, false},
		{"unknown", provider.OpScaleOut, func(r *reading) { r.status = provider.StatusUnknown }, false},
		{"broken", provider.OpScaleOut, func(r *reading) { r.status = provider.StatusBroken }, false},
		{"a task runs", provider.OpScaleOut, func(r *reading) { r.running = []string{"t"} }, false},
		{"counter and list differ", provider.OpScaleOut, func(r *reading) { r.counted = false }, false},
		{"gone", provider.OpScaleIn, func(r *reading) { *r = reading{counted: true} }, true},
		{"create, busy", provider.OpCreate, func(r *reading) { r.status = provider.StatusBusy }, false},
		{"create, failed", provider.OpCreate, func(r *reading) { r.status = provider.StatusBroken }, true},
		{"create, nothing", provider.OpCreate, func(r *reading) { *r = reading{counted: true} }, true},
		{"create, two", provider.OpCreate, func(r *reading) { r.ids = []string{"c1", "c2"} }, true},
	} {
		r := ready
		test.edit(&r)
		check(t, test.name, r.decidable(test.op), test.want)
	}
}
