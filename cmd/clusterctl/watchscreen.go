package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// board is the part of a terminal that is drawn anew with every report. What
// stood above it stays, and so does a report that has scrolled away in part.
type board struct {
	w    io.Writer
	size func() (columns, rows int)
	last string
}

// show puts a report in the place of the last one.
func (b *board) show(text string) error {
	lead := ""
	if b.last != "" {
		columns, rows := b.size()
		lead = "\n"
		if drawn := rowsOf(b.last, columns); drawn < rows {
			lead = fmt.Sprintf("\r\x1b[%dA\x1b[J", drawn)
		}
	}
	b.last = text
	_, err := io.WriteString(b.w, lead+text)
	return err
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// rowsOf is how many rows a text takes that ends its last line.
func rowsOf(text string, columns int) int {
	rows := 0
	for line := range strings.Lines(colours.ReplaceAllString(text, "")) {
		cells := runewidth.StringWidth(strings.TrimSuffix(line, "\n"))
		rows += max(1, (cells+columns-1)/columns)
	}
	return rows
}

// window is how large a terminal is just now.
func window(f *os.File) (columns, rows int) {
	if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
		return w, h
	}
	return 80, 24
}
