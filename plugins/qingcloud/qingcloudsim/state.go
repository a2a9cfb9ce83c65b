package qingcloudsim

import "time"

// State is the whole account, as State and Restore write and read it and as
// tests write it by hand. A cluster needs cluster_id, cluster_name, zone and
// owner, a node needs role, cpu and memory; Restore fills in the rest. Unknown
// fields are errors, and there is no field for a password.
type State struct {
	// NextID counts the ids handed out. It only rises, also past the ids of
	// hand-written states, so that no id is ever used twice.
	NextID int `json:"next_id"`
	// RequestLimit is how many requests a user may send in 3600 seconds; 0 is
	// the documented 2000, a negative number takes the limit away.
	RequestLimit int `json:"request_limit"`
	// Requests counts towards that limit. Counting does not raise the version,
	// so a saved state may hold an older count.
	Requests Requests   `json:"requests"`
	Clusters []*Cluster `json:"clusters"` // oldest first
	Jobs     []*Job     `json:"jobs"`     // oldest first
}

// Requests is the running window of the request limit.
type Requests struct {
	Since time.Time `json:"since"`
	Count int       `json:"count"`
}

// Cluster is one HPC or EHPC cluster.
type Cluster struct {
	ClusterID    string `json:"cluster_id"`     // "ehpc-…" or "hpc-…"
	AppClusterID string `json:"app_cluster_id"` // "cl-…", the cluster_id of its nodes
	ClusterName  string `json:"cluster_name"`   // not unique
	ClusterType  string `json:"cluster_type"`   // "ehpc" or "hpc"; default: as the id says
	// ClusterStatus: creating, installing, initialising, active, abnormal,
	// stopped, suspended; default active.
	ClusterStatus string    `json:"cluster_status"`
	Zone          string    `json:"zone"`
	Owner         string    `json:"owner"`
	DeployMode    string    `json:"deploy_mode"` // "1" (default) standard, "2" compact
	VersionID     string    `json:"version_id"`
	VxnetID       string    `json:"vxnet_id"`
	NasID         string    `json:"nas_id"`
	Description   string    `json:"description"` // default: one space, as the cloud shows it
	PaidType      string    `json:"paid_type"`   // default PayForUsed
	Duration      int       `json:"duration"`
	IsAutoRenewal int       `json:"is_auto_renewal"`
	SchedulerType string    `json:"scheduler_type"`
	UIDNumber     int       `json:"uid_number"`
	GIDNumber     int       `json:"gid_number"`
	Env           Env       `json:"env"`
	CreateTime    time.Time `json:"create_time"` // default: the time of Restore
	Nodes         []*Node   `json:"nodes"`       // oldest first
}

// Env is cluster_conf.env without its password, under the names that the node
// list shows (an underscore for the dot).
type Env struct {
	AdminUser    string `json:"admin_user"`
	AdminUserID  int    `json:"admin_user_id"`
	AdminGroupID int    `json:"admin_group_id"`
	NasPath      string `json:"nas_path"`
	NFSNeed      int    `json:"nfs_need"`
	NFSDNS       string `json:"nfs_dns"`
	NFSExport    string `json:"nfs_export"`
	StartHookOn  int    `json:"start_hook_on"`
	NFSLocal     string `json:"nfs_local"`
	NFSNetwork   string `json:"nfs_network"`
}

// Node is one node of a cluster.
type Node struct {
	NodeID           string    `json:"node_id"` // "cln-…"
	Role             string    `json:"role"`    // login, controller, compute
	CPU              int       `json:"cpu"`
	Memory           int       `json:"memory"`            // MB
	StorageSize      int       `json:"storage_size"`      // GB
	Status           string    `json:"status"`            // pending while it is made, then active (default)
	TransitionStatus string    `json:"transition_status"` // creating, resizing, updating; empty when quiet
	Name             string    `json:"name"`
	PrivateIP        string    `json:"private_ip"`
	NasMountPoint    string    `json:"nas_mount_point"`
	CreateTime       time.Time `json:"create_time"` // default: the cluster's
	StatusTime       time.Time `json:"status_time"` // default: create_time
}

// Job is one entry of the operation log: work that runs, or ran.
type Job struct {
	JobID      string    `json:"job_id"`
	JobAction  string    `json:"job_action"`
	ClusterID  string    `json:"cluster_id"`
	Zone       string    `json:"zone"`
	Owner      string    `json:"owner"`
	Status     string    `json:"status"` // pending, successful, failed
	ErrorCodes string    `json:"error_codes"`
	CreateTime time.Time `json:"create_time"`
	StatusTime time.Time `json:"status_time"`
	EndTime    time.Time `json:"end_time"` // when it ends, or should have
	Nodes      []string  `json:"nodes"`    // ids it works on, in this order
	Done       int       `json:"done"`     // stages (create) or nodes (resize) behind it
	Fate       string    `json:"fate"`     // job_fails or job_partial, injected
	// The size that a resize sets; a storage_size of 0 leaves the storage alone.
	Role        string `json:"role,omitempty"`
	CPU         int    `json:"cpu,omitempty"`
	Memory      int    `json:"memory,omitempty"`
	StorageSize int    `json:"storage_size,omitempty"`
}

// Kinds of cluster and roles of nodes (createCluster, cluster_conf).
const (
	kindHPC        = "hpc"
	kindEHPC       = "ehpc"
	roleLogin      = "login"
	roleController = "controller"
	roleCompute    = "compute"
)

// Statuses. The list's filter knows pending, active, stopped and suspended;
// the console shows the three stages of a creation and abnormal (Managing
// clusters, view cluster). Assumption: cluster_status carries the console's.
const (
	statusCreating     = "creating"
	statusInstalling   = "installing"
	statusInitialising = "initialising"
	statusActive       = "active"
	statusAbnormal     = "abnormal"
	statusStopped      = "stopped"
	statusSuspended    = "suspended"
	statusPending      = "pending"
	jobSuccessful      = "successful"
	jobFailed          = "failed"
)

// role returns the cluster's nodes of one role, oldest first.
func (cl *Cluster) role(name string) []*Node {
	var nodes []*Node
	for _, n := range cl.Nodes {
		if n.Role == name {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func (cl *Cluster) node(id string) *Node {
	for _, n := range cl.Nodes {
		if n.NodeID == id {
			return n
		}
	}
	return nil
}

func nodeIDs(nodes []*Node) []string {
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = n.NodeID
	}
	return ids
}
