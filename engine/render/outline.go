package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/clusterctl/clusterctl/engine/topology"
)

// Outline writes the fleet that a spec wants as text: a line for each cluster,
// one for each group, one summary line.
func Outline(w io.Writer, t *topology.Topology, look Look) error {
	out := &planText{Writer: bufio.NewWriter(w), Look: look}
	for i := range t.Clusters {
		c := &t.Clusters[i]
		out.say(2, "%s  %s/%s     %s", out.bold(Clean(c.Address)), Clean(c.Provider), Clean(c.Kind), out.dim(Clean(c.Source)))
		var roles, counts []string
		for j := range c.Groups {
			g := &c.Groups[j]
			roles, counts = append(roles, Clean(g.Role)), append(counts, or(g.Count(), "not counted"))
		}
		for j := range c.Groups {
			line := fmt.Sprintf("    %s  %s", pad(roles[j], column(roles...)), counts[j])
			if note := c.Groups[j].Note; note != "" {
				line = fmt.Sprintf("    %s  %s  %s", pad(roles[j], column(roles...)), pad(counts[j], column(counts...)), Clean(note))
			}
			out.say(6+column(roles...), "%s", line)
		}
		if c.Note != "" {
			out.say(4, "    %s", Clean(c.Note))
		}
		if len(c.DependsOn) > 0 {
			out.say(10, "    after %s", Clean(strings.Join(c.DependsOn, ", ")))
		}
		fmt.Fprintln(out)
	}
	out.say(0, "%s.", t.Title)
	return out.Flush()
}

// MarkdownOutline writes the fleet that a spec wants as one comment. It never
// has more than MarkdownLimit bytes.
func MarkdownOutline(w io.Writer, t *topology.Topology, c Comment) error {
	var rows [][]string
	for i := range t.Clusters {
		cl := &t.Clusters[i]
		var groups []string
		for j := range cl.Groups {
			g := &cl.Groups[j]
			text := code(g.Role) + " " + prose(or(g.Count(), "not counted"))
			if g.Note != "" {
				text += ", " + prose(g.Note)
			}
			groups = append(groups, text)
		}
		line := ""
		if cl.Source != "" {
			line = code(cl.Source)
		}
		if cl.Note != "" {
			groups = append(groups, prose(cl.Note))
		}
		rows = append(rows, []string{code(cl.Address), code(cl.Provider + "/" + cl.Kind), strings.Join(groups, "<br>"), codes(cl.DependsOn, namesInRow), line})
	}
	out := &page{head: top(c, prose(t.Title)), foot: bottom("", c.Command)}
	out.add(tableOf("Clusters", "cluster", []string{"Cluster", "Kind", "Groups", "After", "Line"}, rows))
	return out.write(w, MarkdownLimit)
}
