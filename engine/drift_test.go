package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

var longAgo = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// pastOf is history as a store yields it, with an error at its end.
func pastOf(records []journal.Record, err error) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(journal.Record{}, err)
		}
	}
}

// story makes records about cluster c1, an hour after one another.
type story struct {
	entry *Entry
	list  []journal.Record
}

func (s *story) add(op provider.Op, group string, from, to int64, verdict journal.Verdict, edit ...func(*journal.Record)) {
	path := "count"
	if op == provider.OpResize {
		path = "cpu"
	}
	n := len(s.list) + 1
	r := journal.Record{Verdict: verdict, At: longAgo.Add(time.Duration(n) * time.Hour), Intent: journal.Intent{
		OpID: fmt.Sprint("op", n), PlanDigest: fmt.Sprint("sha256:plan", n), Who: "ops@host",
		Identity: s.entry.identity("c1", ""), Kind: "k", Cluster: "web", Name: "web", ClusterID: "c1", Group: group, Op: op,
		From: map[string]int64{path: from}, To: map[string]int64{path: to}}}
	if op == provider.OpCreate {
		r.Intent.Identity, r.Intent.ClusterID, r.Intent.From, r.Intent.To = s.entry.identity("", "web"), "", nil, nil
		r.Added = []journal.Node{{ID: "c1"}}
	}
	for _, f := range edit {
		f(&r)
	}
	s.list = append(s.list, r)
}

// seenAs is a read of cluster c1 with n nodes of a size in group core.
func seenAs(n int, cpu int64) map[string]provider.Observation {
	g := provider.Group{Role: "core", Count: n, Attributes: provider.Raw(map[string]any{"cpu": cpu})}
	for i := range n {
		g.Nodes = append(g.Nodes, provider.Node{ID: fmt.Sprint("n", i+1), Name: fmt.Sprint("node-", i+1), Created: longAgo})
	}
	state := &provider.State{ID: "c1", Name: "web", Kind: "k", Status: provider.StatusReady, Attributes: json.RawMessage(`{"zone":"z1"}`), Groups: []provider.Group{g}}
	return map[string]provider.Observation{"web": {Address: "web", Presence: provider.Present, Cluster: state}}
}

// causes lists a cluster's cause and each field with its own and with what was
// applied.
func causes(d *Drift) []string {
	var out []string
	for _, c := range d.Clusters {
		out = append(out, c.Address+" "+string(c.Cause))
		for _, f := range c.Fields {
			out = append(out, fmt.Sprintf("%s.%s %v→%v %s of %v", f.Address, f.Path, f.Spec, f.Live, f.Cause, f.Applied))
		}
	}
	return out
}

// TestDriftCauses: spec, live and what history says of the field give the cause.
func TestDriftCauses(t *testing.T) {
	const five = `{"node_groups":{"core":{"count":5,"cpu":4}}}`
	torn := &journal.TornError{Path: "history.jsonl", Line: 9}
	began := longAgo.Add(90 * time.Minute) // after the first record, before the second
	for name, tc := range map[string]struct {
		spec    string
		band    *Band
		live    map[string]provider.Observation
		records func(s *story)
		damage  error
		open    string // the group of an open request
		began   time.Time
		want    []string
	}{
		"changed outside": {live: seenAs(7, 4), records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Done) },
			want: []string{"web drift", "web/core.count 5→7 drift of 5"}},
		"changed in the spec": {live: seenAs(3, 4), records: func(s *story) { s.add(provider.OpScaleIn, "core", 4, 3, journal.Done) },
			want: []string{"web spec", "web/core.count 5→3 spec of 3"}},
		"both": {live: seenAs(7, 4), records: func(s *story) { s.add(provider.OpScaleIn, "core", 4, 3, journal.Done) },
			want: []string{"web both", "web/core.count 5→7 both of 3"}},
		"never applied": {live: seenAs(7, 4), records: func(*story) {},
			want: []string{"web unknown", "web/core.count 5→7 unknown of <nil>"}},
		"the newest counts": {live: seenAs(3, 4), records: func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done)
			s.add(provider.OpScaleIn, "core", 5, 3, journal.Done)
		}, want: []string{"web spec", "web/core.count 5→3 spec of 3"}},
		"one without effect sets nothing": {live: seenAs(7, 4), records: func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done)
			s.add(provider.OpScaleIn, "core", 5, 3, journal.None)
		}, want: []string{"web drift", "web/core.count 5→7 drift of 5"}},
		"one that fell short leaves it unknown": {live: seenAs(4, 4), records: func(s *story) {
			s.add(provider.OpScaleIn, "core", 5, 3, journal.Done)
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Partial)
		}, want: []string{"web unknown", "web/core.count 5→4 unknown of <nil>"}},
		"drifted leaves it unknown": {live: seenAs(6, 4), records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Drifted) },
			want: []string{"web unknown", "web/core.count 5→6 unknown of <nil>"}},
		"another group": {live: seenAs(7, 4), records: func(s *story) { s.add(provider.OpScaleOut, "task", 3, 5, journal.Done) },
			want: []string{"web unknown", "web/core.count 5→7 unknown of <nil>"}},
		"fields apart": {live: seenAs(7, 2), records: func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done)
			s.add(provider.OpResize, "core", 1, 2, journal.Done)
		}, want: []string{"web both", "web/core.count 5→7 drift of 5", "web/core.cpu 4→2 spec of 2"}},
		"known beside unknown": {live: seenAs(7, 2), records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Done) },
			want: []string{"web drift", "web/core.count 5→7 drift of 5", "web/core.cpu 4→2 unknown of <nil>"}},
		"a create's values are not in history": {live: seenAs(7, 4), records: func(s *story) { s.add(provider.OpCreate, "", 0, 0, journal.Done) },
			want: []string{"web unknown", "web/core.count 5→7 unknown of <nil>"}},
		"what came before the create was another": {live: seenAs(7, 4), records: func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done)
			s.add(provider.OpCreate, "", 0, 0, journal.Done)
		}, want: []string{"web unknown", "web/core.count 5→7 unknown of <nil>"}},
		"a create of an earlier cluster of the name": {live: seenAs(7, 4), records: func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done)
			s.add(provider.OpCreate, "", 0, 0, journal.Done, func(r *journal.Record) { r.Added = []journal.Node{{ID: "c0"}} })
		}, want: []string{"web drift", "web/core.count 5→7 drift of 5"}},
		"a record that could not be read": {live: seenAs(7, 4), records: func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done)
			s.add(provider.OpUnknown, "", 0, 0, journal.Done, func(r *journal.Record) { r.By, r.Intent.To = "ops: seen", nil })
		}, want: []string{"web unknown", "web/core.count 5→7 unknown of <nil>"}},
		"guards are no requests": {live: seenAs(7, 4), records: func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done)
			s.add(journal.OpGuard, "core", 0, 9, journal.Done, func(r *journal.Record) { r.Guards = &journal.Guards{} })
			s.add(journal.OpGuard, "core", 0, 9, journal.Done, func(r *journal.Record) { r.Intent.Identity.Scope = journal.Guarded })
		}, want: []string{"web drift", "web/core.count 5→7 drift of 5"}},
		"another cluster": {live: seenAs(7, 4), records: func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done, func(r *journal.Record) { r.Intent.Identity = s.entry.identity("c2", "") })
		}, want: []string{"web unknown", "web/core.count 5→7 unknown of <nil>"}},
		"another kind of the same id": {live: seenAs(7, 4), records: func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done, func(r *journal.Record) { r.Intent.Kind = "old" })
		}, want: []string{"web unknown", "web/core.count 5→7 unknown of <nil>"}},
		"a range that has it": {spec: `{"node_groups":{"core":{"cpu":4}}}`, band: &Band{3, 5}, live: seenAs(7, 4), records: func(s *story) { s.add(provider.OpScaleIn, "core", 5, 4, journal.Done) },
			want: []string{"web drift", "web/core.count 5→7 drift of 4"}},
		"a range that has it no more": {spec: `{"node_groups":{"core":{"cpu":4}}}`, band: &Band{3, 5}, live: seenAs(7, 4), records: func(s *story) { s.add(provider.OpScaleOut, "core", 5, 7, journal.Done) },
			want: []string{"web spec", "web/core.count 5→7 spec of 7"}},
		"no size of all nodes": {live: func() map[string]provider.Observation {
			seen := seenAs(5, 4)
			seen["web"].Cluster.Groups[0].Attributes = nil
			return seen
		}(), records: func(s *story) { s.add(provider.OpResize, "core", 2, 4, journal.Done) },
			want: []string{"web drift", "web/core.cpu 4→<nil> drift of 4"}},
		"immutable": {spec: `{"zone":"z2"}`, live: seenAs(5, 4), records: func(*story) {},
			want: []string{"web unknown", "web.zone z2→z1 unknown of <nil>"}},
		"an open request about it": {live: seenAs(7, 2), open: "core", records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Done) },
			want: []string{"web unknown", "web/core.count 5→7 unknown of 5", "web/core.cpu 4→2 unknown of <nil>"}},
		"an open request about another group": {live: seenAs(7, 4), open: "task", records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Done) },
			want: []string{"web drift", "web/core.count 5→7 drift of 5"}},
		"settled while it was read": {live: seenAs(3, 4), began: began, records: func(s *story) {
			s.add(provider.OpScaleIn, "core", 4, 3, journal.Done)
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done)
		}, want: []string{"web unknown", "web/core.count 5→3 unknown of 5"}},
		"settled before it was read": {live: seenAs(3, 4), began: began, records: func(s *story) { s.add(provider.OpScaleIn, "core", 4, 3, journal.Done) },
			want: []string{"web spec", "web/core.count 5→3 spec of 3"}},
		"a torn last line": {live: seenAs(7, 4), damage: torn, records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Done) },
			want: []string{"web drift", "web/core.count 5→7 drift of 5", "history.jsonl:9: the last line was cut and is left out"}},
		"damaged": {live: seenAs(7, 4), damage: errors.New("history.jsonl:2: changed"), records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Done) },
			want: []string{"web unknown", "web/core.count 5→7 unknown of <nil>", "history cannot be trusted, so that no cause is known: history.jsonl:2: changed"}},
		"nothing differs": {live: seenAs(5, 4), damage: errors.New("never read"), records: func(*story) {}, want: nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := &story{entry: b.entry}
			tc.records(s)
			if tc.spec == "" {
				tc.spec = five
			}
			c := want("web", tc.spec)
			if tc.band != nil {
				c.Rules.Groups = map[string]GroupRules{"core": {Count: tc.band}}
			}
			memory := Memory{History: pastOf(s.list, tc.damage), Began: tc.began}
			if tc.open != "" {
				memory.Intents = []journal.Intent{{Identity: b.entry.identity("c1", ""), Cluster: "web", Group: tc.open, Op: provider.OpScaleOut, SignedAt: longAgo}}
			}
			d := DriftOf(b.entries(), []*Cluster{c}, tc.live, memory)
			check(t, "causes", append(causes(d), d.Notes...), tc.want)
			check(t, "clusters", d.Summary.Matching+d.Summary.Differing, 1)
			if known := tc.damage == nil || errors.Is(tc.damage, error(torn)) || len(d.Clusters) == 0; d.HistoryKnown != known {
				t.Errorf("history known: %v", d.HistoryKnown)
			}
			for _, one := range d.Clusters {
				if !d.HistoryKnown && len(one.Runs)+len(one.Nodes) > 0 {
					t.Errorf("told from a damaged history: %v %v", one.Runs, one.Nodes)
				}
				for _, f := range one.Fields {
					if f.Immutable != (f.Path == "zone") {
						t.Errorf("%s: immutable is %v", f.Path, f.Immutable)
					}
				}
			}
		})
	}
}

// TestDriftAbsent: a cluster that is not there was removed outside when history
// has seen it.
func TestDriftAbsent(t *testing.T) {
	other := func(r *journal.Record) { r.Intent.Name = "other" }
	for name, tc := range map[string]struct {
		id      string
		records func(s *story)
		cause   DriftCause
		last    string
	}{
		"never there": {records: func(*story) {}, cause: CauseUnknown},
		"made by us":  {records: func(s *story) { s.add(provider.OpCreate, "", 0, 0, journal.Done) }, cause: CauseDrift, last: "op1"},
		"made, and changed by us": {records: func(s *story) {
			s.add(provider.OpCreate, "", 0, 0, journal.Done)
			s.add(provider.OpScaleOut, "core", 3, 5, journal.Done)
		}, cause: CauseDrift, last: "op2"},
		"changed under its name": {records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.None) }, cause: CauseDrift, last: "op1"},
		"of another name":        {records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Done, other) }, cause: CauseUnknown},
		"of another name, by id": {id: "c1", records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Done, other) }, cause: CauseDrift, last: "op1"},
		"another id":             {id: "c9", records: func(s *story) { s.add(provider.OpScaleOut, "core", 3, 5, journal.Done) }, cause: CauseUnknown},
		"a create without effect": {records: func(s *story) {
			s.add(provider.OpCreate, "", 0, 0, journal.None, func(r *journal.Record) { r.Added = nil })
		}, cause: CauseUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := &story{entry: b.entry}
			tc.records(s)
			c := want("web", `{}`)
			c.ID = tc.id
			seen := map[string]provider.Observation{"web": {Address: "web", Presence: provider.Absent}}
			d := DriftOf(b.entries(), []*Cluster{c}, seen, Memory{History: pastOf(s.list, nil)})
			if len(d.Clusters) != 1 || !d.Clusters[0].Absent || d.Clusters[0].Cause != tc.cause {
				t.Fatalf("got %+v", d.Clusters)
			}
			last := ""
			if r := d.Clusters[0].Last; r != nil {
				last = r.OpID
			}
			check(t, "last", last, tc.last)
		})
	}
}

// TestDriftRuns: what is told of the past begins with the last applied plan.
func TestDriftRuns(t *testing.T) {
	samePlan := func(r *journal.Record) { r.Intent.PlanDigest = "sha256:same" }
	for name, tc := range map[string]struct {
		records func(s *story)
		want    []string
		before  int
	}{
		"two actions of a plan, and a failure since": {func(s *story) {
			s.add(provider.OpScaleOut, "core", 1, 2, journal.Done)
			s.add(provider.OpScaleOut, "core", 2, 3, journal.Done, samePlan)
			s.add(provider.OpScaleOut, "task", 2, 3, journal.Done, samePlan)
			s.add(provider.OpScaleOut, "task", 3, 4, journal.None)
		}, []string{"op2", "op3", "op4"}, 1},
		"none was done": {func(s *story) {
			s.add(provider.OpScaleOut, "core", 1, 2, journal.None)
			s.add(provider.OpScaleOut, "core", 1, 2, journal.Partial)
		}, []string{"op1", "op2"}, 0},
		"many": {func(s *story) {
			for range 12 {
				s.add(provider.OpScaleOut, "core", 1, 2, journal.None)
			}
		}, []string{"op3", "op4", "op5", "op6", "op7", "op8", "op9", "op10", "op11", "op12"}, 2},
		"nothing": {func(*story) {}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := &story{entry: b.entry}
			tc.records(s)
			d := DriftOf(b.entries(), []*Cluster{want("web", `{"node_groups":{"core":{"count":9}}}`)}, seenAs(1, 1), Memory{History: pastOf(s.list, nil)})
			var got []string
			for _, r := range d.Clusters[0].Runs {
				got = append(got, r.OpID)
			}
			check(t, "runs", got, tc.want)
			check(t, "runs before", d.Clusters[0].RunsBefore, tc.before)
		})
	}
}

// TestDriftNodes: the nodes after a record are known only where a read stands
// behind it.
func TestDriftNodes(t *testing.T) {
	base := func(ids ...string) func(*journal.Record) {
		return func(r *journal.Record) { r.Intent.Base = slices.Concat([]string{}, ids) }
	}
	added := func(ids ...string) func(*journal.Record) {
		return func(r *journal.Record) { r.Added = named(ids, map[string]string{"x9": "node-x9"}) }
	}
	removed := func(ids ...string) func(*journal.Record) {
		return func(r *journal.Record) { r.Removed = named(ids, nil) }
	}
	foreign := func(ids ...string) func(*journal.Record) {
		return func(r *journal.Record) { r.Foreign = ids }
	}
	for name, tc := range map[string]struct {
		records func(s *story)
		want    string // live are n1 to n4
	}{
		"as it was left": {func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 4, journal.Done, base("n1", "n2", "n3"), added("n4"))
		}, ""},
		"came": {func(s *story) {
			s.add(provider.OpScaleOut, "core", 2, 3, journal.Done, base("n1", "n2"), added("n3"))
		}, "came n4(node-4) gone"},
		"gone": {func(s *story) {
			s.add(provider.OpScaleOut, "core", 4, 5, journal.Done, base("n1", "n2", "n3", "n4"), added("x9"))
		}, "came gone x9(node-x9)"},
		"removed by us": {func(s *story) {
			s.add(provider.OpScaleIn, "core", 5, 4, journal.Done, base("n1", "n2", "n3", "n4", "n5"), removed("n5"))
		}, ""},
		"others came and went during it": {func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 4, journal.Done, base("n1", "n2", "x1"), added("n3"), foreign("x1", "n4"))
		}, ""},
		"without effect": {func(s *story) {
			s.add(provider.OpScaleOut, "core", 3, 4, journal.None, base("n1", "n2", "n3"))
		}, "came n4(node-4) gone"},
		"a resize": {func(s *story) {
			s.add(provider.OpResize, "core", 1, 2, journal.Done, base("n1", "n2", "n3"))
		}, "came n4(node-4) gone"},
		"an earlier release": {func(s *story) { s.add(provider.OpScaleOut, "core", 2, 3, journal.Done, base("n1", "n2")) }, ""},
		"an earlier release removed": {func(s *story) {
			s.add(provider.OpScaleIn, "core", 5, 4, journal.Done, base("n1", "n2", "n3", "n4", "n5"))
		}, ""},
		"by a person's word": {func(s *story) {
			s.add(provider.OpScaleOut, "core", 2, 3, journal.Done, base("n1", "n2"), added("n3"), func(r *journal.Record) { r.By = "ops: seen" })
		}, ""},
		"the newest is not known": {func(s *story) {
			s.add(provider.OpScaleOut, "core", 2, 3, journal.Done, base("n1", "n2"), added("n3"))
			s.add(provider.OpScaleOut, "core", 3, 4, journal.Done, base("n1", "n2", "n3"))
		}, ""},
		"another group": {func(s *story) {
			s.add(provider.OpScaleOut, "task", 2, 3, journal.Done, base("t1", "t2"), added("t3"))
		}, "came gone t1() t2() t3()"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := &story{entry: b.entry}
			tc.records(s)
			spec := want("web", `{"node_groups":{"core":{"count":9}}}`)
			d := DriftOf(b.entries(), []*Cluster{spec}, seenAs(4, 1), Memory{History: pastOf(s.list, nil)})
			got := ""
			for _, n := range d.Clusters[0].Nodes {
				got = "came"
				for _, ref := range n.Came {
					got += fmt.Sprintf(" %s(%s)", ref.ID, ref.Name)
				}
				got += " gone"
				for _, ref := range n.Gone {
					got += fmt.Sprintf(" %s(%s)", ref.ID, ref.Name)
				}
				check(t, "since", n.Since, s.list[len(s.list)-1].At)
			}
			check(t, "nodes", got, tc.want)
			seen := seenAs(4, 1)
			seen["web"].Cluster.Groups[0].Count = 5 // the counter is ahead of the list
			for _, n := range DriftOf(b.entries(), []*Cluster{spec}, seen, Memory{History: pastOf(s.list, nil)}).Clusters[0].Nodes {
				if n.Address == "web/core" {
					t.Errorf("told from a list that its counter contradicts: %v", n)
				}
			}
		})
	}
}

// TestDriftWhileItIsRead: of what was settled after live state began to be read,
// neither nodes nor an absence say anything.
func TestDriftWhileItIsRead(t *testing.T) {
	b := newBench(t)
	s := &story{entry: b.entry}
	s.add(provider.OpScaleOut, "core", 2, 3, journal.Done, func(r *journal.Record) {
		r.Intent.Base, r.Added = []string{"n1", "n2"}, []journal.Node{{ID: "n3"}}
	})
	c := []*Cluster{want("web", `{"node_groups":{"core":{"count":9}}}`)}
	absent := map[string]provider.Observation{"web": {Address: "web", Presence: provider.Absent}}
	for _, tc := range []struct {
		began time.Time
		cause DriftCause
		nodes int
	}{{s.list[0].At, CauseUnknown, 0}, {s.list[0].At.Add(1), CauseDrift, 1}} {
		memory := Memory{History: pastOf(s.list, nil), Began: tc.began}
		check(t, "nodes", len(DriftOf(b.entries(), c, seenAs(4, 1), memory).Clusters[0].Nodes), tc.nodes)
		check(t, "absent", DriftOf(b.entries(), c, absent, memory).Clusters[0].Cause, tc.cause)
	}
}

// TestDriftReads: a cluster that goes away between two reads is unread, not
// absent; one that no plugin serves ends the run, and so does an interrupt.
func TestDriftReads(t *testing.T) {
	b := newBench(t)
	b.cloud.add("c1", "web", map[string]int{"core": 3})
	b.cloud.observe = func(o provider.Observation) provider.Observation {
		if b.cloud.reads > 1 {
			return provider.Observation{Address: o.Address, Presence: provider.Absent}
		}
		return o
	}
	c := []*Cluster{want("web", `{"node_groups":{"core":{"count":9}}}`)}
	r := &DriftReader{Entries: b.entries()}
	seen, err := r.Observe(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	d := DriftOf(b.entries(), c, seen, Memory{})
	check(t, "summary", d.Summary, DriftSummary{Clusters: 1, Unread: 1})
	check(t, "kind", d.Unread[0].Kind, provider.KindConflict)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Observe(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	c[0].Entry = "nobody"
	if _, err := r.Observe(t.Context(), c); err == nil {
		t.Error("read without a plugin")
	}
}
