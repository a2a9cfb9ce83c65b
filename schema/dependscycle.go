package schema

import "slices"

// waits is who depends on whom. Clusters have numbers, in the order of their
// names.
type waits struct {
	clusters []string
	number   map[string]int
	of       [][]wait // by who waits, in the order of the spec
}

// wait is the n-th name in a cluster's depends_on.
type wait struct{ from, to, n int }

// Bounds for knots that nobody ties by hand: how often cycles are looked for
// behind those that were found, and how many are told for single clusters.
const (
	maxRounds = 8
	maxSingle = 50
)

// cycles finds clusters that wait for each other: the shortest cycle through the
// first cluster of each knot and, once that is thought to be broken at its end,
// what is left of the knot again. Then each cluster of a knot that no cycle has
// named gets its own.
func (g *waits) cycles() [][]wait {
	whole := &waits{of: slices.Clone(g.of)}
	knots := g.knots()
	var found [][]wait
	told := make([]bool, len(g.of))
	tell := func(c []wait) {
		found = append(found, c)
		for _, w := range c {
			told[w.from] = true
		}
	}
	left := knots
	for range maxRounds {
		for _, knot := range left {
			c := g.shortest(knot[0], knot)
			tell(c)
			last := c[len(c)-1]
			g.of[last.from] = slices.DeleteFunc(slices.Clone(g.of[last.from]), func(w wait) bool { return w == last })
		}
		if left = g.knots(); len(left) == 0 {
			break
		}
	}
	for _, knot := range knots {
		single := 0
		for _, v := range knot {
			if !told[v] && single < maxSingle {
				single++
				tell(lowestFirst(whole.shortest(v, knot)))
			}
		}
	}
	return found
}

// lowestFirst turns a cycle until it begins with the first of its clusters.
func lowestFirst(c []wait) []wait {
	at := 0
	for i, w := range c {
		if w.from < c[at].from {
			at = i
		}
	}
	return slices.Concat(c[at:], c[:at])
}

// knots are the strongly connected components of more than one cluster, each
// with its lowest number first, by that number. (Tarjan, "Depth-first search and
// linear graph algorithms", 1972.)
func (g *waits) knots() [][]int {
	const unseen, done = 0, -1
	low := make([]int, len(g.of)) // order of visit from 1, then the lowest that is reached
	var stack []int
	var knots [][]int
	visited := 0
	var visit func(v int)
	visit = func(v int) {
		visited++
		order, base := visited, len(stack)
		low[v] = order
		stack = append(stack, v)
		for _, w := range g.of[v] {
			if low[w.to] == unseen {
				visit(w.to)
			}
			if low[w.to] != done {
				low[v] = min(low[v], low[w.to])
			}
		}
		if low[v] < order {
			return
		}
		for _, member := range stack[base:] {
			low[member] = done
		}
		if len(stack)-base > 1 {
			knots = append(knots, slices.Sorted(slices.Values(stack[base:])))
		}
		stack = stack[:base]
	}
	for v := range g.of {
		if low[v] == unseen {
			visit(v)
		}
	}
	slices.SortFunc(knots, func(a, b []int) int { return a[0] - b[0] })
	return knots
}

// shortest is the shortest cycle through a cluster of a knot.
func (g *waits) shortest(start int, knot []int) []wait {
	inside := make(map[int]bool, len(knot))
	for _, v := range knot {
		inside[v] = true
	}
	came := map[int]wait{}
	for queue := []int{start}; ; queue = queue[1:] {
		for _, w := range g.of[queue[0]] {
			if w.to == start {
				steps := []wait{w}
				for at := w.from; at != start; at = came[at].from {
					steps = append(steps, came[at])
				}
				slices.Reverse(steps)
				return steps
			}
			if _, seen := came[w.to]; !seen && inside[w.to] {
				came[w.to] = w
				queue = append(queue, w.to)
			}
		}
	}
}
