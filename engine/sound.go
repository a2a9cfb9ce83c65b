package engine

import (
	"fmt"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// sound gives an observation back as it is, or unread with the reason when it
// cannot be trusted: what a plugin says wrongly must never look like an absent
// cluster or like nodes that are not there.
func sound(plugin string, k provider.Key, level provider.Level, o provider.Observation) provider.Observation {
	fault := ""
	switch o.Presence {
	case provider.Unread:
		if o.Error != nil {
			return provider.Observation{Address: k.Address, Error: o.Error, At: o.At}
		}
		fault = "read nothing and gave no reason"
	case provider.Absent:
		if o.Cluster != nil || len(o.IDs) > 0 {
			fault = "said absent and gave a cluster"
		}
	case provider.Ambiguous:
		if o.Cluster != nil || len(o.IDs) < 2 {
			fault = "said ambiguous and did not name several clusters"
		}
	case provider.Present:
		fault = unsoundState(k, level, o)
	default:
		fault = fmt.Sprintf("gave the unknown presence %q", o.Presence)
	}
	if fault == "" {
		return o
	}
	return provider.Observation{Address: k.Address, Error: provider.Errorf(provider.KindInternal, "plugin %s %s", plugin, fault)}
}

// unsoundState says what is wrong with the state of a cluster that is present.
func unsoundState(k provider.Key, level provider.Level, o provider.Observation) string {
	s := o.Cluster
	switch {
	case s == nil:
		return "said present and gave no state"
	case s.ID == "":
		return "gave a cluster without an id"
	case k.ID != "" && s.ID != k.ID:
		return fmt.Sprintf("was asked for cluster %s and gave %s", k.ID, s.ID)
	case k.ID == "" && s.Name != "" && s.Name != k.Name:
		return fmt.Sprintf("was asked for the name %q and gave %q", k.Name, s.Name)
	case len(o.IDs) > 0 && !slices.Contains(o.IDs, s.ID):
		return fmt.Sprintf("gave cluster %s, which is not among those of the name", s.ID)
	}
	roles := map[string]bool{}
	for _, g := range s.Groups {
		switch {
		case g.Role == "" || roles[g.Role]:
			return fmt.Sprintf("gave group %q twice or without a name", g.Role)
		case g.Count < 0:
			return fmt.Sprintf("counts %d nodes in group %s", g.Count, g.Role)
		}
		roles[g.Role] = true
		if level != provider.LevelNodes {
			continue
		}
		seen := make(map[string]bool, len(g.Nodes))
		for _, n := range g.Nodes {
			if n.ID == "" || seen[n.ID] {
				return fmt.Sprintf("gave node %q of group %s twice or without an id", n.ID, g.Role)
			}
			seen[n.ID] = true
		}
	}
	return ""
}
