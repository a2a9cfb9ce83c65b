package huaweisim

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// coreFloor is the number of Core nodes a scale-in cannot go below (MRS API,
// resizing a cluster, table 2, instances). Smaller clusters exist and can grow.
const coreFloor = 3

// admit says whether a cluster takes a resize now.
func (c *cloud) admit(cl *Cluster, q resize) *refusal {
	if cl.Refuse != "" {
		return refuse(cl.Refuse)
	}
	if no := c.admitCluster(cl, q); no != nil {
		return no
	}
	// MRS API, resizing a cluster, table 2: both flags since MRS 1.7.2. Taken:
	// refused only when true, and only on a scale-out, where alone they mean
	// something.
	if q.out && (q.skipBoot || q.noStart) && versionBefore(cl.version(), "1.7.2") {
		return refuse("12000054", "The flags need MRS 1.7.2 or later.")
	}
	if !q.out {
		return admitScaleIn(cl, q)
	}
	return c.admitScaleOut(cl, q)
}

// admitCluster holds the rules on the cluster as a whole.
func (c *cloud) admitCluster(cl *Cluster, q resize) *refusal {
	switch state := cl.status(); {
	case cl.Job != nil, state == "scaling-out", state == "scaling-in":
		return refuse("12000018") // one change at a time
	case state != "running":
		return refuse("12000017", "The state is "+state+".")
	// Taken: a change of the Master specification is a scaling too.
	case cl.Scale == "scaling-up", cl.Scale == "scaling_up_first":
		return refuse("12000018")
	case cl.YearlyMonthly:
		return refuse("12000065")
	case cl.ClusterType == 3:
		// MRS API, resizing a cluster: not for custom clusters. Taken: the
		// code for operations that are not supported.
		return refuse("12000054", "Custom clusters are resized by node group.")
	case q.out && versionBefore(cl.version(), c.state.OldestVersion):
		return refuse("12000067")
	case q.out && cl.UnpaidOrder:
		return refuse("12000121")
	}
	for _, g := range cl.Groups {
		for _, run := range g.Hosts {
			if cmp.Or(run.Status, active) != active {
				return refuse("12000068")
			}
		}
	}
	return nil
}

func admitScaleIn(cl *Cluster, q resize) *refusal {
	// Taken: the floors answer with "scale-in failed". A host that is not
	// there has the same code (MRS API, error codes, 12000013).
	code := func(detail string) *refusal { return refuse("12000013", cl.ClusterName+": "+detail) }
	g := cl.target(q.group)
	switch {
	// Named nodes may be of any Task group.
	case len(q.serverIDs) == 0 && (g == nil || q.instances > g.count()):
		return code("the group has fewer nodes.")
	case q.group == coreGroup && cl.count("core")-q.instances < coreFloor:
		return code("at least 3 Core nodes must stay.")
	}
	for _, id := range q.serverIDs {
		if cl.taskGroupOf(hostNumber(id)) == nil {
			return code("the Task node " + id + " does not exist.")
		}
	}
	return nil
}

func (c *cloud) admitScaleOut(cl *Cluster, q resize) *refusal {
	core, task := cl.count("core"), cl.count("task")
	// MRS API, resizing a cluster, table 2, task_node_info: given exactly when
	// there are no Task nodes.
	if q.group == taskGroup && task == 0 && q.task == nil {
		return refuse("12000002", "task_node_info is required: the cluster has no Task nodes.")
	}
	if q.task != nil && task > 0 {
		return refuse("12000002", "task_node_info must not be given: the cluster has Task nodes.")
	}
	g := cl.target(q.group)
	if g == nil && q.group == coreGroup {
		return refuse("12000014", cl.ClusterName+": no Core group.")
	}
	added := spec(g, q.task)
	if slices.Contains(c.state.SoldOut, added.size()) {
		return refuse("12000233", added.size())
	}
	// The limit is on Core and Task nodes together. Taken: growing Core
	// answers with the number of Core nodes that are left, growing Task with
	// the number of nodes.
	limit := cmp.Or(c.state.MaxNodes, defaultMax)
	if q.group == coreGroup {
		most := limit - task
		if c.state.MaxCore > 0 {
			most = min(most, c.state.MaxCore)
		}
		if core+q.instances > most {
			return refuse("12000028", fmt.Sprintf("N is %d.", most))
		}
	} else if core+task+q.instances > limit {
		return refuse("12000030", fmt.Sprintf("Core and Task nodes together are at most %d.", limit))
	}
	return c.admitQuota(added, q.instances)
}

// spec is the specification that added nodes get: the one given, else the
// group's, else the defaults (somebody took the group away meanwhile).
func spec(g *Group, t *TaskNodeInfo) *Group {
	if t == nil {
		return cmp.Or(g, &Group{})
	}
	// Taken: what a data volume is when its members are left out.
	return &Group{
		NodeSize:        t.NodeSize,
		DataVolumeType:  cmp.Or(t.DataVolumeType, "SATA"),
		DataVolumeCount: cmp.Or(t.DataVolumeCount, 1),
		DataVolumeSize:  cmp.Or(t.DataVolumeSize, 100),
	}
}

// admitQuota checks the account's quota, in the order of the codes. Nodes that
// are being added count.
func (c *cloud) admitQuota(g *Group, n int) *refusal {
	quota := c.state.Quota
	if quota == (Quota{}) {
		return nil
	}
	use := [5]int{}
	add := func(g *Group, n int) {
		vcpus, gib, _ := capacity(g.size())
		disks := n * g.volumeCount()
		for i, v := range [5]int{n, n * vcpus, n * gib, disks, disks * g.volumeSize()} {
			use[i] += v
		}
	}
	for _, cl := range c.state.Clusters {
		if cl.status() == terminated {
			continue
		}
		for _, g := range cl.Groups {
			add(g, g.count())
		}
		if cl.Job != nil && cl.Job.Out {
			add(spec(cl.target(cl.Job.Group), cl.Job.Task), cl.Job.Count)
		}
	}
	add(g, n)
	limits := [5]*int{quota.Nodes, quota.CPU, quota.Memory, quota.Disks, quota.DiskSize}
	for i, code := range [5]string{"12000030", "12000031", "12000032", "12000033", "12000034"} {
		if limits[i] != nil && use[i] > *limits[i] {
			return refuse(code)
		}
	}
	return nil
}

// target is the group that a request's node_group means; nil when the cluster
// has none. Taken: in a mixed cluster the first group of that role.
func (cl *Cluster) target(group string) *Group {
	if gs := cl.groups(role(group)); len(gs) > 0 {
		return gs[0]
	}
	return nil
}

// taskGroupOf is the Task group that holds the host.
func (cl *Cluster) taskGroupOf(number int) *Group {
	for _, g := range cl.groups("task") {
		if g.has(number) {
			return g
		}
	}
	return nil
}

func (cl *Cluster) version() string { return cmp.Or(cl.ClusterVersion, defaultVersion) }

var numbers = regexp.MustCompile(`[0-9]+`)

// versionBefore compares "MRS 1.7.2" and the like number by number.
func versionBefore(a, b string) bool {
	parse := func(s string) (ns []int) {
		for _, d := range numbers.FindAllString(s, -1) {
			n, _ := strconv.Atoi(d)
			ns = append(ns, n)
		}
		return ns
	}
	return slices.Compare(parse(a), parse(b)) < 0
}
