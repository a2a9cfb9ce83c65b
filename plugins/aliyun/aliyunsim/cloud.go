package aliyunsim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// The key pair that is accepted unless the options name another. Made up.
const (
	AccessKeyID = "LTAIFAKE00000001"
	SecretKey   = "fake-secret-for-tests"
)

// New serves an empty account. Work takes opts.JobTime; signed requests are
// taken for opts.AcceptWindow (0: 15 minutes, as documented).
func New(opts cloudsim.Options) *cloudsim.Server {
	return cloudsim.NewServer(opts, func(o cloudsim.Options) cloudsim.Cloud {
		fill(&o.AccessKeyID, AccessKeyID)
		fill(&o.SecretKey, SecretKey)
		c := &cloud{opts: o, nonces: map[string]bool{}}
		if err := c.Restore([]byte(`{}`)); err != nil {
			panic(err) // an empty state is always sound
		}
		return c
	})
}

// group is what the audit log calls the workers, as specs do.
const group = "worker"

// cloud is the simulated account. Its maps are indexes into state.
type cloud struct {
	opts     cloudsim.Options
	state    State
	version  int
	clusters map[string]*Cluster
	tasks    map[string]work
	running  queue // tasks with a job

	// The gateway's memory against replays. It is no part of the state, as it
	// is none of the container service's.
	nonces map[string]bool
	recent []nonce
}

// work is a task with its cluster.
type work struct {
	cluster *Cluster
	task    *Task
}

// Name is the plugin's name.
func (c *cloud) Name() string { return "aliyun" }

// Version rises with every change of state.
func (c *cloud) Version() int { return c.version }

// call is one request on its way through the service.
type call struct {
	cloudsim.Call
	ctx    context.Context
	w      http.ResponseWriter
	accept string     // the header
	path   []string   // unescaped segments of the path
	query  url.Values // unescaped
	body   []byte
	id     string // request id
	count  int    // nodes asked for, once known
}

// serve does one action of the API.
type serve func(*cloud, *call)

// An action of the API, its path with "*" for an id.
type action struct {
	method, path, name string
	changes            bool
	serve              serve
}

// The paths and names are those of the vendor's SDK for API 2015-12-15.
var actions = []action{
	{"POST", "api/v2/clusters/*", "ScaleOutCluster", true, (*cloud).scaleOut},
	{"POST", "clusters/*/nodes", "DeleteClusterNodes", true, (*cloud).deleteNodes},
	{"GET", "clusters/*", "DescribeClusterDetail", false, (*cloud).clusterDetail},
	{"GET", "api/v1/clusters", "DescribeClustersV1", false, (*cloud).listClusters},
	{"GET", "clusters/*/nodes", "DescribeClusterNodes", false, (*cloud).listNodes},
	{"GET", "clusters/*/tasks", "DescribeClusterTasks", false, (*cloud).listTasks},
	{"GET", "tasks/*", "DescribeTaskInfo", false, (*cloud).taskInfo},
}

// find says which action a request is for and the path's segments.
func find(r *http.Request) (*action, []string) {
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil, nil
		}
		segments[i] = plain
	}
	for i := range actions {
		pattern := strings.Split(actions[i].path, "/")
		if actions[i].method == r.Method && slices.EqualFunc(pattern, segments, func(want, got string) bool {
			return want == got || want == "*" && got != ""
		}) {
			return &actions[i], segments
		}
	}
	return nil, segments
}

// cluster is the cluster id in an action's path.
func (a *action) cluster(segments []string) string {
	pattern := strings.Split(a.path, "/")
	if i := slices.Index(pattern, "*"); i > 0 && pattern[i-1] == "clusters" {
		return segments[i]
	}
	return ""
}

// Call says which API call a request is.
func (c *cloud) Call(r *http.Request) cloudsim.Call {
	a, segments := find(r)
	if a == nil {
		return cloudsim.Call{Name: "unknown"}
	}
	return cloudsim.Call{Name: a.name, Cluster: a.cluster(segments), Changes: a.changes}
}

// ServeHTTP answers one request: first as the gateway (signature, time, known
// action), then as the container service.
func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A past state put back for a stale read has jobs that were due since.
	c.Advance()
	body, err := readAll(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	a, segments := find(r)
	q := &call{Call: c.Call(r), ctx: r.Context(), w: w, accept: r.Header.Get("Accept"), path: segments, body: body, id: c.stamp(w)}
	q.query, err = url.ParseQuery(r.URL.RawQuery)
	switch e := c.admit(r, body); {
	case e != nil:
		c.refuse(q, *e)
	case err != nil:
		c.refuse(q, invalid("the query cannot be read"))
	case a == nil || r.Header.Get("X-Acs-Action") != a.name:
		// Choice: the gateway's customary code, also when the header names
		// another action than the path.
		c.refuse(q, gateway(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."))
	case r.Header.Get("X-Acs-Version") != version:
		c.refuse(q, gateway(http.StatusBadRequest, "InvalidVersion", "Specified parameter Version is not valid."))
	case slices.Contains(c.state.Denied, a.name):
		c.refuse(q, service(http.StatusForbidden, "ErrorCheckAcl", "the key may not do "+a.name))
	case a.changes && !isJSON(r.Header.Get("Content-Type")):
		c.refuse(q, unsupportedMedia)
	default:
		a.serve(c, q)
	}
}

// stamp sets the headers of every answer and returns the request id.
func (c *cloud) stamp(w http.ResponseWriter) string {
	// Counting answers is no change of state: no job or reader depends on it.
	c.state.RequestsEver++
	id := fmt.Sprintf(requestID, c.state.RequestsEver)
	w.Header().Set("Date", c.opts.Now().UTC().Format(http.TimeFormat))
	w.Header().Set("X-Acs-Request-Id", id)
	return id
}

// taken records a changing request that was taken.
func (c *cloud) taken(q *call, job, detail string) {
	c.opts.Log.Record(q.ctx, cloudsim.Entry{
		Time: c.opts.Now(), Event: "request", Cloud: c.Name(), Call: q.Name, Cluster: q.Cluster, Group: group,
		Outcome: "accepted", RequestID: q.id, Job: job, Count: q.count, Detail: detail,
	})
}

// reply writes a body of the service.
func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the recorder it goes to takes all
}

// stampTime is how the service writes times. Choice: its customary zone.
func stampTime(t time.Time) string {
	return t.In(time.FixedZone("", 8*60*60)).Format(time.RFC3339)
}
