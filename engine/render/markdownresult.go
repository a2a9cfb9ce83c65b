package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// MarkdownResult writes what came of an apply as one comment: what did not go
// well first, with what to do about it. It never has more than MarkdownLimit
// bytes.
func MarkdownResult(w io.Writer, r *engine.Result, c Comment) error {
	return markdownResult(w, r, c, MarkdownLimit)
}

func markdownResult(w io.Writer, r *engine.Result, c Comment, limit int) error {
	out := &page{head: top(c, resultTitle(r))}
	if advice := nextStep(r); advice != "" {
		out.head += "\n" + advice + "\n"
	}
	for _, s := range endings {
		out.add(list(s.title, "action", outcomeItems(r.Outcomes, s.state, "")))
		out.add(list("Earlier requests: "+s.earlier, "request", outcomeItems(r.Settled, s.state, "earlier ")))
	}
	out.add(list("Blocked: no call of the cloud can do this", "refusal", blockedItems(r.Blocked)))
	out.add(list("Not read", "cluster", unreadItems(r.Unread)))
	out.add(list("Done", "action", outcomeItems(r.Outcomes, engine.Applied, "")))
	out.add(list("Earlier requests: done", "request", outcomeItems(r.Settled, engine.Applied, "earlier ")))
	out.add(list("Guards lifted", "guard", guardItems(r.Guards, engine.GuardLift)))
	out.add(list("Guards set", "guard", guardItems(r.Guards, engine.GuardSet)))
	text := ""
	if r.PlanDigest != "" {
		text = "Plan " + code(r.PlanDigest) + "."
	}
	out.foot = bottom(text, c.Command)
	return out.write(w, limit)
}

// endings are the ways not to end well, the ones that need a person first.
var endings = []struct {
	state                engine.OutcomeState
	word, title, earlier string
}{
	{engine.Unsettled, "unknown", "Outcome unknown: sent, and not settled", "outcome unknown"},
	{engine.FellShort, "fell short", "Fell short", "fell short"},
	{engine.Failed, "not done", "Not done", "not done"},
	{engine.Stale, "stale", "Stale: the cloud changed since the plan; nothing was sent", "stale"},
	{engine.Locked, "locked", "Locked by another run; nothing was sent", "locked"},
	{engine.Refused, "denied", "Denied by a guard; nothing was sent", "denied"},
	{engine.Held, "not sent", "Not sent", "not watched"},
	{engine.Skipped, "skipped", "Skipped: an action before did not end well", "skipped"},
	{engine.Interrupted, "interrupted", "Interrupted; nothing was sent", "interrupted"},
}

// resultTitle counts how the actions ended.
func resultTitle(r *engine.Result) string {
	closed, open := settledOf(r.Settled)
	var parts []string
	switch {
	case len(r.Outcomes) > 0:
		parts = append(parts, fmt.Sprintf("Applied %s of %s in %s", grouped(r.Count(engine.Applied)), grouped(len(r.Outcomes)), Span(r.Duration)))
	case len(open)+len(r.Blocked)+len(r.Unread) > 0:
		parts = append(parts, "Nothing new was sent")
	default:
		parts = append(parts, "Nothing more to apply")
	}
	for _, s := range endings {
		if n := r.Count(s.state); n > 0 {
			parts = append(parts, grouped(n)+" "+s.word)
		}
	}
	if closed > 0 {
		parts = append(parts, count(closed, "earlier request")+" settled")
	}
	if len(open) > 0 {
		parts = append(parts, count(len(open), "earlier request")+" open")
	}
	return strings.Join(append(parts, guardCounts(r.Guards)...), ", ")
}

// nextStep is what to do now.
func nextStep(r *engine.Result) string {
	switch {
	case r.Has(engine.Unsettled):
		return "Apply again to go on watching; nothing is sent twice."
	case r.Has(engine.Stale):
		return "Plan again from live state."
	case len(r.Outcomes) > 0 && r.Has(engine.FellShort, engine.Failed, engine.Skipped):
		return "Plan again to see what is left."
	}
	return ""
}

// outcomeItems are the outcomes of one state.
func outcomeItems(outcomes []engine.Outcome, state engine.OutcomeState, when string) []string {
	var items []string
	for _, o := range outcomes {
		if o.State != state {
			continue
		}
		item := code(o.Address) + ": " + when + prose(opName(o.Op))
		if o.State == engine.FellShort {
			item += ", " + verdictWords[string(o.Verdict)]
		}
		if o.Detail != "" {
			item += ": " + prose(o.Detail)
		}
		if len(o.New) > 0 && o.Op != provider.OpCreate { // a new cluster's id is in the detail
			if !strings.HasSuffix(o.Detail, " new") {
				item += "; new"
			}
			item += ": " + codes(o.New, namesInItem)
		}
		if len(o.Foreign) > 0 {
			item += "; **not ours** " + codes(o.Foreign, namesInItem)
		}
		if len(o.Differs) > 0 {
			item += "; still differs from the spec"
			for _, f := range o.Differs[:min(len(o.Differs), variantsRow)] {
				item += ", " + code(f.Path) + " " + valueCode(stated(f.Before)) + " → " + valueCode(stated(f.After))
			}
			if more := len(o.Differs) - variantsRow; more > 0 {
				item += " " + andMore(more)
			}
		}
		if o.State == engine.Unsettled {
			item += ". See " + codeCommand(ResolveCommand(o.Address))
		}
		items = append(items, item)
	}
	return items
}
