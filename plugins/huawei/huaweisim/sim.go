package huaweisim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// The API calls that are served, by the names of the vendor's API explorer.
const (
	callDetail  = "ShowClusterDetails"
	callList    = "ListClusters"
	callHosts   = "ListHosts"
	callTags    = "ShowClusterTags"
	callScale   = "UpdateClusterScaling"
	callUnknown = "unknown"
)

// New makes an empty account. Options.AcceptWindow 0 means 15 minutes, an empty
// key pair means AccessKeyID and SecretKey.
func New(opts cloudsim.Options) *cloudsim.Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = &cloudsim.Log{}
	}
	if opts.AccessKeyID == "" && opts.SecretKey == "" {
		opts.AccessKeyID, opts.SecretKey = AccessKeyID, SecretKey
	}
	if opts.AcceptWindow == 0 {
		opts.AcceptWindow = acceptWindow
	}
	return cloudsim.NewServer(opts, func(opts cloudsim.Options) cloudsim.Cloud {
		return &cloud{opts: opts, byID: map[string]*Cluster{}}
	})
}

// cloud is the simulated account; cloudsim.Server calls it from one goroutine
// at a time.
type cloud struct {
	opts    cloudsim.Options
	state   State
	version int

	byID  map[string]*Cluster
	queue []*Cluster            // clusters with a job, by its end
	lists map[string][]*Cluster // filtered lists that resizes do not change
}

var _ cloudsim.Cloud = (*cloud)(nil)

// Name is the plugin's name.
func (c *cloud) Name() string { return "huawei" }

// Version rises with every change of state.
func (c *cloud) Version() int { return c.version }

// route is a request taken apart.
type route struct {
	call    string
	project string
	cluster string
}

func routeOf(r *http.Request) route {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	unknown := route{call: callUnknown}
	if len(parts) < 3 || parts[0] != "v1.1" || parts[1] == "" {
		return unknown
	}
	to := route{project: parts[1]}
	if len(parts) > 3 {
		to.cluster = parts[3]
	}
	what := r.Method + " " + parts[2]
	switch {
	case len(parts) == 3 && what == "GET cluster_infos":
		to.call = callList
	case to.cluster == "":
		return unknown
	case len(parts) == 4 && what == "GET cluster_infos":
		to.call = callDetail
	case len(parts) == 4 && what == "PUT cluster_infos":
		to.call = callScale
	case len(parts) == 5 && what == "GET clusters" && parts[4] == "hosts":
		to.call = callHosts
	case len(parts) == 5 && what == "GET clusters" && parts[4] == "tags":
		to.call = callTags
	default:
		return unknown
	}
	return to
}

// Call says which API call a request is.
func (c *cloud) Call(r *http.Request) cloudsim.Call {
	to := routeOf(r)
	return cloudsim.Call{Name: to.call, Cluster: to.cluster, Changes: to.call == callScale}
}

// Forms of the path parameters (MRS API, resizing a cluster, table 1).
var (
	projectForm = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)
	clusterForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// ServeHTTP answers one API request.
func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The Server has done this for a present request; a stale read comes to a
	// cloud of the past whose jobs may have ended since its snapshot.
	c.Advance()
	requestID := c.header(w)
	to := routeOf(r)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.fail(w, requestID, refuse("12000009"))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))

	if to.call == callUnknown {
		c.fail(w, requestID, refuse(codeNoAPI))
		return
	}
	no := c.authenticate(r, body, to.project)
	if no == nil && (!projectForm.MatchString(to.project) || to.cluster != "" && !clusterForm.MatchString(to.cluster)) {
		no = refuse("12000002", "The project or cluster id is malformed.")
	}
	if to.call == callScale {
		no = c.scale(r.Context(), requestID, to.cluster, body, no)
		if no != nil {
			c.fail(w, requestID, no)
			return
		}
		c.reply(w, http.StatusOK, map[string]string{"result": "succeeded"})
		return
	}
	if no != nil {
		c.fail(w, requestID, no)
		return
	}
	reply, no := c.read(to, r)
	if no != nil {
		c.fail(w, requestID, no)
		return
	}
	c.reply(w, http.StatusOK, reply)
}

// Refuse answers as the gateway does when it throttles, or MRS when it fails.
func (c *cloud) Refuse(w http.ResponseWriter, f cloudsim.Fault) {
	requestID := c.header(w)
	code := f.Code
	if code == "" {
		code = "MRS.300"
		if f.Kind == cloudsim.Throttle {
			code = codeThrottled
		}
	}
	no := refuse(code)
	switch {
	case f.Status != 0:
		no.status = f.Status
	case f.Kind == cloudsim.Throttle:
		no.status = http.StatusTooManyRequests
	default:
		no.status = http.StatusInternalServerError
	}
	c.fail(w, requestID, no)
}

// header sets what every response carries and returns its request id. The
// counter is no change of state: it is saved with the next one.
func (c *cloud) header(w http.ResponseWriter) string {
	c.state.LastRequest++
	id := fmt.Sprintf("%032x", c.state.LastRequest)
	w.Header().Set("Date", c.opts.Now().UTC().Format(http.TimeFormat))
	w.Header().Set("X-Request-Id", id)
	w.Header().Set("Content-Type", "application/json")
	return id
}

func (c *cloud) fail(w http.ResponseWriter, requestID string, no *refusal) {
	body := map[string]string{"error_code": no.code, "error_msg": no.text}
	if fromGateway(no.code) {
		body["request_id"] = requestID
	}
	c.reply(w, no.status, body)
}

func (c *cloud) reply(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // our own structs always encode
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
