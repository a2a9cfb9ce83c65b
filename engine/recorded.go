package engine

import (
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// nodesOf names, for history, what the request made and which nodes it took
// away, as the read shows that the ruling stands on.
func nodesOf(in *journal.Intent, out ruling, r *reading) (added, removed []journal.Node) {
	if r == nil {
		return nil, nil
	}
	if in.Op == provider.OpScaleIn && len(r.ids) > 0 {
		gone := minus(in.Base, r.nodes)
		if len(in.Victims) > 0 {
			gone = common(in.Victims, gone)
		}
		removed = named(gone, in.Names)
	}
	return named(out.fresh, r.names), removed
}

func named(ids []string, names map[string]string) []journal.Node {
	var nodes []journal.Node
	for _, id := range ids {
		nodes = append(nodes, journal.Node{ID: id, Name: names[id]})
	}
	return nodes
}

// nodeNames are the names of a group's nodes by id, where they differ.
func nodeNames(g provider.Group) map[string]string {
	names := map[string]string{}
	for _, n := range g.Nodes {
		if n.Name != "" && n.Name != n.ID {
			names[n.ID] = n.Name
		}
	}
	return names
}
