package huawei

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Words of the resize call (MRS API, cluster resize, table 2). The group names
// are those to write; they differ from those that are read.
const (
	scaleIn   = "scale_in"
	scaleOut  = "scale_out"
	orderNode = "node_orderadd"
	coreGroup = "core_node_default_group"
	taskGroup = "task_node_default_group"
)

// maxNodes is how many Core and Task nodes a cluster may have together; minCore
// is where the removal of Core nodes ends (same table, instances).
const (
	maxNodes = 500
	minCore  = 3
)

// resize is an action's request: all but signature and time. Its JSON is
// canonical: fixed order of fields, nothing optional that is not meant.
type resize struct {
	Kind      string     `json:"kind"`
	ClusterID string     `json:"cluster_id"`
	Body      resizeBody `json:"body"`
}

// resizeBody is the call's body with the reserved members as empty strings,
// as all of the document's examples have them.
type resizeBody struct {
	ServiceID      string         `json:"service_id"`
	PlanID         string         `json:"plan_id"`
	Parameters     parameters     `json:"parameters"`
	PreviousValues previousValues `json:"previous_values"`
}

type previousValues struct {
	PlanID string `json:"plan_id"`
}

type parameters struct {
	OrderID   string          `json:"order_id"`
	ScaleType string          `json:"scale_type"`
	NodeID    string          `json:"node_id"`
	NodeGroup string          `json:"node_group"`
	TaskNode  *taskAttributes `json:"task_node_info,omitempty"`
	Instances string          `json:"instances"` // a number of nodes more or less, as a string
	SkipBoot  *bool           `json:"skip_bootstrap_scripts,omitempty"`
	NoStart   *bool           `json:"scale_without_start,omitempty"`
	ServerIDs []string        `json:"server_ids,omitempty"`
}

// newResize makes a request for delta nodes more (or less, when negative).
func newResize(clusterID, role string, delta int) resize {
	p := parameters{ScaleType: scaleOut, NodeID: orderNode, NodeGroup: coreGroup}
	if role == roleTask {
		p.NodeGroup = taskGroup
	}
	if delta < 0 {
		p.ScaleType, delta = scaleIn, -delta
	}
	p.Instances = strconv.Itoa(delta)
	return resize{Kind: kindMRS, ClusterID: clusterID, Body: resizeBody{Parameters: p}}
}

// parseResize reads and checks a request that Plan made, perhaps in an earlier
// process or version.
func parseResize(b []byte) (resize, *provider.Error) {
	var r resize
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	err := dec.Decode(&r)
	if err == nil {
		if _, rest := dec.Token(); rest != io.EOF {
			err = errors.New("something follows it")
		}
	}
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return r, provider.Errorf(provider.KindInvalid, "the request is not one of this plugin's: %w", err)
	}
	return r, nil
}

// check holds a request against the document.
func (r resize) check() error {
	p := r.Body.Parameters
	in, task := p.ScaleType == scaleIn, p.NodeGroup == taskGroup
	n, err := strconv.Atoi(p.Instances)
	switch {
	case r.Kind != kindMRS:
		return fmt.Errorf("kind is %q", r.Kind)
	case !clusterIDPattern.MatchString(r.ClusterID):
		return fmt.Errorf("cluster_id is %q", r.ClusterID)
	case p.ScaleType != scaleIn && p.ScaleType != scaleOut:
		return fmt.Errorf("scale_type is %q", p.ScaleType)
	case p.NodeID != orderNode:
		return fmt.Errorf("node_id is %q", p.NodeID)
	case p.NodeGroup != coreGroup && p.NodeGroup != taskGroup:
		return fmt.Errorf("node_group is %q", p.NodeGroup)
	case err != nil || n < 1 || n > maxNodes || strconv.Itoa(n) != p.Instances:
		return fmt.Errorf("instances is %q", p.Instances)
	case p.TaskNode != nil && (in || !task || p.TaskNode.NodeSize == ""):
		return errors.New("task_node_info is out of place or has no node_size")
	case p.ServerIDs != nil && (!in || !task || len(p.ServerIDs) != n || slices.Contains(p.ServerIDs, "")):
		return errors.New("server_ids is out of place or not as long as instances")
	case in && (p.SkipBoot != nil || p.NoStart != nil):
		return errors.New("flags for new nodes stand in a removal")
	case r.Body.ServiceID+r.Body.PlanID+p.OrderID+r.Body.PreviousValues.PlanID != "":
		return errors.New("a reserved member is set")
	}
	return nil
}
