package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// script is a small account behind the transport, answering as the documents
// say. Tests put one answer in another's place through before.
type script struct {
	clusters []map[string]any
	nodes    map[string][]map[string]any
	tasks    map[string][]map[string]any
	before   func(r *http.Request) *http.Response // nil: the account answers

	mu    sync.Mutex
	calls []string // "action page" or "action cluster"
}

// actionOf reads the action as the vendor's client writes it, in lower case.
func actionOf(r *http.Request) string {
	for name, values := range r.Header {
		if strings.EqualFold(name, "x-acs-action") {
			return values[0]
		}
	}
	return ""
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	action := actionOf(r)
	s.mu.Lock()
	s.calls = append(s.calls, action)
	s.mu.Unlock()
	if s.before != nil {
		if resp := s.before(r); resp != nil {
			return resp, nil
		}
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/clusters/"), "/")
	var resp *http.Response
	switch action {
	case "DescribeClustersV1":
		var match []map[string]any
		for _, c := range s.clusters {
			// The filter is wider than equality on purpose.
			if strings.Contains(c["name"].(string), r.URL.Query().Get("name")) {
				match = append(match, c)
			}
		}
		resp = page(match, r, "clusters", "page_info", "page_number", "page_size")
	case "DescribeClusterDetail":
		resp = respond(404, `{"code":"ErrorClusterNotFound","message":"no such cluster","requestId":"R"}`)
		for _, c := range s.clusters {
			if c["cluster_id"] == id {
				resp = respond(200, string(provider.Raw(c)))
			}
		}
	case "DescribeClusterNodes":
		if r.URL.Query().Get("state") != "all" {
			return nil, errors.New("nodes asked for without state=all")
		}
		resp = page(s.nodes[id], r, "nodes", "page", "pageNumber", "pageSize")
	case "DescribeClusterTasks":
		resp = page(s.tasks[id], r, "tasks", "page_info", "page_number", "page_size")
	default:
		return nil, fmt.Errorf("no such action %s", action)
	}
	resp.Header.Set("Date", "Sun, 01 Mar 2026 08:00:05 GMT")
	return resp, nil
}

func page(all []map[string]any, r *http.Request, list, info, number, size string) *http.Response {
	n, _ := strconv.Atoi(r.URL.Query().Get(number))
	per, _ := strconv.Atoi(r.URL.Query().Get(size))
	if n < 1 || per < 1 || per > 100 {
		return respond(400, `{"code":"InvalidParameter","message":"page"}`)
	}
	from := min((n-1)*per, len(all))
	to := min(from+per, len(all))
	return respond(200, string(provider.Raw(map[string]any{
		list: all[from:to],
		info: map[string]int{"page_number": n, "page_size": per, "total_count": len(all)},
	})))
}

func (s *script) count() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := map[string]int{}
	for _, c := range s.calls {
		count[c]++
	}
	return count
}

func configured(t *testing.T, rt http.RoundTripper) *plugin {
	t.Helper()
	p := newPlugin(fixedOptions())
	err := p.Configure(context.Background(), provider.Config{
		Entry: "ali", Settings: json.RawMessage(`{"plugin":"aliyun","region":"cn-beijing"}`),
		Credentials: map[string]string{"access_key_id": vectorKey, "access_key_secret": vectorSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	if rt != nil {
		over(p.client, rt.RoundTrip)
	}
	return p
}

func observe(t *testing.T, p *plugin, level provider.Level, keys ...provider.Key) map[string]provider.Observation {
	t.Helper()
	got := map[string]provider.Observation{}
	err := p.Observe(context.Background(), provider.ObserveRequest{Level: level, Keys: keys}, func(o provider.Observation) error {
		if _, twice := got[o.Address]; twice {
			t.Errorf("%s answered twice", o.Address)
		}
		got[o.Address] = o
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func clusterJSON(id, name, state, profile string) map[string]any {
	return map[string]any{"cluster_id": id, "name": name, "state": state, "profile": profile, "region_id": "cn-beijing", "size": 99}
}

func nodesJSON(from, n int) (out []map[string]any) {
	for i := range n {
		out = append(out, map[string]any{
			"instance_id": fmt.Sprintf("i-%04d", from+i), "node_name": fmt.Sprintf("cn-beijing.192.168.0.%d", from+i),
			"instance_role": "Worker", "state": "running", "node_status": "Ready", "creation_time": "2026-02-01T00:00:00.000Z",
		})
	}
	return out
}
