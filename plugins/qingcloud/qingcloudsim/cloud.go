package qingcloudsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// The key pair that is accepted unless Options name another.
const (
	AccessKeyID = "AKEXAMPLE"
	SecretKey   = "sk-example"
)

// New serves an empty account.
func New(opts cloudsim.Options) *cloudsim.Server {
	if opts.AccessKeyID == "" {
		opts.AccessKeyID = AccessKeyID
	}
	if opts.SecretKey == "" {
		opts.SecretKey = SecretKey
	}
	return cloudsim.NewServer(opts, func(opts cloudsim.Options) cloudsim.Cloud {
		c := &cloud{opts: opts, window: acceptWindow}
		if opts.AcceptWindow > 0 {
			c.window = opts.AcceptWindow
		}
		c.index = newIndex(&c.st)
		return c
	})
}

// cloud is the simulated account.
type cloud struct {
	opts    cloudsim.Options
	window  time.Duration
	st      State
	version int
	index
}

// call is one API call: its method and what answers it.
type call struct {
	method string
	serve  func(c *cloud, q request) (any, *refusal)
}

// request is an authenticated request. A changing call fills in its line of the
// audit log.
type request struct {
	*http.Request
	query map[string]any // without the common parameters
	body  []byte
	audit *cloudsim.Entry
}

// calls are the served paths. addNodes, deleteNodes, modifyCluster,
// deleteCluster, startCluster and stopCluster are not: they answer 1101 as any
// unknown action does.
var calls = map[string]call{
	"/api/cluster/createCluster":    {http.MethodPost, (*cloud).createCluster},
	"/api/cluster/resizeCluster":    {http.MethodPost, (*cloud).resizeCluster},
	"/api/cluster/resizeClusterFee": {http.MethodGet, (*cloud).resizeClusterFee},
	"/api/cluster/list":             {http.MethodGet, (*cloud).list},
	"/api/cluster/listNodes":        {http.MethodGet, (*cloud).listNodes},
	"/api/operation":                {http.MethodGet, (*cloud).operation},
}

func (c *cloud) Name() string { return "qingcloud" }

func (c *cloud) Version() int { return c.version }

// Call names a request by the last part of its path.
func (c *cloud) Call(r *http.Request) cloudsim.Call {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away while sending
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return describe(r, body)
}

func describe(r *http.Request, body []byte) cloudsim.Call {
	named := cloudsim.Call{
		Name:    r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:],
		Changes: r.Method != http.MethodGet && r.Method != http.MethodHead,
	}
	if !named.Changes {
		named.Cluster = r.URL.Query().Get("cluster_id")
		return named
	}
	var peek struct {
		ClusterID string `json:"cluster_id"`
	}
	// A body that is no such object names no cluster; the call will refuse it.
	if json.Unmarshal(body, &peek) == nil {
		named.Cluster = peek.ClusterID
	}
	return named
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A past state of a stale read comes here without an Advance.
	c.Advance()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	named := describe(r, body)
	entry := cloudsim.Entry{
		Time: c.opts.Now(), Event: "request", Cloud: c.Name(),
		Call: named.Name, Cluster: named.Cluster, Outcome: "accepted",
	}
	answer, bad := c.answer(r, body, &entry)
	if bad != nil {
		answer = bad
		entry.Outcome, entry.Code, entry.Detail = "refused", strconv.Itoa(bad.RetCode), bad.Message
	}
	if named.Changes {
		c.opts.Log.Record(r.Context(), entry)
	}
	write(w, c.opts.Now(), http.StatusOK, answer)
}

// answer checks who asks, counts the request and lets its call answer.
func (c *cloud) answer(r *http.Request, body []byte, entry *cloudsim.Entry) (any, *refusal) {
	query, bad := c.authenticate(r, body)
	if bad != nil {
		return nil, bad
	}
	if bad := c.countRequest(); bad != nil {
		return nil, bad
	}
	known, ok := calls[r.URL.Path]
	if !ok || known.method != r.Method {
		return nil, refuse(codeBadValue, "no such action")
	}
	return known.serve(c, request{r, query, body, entry})
}

// The documented limit of requests (API reference: 2000 in 3600 seconds for
// each user).
const (
	requestLimit  = 2000
	requestWindow = 3600 * time.Second
)

// countRequest counts a request of a known user, whatever its answer will be.
// Assumption: the hour begins with its first request, and requests over the
// limit neither count nor prolong it.
func (c *cloud) countRequest() *refusal {
	limit, now, seen := c.st.RequestLimit, c.opts.Now(), &c.st.Requests
	if limit < 0 {
		return nil
	}
	if limit == 0 {
		limit = requestLimit
	}
	if now.Sub(seen.Since) >= requestWindow {
		*seen = Requests{Since: now}
	}
	if seen.Count >= limit {
		return refuse(codeQuota, "too many API calls: %d in %.0f seconds", limit, requestWindow.Seconds())
	}
	seen.Count++
	return nil
}

func rolesOf(kind string) []string {
	if kind == kindHPC {
		return []string{roleLogin}
	}
	return []string{roleLogin, roleController, roleCompute}
}

// removeCluster takes a cluster out of the account.
func (c *cloud) removeCluster(cl *Cluster) {
	same := func(other *Cluster) bool { return other == cl }
	c.st.Clusters = slices.DeleteFunc(c.st.Clusters, same)
	at := place{cl.Zone, cl.Owner}
	c.places[at] = slices.DeleteFunc(c.places[at], same)
	delete(c.clusters, cl.ClusterID)
	c.version++
}
