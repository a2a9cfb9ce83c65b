package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"
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

// resultSummary says in one line how an apply ended and what to do next.
func resultSummary(r *engine.Result) string {
	closed, open := settledOf(r.Settled)
	var text string
	switch {
	case len(r.Outcomes) > 0:
		text = fmt.Sprintf("Applied %d of %d in %s.", r.Count(engine.Applied), len(r.Outcomes), Span(r.Duration))
		if parts := states(r.Outcomes); len(parts) > 0 {
			text += " " + strings.Join(parts, "; ") + "."
		}
		if len(open) > 0 {
			text += " Of earlier requests, " + strings.Join(states(open), "; ") + "."
		}
	case len(open) > 0:
		var parts []string
		if closed > 0 {
			parts = append(parts, plural(closed, "earlier request")+" settled")
		}
		text = strings.Join(append(parts, states(open)...), "; ") + "; nothing new was sent."
	case len(r.Guards) > 0 && closed == 0:
		text = "Nothing was sent."
	case len(r.Blocked)+len(r.Unread) > 0:
		text = plural(closed, "earlier request") + " settled; nothing else was sent."
	default:
		text = plural(closed, "earlier request") + " settled; nothing more to apply."
	}
	if written := guardsWritten(r.Guards); written != "" {
		text += " " + written
	}
	switch {
	case r.Has(engine.Unsettled):
		text += " Apply again to go on watching; nothing is sent twice. Evidence: " + resolveCommands(r) + "."
	case r.Has(engine.Stale):
		text += " Plan again from live state."
	case r.Has(engine.Refused):
		text += " Plan again: it names the guards in force."
	case slices.ContainsFunc(r.Outcomes, func(o engine.Outcome) bool { return o.State == engine.Locked }):
		text += " Wait for the other run, or let this one wait with --lock-timeout."
	case len(r.Outcomes) > 0 && r.Has(engine.FellShort, engine.Failed, engine.Skipped):
		text += " Plan again to see what is left."
	}
	return text
}

// settledOf tells earlier requests that this run closed, as done or not, from
// those that it had to leave open.
func settledOf(earlier []engine.Outcome) (closed int, open []engine.Outcome) {
	for _, o := range earlier {
		switch o.State {
		case engine.Applied, engine.FellShort, engine.Failed:
			closed++
		default:
			open = append(open, o)
		}
	}
	return closed, open
}

// states counts what did not simply succeed, state by state, and names it:
// "2 locked: a (create), b/core (scale out)".
func states(outcomes []engine.Outcome) []string {
	words := []struct {
		state engine.OutcomeState
		word  string
	}{
		{engine.Unsettled, "unknown"}, {engine.FellShort, "fell short"}, {engine.Failed, "not done"}, {engine.Stale, "stale"},
		{engine.Locked, "locked"}, {engine.Refused, "denied"}, {engine.Held, "not sent"}, {engine.Skipped, "skipped"}, {engine.Interrupted, "interrupted"},
	}
	var parts []string
	for _, w := range words {
		var names []string
		for _, o := range outcomes {
			if o.State == w.state {
				names = append(names, fmt.Sprintf("%s (%s)", Clean(o.Address), opName(o.Op)))
			}
		}
		if n := len(names); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", n, w.word, some(names)))
		}
	}
	return parts
}

// some names the first three and counts the rest.
func some(names []string) string {
	if n := len(names); n > 3 {
		names = append(names[:3:3], fmt.Sprintf("and %d more", n-3))
	}
	return strings.Join(names, ", ")
}

// resolveCommands show the evidence of what is unknown, cluster by cluster.
func resolveCommands(r *engine.Result) string {
	var commands []string
	for _, o := range slices.Concat(r.Outcomes, r.Settled) {
		command := ResolveCommand(o.Address)
		if o.State == engine.Unsettled && !slices.Contains(commands, command) {
			commands = append(commands, command)
		}
	}
	return some(commands)
}
