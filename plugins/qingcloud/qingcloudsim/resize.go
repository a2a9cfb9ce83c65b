package qingcloudsim

import (
	"fmt"
	"slices"
)

// wantedSize is a resizeCluster or resizeClusterFee request.
type wantedSize struct {
	cluster *Cluster
	role    string
	nodes   []*Node
	cpu     int
	memory  int
	storage int // GB; 0: leave it
}

// readSize checks the request against the resizeCluster page's table and finds
// the nodes that it is about.
func (c *cloud) readSize(o *object) (wantedSize, *refusal) {
	w := wantedSize{
		role: o.oneOf("node_role", rolesOf(kindEHPC)...), cpu: o.digits("cpu"), memory: o.digits("memory"),
	}
	if w.role == "" {
		o.missing("node_role")
	}
	id, zone := o.mustText("cluster_id"), o.mustText("zone")
	// The resize page's floor is 1 core and 2G for every role, the create
	// page's is higher for compute; both hold.
	o.nodeSize(w.role, w.cpu, w.memory)
	if o.has("storage_size") {
		if w.storage = o.digits("storage_size"); w.storage < 1 {
			o.wrong("storage_size", "a whole number of GB")
		}
	}
	o.text("instance_class")
	o.done("timestamp")
	if *o.bad != nil {
		return w, *o.bad
	}
	w.cluster = c.clusters[id]
	if w.cluster == nil || w.cluster.Zone != zone {
		return w, refuse(codeNotFound, "resource [%s] not found", id)
	}
	if !slices.Contains(rolesOf(w.cluster.ClusterType), w.role) {
		return w, refuse(codeBadValue, "parameter [node_role]: an hpc cluster has login nodes only")
	}
	if w.nodes = w.cluster.role(w.role); len(w.nodes) == 0 {
		return w, refuse(codeNotFound, "resource [%s] has no %s nodes", id, w.role)
	}
	return w, nil
}

// resizeAnswer is the reply of resizeCluster.
type resizeAnswer struct {
	Action     string       `json:"action"`
	JobID      string       `json:"job_id"`
	ResizeInfo []resizeInfo `json:"resize_info"`
	RetCode    int          `json:"ret_code"`
}

type resizeInfo struct {
	CPU           int    `json:"cpu"`
	CPUModel      string `json:"cpu_model"`
	GPU           int    `json:"gpu"`
	Memory        int    `json:"memory"`
	ResourceClass int    `json:"resource_class"`
	Role          string `json:"role"`
	VolumeType    int    `json:"volume_type"`
}

// resourceClass is the one that the resizeCluster page's table shows.
const resourceClass = 6

// resizeCluster changes the size of all nodes of a role. A resize to the size
// that is there already is work like any other.
func (c *cloud) resizeCluster(q request) (any, *refusal) {
	o, bad := bodyObject(q)
	if bad != nil {
		return nil, bad
	}
	w, bad := c.readSize(o)
	q.audit.Group, q.audit.Count = w.role, len(w.nodes)
	if bad != nil {
		return nil, bad
	}
	// One change at a time, on an active cluster (API reference, error codes,
	// 1400: the state of the resource does not allow it; Managing clusters:
	// active is the only usable state).
	if c.busy(w.cluster.ClusterID) {
		return nil, refuse(codeDenied, "resource [%s] has a running operation", w.cluster.ClusterID)
	}
	if w.cluster.ClusterStatus != statusActive {
		return nil, refuse(codeDenied, "resource [%s] is not active", w.cluster.ClusterID)
	}
	job := c.start(q, w.cluster, "HpcClusterResizeCluster", nodeIDs(w.nodes))
	job.Role, job.CPU, job.Memory, job.StorageSize = w.role, w.cpu, w.memory, w.storage
	for _, n := range w.nodes {
		n.TransitionStatus, n.StatusTime = "resizing", c.opts.Now()
	}
	q.audit.Job = job.JobID
	q.audit.Detail = fmt.Sprintf("cpu %d, memory %d", w.cpu, w.memory)
	if w.storage > 0 {
		q.audit.Detail += fmt.Sprintf(", storage_size %d", w.storage)
	}
	return resizeAnswer{"HpcClusterResizeClusterResponse", job.JobID, []resizeInfo{{
		CPU: w.cpu, CPUModel: "CascadeLake", Memory: w.memory, ResourceClass: resourceClass, Role: w.role,
	}}, 0}, nil
}

// feeAnswer is the reply of resizeClusterFee. Assumption: the reply is
// unpublished; price is negative for a refund (resizeCluster page).
type feeAnswer struct {
	Action  string  `json:"action"`
	Price   float64 `json:"price"`
	RetCode int     `json:"ret_code"`
}

// resizeClusterFee prices a resize by the hour: what the nodes will cost less
// what they cost now. The rates are made up.
func (c *cloud) resizeClusterFee(q request) (any, *refusal) {
	w, bad := c.readSize(newObject(q.query))
	if bad != nil {
		return nil, bad
	}
	price := 0
	for _, n := range w.nodes {
		after := *n
		after.CPU, after.Memory = w.cpu, w.memory
		if w.storage > 0 {
			after.StorageSize = w.storage
		}
		price += after.price() - n.price()
	}
	return feeAnswer{"HpcClusterResizeClusterFeeResponse", float64(price) / 1000, 0}, nil
}

// price of a node for an hour, in thousandths: 120 a core, 60 a GB of memory,
// 1 a GB of storage.
func (n *Node) price() int {
	return n.CPU*120 + n.Memory*60/1024 + n.StorageSize
}
