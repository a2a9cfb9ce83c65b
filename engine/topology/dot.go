package topology

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// dotColours repeat what the symbols say.
var dotColours = map[Change]string{
	Unchanged: "gray50", Created: "darkgreen", Changed: "darkgoldenrod3", Removed: "firebrick", Blocked: "firebrick", Denied: "firebrick", Unread: "gray50",
}

// DOT writes the topology in Graphviz's language: a record for each cluster
// with a field for each group, and an arrow from what comes first to what waits
// for it. Names of nodes of the graph are c0, c1, …; groups are their ports g0,
// g1, …
func (t *Topology) DOT(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "digraph topology {\n")
	fmt.Fprintf(out, "  graph [label=%s, labelloc=t, fontname=\"Helvetica\", rankdir=TB, pack=16, packmode=\"array\"];\n", dotLabel(t.Title+t.others()))
	fmt.Fprintf(out, "  node [shape=record, style=rounded, fontname=\"Helvetica\", fontsize=11];\n")
	fmt.Fprintf(out, "  edge [color=gray40];\n")
	index := map[string]int{}
	for i := range t.Clusters {
		index[t.Clusters[i].Address] = i
	}
	for i := range t.Clusters {
		c := &t.Clusters[i]
		fmt.Fprintf(out, "  c%d [color=%s, label=%s, tooltip=%s];\n", i, dotColours[c.Change], dotRecord(c), dotLabel(c.Sentence()))
	}
	for i := range t.Clusters {
		c := &t.Clusters[i]
		for _, first := range c.DependsOn {
			if j, ok := index[first]; ok {
				fmt.Fprintf(out, "  c%d -> c%d;\n", j, i)
			}
		}
	}
	fmt.Fprintln(out, "}")
	return out.Flush()
}

// others counts what is not shown.
func (t *Topology) others() string {
	switch {
	case t.Others == 0:
		return ""
	case t.Others == 1:
		return "; 1 cluster is as it should be and not shown"
	}
	return fmt.Sprintf("; %d clusters are as they should be and not shown", t.Others)
}

// dotRecord is a cluster as the label of a record: its name and what is said of
// it, then a field for each group.
func dotRecord(c *Cluster) string {
	head := []string{signed(c.Change.Symbol(), c.Address)}
	if what := strings.Trim(c.what()+", "+c.word(), ", "); what != "" {
		head = append(head, what)
	}
	fields := []string{dotLines(append(head, c.lines()...))}
	for n := range c.Groups {
		g := &c.Groups[n]
		lines := []string{signed(g.Symbol(), strings.TrimSpace(g.Role+"   "+g.Count()))}
		for _, name := range g.Added {
			lines = append(lines, "+ "+name)
		}
		for _, name := range g.Removed {
			lines = append(lines, "- "+name)
		}
		fields = append(fields, fmt.Sprintf("<g%d>%s", n, dotLines(append(lines, g.lines()...))))
	}
	return `"{` + strings.Join(fields, "|") + `}"`
}

// signed is text behind a symbol. Graphviz drops the blank after a minus that is
// not of ASCII.
func signed(symbol, text string) string {
	return strings.TrimSpace(strings.ReplaceAll(symbol, "−", "-") + " " + text)
}

// dotMost is how long a line of a record may be.
const dotMost = 80

func dotLines(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(dotEscape(cut(Visible(line), dotMost), true) + `\l`)
	}
	return b.String()
}

// dotLabel is a quoted text outside of records.
func dotLabel(text string) string { return `"` + dotEscape(Visible(text), false) + `"` }

// dotEscape keeps text from being read as the end of a string, as an escape, as
// an entity of HTML, and, in a record, as its structure.
func dotEscape(text string, record bool) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case record && strings.ContainsRune("{}|<> ", r):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
