package huawei

import (
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Live facts that Plan needs and no spec field has; they stand in
// State.Attributes beside the spec's names and are never compared, because no
// spec can state them.
type facts struct {
	// Type: 0 analysis, 1 streaming, 2 mixed, 3 custom.
	Type *int `json:"cluster_type,omitempty"`
	// Version is the service's text, such as "MRS 3.1.0".
	Version string `json:"cluster_version,omitempty"`
	// Billing is the service's word ("Metered"), or "Period" where only the
	// other billing fields tell that the cluster is yearly or monthly.
	Billing string `json:"billing_type,omitempty"`
}

const (
	typeMixed  = 2
	typeCustom = 3
)

// gone are the states of a cluster that no longer exists; it still answers.
func (c cluster) gone() bool { return c.State == "terminated" }

// status maps clusterState and scale (MRS API, cluster details). A failed
// resize goes back to running with scaling-error: ready for the next.
func (c cluster) status() provider.Status {
	switch c.State {
	case "running":
		switch strings.ReplaceAll(string(c.Scale), "_", "-") {
		case "", "scaling-error", "scaled-up-success":
			return provider.StatusReady
		case "scaling-out", "scaling-in", "scaling-up", "scaling-up-first", "scaled-up-first":
			return provider.StatusBusy
		}
	case "starting", "scaling-out", "scaling-in", "terminating":
		return provider.StatusBusy
	case "abnormal", "failed", "frozen":
		return provider.StatusBroken
	}
	return provider.StatusUnknown
}

// statusText is the service's own account: "running, scaling-error: Cluster
// expansion failed". MRS has no other sign of progress, and none of failure.
func (c cluster) statusText() string {
	text := c.State
	if c.Scale != "" && string(c.Scale) != c.State {
		text += ", " + string(c.Scale)
	}
	for _, more := range []word{c.StageDesc, c.ErrorInfo} {
		if more != "" && !strings.Contains(text, string(more)) {
			text += ": " + string(more)
		}
	}
	return shorten(explain(text))
}

// sumOf adds the groups of one role. Names are matched by prefix: the service
// reads core_node_analysis_group where it wants core_node_default_group written.
func sumOf(groups []nodeGroup, role string) (n number) {
	for _, g := range groups {
		if strings.HasPrefix(strings.ToLower(g.Name), role+"_") {
			n = number{n.value + g.NodeNum.value, g.NodeNum.known && (n.known || n.value == 0)}
			if !n.known {
				return number{}
			}
		}
	}
	return n
}

func firstKnown(numbers ...number) number {
	for _, n := range numbers {
		if n.known {
			return n
		}
	}
	return number{}
}

// counts are the nodes of each role: the sum over its groups, else the older
// counters. Task nodes have no counter of their own.
func (c cluster) counts() (master, core, task number) {
	master = firstKnown(sumOf(c.NodeGroups, roleMaster), c.MasterNodeNum)
	core = firstKnown(sumOf(c.NodeGroups, roleCore), c.CoreNodeNum)
	task = firstKnown(sumOf(c.TaskNodeGroups, roleTask), sumOf(c.NodeGroups, roleTask))
	switch {
	case task.known:
	case c.TotalNodeNum.known && master.known && core.known:
		task = number{max(0, c.TotalNodeNum.value-master.value-core.value), true}
	case len(c.NodeGroups) > 0:
		task = number{0, true} // the groups are listed and none is of Task nodes
	}
	if c.Type == (number{typeCustom, true}) && !core.known {
		// A custom cluster's groups bear free names; Plan blocks it as a whole.
		core.known, task.known = true, true
	}
	return master, core, task
}

// complete reports whether an entry of the list tells the counts.
func (c cluster) complete() bool {
	_, core, task := c.counts()
	return core.known && task.known
}

// taskAttributes are the fields of a Task node's specification, named as in the
// spec.
type taskAttributes struct {
	NodeSize        string `json:"node_size,omitempty"`
	DataVolumeType  string `json:"data_volume_type,omitempty"`
	DataVolumeCount int    `json:"data_volume_count,omitempty"`
	DataVolumeSize  int    `json:"data_volume_size,omitempty"`
}

// common keeps of a and b what both say.
func (a taskAttributes) common(b taskAttributes) taskAttributes {
	if a.NodeSize != b.NodeSize {
		a.NodeSize = ""
	}
	if a.DataVolumeType != b.DataVolumeType {
		a.DataVolumeType = ""
	}
	if a.DataVolumeCount != b.DataVolumeCount {
		a.DataVolumeCount = 0
	}
	if a.DataVolumeSize != b.DataVolumeSize {
		a.DataVolumeSize = 0
	}
	return a
}

// taskSpecification is what the live Task groups have in common. A group that
// has been emptied may stay listed; its size binds nobody.
func (c cluster) taskSpecification() (a taskAttributes, mixed bool) {
	groups := c.TaskNodeGroups
	if !sumOf(groups, roleTask).known {
		groups = c.NodeGroups
	}
	found := false
	for _, g := range groups {
		if g.NodeNum.value == 0 || !strings.HasPrefix(strings.ToLower(g.Name), roleTask+"_") {
			continue
		}
		b := taskAttributes{g.NodeSize, g.DataVolumeType, g.DataVolumeCount.value, g.DataVolumeSize.value}
		if !found {
			a, found = b, true
			continue
		}
		kept := a.common(b)
		mixed = mixed || kept != a || kept != b
		a = kept
	}
	return a, mixed
}

// state is the contract's view of a cluster.
func (c cluster) state(hosts []host) *provider.State {
	master, core, task := c.counts()
	live := facts{Version: string(c.Version), Billing: c.billing()}
	if c.Type.known {
		live.Type = &c.Type.value
	}
	specification, mixed := c.taskSpecification()
	s := &provider.State{
		ID: c.ID, Name: c.Name, Kind: kindMRS,
		Status: c.status(), StatusText: c.statusText(),
		Attributes: provider.Raw(live),
		Groups: []provider.Group{
			{Role: roleMaster, Count: master.value},
			{Role: roleCore, Count: core.value},
			{Role: roleTask, Count: task.value, Attributes: provider.Raw(specification)},
		},
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		for _, h := range hosts {
			if h.role() == g.Role {
				g.Nodes = append(g.Nodes, h.node(mixed && g.Role == roleTask))
			}
		}
		slices.SortFunc(g.Nodes, func(a, b provider.Node) int { return strings.Compare(a.ID, b.ID) })
	}
	return s
}

// node is the contract's view of a host; sized when the sizes of its group
// differ. The host list tells no time of creation.
func (h host) node(sized bool) provider.Node {
	n := provider.Node{ID: h.ID, Name: h.Name, StatusText: h.Status}
	if strings.EqualFold(h.Status, "ACTIVE") {
		n.Status = provider.StatusReady
	}
	if sized {
		n.Attributes = provider.Raw(taskAttributes{h.Flavor, h.DataVolumeType, h.DataVolumeCount.value, h.DataVolumeSize.value})
	}
	return n
}

// billing is the service's word for how the cluster is paid. periodType (0
// monthly, 1 yearly) may be 0 in a metered cluster too; it counts only where
// the word is missing and a duration was bought.
func (c cluster) billing() string {
	if c.BillingType == "" && c.PeriodType.known && c.Duration != "" && c.Duration != "0" {
		return "Period"
	}
	return string(c.BillingType)
}

// yearlyMonthly judges billing's word. The documents show "Metered" for pay per
// use and, at creation, 12; an unknown word is left to the service, which
// refuses with 12000065.
func yearlyMonthly(billing string) bool {
	billing = strings.ToLower(billing)
	if billing == "11" {
		return true
	}
	return slices.ContainsFunc([]string{"period", "prepaid", "pre-paid", "year", "month"}, func(word string) bool {
		return strings.Contains(billing, word)
	})
}
