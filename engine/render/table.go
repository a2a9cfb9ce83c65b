package render

import (
	"fmt"
	"io"
	"strings"
)

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
