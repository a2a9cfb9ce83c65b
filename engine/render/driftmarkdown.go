package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
)

// MarkdownDrift writes how live clusters differ as one comment: what is gone and
// what could not be compared first, then a row for each field, what was changed
// outside before the rest. It never has more than MarkdownLimit bytes.
func MarkdownDrift(w io.Writer, d *engine.Drift, c Comment) error {
	out := &page{head: top(c, strings.TrimSuffix(prose(DriftSummary(d)), "."))}
	out.add(list("Absent", "cluster", absentItems(d)))
	for _, cause := range []engine.DriftCause{engine.CauseDrift, engine.CauseBoth, engine.CauseSpec, engine.CauseUnknown} {
		title := driftTitles[cause]
		out.add(fieldTable(strings.ToUpper(title[:1])+title[1:], d, cause))
	}
	out.add(list("Not compared: several clusters of one name", "cluster", ambiguousItems(d.Ambiguous)))
	out.add(list("Not read", "cluster", unreadItems(d.Unread)))
	out.add(list("Not settled: earlier requests", "request", openItems(d.OpenIntents)))
	out.add(list("Nodes that came and went without us", "group", movedItems(d)))
	out.add(runTable(d))
	out.add(list("Kept by others", "field", ownedItems(d.Owned)))
	out.add(list("Notes", "note", sentences(d.Notes)))
	text := "Read from live state; nothing is proposed"
	if d.SpecDigest != "" {
		text += ". Spec " + code(d.SpecDigest)
	}
	out.foot = bottom(text+".", c.Command)
	return out.write(w, MarkdownLimit)
}

func absentItems(d *engine.Drift) []string {
	var items []string
	for i := range d.Clusters {
		if c := &d.Clusters[i]; c.Absent {
			reason := c.Reason
			if d.HistoryKnown {
				reason += "; " + absence(c)
			}
			items = append(items, code(c.Address)+" of "+code(c.Provider+"/"+c.Kind)+": "+prose(reason)+sourceOf(c.Source))
		}
	}
	return items
}

// fieldTable has a row for each field that differs for one cause.
func fieldTable(title string, d *engine.Drift, cause engine.DriftCause) *section {
	var rows [][]string
	for i := range d.Clusters {
		for j := range d.Clusters[i].Fields {
			f := &d.Clusters[i].Fields[j]
			if f.Cause != cause {
				continue
			}
			line := ""
			if f.Source != "" {
				line = code(f.Source)
			}
			rows = append(rows, []string{code(f.Address), code(f.Path), code(wantedText(f)), code(Value(f.Live)), prose(because(f, d.HistoryKnown)), line})
		}
	}
	return tableOf(title, "field", []string{"Address", "Field", "Spec", "Live", "Why", "Line"}, rows)
}

func ambiguousItems(list []engine.Ambiguous) []string {
	var items []string
	for _, a := range list {
		items = append(items, fmt.Sprintf("%s of %s: %s live clusters bear its name: %s%s",
			code(a.Address), code(a.Provider+"/"+a.Kind), grouped(len(a.IDs)), codes(a.IDs, namesInItem), sourceOf(a.Source)))
	}
	return items
}

func movedItems(d *engine.Drift) []string {
	var items []string
	for i := range d.Clusters {
		for _, n := range d.Clusters[i].Nodes {
			item := code(n.Address) + ", since " + stamp(n.Since)
			if len(n.Came) > 0 {
				item += "; came: " + victims(n.Came)
			}
			if len(n.Gone) > 0 {
				item += "; gone: " + victims(n.Gone)
			}
			items = append(items, item)
		}
	}
	return items
}

// runTable has a row for each request of ours since a cluster's last applied
// plan.
func runTable(d *engine.Drift) *section {
	var rows [][]string
	for i := range d.Clusters {
		for j := range d.Clusters[i].Runs {
			r := &d.Clusters[i].Runs[j]
			sent := ""
			if r.Who != "" {
				sent = code(r.Who)
			}
			plan := ""
			if r.PlanDigest != "" {
				plan = code(shortDigest(r.PlanDigest))
			}
			verdict := prose(string(r.Verdict))
			if r.By != "" {
				verdict += ", by the word of " + code(r.By)
			}
			rows = append(rows, []string{stamp(r.At), code(r.Address), prose(runDeed(r)), verdict, sent, plan})
		}
	}
	return tableOf("What our own runs did since each cluster's last applied plan", "request", []string{"Time", "Address", "Request", "Verdict", "Who", "Plan"}, rows)
}
