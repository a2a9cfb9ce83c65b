package render

import (
	"slices"

	"github.com/clusterctl/clusterctl/engine"
)

// ResultAnnotations are what went wrong in an apply, each on the line of the
// spec that asked for it, as the plan names it: what is unknown first. An apply
// that went well has none.
func ResultAnnotations(r *engine.Result, p *engine.Plan) []Annotation {
	var all remarks
	sources := map[string]string{}
	for _, a := range p.Actions {
		sources[a.ID] = a.Source
	}
	for _, e := range endings {
		for _, o := range slices.Concat(r.Outcomes, r.Settled) {
			if o.State == e.state {
				all.add(remarkOutcome(o, sources, p, e.word))
			}
		}
	}
	for _, b := range r.Blocked {
		all.add(remarkBlocked(b))
	}
	for _, u := range r.Unread {
		all.add(remarkUnread(u))
	}
	for _, o := range r.Outcomes {
		one := remark{source: sources[o.Action], address: o.Address}
		if len(o.Differs) > 0 {
			one.rule, one.title, one.text = RuleDiffers, "still differs from the spec", differing(o)
			all.add(one)
		}
		if len(o.Foreign) > 0 {
			one.rule, one.title, one.text = RuleForeign, "not ours", "came or went meanwhile: "+firstOf(o.Foreign)
			all.add(one)
		}
	}
	return all.annotations()
}

// ruleOf says under which rule an outcome is told that is not simply applied.
var ruleOf = map[engine.OutcomeState]string{engine.Unsettled: RuleUnsettled, engine.FellShort: RuleShort,
	engine.Failed: RuleUndone, engine.Refused: RuleDenied}

func remarkOutcome(o engine.Outcome, sources map[string]string, p *engine.Plan, word string) remark {
	one := remark{rule: or(ruleOf[o.State], RuleUnsent), source: sources[o.Action], address: o.Address, title: word}
	one.text = opName(o.Op) + ": " + or(Ended(o), word)
	if one.source == "" || !ours(o, p) {
		// An earlier request: its number is of another plan.
		one.source, one.text = sourceAt(p, o.Address), "earlier "+one.text
	}
	if o.State == engine.Unsettled {
		one.text += "; see " + ResolveCommand(o.Address)
	}
	return one
}

// ours reports whether an outcome is of one of the plan's actions.
func ours(o engine.Outcome, p *engine.Plan) bool {
	return slices.ContainsFunc(p.Actions, func(a engine.Action) bool { return a.ID == o.Action && a.Address == o.Address && a.Op == o.Op })
}

func differing(o engine.Outcome) string {
	text := "still differs from the spec"
	for _, f := range o.Differs[:min(len(o.Differs), linesTold)] {
		text += ", " + f.Path + " " + valueText(stated(f.Before)) + " → " + valueText(stated(f.After))
	}
	if more := len(o.Differs) - linesTold; more > 0 {
		text += " " + andMore(more)
	}
	return text
}

// ResultSummary counts how the actions of an apply ended. It has no names, which
// could mean something to whoever reads workflow commands.
func ResultSummary(r *engine.Result) string { return resultTitle(r) + "." }
