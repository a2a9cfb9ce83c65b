package huaweisim

import (
	"cmp"
	"strconv"
	"strings"
)

// clusterView is a cluster as ShowClusterDetails and ListClusters show it. The
// counts of nodes and the times are strings, and there is no taskNodeNum.
type clusterView struct {
	ClusterID             string      `json:"clusterId"`
	ClusterName           string      `json:"clusterName"`
	MasterNodeNum         string      `json:"masterNodeNum"`
	CoreNodeNum           string      `json:"coreNodeNum"`
	TotalNodeNum          string      `json:"totalNodeNum"`
	ClusterState          string      `json:"clusterState"`
	StageDesc             string      `json:"stageDesc"`
	Scale                 string      `json:"scale"`
	ErrorInfo             string      `json:"errorInfo"`
	ClusterVersion        string      `json:"clusterVersion"`
	ClusterType           int         `json:"clusterType"`
	BillingType           string      `json:"billingType"`
	PeriodType            string      `json:"periodType"`
	MasterNodeSize        string      `json:"masterNodeSize"`
	CoreNodeSize          string      `json:"coreNodeSize"`
	MasterDataVolumeType  string      `json:"masterDataVolumeType"`
	MasterDataVolumeSize  int         `json:"masterDataVolumeSize"`
	MasterDataVolumeCount int         `json:"masterDataVolumeCount"`
	CoreDataVolumeType    string      `json:"coreDataVolumeType"`
	CoreDataVolumeSize    int         `json:"coreDataVolumeSize"`
	CoreDataVolumeCount   int         `json:"coreDataVolumeCount"`
	CreateAt              string      `json:"createAt"`
	UpdateAt              string      `json:"updateAt"`
	Tags                  string      `json:"tags"`
	BootstrapScripts      []string    `json:"bootstrapScripts"`
	NodeGroups            []groupView `json:"nodeGroups"`
	TaskNodeGroups        []groupView `json:"taskNodeGroups"`
	EnterpriseProjectID   string      `json:"enterpriseProjectId"`
	VpcID                 string      `json:"vpcId"`
	SubnetID              string      `json:"subnetId"`
}

type groupView struct {
	GroupName       string `json:"groupName"`
	NodeNum         int    `json:"nodeNum"`
	NodeSize        string `json:"nodeSize"`
	RootVolumeType  string `json:"rootVolumeType"`
	RootVolumeSize  int    `json:"rootVolumeSize"`
	DataVolumeType  string `json:"dataVolumeType"`
	DataVolumeCount int    `json:"dataVolumeCount"`
	DataVolumeSize  int    `json:"dataVolumeSize"`
}

// rootVolume is the same for all hosts; nothing depends on it.
const rootVolume = 480

// view shows a cluster. A Task group stands in nodeGroups under its own name
// and again in taskNodeGroups, there mostly as task_node_default_group: who
// adds the two up counts its nodes twice.
func (c *cloud) view(cl *Cluster, zh bool) clusterView {
	master, core := cl.count("master"), cl.count("core")
	v := clusterView{
		ClusterID: cl.ClusterID, ClusterName: cl.ClusterName,
		MasterNodeNum: strconv.Itoa(master), CoreNodeNum: strconv.Itoa(core),
		TotalNodeNum: strconv.Itoa(master + core + cl.count("task")),
		ClusterState: cl.status(), StageDesc: c.stage(cl), Scale: cl.Scale, ErrorInfo: cl.ErrorInfo,
		ClusterVersion: cl.version(), ClusterType: cl.ClusterType,
		BillingType: cmp.Or(cl.BillingType, defaultBilling), PeriodType: cl.PeriodType,
		CreateAt: cl.CreateAt, UpdateAt: cl.UpdateAt, Tags: cl.Tags, BootstrapScripts: []string{},
		NodeGroups: []groupView{}, TaskNodeGroups: []groupView{},
		EnterpriseProjectID: cmp.Or(cl.EnterpriseProjectID, "0"), VpcID: cl.VpcID, SubnetID: cl.SubnetID,
	}
	for _, g := range cl.Groups {
		shown := g.view()
		v.NodeGroups = append(v.NodeGroups, shown)
		switch role(g.GroupName) {
		case "master":
			v.MasterNodeSize = g.size()
			v.MasterDataVolumeType, v.MasterDataVolumeCount, v.MasterDataVolumeSize = g.volumeType(), g.volumeCount(), g.volumeSize()
		case "core":
			if v.CoreNodeSize == "" { // of a mixed cluster the first Core group
				v.CoreNodeSize = g.size()
				v.CoreDataVolumeType, v.CoreDataVolumeCount, v.CoreDataVolumeSize = g.volumeType(), g.volumeCount(), g.volumeSize()
			}
		case "task":
			name := taskGroup
			if cl.ClusterType == 2 {
				name = g.GroupName
			}
			shown.GroupName = cmp.Or(g.TaskGroupName, name)
			v.TaskNodeGroups = append(v.TaskNodeGroups, shown)
		}
	}
	if zh {
		v.ClusterState = cmp.Or(chinese[v.ClusterState], v.ClusterState)
		v.StageDesc = cmp.Or(chinese[v.StageDesc], v.StageDesc)
	}
	return v
}

func (g *Group) view() groupView {
	return groupView{
		GroupName: g.GroupName, NodeNum: g.count(), NodeSize: g.size(),
		RootVolumeType: "SAS", RootVolumeSize: rootVolume,
		DataVolumeType: g.volumeType(), DataVolumeCount: g.volumeCount(), DataVolumeSize: g.volumeSize(),
	}
}

// hostView is a host as ListHosts shows it.
type hostView struct {
	ID                 string `json:"id"`
	ResourceID         string `json:"resource_id"`
	Name               string `json:"name"`
	IP                 string `json:"ip"`
	Status             string `json:"status"`
	Flavor             string `json:"flavor"`
	Type               string `json:"type"`
	Mem                string `json:"mem"` // MiB
	CPU                string `json:"cpu"`
	RootVolumeSize     string `json:"root_volume_size"`
	DataVolumeType     string `json:"data_volume_type"`
	DataVolumeSize     int    `json:"data_volume_size"`
	DataVolumeCount    int    `json:"data_volume_count"`
	NodeGroupName      string `json:"node_group_name"`
	Tags               string `json:"tags"`
	AvailabilityZoneID string `json:"availability_zone_id"`
}

func (c *cloud) hostView(g *Group, run Run, number int) hostView {
	vcpus, gib, _ := capacity(g.size())
	return hostView{
		ID: hostID(number), ResourceID: resourceID(number),
		Name: hostName(role(g.GroupName), number, run.Added), IP: hostIP(number),
		Status: cmp.Or(run.Status, active), Flavor: g.size(), Type: c.hostType(g.GroupName),
		Mem: strconv.Itoa(gib * 1024), CPU: strconv.Itoa(vcpus), RootVolumeSize: strconv.Itoa(rootVolume),
		DataVolumeType: g.volumeType(), DataVolumeSize: g.volumeSize(), DataVolumeCount: g.volumeCount(),
		NodeGroupName: g.GroupName, AvailabilityZoneID: "az1",
	}
}

// hostType writes a host's type in one of the three documented ways.
func (c *cloud) hostType(group string) string {
	r := role(group)
	plain := strings.ToUpper(r[:1]) + r[1:]
	switch {
	case c.state.HostTypes == "node":
		return plain + "Node"
	case c.state.HostTypes == "group" && r != "master" && strings.Contains(group, "streaming"):
		return "Streaming_" + plain
	case c.state.HostTypes == "group" && r != "master":
		return "Analysis_" + plain
	}
	return plain
}
