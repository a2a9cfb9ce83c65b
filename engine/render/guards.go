package render

import (
	"fmt"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
)

// guards writes the guards that apply would set or lift. A lifted one is as
// loud as a removal: it is what lets the next plan remove.
func (t *planText) guards(list []engine.Guard) {
	for _, g := range list {
		mark, words := t.green("+"), Clean(guardWords(g))
		if g.Change == engine.GuardLift {
			mark, words = t.red("-"), t.red(words)
		}
		t.say(2, "%s %s   guard %s     %s", mark, t.bold(Clean(g.Address)), words, t.dim(Clean(g.Source)))
	}
	if len(list) > 0 {
		fmt.Fprintln(t)
	}
}

// guardWords word a guard's change without its group, which the address has.
func guardWords(g engine.Guard) string {
	g.Group = ""
	return g.String()
}

// guardCounts are "1 guard set" and "1 guard lifted" for a summary.
func guardCounts(list []engine.Guard) (parts []string) {
	counts := map[string]int{}
	for _, g := range list {
		counts[g.Change]++
	}
	if n := counts[engine.GuardLift]; n > 0 {
		parts = append(parts, plural(n, "guard")+" lifted")
	}
	if n := counts[engine.GuardSet]; n > 0 {
		parts = append(parts, plural(n, "guard")+" set")
	}
	return parts
}

// Guards lists the guards that a plan lifts or sets, a line for each, for the
// question before an apply.
func Guards(p *engine.Plan, look Look) []string {
	var lines []string
	for _, g := range p.Guards {
		line := fmt.Sprintf("  guard of %s: %s", Clean(g.Address), Clean(guardWords(g)))
		if g.Change == engine.GuardLift {
			line = look.red(line)
		}
		lines = append(lines, look.wrap(line, 4))
	}
	return lines
}

// guardItems are the guards of one change for a comment.
func guardItems(list []engine.Guard, change string) []string {
	var items []string
	for _, g := range list {
		if g.Change == change {
			items = append(items, code(g.Address)+": "+prose(guardWords(g))+sourceOf(g.Source))
		}
	}
	return items
}

// guardsWritten says in one sentence what an apply did to guards.
func guardsWritten(list []engine.Guard) string {
	if len(list) == 0 {
		return ""
	}
	return "In history: " + strings.Join(guardCounts(list), ", ") + "."
}
