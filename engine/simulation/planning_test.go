package simulation

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Plan makes the model cloud's requests: deltas, as the real clouds want them.
func (p *plugin) Plan(_ context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	var resp provider.PlanResponse
	for _, c := range req.Clusters {
		var plan provider.ClusterPlan
		for _, ch := range c.Changes {
			if ch.Op == provider.OpCreate && p.w.kindOf(c.Desired.Kind).stages {
				plan.Actions = append(plan.Actions, staged(c, ch)...)
				continue
			}
			plan.Actions = append(plan.Actions, action(c, ch))
		}
		if t := p.w.kindOf(c.Desired.Kind); t.raises {
			for i := range plan.Actions {
				if plan.Actions[i].Op == provider.OpScaleOut {
					plan.Actions[i].AcceptWindow = 2 * t.window
				}
			}
		}
		// Nodes go first, and new ones come at the size that the others have by then.
		order := []provider.Op{provider.OpCreate, provider.OpScaleIn, provider.OpResize, provider.OpScaleOut}
		slices.SortStableFunc(plan.Actions, func(a, b provider.Action) int {
			return cmp.Compare(slices.Index(order, a.Op), slices.Index(order, b.Op))
		})
		resp.Clusters = append(resp.Clusters, plan)
	}
	return resp, nil
}

// wanted is a spec of the model's kinds.
type wanted struct {
	CloudChooses bool `json:"cloud_chooses,omitempty"`
	Groups       map[string]struct {
		Count int64 `json:"count"`
		CPU   int64 `json:"cpu,omitempty"`
	} `json:"node_groups"`
}

const defaultSize = 2

func action(c provider.ClusterChange, ch provider.Change) provider.Action {
	a := provider.Action{Group: ch.Group, Op: ch.Op, Fields: ch.Fields}
	var spec wanted
	_ = json.Unmarshal(c.Desired.Spec, &spec) // the simulation made it
	b := body{Op: ch.Op, Group: ch.Group, Size: max(spec.Groups[ch.Group].CPU, defaultSize)}
	if c.Current != nil {
		b.Cluster = c.Current.ID
	}
	var before, after int64
	if len(ch.Fields) > 0 {
		before, _ = ch.Fields[0].Before.(int64)
		after, _ = ch.Fields[0].After.(int64)
	}
	switch ch.Op {
	case provider.OpCreate:
		b.Name, b.Kind, b.Groups, b.Size = c.Desired.Name, c.Desired.Kind, map[string]int64{}, defaultSize
		for role, g := range spec.Groups {
			b.Groups[role] = g.Count
			b.Size = max(b.Size, g.CPU)
		}
	case provider.OpResize:
		a.From, a.To = map[string]int64{"cpu": before}, map[string]int64{"cpu": after}
	case provider.OpScaleOut:
		a.From, a.To = map[string]int64{"count": before}, map[string]int64{"count": after}
		b.Count = after - before
	case provider.OpScaleIn:
		a.From, a.To = map[string]int64{"count": before}, map[string]int64{"count": after}
		b.Count = before - after
		if ch.Group == "task" || !spec.CloudChooses {
			a.Removes = newest(c.Current, ch.Group, int(b.Count))
			for _, v := range a.Removes {
				b.Victims = append(b.Victims, v.ID)
			}
		}
	}
	a.Request = []byte(b.String())
	return a
}

// staged is a create that makes one group, and a scale-out of the other once
// the cluster has an id.
func staged(c provider.ClusterChange, ch provider.Change) []provider.Action {
	first, later := ch, provider.Change{Group: "task", Op: provider.OpScaleOut}
	first.Fields = nil
	for _, f := range ch.Fields {
		if f.Path == "node_groups.task.count" && f.After != int64(0) {
			f.Path = "count"
			later.Fields = append(later.Fields, f)
			continue
		}
		first.Fields = append(first.Fields, f)
	}
	a := action(c, first)
	if len(later.Fields) == 0 {
		return []provider.Action{a}
	}
	var b body
	_ = json.Unmarshal(a.Request, &b)
	b.Groups["task"] = 0
	a.Request = []byte(b.String())
	return []provider.Action{a, action(c, later)}
}

func newest(s *provider.State, role string, n int) []provider.NodeRef {
	var refs []provider.NodeRef
	for _, g := range s.Groups {
		if g.Role != role {
			continue
		}
		for _, node := range g.Nodes[max(0, len(g.Nodes)-n):] {
			refs = append(refs, provider.NodeRef{ID: node.ID, Created: node.Created})
		}
	}
	return refs
}
