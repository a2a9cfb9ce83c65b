package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// plural is "1 node", "2 nodes".
func plural[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// opWords names an action for a sentence.
func opWords(a *Action) string {
	return strings.ReplaceAll(string(a.Op), "_", " ") + " of " + a.Address
}

// amounts words an end of an action: "2 nodes", "cpu 2, memory 4096".
func amounts(of map[string]int64) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		word := fmt.Sprintf("%s %d", name, of[name])
		if name == "count" {
			word = plural(of[name], "node")
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// way words both ends: "from 2 to 4 nodes", "from cpu 2 to cpu 4". A resize of
// nodes that differ has no one size to start from.
func way(from, to map[string]int64) string {
	before, counted := from["count"]
	switch {
	case len(from) == 0:
		return "to " + amounts(to)
	case counted && len(from) == 1:
		return fmt.Sprintf("from %d to %s", before, amounts(to))
	}
	return "from " + amounts(from) + " to " + amounts(to)
}

func refs(nodes []provider.NodeRef) string {
	var ids []string
	for _, n := range nodes {
		ids = append(ids, n.ID)
	}
	return strings.Join(ids, ", ")
}

// standing says what the action's group looks like now.
func standing(act *Action, live *provider.State) string {
	if live == nil {
		return "the cluster does not exist"
	}
	for _, g := range live.Groups {
		switch {
		case g.Role != act.Group:
			continue
		case act.Op == provider.OpResize:
			return standingSize(act.To, g)
		}
		return "the group has " + plural(g.Count, "node") + alreadyOrNow(int64(g.Count) == act.To["count"])
	}
	return "the group is not there"
}

// standingSize says of what size a group's nodes are, as far as a resize to
// wanted goes.
func standingSize(wanted map[string]int64, g provider.Group) string {
	if len(g.Nodes) == 0 {
		return "the group has no nodes"
	}
	sizes := nodeSizes(g, wanted)
	first := sizes[g.Nodes[0].ID]
	for _, size := range sizes {
		if !maps.Equal(size, first) {
			return "its nodes are of different sizes"
		}
	}
	have := "its nodes have "
	if len(g.Nodes) == 1 {
		have = "its node has "
	}
	if len(first) == 0 {
		return have + "no known size"
	}
	return have + amounts(first) + alreadyOrNow(within(wanted, first))
}

// alreadyOrNow tells what was wanted from what came instead.
func alreadyOrNow(wanted bool) string {
	if wanted {
		return " already"
	}
	return " now"
}
