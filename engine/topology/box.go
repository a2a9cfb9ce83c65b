package topology

import (
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"
)

// The measures of a box, in pixels. Fonts differ from machine to machine, so
// texts are cut where the wide ones would leave the box.
const (
	boxWide   = 248
	inset     = 14
	node      = 9  // a node's side
	pitch     = 11 // from node to node
	perRow    = 20
	mostNodes = 40 // drawn one by one; more are a number
	noteCells = 35
)

// box draws a cluster at the origin and says how high it is.
func (c *Cluster) box() (body string, high int) {
	b := &strings.Builder{}
	y := 22
	fmt.Fprintf(b, `<text class="t-name t-%s" x="%d" y="%d">%s%s</text>`, c.Change, inset, y, mark(c.Change.Symbol()), xmlText(fit(Visible(c.Address), 26)))
	sub := []string{c.what(), c.word()}
	if text := strings.Trim(strings.Join(sub, " · "), " ·"); text != "" {
		y += 16
		fmt.Fprintf(b, `<text class="t-sub" x="%d" y="%d">%s</text>`, inset, y, xmlText(fit(Visible(text), noteCells)))
	}
	y = notes(b, y, c.lines(), c.Refused)
	y += 8
	for i := range c.Groups {
		y = c.Groups[i].draw(b, y)
	}
	high = y + 6
	frame := fmt.Sprintf(`<rect class="t-box t-%s" width="%d" height="%d" rx="8"/><rect class="t-bar t-%s" y="8" width="4" height="%d"/>`, c.Change, boxWide, high, c.Change, high-16)
	return frame + b.String(), high
}

// draw adds a group below y and returns where it ends.
func (g *Group) draw(b *strings.Builder, y int) int {
	y += 18
	fmt.Fprintf(b, `<g class="t-g t-%s"><title>%s</title><text class="t-role" x="%d" y="%d">%s%s</text>`,
		g.tone(), xmlText(g.names()), inset, y, mark(g.Symbol()), xmlText(fit(Visible(g.Role), 14)))
	if before, arrow, after, noun := g.count(); after != "" {
		fmt.Fprintf(b, `<text class="t-count" x="%d" y="%d">`, boxWide-inset, y)
		if before != "" {
			fmt.Fprintf(b, `<tspan class="t-was">%s</tspan><tspan class="t-arrow">%s</tspan>`, xmlText(before), arrow)
		}
		fmt.Fprintf(b, `<tspan class="t-now">%s</tspan>%s</text>`, xmlText(after), noun)
	}
	y = g.squares(b, y)
	y = notes(b, y, g.lines(), g.Refused)
	b.WriteString("</g>")
	return y + 4
}

// tone tells a shrinking group from a growing one.
func (g *Group) tone() string {
	switch g.Symbol() {
	case Created.Symbol():
		return string(Created)
	case Removed.Symbol():
		return string(Removed)
	}
	return string(g.Change)
}

// names are a group's nodes as far as they come, go and are known.
func (g *Group) names() string {
	text := strings.TrimSpace(g.Role + ": " + g.Count())
	if len(g.Added) > 0 {
		text += "; new: " + strings.Join(g.Added, ", ")
	}
	if len(g.Removed) > 0 {
		text += "; removes " + strings.Join(g.Removed, ", ")
	}
	return text
}

// squares draws the nodes: kept ones full, new ones with a plus, those that go
// with a cross. More than mostNodes are told in a line.
func (g *Group) squares(b *strings.Builder, y int) int {
	before, after := g.After, g.After
	if g.Before != nil && g.After != nil {
		before = g.Before
	}
	if after == nil || *before < 0 || *after < 0 {
		return y
	}
	kept := min(*before, *after)
	added, gone := *after-kept, *before-kept
	total := kept + added + gone
	switch {
	case total == 0:
		return y
	case total > mostNodes:
		var parts []string
		for _, p := range []struct {
			n    int64
			sign string
			word string
		}{{gone, "−", "removed"}, {added, "+", "added"}, {kept, "", "kept"}} {
			if p.n > 0 && (p.word != "kept" || added+gone > 0) {
				parts = append(parts, fmt.Sprintf("%s%d %s", p.sign, p.n, p.word))
			}
		}
		if len(parts) == 0 {
			return y
		}
		y += 16
		fmt.Fprintf(b, `<text class="t-many" x="%d" y="%d">%s</text>`, inset, y, strings.Join(parts, " · "))
		return y
	}
	y += 7
	var kinds [3]strings.Builder
	for i := range total {
		kind := 0
		switch {
		case i >= kept && gone > 0:
			kind = 2
		case i >= kept:
			kind = 1
		}
		x, at := inset+int(i%perRow)*pitch, y+int(i/perRow)*pitch
		shape := [3]string{"h9v9h-9z", "h9v9h-9zm2.5 4.5h4m-2 -2v4", "h9v9h-9zm2.5 2.5l4 4m0 -4l-4 4"}[kind]
		fmt.Fprintf(&kinds[kind], "M%d %d%s", x, at, shape)
	}
	for kind, class := range [3]string{"t-kept", "t-add", "t-gone"} {
		if kinds[kind].Len() > 0 {
			fmt.Fprintf(b, `<path class="%s" d="%s"/>`, class, kinds[kind].String())
		}
	}
	return y + int((total+perRow-1)/perRow)*pitch
}

// mark is a symbol before a name.
func mark(symbol string) string {
	if symbol == "" {
		return ""
	}
	return `<tspan class="t-mark">` + symbol + `</tspan> `
}

// notes writes lines in small print, each broken once at most.
func notes(b *strings.Builder, y int, lines []string, refused string) int {
	const most = 5
	if len(lines) > most && refused != "" { // the last line stays
		lines = append(append([]string{}, lines[:most-1]...), refused)
	}
	for n, line := range lines {
		if n == most {
			y += 14
			fmt.Fprintf(b, `<text class="t-note" x="%d" y="%d">and %d more</text>`, inset, y, len(lines)-most)
			break
		}
		class := "t-note"
		if refused != "" && line == refused {
			class = "t-note t-no"
		}
		for _, part := range broken(Visible(line), noteCells) {
			y += 14
			fmt.Fprintf(b, `<text class="%s" x="%d" y="%d">%s</text>`, class, inset, y, xmlText(part))
		}
	}
	return y
}

// broken is a line as one or two that fit, cut at the end if they must be.
func broken(line string, cells int) []string {
	if runewidth.StringWidth(line) <= cells {
		return []string{line}
	}
	head := runewidth.Truncate(line, cells, "")
	if i := strings.LastIndexByte(head, ' '); i > cells/2 {
		head = head[:i]
	}
	return []string{head, fit(strings.TrimSpace(line[len(head):]), cells)}
}

// fit cuts text to a number of cells and shows that it did.
func fit(text string, cells int) string { return runewidth.Truncate(text, cells, "…") }

// cut shortens text to so many characters and shows that it did.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

// legendMarks explains the squares, drawn from the origin to the right.
func legendMarks() string {
	var b strings.Builder
	for i, l := range []struct{ class, d, word string }{
		{"t-kept", "M0 0h9v9h-9z", "a node that stays"}, {"t-add", "M130 0h9v9h-9zm2.5 4.5h4m-2 -2v4", "added"}, {"t-gone", "M200 0h9v9h-9zm2.5 2.5l4 4m0 -4l-4 4", "removed"},
	} {
		x := []int{14, 144, 214}[i]
		fmt.Fprintf(&b, `<path class="%s" d="%s"/><text class="t-note" x="%d" y="9">%s</text>`, l.class, l.d, x, l.word)
	}
	return b.String()
}
