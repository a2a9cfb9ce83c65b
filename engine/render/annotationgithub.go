package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// perLevel is how many annotations of a level GitHub shows for one step
// ("Workflow commands for GitHub Actions", limits of annotations).
const perLevel = 10

// GitHub writes annotations as workflow commands, as many of each level as
// GitHub shows; the last of a level says how many more there are.
func GitHub(w io.Writer, all []Annotation) error {
	out := bufio.NewWriter(w)
	for _, level := range []Level{LevelError, LevelWarning, LevelNotice} {
		var list []Annotation
		for _, a := range all {
			if a.Level == level {
				list = append(list, a)
			}
		}
		shown := len(list)
		if shown > perLevel {
			shown = perLevel - 1
		}
		for _, a := range list[:shown] {
			command(out, a)
		}
		if more := len(list) - shown; more > 0 {
			noun := map[Level]string{LevelError: "error", LevelWarning: "warning", LevelNotice: "notice"}[level]
			command(out, Annotation{Level: level, Title: "and " + count(more, "more "+noun),
				Message: fmt.Sprintf("GitHub shows %d of a kind for each step; run the command without --format github to see all", perLevel)})
		}
	}
	return out.Flush()
}

// command is one workflow command. A line of the base is none of the head, so
// it is named in the text only.
func command(out *bufio.Writer, a Annotation) {
	message := printable(a.Message)
	var properties []string
	add := func(name, value string) {
		properties = append(properties, name+"="+escapeProperty(value))
	}
	switch {
	case a.InBase && a.File != "":
		message += fmt.Sprintf("\n%s:%d of the base", Clean(a.File), a.Line)
	case a.File != "":
		add("file", Clean(a.File))
		if a.Line > 0 {
			add("line", fmt.Sprint(a.Line))
		}
		if a.Column > 0 {
			add("col", fmt.Sprint(a.Column))
		}
		if a.EndColumn > a.Column && a.Column > 0 {
			add("endColumn", fmt.Sprint(a.EndColumn))
		}
	}
	if a.Title != "" {
		add("title", cut(Clean(a.Title), maxName))
	}
	fmt.Fprintf(out, "::%s %s::%s\n", a.Level, strings.Join(properties, ","), escapeData.Replace(message))
}

// What workflow commands cannot carry as it is ("Workflow commands", toolkit's
// command.ts).
var escapeData = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

func escapeProperty(value string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData.Replace(value))
}
