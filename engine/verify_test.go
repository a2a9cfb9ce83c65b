package engine

import (
	"testing"
	"testing/synctest"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestStillDiffers: an action whose verdict is done, and whose cluster then
// still differs from the spec in what was changed, says where.
func TestStillDiffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.cloud.add("c1", "a", map[string]int{"core": 3})
		plan := b.plan(want("a", toFive))
		b.cloud.observe = func(o provider.Observation) provider.Observation {
			// A node goes at once when the action is settled.
			if c := b.cloud.clusters["c1"]; b.open() == 0 && len(c.groups["core"]) == 5 {
				g := &o.Cluster.Groups[0]
				g.Nodes, g.Count = g.Nodes[:4], 4
			}
			return o
		}
		result := b.apply(t.Context(), plan)
		check(t, "outcomes", states(result.Outcomes), []string{"a/core scale_out applied done"})
		check(t, "differs", result.Outcomes[0].Differs, []provider.FieldChange{{Path: "node_groups.core.count", Before: int64(4), After: int64(5)}})
	})
}
