package huaweisim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// State is the whole account, as [cloudsim.Cloud] State and Restore give and
// take it. Tests write it by hand: every field but clusterId, clusterName and
// groupName has a default, and "nodeNum" in a group stands for that many hosts.
// Unknown fields are errors, so that a typing slip cannot go unnoticed.
type State struct {
	// ProjectID is the account's project; empty takes any.
	ProjectID string     `json:"projectId,omitempty"`
	Clusters  []*Cluster `json:"clusters"`

	// MaxNodes is the most Core and Task nodes of one cluster together; 0 is
	// 500. MaxCore is the most Core nodes of one cluster; 0 leaves it to
	// MaxNodes.
	MaxNodes int `json:"maxNodes,omitempty"`
	MaxCore  int `json:"maxCore,omitempty"`
	// Quota limits the account over all clusters.
	Quota Quota `json:"quota,omitzero"`
	// OldestVersion is the oldest cluster version, "1.6.0", that may scale
	// out; empty takes all.
	OldestVersion string `json:"oldestVersion,omitempty"`
	// SoldOut lists node sizes that cannot be had at the moment.
	SoldOut []string `json:"soldOut,omitempty"`
	// DropEmptyGroups lets a Task group vanish from the replies with its last
	// node; otherwise it stays with nodeNum 0. The documents do not say which.
	DropEmptyGroups bool `json:"dropEmptyGroups,omitempty"`
	// HostTypes says how ListHosts writes a host's type, which the documents
	// do in three ways: "" Core, "node" CoreNode, "group" Analysis_Core.
	HostTypes string `json:"hostTypes,omitempty"`
	// HostTotalText makes the total of ListHosts a string, as one example of
	// the documents has it.
	HostTotalText bool `json:"hostTotalText,omitempty"`

	// Counters, so that ids are unique for ever: the last ones given.
	LastHost    int `json:"lastHost,omitempty"`
	LastJob     int `json:"lastJob,omitempty"`
	LastRequest int `json:"lastRequest,omitempty"`
}

// Quota is what the account may use over all its clusters; nil is no limit.
type Quota struct {
	Nodes    *int `json:"nodes,omitempty"`
	CPU      *int `json:"cpu,omitempty"`      // vCPUs
	Memory   *int `json:"memory,omitempty"`   // GiB
	Disks    *int `json:"disks,omitempty"`    // data disks
	DiskSize *int `json:"diskSize,omitempty"` // GB of data disks
}

// Cluster is one cluster, with the cloud's names for what the cloud shows.
type Cluster struct {
	ClusterID           string `json:"clusterId"`
	ClusterName         string `json:"clusterName"`
	ClusterState        string `json:"clusterState,omitempty"` // default running
	Scale               string `json:"scale,omitempty"`
	StageDesc           string `json:"stageDesc,omitempty"` // while a job runs its stage is shown instead
	ErrorInfo           string `json:"errorInfo,omitempty"`
	ClusterVersion      string `json:"clusterVersion,omitempty"` // default "MRS 3.1.0"
	ClusterType         int    `json:"clusterType,omitempty"`    // 0 analysis, 1 streaming, 2 mixed, 3 custom
	BillingType         string `json:"billingType,omitempty"`    // default "Metered"
	PeriodType          string `json:"periodType,omitempty"`
	CreateAt            string `json:"createAt,omitempty"` // seconds since 1970; default the time of Restore
	UpdateAt            string `json:"updateAt,omitempty"` // default CreateAt
	Tags                string `json:"tags,omitempty"`     // "k1=v1,k2=v2"
	EnterpriseProjectID string `json:"enterpriseProjectId,omitempty"`
	VpcID               string `json:"vpcId,omitempty"`
	SubnetID            string `json:"subnetId,omitempty"`

	// YearlyMonthly, UnpaidOrder and Refuse refuse resizes: with 12000065,
	// scale-outs with 12000121, and everything with the given code.
	YearlyMonthly bool   `json:"yearlyMonthly,omitempty"`
	UnpaidOrder   bool   `json:"unpaidOrder,omitempty"`
	Refuse        string `json:"refuse,omitempty"`

	Groups []*Group `json:"groups"`
	Job    *Job     `json:"job,omitempty"` // the resize under way

	// encoded is the cluster as JSON, kept while it does not change, so that
	// the state of 10,000 clusters is not encoded anew for every change.
	encoded []byte
}

// Group is a node group under the name that reads show:
// master_node_default_group, core_node_analysis_group,
// core_node_streaming_group, task_node_analysis_group,
// task_node_streaming_group.
type Group struct {
	GroupName       string `json:"groupName"`
	NodeSize        string `json:"nodeSize,omitempty"`        // default c3.4xlarge.2.linux.bigdata
	DataVolumeType  string `json:"dataVolumeType,omitempty"`  // default SAS
	DataVolumeCount int    `json:"dataVolumeCount,omitempty"` // default 2
	DataVolumeSize  int    `json:"dataVolumeSize,omitempty"`  // GB, default 200
	// TaskGroupName is the name under taskNodeGroups; default
	// task_node_default_group, in a mixed cluster GroupName.
	TaskGroupName string `json:"taskGroupName,omitempty"`

	// NodeNum makes that many hosts at Restore when Hosts is empty.
	NodeNum int   `json:"nodeNum,omitempty"`
	Hosts   []Run `json:"hosts,omitempty"` // oldest first
}

// Run is hosts with consecutive numbers, so that a group of 500 takes a line.
type Run struct {
	From   int    `json:"from"`
	Count  int    `json:"count"`
	Added  bool   `json:"added,omitempty"`  // by a resize, which shows in their names
	Status string `json:"status,omitempty"` // default ACTIVE
}

// Job is a resize under way.
type Job struct {
	ID    string    `json:"id"`
	Out   bool      `json:"out"`   // scale_out
	Group string    `json:"group"` // as written: core_node_default_group
	Count int       `json:"count"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Task is the specification for a Task group that has no nodes.
	Task *TaskNodeInfo `json:"task,omitempty"`
	// Named holds the numbers of the hosts to remove; empty: the cloud chooses.
	Named []int `json:"named,omitempty"`
	// Fails is the code that the job ends with, after Do nodes.
	Fails string `json:"fails,omitempty"`
	Do    int    `json:"do"`
}

// Defaults for fields that the state leaves out.
const (
	defaultVersion = "MRS 3.1.0"
	defaultBilling = "Metered"
	defaultSize    = "c3.4xlarge.2.linux.bigdata"
	defaultMax     = 500 // MRS API, resizing a cluster, table 2, instances
)

// State gives the whole account as JSON.
func (c *cloud) State() ([]byte, error) {
	head := c.state
	head.Clusters = nil
	b, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("encode the state: %w", err)
	}
	before, after, ok := bytes.Cut(b, []byte(`"clusters":null`))
	if !ok {
		return nil, errors.New("encode the state: no place for the clusters")
	}
	buf := bytes.NewBuffer(before)
	buf.WriteString(`"clusters":[`)
	for i, cl := range c.state.Clusters {
		if cl.encoded == nil {
			if cl.encoded, err = json.Marshal(cl); err != nil {
				return nil, fmt.Errorf("encode cluster %s: %w", cl.ClusterID, err)
			}
		}
		if i > 0 {
			buf.WriteByte(',')
		}
		buf.Write(cl.encoded)
	}
	buf.WriteByte(']')
	buf.Write(after)
	return buf.Bytes(), nil
}

// Restore replaces the whole account. On an error nothing changes.
func (c *cloud) Restore(state []byte) error {
	var s State
	dec := json.NewDecoder(bytes.NewReader(state))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	byID := make(map[string]*Cluster, len(s.Clusters))
	for _, cl := range s.Clusters {
		if byID[cl.ClusterID] != nil {
			return fmt.Errorf("read the state: two clusters %s", cl.ClusterID)
		}
		byID[cl.ClusterID] = cl
		if err := c.fill(cl); err != nil {
			return fmt.Errorf("read the state: %w", err)
		}
	}
	if err := s.numberHosts(); err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	c.state, c.byID = s, byID
	c.lists = nil
	c.queue = nil
	for _, cl := range s.Clusters {
		if cl.Job != nil {
			c.enqueue(cl)
		}
	}
	c.version++
	return nil
}

// fill checks one cluster and gives it the defaults that depend on the clock.
func (c *cloud) fill(cl *Cluster) error {
	if cl.ClusterID == "" || cl.ClusterName == "" {
		return errors.New("a cluster needs clusterId and clusterName")
	}
	if cl.ClusterState != "" && !slices.Contains(clusterStates, cl.ClusterState) {
		return fmt.Errorf("cluster %s: no state %q", cl.ClusterID, cl.ClusterState)
	}
	for _, g := range cl.Groups {
		if role(g.GroupName) == "" {
			return fmt.Errorf("cluster %s: group %q begins with none of master_, core_, task_", cl.ClusterID, g.GroupName)
		}
		slices.SortFunc(g.Hosts, func(a, b Run) int { return cmp.Compare(a.From, b.From) })
		if g.NodeNum > 0 && len(g.Hosts) > 0 {
			return fmt.Errorf("cluster %s, group %s: nodeNum beside hosts", cl.ClusterID, g.GroupName)
		}
	}
	if cl.Job != nil && (cl.Job.ID == "" || cl.Job.Group != coreGroup && cl.Job.Group != taskGroup) {
		return fmt.Errorf("cluster %s: a job needs an id and the group %s or %s", cl.ClusterID, coreGroup, taskGroup)
	}
	cl.CreateAt = cmp.Or(cl.CreateAt, strconv.FormatInt(c.opts.Now().Unix(), 10))
	cl.UpdateAt = cmp.Or(cl.UpdateAt, cl.CreateAt)
	return nil
}

// numberHosts makes the hosts that nodeNum stands for, and checks that no two
// hosts share a number.
func (s *State) numberHosts() error {
	var runs []Run
	for _, cl := range s.Clusters {
		for _, g := range cl.Groups {
			for _, run := range g.Hosts {
				if run.From < 1 || run.Count < 1 {
					return fmt.Errorf("cluster %s, group %s: hosts need from and count of 1 or more", cl.ClusterID, g.GroupName)
				}
				runs = append(runs, run)
				s.LastHost = max(s.LastHost, run.From+run.Count-1)
			}
		}
	}
	slices.SortFunc(runs, func(a, b Run) int { return cmp.Compare(a.From, b.From) })
	for i := 1; i < len(runs); i++ {
		if runs[i].From < runs[i-1].From+runs[i-1].Count {
			return fmt.Errorf("host number %d is given twice", runs[i].From)
		}
	}
	for _, cl := range s.Clusters {
		for _, g := range cl.Groups {
			if g.NodeNum > 0 {
				g.grow(s, g.NodeNum, false)
				g.NodeNum = 0
				cl.encoded = nil
			}
		}
	}
	return nil
}

// changed marks a cluster, and with it the state, as another than before.
func (c *cloud) changed(cl *Cluster) {
	cl.encoded = nil
	c.version++
}

// role is "master", "core" or "task", by the prefix of a group's name as it is
// written or read.
func role(group string) string {
	r, _, ok := strings.Cut(group, "_")
	if ok && (r == "master" || r == "core" || r == "task") {
		return r
	}
	return ""
}

func (cl *Cluster) status() string { return cmp.Or(cl.ClusterState, "running") }

// groups are the groups of one role.
func (cl *Cluster) groups(of string) []*Group {
	var gs []*Group
	for _, g := range cl.Groups {
		if role(g.GroupName) == of {
			gs = append(gs, g)
		}
	}
	return gs
}

// count is how many nodes of one role the cluster has.
func (cl *Cluster) count(role string) int {
	n := 0
	for _, g := range cl.groups(role) {
		n += g.count()
	}
	return n
}
