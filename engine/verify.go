package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// verify compares the cluster with the spec once more, on the action's own
// paths, and tells what else moved since the read that the send stood on.
func (c *clusterRun) verify(ctx context.Context, act *Action, before *provider.State, out *Outcome) {
	o, ok := c.read(ctx)
	if !ok {
		return
	}
	if o.Cluster == nil {
		out.Detail += "; it could not be read once more to compare it with the spec"
		return
	}
	if moved := elsewhere(before, o.Cluster, act.Group); len(moved) > 0 {
		out.Foreign = append(out.Foreign, moved...)
		out.Detail += "; meanwhile in other groups: " + strings.Join(moved, ", ")
	}
	diff, err := Diff(c.cluster(), o.Cluster)
	if err != nil {
		out.Detail += "; " + err.Error()
		return
	}
	own := map[string]bool{}
	for _, f := range act.Fields {
		path := groupPath(act.Group, f.Path)
		// A new cluster begins with what others keep, and they may be at work already.
		group, field := splitPath(path)
		rules := c.planned.Rules.Groups[group]
		ranged := act.Op == provider.OpCreate && field == "count" && rules.Count != nil
		if rules.OwnedBy[field] == "" && !ranged {
			own[path] = true
		}
	}
	note := func(group string, fields []provider.FieldChange) {
		for _, f := range fields {
			if f.Path = groupPath(group, f.Path); own[f.Path] {
				out.Differs = append(out.Differs, f)
			}
		}
	}
	for _, change := range diff.Changes {
		note(change.Group, change.Fields)
	}
	for _, b := range diff.Blocked {
		note(b.Group, b.Fields)
	}
	if len(out.Differs) > 0 {
		out.Detail += fmt.Sprintf("; but plugin %s still reports %s as %s, not %s", c.entry.Description.Name,
			out.Differs[0].Path, show(out.Differs[0].Before), show(out.Differs[0].After))
	}
}

// elsewhere lists the nodes that came or went in the groups that an action was
// not about, as "+task/n7" and "-task/n3".
func elsewhere(before, after *provider.State, group string) []string {
	if before == nil || group == "" {
		return nil
	}
	var moved []string
	was, is := nodesByRole(before), nodesByRole(after)
	for _, g := range slices.Concat(before.Groups, after.Groups) {
		role := g.Role
		if role == group {
			continue
		}
		for _, id := range minus(is[role], was[role]) {
			moved = append(moved, "+"+role+"/"+id)
		}
		for _, id := range minus(was[role], is[role]) {
			moved = append(moved, "-"+role+"/"+id)
		}
		is[role], was[role] = nil, nil // told
	}
	return moved
}

func nodesByRole(s *provider.State) map[string][]string {
	roles := map[string][]string{}
	for _, g := range s.Groups {
		roles[g.Role] = nodeIDs(g)
	}
	return roles
}
