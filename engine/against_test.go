package engine

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// inBand is a cluster whose counts may be anywhere in ranges.
func inBand(spec string, bands map[string]Band) *Cluster {
	c := want("a", spec)
	c.Rules.Groups = map[string]GroupRules{}
	for role, b := range bands {
		c.Rules.Groups[role] = GroupRules{Count: &b}
	}
	return c
}

// nearest is what a range makes of a live count.
func nearest(b Band, live int64) int64 { return min(max(live, b.Min), b.Max) }

// A range asks for nothing inside, for its nearer end outside, and applying that
// leaves nothing to do. A range of one number is that number.
func TestBandGoesToTheNearerEnd(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 2000 {
		b := Band{Min: random.Int64N(20)}
		b.Max = b.Min + random.Int64N(2)*random.Int64N(20)
		count := random.Int64N(45)
		c := inBand(`{"zone":"z1","node_groups":{"core":{},"task":{"count":2}}}`, map[string]Band{"core": b})
		state := func(n int64) *provider.State {
			return live(t, fmt.Sprintf(`{"zone":"z1","node_groups":{"core":{"count":%d},"task":{"count":2}}}`, n))
		}
		name := fmt.Sprintf("round %d: %v, %d live", round, b, count)
		fit, owned, diff, err := diffAgainst(c, state(count))
		if err != nil || len(owned) > 0 {
			t.Fatalf("%s: %v, owned %v", name, err, owned)
		}
		goal := nearest(b, count)
		if inside := b.Min <= count && count <= b.Max; inside != diff.Empty() {
			t.Fatalf("%s: differs %v", name, diff)
		}
		if !diff.Empty() {
			check(t, name, diff.Changes, []provider.Change{{Group: "core", Op: wayOf(count, goal), Fields: []provider.FieldChange{{Path: "count", Before: count, After: goal}}}})
		}
		if _, _, again, err := diffAgainst(c, state(goal)); err != nil || !again.Empty() {
			t.Fatalf("%s: after applying it: %v %v", name, again, err)
		}
		// What a saved plan keeps has no range, and leads to the same.
		if saved, err := Diff(fit.canonical(), state(goal)); err != nil || !saved.Empty() {
			t.Fatalf("%s: the saved cluster differs: %v %v", name, saved, err)
		}
		if b.Min == b.Max {
			number, err := Diff(want("a", fmt.Sprintf(`{"zone":"z1","node_groups":{"core":{"count":%d},"task":{"count":2}}}`, b.Min)), state(count))
			if err != nil {
				t.Fatal(err)
			}
			check(t, name+", as a number", diff, number)
		}
	}
}

func wayOf(from, to int64) provider.Op {
	if to < from {
		return provider.OpScaleIn
	}
	return provider.OpScaleOut
}

// The rest of a group is compared whatever its count may be, and a count that
// nobody states is nobody's business.
func TestBandLeavesTheRest(t *testing.T) {
	for _, test := range []struct {
		name, spec string
		bands      map[string]Band
		live       string
		want       []provider.Change
	}{
		{"a size inside", `{"node_groups":{"task":{"size":4}}}`, map[string]Band{"task": {2, 6}}, `{"node_groups":{"task":{"count":3,"size":2}}}`,
			[]provider.Change{{Group: "task", Op: provider.OpResize, Fields: []provider.FieldChange{{Path: "size", Before: int64(2), After: int64(4)}}}}},
		{"a size without a count", `{"node_groups":{"task":{"size":4}}}`, nil, `{"node_groups":{"task":{"count":3,"size":2}}}`,
			[]provider.Change{{Group: "task", Op: provider.OpResize, Fields: []provider.FieldChange{{Path: "size", Before: int64(2), After: int64(4)}}}}},
		{"sizes of no nodes", `{"node_groups":{"task":{"size":4}}}`, map[string]Band{"task": {0, 6}}, `{"node_groups":{"task":{"count":0}}}`, nil},
		{"down to none", `{"node_groups":{"task":{"size":4}}}`, map[string]Band{"task": {0, 0}}, `{"node_groups":{"task":{"count":1,"size":2}}}`,
			[]provider.Change{{Group: "task", Op: provider.OpScaleIn, Fields: []provider.FieldChange{{Path: "count", Before: int64(1), After: int64(0)}}}}},
		{"a group that is not there", `{"node_groups":{"task":{"size":4}}}`, map[string]Band{"task": {2, 6}}, `{"node_groups":{}}`,
			[]provider.Change{{Group: "task", Op: provider.OpScaleOut, Fields: []provider.FieldChange{{Path: "count", Before: int64(0), After: int64(2)}}}}},
		{"a group that need not be there", `{"node_groups":{"task":{"size":4}}}`, map[string]Band{"task": {0, 6}}, `{"node_groups":{}}`, nil},
		{"two groups", `{"node_groups":{"core":{},"task":{}}}`, map[string]Band{"core": {3, 8}, "task": {2, 6}}, `{"node_groups":{"core":{"count":9},"task":{"count":1}}}`,
			[]provider.Change{
				{Group: "core", Op: provider.OpScaleIn, Fields: []provider.FieldChange{{Path: "count", Before: int64(9), After: int64(8)}}},
				{Group: "task", Op: provider.OpScaleOut, Fields: []provider.FieldChange{{Path: "count", Before: int64(1), After: int64(2)}}},
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, diff, err := diffAgainst(inBand(test.spec, test.bands), live(t, test.live))
			if err != nil {
				t.Fatal(err)
			}
			check(t, "changes", diff.Changes, test.want)
		})
	}
}

// A range that is not whole would read as one down to 0.
func TestBandNeedsBothEnds(t *testing.T) {
	for raw, sound := range map[string]bool{
		`{"min":0,"max":0}`: true, `{"min":3,"max":8}`: true,
		`{"min":3}`: false, `{"max":3}`: false, `{}`: false, `{"min":8,"max":3}`: false, `{"min":-1,"max":3}`: false,
		`{"min":1,"max":3,"step":1}`: false, `{"min":1.5,"max":3}`: false, `{"min":"1","max":3}`: false, `{"min":null,"max":3}`: false,
	} {
		r, err := ReadRules(json.RawMessage(`{"node_groups":{"core":{"count":` + raw + `}}}`))
		if (err == nil) != sound {
			t.Errorf("%s: %v", raw, err)
		}
		if sound && r.Groups["core"].Count == nil {
			t.Errorf("%s: no range", raw)
		}
	}
}

// Zero is a number: a new cluster's group is stated with it.
func TestBandCreatesFromNone(t *testing.T) {
	_, _, diff, err := diffAgainst(inBand(`{"node_groups":{"task":{}}}`, map[string]Band{"task": {0, 3}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "create", diff.Changes, []provider.Change{{Op: provider.OpCreate, Fields: []provider.FieldChange{{Path: "node_groups.task.count", After: int64(0)}}}})
}

// A cluster that is not there is made with the smallest counts, and lies in its
// ranges then.
func TestBandCreates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		c := inBand(`{"zone":"z1","node_groups":{"core":{"count":2},"task":{}}}`, map[string]Band{"task": {3, 8}})
		plan := b.plan(c)
		check(t, "create", plan.Actions[0].Fields, []provider.FieldChange{
			{Path: "node_groups.core.count", After: int64(2)}, {Path: "node_groups.task.count", After: int64(3)}, {Path: "zone", After: "z1"}})
		check(t, "outcomes", states(b.apply(t.Context(), plan).Outcomes), []string{"a create applied done"})
		check(t, "again", b.plan(c).Summary.Unchanged, 1)
	})
}

// A plan holds numbers: it is applied whatever happens inside a range that it is
// not about, and is stale when the count that it changes has moved.
func TestBandMovesUnderAPlan(t *testing.T) {
	for _, test := range []struct {
		name       string
		core, task Band
		moves      func(m *model, c *modelCluster)
		want       []string
	}{
		{"nothing moves", Band{5, 9}, Band{2, 8}, func(*model, *modelCluster) {}, []string{"a/core scale_out applied done"}},
		{"the other group, inside", Band{5, 9}, Band{2, 8}, func(m *model, c *modelCluster) { m.grow(c, "task", 2, 2) }, []string{"a/core scale_out applied done"}},
		{"the other group, out of its range", Band{5, 9}, Band{2, 8}, func(m *model, c *modelCluster) { m.grow(c, "task", 9, 2) }, []string{"a/core scale_out applied done"}},
		{"the group itself", Band{5, 9}, Band{2, 8}, func(m *model, c *modelCluster) { m.grow(c, "core", 1, 2) }, []string{"a/core scale_out stale"}},
		{"the group itself, into its range", Band{5, 9}, Band{2, 8}, func(m *model, c *modelCluster) { m.grow(c, "core", 4, 2) }, []string{"a/core scale_out stale"}},
		{"a victim", Band{1, 2}, Band{2, 8}, func(_ *model, c *modelCluster) { c.groups["core"] = c.groups["core"][:2] }, []string{"a/core scale_in stale"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				live := b.cloud.add("c1", "a", map[string]int{"core": 3, "task": 4})
				c := inBand(`{"node_groups":{"core":{},"task":{}}}`, map[string]Band{"core": test.core, "task": test.task})
				raw, err := b.plan(c).Marshal()
				if err != nil {
					t.Fatal(err)
				}
				saved, err := ReadPlan(raw)
				if err != nil {
					t.Fatal(err)
				}
				test.moves(b.cloud, live)
				time.Sleep(time.Minute)
				result := b.apply(t.Context(), saved)
				check(t, "outcomes", states(result.Outcomes), test.want)
				for _, o := range result.Outcomes {
					if len(o.Differs) > 0 || len(o.Foreign) > 0 {
						t.Errorf("%s: differs %v, foreign %v", o.Address, o.Differs, o.Foreign)
					}
				}
			})
		})
	}
}

// Applying until there is nothing to do ends after one apply, wherever the
// counts began.
func TestBandsApplyOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		bands, counts := map[string]Band{}, map[string]int{}
		for _, role := range []string{"core", "task"} {
			from := 1 + random.Int64N(6)
			bands[role] = Band{from, from + random.Int64N(6)}
			counts[role] = 1 + random.IntN(14)
		}
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.cloud.add("c1", "a", counts)
			c := inBand(`{"node_groups":{"core":{},"task":{}}}`, bands)
			plan := b.plan(c)
			moves := 0
			for role, band := range bands {
				if nearest(band, int64(counts[role])) != int64(counts[role]) {
					moves++
				}
			}
			check(t, fmt.Sprintf("%v of %v: actions", bands, counts), len(plan.Actions), moves)
			if moves > 0 {
				b.apply(t.Context(), plan)
			}
			check(t, "unchanged", b.plan(c).Summary.Unchanged, 1)
			for role, nodes := range b.cloud.clusters["c1"].groups {
				check(t, role, int64(len(nodes)), nearest(bands[role], int64(counts[role])))
			}
		})
	}
}
