package engine

import (
	"container/heap"
	"fmt"
	"slices"
	"strings"
)

// await makes clusters wait for those that they depend on. What has to wait for
// changes that will not be made is blocked; the rest stands in the plan after
// what it waits for, and by address where that leaves a choice.
func (p *Planner) await(plan *Plan, clusters []*Cluster) error {
	if !slices.ContainsFunc(clusters, func(c *Cluster) bool { return len(c.Rules.DependsOn) > 0 }) {
		return nil
	}
	number := make(map[string]int, len(clusters))
	for i, c := range clusters {
		number[c.Address] = i
	}
	first := make([][]int, len(clusters)) // those that come before each
	for i, c := range clusters {
		for _, name := range c.Rules.DependsOn {
			// One that was left out of this run is not waited for.
			if n, here := number[name]; here {
				first[i] = append(first[i], n)
			}
		}
	}
	order, cyclic := inOrder(first)
	if len(cyclic) > 0 {
		var names []string
		for _, i := range cyclic {
			names = append(names, clusters[i].Address)
		}
		return fmt.Errorf("clusters depend on each other: %s", strings.Join(names, ", "))
	}
	w := &waiting{plan: plan, clusters: clusters, number: number, first: first, order: order, actions: make([][]Action, len(clusters))}
	for _, a := range plan.Actions {
		i := number[a.Cluster]
		w.actions[i] = append(w.actions[i], a)
	}
	w.block()
	w.link()
	slices.SortStableFunc(plan.Clusters, func(a, b Planned) int { return w.rank[number[a.Address]] - w.rank[number[b.Address]] })
	return nil
}

// waiting is a plan whose clusters are put into order. All lists go by the
// clusters' numbers.
type waiting struct {
	plan     *Plan
	clusters []*Cluster
	number   map[string]int
	first    [][]int
	order    []int
	rank     []int // the place in order
	actions  [][]Action
}

// obstacle is why a cluster's changes cannot be made: what is the matter with
// the one at, which it depends on by way of another or at once.
type obstacle struct {
	by, at int
	words  string
}

// block takes out the actions of clusters that depend on one whose changes will
// not all be made.
func (w *waiting) block() {
	own := w.troubles()
	why := make([]*obstacle, len(w.clusters))
	gone := map[string]bool{}
	for _, i := range w.order {
		for _, n := range w.first[i] {
			if own[n] != "" {
				why[i] = &obstacle{n, n, own[n]}
				break // nothing can be nearer
			}
			if why[n] != nil && why[i] == nil {
				why[i] = &obstacle{n, why[n].at, why[n].words}
			}
		}
		if why[i] == nil || len(w.actions[i]) == 0 {
			continue
		}
		reason := "depends on " + w.clusters[why[i].by].Address
		if why[i].at != why[i].by {
			reason += " and so on " + w.clusters[why[i].at].Address
		}
		reason += ", " + why[i].words
		for _, a := range w.actions[i] {
			w.plan.Blocked = append(w.plan.Blocked, Blocked{Address: a.Address, Provider: a.Provider, Kind: a.Kind, Fields: a.Fields,
				Reason: reason, Source: a.Source})
		}
		w.actions[i], gone[w.clusters[i].Address] = nil, true
	}
	if len(gone) == 0 {
		return
	}
	w.plan.Clusters = slices.DeleteFunc(w.plan.Clusters, func(c Planned) bool { return gone[c.Address] })
	// What is not applied waits for no cluster to become ready.
	w.plan.Warnings = slices.DeleteFunc(w.plan.Warnings, func(text string) bool {
		address, _, found := strings.Cut(text, " is ")
		return found && gone[address] && strings.HasSuffix(text, untilReady)
	})
	// A guard of a cluster that is not created yet comes with its create.
	w.plan.Guards = slices.DeleteFunc(w.plan.Guards, func(g Guard) bool { return gone[g.Cluster] && g.ClusterID == "" })
}

// troubles says of each cluster why not all of its changes will be made.
func (w *waiting) troubles() []string {
	own := make([]string, len(w.clusters))
	add := func(address, words string) {
		i, here := w.number[address]
		if !here {
			cluster, _, _ := strings.Cut(address, "/")
			i, here = w.number[cluster]
		}
		if here && own[i] == "" {
			own[i] = words
		}
	}
	for _, u := range w.plan.Unread {
		add(u.Address, "which was not read")
	}
	for _, o := range w.plan.OpenIntents {
		add(o.Address, "which has a request that is not settled")
	}
	for _, d := range w.plan.Denied {
		add(d.Address, "a change of which is denied by guard "+d.Guard)
	}
	for _, b := range w.plan.Blocked {
		add(b.Address, "which is blocked")
	}
	return own
}

// link puts the actions into order and says which of other clusters come first:
// the last of each, as the actions of one cluster are a chain. Through a cluster
// without actions its own dependents wait for what it depends on.
func (w *waiting) link() {
	w.rank = make([]int, len(w.order))
	for at, i := range w.order {
		w.rank[i] = at
	}
	last := make([]string, len(w.clusters)) // id of each one's last action
	before := make([][]int, len(w.clusters))
	total := 0
	w.plan.Actions = w.plan.Actions[:0]
	for _, i := range w.order {
		for _, n := range w.first[i] {
			if last[n] != "" {
				before[i] = append(before[i], n)
			} else {
				before[i] = append(before[i], before[n]...)
			}
		}
		slices.SortFunc(before[i], func(a, b int) int { return w.rank[a] - w.rank[b] })
		before[i] = slices.Compact(before[i])
		for k, a := range w.actions[i] {
			total++
			a.ID = fmt.Sprintf("a%d", total)
			a.DependsOn = []string{}
			if k > 0 {
				a.DependsOn = append(a.DependsOn, last[i])
			} else {
				for _, n := range before[i] {
					a.DependsOn = append(a.DependsOn, last[n])
				}
			}
			last[i] = a.ID
			w.plan.Actions = append(w.plan.Actions, a)
		}
	}
}

// inOrder sorts 0 to n-1 so that each comes after those in its list of first,
// and by number where there is a choice. Where that cannot be, cyclic has some
// that wait for each other, each for the next.
func inOrder(first [][]int) (order, cyclic []int) {
	missing, then := make([]int, len(first)), make([][]int, len(first))
	for i, list := range first {
		missing[i] = len(list)
		for _, n := range list {
			then[n] = append(then[n], i)
		}
	}
	ready := &numbers{}
	for i, n := range missing {
		if n == 0 {
			*ready = append(*ready, i) // in order: a heap
		}
	}
	for ready.Len() > 0 {
		i := heap.Pop(ready).(int)
		order = append(order, i)
		for _, n := range then[i] {
			if missing[n]--; missing[n] == 0 {
				heap.Push(ready, n)
			}
		}
	}
	if len(order) == len(first) {
		return order, nil
	}
	// Who is left waits for another who is left: this way leads into a cycle.
	left := func(n int) bool { return missing[n] > 0 }
	for i := slices.IndexFunc(missing, func(n int) bool { return n > 0 }); ; {
		if again := slices.Index(cyclic, i); again >= 0 {
			return order, cyclic[again:]
		}
		cyclic = append(cyclic, i)
		i = first[i][slices.IndexFunc(first[i], left)]
	}
}

// numbers is a heap.
type numbers []int

func (h numbers) Len() int           { return len(h) }
func (h numbers) Less(a, b int) bool { return h[a] < h[b] }
func (h numbers) Swap(a, b int)      { h[a], h[b] = h[b], h[a] }
func (h *numbers) Push(n any)        { *h = append(*h, n.(int)) }
func (h *numbers) Pop() any {
	n := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return n
}
