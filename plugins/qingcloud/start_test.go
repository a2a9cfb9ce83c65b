package qingcloud

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const pathResize = "/api/cluster/resizeCluster"

// goldenResize is the document's example with the vendor's separators.
const goldenResize = `{"cluster_id": "ehpc-gk3wfc7e", "cpu": "4", "memory": "12288", "node_role": "compute", "zone": "jn1a"}`

func resizeRequest() []byte {
	return []byte(`{"call":"resizeCluster","body":{"cluster_id":"ehpc-gk3wfc7e","cpu":"4","memory":"12288","node_role":"compute","zone":"jn1a"}}`)
}

func TestStartSendsOnce(t *testing.T) {
	f := &fake{routes: map[string]http.HandlerFunc{pathResize: says(200, `{"action":"HpcClusterResizeClusterResponse","job_id":"j-7azwpyfm9oz","resize_info":[{"cpu":26}],"ret_code":0}`)}}
	got := f.start(t).Start(context.Background(), provider.StartRequest{Request: resizeRequest()})
	want := provider.Answer{
		Outcome: provider.OutcomeAccepted, At: testNow,
		Operation: provider.Operation{Handle: []byte(`{"job_id":"j-7azwpyfm9oz","cluster_id":"ehpc-gk3wfc7e"}`)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantCalls := []call{{
		Method: "POST", Path: pathResize, Body: goldenResize,
		Query: "access_key_id=AKEXAMPLE&signature_method=HmacSHA256&signature_version=1&timestamp=2026-01-02T03%3A04%3A05Z&version=1&signature=0R0u8K%252BgcxkadbJRg0nfH6DJfHiV0Y0FeVTjpCNZbxE%253D",
	}}
	if diff := cmp.Diff(wantCalls, f.received()); diff != "" {
		t.Error(diff)
	}
}

// drop closes the connection without an answer.
func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// cut promises more than it sends.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte(`{"ret_code":0`))
}

func TestStartOutcomes(t *testing.T) {
	code := func(code int) http.HandlerFunc {
		return says(200, fmt.Sprintf(`{"message":"said the cloud","ret_code":%d}`, code))
	}
	tests := []struct {
		name    string
		answer  http.HandlerFunc
		outcome provider.Outcome
		kind    provider.ErrorKind
	}{
		{"1100", code(1100), provider.OutcomeRefused, provider.KindInvalid},
		{"1101", code(1101), provider.OutcomeRefused, provider.KindInvalid},
		{"1200", code(1200), provider.OutcomeRefused, provider.KindUnauthenticated},
		{"1300", code(1300), provider.OutcomeRefused, provider.KindUnauthenticated},
		{"1400", code(1400), provider.OutcomeRefused, provider.KindConflict},
		{"2000", code(2000), provider.OutcomeRefused, provider.KindUnauthenticated},
		{"2100", code(2100), provider.OutcomeRefused, provider.KindNotFound},
		{"2110", code(2110), provider.OutcomeRefused, provider.KindConflict},
		{"2200", code(2200), provider.OutcomeRefused, provider.KindQuota},
		{"2300", code(2300), provider.OutcomeRefused, provider.KindQuota},
		{"2400", code(2400), provider.OutcomeRefused, provider.KindQuota},
		{"2500", code(2500), provider.OutcomeRefused, provider.KindQuota},
		{"5100", code(5100), provider.OutcomeRefused, provider.KindUnavailable},
		{"5200", code(5200), provider.OutcomeRefused, provider.KindQuota},
		{"5300", code(5300), provider.OutcomeRefused, provider.KindUnavailable},
		{"5400", code(5400), provider.OutcomeRefused, provider.KindConflict},
		{"5000", code(5000), provider.OutcomeUnknown, provider.KindUnavailable},
		{"an unpublished code", code(9999), provider.OutcomeUnknown, provider.KindInternal},
		{"storage", code(5500), provider.OutcomeUnknown, provider.KindInternal},
		{"500", says(500, `{"ret_code":1100}`), provider.OutcomeUnknown, provider.KindUnavailable},
		{"429", says(429, ``), provider.OutcomeUnknown, provider.KindUnavailable},
		{"302", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, provider.OutcomeUnknown, provider.KindUnavailable},
		{"201", says(201, `{"ret_code":0,"job_id":"j"}`), provider.OutcomeUnknown, provider.KindUnavailable},
		{"garbage", says(200, `<html>`), provider.OutcomeUnknown, provider.KindUnavailable},
		{"no ret_code", says(200, `{}`), provider.OutcomeUnknown, provider.KindUnavailable},
		{"null", says(200, `null`), provider.OutcomeUnknown, provider.KindUnavailable},
		{"dropped", drop, provider.OutcomeUnknown, provider.KindUnavailable},
		{"cut short", cut, provider.OutcomeUnknown, provider.KindUnavailable},
		{"string code", says(200, `{"ret_code":"2400"}`), provider.OutcomeRefused, provider.KindQuota},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{routes: map[string]http.HandlerFunc{pathResize: tt.answer}}
			a := f.start(t).Start(context.Background(), provider.StartRequest{Request: resizeRequest()})
			if a.Outcome != tt.outcome || a.Error == nil || a.Error.Kind != tt.kind {
				t.Errorf("got %q, %+v", a.Outcome, a.Error)
			}
			if len(f.received()) != 1 {
				t.Errorf("sent %d times", len(f.received()))
			}
			if strings.Contains(fmt.Sprint(a.Error), "signature=") || strings.Contains(fmt.Sprint(a.Error), testKeyID) {
				t.Errorf("the error shows the signed address: %v", a.Error)
			}
		})
	}
}

func TestStartUnsent(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close() // nobody listens there now
	a := configure(t, server.URL).Start(context.Background(), provider.StartRequest{Request: resizeRequest()})
	if a.Outcome != provider.OutcomeUnsent || a.Error == nil || a.Error.Kind != provider.KindUnavailable {
		t.Errorf("got %+v", a)
	}
	if strings.Contains(a.Error.Error(), testKeyID) {
		t.Errorf("the error shows the signed address: %v", a.Error)
	}
}

func createRequestOf(t *testing.T, p *plugin) provider.Action {
	t.Helper()
	plan := planOf(t, p, provider.ClusterChange{Desired: desired("ehpc", "", ehpcSpec), Changes: created(t, ehpcSpec)})
	return plan.Actions[0]
}

// The administrator's password goes into the body and nowhere else.
func TestStartCreate(t *testing.T) {
	const secret = "pa\"ss-wörd"
	f := &fake{routes: map[string]http.HandlerFunc{
		"/api/cluster/createCluster": inTurn(
			says(200, `{"action":"x","hpc_cluster_id":"ehpc-6pbhlqdn","job_id":"j-ei20x38nikj","ret_code":0}`),
			func(w http.ResponseWriter, r *http.Request) {
				says(200, fmt.Sprintf(`{"ret_code":1100,"message":%q}`, "bad request "+r.URL.RawQuery+" with "+secret+" of "+testSecret))(w, r)
			}),
	}}
	p := f.start(t)
	action := createRequestOf(t, p)
	req := provider.StartRequest{Request: action.Request, Secrets: map[string]string{"admin_password": secret, "password": "other"}}
	got := p.Start(context.Background(), req)
	want := provider.Answer{
		Outcome: provider.OutcomeAccepted, ClusterID: "ehpc-6pbhlqdn", At: testNow,
		Operation: provider.Operation{Handle: []byte(`{"job_id":"j-ei20x38nikj","cluster_id":"ehpc-6pbhlqdn"}`)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(goldenCreate, f.received()[0].Body); diff != "" {
		t.Error(diff)
	}
	refused := p.Start(context.Background(), req)
	if refused.Outcome != provider.OutcomeRefused {
		t.Errorf("got %+v", refused)
	}
	sig := strings.SplitAfter(f.received()[1].Query, "signature=")[1]
	for _, word := range []string{secret, testSecret, testKeyID, sig} {
		if strings.Contains(refused.Error.Error(), word) {
			t.Errorf("the error shows %q: %v", word, refused.Error)
		}
	}
}

// goldenCreate is the body of ehpcSpec's create.
const goldenCreate = `{"cluster_conf": {"cluster": {"compute": {"count": 2, "cpu": 4, "memory": 12288, "nas_mount_point": "/home"}, ` +
	`"controller": {"count": 1, "cpu": 2, "memory": 4096, "nas_mount_point": "/home"}, "login": {"count": 1, "cpu": 2, "memory": 4096, "nas_mount_point": "/home"}, ` +
	`"name": "simulation", "nas_id": "nas-1", "version": "appv-1", "vxnet": "vxnet-1"}, ` +
	`"env": {"admin.group_id": 11017755, "admin.password": "pa\"ss-w\u00f6rd", "admin.user": "admin", "admin.user_id": 7, ` +
	`"nas_path": "10.0.0.7@o2ib:/lustrefs/x", "nfs_dns": "10.104.100.99", "nfs_export": "qingyun.nsccjn.com:/shanhe", "nfs_local": "/es01/software", "nfs_need": 1, "nfs_network": "10.104.0.0/16", "start_hook_on": 1}, "version": "appv-1"}, ` +
	`"cluster_name": "simulation", "cluster_type": "ehpc", "deploy_mode": "1", "duration": 12, "gid_number": 11017755, "is_auto_renewal": 0, ` +
	`"nas_id": "nas-1", "nas_path": "10.0.0.7@o2ib:/lustrefs/x", "owner": "usr-abc", "paid_type": "Reserved", "password": "other", ` +
	`"uid_number": 11017754, "version_id": "appv-1", "zone": "jn1a"}`

func TestStartChecks(t *testing.T) {
	p := configure(t, "http://127.0.0.1:1") // nothing may be sent
	create := createRequestOf(t, p).Request
	placeholder := []byte(`{"call":"resizeCluster","body":{"cluster_id":"","cpu":"4","memory":"12288","node_role":"compute","zone":"jn1a"}}`)
	sound := map[string]string{"admin_password": "Passw0rd!", "password": "x"}
	tests := []struct {
		name         string
		request      []byte
		secrets      map[string]string
		check, start provider.Outcome
		sound        bool
	}{
		{"sound", create, sound, provider.OutcomeUnsent, "", true},
		{"resize", resizeRequest(), nil, provider.OutcomeUnsent, "", true},
		{"placeholder", placeholder, nil, provider.OutcomeUnsent, provider.OutcomeUnsent, true},
		{"no secret", create, nil, provider.OutcomeRefused, provider.OutcomeUnsent, false},
		{"one of two", create, map[string]string{"admin_password": "hush"}, provider.OutcomeRefused, provider.OutcomeUnsent, false},
		{"line break", create, map[string]string{"admin_password": "hush\n", "password": "x"}, provider.OutcomeRefused, provider.OutcomeUnsent, false},
		{"not text", create, map[string]string{"admin_password": "hush\xff", "password": "x"}, provider.OutcomeRefused, provider.OutcomeUnsent, false},
		{"empty", nil, nil, provider.OutcomeRefused, provider.OutcomeUnsent, false},
		{"other call", []byte(`{"call":"deleteCluster","body":{"cluster_ids":["ehpc-1"]}}`), nil, provider.OutcomeRefused, provider.OutcomeUnsent, false},
		{"unknown field", []byte(`{"call":"resizeCluster","body":{},"x":1}`), nil, provider.OutcomeRefused, provider.OutcomeUnsent, false},
		{"no role", []byte(`{"call":"resizeCluster","body":{"cluster_id":"ehpc-1","cpu":"4","memory":"12288","zone":"z"}}`), nil, provider.OutcomeRefused, provider.OutcomeUnsent, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := p.Start(context.Background(), provider.StartRequest{Request: tt.request, Secrets: tt.secrets, CheckOnly: true})
			if a.Outcome != tt.check || (a.Error == nil) != tt.sound {
				t.Errorf("check: %q, %v", a.Outcome, a.Error)
			}
			if a.Error != nil && (a.Error.Kind != provider.KindInvalid || strings.Contains(a.Error.Error(), "hush")) {
				t.Errorf("check: %+v", a.Error)
			}
			if tt.start == "" {
				return
			}
			a = p.Start(context.Background(), provider.StartRequest{Request: tt.request, Secrets: tt.secrets})
			if a.Outcome != tt.start || a.Error == nil || a.Error.Kind != provider.KindInvalid {
				t.Errorf("start: %q, %v", a.Outcome, a.Error)
			}
		})
	}
}
