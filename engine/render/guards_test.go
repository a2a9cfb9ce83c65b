package render_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// guarded is a plan that sets, lifts and needs guards.
func guarded() *engine.Plan {
	born := func(day int) time.Time { return time.Date(2026, 3, day, 8, 0, 0, 0, time.UTC) }
	return &engine.Plan{
		Actions: []engine.Action{{ID: "a1", Address: "a/task", Cluster: "a", Group: "task", Op: provider.OpScaleIn, Provider: "hw", Kind: "mrs", ClusterID: "c1",
			From: map[string]int64{"count": 3}, To: map[string]int64{"count": 1}, Source: "f.cue:9:3",
			Removes: []provider.NodeRef{{ID: "n1", Name: "old", Created: born(2)}, {ID: "n2", Name: "new", Created: born(30)}}}},
		Denied: []engine.Denied{{Address: "a/task", Guard: engine.GuardProtect, Reason: "removes 2 of 3 nodes, and a is protected", Source: "f.cue:7:2"}},
		Guards: []engine.Guard{
			{Address: "a/core", Group: "core", Guard: engine.GuardProtect, Change: engine.GuardLift, Source: "f.cue:7:2"},
			{Address: "providers.hw", Guard: engine.GuardMaxRemoved, Change: engine.GuardSet, After: &engine.Budget{Count: 5, Per: "7d"}, Source: "f.cue:2:2"},
		},
		Summary: engine.Summary{ScaleIn: 1, Removed: 2, Clusters: 1},
	}
}

func TestGuardsAreShown(t *testing.T) {
	var text, comment bytes.Buffer
	look := render.Look{Now: time.Date(2026, 3, 30, 20, 0, 0, 0, time.UTC)}
	if err := render.Plan(&text, guarded(), look); err != nil {
		t.Fatal(err)
	}
	if err := render.MarkdownPlan(&comment, guarded(), render.Comment{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"removes  old (2026-03-02, 28 days old), new (2026-03-30)",
		"- a/core   guard protect lifted     f.cue:7:2",
		"+ providers.hw   guard max_removed set to 5 nodes in 7d     f.cue:2:2",
		"Plan: 1 removal (2 nodes), 1 guard lifted, 1 guard set, 1 denied.",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in:\n%s", want, text.String())
		}
	}
	for _, want := range []string{"Guards lifted", "Guards set", "`a/core`: protect lifted (`f.cue:7:2`)", "1 guard lifted"} {
		if !strings.Contains(comment.String(), want) {
			t.Errorf("no %q in:\n%s", want, comment.String())
		}
	}
	if lifted, denied := strings.Index(comment.String(), "Guards lifted"), strings.Index(comment.String(), "Guards set"); lifted > denied {
		t.Error("what is set stands before what is lifted")
	}
	if got := strings.Join(render.Guards(guarded(), render.Look{}), "|"); got != "  guard of a/core: protect lifted|  guard of providers.hw: max_removed set to 5 nodes in 7d" {
		t.Errorf("asked about: %s", got)
	}
}
