package huaweisim

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

// Drift changes a cluster as somebody else would: whatever its state, and while
// jobs run. Group is any name of a group, as written or read, or a role
// ("task"). Set takes the fields of Cluster. A deleted cluster stays to be read,
// as terminated.
func (c *cloud) Drift(d cloudsim.Drift) error {
	cl := c.byID[d.Cluster]
	if cl == nil {
		return fmt.Errorf("drift: no cluster %q", d.Cluster)
	}
	if d.Add < 0 || d.Remove < 0 {
		return errors.New("drift: add and remove cannot be negative")
	}
	// All checks come first: a drift is done as a whole or not at all.
	var g *Group
	if d.Add > 0 || d.Remove > 0 {
		var err error
		if g, err = cl.driftGroup(d.Group); err != nil {
			return err
		}
		if d.Remove > g.count()+d.Add {
			return fmt.Errorf("drift: group %s has fewer than %d nodes", g.GroupName, d.Remove)
		}
	}
	if len(d.Set) > 0 {
		if _, ok := d.Set["groups"]; ok && g != nil {
			return errors.New("drift: add and remove beside new groups")
		}
		if err := c.driftSet(cl, d.Set); err != nil {
			return fmt.Errorf("drift: %w", err)
		}
		if g != nil {
			g, _ = cl.driftGroup(d.Group) // the fields were decoded anew
		}
		c.recordDrift(cl, "", "set "+strings.Join(slices.Sorted(maps.Keys(d.Set)), ", "), nil)
	}
	if d.Add > 0 {
		if !slices.Contains(cl.Groups, g) {
			cl.Groups = append(cl.Groups, g)
		}
		c.recordDrift(cl, g.GroupName, "added", g.grow(&c.state, d.Add, true))
	}
	if d.Remove > 0 {
		c.recordDrift(cl, g.GroupName, "removed", g.remove(g.newest(d.Remove)))
		c.dropEmpty(cl)
	}
	if d.Delete {
		cl.ClusterState, cl.Scale, cl.Job = terminated, "", nil
		c.queue = slices.DeleteFunc(c.queue, func(q *Cluster) bool { return q == cl })
		c.recordDrift(cl, "", "terminated", nil)
	}
	cl.UpdateAt = unix(c.opts.Now())
	c.lists = nil
	c.changed(cl)
	return nil
}

func (c *cloud) recordDrift(cl *Cluster, group, detail string, nodes []string) {
	c.opts.Log.Record(context.Background(), cloudsim.Entry{
		Time: c.opts.Now(), Event: "drift", Cloud: c.Name(), Cluster: cl.ClusterID,
		Group: group, Count: len(nodes), Nodes: nodes, Detail: detail,
	})
}

// driftGroup finds a group by its own name, else by role. A Task group that is
// not there yet is made, but not yet put into the cluster.
func (cl *Cluster) driftGroup(name string) (*Group, error) {
	for _, g := range cl.Groups {
		if g.GroupName == name {
			return g, nil
		}
	}
	r := role(name + "_")
	if g := cl.target(r + "_"); r != "" && g != nil {
		return g, nil
	}
	if r == "task" {
		return &Group{GroupName: cl.newTaskGroup()}, nil
	}
	return nil, fmt.Errorf("drift: cluster %s has no group %q", cl.ClusterID, name)
}

// driftSet writes fields over the cluster's own, checked like a whole state.
func (c *cloud) driftSet(cl *Cluster, set map[string]any) error {
	for _, field := range []string{"clusterId", "job"} {
		if _, ok := set[field]; ok {
			return fmt.Errorf("%s cannot be set", field)
		}
	}
	old, err := json.Marshal(cl)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(set)
	if err != nil {
		return err
	}
	var next Cluster
	if err := json.Unmarshal(old, &next); err != nil {
		return err
	}
	if _, ok := set["groups"]; ok {
		next.Groups = nil // replaced, not merged element by element
	}
	dec := json.NewDecoder(bytes.NewReader(patch))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&next); err != nil {
		return err
	}
	if err := c.fill(&next); err != nil {
		return err
	}
	// The numbers of hosts must stay unique over the account.
	trial := c.state
	trial.Clusters = slices.Clone(c.state.Clusters)
	trial.Clusters[slices.Index(trial.Clusters, cl)] = &next
	if err := trial.numberHosts(); err != nil {
		return err
	}
	c.state.LastHost = trial.LastHost
	*cl = next // in place: lists and the queue hold the pointer
	return nil
}
