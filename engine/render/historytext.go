package render

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// HistoryTable writes requests, a row for each. On a terminal that is too narrow
// for all columns those go that a row can do without: the details have them.
func HistoryTable(w io.Writer, requests []Request, look Look) error {
	rows := [][]string{{"TIME", "ADDRESS", "ACTION", "VERDICT", "OP", "WHO", "PLAN", "REQUEST", "DETAIL"}}
	for i := range requests {
		r := &requests[i]
		rows = append(rows, []string{stamp(r.When()), r.Address, r.deed(), r.ending(), short(r.OpID), r.Who, shortDigest(r.PlanDigest), r.RequestID, r.said()})
	}
	return TableWithout(w, rows, look, "REQUEST", "PLAN", "WHO", "OP")
}

// sent reports that it was a request, of which it is known what it was.
func (r *Request) sent() bool { return r.Op != provider.OpUnknown && r.Op != journal.OpGuard }

// deed is what was asked for: "scale out 3 → 5 nodes".
func (r *Request) deed() string {
	switch r.Op {
	case provider.OpUnknown:
		return "unreadable record"
	case journal.OpGuard:
		return "guards"
	}
	return strings.TrimSpace(opName(r.Op) + " " + Change(&engine.Action{Op: r.Op, From: r.From, To: r.To}))
}

func (r *Request) ending() string {
	if r.Closed == nil {
		return "open"
	}
	return string(r.Verdict)
}

// said is the detail with the nodes, who decided, and why the line may be wrong.
func (r *Request) said() string {
	text := r.Detail
	if r.Closed == nil {
		text = "not settled; see " + ResolveCommand(r.Address)
	}
	for _, n := range []struct {
		nodes []journal.Node
		word  string
	}{{r.Added, "new"}, {r.Removed, "gone"}} {
		if len(n.nodes) == 0 {
			continue
		}
		if !strings.HasSuffix(text, " "+n.word) {
			text += "; " + n.word
		}
		text += ": " + some(nodeNames(n.nodes))
	}
	if len(r.Foreign) > 0 {
		text += "; not ours: " + some(slices.Clone(r.Foreign))
	}
	if r.Closed != nil && r.Closed.By == ClosedByPerson {
		text += "; by " + r.Closed.Who + ": " + r.Closed.Reason
	}
	if r.Fault != "" {
		text = "cannot be trusted, " + r.Fault + ". " + text
	}
	return text
}

func nodeNames(nodes []journal.Node) []string {
	var names []string
	for _, n := range nodes {
		names = append(names, or(n.Name, n.ID))
	}
	return names
}

// nodeTitles are names with ids.
func nodeTitles(nodes []journal.Node) []string {
	var titles []string
	for _, n := range nodes {
		if n.Name != "" {
			titles = append(titles, n.Name+" ("+n.ID+")")
			continue
		}
		titles = append(titles, n.ID)
	}
	return titles
}

// shown is how much of an id or digest a table has.
const shown = 8

func short(id string) string { return id[:min(len(id), shown)] }

func shortDigest(digest string) string { return short(strings.TrimPrefix(digest, "sha256:")) }

// fact is one line of a request's details.
type fact struct{ name, text string }

// facts are everything that is known of a request, in the order in which it
// happened.
func (r *Request) facts() []fact {
	var all []fact
	add := func(name string, parts ...string) {
		parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
		if len(parts) > 0 {
			all = append(all, fact{name, strings.Join(parts, ", ")})
		}
	}
	prefixed := func(before, text string) string {
		if text == "" {
			return ""
		}
		return before + text
	}
	if r.Fault != "" {
		add("fault", "this line of history cannot be trusted: "+r.Fault)
	}
	add("op", r.OpID)
	add("plan", r.PlanDigest, prefixed("action ", r.Action))
	add("who", r.Who)
	add("cluster", r.Cluster, prefixed("group ", r.Group), prefixed("id ", r.ClusterID), prefixed("name ", r.Name))
	add("account", r.Provider+"/"+r.Kind, prefixed("plugin ", r.Plugin), r.Account, r.Endpoint)
	if r.sent() {
		base := plural(len(r.Before), "node")
		if r.Op == provider.OpCreate {
			base = plural(len(r.Before), "cluster") + " of that name"
		}
		add("before", stamp(r.ReadAt)+": "+strings.TrimSuffix(base+": "+strings.Join(r.Before, ", "), ": "))
		add("sent", stamp(r.SentAt))
		add("answer", or(string(r.Outcome), "unknown"), prefixed("request ", r.RequestID), prefixed("code ", r.Code), r.Message)
	}
	add("handle", r.Handle)
	if r.Closed == nil {
		add("open", "not settled; see "+ResolveCommand(r.Address))
		return all
	}
	if r.Op == journal.OpGuard {
		add("recorded", stamp(r.Closed.At))
		add("says", r.Detail)
		add("in force", guardFacts(r.Guards)...)
		return all
	}
	add("verdict", string(r.Verdict), r.Detail)
	add("added", nodeTitles(r.Added)...)
	add("removed", nodeTitles(r.Removed)...)
	add("not ours", r.Foreign...)
	add("closed", stamp(r.Closed.At), r.closing(), prefixed("reason: ", r.Closed.Reason))
	if r.QuietUntil.After(r.Closed.At) {
		add("waited", "nothing further was sent to the cluster before "+stamp(r.QuietUntil))
	}
	return all
}

// guardFacts are the guards in force, with the lines that set them.
func guardFacts(g *journal.Guards) []string {
	if g == nil {
		return nil
	}
	var all []string
	for _, group := range slices.Sorted(maps.Keys(g.Protected)) {
		all = append(all, strings.TrimSpace(group+" protect")+" ("+g.Protected[group].Source+")")
	}
	for _, group := range slices.Sorted(maps.Keys(g.MaxRemoved)) {
		b := g.MaxRemoved[group]
		all = append(all, fmt.Sprintf("%s %d per %s (%s)", strings.TrimSpace(group+" max_removed"), b.Count, b.Per, b.Source))
	}
	return all
}

// closing says who closed a request, and how long it took.
func (r *Request) closing() string {
	text := "by a run that saw what became of it"
	if r.Closed.By == ClosedByPerson {
		text = "by a person's word"
	}
	if r.Closed.Who != "" {
		text += " (" + r.Closed.Who + ")"
	}
	if took := r.Closed.At.Sub(r.SentAt); !r.SentAt.IsZero() && took > 0 {
		text += ", after " + Span(took)
	}
	return text
}

// HistoryDetails writes everything that is known of one request.
func HistoryDetails(w io.Writer, r *Request, look Look) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s  %s  %s\n", look.bold(Clean(r.Address)), Clean(r.deed()), Clean(r.ending()))
	for _, f := range r.facts() {
		fmt.Fprintln(out, look.wrap("  "+pad(f.name, 8)+"  "+Clean(f.text), 12))
	}
	return out.Flush()
}
