package render

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/fatih/color"
	"github.com/mattn/go-runewidth"
)

// Look is how output may be dressed for where it goes. The zero value is plain
// text with lines of any length, as files and pipes want it.
type Look struct {
	Colour bool
	Width  int // columns of the terminal; 0: do not break lines
	// Now is what ages are counted from; zero: they are not told.
	Now time.Time
}

func (s Look) paint(text string, attrs ...color.Attribute) string {
	if !s.Colour || text == "" {
		return text
	}
	c := color.New(attrs...)
	c.EnableColor()
	return c.Sprint(text)
}

func (s Look) green(t string) string  { return s.paint(t, color.FgGreen) }
func (s Look) yellow(t string) string { return s.paint(t, color.FgYellow) }
func (s Look) red(t string) string    { return s.paint(t, color.FgRed, color.Bold) }
func (s Look) dim(t string) string    { return s.paint(t, color.Faint) }
func (s Look) bold(t string) string   { return s.paint(t, color.Bold) }

// Clean makes text from a cloud or a plugin safe to print: one line, no
// terminal escapes, nothing that turns the direction of writing.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, text)
}

// pad fills text with spaces to a width in terminal cells, wide runes counted.
func pad(text string, width int) string {
	return runewidth.FillRight(text, width)
}

func width(text string) int { return runewidth.StringWidth(text) }

// column is the width of the widest text.
func column(texts ...string) int {
	w := 0
	for _, t := range texts {
		w = max(w, width(t))
	}
	return w
}

// Span words a duration: "850 ms", "9.2 s", "9 min 12 s", "1 h 5 min".
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// plural is "1 node", "2 nodes".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
