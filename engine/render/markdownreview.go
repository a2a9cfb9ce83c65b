package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// How much of a list stands in a line.
const (
	namesInItem = 30 // of a removal or refusal
	namesInRow  = 3  // of a cause; more are folded below
	variantsRow = 3
	notesShown  = 5
)

// MarkdownReview writes a review as one comment for a pull request: the verdict
// as its title, removals and what cannot be applied, a row for each changed line,
// then the clusters. It never has more than MarkdownLimit bytes.
func MarkdownReview(w io.Writer, r *review.Review, c Comment) error {
	return markdownReview(w, r, c, MarkdownLimit)
}

func markdownReview(w io.Writer, r *review.Review, c Comment, limit int) error {
	causes := causesOf(r)
	p := &page{head: top(c, reviewTitle(r))}
	for _, note := range r.Notes[:min(len(r.Notes), notesShown)] {
		p.head += "\n> **Note:** " + prose(note) + "\n"
	}
	if more := len(r.Notes) - notesShown; more > 0 {
		p.head += "\n> " + andMore(more) + " notes\n"
	}
	p.foot = bottom("Compared "+revisionCode(r.Base)+" → "+revisionCode(r.Head)+".", c.Command)
	p.add(list("Nodes removed", "removal", removals(r)))
	p.add(list("Guards lifted", "guard", liftItems(r)))
	p.add(list("Denied by a guard", "refusal", denials(causes)))
	p.add(list("Blocked: no call of the cloud can do this", "refusal", blocks(causes)))
	p.add(causeTable(causes))
	p.add(list("Clusters that come, leave or change their key", "cluster", moves(r)))
	p.add(list("Not comparable: the base is not sound there", "cluster", single(r.Unknown)))
	p.add(causeLists(causes))
	return p.write(w, limit)
}

// reviewTitle is the verdict, with all that is blocked in it.
func reviewTitle(r *review.Review) string {
	whole := *r
	whole.Clusters = slices.Clone(r.Clusters)
	for i := range whole.Clusters {
		whole.Clusters[i].Blocked = blockedOf(&r.Clusters[i])
	}
	return strings.TrimSuffix(prose(ReviewSummary(&whole)), ".")
}

func revisionCode(r review.Revision) string {
	if r.Commit == "" {
		return code(r.Name)
	}
	return code(r.Name) + " (" + code(r.Commit) + ")"
}

func lineOf(p review.Place) string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// removals are the actions that take nodes away; alike ones of one line are told
// together. Their reasons are about nodes, of which a review knows none.
func removals(r *review.Review) []string {
	type kind struct {
		from, to int64
		line     string
	}
	var order []kind
	groups := map[kind][]string{}
	for i := range r.Clusters {
		c := &r.Clusters[i]
		for _, a := range c.Actions {
			if a.Op != provider.OpScaleIn {
				continue
			}
			place, inBase := placeOf(c, a.Group, func(f *review.Field) bool { return f.Op == provider.OpScaleIn })
			k := kind{a.From["count"], a.To["count"], atLine(place, inBase)}
			if groups[k] == nil {
				order = append(order, k)
			}
			groups[k] = append(groups[k], whole(c, a.Group))
		}
	}
	lost := func(k kind) int64 { return (k.from - k.to) * int64(len(groups[k])) }
	slices.SortStableFunc(order, func(a, b kind) int { return cmp.Compare(lost(b), lost(a)) })
	var items []string
	for _, k := range order {
		names := groups[k]
		item := fmt.Sprintf("**%d → %d nodes** in %s", k.from, k.to, codes(names, namesInItem))
		if n := len(names); n > 1 {
			item = fmt.Sprintf("**%s, %s in all: %d → %d** in %s", count(n, "group"), count(int(lost(k)), "node"), k.from, k.to, codes(names, namesInItem))
		}
		items = append(items, item+", by "+k.line)
	}
	return items
}

// denials and blocks gather refusals of one line that have the same reason.
func denials(causes []*cause) []string {
	return refusals(causes, func(c *cause) []refusal { return c.denied })
}

func blocks(causes []*cause) []string {
	return refusals(causes, func(c *cause) []refusal { return c.blocked })
}

func refusals(causes []*cause, of func(*cause) []refusal) []string {
	var items []string
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
			item := codes(names[k], namesInItem) + ": "
			if n := len(names[k]); n > 1 {
				item = "**" + grouped(n) + "**: " + item
			}
			if k.guard != "" {
				item += "guard " + code(k.guard) + ": "
			}
			items = append(items, item+prose(k.reason)+" (by "+atLine(c.place, c.inBase)+")")
		}
	}
	return items
}

// causeTable has a row for each changed line.
func causeTable(causes []*cause) *section {
	var rows [][]string
	for n, c := range causes {
		reach := codes(c.clusters, namesInRow)
		if len(c.clusters) > namesInRow {
			reach = "**" + count(len(c.clusters), "cluster") + "**"
		}
		var what []string
		effects := map[string]int{}
		var order []string
		for i, v := range c.variants {
			if i < variantsRow {
				what = append(what, code(v.path)+" "+valueCode(v.before)+" → "+valueCode(v.after))
			}
			if effects[v.effect] == 0 {
				order = append(order, v.effect)
			}
			effects[v.effect] += v.clusters
		}
		if more := len(c.variants) - variantsRow; more > 0 {
			what = append(what, andMore(more))
		}
		for i, effect := range order {
			order[i] = prose(effect)
			if len(order) > 1 {
				order[i] += " (" + grouped(effects[effect]) + ")"
			}
		}
		if len(what) == 0 {
			what = []string{"–"}
		}
		if len(c.denied) > 0 {
			order = append([]string{"**denied**"}, order...)
		}
		rows = append(rows, []string{fmt.Sprint(n + 1), atLine(c.place, c.inBase), reach, strings.Join(what, "<br>"), strings.Join(order, ", ")})
	}
	return tableOf("Changed lines", "line", []string{"No.", "Line", "Reach", "What changes", "Effect"}, rows)
}

func valueCode(text string) string {
	if text == notStated {
		return "not stated"
	}
	return code(text)
}

// causeLists are the clusters of the lines that reach more than fit into a row.
func causeLists(causes []*cause) *section {
	var lists []fold
	for n, c := range causes {
		if len(c.clusters) > namesInRow {
			lists = append(lists, fold{fmt.Sprintf("No. %d: %s", n+1, count(len(c.clusters), "cluster")), "By " + atLine(c.place, c.inBase), c.clusters})
		}
	}
	return folded("Clusters of these lines", "list", lists, MarkdownLimit/2)
}

// moves are clusters that come, leave, or get another key: those that leave
// first.
func moves(r *review.Review) []string {
	var items []string
	for _, kind := range []review.Kind{review.Removed, review.Renamed, review.Added} {
		for _, c := range r.Clusters {
			if c.Kind != kind {
				continue
			}
			item := code(c.Address) + " of " + code(c.Provider+"/"+c.Type) + " "
			switch kind {
			case review.Removed:
				item += "is **no longer managed**; nothing is deleted"
			case review.Renamed:
				item += "was " + code(c.Was)
			default:
				item += "is managed from now on"
			}
			items = append(items, item+" ("+atLine(c.Place, kind == review.Removed)+")")
		}
	}
	return items
}

func single(names []string) []string {
	var items []string
	for _, n := range names {
		items = append(items, code(n))
	}
	return items
}
