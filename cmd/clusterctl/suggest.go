package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/schema"
)

// nearest is the command that is a typing mistake or two away from name, or
// nothing. The library's own suggestion always finds one, however far.
func nearest(name string, commands []*cli.Command) string {
	best, least := "", len(name)/3+1
	for _, c := range commands {
		d := schema.Distance(name, c.Name)
		if len(name) > 1 && strings.HasPrefix(c.Name, name) {
			d = min(d, 1) // typed in part
		}
		if d <= least && !c.Hidden {
			best, least = c.Name, d-1
		}
	}
	return best
}
