package render

import (
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/review"
)

// liftingReview lifts one guard of three clusters, loosens another, sets a
// third, and turns a number into a range.
func liftingReview() *review.Review {
	field := func(path string, before, after any, effect review.Effect, line int) review.Field {
		return review.Field{Path: path, Before: before, After: after, Effect: effect, Cause: at("fleet.cue", line), InBase: after == nil}
	}
	protect := field("node_groups.core.protect", true, nil, review.EffectGuard, 8)
	changed := func(address string, fields ...review.Field) review.Change {
		return review.Change{Address: address, Kind: review.Changed, Provider: "hw", Type: "mrs", Place: at("fleet.cue", 2), Fields: fields}
	}
	gone := changed("gone", protect)
	gone.Kind = review.Removed
	return &review.Review{Base: review.Revision{Name: "main"}, Head: review.Revision{Name: "working tree"}, Clusters: []review.Change{
		changed("a", protect, field("node_groups.task.count", 5, engine.Band{Min: 3, Max: 8}, review.EffectStated, 3)),
		changed("b", protect, field("max_removed", engine.Budget{Count: 2, Per: "24h"}, engine.Budget{Count: 4, Per: "24h"}, review.EffectGuard, 4),
			field("depends_on", nil, []string{"a"}, review.EffectOrder, 5)),
		changed("c", field("protect", nil, true, review.EffectGuard, 6)),
		gone,
	}}
}

// A guard that is lifted stands first in every format; ranges and budgets are
// written as people write them.
func TestLiftsAreToldFirst(t *testing.T) {
	r := liftingReview()
	write := func(to func(*strings.Builder) error) string {
		var b strings.Builder
		if err := to(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	text := write(func(b *strings.Builder) error { return Review(b, r, Look{}) })
	markdown := write(func(b *strings.Builder) error { return MarkdownReview(b, r, Comment{}) })
	html := write(func(b *strings.Builder) error { return HTMLReview(b, r, nil, Comment{}) })
	for _, test := range []struct {
		format, text string
		want         []string // in this order
	}{
		{"text", text, []string{
			"! guard lifted: node_groups.core.protect of a, b, gone, true → –     fleet.cue:8:4 (base)",
			"! guard lifted: max_removed of b, 2 nodes in 24h → 4 nodes in 24h     fleet.cue:4:4",
			"a  hw/mrs  changed", "~ node_groups.task.count    5 → {3..8}  compared from now on",
			"another order", "guard set", "4 guards lifted, 1 cluster removed, 3 clusters changed; 0 unchanged."}},
		{"markdown", markdown, []string{
			"4 guards lifted", "### Guards lifted", "- `node_groups.core.protect` of `a`, `b`, `gone`: `true` → not stated, by `fleet.cue:8` of the base",
			"- `max_removed` of `b`: `2 nodes in 24h` → `4 nodes in 24h`", "### Changed lines",
			"| 1 | `fleet.cue:8` of the base |", "guard lifted", "| 2 | `fleet.cue:4` |", "`5` → `{3..8}`"}},
		{"html", html, []string{"4 guards lifted", "Guards lifted", "node_groups.core.protect", "Changed lines"}},
	} {
		rest := test.text
		for _, want := range test.want {
			_, after, ok := strings.Cut(rest, want)
			if !ok {
				t.Errorf("%s: %q is not there, or not in its place:\n%s", test.format, want, test.text)
				break
			}
			rest = after
		}
	}
	all := Annotations(r)
	if a := all[0]; a.Rule != RuleLifted || a.Level != LevelWarning || a.Title != "guard lifted; 2 clusters changed" || a.Line != 8 {
		t.Errorf("first annotation: %+v", a)
	}
	if a := all[1]; a.Rule != RuleLifted || a.Line != 4 {
		t.Errorf("second annotation: %+v", a)
	}
}
