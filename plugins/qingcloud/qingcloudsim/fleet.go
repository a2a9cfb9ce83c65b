package qingcloudsim

import (
	"encoding/json"
	"fmt"
	"time"
)

// Where Example and Fleet live, and who owns them.
const (
	exampleZone  = "jn1a"
	exampleOwner = "usr-8rhqe0n7"
	exampleUser  = 11017754 // uid and gid
)

// exampleTime is when their clusters were made.
var exampleTime = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)

// Example is the account before the example fleet is applied: one hpc cluster
// named login, a size smaller than wanted, and no cluster named simulation.
func Example() []byte {
	login := exampleCluster("hpc-gk3wfc7e", "cl-gk3wfc7e", "login")
	login.Nodes = []*Node{{NodeID: "cln-gk3wfc7e", Role: roleLogin, CPU: 1, Memory: 2048}}
	return mustState(State{Clusters: []*Cluster{login}})
}

// Fleet is an account of n active ehpc clusters for benchmarks: c00001 with the
// id ehpc-00000001 and so on, each with one login, one controller and two
// compute nodes. The request limit is off.
func Fleet(n int) []byte {
	st := State{RequestLimit: -1, Clusters: make([]*Cluster, n)}
	for i := range st.Clusters {
		number := i + 1
		cl := exampleCluster(fmt.Sprintf("ehpc-%08d", number), fmt.Sprintf("cl-%08d", number), fmt.Sprintf("c%05d", number))
		for k, role := range []string{roleLogin, roleController, roleCompute, roleCompute} {
			cl.Nodes = append(cl.Nodes, &Node{
				NodeID: fmt.Sprintf("cln-%08d", 4*i+k+1), Role: role, CPU: minComputeCPU, Memory: minComputeMemory,
			})
		}
		st.Clusters[i] = cl
	}
	return mustState(st)
}

func exampleCluster(id, appID, name string) *Cluster {
	return &Cluster{
		ClusterID: id, AppClusterID: appID, ClusterName: name, Zone: exampleZone, Owner: exampleOwner,
		VersionID: "appv-8k3d0ytv", VxnetID: "vxnet-oilq879", NasID: "nas-1",
		UIDNumber: exampleUser, GIDNumber: exampleUser, CreateTime: exampleTime,
		Env: Env{
			AdminUser: "admin", AdminUserID: exampleUser, AdminGroupID: exampleUser,
			NasPath: "10.0.0.7@o2ib:/lustrefs/x",
			// The fixed values of the createCluster page.
			NFSNeed: 1, NFSDNS: "10.104.100.99", NFSExport: "qingyun.nsccjn.com:/shanhe",
			StartHookOn: 1, NFSLocal: "/es01/software", NFSNetwork: "10.104.0.0/16",
		},
	}
}

// mustState completes a state as Restore would and writes it.
func mustState(st State) []byte {
	for _, cl := range st.Clusters {
		for _, n := range cl.Nodes {
			n.StorageSize, n.NasMountPoint = firstStorage, "/home"
		}
		if err := st.complete(cl, exampleTime); err != nil {
			panic(err) // fixed data; this is a bug of ours
		}
	}
	state, err := json.Marshal(st)
	if err != nil {
		panic(err)
	}
	return state
}
