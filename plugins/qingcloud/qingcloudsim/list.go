package qingcloudsim

import "slices"

// listAnswer is the reply of list.
type listAnswer struct {
	Action     string        `json:"action"`
	ClusterSet []clusterItem `json:"cluster_set"`
	TotalCount int           `json:"total_count"`
	RetCode    int           `json:"ret_code"`
}

// clusterItem is one cluster, in the spelling of the page's example (its table
// misspells four names).
type clusterItem struct {
	ClusterID         string      `json:"cluster_id"`
	AppClusterID      string      `json:"app_cluster_id"`
	ClusterName       string      `json:"cluster_name"`
	ClusterType       string      `json:"cluster_type"`
	ClusterStatus     string      `json:"cluster_status"`
	CreateTime        string      `json:"create_time"`
	Description       string      `json:"description"`
	NasID             string      `json:"nas_id"`
	NasMountPoint     string      `json:"nas_mount_point"`
	NasPath           string      `json:"nas_path"`
	NasSharedPath     string      `json:"nas_shared_path"`
	PaidType          string      `json:"paid_type"`
	SchedulerType     string      `json:"scheduler_type"`
	TotalNodeCount    int         `json:"total_node_count"`
	ClusterSW         []string    `json:"cluster_sw"`
	ProjectInfo       projectInfo `json:"project_info"`
	CPUHours          float64     `json:"cpu_hours"`
	MemHours          float64     `json:"mem_hours"`
	RunningJobCount   int         `json:"running_job_count"` // of the scheduler, which is not simulated
	PendingJobCount   int         `json:"pending_job_count"`
	FinishedJobCount  int         `json:"finished_job_count"`
	StoppedJobCount   int         `json:"stopped_job_count"`
	DeletedJobCount   int         `json:"deleted_job_count"`
	AppClusterDetails *appCluster `json:"app_cluster,omitempty"` // with verbose=1
}

type projectInfo struct {
	SharedStatus string `json:"shared_status"`
	ProjectRole  string `json:"project_role"`
}

// appCluster is the underlying cluster. Assumption: its fields are unpublished.
type appCluster struct {
	ClusterID  string `json:"cluster_id"` // "cl-…"
	Name       string `json:"name"`
	AppVersion string `json:"app_version"`
	VxnetID    string `json:"vxnet_id"`
}

// list lists the clusters of one owner in one zone.
func (c *cloud) list(q request) (any, *refusal) {
	o := newObject(q.query)
	at := place{o.mustText("zone"), o.mustText("owner")}
	id, kind := o.text("cluster_id"), o.oneOf("cluster_type", kindHPC, kindEHPC)
	status := o.oneOf("status", statusPending, statusActive, statusStopped, statusSuspended)
	p := readPaging(o, "create_time", "cluster_name", "cluster_id")
	o.done("run_user", "shared_status") // whose projects: there is one user
	if *o.bad != nil {
		return nil, *o.bad
	}
	all := c.places[at]
	if id != "" {
		all = nil
		if cl := c.clusters[id]; cl != nil && cl.Zone == at.zone && cl.Owner == at.owner {
			all = []*Cluster{cl}
		}
	}
	all = filter(all, kind == "" && status == "" && p.word == "", func(cl *Cluster) bool {
		return (kind == "" || cl.ClusterType == kind) && cl.listedAs(status) && p.finds(cl.ClusterName)
	})
	all = sorted(all, map[string]func(*Cluster) string{
		"cluster_name": func(cl *Cluster) string { return cl.ClusterName },
		"cluster_id":   func(cl *Cluster) string { return cl.ClusterID },
	}[p.sortKey])
	answer := listAnswer{Action: "HpcClusterListClusterResponse", ClusterSet: []clusterItem{}, TotalCount: len(all)}
	for _, cl := range page(all, p) {
		answer.ClusterSet = append(answer.ClusterSet, cl.item(p.verbose))
	}
	return answer, nil
}

// listedAs reports whether a status filter lets the cluster through. The
// filter's pending is every stage of the making (assumption).
func (cl *Cluster) listedAs(status string) bool {
	return status == "" || status == cl.ClusterStatus || status == statusPending && slices.Contains(stages, cl.ClusterStatus)
}

func (cl *Cluster) item(verbose bool) clusterItem {
	item := clusterItem{
		ClusterID: cl.ClusterID, AppClusterID: cl.AppClusterID, ClusterName: cl.ClusterName,
		ClusterType: cl.ClusterType, ClusterStatus: cl.ClusterStatus, CreateTime: stamped(cl.CreateTime),
		Description: cl.Description, NasID: cl.NasID, NasPath: cl.Env.NasPath, PaidType: cl.PaidType,
		SchedulerType: cl.SchedulerType, TotalNodeCount: len(cl.Nodes), ClusterSW: []string{},
	}
	if login := cl.role(roleLogin); len(login) > 0 {
		item.NasMountPoint = login[0].NasMountPoint
	}
	if verbose {
		item.AppClusterDetails = &appCluster{cl.AppClusterID, cl.ClusterName, cl.VersionID, cl.VxnetID}
	}
	return item
}
