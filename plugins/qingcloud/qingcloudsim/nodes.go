package qingcloudsim

import (
	"encoding/json"
	"strings"
)

// nodesAnswer is the reply of listNodes.
type nodesAnswer struct {
	Action         string     `json:"action"`
	HPCAppNodesSet []nodeItem `json:"hpc_app_nodes_set"`
	TotalCount     int        `json:"total_count"`
	RetCode        int        `json:"ret_code"`
}

type nodeItem struct {
	NodeID           string `json:"node_id"`
	ClusterID        string `json:"cluster_id"` // "cl-…", not the id that was asked with
	Role             string `json:"role"`
	CPU              int    `json:"cpu"`
	Memory           int    `json:"memory"`
	StorageSize      int    `json:"storage_size"`
	Status           string `json:"status"`
	TransitionStatus string `json:"transition_status"`
	ResourceClass    int    `json:"resource_class"`
	Name             string `json:"name"`
	PrivateIP        string `json:"private_ip"`
	VxnetID          string `json:"vxnet_id"`
	AppVersion       string `json:"app_version"`
	NasMountPoint    string `json:"nas_mount_point"`
	Owner            string `json:"owner"`
	InstanceID       string `json:"instance_id"`
	CreateTime       string `json:"create_time"`
	StatusTime       string `json:"status_time"`
	Env              string `json:"env"` // JSON in a string
}

// placed is a node with its cluster.
type placed struct {
	*Node
	cluster *Cluster
}

// listNodes lists nodes of one cluster, or of the zone. A cluster_id that is
// not there filters everything out (assumption: it is a filter, not a name).
func (c *cloud) listNodes(q request) (any, *refusal) {
	o := newObject(q.query)
	zone, id := o.mustText("zone"), o.text("cluster_id")
	role, status := o.oneOf("node_role", rolesOf(kindEHPC)...), o.text("status")
	p := readPaging(o, "create_time", "node_id", "role", "name")
	o.done("health_status") // every node is healthy
	if *o.bad != nil {
		return nil, *o.bad
	}
	clusters := filter(c.asked(id), false, func(cl *Cluster) bool { return cl.Zone == zone })
	fits := func(n *Node) bool {
		return (role == "" || n.Role == role) && (status == "" || n.Status == status) && p.finds(n.Name)
	}
	answer := nodesAnswer{Action: "HpcClusterGetClusterNodesResponse", HPCAppNodesSet: []nodeItem{}}
	var shown []placed
	if role == "" && status == "" && p.word == "" && p.sortKey == "" && !p.reverse {
		shown, answer.TotalCount = window(clusters, p)
	} else {
		var all []placed
		for _, cl := range clusters {
			for _, n := range cl.Nodes {
				if fits(n) {
					all = append(all, placed{n, cl})
				}
			}
		}
		shown, answer.TotalCount = page(sorted(all, nodeTexts[p.sortKey]), p), len(all)
	}
	for _, n := range shown {
		answer.HPCAppNodesSet = append(answer.HPCAppNodesSet, n.item())
	}
	return answer, nil
}

// nodeTexts are the sort keys; create_time is the order that nodes have.
var nodeTexts = map[string]func(placed) string{
	"node_id": func(n placed) string { return n.NodeID },
	"role":    func(n placed) string { return n.Role },
	"name":    func(n placed) string { return n.Name },
}

// window cuts one page out of all nodes by counting only, so that a walk over
// a large zone does not gather every node for every page.
func window(clusters []*Cluster, p paging) (shown []placed, total int) {
	for _, cl := range clusters {
		from, to := max(p.offset-total, 0), min(p.offset+p.limit-total, len(cl.Nodes))
		for i := from; i < to; i++ {
			shown = append(shown, placed{cl.Nodes[i], cl})
		}
		total += len(cl.Nodes)
	}
	return shown, total
}

// asked are the clusters that a cluster_id means; without one, all.
func (c *cloud) asked(id string) []*Cluster {
	if id == "" {
		return c.st.Clusters
	}
	if cl := c.clusters[id]; cl != nil {
		return []*Cluster{cl}
	}
	return nil
}

func (n placed) item() nodeItem {
	return nodeItem{
		NodeID: n.NodeID, ClusterID: n.cluster.AppClusterID, Role: n.Role, CPU: n.CPU, Memory: n.Memory,
		StorageSize: n.StorageSize, Status: n.Status, TransitionStatus: n.TransitionStatus,
		ResourceClass: resourceClass, Name: n.Name, PrivateIP: n.PrivateIP, VxnetID: n.cluster.VxnetID,
		AppVersion: n.cluster.VersionID, NasMountPoint: n.NasMountPoint, Owner: n.cluster.Owner,
		InstanceID: "i" + strings.TrimPrefix(n.NodeID, "cln"), CreateTime: stamped(n.CreateTime),
		StatusTime: stamped(n.StatusTime), Env: n.cluster.Env.shown(),
	}
}

// shown is env as a node shows it: JSON in a string, with a mask for the
// password, which nothing here knows.
func (e Env) shown() string {
	text, err := json.Marshal(struct {
		Env
		AdminPassword string `json:"admin_password"`
	}{e, "******"})
	if err != nil {
		panic(err) // a struct of numbers and strings; this is a bug of ours
	}
	return string(text)
}
