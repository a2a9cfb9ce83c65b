package huawei

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// groupSpec is what Plan reads of a node group in the spec.
type groupSpec struct {
	ScaleIn   string   `json:"scale_in"`
	ServerIDs []string `json:"server_ids"`
	SkipBoot  *bool    `json:"skip_bootstrap_scripts"`
	NoStart   *bool    `json:"scale_without_start"`
	taskAttributes
}

// planner works out one cluster's plan.
type planner struct {
	spec  map[string]groupSpec
	state *provider.State
	facts facts
	// counts are the nodes of each role as they will be when the actions so
	// far are done.
	counts map[string]int
	plan   provider.ClusterPlan
}

// Plan implements provider.Provider. An action depends on nothing but its own
// group and the sum, so that it comes out the same when it is planned again
// after the actions before it.
func (*Provider) Plan(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	resp := provider.PlanResponse{Clusters: make([]provider.ClusterPlan, 0, len(req.Clusters))}
	for _, c := range req.Clusters {
		if err := ctx.Err(); err != nil {
			return provider.PlanResponse{}, err
		}
		plan, err := planCluster(c)
		if err != nil {
			return provider.PlanResponse{}, fmt.Errorf("plan %s: %w", c.Desired.Address, err)
		}
		resp.Clusters = append(resp.Clusters, plan)
	}
	return resp, nil
}

func planCluster(c provider.ClusterChange) (provider.ClusterPlan, error) {
	var spec struct {
		NodeGroups map[string]groupSpec `json:"node_groups"`
	}
	if err := json.Unmarshal(c.Desired.Spec, &spec); err != nil {
		return provider.ClusterPlan{}, provider.Errorf(provider.KindInvalid, "spec: %w", err)
	}
	p := &planner{spec: spec.NodeGroups, state: c.Current, counts: map[string]int{}}
	groups, fields := byGroup(c.Changes)
	if c.Current == nil {
		for _, group := range groups {
			p.block(group, fields[group], "no such cluster is live, and this provider resizes clusters only: create it in the console or with "+
				"CreateCluster (POST /v2/{project_id}/clusters)")
		}
		return p.plan, nil
	}
	if len(c.Current.Attributes) > 0 {
		if err := json.Unmarshal(c.Current.Attributes, &p.facts); err != nil {
			return provider.ClusterPlan{}, provider.Errorf(provider.KindInvalid, "live attributes: %w", err)
		}
	}
	for _, g := range c.Current.Groups {
		p.counts[g.Role] = g.Count
	}
	wholly := p.refusal()
	var shrinks, grows []resizing
	for _, group := range groups {
		switch {
		case group == roleMaster:
			p.master(fields[group])
		case group != roleCore && group != roleTask:
			p.block(group, fields[group], "the resize call changes the numbers of Core and Task nodes and nothing else")
		case wholly != "":
			p.block(group, fields[group], wholly)
		default:
			r := p.sort(group, fields[group])
			if r.count == nil {
				continue
			}
			if r.to < r.from {
				shrinks = append(shrinks, r)
			} else {
				grows = append(grows, r)
			}
		}
	}
	// Removal first: near 500 nodes there is room only after it.
	for _, r := range inOrder(shrinks, roleTask) {
		p.shrink(r)
	}
	for _, r := range inOrder(grows, roleCore) {
		p.grow(r)
	}
	if len(p.plan.Actions) > 0 && p.facts.Type != nil && *p.facts.Type == typeMixed {
		p.plan.Warnings = append(p.plan.Warnings,
			"a mixed cluster has analysis and streaming groups of one role, and the documents do not say which of them a resize changes")
	}
	return p.plan, nil
}

// byGroup collects the fields of each group over all changes, in the order in
// which groups first come.
func byGroup(changes []provider.Change) ([]string, map[string][]provider.FieldChange) {
	var groups []string
	fields := map[string][]provider.FieldChange{}
	for _, change := range changes {
		if _, ok := fields[change.Group]; !ok {
			groups = append(groups, change.Group)
		}
		fields[change.Group] = append(fields[change.Group], change.Fields...)
	}
	return groups, fields
}

// inOrder puts the role that goes first in front.
func inOrder(list []resizing, first string) []resizing {
	slices.SortFunc(list, func(a, b resizing) int {
		switch {
		case a.role == b.role:
			return 0
		case a.role == first:
			return -1
		}
		return 1
	})
	return list
}

func (p *planner) block(group string, fields []provider.FieldChange, format string, args ...any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	p.plan.Blocked = append(p.plan.Blocked, provider.Blocked{Group: group, Fields: slices.Clone(fields), Reason: format})
}

// refusal says why the cluster takes no resize at all, or nothing. A busy
// cluster is not refused: the engine waits for it.
func (p *planner) refusal() string {
	switch {
	case p.facts.Type != nil && *p.facts.Type == typeCustom:
		return "the cluster is a custom one (type 3), which the resize call does not take; " +
			"ExpandCluster and ShrinkCluster (POST /v2/{project_id}/clusters/{cluster_id}/expand and /shrink) could"
	case yearlyMonthly(p.facts.Billing):
		return fmt.Sprintf("the cluster is paid by the year or month (%s), and such clusters cannot be resized by this call (code 12000065)", p.facts.Billing)
	case p.state.Status == provider.StatusBroken:
		return fmt.Sprintf("the cluster is %s: only a running cluster can be resized, repair it first", p.state.StatusText)
	}
	return ""
}

// master blocks whatever is wanted of the Master nodes.
func (p *planner) master(fields []provider.FieldChange) {
	for _, f := range fields {
		to, ok := whole(f.After)
		switch have := p.counts[roleMaster]; {
		case f.Path != "count" || !ok:
			p.block(roleMaster, []provider.FieldChange{f}, "nothing of the Master nodes can be changed by the resize call")
		case to > have:
			p.block(roleMaster, []provider.FieldChange{f}, "the cluster has %d Master nodes and %d are wanted: the resize call takes Core and Task nodes only; "+
				"ExpandCluster (POST /v2/{project_id}/clusters/{cluster_id}/expand) could add Master nodes", have, to)
		default:
			p.block(roleMaster, []provider.FieldChange{f}, "the cluster has %d Master nodes and %d are wanted: the resize call takes Core and Task nodes only, "+
				"and no call removes Master nodes", have, to)
		}
	}
}

// whole reads a count, which is an int64 in the host's process and may be a
// float64 after JSON.
func whole(v any) (int, bool) {
	switch v := v.(type) {
	case int64:
		return int(v), true
	case int:
		return v, true
	case float64:
		return int(v), v == float64(int(v))
	case json.Number:
		n, err := strconv.Atoi(v.String())
		return n, err == nil
	}
	return 0, false
}

var versionPattern = regexp.MustCompile(`([0-9]+)\.([0-9]+)(?:\.([0-9]+))?`)

// before172 reports whether a version such as "MRS 1.6.3" is known to be older
// than the first that knows the two flags (MRS API, cluster resize, table 2).
func before172(version string) bool {
	m := versionPattern.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	var have [3]int
	for i, part := range m[1:] {
		have[i], _ = strconv.Atoi(part) // an absent third part is 0
	}
	return slices.Compare(have[:], []int{1, 7, 2}) < 0
}
