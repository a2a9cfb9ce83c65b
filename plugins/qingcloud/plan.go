package qingcloud

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Plan implements provider.Provider. It reads nothing but its arguments and the
// entry's settings.
func (p *plugin) Plan(_ context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	a, err := p.configured()
	if err != nil {
		return provider.PlanResponse{}, err
	}
	var resp provider.PlanResponse
	hpc := ownersHPC(req.Clusters)
	for _, c := range req.Clusters {
		s, err := parseSpec(c.Desired)
		if err != nil {
			return provider.PlanResponse{}, provider.Errorf(provider.KindInvalid, "%w", err)
		}
		var plan provider.ClusterPlan
		switch {
		case c.Current != nil:
			plan = a.planChanges(c, s)
		case c.Desired.ID != "":
			plan = blockAll(c, fmt.Sprintf("there is no cluster %s, and a cluster with an id is never created", c.Desired.ID))
		case c.Desired.Kind == kindHPC && c.Desired.Address != hpc:
			plan = blockAll(c, fmt.Sprintf("QingCloud lets a user have one hpc cluster only, and %s is it", hpc))
		default:
			plan = a.planCreate(c, s)
		}
		resp.Clusters = append(resp.Clusters, plan)
	}
	return resp, nil
}

// ownersHPC is the address of the one hpc cluster that a user may have: a live
// one, else the first to be created ("a user may have one hpc cluster only",
// EHPC quick start, creating a cluster).
func ownersHPC(clusters []provider.ClusterChange) string {
	var address string
	for _, c := range clusters {
		switch {
		case c.Desired.Kind != kindHPC:
		case c.Current != nil:
			return c.Desired.Address
		case address == "" && c.Desired.ID == "":
			address = c.Desired.Address
		}
	}
	return address
}

// wanted is one differing field, its path taken apart.
type wanted struct {
	group string
	provider.FieldChange
}

// wantedFields lists the fields of all changes. Those of a create stand under
// the cluster with the whole path.
func wantedFields(changes []provider.Change) []wanted {
	var fields []wanted
	for _, c := range changes {
		for _, f := range c.Fields {
			w := wanted{group: c.Group, FieldChange: f}
			if rest, ok := strings.CutPrefix(f.Path, "node_groups."); ok && c.Group == "" {
				w.group, w.Path, _ = strings.Cut(rest, ".")
			}
			fields = append(fields, w)
		}
	}
	return fields
}

func blockAll(c provider.ClusterChange, reason string) provider.ClusterPlan {
	var plan provider.ClusterPlan
	for _, change := range c.Changes {
		plan.Blocked = append(plan.Blocked, provider.Blocked{Group: change.Group, Fields: change.Fields, Reason: reason})
	}
	return plan
}

// planChanges sorts the differences of a live cluster: sizes are resized, one
// action per group, everything else is blocked.
func (a *account) planChanges(c provider.ClusterChange, s spec) provider.ClusterPlan {
	var plan provider.ClusterPlan
	sizes := map[string][]provider.FieldChange{}
	for _, w := range wantedFields(c.Changes) {
		if w.group != "" && slices.Contains(sizeFields, w.Path) {
			sizes[w.group] = append(sizes[w.group], w.FieldChange)
			continue
		}
		plan.Blocked = append(plan.Blocked, provider.Blocked{
			Group: w.group, Fields: []provider.FieldChange{w.FieldChange}, Reason: whyNot(c, w),
		})
	}
	for _, role := range sortedRoles(sizes) {
		r, reason := a.resizeOf(c, s, role, sizes[role])
		if reason != "" {
			plan.Blocked = append(plan.Blocked, provider.Blocked{Group: role, Fields: sizes[role], Reason: reason})
			continue
		}
		plan.Actions = append(plan.Actions, r.action)
		plan.Warnings = append(plan.Warnings, r.warnings...)
	}
	return plan
}

// sortedRoles orders groups as roles does, unknown ones last.
func sortedRoles[T any](groups map[string]T) []string {
	var names []string
	for name := range groups {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(uint(slices.Index(roles, a)), uint(slices.Index(roles, b))), cmp.Compare(a, b))
	})
	return names
}

// whyNot says why a difference of a live cluster cannot be settled.
func whyNot(c provider.ClusterChange, w wanted) string {
	before, after := show(w.Before), show(w.After)
	switch {
	case w.group != "" && w.Path == "count":
		return whyNotCount(c.Desired.Kind, w)
	case w.group != "":
		return fmt.Sprintf("%s of %s nodes is %s and should be %s: no EHPC call changes it in place; it needs a new cluster",
			w.Path, w.group, before, after)
	}
	return fmt.Sprintf("%s is %s and should be %s: no EHPC call changes it in place; it needs a new cluster", w.Path, before, after)
}

func whyNotCount(kind string, w wanted) string {
	before, _ := toWhole(w.Before)
	after, _ := toWhole(w.After)
	facts := fmt.Sprintf("%d %s %s live, %d wanted: resizeCluster changes the size of nodes, not their number; ",
		before, w.group, plural(before), after)
	switch {
	case w.group == "controller":
		return facts + "no EHPC call changes the number of controller nodes"
	case kind == kindHPC && w.group != "login":
		return facts + "an hpc cluster has login nodes only"
	case after > before:
		return facts + "addNodes could add them, but it is not offered yet"
	}
	return facts + "deleteNodes could remove them, but it is not offered yet"
}

func plural(n int64) string {
	if n == 1 {
		return "node"
	}
	return "nodes"
}

// toWhole reads a number as it comes over the wire or from a file.
func toWhole(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		return int64(v), float64(int64(v)) == v
	}
	return 0, false
}

// show prints a value for people.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "not readable"
	case string:
		return fmt.Sprintf("%q", v)
	}
	if n, ok := toWhole(v); ok {
		return fmt.Sprint(n)
	}
	return fmt.Sprint(v)
}
