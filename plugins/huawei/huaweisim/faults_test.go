package huaweisim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
)

// outcomes lists what the log says of changing requests.
func (s *sim) outcomes() []string {
	var out []string
	for _, e := range s.server.Log().Entries() {
		if e.Event == "request" {
			out = append(out, e.Outcome+e.Code)
		}
	}
	return out
}

// Each fault of the connection: what the client sees, and whether it was done.
func TestConnectionFaults(t *testing.T) {
	tests := []struct {
		fault   cloudsim.Fault
		status  int // 0: dropped
		code    string
		applied bool
	}{
		{cloudsim.Fault{Kind: cloudsim.DropBefore}, 0, "", false},
		{cloudsim.Fault{Kind: cloudsim.DropAfter}, 0, "", true},
		{cloudsim.Fault{Kind: cloudsim.ErrorBefore}, 500, "MRS.300", false},
		{cloudsim.Fault{Kind: cloudsim.ErrorBefore, Status: 503}, 503, "MRS.300", false},
		{cloudsim.Fault{Kind: cloudsim.ErrorBefore, Status: 400, Code: "12000029"}, 400, "12000029", false},
		{cloudsim.Fault{Kind: cloudsim.ErrorAfter, Status: 502}, 502, "MRS.300", true},
		{cloudsim.Fault{Kind: cloudsim.ErrorAfter, Status: 400, Code: "12000014"}, 400, "12000014", true},
		{cloudsim.Fault{Kind: cloudsim.Throttle}, 429, "APIG.0308", false},
		{cloudsim.Fault{Kind: cloudsim.Garbage}, 200, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.fault.Kind, func(t *testing.T) {
			s := newSim(t, string(huaweisim.Example()))
			tt.fault.Call = "UpdateClusterScaling"
			s.inject(tt.fault)
			got := s.put(analytics, resize("scale_out", "core", 2))
			if got.dropped != (tt.status == 0) || got.status != tt.status && !got.dropped {
				t.Fatalf("%+v", got)
			}
			if !got.dropped {
				if tt.fault.Kind == cloudsim.Garbage {
					if json.Valid([]byte(got.body)) {
						t.Errorf("garbage is JSON: %s", got.body)
					}
				} else if got.code(t) != tt.code || got.header.Get("X-Request-Id") == "" || got.header.Get("Date") == "" {
					t.Errorf("%+v", got)
				}
			}
			if applied := s.detail(analytics).Scale == "scaling-out"; applied != tt.applied {
				t.Errorf("applied %t, want %t", applied, tt.applied)
			}
			if done := len(s.outcomes()) == 1; done != tt.applied {
				t.Errorf("log %q", s.outcomes())
			}
		})
	}
}

// A held request is done late, unless its signature has then expired.
func TestHeldRequest(t *testing.T) {
	for _, tt := range []struct {
		name    string
		delay   time.Duration
		outcome string
		core    string
	}{
		{"inside the window", 10 * time.Minute, "accepted", "5"},
		{"outside the window", 16 * time.Minute, "refusedAPIGW.0301", "3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSim(t, string(huaweisim.Example()))
			s.inject(cloudsim.Fault{Kind: cloudsim.Hold, Delay: tt.delay})
			if got := s.put(analytics, resize("scale_out", "core", 2)); !got.dropped {
				t.Fatalf("%+v", got)
			}
			s.pass(tt.delay - time.Second)
			if d := s.detail(analytics); d.Scale != "" || len(s.outcomes()) != 0 {
				t.Errorf("done too early: %+v", d)
			}
			s.pass(time.Second)
			s.server.Release()
			if got := s.outcomes(); len(got) != 1 || got[0] != tt.outcome {
				t.Errorf("log %q", got)
			}
			s.pass(jobTime)
			if d := s.detail(analytics); d.CoreNodeNum != tt.core {
				t.Errorf("%+v", d)
			}
		})
	}
}

// A lost reply and a held twin: both act, as the cloud knows no idempotency key.
func TestHeldAndResent(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()), func(o *cloudsim.Options) { o.JobTime = time.Minute })
	s.inject(cloudsim.Fault{Kind: cloudsim.Hold, Delay: 5 * time.Minute})
	s.put(analytics, resize("scale_out", "core", 2))
	s.put(analytics, resize("scale_out", "core", 2))
	s.pass(5 * time.Minute)
	s.server.Release()
	s.pass(time.Minute)
	if d := s.detail(analytics); d.CoreNodeNum != "7" {
		t.Errorf("Core %s, want 7", d.CoreNodeNum)
	}
}

// A stale read shows the cluster as it was, jobs that ended since the last
// snapshot included.
func TestStaleReads(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	s.pass(time.Minute)
	checkResize(t, s, resize("scale_out", "core", 2), "")
	s.pass(20 * time.Minute)
	stale := func(back time.Duration) clusterView {
		s.inject(cloudsim.Fault{Kind: cloudsim.Stale, Call: "ShowClusterDetails", Delay: back})
		r := s.request("GET", infos+"/"+analytics, "")
		// The past has a clock of its own; the signature is checked against it.
		sign(r, "", huaweisim.AccessKeyID, huaweisim.SecretKey, s.now.Add(-back), "host", "x-project-id", "x-sdk-date")
		return decode[struct{ Cluster clusterView }](t, s.send(r)).Cluster
	}
	if d := stale(5 * time.Minute); d.CoreNodeNum != "5" || d.ClusterState != "running" {
		t.Errorf("5 minutes ago: %+v", d)
	}
	if d := stale(15 * time.Minute); d.CoreNodeNum != "3" || d.ClusterState != "scaling-out" || d.StageDesc != "Initializing VM" {
		t.Errorf("15 minutes ago: %+v", d)
	}
	if d := stale(20*time.Minute + time.Second); d.CoreNodeNum != "3" || d.ClusterState != "running" {
		t.Errorf("before: %+v", d)
	}
	if d := s.detail(analytics); d.CoreNodeNum != "5" {
		t.Errorf("now: %+v", d)
	}
}

// Over a real connection: a dropped reply is an error for the client.
func TestOverLoopback(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	web := httptest.NewServer(s.server)
	defer web.Close()
	send := func() (*http.Response, error) {
		body := resize("scale_in", "task", 2)
		r := s.request("PUT", infos+"/"+analytics, body)
		r.RequestURI = ""
		r.URL.Host = web.Listener.Addr().String()
		r.Host = r.URL.Host
		sign(r, body, huaweisim.AccessKeyID, huaweisim.SecretKey, s.now, "host", "x-project-id", "x-sdk-date")
		return web.Client().Do(r)
	}
	s.inject(cloudsim.Fault{Kind: cloudsim.DropAfter})
	if resp, err := send(); err == nil {
		t.Errorf("an answer: %s", resp.Status)
	}
	resp, err := send()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Date") != "Sat, 21 Nov 2026 00:00:00 GMT" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	if got := s.outcomes(); len(got) != 2 || got[0] != "accepted" || got[1] != "refused12000018" {
		t.Errorf("log %q", got)
	}
}
