package render

import (
	"regexp"
	"strings"

	"github.com/mattn/go-runewidth"
)

// escapes are the colours that this package writes; they take no room.
var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// cells is the room that painted text takes.
func cells(text string) int { return width(escapes.ReplaceAllString(text, "")) }

// narrowest is the width below which breaking lines helps nobody.
const narrowest = 40

// wrap breaks text between words so that it fits the terminal; what follows
// the first line is indented. Words longer than a line, such as addresses on
// the web, are left to the terminal.
func (s Look) wrap(text string, indent int) string {
	if s.Width < narrowest || cells(text) < s.Width {
		return text
	}
	var lines []string
	line, empty := "", true
	for _, word := range strings.SplitAfter(text, " ") {
		blank := strings.TrimSpace(word) == ""
		if !empty && !blank && cells(line+strings.TrimRight(word, " ")) >= s.Width {
			lines = append(lines, strings.TrimRight(line, " "))
			line, empty = strings.Repeat(" ", indent), true
		}
		if blank && empty && len(lines) > 0 {
			continue // the gap before a column that moved to its own line
		}
		line += word
		empty = empty && blank
	}
	return strings.Join(append(lines, line), "\n")
}

// fit cuts text to a width and shows that it did.
func fit(text string, width int) string { return runewidth.Truncate(text, width, "…") }
