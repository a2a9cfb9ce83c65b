package render

import (
	"fmt"
	"io"
	"strings"
)

// MarkdownProblems writes what is wrong with a spec as one comment, in place of
// a review that cannot be made. It never has more than MarkdownLimit bytes.
func MarkdownProblems(w io.Writer, problems []Annotation, c Comment) error {
	items, errors := problemItems(problems)
	p := &page{head: top(c, "The spec cannot be used: "+count(errors, "error")), foot: bottom("", c.Command)}
	p.add(list("Problems", "problem", items))
	return p.write(w, MarkdownLimit)
}

// MarkdownStopped writes why a command ended before it had anything to show, in
// place of the comment that it would have made.
func MarkdownStopped(w io.Writer, title string, problems []Annotation, c Comment) error {
	items, _ := problemItems(problems)
	p := &page{head: top(c, title), foot: bottom("", c.Command)}
	p.add(list("Why", "reason", items))
	return p.write(w, MarkdownLimit)
}

func problemItems(problems []Annotation) (items []string, errors int) {
	for _, level := range []Level{LevelError, LevelWarning, LevelNotice} {
		for _, a := range problems {
			if a.Level != level {
				continue
			}
			if level == LevelError {
				errors++
			}
			item := "**" + string(level) + "** " + code(a.Rule)
			if a.File != "" {
				item += " " + codeAt(a)
			}
			for i, line := range strings.Split(a.Message, "\n") {
				if i == 0 {
					item += ": " + prose(line)
				} else {
					item += "<br>" + prose(line)
				}
			}
			items = append(items, item)
		}
	}
	return items, errors
}

func codeAt(a Annotation) string {
	if a.Line < 1 {
		return code(a.File)
	}
	return code(fmt.Sprintf("%s:%d", a.File, a.Line))
}
