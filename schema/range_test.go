package schema

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rangeSpec is a spec with one Task group and a template above it.
func rangeSpec(t *testing.T, template, task string) (*Fleet, []Problem) {
	t.Helper()
	return Load(Options{Dir: spec(t, map[string]string{"a.cue": fmt.Sprintf(`package fleet
providers: hw: {plugin: "huawei", region: "cn-north-4", project_id: "p1"}
clusters: a: {
	provider: "hw", kind: "mrs", id: "i"
	node_groups: core: count: 3
	node_groups: task: %s
}
%s
`, task, template)})})
}

// A range reaches the engine as a rule, and the provider gets no count.
func TestRangeOfCounts(t *testing.T) {
	for _, tc := range []struct{ name, template, task, count, rules string }{
		{"a number", "", "{count: 4}", `"task":{"count":4}`, ""},
		{"unmanaged", "", "{}", `"task":{}`, ""},
		{"a range", "", "{count: {min: 2, max: 4}}", `"task":{}`, `{"node_groups":{"task":{"count":{"max":4,"min":2}}}}`},
		{"a range of one", "", "{count: {min: 2, max: 2}}", `"task":{}`, `{"node_groups":{"task":{"count":{"max":2,"min":2}}}}`},
		{"with an owner", "", `{count: {min: 2, max: 4}, owned_by: count: "hpa"}`, `"task":{}`, `{"node_groups":{"task":{"count":{"max":4,"min":2},"owned_by":{"count":"hpa"}}}}`},
		{"a default that anything replaces", "clusters: [_]: node_groups: task: count: *3 | _", "{}", `"task":{"count":3}`, ""},
		{"a default replaced by a range", "clusters: [_]: node_groups: task: count: *3 | _", "{count: {min: 2, max: 4}}", `"task":{}`, `{"node_groups":{"task":{"count":{"max":4,"min":2}}}}`},
		{"a template of a range", "clusters: [_]: node_groups: task: count: {min: *2 | int, max: min + 2}", "{}", `"task":{}`, `{"node_groups":{"task":{"count":{"max":4,"min":2}}}}`},
		{"a team's own limit", "clusters: [_]: node_groups: task: count: <=20 | {max: <=20, ...}", "{count: {min: 2, max: 4}}", `"task":{}`, `{"node_groups":{"task":{"count":{"max":4,"min":2}}}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fleet, problems := rangeSpec(t, tc.template, tc.task)
			if len(problems) > 0 {
				t.Fatalf("problems:\n%s", text(problems))
			}
			a := fleet.Clusters[0]
			want := `{"id":"i","kind":"mrs","node_groups":{"core":{"count":3},` + tc.count + `},"provider":"hw"}`
			if diff := cmp.Diff(want, string(a.Spec)); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.rules, string(a.Rules)); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}

// A wrong range is one problem, at the end that is wrong.
func TestWrongRange(t *testing.T) {
	const within = "the number of Task nodes is a whole number from 0 to 497, as Core and Task together are at most 500, or {min, max} within it (min at most max), not "
	for _, tc := range []struct{ name, task, want string }{
		{"min too small", "{count: {min: -1, max: 4}}", "6:35 node_groups.task.count.min limit: " + within + "{min: -1, max: 4}"},
		{"max too large", "{count: {min: 1, max: 498}}", "6:43 node_groups.task.count.max limit: " + within + "{min: 1, max: 498}"},
		{"both", "{count: {min: -1, max: 498}}", "6:29 node_groups.task.count limit: " + within + "{min: -1, max: 498}"},
		{"out of order", "{count: {min: 5, max: 4}}", "6:29 node_groups.task.count limit: " + within + "{min: 5, max: 4}"},
		{"a typo", "{count: {min: 1, maxx: 4}}", `6:38 node_groups.task.count.maxx unknown-field: "maxx" is not a field of node_groups.task.count`},
		{"no max", "{count: {min: 1}}", "6:22 node_groups.task.count.max missing-field: count.max is required"},
		{"no min", "{count: {max: 1}}", "6:22 node_groups.task.count.min missing-field: count.min is required"},
		{"a fraction", "{count: {min: 1, max: 4.5}}", "6:43 node_groups.task.count.max limit: " + within + "{min: 1, max: 4.5}"},
		{"a string", `{count: {min: "1", max: 4}}`, "6:35 node_groups.task.count.min limit: " + within + `{min: "1", max: 4}`},
		{"text", `{count: "3-8"}`, "6:29 node_groups.task.count limit: " + within + `"3-8"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, problems := rangeSpec(t, "", tc.task)
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%d:%d %s %s: %s", p.Line, p.Column, p.Path, p.Kind, p.Message))
				if p.Kind != KindUnknownField && p.Limit != "MRS API, cluster resize, table 2, instances" {
					t.Errorf("limit from %q", p.Limit)
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Of every pair of ends the schemas take those within the limits and in order,
// also where the spec unifies with the definitions itself.
func TestEveryRange(t *testing.T) {
	ends := []string{"-1", "0", "1", "2", "499", "500", "501"}
	var b strings.Builder
	b.WriteString(`package fleet
import "github.com/clusterctl/clusterctl/schema/huawei"
providers: hw: {plugin: "huawei", region: "cn-north-4", project_id: "p1"}
`)
	want := map[string]bool{}
	for role, limits := range map[string][2]int{"master": {1, 501}, "core": {1, 500}, "task": {0, 500}} {
		for i, from := range ends {
			for j, to := range ends {
				name := fmt.Sprintf("%s_%d_%d", role, i, j)
				var min, max int
				fmt.Sscan(from+" "+to, &min, &max)
				want[name] = limits[0] <= min && min <= max && max <= limits[1]
				fmt.Fprintf(&b, "clusters: %s: {provider: \"hw\", kind: \"mrs\", id: %q, node_groups: %s: count: {min: %s, max: %s}}\n", name, name, role, from, to)
				fmt.Fprintf(&b, "clusters: %s_twice: huawei.#MRS & {provider: \"hw\", kind: \"mrs\", id: \"%s_twice\", node_groups: %s: count: {min: %d, max: %d}}\n", name, name, role, i+1, i+1+j)
				want[name+"_twice"] = true
			}
		}
	}
	fleet, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": b.String()})})
	got, told := map[string]bool{}, map[string]int{}
	for name := range want {
		got[name] = false
	}
	for _, c := range fleet.Clusters {
		got[c.Address] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	for _, p := range problems {
		told[p.Cluster]++
	}
	for name, sound := range want {
		if !sound && told[name] != 1 {
			t.Errorf("%s: %d problems", name, told[name])
		}
	}
}

// The rule that docs/writing-a-provider.md gives authors works, and a plain whole
// number refuses ranges in one sentence.
func TestRangeOfAnotherPlugin(t *testing.T) {
	guide, err := os.ReadFile("../docs/writing-a-provider.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := regexp.MustCompile("`(count\\?: .*error.*)`").FindSubmatch(guide)
	if documented == nil {
		t.Fatal("the guide has no rule for count")
	}
	for _, tc := range []struct{ name, rule, count, want string }{
		{"documented", string(documented[1]), "{min: 1, max: 9}", ""},
		{"documented, a number", string(documented[1]), "9", ""},
		{"documented, too large", string(documented[1]), "{min: 1, max: 10}", "count must be …, not {min: 1, max: 10}"},
		{"documented, reversed", string(documented[1]), "{min: 3, max: 2}", "count must be …, not {min: 3, max: 2}"},
		{"documented, no min", string(documented[1]), "{max: 2}", "count.min is required"},
		{"plain", `count!: (int & >=1 & <=9) | error("count must be 1 to 9, not \(count)")`, "{min: 1, max: 9}", "count must be 1 to 9, not {min: 1, max: 9}"},
		{"plain, without a sentence", `count!: int & >=1 & <=9`, "{min: 1, max: 9}", "count must be a whole number, not a struct"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := map[string][]byte{"acme.cue": []byte("package acme\n#Provider: plugin!: string\n#Box: {\n\tprovider!: string\n\tkind!: \"box\"\n\tid?: string\n" +
				"\tnode_groups?: main?: #Main\n}\n#Main: {\n" + tc.rule + "\n}\n")}
			src := source("acme", files, map[string]string{"box": "#Box"}, "#Provider", nil)
			if err := Check(src); err != nil {
				t.Fatal(err)
			}
			_, problems := Load(Options{Sources: []Source{src}, Dir: spec(t, map[string]string{
				"a.cue": "package fleet\nproviders: p: plugin: \"acme\"\nclusters: a: {provider: \"p\", kind: \"box\", id: \"1\", node_groups: main: {count: " + tc.count + ", owned_by: count: \"hpa\"}}\n"})})
			var got []string
			for _, p := range problems {
				got = append(got, p.Message)
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
