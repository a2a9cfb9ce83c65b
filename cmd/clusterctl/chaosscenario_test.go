//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/aliyun/aliyunsim"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// Clocks of the grid. A request that nobody answered is waited for five
// windows and one more, so the window is as short as signatures in whole
// seconds allow.
const (
	chaosWindow  = 1500 * time.Millisecond
	chaosLag     = 50 * time.Millisecond
	chaosJobTime = 150 * time.Millisecond
)

// scenario is one spec with what it makes of the clouds.
type scenario struct {
	name  string
	spec  string
	goals []goal
}

// goal is what one approved action comes to, in the words of the audit log.
type goal struct {
	cloud, cluster string
	address        string // of the cluster in the spec
	call           string
	group          string   // empty: a create
	event          string   // added, removed, resized or created
	count          int      // nodes, or clusters created
	named          []string // what may be removed; nil: what the plan names
}

const (
	mrsID     = "00000000-0000-4000-8000-000000000001"
	sandboxID = "c00000000000000000000000000000001"
	edgeID    = "c00000000000000000000000000000002"
	loginID   = "hpc-gk3wfc7e"

	callScale  = "UpdateClusterScaling"
	callOut    = "ScaleOutCluster"
	coreGroup  = "core_node_default_group"
	taskGroup  = "task_node_default_group"
	otherOwner = "usr-other001"
)

// Specs of one cloud each; what stands in them is that of specs/fleet.cue.
const (
	chaosMRS = `package fleet

providers: huawei: {plugin: "huawei", region: "cn-north-4", project_id: "0123456789abcdef0123456789abcdef"}
clusters: analytics: {provider: "huawei", kind: "mrs", id: "` + mrsID + `", node_groups: %s}
`
	chaosEHPC = `package fleet

providers: qc: {plugin: "qingcloud", zone: "jn1a", owner: "usr-8rhqe0n7", uid_number: 11017754, gid_number: 11017754}
clusters: [string]: {
	provider: "qc", version_id: "appv-8k3d0ytv", vxnet: "vxnet-oilq879", nas_id: "nas-1", nas_path: "10.0.0.7@o2ib:/lustrefs/x"
	admin_password: {env: "CCTL_SECRET_EHPC"}
	node_groups: [string]: {nas_mount_point: "/home", ...}
	...
}
clusters: %s
`
	chaosACK = `package fleet

providers: ali: {plugin: "aliyun", region: "cn-beijing"}
clusters: %s
`
)

var (
	coreOut    = goal{cloud: "huawei", cluster: mrsID, address: "analytics", call: callScale, group: coreGroup, event: "added", count: 2}
	taskIn     = goal{cloud: "huawei", cluster: mrsID, address: "analytics", call: callScale, group: taskGroup, event: "removed", count: 2}
	loginSize  = goal{cloud: "qingcloud", cluster: loginID, address: "login", call: "resizeCluster", group: "login", event: "resized", count: 2}
	makeEHPC   = goal{cloud: "qingcloud", address: "simulation", call: "createCluster", event: "created", count: 1}
	sandboxOut = goal{cloud: "aliyun", cluster: sandboxID, address: "secure", call: callOut, group: "worker", event: "added", count: 2}
	edgeOut    = goal{cloud: "aliyun", cluster: edgeID, address: "edge", call: callOut, group: "worker", event: "added", count: 2}
)

func scenarios() []scenario {
	named := taskIn
	named.named = []string{"0000a000-0000-4000-8000-000000000009", "0000a000-0000-4000-8000-000000000011"}
	coreIn := coreOut
	coreIn.event, coreIn.count = "removed", 1
	fleet, err := os.ReadFile("../../specs/fleet.cue")
	if err != nil {
		panic(err) // it is part of the repository
	}
	return []scenario{
		{"mrs-core-out", fmt.Sprintf(chaosMRS, `core: count: 6`), []goal{coreOut}},
		{"mrs-task-in", fmt.Sprintf(chaosMRS, `task: count: 10`), []goal{taskIn}},
		{"mrs-task-in-named", fmt.Sprintf(chaosMRS, `task: {count: 10, server_ids: ["`+strings.Join(named.named, `", "`)+`"]}`), []goal{named}},
		{"mrs-core-in", fmt.Sprintf(chaosMRS, `core: {count: 3, scale_in: "cloud_chooses"}`), []goal{coreIn}},
		{"mrs-two", fmt.Sprintf(chaosMRS, `{core: count: 6, task: count: 10}`), []goal{taskIn, coreOut}},
		{"ehpc-create", fmt.Sprintf(chaosEHPC, `simulation: {
	kind: "ehpc", deploy_mode: "1"
	node_groups: {
		login: {count: 1, cpu: 2, memory: 4096}
		controller: {count: 1, cpu: 2, memory: 4096}
		compute: {count: 2, cpu: 4, memory: 12288}
	}
}`), []goal{makeEHPC}},
		{"hpc-resize", fmt.Sprintf(chaosEHPC, `login: {kind: "hpc", node_groups: login: {count: 2, cpu: 2, memory: 4096}}`), []goal{loginSize}},
		{"sandbox-out", fmt.Sprintf(chaosACK, `secure: {
	provider: "ali", kind: "ack_sandbox", id: "`+sandboxID+`"
	node_groups: worker: {
		count: 4, login_password: {env: "CCTL_SECRET_ACK"}
		vswitch_ids: ["vsw-2zes3rfz7bmk0nxxxxxxx"], worker_instance_types: ["ecs.ebmg5s.24xlarge"]
		worker_system_disk_category: "cloud_efficiency", worker_system_disk_size: 120
		worker_data_disk: true, worker_data_disk_category: "cloud_efficiency", worker_data_disk_size: 240
	}
}`), []goal{sandboxOut}},
		{"edge-out", fmt.Sprintf(chaosACK, `edge: {
	provider: "ali", kind: "ack_edge", id: "`+edgeID+`"
	node_groups: worker: {
		count: 4, login_password: {env: "CCTL_SECRET_ACK"}
		worker_instance_type: "ens.sn1.tiny", ens_region_id: "cn-beijing-telecom"
		worker_image_id: "centos_7_06_64_20G_alibase_20190711", ens_internet_charge_type: "BandwidthByDay"
		worker_period: 1, worker_system_disk_size: 40, worker_data_disk_size: 20, is_edge_worker: true
	}
}`), []goal{edgeOut}},
		// Core begins with 4 nodes here, and login has two.
		{"fleet", strings.NewReplacer("core: count: 5", "core: count: 6", "node_groups: login: {count: 1", "node_groups: login: {count: 2").
			Replace(string(fleet)), []goal{taskIn, coreOut, loginSize, makeEHPC, sandboxOut, edgeOut}},
	}
}

// clouds that a scenario needs, in a fixed order.
func (s *scenario) clouds() []string {
	var names []string
	for _, g := range s.goals {
		if !slices.Contains(names, g.cloud) {
			names = append(names, g.cloud)
		}
	}
	return names
}

// chaosCloud is how one simulated cloud is made: the example's clusters, and
// others beside them that no spec manages.
type chaosCloud struct {
	build func(cloudsim.Options) *cloudsim.Server
	state func() []byte
	// The variables that carry the key pair.
	id, secret string
}

var chaosClouds = map[string]chaosCloud{
	"huawei":    {huaweisim.New, huaweiState, "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"},
	"qingcloud": {qingcloudsim.New, qingcloudState, "QINGCLOUD_ACCESS_KEY_ID", "QINGCLOUD_SECRET_ACCESS_KEY"},
	"aliyun":    {aliyunsim.New, aliyunState, "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"},
}

// huaweiState has 4 Core nodes, so that both directions are open.
func huaweiState() []byte {
	return edited(huaweisim.Example(), func(s *huaweisim.State) {
		s.Clusters[0].Groups[1].NodeNum = 4
		other := *s.Clusters[0]
		other.ClusterID, other.ClusterName = "00000000-0000-4000-8000-000000000099", "others"
		other.Groups = nil
		for _, g := range s.Clusters[0].Groups {
			copied := *g
			other.Groups = append(other.Groups, &copied)
		}
		s.Clusters = append(s.Clusters, &other)
	})
}

// qingcloudState has two login nodes, so that a resize can succeed in part.
func qingcloudState() []byte {
	return edited(qingcloudsim.Example(), func(s *qingcloudsim.State) {
		login := s.Clusters[0]
		second := *login.Nodes[0]
		second.NodeID, second.Name, second.PrivateIP = "cln-second01", "", ""
		login.Nodes = append(login.Nodes, &second)
		for _, owner := range []string{login.Owner, otherOwner} {
			other := *login
			other.ClusterID, other.AppClusterID, other.ClusterName, other.Owner = "ehpc-"+owner[4:], "cl-"+owner[4:], "others", owner
			other.ClusterType = "ehpc"
			other.Nodes = nil
			for i, role := range []string{"login", "controller", "compute"} {
				node := second
				node.NodeID, node.Role, node.CPU, node.Memory = fmt.Sprintf("cln-%s%d", owner[4:], i), role, 2, 4096
				other.Nodes = append(other.Nodes, &node)
			}
			s.Clusters = append(s.Clusters, &other)
		}
	})
}

func aliyunState() []byte {
	return edited(aliyunsim.Example(), func(s *aliyunsim.State) {
		for i, kind := range []string{aliyunsim.Sandbox, aliyunsim.Edge} {
			s.Clusters = append(s.Clusters, &aliyunsim.Cluster{ID: fmt.Sprintf("c%032d", 90+i), Kind: kind, Name: "others-" + kind,
				Nodes: []*aliyunsim.Node{{}, {}}})
		}
	})
}

// edited reads a state, lets change have it, and writes it again.
func edited[S any](state []byte, change func(*S)) []byte {
	var s S
	err := json.Unmarshal(state, &s)
	if err == nil {
		change(&s)
		state, err = json.Marshal(s)
	}
	if err != nil {
		panic(err) // fixed data
	}
	return state
}
