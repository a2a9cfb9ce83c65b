package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// TableWithout is Table; on a terminal that is too narrow for all columns those
// named go, one after the other, until the rest fits.
func TableWithout(w io.Writer, rows [][]string, look Look, spare ...string) error {
	for _, name := range spare {
		if look.Width == 0 || lastColumn(rows)+leastDetail <= look.Width {
			break
		}
		at := slices.Index(rows[0], name)
		for i := range rows {
			rows[i] = slices.Delete(rows[i], at, at+1)
		}
	}
	return Table(w, rows, look)
}

// leastDetail is the room that the last column needs beside the others.
const leastDetail = 24

// lastColumn is where the last column begins.
func lastColumn(rows [][]string) int {
	at := 0
	for i := range len(rows[0]) - 1 {
		widest := 0
		for _, row := range rows {
			widest = max(widest, width(Clean(row[i])))
		}
		at += widest + 2
	}
	return at
}

// Table writes rows in columns that align in terminal cells. The first row is
// the head. On a terminal the last column, which holds sentences, is broken to
// fit: below itself where enough room is left for it.
func Table(w io.Writer, rows [][]string, look Look) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(Clean(cell)))
		}
	}
	last := 0 // where the last column begins
	for _, n := range widths[:max(len(widths)-1, 0)] {
		last += n + 2
	}
	for n, row := range rows {
		var cells []string
		for i, cell := range row {
			cells = append(cells, pad(Clean(cell), widths[i]))
		}
		text := strings.TrimRight(strings.Join(cells, "  "), " ")
		if n == 0 {
			text = look.bold(text)
		} else if last+20 <= look.Width {
			text = look.wrap(text, last)
		} else {
			text = look.wrap(text, 4)
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}
