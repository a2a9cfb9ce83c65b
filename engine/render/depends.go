package render

import (
	"slices"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// after names what an action comes after: the group that the cluster's action
// before it is about, or other clusters.
func after(a *engine.Action, byID map[string]*engine.Action) string {
	var names []string
	for _, id := range a.DependsOn {
		name := "" // of an action that the plan does not have
		switch first := byID[id]; {
		case first == nil:
		case first.Cluster != a.Cluster:
			name = Clean(first.Cluster)
		case first.Op == provider.OpCreate:
			name = "the create"
		default:
			name = groupName(first)
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return some(names)
}
