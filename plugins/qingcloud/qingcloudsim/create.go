package qingcloudsim

import (
	"fmt"
	"slices"
	"strings"
)

// Payment types as the list answers them; the create page writes "reserved",
// its sample Reserved.
const (
	payForUsed = "PayForUsed"
	reserved   = "Reserved"
)

// durations of reserved clusters, in months. 70 stands for five years on the
// page that lists them; 60 is probably meant, so both pass.
var durations = []int{1, 3, 6, 12, 36, 60, 70}

// createIgnored are parameters of the table that are columns of the server's
// own record (assumption: ignored), and user_id, which the sample sends too.
var createIgnored = []string{
	"timestamp", "user_id", "cluster_id", "create_time", "cur_cpu", "instance_id",
	"status", "status_time", "tasks_running", "tasks_total",
}

// createTexts are the table's optional strings that nothing here depends on.
var createTexts = []string{
	"account_service", "app_id", "instance_image", "password",
	"pqueue_name", "pqueue_type_id", "software_info", "user_name",
}

// maxNodes of one request. Assumption: no page limits count, and an account's
// quota would; this one keeps a misprint from filling the memory.
const maxNodes = 1000

// wantedCluster is a createCluster request.
type wantedCluster struct {
	Cluster      // what can be taken over as it is
	roles        []wantedRole
	withPassword bool // the optional one; the administrator's is always there
}

func (w *wantedCluster) count() int {
	n := 0
	for _, r := range w.roles {
		n += min(r.count, maxNodes+1) // a sum that cannot overflow
	}
	return n
}

// readCreate checks a createCluster request against the page's tables.
func readCreate(o *object) wantedCluster {
	w := wantedCluster{Cluster: Cluster{
		ClusterType:   o.oneOf("cluster_type", kindHPC, kindEHPC),
		Zone:          o.mustText("zone"),
		Owner:         o.mustBegin("owner", "usr-"),
		VersionID:     o.mustText("version_id"),
		GIDNumber:     o.mustWhole("gid_number"),
		UIDNumber:     o.mustWhole("uid_number"),
		DeployMode:    o.oneOf("deploy_mode", "1", "2"),
		PaidType:      o.oneOf("paid_type", payForUsed, reserved),
		Duration:      o.whole("duration"),
		IsAutoRenewal: o.whole("is_auto_renewal"),
		SchedulerType: o.text("scheduler_type"),
		Description:   " ",
	}}
	if w.ClusterType == "" {
		o.missing("cluster_type")
	}
	orElse(&w.DeployMode, "1")
	orElse(&w.PaidType, payForUsed)
	if w.ClusterType == kindHPC && w.DeployMode != "1" {
		o.wrong("deploy_mode", "1 for an hpc cluster")
	}
	for _, name := range createTexts {
		o.text(name)
	}
	w.withPassword = o.text("password") != ""
	w.payment(o)

	conf := o.mustObject("cluster_conf")
	cluster := conf.mustObject("cluster")
	w.ClusterName = cluster.mustText("name")
	w.VxnetID = cluster.mustBegin("vxnet", "vxnet-")
	w.NasID = cluster.mustText("nas_id")
	w.roles = cluster.wantedRoles(w.ClusterType, w.DeployMode)
	w.Env = conf.mustObject("env").env()
	// The page puts version inside cluster, the sample beside it.
	if !cluster.has("version") && !conf.has("version") {
		cluster.missing("version")
	}
	// What comes twice must say the same; which place wins is unpublished.
	same(cluster, "version", w.VersionID)
	same(conf, "version", w.VersionID)
	same(o, "cluster_name", w.ClusterName)
	same(o, "nas_id", w.NasID)
	same(o, "nas_path", w.Env.NasPath)
	cluster.done()
	conf.done()
	o.done(createIgnored...)
	return w
}

func (w *wantedCluster) payment(o *object) {
	o.flag("is_auto_renewal", w.IsAutoRenewal)
	if w.PaidType != reserved {
		return
	}
	for _, name := range []string{"duration", "is_auto_renewal"} {
		if !o.has(name) {
			o.missing(name)
		}
	}
	o.size("duration", w.Duration, durations)
}

// same refuses a parameter that is there and differs from its other place.
func same(o *object, name, other string) {
	if s := o.text(name); o.has(name) && s != other {
		o.wrong(name, "the same in every place that has it")
	}
}

// createAnswer is the reply of createCluster.
type createAnswer struct {
	Action       string `json:"action"`
	HPCClusterID string `json:"hpc_cluster_id"`
	JobID        string `json:"job_id"`
	RetCode      int    `json:"ret_code"`
}

// createCluster makes a cluster. There is no idempotency token and names are
// not unique: the same request twice makes two clusters.
func (c *cloud) createCluster(q request) (any, *refusal) {
	o, bad := bodyObject(q)
	if bad != nil {
		return nil, bad
	}
	w := readCreate(o)
	if *o.bad != nil {
		return nil, *o.bad
	}
	if q.audit.Count = w.count(); q.audit.Count > maxNodes {
		return nil, refuse(codeQuota, "more than %d nodes", maxNodes)
	}
	if bad := c.oneHPC(&w.Cluster); bad != nil {
		return nil, bad
	}
	cl := c.build(w)
	job := c.start(q, cl, "HpcClusterCreateCluster", nodeIDs(cl.Nodes))
	q.audit.Cluster, q.audit.Job = cl.ClusterID, job.JobID
	q.audit.Detail = w.describe()
	return createAnswer{"HpcClusterCreateClusterResponse", cl.ClusterID, job.JobID, 0}, nil
}

// oneHPC keeps to one hpc cluster for each user (Quick start, create an HPC
// cluster). Assumption: one over is a quota exceeded.
func (c *cloud) oneHPC(want *Cluster) *refusal {
	if want.ClusterType != kindHPC {
		return nil
	}
	if slices.ContainsFunc(c.st.Clusters, func(cl *Cluster) bool {
		return cl.ClusterType == kindHPC && cl.Owner == want.Owner
	}) {
		return refuse(codeQuota, "the user has an hpc cluster already")
	}
	return nil
}

// build puts the wanted cluster and its nodes, all of them in the making, into
// the account.
func (c *cloud) build(w wantedCluster) *Cluster {
	cl := w.Cluster
	now := c.opts.Now()
	cl.ClusterID = c.st.newID(cl.ClusterType+"-", 8)
	cl.AppClusterID = c.st.newID("cl-", 8)
	cl.ClusterStatus, cl.CreateTime = statusCreating, now
	for _, role := range w.roles {
		for range role.count {
			n := &Node{
				Role: role.name, CPU: role.cpu, Memory: role.memory, StorageSize: firstStorage,
				Status: statusPending, TransitionStatus: "creating", NasMountPoint: role.nasMountPoint,
			}
			c.st.completeNode(n, now)
			cl.Nodes = append(cl.Nodes, n)
		}
	}
	c.st.Clusters = append(c.st.Clusters, &cl)
	c.addCluster(&cl)
	return &cl
}

// describe is the audit log's line: roles and sizes, and that passwords came.
func (w *wantedCluster) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "name %s", w.ClusterName)
	for _, r := range w.roles {
		fmt.Fprintf(&b, "; %s %d of cpu %d, memory %d", r.name, r.count, r.cpu, r.memory)
	}
	b.WriteString("; admin.password given")
	if w.withPassword {
		b.WriteString("; password given")
	}
	return b.String()
}
