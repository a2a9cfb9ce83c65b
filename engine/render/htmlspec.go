package render

import (
	"io"

	"github.com/clusterctl/clusterctl/engine/topology"
)

// HTMLSpec writes the fleet that a spec wants as one page of HTML.
func HTMLSpec(w io.Writer, t *topology.Topology, c Comment) error {
	_, nodes := t.Nodes()
	out := &htmlPage{Title: visibleText(t.Title), About: visibleText(c.Name)}
	out.tile(len(t.Clusters), "", "cluster", "clusters", "")
	out.tile(int(nodes), "", "node", "nodes", "")
	entries := map[string]bool{}
	var rows []htmlRow
	for i := range t.Clusters {
		c := &t.Clusters[i]
		entries[c.Provider] = true
		row := htmlRow{Kinds: "other", Cells: []htmlCell{{Names: []string{shownName(c.Address)}}, {Text: visibleText(c.Provider + "/" + c.Kind)}, {}, {Names: visibleTexts(c.DependsOn)}, {Source: visibleText(c.Source)}}}
		for j := range c.Groups {
			row.Cells[2].Lines = append(row.Cells[2].Lines, visibleText(groupLine(&c.Groups[j])))
		}
		if c.Note != "" {
			row.Cells[2].Lines = append(row.Cells[2].Lines, visibleText("all of it "+c.Note))
		}
		rows = append(rows, row)
	}
	out.tile(len(entries), "", "account", "accounts", "")
	out.table("clusters", "Clusters", "", []string{"Cluster", "Kind", "Groups", "After", "Line"}, rows)
	if err := out.draw("Picture", t, kindSet{}.of); err != nil {
		return err
	}
	out.fact("Reproduce", c.Command)
	return out.write(w)
}

// groupLine is a group in words: "core 5 nodes, protected".
func groupLine(g *topology.Group) string {
	text := g.Role + " " + or(g.Count(), "with as many nodes as there are")
	if g.Note != "" {
		text += ", " + g.Note
	}
	return text
}
