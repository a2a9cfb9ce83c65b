package qingcloud

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const (
	testKeyID  = "AKEXAMPLE"
	testSecret = "sk-example"
)

// testNow is the time in the signature vectors.
var testNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// call is one request that the fake cloud received.
type call struct {
	Method, Path, Query, Body string
}

// fake is a scripted cloud: one function per path.
type fake struct {
	mu     sync.Mutex
	calls  []call
	routes map[string]http.HandlerFunc
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.calls = append(f.calls, call{r.Method, r.URL.Path, r.URL.RawQuery, string(body)})
	f.mu.Unlock()
	w.Header().Set("Date", testNow.Format(http.TimeFormat))
	route, ok := f.routes[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	route(w, r)
}

// received are the calls so far.
func (f *fake) received() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// count is how often path was asked for.
func (f *fake) count(path string) int {
	n := 0
	for _, c := range f.received() {
		if c.Path == path {
			n++
		}
	}
	return n
}

// start serves f on loopback and returns a provider that talks to it.
func (f *fake) start(t *testing.T) *plugin {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return configure(t, server.URL)
}

func configure(t *testing.T, endpoint string) *plugin {
	t.Helper()
	p := newPlugin(func() time.Time { return testNow }, func() float64 { return 0 })
	err := p.Configure(context.Background(), provider.Config{
		Entry:       "qc",
		Settings:    json.RawMessage(`{"plugin":"qingcloud","zone":"jn1a","owner":"usr-abc","uid_number":11017754,"gid_number":11017755}`),
		Endpoint:    endpoint,
		Credentials: map[string]string{"access_key_id": testKeyID, "secret_access_key": testSecret},
		// Retries wait a millisecond.
		Timing: &provider.Timing{AcceptWindow: time.Minute, ReadLag: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// says answers with a fixed text.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// inTurn gives each request the next handler, the last one for ever.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handlers[0]
		if len(handlers) > 1 {
			handlers = handlers[1:]
		}
		mu.Unlock()
		h(w, r)
	}
}

// pages serves items as the API pages them.
func pages(set string, items ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		page := []json.RawMessage{}
		for i := offset; i < min(offset+limit, len(items)); i++ {
			page = append(page, json.RawMessage(items[i]))
		}
		_, _ = w.Write(provider.Raw(map[string]any{"ret_code": 0, "total_count": len(items), set: page}))
	}
}

func clusters(items ...string) http.HandlerFunc { return pages("cluster_set", items...) }
func nodes(items ...string) http.HandlerFunc    { return pages("hpc_app_nodes_set", items...) }
func jobs(items ...string) http.HandlerFunc     { return pages("job_set", items...) }

func clusterJSON(id, name, kind, status string) string {
	return fmt.Sprintf(`{"cluster_id":%q,"cluster_name":%q,"cluster_type":%q,"cluster_status":%q,"nas_id":"nas-1","nas_path":"/x","paid_type":"PayForUesd","scheduler_type":"slurm","total_node_count":1}`,
		id, name, kind, status)
}

func nodeJSON(id, role string, cpu, memory int, transition string) string {
	return fmt.Sprintf(`{"node_id":%q,"cluster_id":"cl-1","role":%q,"cpu":%d,"memory":"%d","storage_size":50,"status":"active","transition_status":%q,"app_version":"appv-1","vxnet_id":"vxnet-1","nas_mount_point":"/home","create_time":"2026-01-01T00:00:00Z","name":"n","env":"{}"}`,
		id, role, cpu, memory, transition)
}

func jobJSON(id, action, resources, status string) string {
	return fmt.Sprintf(`{"job_id":%q,"job_action":%q,"action_describe":"调整集群","resource_ids":%q,"status":%q,"error_codes":"5200","create_time":"2026-01-01T00:00:0%sZ"}`,
		id, action, resources, status, id[len(id)-1:])
}
