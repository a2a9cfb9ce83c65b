package qingcloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const (
	pathList  = "/api/cluster/list"
	pathNodes = "/api/cluster/listNodes"
	pathJobs  = "/api/operation"
)

func observe(t *testing.T, p *plugin, level provider.Level, keys ...provider.Key) map[string]provider.Observation {
	t.Helper()
	got := map[string]provider.Observation{}
	err := p.Observe(context.Background(), provider.ObserveRequest{Level: level, Keys: keys}, func(o provider.Observation) error {
		name := o.Address
		if name == "" {
			name = o.Cluster.ID
		}
		if _, twice := got[name]; twice {
			t.Errorf("%s was yielded twice", name)
		}
		got[name] = o
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestObserveState(t *testing.T) {
	f := &fake{routes: map[string]http.HandlerFunc{
		pathList: clusters(clusterJSON("ehpc-1", "sim", "ehpc", "active")),
		pathNodes: nodes(
			nodeJSON("cln-2", "compute", 4, 12288, ""), nodeJSON("cln-1", "compute", 2, 12288, ""),
			nodeJSON("cln-3", "login", 2, 4096, ""),
			strings.Replace(nodeJSON("cln-0", "login", 1, 2048, ""), `"active"`, `"deleted"`, 1)),
		pathJobs: jobs(jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-1 cl-1", "successful"),
			jobJSON("j-2", "HpcClusterResizeCluster", "ehpc-1", "failed"),
			jobJSON("j-3", "HpcClusterResizeCluster", "ehpc-10", "pending")),
	}}
	got := observe(t, f.start(t), provider.LevelNodes, provider.Key{Address: "a", Kind: "ehpc", Name: "sim"})["a"]
	created := parseTime("2026-01-01T00:00:00Z")
	node := func(id string, cpu, memory int) provider.Node {
		return provider.Node{
			ID: id, Name: "n", Created: created, Status: provider.StatusReady, StatusText: "active",
			Attributes: json.RawMessage(fmt.Sprintf(`{"cpu":%d,"memory":%d,"nas_mount_point":"/home","storage_size":50}`, cpu, memory)),
		}
	}
	want := provider.Observation{
		Address: "a", Presence: provider.Present, IDs: []string{"ehpc-1"}, At: testNow,
		Cluster: &provider.State{
			ID: "ehpc-1", Name: "sim", Kind: "ehpc", Status: provider.StatusReady, StatusText: "active",
			Attributes: json.RawMessage(`{"nas_id":"nas-1","nas_path":"/x","paid_type":"PayForUsed","scheduler_type":"slurm","version_id":"appv-1","vxnet":"vxnet-1"}`),
			Groups: []provider.Group{
				{
					Role: "compute", Count: 2, Attributes: json.RawMessage(`{"memory":12288,"nas_mount_point":"/home","storage_size":50}`),
					Nodes: []provider.Node{node("cln-1", 2, 12288), node("cln-2", 4, 12288)},
				},
				{
					Role: "login", Count: 1, Attributes: json.RawMessage(`{"cpu":2,"memory":4096,"nas_mount_point":"/home","storage_size":50}`),
					Nodes: []provider.Node{node("cln-3", 2, 4096)},
				},
			},
			Tasks: []provider.Task{
				{ID: "j-2", Op: provider.OpResize, Type: "HpcClusterResizeCluster", State: provider.OperationFailed,
					Created: parseTime("2026-01-01T00:00:02Z"), Handle: []byte(`{"job_id":"j-2","cluster_id":"ehpc-1"}`)},
				{ID: "j-1", Op: provider.OpCreate, Type: "HpcClusterCreateCluster", State: provider.OperationSucceeded,
					Created: parseTime("2026-01-01T00:00:01Z"), Handle: []byte(`{"job_id":"j-1","cluster_id":"ehpc-1"}`)},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestObserveMatch(t *testing.T) {
	listed := []string{
		clusterJSON("ehpc-1", "one", "ehpc", "active"), clusterJSON("ehpc-2", "two", "ehpc", "active"),
		clusterJSON("ehpc-3", "two", "ehpc", "pending"), clusterJSON("ehpc-4", "one-more", "ehpc", "active"),
		clusterJSON("ehpc-5", "old", "ehpc", "deleted"), clusterJSON("hpc-6", "log", "hpc", "active"),
		clusterJSON("hpc-7", "both", "", "active"), clusterJSON("ehpc-8", "both", "", "active"),
	}
	ehpc := func(id, name string) provider.Key {
		return provider.Key{Address: "a", Kind: "ehpc", ID: id, Name: name}
	}
	tests := []struct {
		name     string
		key      provider.Key
		presence provider.Presence
		id       string
		ids      []string
		err      string
	}{
		{"exact name", ehpc("", "one"), provider.Present, "ehpc-1", []string{"ehpc-1"}, ""},
		{"two of a name", ehpc("", "two"), provider.Ambiguous, "", []string{"ehpc-2", "ehpc-3"}, ""},
		{"part of a name", ehpc("", "on"), provider.Absent, "", nil, ""},
		{"other case", ehpc("", "One"), provider.Absent, "", nil, ""},
		{"deleted", ehpc("", "old"), provider.Absent, "", nil, ""},
		{"id", ehpc("ehpc-2", "one"), provider.Present, "ehpc-2", nil, ""},
		{"no such id", ehpc("ehpc-9", "one"), provider.Absent, "", nil, ""},
		{"deleted id", ehpc("ehpc-5", "old"), provider.Absent, "", nil, ""},
		{"other kind", ehpc("", "log"), provider.Unread, "", nil, "is of kind hpc and not ehpc"},
		{"other kind by id", ehpc("hpc-6", "x"), provider.Unread, "", nil, "is of kind hpc and not ehpc"},
		{"kind told by the id", ehpc("", "both"), provider.Present, "ehpc-8", []string{"ehpc-8"}, ""},
	}
	for _, level := range []provider.Level{provider.LevelSummary, provider.LevelNodes} {
		for _, tt := range tests {
			t.Run(tt.name+" "+string(level), func(t *testing.T) {
				f := &fake{routes: map[string]http.HandlerFunc{pathList: clusters(listed...), pathNodes: nodes(), pathJobs: jobs()}}
				o := observe(t, f.start(t), level, tt.key)["a"]
				if o.Presence != tt.presence || !slices.Equal(o.IDs, tt.ids) {
					t.Errorf("got %q %v (%v)", o.Presence, o.IDs, o.Error)
				}
				if o.Presence == provider.Present && o.Cluster.ID != tt.id {
					t.Errorf("got %s, want %s", o.Cluster.ID, tt.id)
				}
				if (o.Error != nil) != (tt.err != "") || o.Error != nil && !strings.Contains(o.Error.Error(), tt.err) {
					t.Errorf("got error %v, want %q", o.Error, tt.err)
				}
			})
		}
	}
}

// A create whose cluster the list does not show must not read as absent: it
// would be sent again.
func TestObserveUnlistedCreate(t *testing.T) {
	tests := []struct {
		name, job string
		want      provider.Presence
	}{
		{"create", jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-9 cl-9", "pending"), provider.Unread},
		{"unpublished name", jobJSON("j-1", "HpcClusterNew", "ehpc-9", "pending"), provider.Unread},
		{"listed", jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-1", "pending"), provider.Absent},
		{"delete", jobJSON("j-1", "HpcClusterDeleteCluster", "ehpc-9", "pending"), provider.Absent},
		{"resize", jobJSON("j-1", "HpcClusterResizeCluster", "ehpc-9", "pending"), provider.Absent},
		{"queue", jobJSON("j-1", "HpcQueueRemoveEhpcQueueNodes", "hpcqueue-1", "pending"), provider.Absent},
		{"done", jobJSON("j-1", "HpcClusterCreateCluster", "ehpc-9", "failed"), provider.Absent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{routes: map[string]http.HandlerFunc{
				pathList: clusters(clusterJSON("ehpc-1", "x", "ehpc", "pending")), pathNodes: nodes(), pathJobs: jobs(tt.job),
			}}
			p := f.start(t)
			key := provider.Key{Address: "a", Kind: "ehpc", Name: "new"}
			if o := observe(t, p, provider.LevelNodes, key)["a"]; o.Presence != tt.want || (o.Error != nil) != (tt.want == provider.Unread) {
				t.Errorf("got %q, %v", o.Presence, o.Error)
			}
		})
	}
}

// A user may have one hpc cluster: no create of a second can be planned. A
// reading with nodes judges what became of a request and stays true.
func TestObserveOneHPC(t *testing.T) {
	other := clusterJSON("hpc-1", "login", "hpc", "active")
	byName := provider.Key{Address: "a", Kind: "hpc", Name: "new"}
	const conflict = "it is not there and cannot be created: owner usr-abc has an hpc cluster already (login, hpc-1); QingCloud allows one per user"
	tests := []struct {
		name  string
		live  []string
		key   provider.Key
		level provider.Level
		want  provider.Presence
		err   string
	}{
		{"another lives", []string{other}, byName, provider.LevelSummary, provider.Unread, conflict},
		{"another lives, read with nodes", []string{other}, byName, provider.LevelNodes, provider.Absent, ""},
		{"another is in the making", []string{clusterJSON("hpc-1", "login", "", "pending")}, byName, provider.LevelSummary, provider.Unread, conflict},
		{"another is gone", []string{clusterJSON("hpc-1", "login", "hpc", "deleted")}, byName, provider.LevelSummary, provider.Absent, ""},
		{"an ehpc cluster lives", []string{clusterJSON("ehpc-1", "sim", "ehpc", "active")}, byName, provider.LevelSummary, provider.Absent, ""},
		{"an ehpc cluster is wanted", []string{other}, provider.Key{Address: "a", Kind: "ehpc", Name: "new"}, provider.LevelSummary, provider.Absent, ""},
		{"it is the one", []string{other}, provider.Key{Address: "a", Kind: "hpc", Name: "login"}, provider.LevelSummary, provider.Present, ""},
		{"an id is never created", []string{other}, provider.Key{Address: "a", Kind: "hpc", ID: "hpc-9"}, provider.LevelSummary, provider.Absent, ""},
		{"two of the name are ambiguous", []string{other, clusterJSON("hpc-2", "login", "hpc", "active")},
			provider.Key{Address: "a", Kind: "hpc", Name: "login"}, provider.LevelSummary, provider.Ambiguous, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{routes: map[string]http.HandlerFunc{pathList: clusters(tt.live...), pathNodes: nodes(), pathJobs: jobs()}}
			o := observe(t, f.start(t), tt.level, tt.key)["a"]
			if o.Presence != tt.want {
				t.Errorf("got %q, want %q", o.Presence, tt.want)
			}
			switch {
			case tt.err == "" && o.Error != nil:
				t.Errorf("error %v", o.Error)
			case tt.err != "" && (o.Error == nil || o.Error.Kind != provider.KindConflict || o.Error.Error() != tt.err):
				t.Errorf("error %+v, want %s", o.Error, tt.err)
			}
		})
	}
}

func TestObserveBusy(t *testing.T) {
	tests := []struct {
		name, cluster, transition, job string
		want                           provider.Status
	}{
		{"quiet", "active", "", "successful", provider.StatusReady},
		{"node moves", "active", "resizing", "successful", provider.StatusBusy},
		{"job runs", "active", "", "pending", provider.StatusBusy},
		{"job in a word of other services", "active", "", "working", provider.StatusBusy},
		{"job in an unknown word", "active", "", "whatever", provider.StatusBusy},
		{"pending", "pending", "", "successful", provider.StatusBusy},
		{"stopped", "stopped", "", "successful", provider.StatusBroken},
		{"suspended", "suspended", "", "successful", provider.StatusBroken},
		{"abnormal", "abnormal", "", "successful", provider.StatusBroken},
		{"upper case", "Active", "", "successful", provider.StatusReady},
		{"unknown word", "hibernating", "", "successful", provider.StatusUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{routes: map[string]http.HandlerFunc{
				pathList:  clusters(clusterJSON("hpc-1", "x", "hpc", tt.cluster)),
				pathNodes: nodes(nodeJSON("cln-1", "login", 2, 4096, tt.transition)),
				pathJobs:  jobs(jobJSON("j-1", "HpcClusterResizeCluster", "hpc-1", tt.job)),
			}}
			o := observe(t, f.start(t), provider.LevelNodes, provider.Key{Address: "a", Kind: "hpc", ID: "hpc-1"})["a"]
			if o.Cluster == nil || o.Cluster.Status != tt.want {
				t.Errorf("got %+v, want %q", o.Cluster, tt.want)
			}
		})
	}
}

// A thousand clusters cost ten lists of clusters and one list of nodes each.
func TestObserveFleet(t *testing.T) {
	var items []string
	var keys []provider.Key
	for i := range 1000 {
		items = append(items, clusterJSON(fmt.Sprintf("ehpc-%d", i), fmt.Sprintf("c%d", i), "ehpc", "active"))
		keys = append(keys, provider.Key{Address: fmt.Sprintf("c%d", i), Kind: "ehpc", Name: fmt.Sprintf("c%d", i)})
	}
	f := &fake{routes: map[string]http.HandlerFunc{pathList: clusters(items...), pathNodes: nodes(nodeJSON("cln-1", "login", 2, 4096, ""))}}
	p := f.start(t)
	if got := observe(t, p, provider.LevelSummary, keys...); len(got) != 1000 {
		t.Errorf("%d observations", len(got))
	}
	if n := f.count(pathList); n != 10 {
		t.Errorf("%d lists of clusters", n)
	}
	if n := f.count(pathNodes); n != 1000 {
		t.Errorf("%d lists of nodes", n)
	}
}

func TestObserveWholeAccount(t *testing.T) {
	f := &fake{routes: map[string]http.HandlerFunc{
		pathList: clusters(clusterJSON("ehpc-1", "x", "ehpc", "active"), clusterJSON("hpc-2", "x", "hpc", "active"),
			`{"app_cluster":{"cluster_id":"hpc-3","cluster_name":"in","cluster_type":"hpc","cluster_status":"active"}}`),
		pathNodes: nodes(),
	}}
	got := observe(t, f.start(t), provider.LevelSummary)
	for id, kind := range map[string]string{"ehpc-1": "ehpc", "hpc-2": "hpc", "hpc-3": "hpc"} {
		if o := got[id]; o.Presence != provider.Present || o.Cluster.Kind != kind {
			t.Errorf("%s: %+v", id, o)
		}
	}
}

func TestObserveOneClusterFails(t *testing.T) {
	f := &fake{routes: map[string]http.HandlerFunc{
		pathList: clusters(clusterJSON("ehpc-1", "a", "ehpc", "active"), clusterJSON("ehpc-2", "b", "ehpc", "active")),
		pathNodes: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("cluster_id") == "ehpc-1" {
				says(200, `{"ret_code":1400,"message":"PermissionDenied"}`)(w, r)
				return
			}
			nodes()(w, r)
		},
	}}
	got := observe(t, f.start(t), provider.LevelSummary, provider.Key{Address: "a", Kind: "ehpc", Name: "a"}, provider.Key{Address: "b", Kind: "ehpc", Name: "b"})
	if o := got["a"]; o.Presence != provider.Unread || o.Error == nil || o.Error.Kind != provider.KindDenied || o.Error.Code != "1400" {
		t.Errorf("a: %+v", o)
	}
	if got["b"].Presence != provider.Present {
		t.Errorf("b: %+v", got["b"])
	}
}

// An answer that is no complete list must never read as absent.
func TestObserveNeverGuessesAbsent(t *testing.T) {
	tests := []struct {
		name string
		list http.HandlerFunc
	}{
		{"no set", says(200, `{"ret_code":0,"total_count":0}`)},
		{"no total", says(200, `{"ret_code":0,"cluster_set":[]}`)},
		{"no ret_code", says(200, `{"cluster_set":[],"total_count":0}`)},
		{"fewer than told", says(200, `{"ret_code":0,"cluster_set":[],"total_count":3}`)},
		{"more than told", says(200, `{"ret_code":0,"cluster_set":[{"cluster_id":"ehpc-1"}],"total_count":0}`)},
		{"twice the same", says(200, `{"ret_code":0,"cluster_set":[{"cluster_id":"ehpc-1"},{"cluster_id":"ehpc-1"}],"total_count":2}`)},
		{"no id", says(200, `{"ret_code":0,"cluster_set":[{"cluster_name":"a"}],"total_count":1}`)},
		{"not json", says(200, `{action: "x"}`)},
		{"server error", says(502, `bad gateway`)},
		{"internal error", says(200, `{"ret_code":5000,"message":"x"}`)},
		{"wrong key", says(200, `{"ret_code":1200,"message":"x"}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{routes: map[string]http.HandlerFunc{pathList: tt.list}}
			err := f.start(t).Observe(context.Background(), provider.ObserveRequest{Keys: []provider.Key{{Address: "a", Kind: "ehpc", Name: "a"}}},
				func(o provider.Observation) error { t.Errorf("yielded %+v", o); return nil })
			if err == nil {
				t.Error("no error")
			}
		})
	}
}

// A cluster that is deleted between two pages shifts the second; the list is
// read again.
func TestObserveListChangesBetweenPages(t *testing.T) {
	var before, after []string
	for i := range 150 {
		item := clusterJSON(fmt.Sprintf("ehpc-%d", i), fmt.Sprintf("c%d", i), "ehpc", "active")
		before = append(before, item)
		if i > 0 {
			after = append(after, item)
		}
	}
	f := &fake{routes: map[string]http.HandlerFunc{pathList: inTurn(clusters(before...), clusters(after...)), pathNodes: nodes()}}
	got := observe(t, f.start(t), provider.LevelSummary, provider.Key{Address: "shifted", Kind: "ehpc", Name: "c100"}, provider.Key{Address: "gone", Kind: "ehpc", Name: "c0"})
	if got["shifted"].Presence != provider.Present || got["gone"].Presence != provider.Absent {
		t.Errorf("got %+v", got)
	}
	if n := f.count(pathList); n != 4 {
		t.Errorf("%d pages read", n)
	}
}

func TestObserveStops(t *testing.T) {
	f := &fake{routes: map[string]http.HandlerFunc{
		pathList:  clusters(clusterJSON("ehpc-1", "a", "ehpc", "active"), clusterJSON("ehpc-2", "b", "ehpc", "active")),
		pathNodes: nodes(),
	}}
	p := f.start(t)
	stop := errors.New("stop")
	calls := 0
	err := p.Observe(context.Background(), provider.ObserveRequest{}, func(provider.Observation) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("err %v after %d calls", err, calls)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Observe(ctx, provider.ObserveRequest{}, func(provider.Observation) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
