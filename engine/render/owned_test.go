package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// withOwned is a plan with so many fields that others keep.
func withOwned(p *engine.Plan, n int) *engine.Plan {
	for i := range n {
		p.Owned = append(p.Owned, engine.Owned{Address: "analytics/task", Provider: "huawei", Kind: "mrs", Owner: "autoscaler\x1b[1m",
			Field: provider.FieldChange{Path: "count", Before: int64(12 + i), After: int64(10)}, Source: "fleet.cue:21:17"})
	}
	return p
}

func planOf(t *testing.T, p *engine.Plan, look Look) string {
	t.Helper()
	var b strings.Builder
	if err := Plan(&b, p, look); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOwned(t *testing.T) {
	quiet := &engine.Plan{Summary: engine.Summary{Clusters: 43, Unchanged: 43}}
	want := "i analytics/task  count 10 → live 12, kept by autoscaler[1m     fleet.cue:21:17\n\n" +
		"No changes. 43 clusters match the spec; 1 field differs that others keep.\n"
	if diff := cmp.Diff(want, planOf(t, withOwned(quiet, 1), Look{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text := planOf(t, quiet, Look{Colour: true}); !strings.HasPrefix(text, "\x1b[2mi analytics/task") {
		t.Errorf("not dim: %q", text)
	}
	one := &engine.Plan{Summary: engine.Summary{Clusters: 1, Unchanged: 1}}
	if got, want := Summary(withOwned(one, 2)), "No changes. 1 cluster matches the spec; 2 fields differ that others keep."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOwnedIsNotCounted: a summary with changes is the same with and without
// what others keep.
func TestOwnedIsNotCounted(t *testing.T) {
	without, with := fullPlan(), withOwned(fullPlan(), 3)
	if diff := cmp.Diff(Summary(without), Summary(with)); diff != "" {
		t.Errorf("(-without +with):\n%s", diff)
	}
	text := planOf(t, with, Look{})
	if strings.Count(text, "kept by autoscaler") != 3 {
		t.Errorf("not told:\n%s", text)
	}
	if diff := cmp.Diff(planTitle(without), planTitle(with)); diff != "" {
		t.Errorf("(-without +with):\n%s", diff)
	}
	if comment := commentOf(t, with); !strings.Contains(comment, "### Kept by others\n\n- `analytics/task`: `count` is `12`, and `10` in the spec; kept by `autoscaler\\u001b[1m` (`fleet.cue:21:17`)\n") {
		t.Errorf("not told:\n%s", comment)
	}
}
