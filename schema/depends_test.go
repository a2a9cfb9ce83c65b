package schema

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dependent writes clusters that depend on others: "a: b c".
func dependent(lines ...string) string {
	var s strings.Builder
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, ":")
		fmt.Fprintf(&s, "clusters: %q: {provider: \"hw\", kind: \"mrs\", id: %q", name, "id-"+name)
		if names := strings.Fields(rest); len(names) > 0 {
			fmt.Fprintf(&s, ", depends_on: [\"%s\"]", strings.Join(names, `", "`))
		}
		s.WriteString("}\n")
	}
	return s.String()
}

// What is wrong with depends_on, as people read it.
func TestDependsOn(t *testing.T) {
	for name, tc := range map[string]struct {
		spec string
		want string
	}{
		"nothing wrong": {dependent("a: b c", "b: c", "c"), ""},
		"none":          {dependent("a:", "b"), ""},
		"no such cluster": {dependent("analytics", "batch: analytcs"), `
error[reference]: no cluster "analytcs" in the spec; did you mean "analytics"?
 --> b.cue:3:79
  |
3 | clusters: "batch": {provider: "hw", kind: "mrs", id: "id-batch", depends_on: ["analytcs"]}
  |                                                                               ^^^^^^^^^^
  = cluster batch, depends_on.0
`},
		"not oneself": {dependent("a1: a0", "b: b"), `
error[reference]: no cluster "a0" in the spec
 --> b.cue:2:73
  |
2 | clusters: "a1": {provider: "hw", kind: "mrs", id: "id-a1", depends_on: ["a0"]}
  |                                                                         ^^^^
  = cluster a1, depends_on.0
  = help: known here: b

error[reference]: cluster b depends on itself
 --> b.cue:3:71
  |
3 | clusters: "b": {provider: "hw", kind: "mrs", id: "id-b", depends_on: ["b"]}
  |                                                                       ^^^
  = cluster b, depends_on.0
`},
		"twice": {dependent("a: b c b", "b", "c"), `
error[conflict]: b stands in depends_on twice
 --> b.cue:2:81
  |
2 | clusters: "a": {provider: "hw", kind: "mrs", id: "id-a", depends_on: ["b", "c", "b"]}
  |                                                                                 ^^^
  = cluster a, depends_on.2
  = first at b.cue:2:71
`},
		"a cycle": {dependent("c: a", "a: b", "b: x c", "x"), `
error[reference]: clusters a, b and c depend on each other
 --> b.cue:3:71
  |
3 | clusters: "a": {provider: "hw", kind: "mrs", id: "id-a", depends_on: ["b"]}
  |                                                                       ^^^
  = cluster a, depends_on.0
  = a depends on b (b.cue:3:71)
  = b on c (b.cue:4:76)
  = c on a (b.cue:2:71)
  = help: one of them has to go first: take a name out of its depends_on
`},
		"a list of a template": {"_t: {provider: \"hw\", kind: \"mrs\", depends_on: _all}\n_all: [\"net\", _n]\n_n: \"nett\"\n" +
			"clusters: {a: _t & {id: \"1\"}, b: _t & {id: \"2\"}, net: {provider: \"hw\", kind: \"mrs\"}}\n", `
error[reference]: no cluster "nett" in the spec; did you mean "net"?
 --> b.cue:3:15
  |
3 | _all: ["net", _n]
  |               ^^
  = cluster a, depends_on.1
  = the same in b
`},
		"the cluster of a template itself": {"clusters: [string]: {provider: \"hw\", kind: \"mrs\", depends_on: [\"net\"]}\nclusters: {a: id: \"1\", net: id: \"3\"}\n", `
error[reference]: cluster net depends on itself
 --> b.cue:2:64
  |
2 | clusters: [string]: {provider: "hw", kind: "mrs", depends_on: ["net"]}
  |                                                                ^^^^^
  = cluster net, depends_on.0
`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := spec(t, map[string]string{"a.cue": accounts, "b.cue": "package fleet\n" + tc.spec})
			_, problems := Load(Options{Dir: dir})
			if diff := cmp.Diff(strings.TrimPrefix(tc.want, "\n"), text(problems)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Cycles are told all at once, each once, whatever the order of the files, and
// clusters that are not sound or not there add nothing.
func TestCyclesAreToldAtOnce(t *testing.T) {
	files := map[string]string{
		"a.cue": accounts,
		"b.cue": "package fleet\n" + dependent("e: d", "d: e gone", "z", "b: c z", "c: b a"),
		"c.cue": "package fleet\n" + dependent("a: b", "f: broken blurry") + `
clusters: broken: {provider: "hw", kind: "mrs", id: "x", protect: "yes", depends_on: ["f"]}
clusters: blurry: {provider: "hw", kind: "msr"}
clusters: odd: {provider: "hw", kind: "mrs", id: "y", depends_on: [1, ""]}
`,
	}
	want := []string{
		`b.cue:3:71 reference clusters d and e depend on each other`,
		`b.cue:3:76 reference no cluster "gone" in the spec`,
		`b.cue:5:71 reference clusters b and c depend on each other`,
		`c.cue:2:71 reference clusters a, b and c depend on each other`,
		`c.cue:5:67 limit protect must be true or false, not "yes"`,
		`c.cue:5:87 reference clusters broken and f depend on each other`,
		`c.cue:6:42 provider plugin huawei has no kind "msr"`,
		`c.cue:7:67 limit depends_on is a list of clusters' names`,
	}
	for range 3 {
		_, problems := Load(Options{Dir: spec(t, files)})
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%s:%d:%d %s %s", p.File, p.Line, p.Column, p.Kind, p.Message))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// graph makes waits of n clusters from pairs.
func graph(n int, pairs [][2]int) *waits {
	g := &waits{of: make([][]wait, n)}
	for i, p := range pairs {
		g.of[p[0]] = append(g.of[p[0]], wait{p[0], p[1], i})
	}
	return g
}

// TestCycles: of graphs made by chance every step of a cycle is in the graph,
// no cycle stands twice, and there is one if and only if no order exists.
func TestCycles(t *testing.T) {
	cyclic := 0
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		n := 1 + random.IntN(9)
		var pairs [][2]int
		seen := map[[2]int]bool{}
		for range random.IntN(2 * n) {
			if p := [2]int{random.IntN(n), random.IntN(n)}; p[0] != p[1] && !seen[p] {
				seen[p] = true
				pairs = append(pairs, p)
			}
		}
		found := graph(n, pairs).cycles()
		if ordered(n, pairs) != (len(found) == 0) {
			t.Fatalf("seed %d: %v has the cycles %v", seed, pairs, found)
		}
		told, named := map[string]bool{}, map[int]bool{}
		for _, c := range found {
			for i, w := range c {
				named[w.from] = true
				if w.to != c[(i+1)%len(c)].from || pairs[w.n] != [2]int{w.from, w.to} || w.from < c[0].from {
					t.Fatalf("seed %d: %v is no cycle of %v", seed, c, pairs)
				}
			}
			if told[fmt.Sprint(c)] {
				t.Fatalf("seed %d: %v is told twice", seed, c)
			}
			told[fmt.Sprint(c)] = true
		}
		for v := range n {
			if onCycle(v, pairs) != named[v] {
				t.Fatalf("seed %d: %v: cluster %d is told of: %t", seed, pairs, v, named[v])
			}
		}
		// Without one step of each cycle that is told, an order exists.
		rest := slices.DeleteFunc(slices.Clone(pairs), func(p [2]int) bool {
			return slices.ContainsFunc(found, func(c []wait) bool { return pairs[c[len(c)-1].n] == p })
		})
		if !ordered(n, rest) {
			t.Fatalf("seed %d: %v has more cycles than %v", seed, pairs, found)
		}
		if len(found) > 0 {
			cyclic++
		}
	}
	if cyclic < 500 {
		t.Errorf("%d graphs had a cycle", cyclic)
	}
}

// onCycle says whether a way leads from v to v.
func onCycle(v int, pairs [][2]int) bool {
	seen := map[int]bool{}
	for queue := []int{v}; len(queue) > 0; queue = queue[1:] {
		for _, p := range pairs {
			if p[0] == queue[0] && !seen[p[1]] {
				seen[p[1]] = true
				queue = append(queue, p[1])
			}
		}
	}
	return seen[v]
}

// ordered says whether an order exists, by taking away who waits for nobody.
func ordered(n int, pairs [][2]int) bool {
	gone := make([]bool, n)
	for range n {
		for v := range n {
			gone[v] = gone[v] || !slices.ContainsFunc(pairs, func(p [2]int) bool { return p[0] == v && !gone[p[1]] })
		}
	}
	return !slices.Contains(gone, false)
}

// TestLongCycles: chains and rings of many clusters, and what is shown of them.
func TestLongCycles(t *testing.T) {
	const n = 100_000
	var pairs [][2]int
	for i := range n - 1 {
		pairs = append(pairs, [2]int{i, i + 1})
	}
	if found := graph(n, pairs).cycles(); len(found) > 0 {
		t.Errorf("a chain has %d cycles", len(found))
	}
	found := graph(n, append(pairs, [2]int{n - 1, 0})).cycles()
	if len(found) != 1 || len(found[0]) != n {
		t.Errorf("a ring has %d cycles", len(found))
	}
	var lines []string
	for i := range 60 {
		lines = append(lines, fmt.Sprintf("c%02d: c%02d", i, (i+1)%60))
	}
	_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": accounts, "b.cue": "package fleet\n" + dependent(lines...)})})
	if len(problems) != 1 {
		t.Fatalf("problems:\n%s", text(problems))
	}
	p := problems[0]
	if got := p.Message; got != "clusters c00, c01, c02, c03, c04, c05, c06, c07 and 52 more depend on each other" {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"c38 on c39 (b.cue:40:75)", "and so on, over 20 more", "c59 on c00 (b.cue:61:75)"}, p.Notes[38:]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
