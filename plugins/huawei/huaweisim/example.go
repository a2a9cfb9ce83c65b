package huaweisim

import (
	"encoding/json"
	"fmt"
)

// exampleProject is the project of Example and Fleet.
const exampleProject = "0123456789abcdef0123456789abcdef"

// createdAt is when the clusters of Example and Fleet were created.
const createdAt = "1763683200"

// Example is a state with the one cluster "analytics" that the example fleet
// describes: 2 Master, 3 Core and 12 Task nodes.
func Example() []byte {
	return encode(State{ProjectID: exampleProject, Clusters: []*Cluster{
		sample("00000000-0000-4000-8000-000000000001", "analytics", 3, 12),
	}})
}

// Fleet is a state with n clusters for benchmarks: the i-th, from 1, has the id
// 00000000-0000-4000-8000-<i in 12 digits>, the name c<i in 5 digits>, and 2
// Master, 3 Core and 2 Task nodes.
func Fleet(n int) []byte {
	s := State{ProjectID: exampleProject, Clusters: make([]*Cluster, 0, n)}
	for i := 1; i <= n; i++ {
		s.Clusters = append(s.Clusters,
			sample(fmt.Sprintf("00000000-0000-4000-8000-%012d", i), fmt.Sprintf("c%05d", i), 3, 2))
	}
	return encode(s)
}

// sample leaves node sizes and volumes to the defaults, which are those of the
// example: c3.4xlarge.2.linux.bigdata with 2 SAS volumes of 200 GB.
func sample(id, name string, core, task int) *Cluster {
	return &Cluster{
		ClusterID: id, ClusterName: name, CreateAt: createdAt,
		Groups: []*Group{
			{GroupName: "master_node_default_group", NodeNum: 2},
			{GroupName: "core_node_analysis_group", NodeNum: core},
			{GroupName: "task_node_analysis_group", NodeNum: task},
		},
	}
}

func encode(s State) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain structs always encode
	}
	return b
}
