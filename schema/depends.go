package schema

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
)

// maxGuesses bounds how often a wrong name is compared with all that exist.
const maxGuesses = 50

// depends tells what is wrong with depends_on: names that lead nowhere, and
// clusters that wait for each other. It looks at what the spec says of all its
// clusters, also of those that are not sound: a name of one of them is a name
// all the same, and what is wrong elsewhere in them is told by itself. silent are
// those that are known to depend on none.
func (l *loader) depends(all map[string]cue.Value, silent map[string]bool) {
	g := &dependencies{loader: l, all: all}
	g.clusters, g.number = slices.Sorted(maps.Keys(all)), make(map[string]int, len(all))
	for i, address := range g.clusters {
		g.number[address] = i
	}
	g.of = make([][]wait, len(all))
	guesses := 0
	for i, address := range g.clusters {
		if silent[address] {
			continue
		}
		first := map[string]int{}
		for n, name := range dependsOn(all[address]) {
			to, known := g.number[name]
			before, again := first[name]
			switch {
			case strings.TrimSpace(name) == "": // the schema says so
			case !known:
				p := g.problem(i, n, fmt.Sprintf("no cluster %q in the spec", name))
				if guesses++; guesses <= maxGuesses {
					p.Hint = DidYouMean(name, slices.Delete(slices.Clone(g.clusters), i, i+1))
				}
				l.report(p)
			case again:
				p := g.problem(i, n, fmt.Sprintf("%s stands in depends_on twice", name))
				p.Kind = KindConflict
				p.Notes = append(p.Notes, "first at "+g.at(i, before))
				l.report(p)
			case to == i:
				l.report(g.problem(i, n, fmt.Sprintf("cluster %s depends on itself", name)))
			default:
				g.of[i] = append(g.of[i], wait{i, to, n})
			}
			if !again {
				first[name] = n
			}
		}
	}
	for _, c := range g.cycles() {
		l.report(g.cycle(c))
	}
}

// dependencies is who depends on whom, and where the spec says so.
type dependencies struct {
	*loader
	waits
	all map[string]cue.Value
}

// dependsOn are the names in a cluster's depends_on, "" for what is no name.
func dependsOn(raw cue.Value) []string {
	v := raw.LookupPath(cue.MakePath(cue.Str("depends_on")))
	if d, ok := v.Default(); ok {
		v = d
	}
	it, err := v.List()
	if err != nil {
		return nil
	}
	var names []string
	for it.Next() {
		name, _ := it.Value().String()
		names = append(names, name)
	}
	return names
}

// problem is a problem with the n-th name in a cluster's depends_on.
func (g *dependencies) problem(cluster, n int, message string) Problem {
	address := g.clusters[cluster]
	s := &subject{tree: g.tree, raw: g.all[address], cluster: address}
	index := strconv.Itoa(n)
	return s.problem(Problem{Kind: KindReference, Path: "depends_on." + index, Message: message}, "depends_on", index)
}

// at is where the n-th name in a cluster's depends_on stands.
func (g *dependencies) at(cluster, n int) string {
	p := g.problem(cluster, n, "")
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// maxSteps bounds how much of a long cycle is written out.
const maxSteps = 40

// cycle tells of clusters that wait for each other, at the first name, with the
// line of every step.
func (g *dependencies) cycle(steps []wait) Problem {
	var names []string
	for _, w := range steps {
		names = append(names, g.clusters[w.from])
	}
	p := g.problem(steps[0].from, steps[0].n, "clusters "+enumerate(names)+" depend on each other")
	for i, w := range steps {
		if left := len(steps) - maxSteps; left > 0 && i == maxSteps-1 {
			p.Notes = append(p.Notes, fmt.Sprintf("and so on, over %d more", left))
		}
		if len(steps) > maxSteps && i >= maxSteps-1 && i < len(steps)-1 {
			continue
		}
		verb := "on"
		if i == 0 {
			verb = "depends on"
		}
		p.Notes = append(p.Notes, fmt.Sprintf("%s %s %s (%s)", g.clusters[w.from], verb, g.clusters[w.to], g.at(w.from, w.n)))
	}
	p.Hint = "one of them has to go first: take a name out of its depends_on"
	return p
}

// enumerate lists names as a sentence does, not more than eight of them.
func enumerate(names []string) string {
	if n := len(names); n > 1 && n <= 8 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return someOf(names)
}
