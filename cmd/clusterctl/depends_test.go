package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestWhole: a cluster comes with all that it depends on, and goes with it. In
// the fleet a and b depend on c, c on d and e; f depends on nothing.
func TestWhole(t *testing.T) {
	var all []*engine.Cluster
	for _, line := range []string{"a c", "b c", "c d e", "d", "e", "f"} {
		names := strings.Fields(line)
		all = append(all, &engine.Cluster{Desired: provider.Desired{Address: names[0]}, Rules: engine.Rules{DependsOn: names[1:]}})
	}
	for _, tc := range []struct{ named, left, chosen, also, without string }{
		{"a b c d e f", "", "a b c d e f", "", ""},
		{"a", "", "a c d e", "c d e", ""},
		{"c", "", "c d e", "d e", ""},
		{"d f", "", "d f", "", ""},
		{"a e", "", "a c d e", "c d", ""},
		{"a b c d e f", "d", "e f", "", "a b c"},
		{"a b c d e f", "c", "d e f", "", "a b"},
		{"a b c d e f", "f a", "b c d e", "", ""},
		{"a f", "e", "f", "", "a"},
		{"f", "c", "f", "", ""},
		{"a", "c", "", "", "a"},
		{"a d", "c", "d", "", "a"},
	} {
		set := func(text string) map[string]bool {
			of := map[string]bool{}
			for _, name := range strings.Fields(text) {
				of[name] = true
			}
			return of
		}
		clusters, also, without := whole(all, set(tc.named), set(tc.left))
		var chosen []string
		for _, c := range clusters {
			chosen = append(chosen, c.Address)
		}
		for i, got := range [][]string{chosen, also, without} {
			if diff := cmp.Diff([]string{tc.chosen, tc.also, tc.without}[i], strings.Join(got, " ")); diff != "" {
				t.Errorf("named %q, left out %q, %s (-want +got):\n%s", tc.named, tc.left, []string{"chosen", "also", "without"}[i], diff)
			}
		}
	}
}
