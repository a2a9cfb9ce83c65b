package render

import (
	"fmt"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// notes writes what the plan does not do, and why.
func (t *planText) notes(p *engine.Plan) {
	for _, b := range p.Blocked {
		t.blocked(b)
	}
	t.unread(p.Unread)
	t.open(p.OpenIntents)
	for _, d := range p.Denied {
		t.say(2, "%s %s   denied by guard %s: %s     %s", t.red("!"), t.bold(Clean(d.Address)), d.Guard, Clean(d.Reason), t.dim(d.Source))
	}
	t.owned(p.Owned)
	for _, w := range p.Warnings {
		t.say(2, "%s %s", t.yellow("warning:"), Clean(w))
	}
	if len(p.Blocked)+len(p.Unread)+len(p.OpenIntents)+len(p.Denied)+len(p.Warnings)+len(p.Owned) > 0 {
		fmt.Fprintln(t)
	}
}

// open writes earlier requests that are not settled.
func (t *planText) open(list []engine.OpenIntent) {
	for _, o := range list {
		since := ""
		if !o.Since.IsZero() {
			since = fmt.Sprintf("%s since %s is unsettled: ", opName(o.Op), stamp(o.Since))
		}
		t.say(2, "%s %s   %s%s (%s)", t.red("!"), t.bold(Clean(o.Address)), since, Clean(o.Reason), ResolveCommand(o.Address))
	}
}

// ResolveCommand is what shows the evidence of an unsettled request.
func ResolveCommand(address string) string {
	cluster, _, _ := strings.Cut(Clean(address), "/")
	return "clusterctl resolve " + cluster
}

func (t *planText) blocked(b engine.Blocked) {
	t.say(2, "%s %s  %s/%s   blocked: %s     %s", t.yellow("!"), t.bold(Clean(b.Address)), b.Provider, b.Kind, Clean(b.Reason), t.dim(b.Source))
}

// unread writes clusters that could not be read. A cloud that is out of reach
// is one fault however many clusters it hides.
func (t *planText) unread(list []engine.Unread) {
	type fault struct{ provider, reason string }
	clusters := map[fault][]string{}
	for _, u := range list {
		f := fault{u.Provider, u.Reason}
		clusters[f] = append(clusters[f], Clean(u.Address))
	}
	hinted := map[fault]bool{}
	for _, u := range list {
		f := fault{u.Provider, u.Reason}
		names, source := clusters[f], "     "+t.dim(u.Source)
		if len(names) == 0 {
			continue // told with the first one
		}
		delete(clusters, f)
		if n := len(names); n > 1 {
			source = ""
			if n > 8 {
				names = append(names[:8:8], fmt.Sprintf("and %d more", n-8))
			}
		}
		t.say(2, "%s %s  %s   not read: %s%s", t.yellow("!"), t.bold(strings.Join(names, ", ")), u.Provider, Clean(u.Reason), source)
		hint := advice(u)
		if key := (fault{u.Provider, hint}); hint != "" && !hinted[key] {
			hinted[key] = true
			t.say(2, "  %s", hint)
		}
	}
}

// advice is what to do about a cluster that cannot be read.
func advice(u engine.Unread) string {
	entry := Clean(u.Provider)
	switch u.Kind {
	case provider.KindUnauthenticated:
		return "check the key that entry " + entry + " uses and this machine's clock"
	case provider.KindDenied:
		return "the key of entry " + entry + " may not do this; give it the right to list and read clusters"
	case provider.KindUnavailable:
		return "check the network, the proxy and the endpoint of entry " + entry + ", then run this again"
	case provider.KindThrottled:
		return "the cloud slows down the calls of this account; run this again later"
	}
	return ""
}

// Summary is the plan in one line, removals and money first.
func Summary(p *engine.Plan) string {
	s := p.Summary
	troubles := s.Blocked + s.Unread + len(p.OpenIntents)
	if p.Empty() && troubles == 0 {
		if s.Clusters == 1 {
			return "No changes. 1 cluster matches the spec" + otherwise(len(p.Owned)) + "."
		}
		return fmt.Sprintf("No changes. %d clusters match the spec%s.", s.Clusters, otherwise(len(p.Owned)))
	}
	var parts []string
	add := func(n int, word string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	if s.ScaleIn > 0 {
		parts = append(parts, fmt.Sprintf("%s (%s)", plural(s.ScaleIn, "removal"), plural(s.Removed, "node")))
	}
	for _, op := range []struct {
		n    int
		word string
	}{{s.Create, "create"}, {s.ScaleOut, "scale-out"}, {s.Resize, "resize"}} {
		if op.n > 0 {
			parts = append(parts, plural(op.n, op.word))
		}
	}
	parts = append(parts, guardCounts(p.Guards)...)
	add(s.Blocked, "blocked")
	add(s.Unread, "not read")
	add(len(p.OpenIntents), "unsettled")
	add(len(p.Denied), "denied")
	add(s.Unchanged, "unchanged")
	text := "Plan: " + strings.Join(parts, ", ") + "."
	if cost := Cost(p); cost != "" {
		text += "  Cost: " + cost + "."
	}
	return text
}

// Cost is what the plan costs as far as clouds tell: a sum for each currency and
// period, what costs before what is refunded, then how much has no price. It is
// empty where nothing has one.
func Cost(p *engine.Plan) string {
	sums, unpriced := engine.Costs(p.Actions)
	var parts []string
	for _, sum := range sums {
		parts = append(parts, Clean(engine.Money(sum, true)))
	}
	if len(parts) > 0 && unpriced > 0 {
		parts = append(parts, plural(unpriced, "action")+" without a price")
	}
	return strings.Join(parts, ", ")
}

// Removals lists what the plan removes, a line for each action, for the
// question before an apply.
func Removals(p *engine.Plan, look Look) []string {
	var lines []string
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.Removed() == 0 {
			continue
		}
		which := "; the cloud chooses which"
		if len(a.Removes) > 0 {
			which = ": " + look.nodes(a)
		}
		lines = append(lines, look.wrap("  "+look.red(fmt.Sprintf("removes %s from %s", plural(a.Removed(), "node"), Clean(a.Address)))+which, 4))
	}
	return lines
}
