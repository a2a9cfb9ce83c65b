package engine

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// owning marks fields of group core as somebody else's.
func owning(c *Cluster, fields ...string) *Cluster {
	by := map[string]string{}
	for _, f := range fields {
		by[f] = "autoscaler"
	}
	c.Rules.Groups = map[string]GroupRules{"core": {OwnedBy: by}}
	return c
}

// ownedOf lists what a plan or a drift shows of owned fields.
func ownedOf(list []Owned) []string {
	var out []string
	for _, o := range list {
		out = append(out, fmt.Sprintf("%s %s %v→%v %s %s", o.Address, o.Field.Path, o.Field.After, o.Field.Before, o.Owner, o.Source))
	}
	return out
}

// scale is an autoscaler at work.
func (b *bench) scale(id string, n int64) {
	b.cloud.mu.Lock()
	defer b.cloud.mu.Unlock()
	c := b.cloud.clusters[id]
	if have := int64(len(c.groups["core"])); n > have {
		b.cloud.grow(c, "core", n-have, c.groups["core"][0].Size)
		return
	}
	c.groups["core"] = c.groups["core"][:n]
}

// TestOwnedIsCreatedAndNeverChanged: what is stated of an owned field is how a
// new cluster begins, and no more.
func TestOwnedIsCreatedAndNeverChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := owning(want("new", `{"node_groups": {"core": {"count": 4}}}`), "count")
		result := b.apply(t.Context(), b.plan(c))
		check(t, "outcomes", states(result.Outcomes), []string{"new create applied done"})
		id := result.Outcomes[0].New[0]
		check(t, "nodes", len(b.cloud.clusters[id].groups["core"]), 4)
		plan := b.plan(c)
		check(t, "as it began", ownedOf(plan.Owned), []string(nil))
		for _, n := range []int64{9, 1} {
			b.scale(id, n)
			plan := b.plan(c)
			check(t, "summary", plan.Summary, Summary{Unchanged: 1, Clusters: 1, Cost: []provider.Price{}})
			check(t, "owned", ownedOf(plan.Owned), []string{fmt.Sprintf("new/core count 4→%d autoscaler fleet.cue:node_groups.core.count", n)})
			check(t, "actions and what is blocked", len(plan.Actions)+len(plan.Blocked), 0)
		}
		check(t, "sends", len(b.cloud.sends), 1)
	})
}

// TestOwnedCountBesideASize: an unowned field of the group is changed, and the
// owned count stays what it is, also when it moves between plan, apply and the
// last read.
func TestOwnedCountBesideASize(t *testing.T) {
	for name, tc := range map[string]struct {
		fields []string
		moved  int64 // between plan and apply
		want   []string
	}{
		"it stays":   {[]string{"count"}, 6, []string{"web/core resize applied done"}},
		"it moves":   {[]string{"count"}, 8, []string{"web/core resize applied done"}},
		"all owned":  {[]string{"count", "cpu"}, 8, []string{}},
		"none owned": {nil, 8, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "web", map[string]int{"core": 6})
				c := owning(want("web", `{"node_groups": {"core": {"count": 4, "cpu": 4}}}`), tc.fields...)
				plan := b.plan(c)
				saved, err := plan.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				if plan, err = ReadPlan(saved); err != nil {
					t.Fatal(err)
				}
				check(t, "owned", len(plan.Owned), len(tc.fields))
				b.scale("c1", tc.moved)
				result := b.apply(t.Context(), plan)
				if len(tc.fields) > 0 {
					check(t, "outcomes", states(result.Outcomes), tc.want)
					check(t, "nodes", len(b.cloud.clusters["c1"].groups["core"]), int(tc.moved))
				} else if got := result.Outcomes; len(got) != 2 || got[0].State != Stale {
					t.Errorf("not stale: %v", states(got))
				}
				for _, o := range result.Outcomes {
					check(t, "what still differs", len(o.Differs), 0)
				}
				if len(tc.fields) > 0 {
					again := b.plan(c)
					check(t, "plan again", again.Summary, Summary{Unchanged: 1, Clusters: 1, Cost: []provider.Price{}})
				}
			})
		})
	}
}

// TestDriftDoesNotCountOwned: information, whatever else differs.
func TestDriftDoesNotCountOwned(t *testing.T) {
	b := newBench(t)
	c := owning(want("web", `{"node_groups":{"core":{"count":5,"cpu":4}}}`), "count")
	d := DriftOf(b.entries(), []*Cluster{c}, seenAs(7, 4), Memory{})
	check(t, "summary", d.Summary, DriftSummary{Clusters: 1, Matching: 1})
	check(t, "owned", ownedOf(d.Owned), []string{"web/core count 5→7 autoscaler fleet.cue:node_groups.core.count"})
	check(t, "empty", d.Empty(), true)
	d = DriftOf(b.entries(), []*Cluster{c}, seenAs(7, 2), Memory{})
	check(t, "causes", causes(d), []string{"web unknown", "web/core.cpu 4→2 unknown of <nil>"})
	check(t, "owned beside a difference", len(d.Owned), 1)
}

// TestDriftEndToEnd: an apply, a change from outside, a change of the spec, and
// back to nothing, through the engine's own reads and records.
func TestDriftEndToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "web", map[string]int{"core": 3})
		b.cloud.add("c2", "other", map[string]int{"core": 2})
		c, other := want("web", `{"node_groups": {"core": {"count": 5}}}`), want("other", `{"node_groups": {"core": {"count": 2}}}`)
		drift := func(clusters ...*Cluster) *Drift {
			t.Helper()
			began := time.Now()
			r := &DriftReader{Entries: b.entries()}
			seen, err := r.Observe(t.Context(), clusters)
			if err != nil {
				t.Fatal(err)
			}
			intents, corrupt, err := b.store.Open()
			if err != nil {
				t.Fatal(err)
			}
			return DriftOf(b.entries(), clusters, seen, Memory{Began: began, Intents: intents, Corrupt: corrupt,
				History: func(yield func(journal.Record, error) bool) {
					if err := b.store.History(func(r journal.Record) bool { return yield(r, nil) }); err != nil {
						yield(journal.Record{}, err)
					}
				}})
		}
		reads := func() int { b.cloud.mu.Lock(); defer b.cloud.mu.Unlock(); return b.cloud.reads }
		check(t, "before", causes(drift(other, c)), []string{"web unknown", "web/core.count 5→3 unknown of <nil>"})
		b.apply(t.Context(), b.plan(c))
		before := reads()
		check(t, "after", drift(other, c).Empty(), true)
		check(t, "reads when nothing differs", reads()-before, 1)

		time.Sleep(time.Hour)
		b.scale("c1", 7)
		sends := len(b.cloud.sends)
		d := drift(other, c)
		check(t, "causes", causes(d), []string{"web drift", "web/core.count 5→7 drift of 5"})
		check(t, "summary", d.Summary, DriftSummary{Clusters: 2, Matching: 1, Differing: 1, Outside: 1})
		check(t, "nodes", len(d.Clusters[0].Nodes), 1)
		check(t, "nodes that came", len(d.Clusters[0].Nodes[0].Came), 2)
		check(t, "runs", len(d.Clusters[0].Runs), 1)
		check(t, "nothing is sent", len(b.cloud.sends), sends)
		check(t, "nothing is open", b.open(), 0)

		b.scale("c1", 5)
		c.Spec = []byte(`{"node_groups": {"core": {"count": 6}}}`)
		check(t, "the spec", causes(drift(other, c)), []string{"web spec", "web/core.count 6→5 spec of 5"})
		b.apply(t.Context(), b.plan(c))
		check(t, "at the end", drift(other, c).Empty(), true)
	})
}

// TestDriftUncompared: what is not read, or of which nobody knows which it is,
// neither differs nor matches.
func TestDriftUncompared(t *testing.T) {
	b := newBench(t)
	clusters := []*Cluster{want("a", `{}`), want("b", `{}`), want("c", `{}`), want("d", `{}`)}
	seen := seenAs(1, 1)
	fine := seen["web"]
	fine.Address = "a"
	odd := *fine.Cluster
	odd.Attributes = []byte(`{`)
	d := DriftOf(b.entries(), clusters, map[string]provider.Observation{
		"a": fine,
		"b": {Presence: provider.Ambiguous, IDs: []string{"x", "y"}},
		"c": {Presence: provider.Present, Cluster: &odd},
	}, Memory{})
	check(t, "summary", d.Summary, DriftSummary{Clusters: 4, Matching: 1, Ambiguous: 1, Unread: 2})
	check(t, "ambiguous", d.Ambiguous, []Ambiguous{{Address: "b", Provider: "m", Kind: "k", IDs: []string{"x", "y"}, Source: "fleet.cue:"}})
	check(t, "unread", []string{d.Unread[0].Address, d.Unread[1].Address}, []string{"c", "d"})
	if reason := d.Unread[0].Reason; !strings.Contains(reason, "plugin model") {
		t.Errorf("the plugin is not named: %s", reason)
	}
}

// TestOwnedMovesDuringACreate: the cluster begins as stated, and its autoscaler
// may be faster than our last read.
func TestOwnedMovesDuringACreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.observe = func(o provider.Observation) provider.Observation {
			if o.Cluster == nil || o.Cluster.Status != provider.StatusReady {
				return o
			}
			for _, c := range b.cloud.clusters {
				if n := len(c.groups["core"]); n == 4 {
					b.cloud.grow(c, "core", 3, 2)
				}
			}
			return o
		}
		ranged := ruled(t, "ranged", `{"core": {}}`, `{"node_groups": {"core": {"count": {"min": 4, "max": 9}}}}`)
		for _, c := range []*Cluster{owning(want("new", `{"node_groups": {"core": {"count": 4}}}`), "count"), ranged} {
			result := b.apply(t.Context(), b.plan(c))
			check(t, "outcomes", states(result.Outcomes), []string{c.Address + " create applied done"})
			check(t, "what still differs", len(result.Outcomes[0].Differs), 0)
		}
	})
}
