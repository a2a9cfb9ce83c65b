package qingcloudsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// Drift changes a cluster as a person at the console would. Removing comes
// before adding; Set changes the cluster's own fields or, with a group, those
// of each of the group's nodes, under the names of State. Nothing is done
// unless all can be.
func (c *cloud) Drift(d cloudsim.Drift) error {
	cl := c.clusters[d.Cluster]
	if cl == nil {
		return fmt.Errorf("drift: no cluster %q", d.Cluster)
	}
	entry := cloudsim.Entry{Time: c.opts.Now(), Event: "drift", Cloud: c.Name(), Cluster: d.Cluster, Group: d.Group}
	if d.Delete {
		entry.Nodes, entry.Detail = nodeIDs(cl.Nodes), "deleted"
		c.removeCluster(cl)
		c.opts.Log.Record(context.Background(), entry)
		return nil
	}
	changed, touched, err := c.drifted(cl, d)
	if err != nil {
		return fmt.Errorf("drift of %s: %w", d.Cluster, err)
	}
	*cl = changed
	c.index = newIndex(&c.st) // its place or type may be another now
	c.version++
	entry.Nodes, entry.Count = touched, d.Add+d.Remove
	entry.Detail = strings.Join(slices.Sorted(maps.Keys(d.Set)), ", ")
	c.opts.Log.Record(context.Background(), entry)
	return nil
}

// drifted works out the cluster after d, and which nodes came, went or changed.
func (c *cloud) drifted(cl *Cluster, d cloudsim.Drift) (after Cluster, touched []string, err error) {
	after = *cl
	after.Nodes = slices.Clone(cl.Nodes)
	nodes := cl.role(d.Group)
	switch {
	case d.Add < 0 || d.Remove < 0:
		return after, nil, errors.New("add and remove count nodes, from 0 up")
	case d.Group != "" && !slices.Contains(rolesOf(cl.ClusterType), d.Group):
		return after, nil, fmt.Errorf("no group %q", d.Group)
	case d.Group == "" && d.Add+d.Remove > 0:
		return after, nil, errors.New("nodes need a group")
	case d.Remove > len(nodes):
		return after, nil, fmt.Errorf("%s has %d nodes", d.Group, len(nodes))
	}
	for _, n := range nodes[len(nodes)-d.Remove:] {
		touched = append(touched, n.NodeID)
		after.Nodes = slices.DeleteFunc(after.Nodes, func(other *Node) bool { return other == n })
	}
	if d.Group == "" {
		return after, touched, set(&after, d.Set)
	}
	if len(d.Set) > 0 {
		for i, n := range after.Nodes {
			if n.Role != d.Group {
				continue
			}
			one := *n
			if err := set(&one, d.Set); err != nil {
				return after, nil, err
			}
			after.Nodes[i] = &one
			touched = append(touched, n.NodeID)
		}
	}
	like := Node{CPU: minComputeCPU, Memory: minComputeMemory, StorageSize: firstStorage, NasMountPoint: "/home"}
	if len(nodes) > 0 {
		like = Node{CPU: nodes[0].CPU, Memory: nodes[0].Memory, StorageSize: nodes[0].StorageSize, NasMountPoint: nodes[0].NasMountPoint}
	}
	for range d.Add {
		n := like
		n.Role = d.Group
		c.st.completeNode(&n, c.opts.Now())
		after.Nodes = append(after.Nodes, &n)
		touched = append(touched, n.NodeID)
	}
	return after, touched, nil
}

// set lays fields over a cluster or a node. What other things refer to stays.
func set(target any, fields map[string]any) error {
	for _, fixed := range []string{"cluster_id", "app_cluster_id", "nodes", "node_id", "role"} {
		if _, ok := fields[fixed]; ok {
			return fmt.Errorf("set: %s cannot change", fixed)
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("set: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(target); err != nil {
		return fmt.Errorf("set: %w", err)
	}
	return nil
}
