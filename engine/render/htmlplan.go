package render

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/topology"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// HTMLPlan writes a plan as one page of HTML: removals, what gets smaller, and
// money first, then what will not be done, in full, then a row for each action,
// then the clusters before and after.
func HTMLPlan(w io.Writer, p *engine.Plan, c Comment) error {
	out := &htmlPage{Title: visibleText(strings.TrimSuffix(Summary(p), ".")), About: visibleText(c.Name), Tone: planTone(p)}
	out.planTiles(p)
	out.list("removals", "Nodes removed", "bad", htmlRemovals(p))
	out.list("denied", "Denied by a guard", "bad", htmlDenied(p.Denied))
	out.list("blocked", "Blocked: no call of the cloud can do this", "bad", htmlBlocked(p.Blocked))
	out.list("unsettled", "Not settled: earlier requests", "warn", htmlOpen(p.OpenIntents))
	out.list("unread", "Not read", "warn", htmlUnread(p.Unread))
	out.list("guards", "Guards", "", htmlGuards(p.Guards, "when this is applied"))
	out.list("warnings", "Warnings", "warn", htmlSentences(p.Warnings))
	out.table("actions", "Actions", "", []string{"Address", "Action", "Change", "Cost", "Note", "Line"}, actionRows(p, nil))
	out.list("owned", "Kept by somebody else: shown, never changed", "", htmlOwned(p.Owned))
	kinds := planKinds(p)
	out.buttons(kinds)
	if err := out.draw("Clusters before and after", topology.OfPlan(p), kinds.of); err != nil {
		return err
	}
	out.fact("Spec", p.SpecDigest)
	out.fact("Plan", p.Digest)
	out.fact("Reproduce", c.Command)
	return out.write(w)
}

func planTone(p *engine.Plan) string {
	s := p.Summary
	switch {
	case s.ScaleIn+s.Blocked+len(p.Denied) > 0:
		return "bad"
	case s.Unread+len(p.OpenIntents) > 0:
		return "warn"
	case p.Empty():
		return "good"
	}
	return ""
}

func (p *htmlPage) planTiles(plan *engine.Plan) {
	s := plan.Summary
	smaller := 0
	for i := range plan.Actions {
		if shrinks(&plan.Actions[i]) {
			smaller++
		}
	}
	p.tile(s.Removed, "−", "node removed", "nodes removed", "bad")
	p.tile(smaller, "", "group made smaller", "groups made smaller", "bad")
	p.costTile(plan)
	p.tile(len(plan.Denied), "", "denied", "denied", "bad")
	p.tile(s.Blocked, "", "blocked", "blocked", "bad")
	p.tile(len(plan.OpenIntents), "", "unsettled", "unsettled", "warn")
	p.tile(s.Unread, "", "not read", "not read", "warn")
	p.tile(s.Create, "+", "create", "creates", "good")
	p.tile(s.ScaleOut, "+", "scale-out", "scale-outs", "good")
	p.tile(s.Resize, "", "resize", "resizes", "")
	p.tile(s.Unchanged, "", "unchanged", "unchanged", "")
}

// costTile is what the plan costs, as far as clouds tell.
func (p *htmlPage) costTile(plan *engine.Plan) {
	sums, unpriced := engine.Costs(plan.Actions)
	var parts []string
	for _, sum := range sums {
		parts = append(parts, visibleText(engine.Money(sum, true)))
	}
	if len(parts) == 0 {
		return
	}
	word := "cost of the plan"
	if unpriced > 0 {
		word += ", " + plural(unpriced, "action") + " without a price"
	}
	p.Tiles = append(p.Tiles, htmlTile{strings.Join(parts, ", "), word, "warn"})
}

// actionKinds are an action's words for the filter.
func actionKinds(a *engine.Action) string {
	if shrinks(a) {
		return "smaller resize"
	}
	return opKind(a.Op)
}

// opKind is the filter's word for what an action does.
func opKind(op provider.Op) string {
	switch op {
	case provider.OpScaleIn, provider.OpScaleOut, provider.OpCreate, provider.OpResize:
		return string(op)
	}
	return "other"
}

func planKinds(p *engine.Plan) kindSet {
	s := kindSet{}
	for i := range p.Actions {
		s.add(p.Actions[i].Cluster, actionKinds(&p.Actions[i]))
	}
	for _, b := range p.Blocked {
		s.add(b.Address, "blocked")
	}
	for _, d := range p.Denied {
		s.add(d.Address, "denied")
	}
	for _, u := range p.Unread {
		s.add(u.Address, "unread")
	}
	for _, o := range p.OpenIntents {
		s.add(o.Address, "unsettled")
	}
	return s
}

// htmlRemovals names every node that goes.
func htmlRemovals(p *engine.Plan) []htmlItem {
	var items []htmlItem
	for _, a := range inOrder(p.Actions) {
		if a.Op != provider.OpScaleIn {
			continue
		}
		item := htmlItem{Kinds: actionKinds(a), Names: []string{shownName(a.Address)}, Strong: visibleText(Change(a)), Source: visibleText(a.Source)}
		switch {
		case a.CloudChooses:
			item.Strong += ": REMOVES " + strings.ToUpper(plural(a.Removed(), "node")) + "; THE CLOUD CHOOSES WHICH"
		case len(a.Removes) > 0:
			item.Text = visibleText("removes " + Look{}.nodes(a))
		}
		items = append(items, item)
	}
	return items
}

// inOrder has removals first, then what gets smaller, then money.
func inOrder(actions []engine.Action) []*engine.Action {
	var all []*engine.Action
	for i := range actions {
		all = append(all, &actions[i])
	}
	rank := func(a *engine.Action) int {
		switch {
		case a.Op == provider.OpScaleIn:
			return 0
		case shrinks(a):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b *engine.Action) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Removed(), a.Removed()), cmp.Compare(amount(b), amount(a)))
	})
	return all
}

// actionRows has a row for each action; outcome, where there is one, comes after
// its address.
func actionRows(p *engine.Plan, outcome func(*engine.Action) (kinds string, cell htmlCell)) []htmlRow {
	addresses := map[string]string{}
	for i := range p.Actions {
		addresses[p.Actions[i].ID] = p.Actions[i].Address
	}
	var rows []htmlRow
	for _, a := range inOrder(p.Actions) {
		symbol, tone := "~", "warn"
		switch {
		case a.Op == provider.OpScaleIn:
			symbol, tone = "−", "bad"
		case a.Op == provider.OpScaleOut || a.Op == provider.OpCreate:
			symbol, tone = "+", "good"
		case shrinks(a):
			symbol, tone = "−", "bad"
		}
		row := htmlRow{Kinds: actionKinds(a), Cells: []htmlCell{{Symbol: symbol, Tone: tone, Names: []string{shownName(a.Address)}}}}
		if outcome != nil {
			kinds, cell := outcome(a)
			row.Kinds += " " + kinds
			row.Cells = append(row.Cells, cell)
		}
		change := htmlCell{Strong: visibleText(Change(a)), More: actionMore(a, addresses)}
		if a.Op == provider.OpScaleIn || shrinks(a) {
			change.Tone = "bad"
		}
		var cost htmlCell
		if a.Cost != nil {
			cost.Strong = visibleText(Price(*a.Cost))
		}
		row.Cells = append(row.Cells, htmlCell{Text: visibleText(opName(a.Op))}, change, cost)
		if outcome == nil {
			var notes []string
			for _, sentence := range []string{a.Risk, a.Reason} {
				if sentence != "" {
					notes = append(notes, visibleText(sentence))
				}
			}
			if len(a.DependsOn) > 0 {
				notes = append(notes, "after "+visibleText(strings.Join(named(a.DependsOn, addresses), ", ")))
			}
			row.Cells = append(row.Cells, htmlCell{Lines: notes})
		}
		row.Cells = append(row.Cells, htmlCell{Source: visibleText(a.Source)})
		rows = append(rows, row)
	}
	return rows
}

func named(ids []string, addresses map[string]string) []string {
	var names []string
	for _, id := range ids {
		names = append(names, or(addresses[id], id))
	}
	return names
}

// actionMore is everything else that a plan says of an action.
func actionMore(a *engine.Action, addresses map[string]string) *htmlMore {
	m := &htmlMore{Summary: "Details"}
	fact := func(name, value string, code bool) {
		if value != "" {
			m.Facts = append(m.Facts, htmlFact{name, visibleText(value), code})
		}
	}
	fact("entry and kind", a.Provider+"/"+a.Kind, true)
	fact("cluster id", a.ClusterID, true)
	fact("action", a.ID, true)
	fact("after", strings.Join(named(a.DependsOn, addresses), ", "), true)
	fact("risk", a.Risk, false)
	fact("why", a.Reason, false)
	for _, n := range a.Removes {
		name := "removes " + or(n.Name, n.ID)
		if n.Name != "" && n.ID != "" && n.ID != n.Name {
			name += " (" + n.ID + ")"
		}
		if !n.Created.IsZero() {
			name += " of " + n.Created.UTC().Format("2006-01-02")
		}
		m.Names = append(m.Names, visibleText(name))
	}
	m.Fields = htmlFields(a.Fields)
	return m
}

func htmlFields(fields []provider.FieldChange) []htmlField {
	var all []htmlField
	for _, f := range fields {
		all = append(all, htmlField{Path: shownName(f.Path), Before: htmlValue(f.Before), After: htmlValue(f.After)})
	}
	return all
}

// htmlValue is a value of a spec with every character that it has.
func htmlValue(v any) string {
	if v == nil {
		return "–"
	}
	return shownName(stated(v))
}
