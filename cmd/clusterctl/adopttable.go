package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// document is the report as JSON.
func (r *adoptReport) document(out string) any {
	doc := struct {
		FormatVersion string     `json:"format_version"`
		Clusters      []adoptRow `json:"clusters"`
		Unread        []string   `json:"unread"`
		Written       string     `json:"written,omitempty"` // the file
	}{FormatVersion: "1.0", Clusters: r.rows, Unread: []string{}}
	if doc.Clusters == nil {
		doc.Clusters = []adoptRow{}
	}
	for _, err := range r.unread {
		doc.Unread = append(doc.Unread, err.Error())
	}
	if r.content != nil {
		doc.Written = out
	}
	return doc
}

func (r *adoptReport) table() [][]string {
	table := [][]string{{"NAME", "ID", "KIND", "STATE", "GROUPS", "SPEC", "NOTE"}}
	for _, row := range r.rows {
		var groups, notes []string
		for _, g := range row.Groups {
			groups = append(groups, g.Role+" "+strconv.Itoa(g.Count))
		}
		spec := "-"
		switch row.Spec {
		case "has":
			spec = row.Key
		case "new":
			if spec = "new"; row.Key != row.Name {
				notes = append(notes, "as "+row.Key)
			}
		}
		if len(row.Required) > 0 {
			var fields []string
			for _, path := range row.Required {
				fields = append(fields, path[strings.LastIndexByte(path, '.')+1:])
			}
			notes = append(notes, "to fill in: "+strings.Join(fields, ", "))
		}
		if len(row.NotStated) > 0 {
			notes = append(notes, "not stated: "+strings.Join(row.NotStated, "; "))
		}
		if row.Reason != "" {
			notes = append(notes, row.Reason)
		}
		if len(groups) == 0 {
			groups = []string{"-"}
		}
		table = append(table, []string{row.Name, row.ID, row.Entry + "/" + row.Kind, row.State, strings.Join(groups, ", "), spec, strings.Join(notes, "; ")})
	}
	return table
}

// ending sums up and says what to do next.
func (r *adoptReport) ending(out, pattern string) string {
	has, fresh, gaps := 0, 0, 0
	for _, row := range r.rows {
		switch row.Spec {
		case "has":
			has++
		case "new":
			fresh++
			gaps += min(len(row.Required), 1)
		}
	}
	all := plural(len(r.rows), "cluster", "clusters")
	switch {
	case len(r.rows) == 0:
		return "No clusters were found."
	case has == len(r.rows):
		return fmt.Sprintf("The spec has what runs: %s.", all)
	case fresh == 0:
		return fmt.Sprintf("Nothing to write: of %s the spec has %d, and none of the others can be adopted now.", all, has)
	case out == "":
		return fmt.Sprintf("Of %s the spec has %d, and %d can be adopted. To write them as CUE, add: --out FILE", all, has, fresh)
	}
	text := "Wrote " + plural(fresh, "cluster", "clusters")
	dir, _, _ := strings.Cut(strings.TrimSuffix(pattern, "..."), ":")
	dir = filepath.Clean(dir)
	if out == "-" {
		text += "."
	} else if text += " to " + out + "."; filepath.Dir(out) != dir {
		text += fmt.Sprintf(" It counts once it stands in %s.", dir)
	}
	if gaps == 0 {
		return text + " Next: clusterctl plan " + dir
	}
	return text + " " + plural(gaps, "lacks", "lack") + " what no read tells: fill in the lines that say required. Next: clusterctl validate " + dir
}
