package aliyunsim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// Drift changes a cluster from outside, at once and without a task. Group is
// "worker" (the default) or "master"; Set takes the members of Cluster that
// hold a plain value or tags.
func (c *cloud) Drift(d cloudsim.Drift) error {
	cl := c.clusters[d.Cluster]
	if cl == nil {
		return fmt.Errorf("drift: no cluster %q", d.Cluster)
	}
	role := map[string]string{"": "Worker", group: "Worker", "master": "Master"}[strings.ToLower(d.Group)]
	if role == "" {
		return fmt.Errorf("drift: no group %q; there are %s and master", d.Group, group)
	}
	if d.Delete {
		c.drop(cl)
		c.drifted(d, "deleted", nil)
		return nil
	}
	changed, err := cl.set(d.Set)
	if err != nil {
		return fmt.Errorf("drift: %w", err)
	}
	have := 0
	for _, n := range cl.Nodes {
		if n.Role == role {
			have++
		}
	}
	if d.Remove > have || d.Remove < 0 || d.Add < 0 {
		return fmt.Errorf("drift: cannot remove %d and add %d of %d nodes", d.Remove, d.Add, have)
	}
	*cl = changed
	var removed, added []string
	for i := len(cl.Nodes) - 1; i >= 0 && len(removed) < d.Remove; i-- {
		if cl.Nodes[i].Role == role {
			removed = append(removed, cl.Nodes[i].ID)
			cl.Nodes = slices.Delete(cl.Nodes, i, i+1)
		}
	}
	for range d.Add {
		n := &Node{Role: role, Type: machineType(cl.Kind), Charge: "PostPaid", Status: running, Created: c.opts.Now()}
		n.ID, n.IP = c.state.mint()
		cl.Nodes = append(cl.Nodes, n)
		added = append(added, n.ID)
	}
	cl.Updated = c.opts.Now()
	cl.recount()
	if len(d.Set) > 0 {
		c.drifted(d, "set", nil)
	}
	if len(removed) > 0 {
		c.drifted(d, "removed", removed)
	}
	if len(added) > 0 {
		c.drifted(d, "added", added)
	}
	return nil
}

// set returns the cluster with some fields changed, never its identity nor
// what jobs work on.
func (cl *Cluster) set(fields map[string]any) (Cluster, error) {
	changed := *cl
	for _, fixed := range []string{"cluster_id", "kind", "nodes", "cluster_tasks"} {
		if _, ok := fields[fixed]; ok {
			return changed, fmt.Errorf("%s cannot be set", fixed)
		}
	}
	data, err := json.Marshal(fields)
	if err != nil {
		return changed, err
	}
	changed.Tags, changed.VSwitches = slices.Clone(cl.Tags), slices.Clone(cl.VSwitches)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return changed, dec.Decode(&changed)
}

// drop forgets a cluster, its tasks and whatever ran on it.
func (c *cloud) drop(cl *Cluster) {
	delete(c.clusters, cl.ID)
	c.state.Clusters = slices.DeleteFunc(c.state.Clusters, func(o *Cluster) bool { return o == cl })
	c.running.drop(cl)
	for _, t := range cl.Tasks {
		delete(c.tasks, t.ID)
	}
}

func (c *cloud) drifted(d cloudsim.Drift, what string, nodes []string) {
	c.version++
	c.opts.Log.Record(context.Background(), cloudsim.Entry{
		Time: c.opts.Now(), Event: "drift", Cloud: c.Name(), Cluster: d.Cluster, Group: d.Group,
		Count: len(nodes), Nodes: nodes, Detail: what,
	})
}
