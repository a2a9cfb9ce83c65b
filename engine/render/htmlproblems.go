package render

import (
	"fmt"
	"io"
	"strings"
)

// HTMLProblems writes what is wrong with a spec as one page of HTML, in place of
// what cannot be made.
func HTMLProblems(w io.Writer, problems []Annotation, c Comment) error {
	errors := 0
	for _, a := range problems {
		if a.Level == LevelError {
			errors++
		}
	}
	return HTMLStopped(w, "The spec cannot be used: "+count(errors, "error"), problems, c)
}

// HTMLStopped writes why a command ended before it had anything to show as one
// page of HTML.
func HTMLStopped(w io.Writer, title string, problems []Annotation, c Comment) error {
	out := &htmlPage{Title: visibleText(title), About: visibleText(c.Name), Tone: "bad"}
	for _, level := range []struct {
		level       Level
		title, tone string
	}{{LevelError, "Errors", "bad"}, {LevelWarning, "Warnings", "warn"}, {LevelNotice, "Notices", ""}} {
		var items []htmlItem
		for _, a := range problems {
			if a.Level != level.level {
				continue
			}
			first, rest, _ := strings.Cut(a.Message, "\n")
			item := htmlItem{Names: []string{shownName(a.Rule)}, Text: visibleText(first)}
			if a.File != "" {
				item.Source = visibleText(a.File)
				if a.Line > 0 {
					item.Source += fmt.Sprintf(":%d", a.Line)
				}
			}
			if rest != "" {
				item.Text += "; " + visibleText(strings.ReplaceAll(rest, "\n", "; "))
			}
			items = append(items, item)
		}
		out.list(string(level.level), level.title, level.tone, items)
	}
	out.fact("Reproduce", c.Command)
	return out.write(w)
}
