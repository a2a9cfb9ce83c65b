package qingcloudsim_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

// clock is the simulated cloud's and the client's.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// start is the time of the recorded signature vectors.
var start = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)

const (
	zone  = "jn1a"
	owner = "usr-8rhqe0n7"
)

// world is one simulated cloud on loopback with a raw client for it.
type world struct {
	*testing.T
	clock *clock
	sim   *cloudsim.Server
	http  *httptest.Server
}

func newWorld(t *testing.T, opts cloudsim.Options, state []byte) *world {
	t.Helper()
	w := &world{T: t, clock: &clock{now: start}}
	opts.Now = w.clock.Now
	w.sim = qingcloudsim.New(opts)
	if state != nil {
		w.restore(state)
	}
	w.http = httptest.NewServer(w.sim)
	t.Cleanup(w.http.Close)
	return w
}

func (w *world) restore(state []byte) {
	w.Helper()
	w.sim.Cloud(func(c cloudsim.Cloud) {
		if err := c.Restore(state); err != nil {
			w.Fatal(err)
		}
	})
}

func (w *world) state() qingcloudsim.State {
	w.Helper()
	var st qingcloudsim.State
	w.sim.Cloud(func(c cloudsim.Cloud) {
		text, err := c.State()
		if err == nil {
			err = json.Unmarshal(text, &st)
		}
		if err != nil {
			w.Fatal(err)
		}
	})
	return st
}

func (w *world) inject(f cloudsim.Fault) {
	w.Helper()
	if err := w.sim.Inject(f); err != nil {
		w.Fatal(err)
	}
}

// percent encodes as the signature rules say, byte by byte.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		ch := s[i]
		if strings.IndexByte("-_.~", ch) >= 0 || '0' <= ch && ch <= '9' || 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' {
			b.WriteByte(ch)
		} else {
			fmt.Fprintf(&b, "%%%02X", ch)
		}
	}
	return b.String()
}

// signed returns the raw query of a signed request.
func signed(secret, method, path string, query map[string]string, body string) string {
	var pairs []string
	for name, value := range query {
		pairs = append(pairs, percent(name)+"="+percent(value))
	}
	sort.Strings(pairs)
	canonical := strings.Join(pairs, "&")
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s\n%s/\n%s\n%x", method, strings.TrimSuffix(path, "/"), canonical, md5.Sum([]byte(body)))
	return canonical + "&signature=" + percent(percent(base64.StdEncoding.EncodeToString(mac.Sum(nil))))
}

// commonQuery is what every query has, signed at a time.
func commonQuery(at time.Time) map[string]string {
	return map[string]string{
		"access_key_id": qingcloudsim.AccessKeyID, "signature_method": "HmacSHA256", "signature_version": "1",
		"version": "1", "timestamp": at.UTC().Format("2006-01-02T15:04:05Z"),
	}
}

// reply is what came back; err is set when nothing did.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
	err    error
}

func (r reply) code() int {
	n, ok := r.body["ret_code"].(float64)
	if !ok {
		return -1
	}
	return int(n)
}

// send sends bytes as they are.
func (w *world) send(method, path, rawQuery, body string) reply {
	w.Helper()
	req, err := http.NewRequest(method, w.http.URL+path+"?"+rawQuery, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return w.do(req)
}

func (w *world) do(req *http.Request) reply {
	w.Helper()
	resp, err := w.http.Client().Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{err: err}
	}
	r := reply{status: resp.StatusCode, header: resp.Header, text: string(text)}
	// Garbage leaves the body nil.
	_ = json.Unmarshal(text, &r.body)
	return r
}

// get signs and sends a read in the zone.
func (w *world) get(path string, query map[string]string) reply {
	w.Helper()
	all := commonQuery(w.clock.Now())
	all["zone"] = zone
	for name, value := range query {
		all[name] = value
	}
	return w.send("GET", path, signed(qingcloudsim.SecretKey, "GET", path, all, ""), "")
}

// post signs and sends a change.
func (w *world) post(path string, body any) reply {
	w.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	query := signed(qingcloudsim.SecretKey, "POST", path, commonQuery(w.clock.Now()), string(text))
	return w.send("POST", path, query, string(text))
}

func (w *world) create(body any) reply { w.Helper(); return w.post("/api/cluster/createCluster", body) }

func (w *world) resize(body any) reply { w.Helper(); return w.post("/api/cluster/resizeCluster", body) }

// wantCode fails unless the reply came with HTTP 200 and the code.
func (w *world) wantCode(r reply, code int) {
	w.Helper()
	if r.err != nil || r.status != http.StatusOK || r.code() != code {
		w.Fatalf("got HTTP %d, ret_code %d (%s, %v), want 200 and %d", r.status, r.code(), r.text, r.err, code)
	}
}

// set returns what a list answered.
func (w *world) set(r reply, name string) []map[string]any {
	w.Helper()
	w.wantCode(r, 0)
	list, ok := r.body[name].([]any)
	if !ok {
		w.Fatalf("no list %s in %s", name, r.text)
	}
	items := make([]map[string]any, len(list))
	for i, v := range list {
		items[i] = v.(map[string]any)
	}
	return items
}

func (w *world) clusters(query map[string]string) []map[string]any {
	w.Helper()
	all := map[string]string{"owner": owner}
	for name, value := range query {
		all[name] = value
	}
	return w.set(w.get("/api/cluster/list", all), "cluster_set")
}

func (w *world) nodes(query map[string]string) []map[string]any {
	w.Helper()
	return w.set(w.get("/api/cluster/listNodes", query), "hpc_app_nodes_set")
}

func (w *world) jobs(query map[string]string) []map[string]any {
	w.Helper()
	return w.set(w.get("/api/operation", query), "job_set")
}

// column picks one field out of a list.
func column(items []map[string]any, name string) []any {
	values := make([]any, len(items))
	for i, item := range items {
		values[i] = item[name]
	}
	return values
}

// o is a JSON object in the making.
type o = map[string]any

func role(count, cpu, memory int) o {
	return o{"count": count, "cpu": cpu, "memory": memory, "nas_mount_point": "/home"}
}

// ehpcBody is a full createCluster request for one login, one controller and
// two compute nodes.
func ehpcBody(name string) o {
	return o{
		"gid_number": 11017754, "uid_number": 11017754, "version_id": "appv-8k3d0ytv", "cluster_type": "ehpc",
		"owner": owner, "zone": zone, "deploy_mode": "1",
		"cluster_conf": o{
			"cluster": o{
				"vxnet": "vxnet-oilq879", "name": name, "nas_id": "nas-1", "version": "appv-8k3d0ytv",
				"login": role(1, 2, 4096), "controller": role(1, 2, 4096), "compute": role(2, 4, 12288),
			},
			"env": o{
				"admin.user": "admin", "admin.password": password, "admin.user_id": 11017754, "admin.group_id": 11017754,
				"nas_path": "10.0.0.7@o2ib:/lustrefs/x", "nfs_need": 1, "nfs_dns": "10.104.100.99",
				"nfs_export": "qingyun.nsccjn.com:/shanhe", "start_hook_on": 1, "nfs_local": "/es01/software",
				"nfs_network": "10.104.0.0/16",
			},
		},
	}
}

func hpcBody(name string) o {
	body := ehpcBody(name)
	body["cluster_type"] = "hpc"
	cluster := body["cluster_conf"].(o)["cluster"].(o)
	delete(cluster, "controller")
	delete(cluster, "compute")
	return body
}

// password must never come back out.
const password = "Made-Up-Pass-1"

// with sets one value deep in a body; a nil value removes the key.
func with(body o, value any, path ...string) o {
	at := body
	for _, key := range path[:len(path)-1] {
		at = at[key].(o)
	}
	last := path[len(path)-1]
	if at[last] = value; value == nil {
		delete(at, last)
	}
	return body
}

// mixed is a state with a cluster of three roles.
func mixed() []byte {
	return []byte(`{"clusters": [{
		"cluster_id": "ehpc-gk3wfc7e", "cluster_name": "sim", "zone": "jn1a", "owner": "usr-8rhqe0n7",
		"version_id": "appv-1", "vxnet_id": "vxnet-1", "create_time": "2026-01-01T00:00:00Z",
		"nodes": [
			{"node_id": "cln-00000001", "role": "login", "cpu": 1, "memory": 2048},
			{"node_id": "cln-00000002", "role": "controller", "cpu": 2, "memory": 4096},
			{"node_id": "cln-00000003", "role": "compute", "cpu": 2, "memory": 4096},
			{"node_id": "cln-00000004", "role": "compute", "cpu": 2, "memory": 4096},
			{"node_id": "cln-00000005", "role": "compute", "cpu": 2, "memory": 4096}
		]}]}`)
}

func sizeBody(role, cpu, memory string) o {
	return o{"cluster_id": "ehpc-gk3wfc7e", "zone": zone, "node_role": role, "cpu": cpu, "memory": memory}
}

// drift changes something from outside.
func (w *world) drift(d cloudsim.Drift) {
	w.Helper()
	w.sim.Cloud(func(c cloudsim.Cloud) {
		if err := c.Drift(d); err != nil {
			w.Fatal(err)
		}
	})
}
