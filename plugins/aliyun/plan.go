package aliyun

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Plan implements provider.Provider. The one action there is adds workers; a
// change it cannot make is blocked with the call that could. Whether the
// cluster is running is the engine's to wait for: the action is the same.
func (p *plugin) Plan(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	resp := provider.PlanResponse{Clusters: make([]provider.ClusterPlan, 0, len(req.Clusters))}
	for _, cc := range req.Clusters {
		if err := ctx.Err(); err != nil {
			return provider.PlanResponse{}, err
		}
		plan, err := p.planCluster(cc)
		if err != nil {
			return provider.PlanResponse{}, provider.Errorf(provider.KindInvalid, "plan %s: %w", cc.Desired.Address, err)
		}
		resp.Clusters = append(resp.Clusters, plan)
	}
	return resp, nil
}

func (p *plugin) planCluster(cc provider.ClusterChange) (provider.ClusterPlan, error) {
	if reason := unfit(cc.Desired, cc.Current); reason != "" {
		return blockAll(cc.Changes, reason), nil
	}
	var plan provider.ClusterPlan
	var counts []provider.FieldChange
	for _, change := range cc.Changes {
		for _, field := range change.Fields {
			if change.Group == groupWorker && field.Path == fieldCount {
				counts = append(counts, field)
				continue
			}
			plan.Blocked = append(plan.Blocked, provider.Blocked{
				Group: change.Group, Fields: []provider.FieldChange{field},
				Reason: fmt.Sprintf("%s cannot be changed in place: ScaleOutCluster only adds workers", field.Path),
			})
		}
	}
	if len(counts) == 0 {
		return plan, nil
	}
	w, err := parseWorkers(cc.Desired)
	if err != nil {
		return plan, err
	}
	have := liveWorkers(cc.Current)
	if w.count <= have {
		why := "ScaleOutCluster only adds nodes; DeleteClusterNodes could remove them, which this plugin does not call"
		if w.count == have {
			why = "there is nothing to add"
		}
		reason := fmt.Sprintf("%d %s wanted and %d %s live: %s",
			w.count, agree(w.count, "worker is", "workers are"), have, agree(have, "is", "are"), why)
		plan.Blocked = append(plan.Blocked, provider.Blocked{Group: groupWorker, Fields: counts, Reason: reason})
		return plan, nil
	}
	action, err := p.growth(cc, w, have)
	if err != nil {
		return plan, err
	}
	action.Fields = counts
	plan.Actions = append(plan.Actions, action)
	return plan, nil
}

// agree is the form of a word that goes with a number.
func agree(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// growth is the action that takes the workers from have to w.count.
func (p *plugin) growth(cc provider.ClusterChange, w workersSpec, have int64) (provider.Action, error) {
	*w.body.fields().count = w.count - have
	raw, err := encode(w.body)
	if err != nil {
		return provider.Action{}, err
	}
	request, err := encode(scaleOut{
		Action: actionScaleOut, Kind: cc.Desired.Kind, ClusterID: cc.Current.ID, Body: raw,
	})
	if err != nil {
		return provider.Action{}, err
	}
	action := provider.Action{
		Group:        groupWorker,
		Op:           provider.OpScaleOut,
		From:         map[string]int64{fieldCount: have},
		To:           map[string]int64{fieldCount: w.count},
		Removes:      []provider.NodeRef{},
		Request:      request,
		AcceptWindow: p.window(w.body),
	}
	if w.password {
		action.Secrets = []string{secretPassword}
	}
	return action, nil
}

// window is how long an edge scale-out may still have an effect when its
// timeout_mins is longer than the kind's window. A simulator's clocks replace
// both.
func (p *plugin) window(b body) time.Duration {
	edge, ok := b.(*edgeBody)
	if !ok || p.session != nil && p.timing != nil {
		return 0
	}
	// No document bounds the minutes; a year is long enough and cannot overflow.
	if timeout := time.Duration(min(edge.TimeoutMins, 365*24*60)) * time.Minute; timeout > acceptWindow {
		return timeout
	}
	return 0
}

// unfit says why no change of the cluster can be made, or nothing.
func unfit(want provider.Desired, live *provider.State) string {
	if _, err := newBody(want.Kind); err != nil {
		return err.Error()
	}
	if live == nil {
		by := "has the name " + want.Name
		if want.ID != "" {
			by = "has the id " + want.ID
		}
		return "no live cluster " + by + ": ScaleOutCluster adds nodes to clusters that exist; creation is not offered"
	}
	profile := liveProfile(live)
	switch {
	case profile == "":
		return "" // not told
	case want.Kind == kindEdge && profile != profileEdge:
		return fmt.Sprintf("the cluster's profile is %s, not %s: it takes no edge workers; kind %s may be meant",
			profile, profileEdge, kindSandbox)
	case want.Kind == kindSandbox && profile == profileEdge:
		return fmt.Sprintf("the cluster's profile is %s: it takes edge workers only; kind %s may be meant", profile, kindEdge)
	case want.Kind == kindSandbox && profile != profileDefault:
		return fmt.Sprintf("the cluster's profile is %s: it takes no sandboxed-container workers", profile)
	}
	return ""
}

func blockAll(changes []provider.Change, reason string) provider.ClusterPlan {
	var plan provider.ClusterPlan
	for _, change := range changes {
		plan.Blocked = append(plan.Blocked, provider.Blocked{Group: change.Group, Fields: change.Fields, Reason: reason})
	}
	return plan
}

// workersSpec is the worker group as the spec wants it.
type workersSpec struct {
	count    int64 // total
	password bool  // login_password, not key_pair
	body     body
}

// parseWorkers reads the group into the body it becomes: the spec's names are
// the call's names. Only count means something else, and the password is a
// reference that must not get into the request.
func parseWorkers(want provider.Desired) (workersSpec, error) {
	var spec struct {
		NodeGroups map[string]map[string]json.RawMessage `json:"node_groups"`
	}
	if err := json.Unmarshal(want.Spec, &spec); err != nil {
		return workersSpec{}, fmt.Errorf("spec: %w", err)
	}
	group := spec.NodeGroups[groupWorker]
	_, password := group[fieldPassword]
	delete(group, fieldPassword)
	raw, err := json.Marshal(group)
	if err != nil {
		return workersSpec{}, err
	}
	b, err := newBody(want.Kind)
	if err != nil {
		return workersSpec{}, err
	}
	if err := decodeStrict(raw, b); err != nil {
		return workersSpec{}, fmt.Errorf("node_groups.worker: %w", err)
	}
	return workersSpec{count: *b.fields().count, password: password, body: b}, nil
}

func liveWorkers(live *provider.State) int64 {
	for _, group := range live.Groups {
		if group.Role == groupWorker {
			return int64(group.Count)
		}
	}
	return 0
}

func liveProfile(live *provider.State) string {
	var attributes struct {
		Profile string `json:"profile"`
	}
	if json.Unmarshal(live.Attributes, &attributes) != nil {
		return "" // none were read
	}
	return attributes.Profile
}
