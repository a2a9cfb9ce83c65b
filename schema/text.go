package schema

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// The terminal's ways to stress words.
const (
	red, yellow, blue, bold, plain = "\x1b[31;1m", "\x1b[33;1m", "\x1b[34;1m", "\x1b[1m", "\x1b[0m"

	tabWidth = 4
	// maxText is how many cells of a source line are shown: generated specs
	// have lines without end.
	maxText = 140
)

// WriteText prints problems for people, each with its line of the spec.
func WriteText(w io.Writer, problems []Problem, colour bool) error {
	paint := func(code, s string) string {
		if !colour {
			return s
		}
		return code + s + plain
	}
	var b strings.Builder
	for i, p := range problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		tone := red
		if p.Severity == Warning {
			tone = yellow
		}
		fmt.Fprintf(&b, "%s%s\n", paint(tone, string(p.Severity)+"["+p.Kind+"]"), paint(bold, ": "+clean(headline(p))))
		gutter := strings.Repeat(" ", len(fmt.Sprint(p.Line)))
		if p.File != "" {
			where := p.File
			if p.Line > 0 {
				where = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
			}
			fmt.Fprintf(&b, "%s%s %s\n", gutter, paint(blue, "-->"), clean(where))
		}
		if p.Text != "" {
			line, start, cells := layout(p.Text, p.Column-1, p.EndColumn-1)
			bar := paint(blue, "|")
			fmt.Fprintf(&b, "%s %s\n%s %s %s\n%s %s %s%s\n", gutter, bar,
				paint(blue, fmt.Sprint(p.Line)), bar, line,
				gutter, bar, strings.Repeat(" ", start), paint(tone, strings.Repeat("^", cells)))
		}
		for _, fact := range facts(p) {
			fmt.Fprintf(&b, "%s %s %s\n", gutter, paint(blue, "="), clean(fact))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// headline is the message with the hint where that reads as one sentence.
func headline(p Problem) string {
	if strings.HasPrefix(p.Hint, "did you mean") {
		return p.Message + "; " + p.Hint
	}
	return p.Message
}

func facts(p Problem) []string {
	var facts []string
	var at []string
	if p.Cluster != "" {
		at = append(at, "cluster "+p.Cluster)
	}
	if p.Entry != "" {
		at = append(at, "providers entry "+p.Entry)
	}
	if p.Path != "" {
		at = append(at, p.Path)
	}
	if len(at) > 0 {
		facts = append(facts, strings.Join(at, ", "))
	}
	if p.Limit != "" {
		facts = append(facts, "limit from "+p.Limit)
	}
	facts = append(facts, p.Notes...)
	if p.Hint != "" && headline(p) == p.Message {
		facts = append(facts, "help: "+p.Hint)
	}
	return facts
}

// layout expands tabs in line and turns the byte columns from, to into cells
// of the terminal, where Chinese, Japanese and Korean signs are two wide.
// What is cut from a long line is replaced by dots.
func layout(line string, from, to int) (shown string, start, cells int) {
	from = min(max(from, 0), len(line))
	to = min(max(to, from+1), len(line))
	var b strings.Builder
	cell, end := 0, -1
	cut := false
	skipped := 0
	// When the place itself is far right, begin a little before it.
	if lead := from - maxText/2; lead > 0 && len(line) > maxText {
		for lead > 0 && !startsRune(line, lead) {
			lead--
		}
		skipped = lead
		b.WriteString("… ")
		cell = 2
	}
	for i, r := range line[skipped:] {
		i += skipped
		if i == from {
			start = cell
		}
		if i == to {
			end = cell
		}
		if cell >= maxText {
			cut = true
			break
		}
		switch {
		case r == '\t':
			n := tabWidth - cell%tabWidth
			b.WriteString(strings.Repeat(" ", n))
			cell += n
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
			if !unicode.Is(unicode.Cf, r) {
				b.WriteRune(r)
			}
		case !unicode.IsPrint(r):
			b.WriteRune('·')
			cell++
		default:
			b.WriteRune(r)
			cell += runeWidth(r)
		}
	}
	if from == len(line) {
		start = cell
	}
	if end < 0 {
		end = cell
	}
	if cut {
		b.WriteString(" …")
	}
	return b.String(), start, max(end-start, 1)
}

func startsRune(s string, i int) bool { return s[i]&0xC0 != 0x80 }

func runeWidth(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// clean makes text from a spec harmless for a terminal: control and
// direction-changing characters could hide or forge what is printed.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.Is(unicode.Cf, r) || !unicode.IsPrint(r) && r != ' ':
			return '·'
		}
		return r
	}, s)
}
