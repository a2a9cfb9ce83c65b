package huawei

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// account is a scripted project with clusters c0 … c(n-1).
type account struct {
	n       int
	pageCap int // cuts pages shorter than asked; 0: as asked
	noTotal bool
}

func (a account) id(i int) string { return fmt.Sprintf("id-%04d", i) }

// serve answers the three reads.
func (a account) serve(w http.ResponseWriter, r *http.Request) {
	base := "/v1.1/" + testProject + "/"
	path := strings.TrimPrefix(r.URL.Path, base)
	switch {
	case path == "cluster_infos":
		a.list(w, r)
	case strings.HasSuffix(path, "/hosts"):
		fmt.Fprint(w, hostsJSON(3, hostJSON("m1", "master1", "MasterNode"), hostJSON("c1", "core1", "CoreNode"), hostJSON("t1", "task1", "Analysis_Task")))
	default:
		id := strings.TrimPrefix(path, "cluster_infos/")
		switch {
		case strings.HasPrefix(id, "id-"):
			fmt.Fprintf(w, `{"cluster":%s}`, detailJSON(id, "c", "running", 1, 1))
		case id == "terminated":
			fmt.Fprintf(w, `{"cluster":%s}`, detailJSON(id, "c", "terminated", 1, 1))
		case id == "elsewhere":
			fmt.Fprintf(w, `{"cluster":%s}`, detailJSON(id, "c", "frozen", 1, 1))
		case id == "plain404":
			w.WriteHeader(http.StatusNotFound)
		case id == "nogateway":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error_code":"APIG.0101","error_msg":"no such API"}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error_code":"12000003","error_msg":"cluster does not exist"}`)
		}
	}
}

func (a account) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, _ := strconv.Atoi(q.Get("pageSize"))
	current, _ := strconv.Atoi(q.Get("currentPage"))
	if a.pageCap > 0 {
		size = a.pageCap
	}
	var items []string
	for i := (current - 1) * size; i < min(a.n, current*size); i++ {
		items = append(items, detailJSON(a.id(i), fmt.Sprintf("c%d", i), "running", 3, 2))
	}
	total := fmt.Sprintf(`"clusterTotal":%d,`, a.n)
	if a.noTotal {
		total = ""
	}
	fmt.Fprintf(w, `{%s"clusters":[%s]}`, total, strings.Join(items, ","))
}

func (a account) keys(named bool) (keys []provider.Key) {
	for i := range a.n {
		key := provider.Key{Address: fmt.Sprint(i), Kind: kindMRS, ID: a.id(i)}
		if named {
			key.ID, key.Name = "", fmt.Sprintf("c%d", i)
		}
		keys = append(keys, key)
	}
	return keys
}

// TestObserveThousand: a thousand clusters cost one call per page.
func TestObserveThousand(t *testing.T) {
	for name, keys := range map[string][]provider.Key{
		"by id":       account{n: 1000}.keys(false),
		"by name":     account{n: 1000}.keys(true),
		"the account": nil,
	} {
		t.Run(name, func(t *testing.T) {
			p, s := cloud(t, account{n: 1000}.serve)
			got := observe(t, p, provider.LevelSummary, keys...)
			if len(got) != 1000 {
				t.Fatalf("%d observations", len(got))
			}
			seen := map[string]bool{}
			for _, o := range got {
				if o.Presence != provider.Present || o.Cluster == nil || o.Cluster.Groups[1].Count != 3 || !o.At.Equal(cloudTime) {
					t.Fatalf("%+v", o)
				}
				seen[o.Cluster.ID+"="+o.Address] = true
			}
			if len(seen) != 1000 {
				t.Errorf("%d different observations", len(seen))
			}
			calls := s.made()
			if len(calls) != 10 {
				t.Errorf("%d calls", len(calls))
			}
			want := "GET /v1.1/" + testProject + "/cluster_infos?clusterState=existing&currentPage=1&pageSize=100"
			if calls[0] != want {
				t.Errorf("first call %s", calls[0])
			}
		})
	}
}

// TestObserveYieldsAsPagesCome: the first page's clusters are told before the
// second page is read.
func TestObserveYieldsAsPagesCome(t *testing.T) {
	p, s := cloud(t, account{n: 150}.serve)
	told := 0
	err := p.Observe(t.Context(), provider.ObserveRequest{}, func(provider.Observation) error {
		told++
		if n := len(s.made()); told <= 100 && n != 1 {
			t.Fatalf("observation %d came after %d calls", told, n)
		}
		return nil
	})
	if err != nil || told != 150 {
		t.Errorf("%d told, %v", told, err)
	}
}

// TestObservePages: the end of the list is found whatever the service says.
func TestObservePages(t *testing.T) {
	for _, c := range []struct {
		name  string
		a     account
		calls int
	}{
		{"none", account{n: 0}, 1},
		{"one", account{n: 1}, 1},
		{"a full page", account{n: 100}, 1},
		{"one more", account{n: 101}, 2},
		{"shorter pages than asked", account{n: 25, pageCap: 10}, 3},
		{"no total", account{n: 100, noTotal: true}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, s := cloud(t, c.a.serve)
			if got := observe(t, p, provider.LevelSummary); len(got) != c.a.n {
				t.Errorf("%d observations", len(got))
			}
			if n := len(s.made()); n != c.calls {
				t.Errorf("%d calls, want %d", n, c.calls)
			}
		})
	}
}

// TestObserveListMoves: a cluster that goes while pages are read shifts the
// others; the list is read again and none is called absent.
func TestObserveListMoves(t *testing.T) {
	var lists atomic.Int32
	p, _ := cloud(t, func(w http.ResponseWriter, r *http.Request) {
		a := account{n: 120}
		if lists.Add(1) == 2 {
			a.n = 119
		}
		a.serve(w, r)
	})
	got := observe(t, p, provider.LevelSummary, account{n: 120}.keys(true)...)
	for _, o := range got {
		if o.Presence != provider.Present {
			t.Errorf("%s is %q", o.Address, o.Presence)
		}
	}
	if len(got) != 120 || lists.Load() != 4 {
		t.Errorf("%d observations after %d calls", len(got), lists.Load())
	}

	var always atomic.Int32
	p, _ = cloud(t, func(w http.ResponseWriter, r *http.Request) {
		account{n: 120 + int(always.Add(1))}.serve(w, r)
	})
	err := p.Observe(t.Context(), provider.ObserveRequest{Keys: account{n: 120}.keys(true)}, func(provider.Observation) error {
		t.Error("something is told of a list that does not stand still")
		return nil
	})
	if e := provider.AsError(err); e == nil || e.Kind != provider.KindUnavailable {
		t.Errorf("error is %v", err)
	}
}

// TestObservePresence: what is there, what is not, and what cannot be told.
func TestObservePresence(t *testing.T) {
	keys := []provider.Key{
		{Address: "listed", ID: "id-0001"}, {Address: "same", ID: "id-0001"}, {Address: "named", Name: "c2"},
		{Address: "noname", Name: "c"}, {Address: "noid", ID: "gone"}, {Address: "plain404", ID: "plain404"},
		{Address: "terminated", ID: "terminated"}, {Address: "elsewhere", ID: "elsewhere"}, {Address: "nogateway", ID: "nogateway"},
		{Address: "kind", Kind: "hpc", ID: "x"}, {Address: "badid", ID: "../x"}, {Address: "empty"},
	}
	p, s := cloud(t, account{n: 3}.serve)
	got := map[string]string{}
	for _, o := range observe(t, p, provider.LevelSummary, keys...) {
		text := string(o.Presence)
		switch {
		case o.Presence == provider.Present:
			text += " " + o.Cluster.ID + " " + string(o.Cluster.Status)
		case o.Error != nil:
			text = "unread: " + o.Error.Kind.String()
		}
		got[o.Address] = text
	}
	want := map[string]string{
		"listed": "present id-0001 ready", "same": "present id-0001 ready", "named": "present id-0002 ready",
		"noname": "absent", "noid": "absent", "plain404": "absent", "terminated": "absent",
		"elsewhere": "present elsewhere broken", "nogateway": "unread: unsupported",
		"kind": "unread: unsupported", "badid": "unread: invalid", "empty": "unread: invalid",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, call := range s.made() {
		if strings.Contains(call, "..") {
			t.Errorf("called %s", call)
		}
	}
}

func TestObserveAmbiguous(t *testing.T) {
	p, s := cloud(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"clusterTotal":4,"clusters":[%s,%s,%s,%s]}`, detailJSON(clusterB, "twin", "running", 3, 0),
			detailJSON(clusterA, "twin", "terminating", 3, 0), detailJSON("other", "twins", "running", 3, 0), detailJSON("old", "twin", "terminated", 3, 0))
	})
	got := observe(t, p, provider.LevelSummary, provider.Key{Address: "a", Name: "twin"})
	want := []provider.Observation{{Address: "a", Presence: provider.Ambiguous, IDs: []string{clusterA, clusterB}, At: cloudTime}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if calls := s.made(); len(calls) != 1 || !strings.Contains(calls[0], "clusterName=twin") {
		t.Errorf("%v", calls)
	}
}

// TestObserveNodes: the whole of one cluster, by id, in two calls.
func TestObserveNodes(t *testing.T) {
	p, s := cloud(t, account{}.serve)
	got := observe(t, p, provider.LevelNodes, provider.Key{Address: "a", Kind: kindMRS, ID: "id-0000"})
	zero := 0
	want := []provider.Observation{{
		Address: "a", Presence: provider.Present, At: cloudTime,
		Cluster: &provider.State{
			ID: "id-0000", Name: "c", Kind: "mrs", Status: provider.StatusReady, StatusText: "running",
			Attributes: provider.Raw(facts{Type: &zero, Version: "MRS 3.1.0", Billing: "Metered"}),
			Groups: []provider.Group{
				{Role: "master", Count: 2, Nodes: []provider.Node{{ID: "m1", Name: "master1", Status: provider.StatusReady, StatusText: "ACTIVE"}}},
				{Role: "core", Count: 1, Nodes: []provider.Node{{ID: "c1", Name: "core1", Status: provider.StatusReady, StatusText: "ACTIVE"}}},
				{Role: "task", Count: 1, Nodes: []provider.Node{{ID: "t1", Name: "task1", Status: provider.StatusReady, StatusText: "ACTIVE"}},
					Attributes: []byte(`{"node_size":"s3.xlarge.2.linux.bigdata","data_volume_type":"SAS","data_volume_count":2,"data_volume_size":200}`)},
			},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	base := "GET /v1.1/" + testProject
	wantCalls := []string{base + "/cluster_infos/id-0000", base + "/clusters/id-0000/hosts?currentPage=1&pageSize=100"}
	if diff := cmp.Diff(wantCalls, s.made()); diff != "" {
		t.Errorf("calls -want +got\n%s", diff)
	}
}

// TestObserveTime: an observation is as old as the oldest of its answers.
func TestObserveTime(t *testing.T) {
	p, _ := cloud(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/hosts") {
			w.Header().Set("Date", cloudTime.Add(-5*time.Second).Format(http.TimeFormat))
		}
		account{}.serve(w, r)
	})
	got := observe(t, p, provider.LevelNodes, provider.Key{ID: "id-0000"})
	if want := cloudTime.Add(-5 * time.Second); !got[0].At.Equal(want) {
		t.Errorf("at %v, want %v", got[0].At, want)
	}
}

// TestObserveHostPages: clusters have more hosts than one page holds.
func TestObserveHostPages(t *testing.T) {
	p, _ := cloud(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/hosts") {
			fmt.Fprintf(w, `{"cluster":%s}`, detailJSON(clusterA, "a", "running", 250, 0))
			return
		}
		current, _ := strconv.Atoi(r.URL.Query().Get("currentPage"))
		var hosts []string
		for i := (current - 1) * 100; i < min(250, current*100); i++ {
			hosts = append(hosts, hostJSON(fmt.Sprintf("h%03d", i), "h", "Core"))
		}
		fmt.Fprint(w, hostsJSON(250, hosts...))
	})
	got := observe(t, p, provider.LevelNodes, provider.Key{ID: clusterA})
	if n := len(got[0].Cluster.Groups[1].Nodes); n != 250 {
		t.Errorf("%d nodes", n)
	}
}

// TestObserveOneFails: one unreadable cluster does not hide the others, nor
// does an incomplete entry of the list.
func TestObserveOneFails(t *testing.T) {
	p, _ := cloud(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/cluster_infos"):
			fmt.Fprintf(w, `{"clusterTotal":"3","clusters":[%s,{"clusterId":"id-2","clusterName":"two","clusterState":"running","coreNodeNum":"x"},`+
				`{"clusterId":"id-3","clusterState":"starting"}]}`, detailJSON("id-1", "one", "running", 3, 0))
		case strings.HasSuffix(r.URL.Path, "/id-2"):
			fmt.Fprintf(w, `{"cluster":%s}`, detailJSON("id-2", "two", "running", 4, 0))
		case strings.HasSuffix(r.URL.Path, "/id-3"):
			fmt.Fprint(w, `{"cluster":{"clusterId":"id-3","clusterState":"starting"}}`)
		case strings.Contains(r.URL.Path, "/clusters/id-1/"):
			w.WriteHeader(http.StatusForbidden)
		default:
			fmt.Fprint(w, `{"total":0,"hosts":[]}`)
		}
	})
	var got []string
	for _, o := range observe(t, p, provider.LevelNodes) {
		if o.Error != nil {
			got = append(got, "unread: "+o.Error.Error())
			continue
		}
		got = append(got, fmt.Sprintf("%s %d", o.Cluster.ID, o.Cluster.Groups[1].Count))
	}
	slices.Sort(got)
	want := []string{
		"id-2 4",
		"unread: cluster id-3 is starting and the answer holds no numbers of nodes",
		"unread: list hosts of cluster id-1: page 1: the cloud answered with status 403 (request req-1)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestObserveStops: an error of yield and a cancelled context end it, and what
// was not read is not told.
func TestObserveStops(t *testing.T) {
	p, _ := cloud(t, account{n: 300}.serve)
	enough, told := errors.New("enough"), 0
	err := p.Observe(t.Context(), provider.ObserveRequest{}, func(provider.Observation) error {
		told++
		if told == 5 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || told != 5 {
		t.Errorf("%d told, %v", told, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	told = 0
	err = p.Observe(ctx, provider.ObserveRequest{}, func(provider.Observation) error {
		told++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || told != 1 {
		t.Errorf("%d told, %v", told, err)
	}
}

// TestObserveCancelledRead: a read that ends with its context tells nothing of
// its cluster.
func TestObserveCancelledRead(t *testing.T) {
	for range 50 { // the race between telling and stopping must not matter
		p := configure(t, "http://127.0.0.1:1")
		ctx, cancel := context.WithCancel(t.Context())
		p.client.Load().reads.Transport = tripper(func(r *http.Request) (*http.Response, error) {
			cancel()
			return nil, r.Context().Err()
		})
		req := provider.ObserveRequest{Keys: []provider.Key{{ID: clusterA}, {ID: clusterB}}}
		err := p.Observe(ctx, req, func(o provider.Observation) error {
			t.Errorf("told %+v", o)
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error is %v", err)
		}
	}
}

// TestObserveHostsMove: hosts that shift while pages are read are read again,
// and none is counted twice.
func TestObserveHostsMove(t *testing.T) {
	var lists atomic.Int32
	p, _ := cloud(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/hosts") {
			fmt.Fprintf(w, `{"cluster":%s}`, detailJSON(clusterA, "a", "running", 120, 0))
			return
		}
		first := 0
		if lists.Add(1) == 2 {
			first = -1 // a host came: the last of page one stands on page two as well
		}
		current, _ := strconv.Atoi(r.URL.Query().Get("currentPage"))
		var hosts []string
		for i := (current - 1) * 100; i < min(120, current*100); i++ {
			hosts = append(hosts, hostJSON(fmt.Sprintf("h%03d", i+first), "h", "Core"))
		}
		fmt.Fprint(w, hostsJSON(120, hosts...))
	})
	got := observe(t, p, provider.LevelNodes, provider.Key{ID: clusterA})
	if n := len(got[0].Cluster.Groups[1].Nodes); n != 120 || lists.Load() != 4 {
		t.Errorf("%d nodes after %d calls", n, lists.Load())
	}
}
