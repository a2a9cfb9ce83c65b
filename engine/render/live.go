package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine"
)

// maxLive bounds the live lines; the rest is counted.
const maxLive = 12

// redraw takes our lines from the terminal, writes what stays above them, and
// draws them again, all in one write so that nothing flickers.
func (p *Progress) redraw(above string) {
	columns := p.width()
	var b strings.Builder
	if rows := p.rows(columns); rows > 0 {
		// The return is for what a person typed, such as ^C.
		fmt.Fprintf(&b, "\r\x1b[%dA\x1b[J", rows)
	}
	b.WriteString(above)
	p.drawn = nil
	for _, line := range p.lines(columns) {
		b.WriteString(line + "\n")
		p.drawn = append(p.drawn, cells(line))
	}
	if b.Len() > 0 {
		_, _ = io.WriteString(p.w, b.String()) // progress that cannot be shown is no reason to stop
	}
}

// rows is how many rows of the terminal our lines take by now: a window that
// was made narrower has broken them.
func (p *Progress) rows(columns int) int {
	rows := 0
	for _, n := range p.drawn {
		rows += max(1, (n+columns-1)/columns)
	}
	return rows
}

// lines are what there is to draw: a line per running action and a count.
func (p *Progress) lines(columns int) []string {
	if len(p.running) == 0 {
		return nil
	}
	room := max(columns-1, 20)
	shown := slices.DeleteFunc(slices.Clone(p.running), (*task).behind)
	shown = shown[:min(len(shown), maxLive)]
	var names, ops []string
	for _, t := range shown {
		names, ops = append(names, Clean(t.action.Address)), append(ops, opName(t.action.Op))
	}
	var lines, sentences []string
	for i, t := range shown {
		lines = append(lines, fmt.Sprintf("  %s  %s  %s  ", pad(names[i], column(names...)), pad(ops[i], column(ops...)), clock(p.now().Sub(t.began))))
		sentences = append(sentences, sentence(t))
	}
	hints := p.hints(shown, room-column(lines...))
	for i := range lines {
		if hints[i] != "" {
			// Bars stand below each other, and the sentence gives way to them.
			most := min(column(sentences...), room-column(lines...)-column(hints...)-hintGap)
			lines[i] += pad(fit(sentences[i], most), most) + strings.Repeat(" ", hintGap) + hints[i]
			continue
		}
		lines[i] = fit(lines[i]+sentences[i], room)
	}
	return append(lines, Look{Colour: p.colour}.dim(p.count(room)))
}

// count is the last live line: how far the whole is, and how to stop.
func (p *Progress) count(room int) string {
	waiting, behind, first := 0, 0, ""
	for _, t := range p.running {
		switch {
		case t.behind() && behind > 0 && first != t.event.For:
			behind, first = behind+1, "others"
		case t.behind():
			behind, first = behind+1, t.event.For
		case t.event.State == engine.Waiting:
			waiting++
		}
	}
	done, ended := p.ended[engine.Applied], 0
	for _, n := range p.ended {
		ended += n
	}
	var parts []string
	for _, c := range []struct {
		n    int
		word string
	}{
		{len(p.running) - waiting - behind, "running"}, {waiting, "waiting"}, {behind, "waiting for " + Clean(first)}, {p.total - ended - len(p.running), "to come"},
		{done, "done"}, {ended - done, "not done"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.word))
		}
	}
	left, right := "  "+strings.Join(parts, " · "), "^C leaves; apply again goes on"
	if gap := room - cells(left) - cells(right); gap >= 2 {
		return left + strings.Repeat(" ", min(gap, 8)) + right
	}
	return fit(left, room)
}

func clock(d time.Duration) string {
	d = d.Truncate(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
