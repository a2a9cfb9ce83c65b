package huawei

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// resizing is a wanted change of the number of nodes of one role.
type resizing struct {
	role     string
	from, to int
	count    []provider.FieldChange // the field "count"; nil: the number stays
	sizes    []provider.FieldChange // fields of a Task node's specification
}

// nouns are the roles as the documents write them.
var nouns = map[string]string{roleCore: "Core", roleTask: "Task"}

// specificationFields are the fields of a Task node's specification.
var specificationFields = []string{"node_size", "data_volume_type", "data_volume_count", "data_volume_size"}

// sort divides a group's fields. Specification fields that the live Task nodes
// contradict are blocked at once, together with growth: new nodes would be of
// the live size and not of the wanted one.
func (p *planner) sort(role string, fields []provider.FieldChange) resizing {
	r := resizing{role: role, from: p.counts[role], to: p.counts[role]}
	var other []provider.FieldChange
	for _, f := range fields {
		to, ok := whole(f.After)
		switch {
		case f.Path == "count" && ok && r.count == nil && to >= 0 && to != r.from:
			r.count, r.to = []provider.FieldChange{f}, to
		case role == roleTask && slices.Contains(specificationFields, f.Path):
			r.sizes = append(r.sizes, f)
		default:
			other = append(other, f)
		}
	}
	if other != nil {
		p.block(role, other, "the resize call cannot change this")
	}
	if len(r.sizes) == 0 {
		return r
	}
	switch {
	case r.from > 0 && r.to > r.from:
		p.block(role, slices.Concat(r.count, r.sizes), "%s; new nodes would be of the live specification: "+
			"state that one, or none, to add nodes", p.contradiction(r.sizes))
		r.count = nil
	case r.from > 0:
		p.block(role, r.sizes, "%s; it can be chosen anew once there are no Task nodes (count: 0)", p.contradiction(r.sizes))
	case r.to == 0:
		p.block(role, r.sizes, "there are no Task nodes; their specification is used when the first are added")
	}
	return r
}

// contradiction says what live Task nodes are and what is wanted.
func (p *planner) contradiction(sizes []provider.FieldChange) string {
	var parts []string
	for _, f := range sizes {
		live := "is not told, or not the same in all"
		if f.Before != nil {
			live = fmt.Sprintf("is %v", f.Before)
		}
		parts = append(parts, fmt.Sprintf("%s of the live Task nodes %s and %v is wanted", f.Path, live, f.After))
	}
	return strings.Join(parts, ", ") + ": a resize cannot change it while Task nodes exist"
}

// action makes the action of r with the call's request.
func (p *planner) action(r resizing, request resize) provider.Action {
	op := provider.OpScaleOut
	if r.to < r.from {
		op = provider.OpScaleIn
	}
	p.counts[r.role] = r.to
	return provider.Action{
		Group: r.role, Op: op,
		From: map[string]int64{"count": int64(r.from)}, To: map[string]int64{"count": int64(r.to)},
		Fields:  slices.Concat(r.count, r.sizes),
		Removes: []provider.NodeRef{},
		Request: provider.Raw(request),
	}
}

// grow adds nodes.
func (p *planner) grow(r resizing) {
	other := roleCore
	if r.role == roleCore {
		other = roleTask
	}
	fields := slices.Concat(r.count, r.sizes)
	spec := p.spec[r.role]
	request := newResize(p.state.ID, r.role, r.to-r.from)
	par := &request.Body.Parameters
	par.SkipBoot, par.NoStart = spec.SkipBoot, spec.NoStart
	if sum := r.to + p.counts[other]; sum > maxNodes {
		p.block(r.role, fields, "the number of %s nodes wanted is %d and that of %s nodes %d, %d together: a cluster has at most %d of both unless Huawei's support raises it",
			nouns[r.role], r.to, nouns[other], p.counts[other], sum, maxNodes)
		return
	}
	for _, flag := range []struct {
		name  string
		value *bool
	}{{"skip_bootstrap_scripts", par.SkipBoot}, {"scale_without_start", par.NoStart}} {
		if flag.value != nil && *flag.value && before172(p.facts.Version) {
			p.block(r.role, fields, "%s needs MRS 1.7.2 or later, and the cluster is %s", flag.name, p.facts.Version)
			return
		}
	}
	reason := ""
	// task_node_info is demanded when there are no Task nodes, and forbidden else.
	if r.role == roleTask && r.from == 0 {
		if spec.NodeSize == "" {
			p.block(r.role, fields, "the cluster has no Task nodes, so the first %d need a specification: state node_groups.task.node_size", r.to)
			return
		}
		par.TaskNode = &spec.taskAttributes
		reason = "there are no Task nodes yet, so the request gives their specification"
	}
	a := p.action(r, request)
	a.Reason = reason
	p.plan.Actions = append(p.plan.Actions, a)
}

// shrink removes nodes.
func (p *planner) shrink(r resizing) {
	fields := r.count
	r.sizes = nil // blocked by now: sort has seen to it
	request := newResize(p.state.ID, r.role, r.to-r.from)
	if r.role == roleCore {
		switch {
		case r.to < minCore:
			p.block(r.role, fields, "%d Core nodes are wanted of %d: removal of Core nodes ends at %d", r.to, r.from, minCore)
			return
		case p.spec[roleCore].ScaleIn != "cloud_chooses":
			p.block(r.role, fields, "Core nodes are to go (live: %d, wanted: %d), and the call cannot name them: "+
				`state node_groups.core.scale_in: "cloud_chooses" to let the cloud choose`, r.from, r.to)
			return
		}
		a := p.action(r, request)
		a.Reason = "the cloud chooses the Core nodes, as the spec permits"
		a.Risk = "Core nodes hold data; it is moved off them before they go"
		p.plan.Actions = append(p.plan.Actions, a)
		return
	}
	victims, reason, fault := p.victims(r)
	if fault != "" {
		p.block(r.role, fields, "%s", fault)
		return
	}
	a := p.action(r, request)
	for _, n := range victims {
		a.Removes = append(a.Removes, provider.NodeRef{ID: n.ID, Name: n.Name, Created: n.Created})
		request.Body.Parameters.ServerIDs = append(request.Body.Parameters.ServerIDs, n.ID)
	}
	a.Request = provider.Raw(request)
	a.Reason = reason
	a.Risk = "work that runs on the removed Task nodes is interrupted"
	p.plan.Actions = append(p.plan.Actions, a)
}

// victims picks the Task nodes to remove: those that the spec names, else the
// first in the order that reason tells. fault says why neither is possible.
func (p *planner) victims(r resizing) (chosen []provider.Node, reason, fault string) {
	n := r.from - r.to
	var nodes []provider.Node
	for _, g := range p.state.Groups {
		if g.Role == roleTask {
			nodes = slices.Clone(g.Nodes)
		}
	}
	named := p.spec[roleTask].ServerIDs
	if len(named) == 0 {
		if len(nodes) != r.from {
			return nil, "", fmt.Sprintf("the cloud's counter of Task nodes is %d and its list of hosts has %d of them, so none can be chosen; "+
				"plan again later or name the hosts in node_groups.task.server_ids", r.from, len(nodes))
		}
		order, reason := removalOrder(nodes)
		slices.SortFunc(nodes, order)
		return nodes[:n], reason, ""
	}
	if len(named) != n {
		return nil, "", fmt.Sprintf("the number of hosts in server_ids is %d, that of Task nodes to remove is %d (live: %d, wanted: %d): "+
			"name as many, or none to leave the choice to the plan", len(named), n, r.from, r.to)
	}
	for _, node := range nodes {
		if slices.Contains(named, node.ID) {
			chosen = append(chosen, node)
		}
	}
	if len(chosen) != n {
		var strange []string
		for i, id := range named {
			live := slices.ContainsFunc(nodes, func(node provider.Node) bool { return node.ID == id })
			if !live || slices.Contains(named[:i], id) {
				strange = append(strange, id)
			}
		}
		return nil, "", "server_ids names hosts that are not live Task nodes, or one twice: " + strings.Join(strange, ", ")
	}
	// The request must not depend on the order in which they are named or listed.
	slices.SortFunc(chosen, func(a, b provider.Node) int { return strings.Compare(a.ID, b.ID) })
	return chosen, "the spec names them in server_ids", ""
}

// removalOrder orders the nodes of which some are to go, and says how. With all
// times of creation known the newest go first. The host list tells none; what it
// does tell is which hosts a resize added: their IDs or names hold node_orderadd
// (MRS API, cluster resize, table 2, node_id). Those are younger than the
// cluster's first hosts; among equals an ID says nothing of age, and the highest
// go first so that the choice is at least foreseeable.
func removalOrder(nodes []provider.Node) (order func(a, b provider.Node) int, reason string) {
	highestID := func(a, b provider.Node) int { return strings.Compare(b.ID, a.ID) }
	dateless := func(n provider.Node) bool { return n.Created.IsZero() }
	if !slices.ContainsFunc(nodes, dateless) {
		return func(a, b provider.Node) int {
			return cmp.Or(b.Created.Compare(a.Created), highestID(a, b))
		}, "the newest go, as the spec names none in server_ids"
	}
	return func(a, b provider.Node) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), highestID(a, b))
	}, "server_ids names none and the cloud tells no creation times: hosts added by a resize go first, then the highest ids"
}

// rank is 0 for a host that a resize added and 1 for the others.
func rank(n provider.Node) int {
	if strings.Contains(strings.ReplaceAll(strings.ToLower(n.ID+" "+n.Name), "-", "_"), orderNode) {
		return 0
	}
	return 1
}
