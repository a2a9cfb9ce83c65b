package render

import (
	"fmt"
	"io"
	"strings"
)

// Table writes rows in columns that align in terminal cells. The first row is
// the head.
func Table(w io.Writer, rows [][]string, colour bool) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(Clean(cell)))
		}
	}
	s := style{colour}
	for n, row := range rows {
		var cells []string
		for i, cell := range row {
			cells = append(cells, pad(Clean(cell), widths[i]))
		}
		text := strings.TrimRight(strings.Join(cells, "  "), " ")
		if n == 0 {
			text = s.bold(text)
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}
