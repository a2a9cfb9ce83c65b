package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/schema"
)

// wholeFlags are targetFlags for what plans changes.
func wholeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "target", Usage: "only clusters of this `NAME` or pattern (*, ?), and what they depend on; repeatable"},
		&cli.StringSliceFlag{Name: "exclude", Usage: "leave out clusters of this `NAME` or pattern, and what depends on them; repeatable"},
	}
}

// chooseWhole is choose for what plans changes: a cluster comes with those that
// it depends on, and is left out with those. What was not named is said.
func (sh *shell) chooseWhole(c *cli.Context, fleet *schema.Fleet) ([]*engine.Cluster, error) {
	chosen, err := choose(c, fleet)
	targets, excludes := c.StringSlice("target"), c.StringSlice("exclude")
	if err != nil || len(targets)+len(excludes) == 0 {
		return chosen, err
	}
	var all []*engine.Cluster
	named, left := map[string]bool{}, map[string]bool{}
	for _, cl := range fleet.Clusters {
		all = append(all, wanted(cl))
		hit := func(pattern string) bool { return matches(pattern, cl.Address) }
		if len(targets) == 0 || slices.ContainsFunc(targets, hit) {
			named[cl.Address] = true
		}
		if slices.ContainsFunc(excludes, hit) {
			left[cl.Address] = true
		}
	}
	chosen, also, without := whole(all, named, left)
	if len(also) > 0 {
		fmt.Fprintf(sh.stderr, "With --target come the clusters that it depends on: %s\n", few(also))
	}
	if len(without) > 0 {
		fmt.Fprintf(sh.stderr, "With --exclude go the clusters that depend on it: %s\n", few(without))
	}
	if len(chosen) == 0 && len(all) > 0 {
		return nil, exitf(exitError, "--target and --exclude leave no cluster; the spec has %s", names(fleet))
	}
	return chosen, nil
}

// whole chooses the clusters that are named, and also those that they depend on,
// without those that are left out and all that depend on them.
func whole(all []*engine.Cluster, named, left map[string]bool) (chosen []*engine.Cluster, also, without []string) {
	above, below := map[string][]string{}, map[string][]string{}
	for _, one := range all {
		above[one.Address] = one.Rules.DependsOn
		for _, first := range one.Rules.DependsOn {
			below[first] = append(below[first], one.Address)
		}
	}
	out := reach(left, below)
	rest := map[string]bool{}
	for address := range named {
		if !out[address] {
			rest[address] = true // and nothing that it depends on is out
		}
	}
	in := reach(rest, above)
	for _, one := range all {
		switch address := one.Address; {
		case in[address]:
			chosen = append(chosen, one)
			if !named[address] {
				also = append(also, address)
			}
		case named[address] && !left[address]:
			without = append(without, address)
		}
	}
	return chosen, also, without
}

// reach is where edges lead from some addresses, those themselves included.
func reach(from map[string]bool, edges map[string][]string) map[string]bool {
	seen := map[string]bool{}
	for queue := slices.Collect(maps.Keys(from)); len(queue) > 0; queue = queue[1:] {
		if !seen[queue[0]] {
			seen[queue[0]] = true
			queue = append(queue, edges[queue[0]]...)
		}
	}
	return seen
}

// few lists addresses, the first eight when there are more.
func few(addresses []string) string {
	if n := len(addresses); n > 8 {
		addresses = append(addresses[:8:8], fmt.Sprintf("and %d more", n-8))
	}
	return strings.Join(addresses, ", ")
}
