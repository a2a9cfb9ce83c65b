package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

func TestObserveNodes(t *testing.T) {
	nodes := append(nodesJSON(1, 2),
		map[string]any{"instance_id": "i-0000", "node_name": "m", "instance_role": "Master", "state": "running", "node_status": "Ready"},
		map[string]any{"instance_id": "i-0009", "node_name": "", "instance_role": "Worker", "state": "initial", "nodepool_id": "np2"},
	)
	s := &script{
		clusters: []map[string]any{clusterJSON("c1", "secure", "running", "Default")},
		nodes:    map[string][]map[string]any{"c1": nodes},
		tasks: map[string][]map[string]any{"c1": {
			{"task_id": "T-1", "task_type": "cluster_scaleout", "state": "success", "created": "2026-02-01T00:00:00+08:00"},
			{"task_id": "T-3", "task_type": "cluster_upgrade", "state": "odd", "created": "2026-02-03T00:00:00+08:00"},
			{"task_id": "T-2", "task_type": "cluster_scaleout", "state": "running", "created": "2026-02-02T00:00:00+08:00"},
		}},
	}
	got := observe(t, configured(t, s), provider.LevelNodes, provider.Key{Address: "secure", Kind: kindSandbox, ID: "c1"})
	created := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	want := map[string]provider.Observation{"secure": {
		Address: "secure", Presence: provider.Present, At: time.Date(2026, 3, 1, 8, 0, 5, 0, time.UTC),
		Cluster: &provider.State{
			ID: "c1", Name: "secure", Kind: kindSandbox, Status: provider.StatusReady, StatusText: "running",
			Attributes: json.RawMessage(`{"profile":"Default"}`),
			Groups: []provider.Group{{Role: "worker", Count: 3, Nodes: []provider.Node{
				{ID: "i-0001", Name: "cn-beijing.192.168.0.1", Created: created, Status: provider.StatusReady, StatusText: "running, Ready"},
				{ID: "i-0002", Name: "cn-beijing.192.168.0.2", Created: created, Status: provider.StatusReady, StatusText: "running, Ready"},
				{ID: "i-0009", Status: provider.StatusBusy, StatusText: "initial"},
			}}},
			Tasks: []provider.Task{
				{ID: "T-3", Type: "cluster_upgrade", Created: time.Date(2026, 2, 2, 16, 0, 0, 0, time.UTC), Handle: []byte("T-3")},
				{ID: "T-2", Op: provider.OpScaleOut, Type: "cluster_scaleout", Group: "worker", State: provider.OperationRunning, Created: time.Date(2026, 2, 1, 16, 0, 0, 0, time.UTC), Handle: []byte("T-2")},
				{ID: "T-1", Op: provider.OpScaleOut, Type: "cluster_scaleout", Group: "worker", State: provider.OperationSucceeded, Created: time.Date(2026, 1, 31, 16, 0, 0, 0, time.UTC), Handle: []byte("T-1")},
			},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("observation (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"DescribeClusterDetail": 1, "DescribeClusterTasks": 1, "DescribeClusterNodes": 1}, s.count()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestObservePresence(t *testing.T) {
	s := &script{
		clusters: []map[string]any{
			clusterJSON("c1", "one", "running", ""),
			clusterJSON("c2", "twin", "scaling", "Edge"),
			clusterJSON("c3", "twin", "running", "Edge"),
			clusterJSON("c4", "old", "deleted", "Edge"),
			clusterJSON("c5", "one more", "strange", "Edge"),
		},
		nodes: map[string][]map[string]any{"c1": nodesJSON(1, 3)},
	}
	s.clusters = append(s.clusters, map[string]any{"cluster_id": "c6", "name": "far", "state": "running", "region_id": "cn-hangzhou"})
	keys := []provider.Key{
		{Address: "by-id", Kind: kindSandbox, ID: "c1", Name: "wrong"},
		{Address: "by-name", Kind: kindSandbox, Name: "one"},
		{Address: "twin", Kind: kindEdge, Name: "twin"},
		{Address: "old", Kind: kindEdge, ID: "c4"},
		{Address: "old-name", Kind: kindEdge, Name: "old"},
		{Address: "none", Kind: kindEdge, ID: "c9"},
		{Address: "none-name", Kind: kindEdge, Name: "nobody"},
		{Address: "strange", Kind: kindEdge, ID: "c5"},
		{Address: "no-id", Kind: kindEdge, ID: "c5/nodes"},
		{Address: "nothing", Kind: kindEdge},
	}
	for _, level := range []provider.Level{provider.LevelSummary, provider.LevelNodes} {
		t.Run(string(level), func(t *testing.T) {
			got := map[string]string{}
			for address, o := range observe(t, configured(t, s), level, keys...) {
				text := string(o.Presence)
				if o.Cluster != nil {
					text += fmt.Sprintf(" %s %s %d", o.Cluster.ID, o.Cluster.Status, o.Cluster.Groups[0].Count)
				}
				if len(o.IDs) > 0 {
					text += fmt.Sprint(" ", o.IDs)
				}
				if o.Error != nil {
					text += " " + string(o.Error.Kind)
				}
				if o.At.IsZero() {
					text += " without a time"
				}
				got[address] = text
			}
			want := map[string]string{
				"by-id":     "present c1 ready 3",
				"by-name":   "present c1 ready 3 [c1]",
				"twin":      "ambiguous [c2 c3]",
				"old":       "absent",
				"old-name":  "absent",
				"none":      "absent",
				"none-name": "absent",
				"strange":   "present c5  0",
				"no-id":     " invalid",
				"nothing":   " invalid",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("another region", func(t *testing.T) {
		got := observe(t, configured(t, s), provider.LevelNodes, provider.Key{Address: "far", Kind: kindEdge, ID: "c6"})["far"]
		if got.Presence != provider.Unread || !strings.Contains(got.Error.Error(), "cn-hangzhou") {
			t.Errorf("%+v", got)
		}
	})
}

// A thousand clusters cost ten list calls and, because the list has no count
// of workers, a node list each.
func TestObserveManyAtSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{nodes: map[string][]map[string]any{}}
		var keys []provider.Key
		for i := range 1000 {
			id := fmt.Sprintf("c%04d", i)
			s.clusters = append(s.clusters, clusterJSON(id, "n"+id, "running", "Edge"))
			s.nodes[id] = nodesJSON(0, i%3)
			key := provider.Key{Address: id, Kind: kindEdge, ID: id}
			if i%2 == 1 {
				key.ID, key.Name = "", "n"+id
			}
			keys = append(keys, key)
		}
		got := observe(t, configured(t, s), provider.LevelSummary, keys...)
		for i, key := range keys {
			o := got[key.Address]
			if o.Presence != provider.Present || o.Cluster.Groups[0].Count != i%3 || o.Cluster.Groups[0].Nodes != nil {
				t.Fatalf("%s: %+v", key.Address, o)
			}
		}
		if diff := cmp.Diff(map[string]int{"DescribeClustersV1": 10, "DescribeClusterNodes": 1000}, s.count()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

func TestObserveWholeAccount(t *testing.T) {
	s := &script{clusters: []map[string]any{
		clusterJSON("c1", "a", "running", "Default"), clusterJSON("c2", "b", "running", "Edge"),
		clusterJSON("c3", "c", "running", "Serverless"), clusterJSON("c4", "d", "deleted", "Edge"),
	}}
	var got []string
	err := configured(t, s).Observe(context.Background(), provider.ObserveRequest{Level: provider.LevelSummary}, func(o provider.Observation) error {
		got = append(got, o.Address+o.Cluster.ID+" "+o.Cluster.Kind)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(got)
	if diff := cmp.Diff([]string{"c1 ack_sandbox", "c2 ack_edge"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNodesOfManyPages(t *testing.T) {
	s := &script{
		clusters: []map[string]any{clusterJSON("c1", "a", "running", "Edge")},
		nodes:    map[string][]map[string]any{"c1": nodesJSON(1, 250)},
	}
	got := observe(t, configured(t, s), provider.LevelNodes, provider.Key{Address: "a", Kind: kindEdge, ID: "c1"})["a"]
	if group := got.Cluster.Groups[0]; group.Count != 250 || len(group.Nodes) != 250 || s.count()["DescribeClusterNodes"] != 3 {
		t.Errorf("%d workers, %d nodes, calls %v", group.Count, len(group.Nodes), s.count())
	}
}

// A list whose total moves between two pages may lack a node.
func TestNodeListThatChangesIsReadAgain(t *testing.T) {
	for name, settles := range map[string]bool{"settles": true, "never settles": false} {
		t.Run(name, func(t *testing.T) {
			s := &script{
				clusters: []map[string]any{clusterJSON("c1", "a", "running", "Edge")},
				nodes:    map[string][]map[string]any{"c1": nodesJSON(1, 150)},
			}
			shifts := 0
			s.before = func(r *http.Request) *http.Response {
				if r.URL.Query().Get("pageNumber") == "2" && (shifts == 0 || !settles) {
					shifts++
					s.nodes["c1"] = s.nodes["c1"][1:] // the first node goes away
				}
				return nil
			}
			got := observe(t, configured(t, s), provider.LevelNodes, provider.Key{Address: "a", Kind: kindEdge, ID: "c1"})["a"]
			if settles && (got.Presence != provider.Present || got.Cluster.Groups[0].Count != 149) {
				t.Errorf("%+v", got)
			}
			if !settles && (got.Presence != provider.Unread || got.Error.Kind != provider.KindUnavailable) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A cluster that slips between two pages is found by asking for it.
func TestObserveFindsWhatSlippedBetweenPages(t *testing.T) {
	s := &script{}
	for i := range 150 {
		id := fmt.Sprintf("c%03d", i)
		s.clusters = append(s.clusters, clusterJSON(id, "n"+id, "running", "Edge"))
	}
	s.clusters = append(s.clusters, clusterJSON("c900", "unc100", "running", "Edge")) // the filter finds it too
	gone := false
	s.before = func(r *http.Request) *http.Response {
		if r.URL.Query().Get("page_number") == "2" && !gone {
			gone = true
			s.clusters = s.clusters[1:] // c100 moves to the page that was read
		}
		return nil
	}
	got := observe(t, configured(t, s), provider.LevelSummary,
		provider.Key{Address: "name", Kind: kindEdge, Name: "nc100"}, provider.Key{Address: "id", Kind: kindEdge, ID: "c100"})
	for address, o := range got {
		if o.Presence != provider.Present {
			t.Errorf("%s: %+v", address, o)
		}
	}
}

func TestReadsAreRetriedByKind(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		header string
		calls  int           // of the failing read
		waited time.Duration // at least; less than a second more
		kind   provider.ErrorKind
	}{
		{"throttled without a time", 400, `{"code":"Throttling.User"}`, "", 5, 3750 * time.Millisecond, provider.KindThrottled},
		{"throttled for two seconds", 400, `{"code":"Throttling.User"}`, "TimeLeft:2000", 5, 8 * time.Second, provider.KindThrottled},
		{"5xx", 502, `bad gateway`, "", 5, 3750 * time.Millisecond, provider.KindUnavailable},
		{"garbage", 200, `<html>`, "", 5, 3750 * time.Millisecond, provider.KindUnavailable},
		{"denied", 403, `{"code":"Forbidden.RAM"}`, "", 1, 0, provider.KindDenied},
		{"a bare 404 is not absence", 404, `not found`, "", 1, 0, provider.KindNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{clusters: []map[string]any{clusterJSON("c1", "a", "running", "Edge"), clusterJSON("c2", "b", "running", "Edge")}}
				s.before = func(r *http.Request) *http.Response {
					if r.URL.Path != "/clusters/c1" {
						return nil
					}
					resp := respond(tt.status, tt.body)
					resp.Header.Set("x-ratelimit-user", tt.header)
					return resp
				}
				p := configured(t, s)
				p.client.jitter = func() float64 { return 1 } // half of every wait
				began := time.Now()
				got := observe(t, p, provider.LevelNodes, provider.Key{Address: "a", Kind: kindEdge, ID: "c1"}, provider.Key{Address: "b", Kind: kindEdge, ID: "c2"})
				if waited := time.Since(began); waited < tt.waited || waited >= tt.waited+time.Second {
					t.Errorf("waited %v, want %v", waited, tt.waited)
				}
				if n := s.count()["DescribeClusterDetail"]; n != tt.calls+1 {
					t.Errorf("%d calls, want %d and one for the other cluster", n, tt.calls)
				}
				if a := got["a"]; a.Presence != provider.Unread || a.Error == nil || a.Error.Kind != tt.kind {
					t.Errorf("a: %+v", a)
				}
				if got["b"].Presence != provider.Present {
					t.Errorf("b: %+v", got["b"])
				}
			})
		})
	}
}

// What a failed list leaves unanswered is unread.
func TestObserveListFails(t *testing.T) {
	s := &script{before: func(*http.Request) *http.Response { return respond(403, `{"Code":"Forbidden.RAM","Message":"no"}`) }}
	err := configured(t, s).Observe(context.Background(), provider.ObserveRequest{Keys: []provider.Key{{Address: "a", Name: "a"}}}, func(o provider.Observation) error {
		t.Errorf("answered %+v", o)
		return nil
	})
	if provider.AsError(err).Kind != provider.KindDenied {
		t.Errorf("error %v", err)
	}
}

func TestObserveStops(t *testing.T) {
	s := &script{}
	for i := range 50 {
		s.clusters = append(s.clusters, clusterJSON(fmt.Sprintf("c%d", i), "n", "running", "Edge"))
	}
	t.Run("when yield fails", func(t *testing.T) {
		full := errors.New("the receiver is full")
		n := 0
		err := configured(t, s).Observe(context.Background(), provider.ObserveRequest{}, func(provider.Observation) error { n++; return full })
		if !errors.Is(err, full) || n != 1 {
			t.Errorf("%d answers, %v", n, err)
		}
	})
	t.Run("when cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		err := configured(t, s).Observe(ctx, provider.ObserveRequest{}, func(o provider.Observation) error {
			n++
			cancel()
			if o.Presence != provider.Present {
				t.Errorf("%+v", o)
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || n > 2*budget.Concurrency {
			t.Errorf("%d answers, %v", n, err)
		}
	})
	t.Run("before Configure", func(t *testing.T) {
		if err := newPlugin(fixedOptions()).Observe(context.Background(), provider.ObserveRequest{}, nil); err == nil {
			t.Error("no error")
		}
	})
}

// The budget holds over all reads of a process.
func TestRateBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		for i := range 100 {
			s.clusters = append(s.clusters, clusterJSON(fmt.Sprintf("c%d", i), "n", "running", "Edge"))
		}
		p := configured(t, s)
		began := time.Now()
		observeAll := func() error {
			return p.Observe(context.Background(), provider.ObserveRequest{}, func(provider.Observation) error { return nil })
		}
		if err := observeAll(); err != nil {
			t.Fatal(err)
		}
		// 101 calls: the first 20 at once, the other 81 at 20 in a second.
		if took := time.Since(began); took < 4*time.Second || took > 5*time.Second {
			t.Errorf("101 calls took %v", took)
		}
	})
}

// An answer of status 200 that lacks the list must not pass for no workers.
func TestAnswerWithoutList(t *testing.T) {
	for body, want := range map[string]provider.Presence{
		`{}`: provider.Unread, `null`: provider.Unread, `[]`: provider.Unread, `{"code":"InternalError"}`: provider.Unread,
		`{"nodes":{}}`: provider.Unread, `{"nodes":[],"page":[]}`: provider.Unread, `{"nodes":[{"instance_role":"Worker"}]}`: provider.Unread,
		`{"nodes":null,"page":{"total_count":0}}`: provider.Present, `{"nodes":[]}`: provider.Present,
	} {
		s := &script{clusters: []map[string]any{clusterJSON("c1", "a", "running", "Edge")}}
		s.before = func(r *http.Request) *http.Response {
			if actionOf(r) != "DescribeClusterNodes" {
				return nil
			}
			return respond(200, body)
		}
		got := observe(t, configured(t, s), provider.LevelSummary, provider.Key{Address: "a", Kind: kindEdge, ID: "c1"})["a"]
		if got.Presence != want {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

// A list that ends before its own total is no answer.
func TestListThatEndsEarly(t *testing.T) {
	s := &script{clusters: []map[string]any{clusterJSON("c1", "a", "running", "Edge")}}
	s.before = func(r *http.Request) *http.Response {
		if actionOf(r) != "DescribeClusterTasks" {
			return nil
		}
		return respond(200, `{"tasks":[],"page_info":{"total_count":3}}`)
	}
	got := observe(t, configured(t, s), provider.LevelNodes, provider.Key{Address: "a", Kind: kindEdge, ID: "c1"})["a"]
	if got.Presence != provider.Unread || !strings.Contains(got.Error.Error(), "ends after 0 of 3 entries") {
		t.Errorf("%+v", got)
	}
}

// No more requests are in flight than the budget says, whoever asks.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		inFlight, most := 0, 0
		count := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			inFlight += n
			most = max(most, inFlight)
		}
		p := configured(t, roundTripper(func(*http.Request) (*http.Response, error) {
			count(1)
			time.Sleep(time.Minute) // in the bubble
			count(-1)
			return respond(200, `{"state":"running"}`), nil
		}))
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() {
				ops := slices.Repeat([]provider.Operation{{Handle: []byte("T-1")}}, 20)
				if _, err := p.Poll(t.Context(), ops); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if most != budget.Concurrency {
			t.Errorf("%d requests at once, want %d", most, budget.Concurrency)
		}
	})
}
