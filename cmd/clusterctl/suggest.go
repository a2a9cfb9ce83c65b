package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// nearest is the command that is a typing mistake or two away from name, or
// nothing. The library's own suggestion always finds one, however far.
func nearest(name string, commands []*cli.Command) string {
	best, least := "", len(name)/3+1
	for _, c := range commands {
		d := distance(name, c.Name)
		if len(name) > 1 && strings.HasPrefix(c.Name, name) {
			d = min(d, 1) // typed in part
		}
		if d <= least && !c.Hidden {
			best, least = c.Name, d-1
		}
	}
	return best
}

// distance counts the letters to insert, drop, replace, or swap with their
// neighbour.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
