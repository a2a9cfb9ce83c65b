package render

import (
	"fmt"

	"github.com/clusterctl/clusterctl/engine"
)

func htmlDenied(denied []engine.Denied) []htmlItem {
	var items []htmlItem
	for _, d := range denied {
		items = append(items, htmlItem{Kinds: "denied", Names: []string{shownName(d.Address)}, Strong: "guard " + visibleText(d.Guard), Text: visibleText(d.Reason), Source: visibleText(d.Source)})
	}
	return items
}

func htmlBlocked(blocked []engine.Blocked) []htmlItem {
	var items []htmlItem
	for _, b := range blocked {
		item := htmlItem{Kinds: "blocked", Names: []string{shownName(b.Address)}, Strong: visibleText(b.Provider + "/" + b.Kind), Text: visibleText(b.Reason), Source: visibleText(b.Source)}
		if len(b.Fields) > 0 {
			item.More = &htmlMore{Summary: "What is wanted", Fields: htmlFields(b.Fields)}
		}
		items = append(items, item)
	}
	return items
}

func htmlOpen(open []engine.OpenIntent) []htmlItem {
	var items []htmlItem
	for _, o := range open {
		text := opName(o.Op)
		if !o.Since.IsZero() {
			text += " since " + stamp(o.Since)
		}
		items = append(items, htmlItem{Kinds: "unsettled", Names: []string{shownName(o.Address)}, Strong: visibleText(text), Text: visibleText(o.Reason), Command: visibleText(ResolveCommand(o.Address))})
	}
	return items
}

// htmlUnread tells one fault once, and names every cluster that it hides.
func htmlUnread(unread []engine.Unread) []htmlItem {
	type fault struct{ provider, reason, hint string }
	var order []fault
	hidden := map[fault][]engine.Unread{}
	for _, u := range unread {
		f := fault{u.Provider, u.Reason, advice(u)}
		if hidden[f] == nil {
			order = append(order, f)
		}
		hidden[f] = append(hidden[f], u)
	}
	var items []htmlItem
	for _, f := range order {
		item := htmlItem{Kinds: "unread", Strong: visibleText("entry " + f.provider), Text: visibleText(f.reason)}
		if f.hint != "" {
			item.Text += "; " + visibleText(f.hint)
		}
		var names []string
		for _, u := range hidden[f] {
			names = append(names, u.Address)
		}
		item.Names, item.More = folds(names, "clusters")
		if len(names) == 1 {
			item.Source = visibleText(hidden[f][0].Source)
		}
		items = append(items, item)
	}
	return items
}

// folds shows the first of many names, and all of them to who asks.
func folds(names []string, noun string) ([]string, *htmlMore) {
	const most = 4
	if len(names) <= most {
		return visibleTexts(names), nil
	}
	return visibleTexts(names[:most-1]), &htmlMore{Summary: fmt.Sprintf("all %s %s", grouped(len(names)), noun), Names: visibleTexts(names)}
}

func htmlGuards(guards []engine.Guard, when string) []htmlItem {
	var items []htmlItem
	for _, g := range guards {
		items = append(items, htmlItem{Names: []string{shownName(g.Address)}, Strong: "guard " + visibleText(guardWords(g)), Text: when, Source: visibleText(g.Source)})
	}
	return items
}

func htmlOwned(owned []engine.Owned) []htmlItem {
	var items []htmlItem
	for _, o := range owned {
		items = append(items, htmlItem{Names: []string{shownName(o.Address)}, Strong: visibleText(o.Field.Path) + " is kept by " + visibleText(o.Owner),
			Text: "live " + htmlValue(o.Field.Before) + ", spec " + htmlValue(o.Field.After), Source: visibleText(o.Source)})
	}
	return items
}

func htmlSentences(texts []string) []htmlItem {
	var items []htmlItem
	for _, t := range texts {
		items = append(items, htmlItem{Text: visibleText(t)})
	}
	return items
}
