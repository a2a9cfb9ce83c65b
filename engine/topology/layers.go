package topology

// Split tells clusters that wait for another of the picture, or are waited for,
// from those that stand alone.
func (t *Topology) Split() (linked, alone []Cluster) {
	here := map[string]bool{}
	for i := range t.Clusters {
		here[t.Clusters[i].Address] = true
	}
	ties := map[string]bool{}
	for i := range t.Clusters {
		for _, first := range t.Clusters[i].DependsOn {
			if here[first] && first != t.Clusters[i].Address {
				ties[first], ties[t.Clusters[i].Address] = true, true
			}
		}
	}
	for _, c := range t.Clusters {
		if ties[c.Address] {
			linked = append(linked, c)
		} else {
			alone = append(alone, c)
		}
	}
	return linked, alone
}

// sets parts clusters into those that hang together, in the order of their
// first.
func sets(clusters []Cluster) [][]Cluster {
	index := map[string]int{}
	for i := range clusters {
		index[clusters[i].Address] = i
	}
	near := make([][]int, len(clusters))
	for i := range clusters {
		for _, first := range clusters[i].DependsOn {
			if j, ok := index[first]; ok {
				near[i], near[j] = append(near[i], j), append(near[j], i)
			}
		}
	}
	set := make([]int, len(clusters)) // from 1
	var all [][]Cluster
	for i := range clusters {
		if set[i] == 0 {
			all = append(all, nil)
			set[i] = len(all)
			for todo := []int{i}; len(todo) > 0; {
				at := todo[len(todo)-1]
				todo = todo[:len(todo)-1]
				for _, j := range near[at] {
					if set[j] == 0 {
						set[j] = len(all)
						todo = append(todo, j)
					}
				}
			}
		}
		all[set[i]-1] = append(all[set[i]-1], clusters[i])
	}
	return all
}

// layers ranks clusters: one stands below all that it waits for, no lower than
// it must, and in a rank they keep their order. In a circle, which a spec cannot
// have, the step that closes it is left out.
func layers(clusters []Cluster) [][]*Cluster {
	index := map[string]int{}
	for i := range clusters {
		index[clusters[i].Address] = i
	}
	const unseen, open = -2, -1
	rank := make([]int, len(clusters))
	for i := range rank {
		rank[i] = unseen
	}
	var visit func(i int) int
	visit = func(i int) int {
		if rank[i] != unseen {
			return rank[i] // open: -1, so that the circle adds nothing
		}
		rank[i] = open
		at := 0
		for _, first := range clusters[i].DependsOn {
			if j, ok := index[first]; ok {
				at = max(at, visit(j)+1)
			}
		}
		rank[i] = at
		return at
	}
	var all [][]*Cluster
	for i := range clusters {
		for visit(i) >= len(all) {
			all = append(all, nil)
		}
	}
	for i := range clusters {
		all[rank[i]] = append(all[rank[i]], &clusters[i])
	}
	return all
}
