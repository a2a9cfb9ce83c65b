package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Result writes what came of an apply: one line for each action that did not
// simply succeed, then one summary line.
func Result(w io.Writer, r *engine.Result, colour bool) error {
	out := &planText{Writer: bufio.NewWriter(w), style: style{colour}}
	for _, o := range r.Settled {
		fmt.Fprintf(out, "%s  earlier %s: %s\n", out.bold(Clean(o.Address)), opName(o.Op), Ended(o))
	}
	for _, o := range r.Outcomes {
		if o.State == engine.Applied && len(o.Foreign) == 0 && len(o.Differs) == 0 {
			continue
		}
		mark := out.red("!")
		if o.State == engine.Applied {
			mark = out.yellow("!")
		}
		fmt.Fprintf(out, "%s %s  %s: %s\n", mark, out.bold(Clean(o.Address)), opName(o.Op), Ended(o))
	}
	for _, b := range r.Blocked {
		fmt.Fprintf(out, "%s %s   blocked: %s     %s\n", out.yellow("!"), out.bold(Clean(b.Address)), Clean(b.Reason), out.dim(b.Source))
	}
	for _, u := range r.Unread {
		fmt.Fprintf(out, "%s %s   not read: %s\n", out.yellow("!"), out.bold(Clean(u.Address)), Clean(u.Reason))
	}
	fmt.Fprintln(out, resultSummary(r))
	return out.Flush()
}

// Ended words an outcome: "done. 5 nodes; 2 new: a, b".
func Ended(o engine.Outcome) string {
	var b strings.Builder
	switch o.State {
	case engine.Applied:
		b.WriteString("done")
	case engine.FellShort:
		fmt.Fprintf(&b, "%s", verdictWords[string(o.Verdict)])
	case engine.Unsettled:
		b.WriteString("unknown")
	default:
		b.WriteString(string(o.State))
	}
	if o.Detail != "" {
		b.WriteString(". " + Clean(o.Detail))
	}
	if len(o.New) > 0 && o.Op != provider.OpCreate {
		b.WriteString(": " + Clean(strings.Join(o.New, ", ")))
	}
	if len(o.Foreign) > 0 {
		b.WriteString("; not ours: " + Clean(strings.Join(o.Foreign, ", ")))
	}
	return b.String()
}

var verdictWords = map[string]string{
	"partial": "only in part",
	"none":    "not done",
	"drifted": "the cluster changed in another way",
}

func resultSummary(r *engine.Result) string {
	total, applied := len(r.Outcomes), r.Count(engine.Applied)
	if total == 0 {
		return "Nothing to apply."
	}
	text := fmt.Sprintf("Applied %d of %d in %s.", applied, total, Span(r.Duration))
	words := []struct {
		state engine.OutcomeState
		word  string
	}{
		{engine.Unsettled, "unknown"}, {engine.FellShort, "fell short"}, {engine.Failed, "failed"}, {engine.Stale, "stale"},
		{engine.Locked, "locked"}, {engine.Held, "held"}, {engine.Skipped, "skipped"}, {engine.Interrupted, "interrupted"},
	}
	var parts []string
	for _, w := range words {
		var names []string
		for _, o := range r.Outcomes {
			if o.State == w.state {
				names = append(names, fmt.Sprintf("%s (%s)", Clean(o.Address), opName(o.Op)))
			}
		}
		if n := len(names); n > 3 {
			names = append(names[:3], fmt.Sprintf("and %d more", n-3))
		}
		if len(names) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", r.Count(w.state), w.word, strings.Join(names, ", ")))
		}
	}
	if len(parts) > 0 {
		text += " " + strings.Join(parts, "; ") + "."
	}
	switch {
	case r.Has(engine.Unsettled):
		text += " Apply again to go on watching; nothing is sent twice."
	case r.Has(engine.Stale):
		text += " Plan again from live state."
	case r.Has(engine.FellShort, engine.Failed, engine.Skipped):
		text += " Plan again to see what is left."
	}
	return text
}
