package aliyunsim

import (
	"encoding/json"
	"fmt"
)

// Example is the account behind the example fleet: "secure", a dedicated
// sandbox cluster of two workers beside its three masters, and "edge", two ENS
// workers.
func Example() []byte {
	master := Node{Role: "Master", Type: "ecs.g6.xlarge"}
	return encodeState(State{Clusters: []*Cluster{
		{
			ID: "c00000000000000000000000000000001", Kind: Sandbox, Name: "secure", Type: "Kubernetes",
			Nodes: append(nodes(master, 3), nodes(Node{}, 2)...),
		},
		{
			ID: "c00000000000000000000000000000002", Kind: Edge, Name: "edge",
			Nodes: nodes(Node{Image: "centos_7_06_64_20G_alibase_20190711"}, 2),
		},
	}})
}

// Fleet is n clusters of two workers each, for benchmarks: c%032d by id, c%05d
// by name, counted from 0, sandbox and edge by turns.
func Fleet(n int) []byte {
	s := State{Clusters: make([]*Cluster, n)}
	for i := range s.Clusters {
		s.Clusters[i] = &Cluster{
			ID: fmt.Sprintf("c%032d", i), Kind: []string{Sandbox, Edge}[i%2], Name: fmt.Sprintf("c%05d", i),
			Nodes: nodes(Node{}, 2),
		}
	}
	return encodeState(s)
}

// nodes makes n like one; Restore gives them ids.
func nodes(like Node, n int) []*Node {
	list := make([]*Node, n)
	for i := range list {
		copied := like
		list[i] = &copied
	}
	return list
}

func encodeState(s State) []byte {
	data, err := json.Marshal(&s)
	if err != nil {
		panic(err) // plain structs always marshal
	}
	return data
}
