package aliyunsim

import (
	"net/http"
	"slices"
	"strings"
)

// nodeView is a node as the cloud shows it: no disks, no ENS region, no way of
// charging its traffic.
type nodeView struct {
	ID             string   `json:"instance_id"`
	Name           string   `json:"instance_name"`
	Role           string   `json:"instance_role"`
	Type           string   `json:"instance_type"`
	Family         string   `json:"instance_type_family"`
	InstanceStatus string   `json:"instance_status"`
	Charge         string   `json:"instance_charge_type"`
	NodeName       string   `json:"node_name"`
	NodeStatus     string   `json:"node_status"`
	State          string   `json:"state"`
	Host           string   `json:"host_name"`
	IPs            []string `json:"ip_address"`
	Image          string   `json:"image_id"`
	Pool           string   `json:"nodepool_id"`
	Source         string   `json:"source"`
	OfCloud        bool     `json:"is_aliyun_node"`
	Created        string   `json:"creation_time"`
	Expires        string   `json:"expired_time"`
	Error          string   `json:"error_message"`
	Spot           string   `json:"spot_strategy"`
}

// conditions says, for a node's state, what instance and Kubernetes call it.
var conditions = map[string][2]string{
	running:   {"Running", "Ready"},
	pending:   {"Pending", "Unknown"},
	removing:  {"Stopping", "NotReady"},
	"stopped": {"Stopped", "Offline"},
}

func (n *Node) view(cl *Cluster) nodeView {
	host := strings.ReplaceAll(n.name(cl), ".", "-")
	condition, ok := conditions[n.Status]
	if !ok {
		condition = [2]string{"Running", "NotReady"}
	}
	family := n.Type
	if i := strings.LastIndexByte(family, '.'); i > 0 {
		family = family[:i]
	}
	return nodeView{
		ID: n.ID, Name: strings.ToLower(n.Role) + "-k8s-for-cs-" + cl.ID, Role: n.Role, Type: n.Type, Family: family,
		InstanceStatus: condition[0], Charge: n.Charge, NodeName: n.name(cl), NodeStatus: condition[1], State: n.Status,
		Host: host, IPs: []string{n.IP}, Image: n.Image, Pool: cl.NodePool, Source: "scale_out", OfCloud: true,
		Created: stampTime(n.Created), Expires: "2099-12-31T23:59:00+08:00", Spot: "NoSpot",
	}
}

// nodeStates says which state fields the words of the state filter find; the
// two vocabularies differ (the vendor's SDK, DescribeClusterNodes). The pairs
// are a choice.
var nodeStates = map[string][]string{
	"running":  {running},
	"removing": {removing, "stopping"},
	"initial":  {pending, "starting", initial},
	"failed":   {failed, "stopped"},
}

// listNodes is DescribeClusterNodes. Its paging parameters are camel-case,
// unlike those of every other list.
func (c *cloud) listNodes(q *call) {
	cl := c.clusters[q.Cluster]
	if cl == nil {
		c.refuse(q, clusterNotFound)
		return
	}
	p, ok := c.page(q, "pageNumber", "pageSize")
	if !ok {
		return
	}
	list := cl.Nodes
	keep := func(yes func(*Node) bool) {
		list = slices.DeleteFunc(slices.Clone(list), func(n *Node) bool { return !yes(n) })
	}
	if state := q.query.Get("state"); state != "" && state != "all" {
		words, ok := nodeStates[state]
		if !ok {
			c.refuse(q, invalid("state must be one of all, running, removing, initial, failed"))
			return
		}
		keep(func(n *Node) bool { return slices.Contains(words, n.Status) })
	}
	if pool := q.query.Get("nodepool_id"); pool != "" && pool != cl.NodePool {
		list = nil
	}
	if ids := q.query.Get("instanceIds"); ids != "" {
		wanted := strings.Split(ids, ",")
		keep(func(n *Node) bool { return slices.Contains(wanted, n.ID) })
	}
	from, to := p.of(len(list))
	views := make([]nodeView, 0, to-from)
	for _, n := range list[from:to] {
		views = append(views, n.view(cl))
	}
	reply(q.w, http.StatusOK, map[string]any{"nodes": views, "page": p})
}
