package review

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// ruledSpec is a cluster with rules, as the loader gives them.
func ruledSpec(t *testing.T, address, content, rules string, lines map[string]int) *Cluster {
	t.Helper()
	c := spec(address, content, lines)
	var err error
	if c.Rules, err = engine.ReadRules(json.RawMessage(rules)); err != nil {
		t.Fatal(err)
	}
	return c
}

// What a cluster says to clusterctl itself is compared like the rest.
func TestCompareRules(t *testing.T) {
	const five = `{"provider":"p","id":"1","node_groups":{"core":{"count":5}}}`
	const free = `{"provider":"p","id":"1","node_groups":{"core":{}}}`
	band := func(min, max int) string {
		return fmt.Sprintf(`{"node_groups":{"core":{"count":{"min":%d,"max":%d}}}}`, min, max)
	}
	core := func(rule string) string { return `{"node_groups":{"core":{` + rule + `}}}` }
	for _, test := range []struct {
		name                     string
		base, was, head, becomes string
		want                     []string
	}{
		{"nothing", five, core(`"protect":true`), five, core(`"protect":true`), nil},
		{"a number becomes a range", five, "", free, band(3, 8), []string{"node_groups.core.count 5>3–8 stated @7"}},
		{"a range becomes a number", free, band(3, 8), five, "", []string{"node_groups.core.count 3–8>5 stated @7"}},
		{"another range", free, band(3, 8), free, band(3, 9), []string{"node_groups.core.count 3–8>3–9 stated @7"}},
		{"a range goes", free, band(3, 8), free, "", []string{"node_groups.core.count 3–8><nil> released @7 base"}},
		{"a range comes", free, "", free, band(3, 8), []string{"node_groups.core.count <nil>>3–8 stated @7"}},
		{"protected", five, "", five, core(`"protect":true`), []string{"node_groups.core.protect <nil>>true guard @7"}},
		{"no longer protected", five, `{"protect":true}`, five, `{"protect":false}`, []string{"protect true><nil> guard @7 base lifts"}},
		{"a budget", five, "", five, `{"max_removed":{"count":4,"per":"24h"}}`, []string{"max_removed <nil>>4 nodes in 24h guard @7"}},
		{"a larger budget", five, core(`"max_removed":{"count":4,"per":"24h"}`), five, core(`"max_removed":{"count":5,"per":"24h"}`),
			[]string{"node_groups.core.max_removed 4 nodes in 24h>5 nodes in 24h guard @7 lifts"}},
		{"a shorter time", five, `{"max_removed":{"count":4,"per":"24h"}}`, five, `{"max_removed":{"count":3,"per":"23h"}}`,
			[]string{"max_removed 4 nodes in 24h>3 nodes in 23h guard @7 lifts"}},
		{"a smaller budget", five, `{"max_removed":{"count":4,"per":"24h"}}`, five, `{"max_removed":{"count":4,"per":"2d"}}`,
			[]string{"max_removed 4 nodes in 24h>4 nodes in 2d guard @7"}},
		{"an owner", five, "", five, core(`"owned_by":{"count":"hpa"}`), []string{"node_groups.core.owned_by.count <nil>>hpa released @7"}},
		{"another owner", five, core(`"owned_by":{"count":"hpa"}`), five, core(`"owned_by":{"count":"ops"}`),
			[]string{"node_groups.core.owned_by.count hpa>ops released @7"}},
		{"no owner", five, core(`"owned_by":{"count":"hpa"}`), five, "", []string{"node_groups.core.owned_by.count hpa><nil> stated @7 base"}},
		{"a number that is owned", five, core(`"owned_by":{"count":"hpa"}`), strings.Replace(five, "5", "6", 1), core(`"owned_by":{"count":"hpa"}`),
			[]string{"node_groups.core.count 5>6 released @7"}},
		{"an owner of a field of such a name", five, "", five, core(`"owned_by":{"protect":"ops"}`), []string{"node_groups.core.owned_by.protect <nil>>ops released @1"}},
		{"an order", five, "", five, `{"depends_on":["b"]}`, []string{"depends_on <nil>>[b] order @7"}},
		{"the same order", five, `{"depends_on":["c","b"]}`, five, `{"depends_on":["b","c"]}`, nil},
		{"no order", five, `{"depends_on":["b"]}`, five, "", []string{"depends_on [b]><nil> order @7 base"}},
		{"a group of such a name", `{"provider":"p","node_groups":{"protect":{"count":5}}}`, "", `{"provider":"p","node_groups":{"protect":{"count":6}}}`, "",
			[]string{"node_groups.protect.count 5>6  @1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines := map[string]int{}
			for _, path := range []string{"node_groups.core.count", "protect", "node_groups.core.protect", "max_removed", "node_groups.core.max_removed", "node_groups.core.owned_by.count", "depends_on"} {
				lines[path] = 7
			}
			r := Compare([]*Cluster{ruledSpec(t, "a", test.base, test.was, lines)}, []*Cluster{ruledSpec(t, "a", test.head, test.becomes, lines)}, nil, func(Place) bool { return false })
			var got []string
			for _, c := range r.Clusters {
				for i := range c.Fields {
					f := &c.Fields[i]
					line := fmt.Sprintf("%s %v>%v %s @%d", f.Path, f.Before, f.After, f.Effect, f.Cause.Line)
					if f.InBase {
						line += " base"
					}
					if f.Lifts() {
						line += " lifts"
					}
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The end of a range that was written since the base is the line behind it.
func TestCauseWithinARange(t *testing.T) {
	const none = `{"provider":"p","node_groups":{"core":{}}}`
	rules := func(max int) string {
		return fmt.Sprintf(`{"max_removed":{"count":%d,"per":"7d"},"node_groups":{"core":{"count":{"min":3,"max":%d}}}}`, max, max)
	}
	lines := map[string]int{"node_groups.core.count": 3, "node_groups.core.count.min": 4, "node_groups.core.count.max": 5, "max_removed": 6, "max_removed.count": 7, "max_removed.per": 8}
	r := Compare([]*Cluster{ruledSpec(t, "a", none, rules(8), lines)}, []*Cluster{ruledSpec(t, "a", none, rules(9), lines)}, nil,
		func(p Place) bool { return p.Line == 5 || p.Line == 7 })
	want := []string{"a changed", "  max_removed 8 nodes in 7d>9 nodes in 7d guard @7", "  node_groups.core.count 3–8>3–9 stated @5"}
	if diff := cmp.Diff(want, told(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A protected cluster that leaves the spec takes its guards away with it.
func TestRemovedClusterLiftsItsGuards(t *testing.T) {
	b := ruledSpec(t, "a", `{"provider":"p","id":"1"}`, `{"protect":true,"depends_on":["b"],"node_groups":{"core":{"max_removed":{"count":1,"per":"7d"}}}}`, nil)
	r := Compare([]*Cluster{b}, nil, nil, func(Place) bool { return false })
	two := ruledSpec(t, "a", `{"provider":"p","id":"1"}`, `{"depends_on":["c","b"]}`, nil)
	Compare([]*Cluster{b}, []*Cluster{two}, nil, func(Place) bool { return false })
	if two.Rules.DependsOn[0] != "c" {
		t.Error("comparing changes what is compared")
	}
	want := []string{"a removed", "  node_groups.core.max_removed 1 node in 7d><nil> guard @1 base", "  protect true><nil> guard @1 base"}
	if diff := cmp.Diff(want, told(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAskAboutRanges: of a range the provider is asked about the live count that
// needs the least.
func TestAskAboutRanges(t *testing.T) {
	const none = `{"provider":"p","id":"1","node_groups":{"core":{}}}`
	number := func(n int) string {
		return fmt.Sprintf(`{"provider":"p","id":"1","node_groups":{"core":{"count":%d}}}`, n)
	}
	band := func(min, max int) string {
		return fmt.Sprintf(`{"node_groups":{"core":{"count":{"min":%d,"max":%d}}}}`, min, max)
	}
	const sized = `{"provider":"p","id":"1","node_groups":{"core":{"cpu":%d}}}`
	for _, test := range []struct {
		name                     string
		base, was, head, becomes string
		want                     string
	}{
		{"into the range", number(5), "", none, band(3, 8), "stated"},
		{"below it", number(2), "", none, band(3, 8), "scale_out 2>3"},
		{"above it", number(9), "", none, band(3, 8), "scale_in 9>8"},
		{"a number in the range", none, band(3, 8), number(5), "", "stated"},
		{"a number above it", none, band(3, 8), number(10), "", "scale_out 8>10"},
		{"a number below it", none, band(3, 8), number(1), "", "scale_in 3>1"},
		{"a range that overlaps", none, band(3, 8), none, band(8, 9), "stated"},
		{"a range above", none, band(3, 8), none, band(9, 12), "scale_out 8>9"},
		{"a range below", none, band(3, 8), none, band(1, 2), "scale_in 3>2"},
		{"unmanaged", number(5), "", none, "", "released"},
		{"managed from now on", none, "", none, band(3, 8), "stated"},
		{"a size of unmanaged nodes", fmt.Sprintf(sized, 2), "", fmt.Sprintf(sized, 4), "", "blocked"},
		{"a size of nodes in a range", fmt.Sprintf(sized, 2), band(1, 4), fmt.Sprintf(sized, 4), band(1, 4), "blocked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, head := []*Cluster{ruledSpec(t, "a", test.base, test.was, nil)}, []*Cluster{ruledSpec(t, "a", test.head, test.becomes, nil)}
			r := asked(t, base, head)
			f, got := r.Clusters[0].Fields[0], ""
			if got = string(f.Effect); f.Effect == EffectAction {
				a := r.Clusters[0].Actions[0]
				got = fmt.Sprintf("%s %d>%d", a.Op, a.From["count"], a.To["count"])
			}
			if got != test.want {
				t.Errorf("got %s, want %s: %v", got, test.want, told(r))
			}
		})
	}
}

// A guard that goes together with the removal that it is against is told, before
// the plan refuses it.
func TestAskAboutGuards(t *testing.T) {
	spec := func(core, task int) string {
		return fmt.Sprintf(`{"provider":"p","id":"1","node_groups":{"core":{"count":%d},"task":{"count":%d}}}`, core, task)
	}
	const all, ofCore = `{"protect":true}`, `{"node_groups":{"core":{"protect":true}}}`
	for _, test := range []struct {
		name             string
		was, becomes     string
		coreGoes, taskGo int
		denied           []string
	}{
		{"held", ofCore, ofCore, 4, 9, []string{"core protect"}},
		{"held, of another group", ofCore, ofCore, 5, 8, nil},
		{"set with the removal", "", ofCore, 4, 9, []string{"core protect"}},
		{"lifted with the removal", ofCore, "", 4, 9, []string{"core protect"}},
		{"lifted with the removal, of another group", ofCore, "", 5, 8, nil},
		{"lifted with the removal, of the cluster", all, "", 5, 8, []string{"task protect"}},
		{"lifted alone", all, "", 5, 9, nil},
		{"lifted with growth", all, "", 6, 9, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := asked(t, []*Cluster{ruledSpec(t, "a", spec(5, 9), test.was, nil)}, []*Cluster{ruledSpec(t, "a", spec(test.coreGoes, test.taskGo), test.becomes, nil)})
			var got []string
			for _, c := range r.Clusters {
				for _, d := range c.Denied {
					got = append(got, d.Group+" "+d.Guard)
				}
			}
			if diff := cmp.Diff(test.denied, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func asked(t *testing.T, base, head []*Cluster) *Review {
	t.Helper()
	r := Compare(base, head, nil, func(Place) bool { return false })
	entries := map[string]*engine.Entry{"p": {Name: "p", Provider: &planning{}, Description: &provider.Description{Name: "p", Kinds: []provider.Kind{{Name: "mrs"}}}}}
	if err := r.Ask(context.Background(), base, head, entries, false); err != nil {
		t.Fatal(err)
	}
	return r
}
