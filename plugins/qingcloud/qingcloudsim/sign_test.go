package qingcloudsim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/qingcloud/qingcloudsim"
)

const (
	listVector   = "access_key_id=AKEXAMPLE&owner=usr-abc&signature_method=HmacSHA256&signature_version=1&timestamp=2026-01-02T03%3A04%3A05Z&version=1&zone=jn1a&signature=aAj9eul1iwcxzjCCRtC50MNY17j%252BpcaDTADPf1vUgrY%253D"
	resizeVector = "access_key_id=AKEXAMPLE&signature_method=HmacSHA256&signature_version=1&timestamp=2026-01-02T03%3A04%3A05Z&version=1&signature=0R0u8K%252BgcxkadbJRg0nfH6DJfHiV0Y0FeVTjpCNZbxE%253D"
	resizeBody   = `{"cluster_id": "ehpc-gk3wfc7e", "cpu": "4", "memory": "12288", "node_role": "compute", "zone": "jn1a"}`
)

// TestRecordedVectors sends the two recorded requests byte for byte.
func TestRecordedVectors(t *testing.T) {
	w := newWorld(t, cloudsim.Options{JobTime: time.Minute}, mixed())
	w.wantCode(w.send("GET", "/api/cluster/list", listVector, ""), 0)
	w.wantCode(w.send("POST", "/api/cluster/resizeCluster", resizeVector, resizeBody), 0)
}

func TestSignatureRefused(t *testing.T) {
	const list, resize = "/api/cluster/list", "/api/cluster/resizeCluster"
	query := func(change func(map[string]string)) map[string]string {
		q := commonQuery(start)
		q["zone"], q["owner"] = zone, owner
		change(q)
		return q
	}
	sign := func(secret string, q map[string]string) string { return signed(secret, "GET", list, q, "") }
	set := func(name, value string) string {
		return sign(qingcloudsim.SecretKey, query(func(q map[string]string) { q[name] = value }))
	}
	drop := func(name string) string {
		return sign(qingcloudsim.SecretKey, query(func(q map[string]string) { delete(q, name) }))
	}
	good := sign(qingcloudsim.SecretKey, query(func(map[string]string) {}))
	tests := []struct {
		name, method, path, query, body string
		want                            int
	}{
		{"good", "GET", list, good, "", 0},
		{"wrong secret", "GET", list, sign("sk-other", query(func(map[string]string) {})), "", 1200},
		{"unknown key", "GET", list, set("access_key_id", "AKOTHER"), "", 1200},
		{"tampered query", "GET", list, strings.Replace(good, "usr-8", "usr-9", 1), "", 1200},
		{"added parameter", "GET", list, good + "&limit=100", "", 1200},
		{"other path", "GET", "/api/cluster/listNodes", good, "", 1200},
		{"other method", "POST", list, good, "", 1200},
		{"tampered body", "POST", resize, resizeVector, strings.Replace(resizeBody, `"4"`, `"8"`, 1), 1200},
		{"body re-spaced", "POST", resize, resizeVector, strings.ReplaceAll(resizeBody, ": ", ":"), 1200},
		{"signature encoded once", "GET", list, strings.ReplaceAll(listVector, "%25", "%"), "", 1200},
		{"signature encoded three times", "GET", list, strings.ReplaceAll(listVector, "%25", "%2525"), "", 1200},
		{"an empty value", "GET", list, set("search_word", ""), "", 1200},
		{"a slash", "GET", list, set("search_word", "a/b"), "", 1200},
		{"a space and a plus", "GET", list, set("search_word", "a +b~"), "", 0},
		{"a space written as plus", "GET", list, strings.Replace(set("search_word", "a b"), "a%20b", "a+b", 1), "", 0},
		{"no signature", "GET", list, good[:strings.Index(good, "&signature=")], "", 1100},
		{"no query", "GET", list, "", "", 1100},
		{"no key", "GET", list, drop("access_key_id"), "", 1100},
		{"no timestamp", "GET", list, drop("timestamp"), "", 1100},
		{"no version", "GET", list, drop("version"), "", 1100},
		{"no method", "GET", list, drop("signature_method"), "", 1100},
		{"no signature version", "GET", list, drop("signature_version"), "", 1100},
		{"other version", "GET", list, set("version", "2"), "", 1101},
		{"other signature method", "GET", list, set("signature_method", "HmacSHA1"), "", 1101},
		{"other signature version", "GET", list, set("signature_version", "2"), "", 1101},
		{"timestamp not padded", "GET", list, set("timestamp", "2026-1-2T3:4:5Z"), "", 1100},
		{"a parameter twice", "GET", list, good + "&zone=jn1a", "", 1100},
		{"bad encoding", "GET", list, good + "&x=%zz", "", 1100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, cloudsim.Options{}, mixed())
			w.wantCode(w.send(tt.method, tt.path, tt.query, tt.body), tt.want)
		})
	}
}

func TestWindow(t *testing.T) {
	tests := []struct {
		name   string
		window time.Duration
		age    time.Duration
		want   int
	}{
		{"fresh", 0, 0, 0},
		{"as old as may be", 0, 60 * time.Second, 0},
		{"older", 0, 61 * time.Second, 1300},
		{"from the future", 0, -10 * time.Minute, 0},
		{"shortened, inside", 2 * time.Second, 2 * time.Second, 0},
		{"shortened, outside", 2 * time.Second, 3 * time.Second, 1300},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, cloudsim.Options{AcceptWindow: tt.window}, nil)
			q := commonQuery(start.Add(-tt.age))
			q["zone"], q["owner"] = zone, owner
			r := w.send("GET", "/api/cluster/list", signed(qingcloudsim.SecretKey, "GET", "/api/cluster/list", q, ""), "")
			w.wantCode(r, tt.want)
		})
	}
}

func TestOwnKeyPair(t *testing.T) {
	w := newWorld(t, cloudsim.Options{AccessKeyID: "AKOWN", SecretKey: "sk-own"}, nil)
	q := commonQuery(start)
	q["access_key_id"], q["zone"], q["owner"] = "AKOWN", zone, owner
	w.wantCode(w.send("GET", "/api/cluster/list", signed("sk-own", "GET", "/api/cluster/list", q, ""), ""), 0)
	w.wantCode(w.get("/api/cluster/list", map[string]string{"owner": owner}), 1200)
}

// TestEnvelope: every answer has the cloud's time and is JSON, errors too.
func TestEnvelope(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, nil)
	w.clock.add(90 * time.Minute)
	for _, r := range []reply{
		w.get("/api/cluster/list", map[string]string{"owner": owner}),
		w.get("/api/cluster/list", nil),
		w.get("/api/none", nil),
		w.send("GET", "/api/cluster/list", "", ""),
	} {
		if got, want := r.header.Get("Date"), "Fri, 02 Jan 2026 04:34:05 GMT"; got != want {
			t.Errorf("Date %q, want %q", got, want)
		}
		if got := r.header.Get("Content-Type"); got != "application/json" || r.status != http.StatusOK {
			t.Errorf("HTTP %d, %s", r.status, got)
		}
	}
	if r := w.get("/api/none", nil); r.text != `{"message":"InvalidParameterValue, no such action","ret_code":1101}` {
		t.Errorf("unknown action answers %s", r.text)
	}
}

func TestUnknownActions(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, mixed())
	for _, name := range []string{"addNodes", "deleteNodes", "modifyCluster", "deleteCluster", "startCluster", "stopCluster", "list"} {
		w.wantCode(w.post("/api/cluster/"+name, o{"cluster_id": "ehpc-gk3wfc7e", "zone": zone}), 1101)
	}
	for _, path := range []string{"/api/cluster/createCluster", "/api/cluster/list/", "/", "/permission/usr-1"} {
		w.wantCode(w.get(path, nil), 1101)
	}
}

func TestRequestLimit(t *testing.T) {
	ask := func(w *world) reply { return w.get("/api/cluster/list", map[string]string{"owner": owner}) }
	t.Run("documented", func(t *testing.T) {
		w := newWorld(t, cloudsim.Options{}, nil)
		w.restore([]byte(`{"requests": {"since": "2026-01-02T03:04:05Z", "count": 1998}}`))
		w.wantCode(ask(w), 0)
		w.wantCode(w.get("/api/cluster/list", nil), 1100) // a refused call counts
		w.wantCode(ask(w), 2500)
		w.wantCode(w.send("GET", "/api/cluster/list", "", ""), 1100) // nobody's call does not
		w.clock.add(3599 * time.Second)
		w.wantCode(ask(w), 2500)
		w.clock.add(time.Second)
		w.wantCode(ask(w), 0)
	})
	t.Run("raised", func(t *testing.T) {
		w := newWorld(t, cloudsim.Options{}, nil)
		w.restore([]byte(`{"request_limit": 2001, "requests": {"since": "2026-01-02T03:04:05Z", "count": 2000}}`))
		w.wantCode(ask(w), 0)
		w.wantCode(ask(w), 2500)
	})
	t.Run("none", func(t *testing.T) {
		w := newWorld(t, cloudsim.Options{}, nil)
		w.restore([]byte(`{"request_limit": -1, "requests": {"since": "2026-01-02T03:04:05Z", "count": 9999}}`))
		w.wantCode(ask(w), 0)
	})
}
