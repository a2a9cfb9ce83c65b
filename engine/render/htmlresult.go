package render

import (
	"io"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/topology"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// HTMLResult writes what came of applying a plan as one page of HTML: what did
// not go well first, with what to do about it, then a row for each action of the
// plan, then the clusters.
func HTMLResult(w io.Writer, r *engine.Result, p *engine.Plan, c Comment) error {
	out := &htmlPage{Title: visibleText(resultTitle(r)), About: visibleText(c.Name), Tone: "good"}
	if next := nextStep(r); next != "" {
		out.Lead = append(out.Lead, next)
	}
	out.tile(r.Count(engine.Applied), "", "done", "done", "good")
	for _, s := range endings {
		_, tone := endKind(s.state)
		out.tile(r.Count(s.state), "", s.word, s.word, tone)
		if r.Has(s.state) {
			out.Tone = worse(out.Tone, tone)
		}
		out.list("ended-"+string(s.state), s.title, tone, htmlOutcomes(r.Outcomes, s.state, ""))
		out.list("earlier-"+string(s.state), "Earlier requests: "+s.earlier, tone, htmlOutcomes(r.Settled, s.state, "earlier "))
	}
	out.costTile(p)
	out.list("odd", "Done, and more than that", "warn", htmlOdd(r.Outcomes))
	out.list("blocked", "Blocked: no call of the cloud can do this", "bad", htmlBlocked(r.Blocked))
	out.list("unread", "Not read", "warn", htmlUnread(r.Unread))
	if len(r.Blocked)+len(r.Unread) > 0 {
		out.Tone = worse(out.Tone, "warn")
	}
	out.list("guards", "Guards", "", htmlGuards(r.Guards, "written to history"))
	out.list("earlier-applied", "Earlier requests: done", "", htmlOutcomes(r.Settled, engine.Applied, "earlier "))
	byAction := map[string]engine.Outcome{}
	for _, o := range r.Outcomes {
		byAction[o.Action] = o
	}
	out.table("actions", "Actions", "", []string{"Address", "Outcome", "Action", "Change", "Cost", "Line"}, actionRows(p, func(a *engine.Action) (string, htmlCell) {
		o := byAction[a.ID]
		kind, tone := endKind(o.State)
		cell := htmlCell{Strong: endWord(o), Tone: tone, More: outcomeMore(o)}
		if o.Duration > 0 {
			cell.Text = Span(o.Duration)
		}
		return kind, cell
	}))
	kinds := planKinds(p)
	picture := topology.OfPlan(p)
	for _, o := range r.Outcomes {
		kind, _ := endKind(o.State)
		kinds.add(o.Address, kind)
		made := o.New
		if o.Op == provider.OpCreate {
			made = nil // the cluster
		}
		picture.Tell(o.Address, endWord(o), o.State == engine.Applied, made)
	}
	out.buttons(kinds)
	picture.Others = 0 // of now nothing is known
	if err := out.draw("Clusters, as planned and what came of it", picture, kinds.of); err != nil {
		return err
	}
	out.fact("Plan", r.PlanDigest)
	return out.write(w)
}

// worse is the louder of two tones.
func worse(a, b string) string {
	for _, tone := range []string{"bad", "warn", "good"} {
		if a == tone || b == tone {
			return tone
		}
	}
	return ""
}

// endKind is the filter's word and the tone of how an action ended.
func endKind(state engine.OutcomeState) (kind, tone string) {
	switch state {
	case engine.Applied:
		return "applied", "good"
	case engine.Unsettled:
		return "unknown", "bad"
	case engine.FellShort, engine.Failed:
		return "failed", "bad"
	}
	return "unsent", "warn"
}

// endWord is how an action ended, in a word or two.
func endWord(o engine.Outcome) string {
	if o.State == engine.FellShort {
		return or(verdictWords[string(o.Verdict)], "fell short")
	}
	for _, e := range endings {
		if e.state == o.State {
			return e.word
		}
	}
	return "done"
}

func htmlOutcomes(outcomes []engine.Outcome, state engine.OutcomeState, when string) []htmlItem {
	var items []htmlItem
	for _, o := range outcomes {
		if o.State != state {
			continue
		}
		kind, _ := endKind(o.State)
		item := htmlItem{Kinds: kind, Names: []string{shownName(o.Address)}, Strong: visibleText(when + opName(o.Op)), Text: visibleText(Ended(o))}
		if len(o.Differs) > 0 {
			item.More = outcomeMore(o)
		}
		if o.State == engine.Unsettled {
			item.Command = visibleText(ResolveCommand(o.Address))
		}
		items = append(items, item)
	}
	return items
}

// htmlOdd are actions that were done and beside which something else is told.
func htmlOdd(outcomes []engine.Outcome) []htmlItem {
	var odd []engine.Outcome
	for _, o := range outcomes {
		if len(o.Foreign)+len(o.Differs) > 0 {
			odd = append(odd, o)
		}
	}
	return htmlOutcomes(odd, engine.Applied, "")
}

// outcomeMore is what else is known of an outcome.
func outcomeMore(o engine.Outcome) *htmlMore {
	m := &htmlMore{Summary: "Details"}
	if o.Detail != "" {
		m.Facts = append(m.Facts, htmlFact{Name: "detail", Value: visibleText(o.Detail)})
	}
	if o.Verdict != "" {
		m.Facts = append(m.Facts, htmlFact{Name: "verdict", Value: visibleText(string(o.Verdict))})
	}
	for _, list := range []struct {
		name  string
		names []string
	}{{"new", o.New}, {"not ours", o.Foreign}} {
		if len(list.names) > 0 {
			m.Facts = append(m.Facts, htmlFact{list.name, visibleText(strings.Join(list.names, ", ")), true})
		}
	}
	if len(o.Differs) > 0 {
		m.Facts = append(m.Facts, htmlFact{Name: "still differs from the spec in", Value: plural(len(o.Differs), "value")})
		m.Fields = htmlFields(o.Differs)
	}
	if len(m.Facts) == 0 {
		return nil
	}
	return m
}
