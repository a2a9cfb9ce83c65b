package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Drift writes how live clusters differ as text: a block per cluster, then what
// could not be compared, then one summary line.
func Drift(w io.Writer, d *engine.Drift, look Look) error {
	out := &planText{Writer: bufio.NewWriter(w), Look: look}
	for i := range d.Clusters {
		out.drifted(&d.Clusters[i], d.HistoryKnown)
	}
	for _, a := range d.Ambiguous {
		out.say(2, "%s %s  %s/%s   not compared: %s     %s", out.yellow("!"), out.bold(Clean(a.Address)), Clean(a.Provider), Clean(a.Kind), ambiguity(a), out.dim(Clean(a.Source)))
	}
	out.unread(d.Unread)
	out.open(d.OpenIntents)
	for _, n := range d.Notes {
		out.say(2, "%s %s", out.yellow("note:"), Clean(n))
	}
	out.owned(d.Owned)
	if len(d.Ambiguous)+len(d.Unread)+len(d.OpenIntents)+len(d.Notes)+len(d.Owned) > 0 {
		fmt.Fprintln(out)
	}
	out.say(0, "%s", DriftSummary(d))
	return out.Flush()
}

// drifted writes one cluster. What is said of several fields of a group alike is
// said once, and what the notes say of all of them not at all.
func (t *planText) drifted(d *engine.Drifted, known bool) {
	id := or(Clean(d.ClusterID), "absent")
	fmt.Fprintf(t, "%s  %s/%s  %s\n", t.bold(Clean(d.Address)), Clean(d.Provider), Clean(d.Kind), t.dim(id))
	if d.Absent {
		t.say(4, "  %s %s     %s", t.red("-"), Clean(d.Reason), t.dim(Clean(d.Source)))
		if known {
			t.say(4, "    %s", absence(d))
		}
	}
	var groups, paths, values []string
	for i := range d.Fields {
		f := &d.Fields[i]
		groups, paths, values = append(groups, groupIn(d, f.Address)), append(paths, Clean(f.Path)), append(values, sides(f))
	}
	indent := 6 + column(groups...)
	if column(groups...) == 0 {
		indent = 4
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		group := ""
		if indent > 4 {
			group = pad(groups[i], column(groups...)) + "  "
		}
		t.say(indent, "  %s %s%s  %s     %s", t.yellow("~"), group, pad(paths[i], column(paths...)), pad(values[i], column(values...)), t.dim(Clean(f.Source)))
		text := why(f, known)
		if next := i + 1; text != "" && (next == len(d.Fields) || groups[next] != groups[i] || why(&d.Fields[next], known) != text) {
			t.say(indent, "%s%s", strings.Repeat(" ", indent), text)
		}
	}
	for _, n := range d.Nodes {
		t.say(4, "    %s", movedNodes(n))
	}
	t.runs(d)
	fmt.Fprintln(t)
}

// runs lists what our own runs did.
func (t *planText) runs(d *engine.Drifted) {
	if len(d.Runs) == 0 {
		return
	}
	t.say(4, "    %s", t.dim(runsHead(d)))
	for i := range d.Runs {
		t.say(8, "      %s", t.dim(runText(&d.Runs[i])))
	}
}

func ambiguity(a engine.Ambiguous) string {
	var ids []string
	for _, id := range a.IDs {
		ids = append(ids, Clean(id))
	}
	return fmt.Sprintf("%d live clusters bear its name: %s; name one by id", len(a.IDs), strings.Join(ids, ", "))
}

func groupIn(d *engine.Drifted, address string) string {
	return Clean(strings.TrimPrefix(strings.TrimPrefix(address, d.Address), "/"))
}

// sides are both values of a field: "spec 8, live 10".
func sides(f *engine.DriftField) string { return "spec " + wantedText(f) + ", live " + Value(f.Live) }

func wantedText(f *engine.DriftField) string {
	if f.Range != nil {
		return fmt.Sprintf("%d to %d", f.Range.Min, f.Range.Max)
	}
	return Value(f.Spec)
}

// driftTitles are the causes in words.
var driftTitles = map[engine.DriftCause]string{
	engine.CauseDrift:   "changed outside",
	engine.CauseSpec:    "changed in the spec",
	engine.CauseBoth:    "changed outside and in the spec",
	engine.CauseUnknown: "not known which side changed",
}

// why says in one sentence why a field differs. With no history known there is
// little to say.
func why(f *engine.DriftField, known bool) string {
	text := because(f, known)
	if known || f.Cause != engine.CauseUnknown {
		text = driftTitles[f.Cause] + ": " + text
	}
	return text
}

// because is why without the cause itself.
func because(f *engine.DriftField, known bool) string {
	text := ""
	switch {
	case f.Cause == engine.CauseSpec:
		text = fmt.Sprintf("live is as %s left it %s", who(f.Last), when(f.Last))
	case f.Cause != engine.CauseUnknown:
		text = fmt.Sprintf("%s set it to %s %s", who(f.Last), Value(f.Applied), when(f.Last))
	case known:
		text = unknown(f)
	}
	if f.Immutable {
		text = strings.TrimPrefix(text+"; it cannot be changed in place", "; ")
	}
	return text
}

const underWay = "a request of ours about it is not settled, or was settled while this was read"

// unknown says why history does not tell what a field was left at.
func unknown(f *engine.DriftField) string {
	switch {
	case f.Last == nil:
		return "no apply of ours has set it"
	case f.Applied != nil:
		return underWay
	case f.Last.Op == provider.OpCreate && f.Last.Verdict == journal.Done:
		return fmt.Sprintf("%s created the cluster %s, and history has no values of a create", who(f.Last), when(f.Last))
	case f.Last.Op == provider.OpUnknown:
		return "the record of a request could not be read"
	}
	return fmt.Sprintf("the last %s by %s ended as %s %s", Clean(opName(f.Last.Op)), who(f.Last), Clean(string(f.Last.Verdict)), when(f.Last))
}

// absence says what history knows of a cluster that is not there.
func absence(d *engine.Drifted) string {
	switch {
	case d.Last == nil:
		return "no apply of ours has made or changed it"
	case d.Cause != engine.CauseDrift:
		return underWay
	}
	verb := "changed"
	if d.Last.Op == provider.OpCreate {
		verb = "created"
	}
	return fmt.Sprintf("removed outside: %s %s it %s", who(d.Last), verb, when(d.Last))
}

func who(r *engine.DriftRun) string { return or(Clean(r.Who), "a run of ours") }

func when(r *engine.DriftRun) string {
	text := "on " + stamp(r.At)
	if r.PlanDigest != "" {
		text += ", plan " + Clean(shortDigest(r.PlanDigest))
	}
	if r.By != "" {
		text += " (by the word of " + Clean(r.By) + ")"
	}
	return text
}

// movedNodes names the nodes of a group that came and went without us.
func movedNodes(n engine.DriftNodes) string {
	var parts []string
	if len(n.Came) > 0 {
		parts = append(parts, "came: "+firstOf(nodeTexts(n.Came)))
	}
	if len(n.Gone) > 0 {
		parts = append(parts, "gone: "+firstOf(nodeTexts(n.Gone)))
	}
	return fmt.Sprintf("nodes of %s without us since %s: %s", Clean(n.Address), stamp(n.Since), strings.Join(parts, "; "))
}

func nodeTexts(nodes []provider.NodeRef) []string {
	var names []string
	for _, n := range nodes {
		name := or(n.Name, n.ID)
		if !n.Created.IsZero() {
			name += " (" + n.Created.UTC().Format("2006-01-02") + ")"
		}
		names = append(names, name)
	}
	return names
}

func runsHead(d *engine.Drifted) string {
	text := "our runs, none of which was done"
	if slices.ContainsFunc(d.Runs, func(r engine.DriftRun) bool { return r.Verdict == journal.Done }) {
		text = "our runs since the last applied plan, it included"
	}
	if d.RunsBefore > 0 {
		text += fmt.Sprintf(" (%d before)", d.RunsBefore)
	}
	return text + ":"
}

// runText is one request of ours in a line.
func runText(r *engine.DriftRun) string {
	text := fmt.Sprintf("%s  %s %s", stamp(r.At), Clean(r.Address), runDeed(r))
	text += "  " + Clean(string(r.Verdict)) + "  " + or(Clean(r.Who), "–")
	if r.PlanDigest != "" {
		text += "  plan " + Clean(shortDigest(r.PlanDigest))
	}
	if r.By != "" {
		text += "  by the word of " + Clean(r.By)
	}
	return text
}

func runDeed(r *engine.DriftRun) string {
	if r.Op == provider.OpUnknown {
		return "unreadable record"
	}
	return strings.TrimSpace(Clean(opName(r.Op)) + " " + Change(&engine.Action{Op: r.Op, From: r.From, To: r.To}))
}

// DriftSummary is a Drift in one line.
func DriftSummary(d *engine.Drift) string {
	s := d.Summary
	if d.Empty() {
		if s.Clusters == 1 {
			return "No drift. 1 cluster matches the spec" + otherwise(len(d.Owned)) + "."
		}
		return fmt.Sprintf("No drift. %d clusters match the spec%s.", s.Clusters, otherwise(len(d.Owned)))
	}
	var parts, causes []string
	if s.Differing > 0 {
		for _, c := range []struct {
			n    int
			word string
		}{
			{s.Outside, driftTitles[engine.CauseDrift]}, {s.Spec, driftTitles[engine.CauseSpec]},
			{s.Both, driftTitles[engine.CauseBoth]}, {s.Unknown, "not known why"},
		} {
			if c.n > 0 {
				causes = append(causes, fmt.Sprintf("%d %s", c.n, c.word))
			}
		}
		verb := "differ"
		if s.Differing == 1 {
			verb = "differs"
		}
		parts = append(parts, fmt.Sprintf("%s %s (%s)", plural(s.Differing, "cluster"), verb, strings.Join(causes, ", ")))
	}
	if s.Ambiguous > 0 {
		parts = append(parts, fmt.Sprintf("%d not compared", s.Ambiguous))
	}
	if s.Unread > 0 {
		parts = append(parts, fmt.Sprintf("%d not read", s.Unread))
	}
	matching := "match"
	if s.Matching == 1 {
		matching = "matches"
	}
	if s.Matching > 0 {
		parts = append(parts, fmt.Sprintf("%d %s", s.Matching, matching))
	}
	return "Drift: " + strings.Join(parts, ", ") + "."
}
