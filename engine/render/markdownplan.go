package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// MarkdownPlan writes a plan as one comment: removals, what gets smaller, and
// money first, then what will not be done, then a row for each other action. It
// never has more than MarkdownLimit bytes.
func MarkdownPlan(w io.Writer, p *engine.Plan, c Comment) error {
	return markdownPlan(w, p, c, MarkdownLimit)
}

func markdownPlan(w io.Writer, p *engine.Plan, c Comment, limit int) error {
	out := &page{head: top(c, planTitle(p))}
	ids := map[string]string{}
	for i := range p.Actions {
		ids[p.Actions[i].ID] = p.Actions[i].Address
	}
	var gone, smaller, other []*engine.Action
	for i := range p.Actions {
		switch a := &p.Actions[i]; {
		case a.Op == provider.OpScaleIn:
			gone = append(gone, a)
		case shrinks(a):
			smaller = append(smaller, a)
		default:
			other = append(other, a)
		}
	}
	slices.SortStableFunc(gone, func(a, b *engine.Action) int { return cmp.Compare(b.Removed(), a.Removed()) })
	slices.SortStableFunc(other, func(a, b *engine.Action) int { return cmp.Compare(amount(b), amount(a)) })
	out.add(list("Nodes removed", "removal", removalItems(gone)))
	out.add(actionTable("Made smaller", smaller, ids))
	out.add(list("Guards lifted", "guard", guardItems(p.Guards, engine.GuardLift)))
	out.add(list("Denied by a guard", "refusal", deniedItems(p.Denied)))
	out.add(list("Blocked: no call of the cloud can do this", "refusal", blockedItems(p.Blocked)))
	out.add(list("Not settled: earlier requests", "request", openItems(p.OpenIntents)))
	out.add(list("Not read", "cluster", unreadItems(p.Unread)))
	out.add(actionTable("Other changes", other, ids))
	out.add(list("Guards set", "guard", guardItems(p.Guards, engine.GuardSet)))
	out.add(list("Kept by others", "field", ownedItems(p.Owned)))
	out.add(list("Warnings", "warning", sentences(p.Warnings)))
	text := "Made from live state"
	if p.SpecDigest != "" {
		text += ", spec " + code(p.SpecDigest)
	}
	if p.Digest != "" {
		text += ", plan " + code(p.Digest)
	}
	out.foot = bottom(text+".", c.Command)
	return out.write(w, limit)
}

// planTitle is the summary. Its currencies are a plugin's words.
func planTitle(p *engine.Plan) string {
	return strings.TrimSuffix(prose(Summary(p)), ".")
}

// shrinks reports a resize after which nodes have less of something.
func shrinks(a *engine.Action) bool {
	for name, to := range a.To {
		if from, known := a.From[name]; known && to < from {
			return a.Op == provider.OpResize
		}
	}
	return false
}

// amount is what an action costs; a refund is money too.
func amount(a *engine.Action) float64 {
	if a.Cost == nil {
		return 0
	}
	return max(a.Cost.Amount, -a.Cost.Amount)
}

func removalItems(actions []*engine.Action) []string {
	var items []string
	for _, a := range actions {
		item := fmt.Sprintf("%s: **%d → %d nodes**", code(a.Address), a.From["count"], a.To["count"])
		switch {
		case a.CloudChooses:
			item += ". **The cloud chooses which**"
		case len(a.Removes) > 0:
			item += ", removes " + victims(a.Removes)
		}
		items = append(items, item+aside(a))
	}
	return items
}

func victims(nodes []provider.NodeRef) string {
	var names []string
	for _, n := range nodes[:min(len(nodes), namesInItem)] {
		name := code(or(n.Name, n.ID))
		if !n.Created.IsZero() {
			name += " (" + n.Created.UTC().Format("2006-01-02") + ")"
		}
		names = append(names, name)
	}
	text := strings.Join(names, ", ")
	if more := len(nodes) - namesInItem; more > 0 {
		text += " " + andMore(more)
	}
	return text
}

// aside is what else there is to say of an action.
func aside(a *engine.Action) string {
	text := ""
	if a.Cost != nil {
		text += "; **" + prose(Price(*a.Cost)) + "**"
	}
	for _, sentence := range []string{a.Risk, a.Reason} {
		if sentence != "" {
			text += "; " + prose(sentence)
		}
	}
	return text + sourceOf(a.Source)
}

func sourceOf(source string) string {
	if source == "" {
		return ""
	}
	return " (" + code(source) + ")"
}

// actionTable has a row for each action, in the order given.
func actionTable(title string, actions []*engine.Action, ids map[string]string) *section {
	var rows [][]string
	for _, a := range actions {
		price, notes := "", []string{}
		if a.Cost != nil {
			price = "**" + prose(Price(*a.Cost)) + "**"
		}
		for _, sentence := range []string{a.Risk, a.Reason} {
			if sentence != "" {
				notes = append(notes, prose(sentence))
			}
		}
		if len(a.DependsOn) > 0 {
			notes = append(notes, "after "+codes(named(a.DependsOn, ids), namesInRow))
		}
		line := ""
		if a.Source != "" {
			line = code(a.Source)
		}
		rows = append(rows, []string{code(a.Address), prose(opName(a.Op)), prose(Change(a)), price, strings.Join(notes, "; "), line})
	}
	return tableOf(title, "action", []string{"Address", "Action", "Change", "Cost", "Note", "Line"}, rows)
}

func deniedItems(denied []engine.Denied) []string {
	var items []string
	for _, d := range denied {
		items = append(items, code(d.Address)+": guard "+code(d.Guard)+": "+prose(d.Reason)+sourceOf(d.Source))
	}
	return items
}

func blockedItems(blocked []engine.Blocked) []string {
	var items []string
	for _, b := range blocked {
		items = append(items, code(b.Address)+" of "+code(b.Provider+"/"+b.Kind)+": "+prose(b.Reason)+sourceOf(b.Source))
	}
	return items
}

func openItems(open []engine.OpenIntent) []string {
	var items []string
	for _, o := range open {
		item := code(o.Address) + ": " + prose(opName(o.Op))
		if !o.Since.IsZero() {
			item += " since " + stamp(o.Since)
		}
		items = append(items, item+": "+prose(o.Reason)+". See "+codeCommand(ResolveCommand(o.Address)))
	}
	return items
}

// unreadItems tells one fault once, however many clusters it hides.
func unreadItems(unread []engine.Unread) []string {
	type fault struct{ provider, reason, hint string }
	var order []fault
	names := map[fault][]string{}
	for _, u := range unread {
		f := fault{u.Provider, u.Reason, advice(u)}
		if names[f] == nil {
			order = append(order, f)
		}
		names[f] = append(names[f], u.Address)
	}
	var items []string
	for _, f := range order {
		item := codes(names[f], namesInItem) + " of " + code(f.provider) + ": " + prose(f.reason)
		if n := len(names[f]); n > 1 {
			item = "**" + grouped(n) + "**: " + item
		}
		if f.hint != "" {
			item += "; " + prose(f.hint)
		}
		items = append(items, item)
	}
	return items
}

func sentences(texts []string) []string {
	var items []string
	for _, t := range texts {
		items = append(items, "Note: "+prose(t))
	}
	return items
}
