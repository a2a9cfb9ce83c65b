package render

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Review writes what differs between two revisions as text: a block per
// cluster, clusters that differ in the same way and from the same lines in one
// block, then the lines behind them, then one summary line.
func Review(w io.Writer, r *review.Review, look Look) error {
	out := &planText{Writer: bufio.NewWriter(w), Look: look}
	out.say(2, "%s → %s", revision(r.Base), revision(r.Head))
	for _, note := range r.Notes {
		out.say(2, "%s %s", out.yellow("!"), Clean(note))
	}
	for _, l := range lifts(r) {
		out.say(2, "%s guard lifted: %s of %s, %s → %s     %s", out.red("!"), Clean(l.Path), firstOf(l.clusters), Value(l.Before), Value(l.After),
			out.dim(placeText(l.Cause, l.InBase)))
	}
	fmt.Fprintln(out)
	for _, alike := range Alike(r.Clusters) {
		out.change(alike)
	}
	if len(r.Unknown) > 0 {
		out.say(2, "%s not comparable, since the base is not sound there: %s\n", out.yellow("!"), firstOf(r.Unknown))
	}
	for _, c := range r.Causes {
		if len(c.Clusters) > 1 {
			out.say(2, "%s changes %s: %s", placeText(c.Place, c.InBase), plural(len(c.Clusters), "cluster"), firstOf(c.Paths))
		}
	}
	out.say(0, "%s", ReviewSummary(r))
	return out.Flush()
}

// shownAlike is how many of a list of names are printed.
const shownAlike = 6

func revision(r review.Revision) string {
	if r.Commit == "" {
		return Clean(r.Name)
	}
	return fmt.Sprintf("%s (%.12s)", Clean(r.Name), r.Commit)
}

// Alike gathers clusters that differ in the same way and from the same lines,
// in the order of their first.
func Alike(changes []review.Change) [][]review.Change {
	index := map[string]int{}
	var groups [][]review.Change
	for _, c := range changes {
		key := fingerprint(&c)
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

func fingerprint(c *review.Change) string {
	b, err := json.Marshal([]any{c.Kind, c.Was, c.Provider, c.Type, c.Fields, c.Actions, c.Blocked, c.Denied})
	if err != nil {
		return c.Address
	}
	return string(b)
}

func (t *planText) change(alike []review.Change) {
	c := &alike[0]
	var names []string
	for _, a := range alike {
		names = append(names, a.Address)
	}
	about := string(c.Kind)
	switch c.Kind {
	case review.Renamed:
		about = "was " + Clean(c.Was)
	case review.Removed:
		about = "no longer managed; nothing is deleted"
	case review.Added:
		about = "managed from now on"
	}
	t.say(2, "%s  %s/%s  %s     %s", t.bold(firstOf(names)), Clean(c.Provider), Clean(c.Type), about, t.dim(place(c.Place)))
	if c.Kind != review.Added {
		t.fields(c)
	}
	for _, b := range c.Blocked {
		if !slices.ContainsFunc(c.Fields, func(f review.Field) bool { return f.Reason == b.Reason }) {
			t.say(4, "  %s blocked: %s", t.red("!"), Clean(b.Reason))
		}
	}
	for _, d := range c.Denied {
		t.say(4, "  %s denied by guard %s: %s", t.red("!"), Clean(d.Guard), Clean(d.Reason))
	}
	fmt.Fprintln(t)
}

func (t *planText) fields(c *review.Change) {
	var paths, values, effects []string
	for i := range c.Fields {
		f := &c.Fields[i]
		paths, values, effects = append(paths, Clean(f.Path)), append(values, Value(f.Before)+" → "+Value(f.After)), append(effects, EffectText(f))
	}
	for i := range c.Fields {
		f := &c.Fields[i]
		t.say(6, "  %s %s  %s  %s     %s", t.mark(EffectMark(f)), pad(paths[i], column(paths...)), pad(values[i], column(values...)),
			pad(effects[i], column(effects...)), t.dim(placeText(f.Cause, f.InBase)))
		if f.Effect == review.EffectBlocked {
			t.say(6, "      %s", t.red(Clean(f.Reason)))
		}
	}
}

// EffectMark is the plan's symbol for a changed field.
func EffectMark(f *review.Field) string {
	switch {
	case f.Effect == review.EffectBlocked:
		return "!"
	case f.Op == provider.OpScaleIn:
		return "-"
	case f.Op == provider.OpScaleOut:
		return "+"
	}
	return "~"
}

// EffectText words what becomes of a changed field.
func EffectText(f *review.Field) string {
	switch f.Effect {
	case review.EffectAction:
		return opName(f.Op)
	case review.EffectBlocked:
		return "blocked"
	case review.EffectParameter:
		return "sent with the next change"
	case review.EffectStated:
		return "compared from now on"
	case review.EffectReleased:
		if strings.Contains(f.Path, ".owned_by.") && f.Before != nil {
			return "kept by somebody else"
		}
		return "no longer compared"
	case review.EffectIdentity:
		return "another cluster is meant"
	case review.EffectOrder:
		return "another order"
	case review.EffectGuard:
		switch {
		case f.Lifts():
			return "guard lifted"
		case f.Before == nil:
			return "guard set"
		}
		return "guard tightened"
	}
	return "not judged"
}

// Value prints a value of a spec; what is not stated is a dash.
func Value(v any) string {
	if v == nil {
		return "–"
	}
	switch v := v.(type) {
	case string:
		return Clean(v)
	case engine.Band:
		return fmt.Sprintf("{%d..%d}", v.Min, v.Max)
	case engine.Budget:
		return Clean(v.String())
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return Clean(string(b))
}

func place(p review.Place) string {
	if p.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", Clean(p.File), p.Line, p.Column)
}

func placeText(p review.Place, inBase bool) string {
	if inBase {
		return place(p) + " (base)"
	}
	return place(p)
}

// firstOf lists the first of many names.
func firstOf(names []string) string {
	var clean []string
	for _, n := range names[:min(len(names), shownAlike)] {
		clean = append(clean, Clean(n))
	}
	text := strings.Join(clean, ", ")
	if more := len(names) - shownAlike; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// ReviewSummary is a review in one line: what takes nodes away first.
func ReviewSummary(r *review.Review) string {
	var removed int64
	kinds := map[review.Kind]int{}
	blocked, denied, lifted := 0, 0, 0
	for _, l := range lifts(r) {
		lifted += len(l.clusters)
	}
	for _, c := range r.Clusters {
		kinds[c.Kind]++
		for _, a := range c.Actions {
			if a.Op == provider.OpScaleIn {
				removed += a.From["count"] - a.To["count"]
			}
		}
		blocked += len(c.Blocked)
		denied += len(c.Denied)
	}
	var parts []string
	if removed > 0 {
		parts = append(parts, plural(int(removed), "node")+" removed")
	}
	if lifted > 0 {
		parts = append(parts, plural(lifted, "guard")+" lifted")
	}
	if denied > 0 {
		parts = append(parts, fmt.Sprintf("%d denied", denied))
	}
	if blocked > 0 {
		parts = append(parts, fmt.Sprintf("%d blocked", blocked))
	}
	for _, k := range []review.Kind{review.Removed, review.Changed, review.Renamed, review.Added} {
		if kinds[k] > 0 {
			parts = append(parts, plural(kinds[k], "cluster")+" "+string(k))
		}
	}
	if len(r.Clusters) == 0 {
		return fmt.Sprintf("No cluster differs; %d are as they were.", r.Unchanged)
	}
	return strings.Join(parts, ", ") + fmt.Sprintf("; %d unchanged.", r.Unchanged)
}
