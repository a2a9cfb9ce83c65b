package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/engine/topology"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// HTMLReview writes a review as one page of HTML: removals and what cannot be
// applied, a row for each changed line, the clusters before and after, and every
// changed value. depends says which clusters come before one, by address, in
// the head.
func HTMLReview(w io.Writer, r *review.Review, depends map[string][]string, c Comment) error {
	causes := causesOf(r)
	out := &htmlPage{Title: visibleText(reviewVerdict(r)), About: visibleText(c.Name)}
	for _, note := range r.Notes {
		out.Lead = append(out.Lead, "Note: "+visibleText(note))
	}
	out.reviewTiles(r)
	out.list("removals", "Nodes removed", "bad", htmlReviewRemovals(r))
	out.list("lifted", "Guards lifted", "bad", htmlLifts(r))
	out.list("denied", "Denied by a guard", "bad", htmlRefusals(causes, "denied", func(c *cause) []refusal { return c.denied }))
	out.list("blocked", "Blocked: no call of the cloud can do this", "bad", htmlRefusals(causes, "blocked", func(c *cause) []refusal { return c.blocked }))
	out.list("moves", "Clusters that come, leave or change their key", "", htmlMoves(r))
	out.list("unknown", "Not comparable: the base is not sound there", "warn", htmlUnknown(r.Unknown))
	for _, l := range out.Lists {
		if l.Tone == "bad" {
			out.Tone = "bad"
		}
	}
	if len(r.Clusters) == 0 {
		out.Tone = "good"
	}
	out.table("lines", "Changed lines", "", []string{"Line", "Reach", "What changes", "Effect"}, causeRows(causes))
	out.table("clusters", "Cluster by cluster", "", []string{"Cluster", "Change", "Values", "Line"}, changeRows(r))
	kinds := kindSet{}
	for i := range r.Clusters {
		kinds.add(r.Clusters[i].Address, changeKinds(&r.Clusters[i]))
	}
	for _, address := range r.Unknown {
		kinds.add(address, "unread")
	}
	out.buttons(kinds)
	if err := out.draw("Clusters before and after", topology.OfReview(r, depends), kinds.of); err != nil {
		return err
	}
	out.others(r.Unchanged, "does not differ", "do not differ")
	out.fact("Base", revision(r.Base))
	out.fact("Head", revision(r.Head))
	out.fact("Reproduce", c.Command)
	return out.write(w)
}

// reviewVerdict is the summary with all that is blocked in it.
func reviewVerdict(r *review.Review) string {
	whole := *r
	whole.Clusters = slices.Clone(r.Clusters)
	for i := range whole.Clusters {
		whole.Clusters[i].Blocked = blockedOf(&r.Clusters[i])
	}
	return strings.TrimSuffix(ReviewSummary(&whole), ".")
}

func (p *htmlPage) reviewTiles(r *review.Review) {
	kinds := map[review.Kind]int{}
	removed, blocked, denied := 0, 0, 0
	for i := range r.Clusters {
		c := &r.Clusters[i]
		kinds[c.Kind]++
		blocked += len(blockedOf(c))
		denied += len(c.Denied)
		for _, a := range c.Actions {
			if a.Op == provider.OpScaleIn {
				removed += int(a.From["count"] - a.To["count"])
			}
		}
	}
	p.tile(removed, "−", "node removed", "nodes removed", "bad")
	p.tile(denied, "", "denied", "denied", "bad")
	p.tile(blocked, "", "blocked", "blocked", "bad")
	p.tile(kinds[review.Removed], "", "no longer managed", "no longer managed", "warn")
	p.tile(kinds[review.Changed], "", "cluster changed", "clusters changed", "")
	p.tile(kinds[review.Renamed], "", "renamed", "renamed", "")
	p.tile(kinds[review.Added], "+", "cluster added", "clusters added", "good")
	p.tile(len(r.Unknown), "", "not comparable", "not comparable", "warn")
	p.tile(r.Unchanged, "", "unchanged", "unchanged", "")
}

// lineText is a line without its column.
func lineText(p review.Place, inBase bool) string {
	if p.File == "" {
		return ""
	}
	if inBase {
		return visibleText(lineOf(p)) + " of the base"
	}
	return visibleText(lineOf(p))
}

func htmlReviewRemovals(r *review.Review) []htmlItem {
	type lost struct {
		item  htmlItem
		nodes int64
	}
	var all []lost
	for i := range r.Clusters {
		c := &r.Clusters[i]
		for _, a := range c.Actions {
			if a.Op != provider.OpScaleIn {
				continue
			}
			place, inBase := placeOf(c, a.Group, func(f *review.Field) bool { return f.Op == provider.OpScaleIn })
			all = append(all, lost{htmlItem{Kinds: "scale_in", Names: []string{shownName(whole(c, a.Group))},
				Strong: fmt.Sprintf("%d → %s", a.From["count"], plural(int(a.To["count"]), "node")), Source: lineText(place, inBase)}, a.From["count"] - a.To["count"]})
		}
	}
	slices.SortStableFunc(all, func(a, b lost) int { return cmp.Compare(b.nodes, a.nodes) })
	var items []htmlItem
	for _, l := range all {
		items = append(items, l.item)
	}
	return items
}

// htmlRefusals gather what is refused by one line for one reason.
func htmlRefusals(causes []*cause, kind string, of func(*cause) []refusal) []htmlItem {
	var items []htmlItem
	for _, c := range causes {
		var order []refusal
		names := map[refusal][]string{}
		for _, r := range of(c) {
			k := refusal{guard: r.guard, reason: r.reason}
			if names[k] == nil {
				order = append(order, k)
			}
			names[k] = append(names[k], r.address)
		}
		for _, k := range order {
			item := htmlItem{Kinds: kind, Text: visibleText(k.reason), Source: lineText(c.place, c.inBase)}
			item.Names, item.More = folds(names[k], "clusters and groups")
			if k.guard != "" {
				item.Strong = "guard " + visibleText(k.guard)
			}
			items = append(items, item)
		}
	}
	return items
}

// htmlMoves are clusters that leave, get another key, or come.
func htmlMoves(r *review.Review) []htmlItem {
	var items []htmlItem
	for _, kind := range []review.Kind{review.Removed, review.Renamed, review.Added} {
		for _, c := range r.Clusters {
			if c.Kind != kind {
				continue
			}
			item := htmlItem{Kinds: string(kind), Names: []string{shownName(c.Address)}, Strong: moveWords[kind], Source: lineText(c.Place, kind == review.Removed)}
			if kind == review.Renamed {
				item.Text = visibleText(c.Was)
			}
			items = append(items, item)
		}
	}
	return items
}

var moveWords = map[review.Kind]string{review.Removed: "no longer managed; nothing is deleted", review.Renamed: "was", review.Added: "managed from now on", review.Changed: "changed"}

func htmlUnknown(addresses []string) []htmlItem {
	var items []htmlItem
	for _, a := range addresses {
		items = append(items, htmlItem{Kinds: "unread", Names: []string{shownName(a)}})
	}
	return items
}

// causeRows has a row for each changed line.
func causeRows(causes []*cause) []htmlRow {
	var rows []htmlRow
	for _, c := range causes {
		line := htmlCell{Names: []string{or(lineText(c.place, c.inBase), "a place that is not known")}}
		names, more := folds(c.clusters, "clusters")
		reach := htmlCell{Names: names, More: more}
		if more != nil {
			reach = htmlCell{Strong: count(len(c.clusters), "cluster"), More: more}
		}
		var kinds, order []string
		effects := map[string]int{}
		what := htmlCell{}
		var fields []htmlField
		for _, v := range c.variants {
			if k := effectKind(v.kind, v.effect); !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
			if effects[v.effect] == 0 {
				order = append(order, v.effect)
			}
			effects[v.effect] += v.clusters
			f := htmlField{Path: shownName(v.path), Before: variantText(v.before), After: variantText(v.after), Effect: v.effect}
			if n := v.clusters; n > 1 {
				f.Effect += ", " + count(n, "cluster")
			}
			fields = append(fields, f)
		}
		for _, f := range fields[:min(len(fields), variantsRow)] {
			what.Lines = append(what.Lines, f.Path+" "+f.Before+" → "+f.After)
		}
		if len(fields) > variantsRow {
			what.More = &htmlMore{Summary: "all " + grouped(len(fields)) + " changes", Fields: fields}
		}
		effect := htmlCell{}
		if len(c.denied) > 0 {
			effect.Strong, effect.Tone = "denied", "bad"
			kinds = append(kinds, "denied")
		}
		if len(c.blocked) > 0 && !slices.Contains(kinds, "blocked") {
			kinds = append(kinds, "blocked")
		}
		for i, e := range order {
			if len(order) > 1 {
				order[i] = e + " (" + grouped(effects[e]) + ")"
			}
		}
		effect.Text = strings.Join(order, ", ")
		if len(kinds) == 0 {
			kinds = []string{"other"}
		}
		rows = append(rows, htmlRow{Kinds: strings.Join(kinds, " "), Cells: []htmlCell{line, reach, what, effect}})
	}
	return rows
}

func variantText(text string) string {
	if text == notStated {
		return "–"
	}
	return shownName(text)
}

// effectKind is the filter's word for what becomes of a value.
func effectKind(effect review.Effect, words string) string {
	switch effect {
	case review.EffectAction:
		return opKind(provider.Op(strings.ReplaceAll(words, " ", "_")))
	case review.EffectNone:
		return "other"
	}
	return string(effect)
}

// changeKinds are a cluster's words for the filter.
func changeKinds(c *review.Change) string {
	var kinds []string
	switch c.Kind {
	case review.Added, review.Removed, review.Renamed:
		kinds = append(kinds, string(c.Kind))
	}
	if c.Kind != review.Added {
		for i := range c.Fields {
			if k := effectKind(c.Fields[i].Effect, EffectText(&c.Fields[i])); !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
	}
	for _, a := range c.Actions {
		if k := opKind(a.Op); !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	if len(c.Denied) > 0 {
		kinds = append(kinds, "denied")
	}
	if len(blockedOf(c)) > 0 && !slices.Contains(kinds, "blocked") {
		kinds = append(kinds, "blocked")
	}
	if len(kinds) == 0 {
		return "other"
	}
	return strings.Join(kinds, " ")
}

// changeRows has a row for clusters that differ in the same way by the same
// lines, with every value.
func changeRows(r *review.Review) []htmlRow {
	var rows []htmlRow
	for _, alike := range Alike(r.Clusters) {
		c := &alike[0]
		var addresses []string
		for _, a := range alike {
			addresses = append(addresses, a.Address)
		}
		name := htmlCell{Symbol: "~", Tone: "warn"}
		switch {
		case len(c.Denied)+len(blockedOf(c)) > 0:
			name.Symbol, name.Tone = "!", "bad"
		case c.Kind == review.Removed:
			name.Symbol = "−"
		case c.Kind == review.Added:
			name.Symbol, name.Tone = "+", "good"
		}
		name.Names, name.More = folds(addresses, "clusters")
		word := htmlCell{Text: moveWords[c.Kind]}
		if c.Kind == review.Renamed {
			word.Text = "was " + visibleText(c.Was)
		}
		word.Lines = append(word.Lines, visibleText(c.Provider+"/"+c.Type))
		values := htmlCell{}
		var fields []htmlField
		for i := range c.Fields {
			f := &c.Fields[i]
			fields = append(fields, htmlField{Path: shownName(f.Path), Before: htmlValue(f.Before), After: htmlValue(f.After), Effect: EffectText(f), Source: lineText(f.Cause, f.InBase)})
		}
		if len(fields) > 0 {
			values.More = &htmlMore{Summary: count(len(fields), "value"), Fields: fields}
		}
		rows = append(rows, htmlRow{Kinds: changeKinds(c), Cells: []htmlCell{name, word, values, {Source: lineText(c.Place, c.Kind == review.Removed)}}})
	}
	return rows
}
