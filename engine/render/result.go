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
// simply succeed, unless they were told as they ended, then one summary line.
func Result(w io.Writer, r *engine.Result, told bool, look Look) error {
	out := &planText{Writer: bufio.NewWriter(w), Look: look}
	if !told {
		out.outcomes(r)
	}
	out.say(0, "%s", resultSummary(r))
	return out.Flush()
}

func (t *planText) outcomes(r *engine.Result) {
	for _, o := range r.Settled {
		t.say(2, "%s  earlier %s: %s", t.bold(Clean(o.Address)), opName(o.Op), Ended(o))
	}
	for _, o := range r.Outcomes {
		if o.State == engine.Applied && len(o.Foreign) == 0 && len(o.Differs) == 0 {
			continue
		}
		mark := t.red("!")
		if o.State == engine.Applied {
			mark = t.yellow("!")
		}
		t.say(2, "%s %s  %s: %s", mark, t.bold(Clean(o.Address)), opName(o.Op), Ended(o))
	}
	for _, b := range r.Blocked {
		t.blocked(b)
	}
	t.unread(r.Unread)
}

// Ended words an outcome: "done. 5 nodes; 2 new: a, b".
func Ended(o engine.Outcome) string {
	var b strings.Builder
	word := endWords[o.State]
	if o.State == engine.FellShort {
		word = verdictWords[string(o.Verdict)]
	}
	b.WriteString(word)
	if word != "" && o.Detail != "" {
		b.WriteString(". ")
	}
	b.WriteString(Clean(o.Detail))
	if len(o.New) > 0 && o.Op != provider.OpCreate {
		b.WriteString(": " + Clean(strings.Join(o.New, ", ")))
	}
	if len(o.Foreign) > 0 {
		b.WriteString("; not ours: " + Clean(strings.Join(o.Foreign, ", ")))
	}
	return b.String()
}

// endWords begin what is said of an outcome. The details of the others say by
// themselves that nothing was sent, and why.
var endWords = map[engine.OutcomeState]string{
	engine.Applied: "done", engine.Unsettled: "unknown", engine.Failed: "not done",
}

var verdictWords = map[string]string{
	"partial": "only in part",
	"none":    "not done",
	"drifted": "the cluster changed in another way",
}

func resultSummary(r *engine.Result) string {
	total, applied := len(r.Outcomes), r.Count(engine.Applied)
	if total == 0 {
		text := plural(len(r.Settled), "earlier request") + " settled; nothing more to apply."
		if r.Has(engine.Unsettled) {
			text = "What became of earlier requests is not known yet. Apply again to go on watching."
		}
		return text
	}
	text := fmt.Sprintf("Applied %d of %d in %s.", applied, total, Span(r.Duration))
	words := []struct {
		state engine.OutcomeState
		word  string
	}{
		{engine.Unsettled, "unknown"}, {engine.FellShort, "fell short"}, {engine.Failed, "not done"}, {engine.Stale, "stale"},
		{engine.Locked, "locked"}, {engine.Held, "not sent"}, {engine.Skipped, "skipped"}, {engine.Interrupted, "interrupted"},
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
