package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// at makes a plugin that talks to endpoint over real connections: whether
// bytes left is what these tests are about.
func at(t *testing.T, endpoint string) *plugin {
	t.Helper()
	p := newPlugin(fixedOptions())
	err := p.Configure(context.Background(), provider.Config{
		Entry: "ali", Endpoint: endpoint, Settings: json.RawMessage(`{"region":"cn-beijing"}`),
		Credentials: map[string]string{"access_key_id": vectorKey, "access_key_secret": vectorSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func edgeStart(t *testing.T) provider.StartRequest {
	return provider.StartRequest{
		Request: planOne(t, kindEdge, specOf(t, edgeExample, 4), 3).Request,
		Secrets: map[string]string{secretPassword: examplePassword},
	}
}

const accepted = `{"cluster_id":"c82e6987e2961451182edacd74fabbbb","task_id":"T-5a54309c80282e39ea00002f","request_id":"687C5BAA-D103-4993-884B-C35E4314A1E1"}`

func TestStartJudgesTheAnswer(t *testing.T) {
	quotes := fmt.Sprintf(`{"code":"InvalidParameter","message":"login_password %s is weak","requestId":"R"}`, examplePassword)
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   provider.Outcome
		kind   provider.ErrorKind
		code   string
	}{
		{"200", reply(200, accepted), provider.OutcomeAccepted, "", ""},
		{"202", reply(202, accepted), provider.OutcomeAccepted, "", ""},
		{"no task id", reply(202, `{"cluster_id":"c1"}`), provider.OutcomeUnknown, provider.KindUnavailable, ""},
		{"an error with status 200", reply(200, `{"code":"InvalidParameter"}`), provider.OutcomeUnknown, provider.KindUnavailable, ""},
		{"XML", reply(200, `<task_id>T-1</task_id>`), provider.OutcomeUnknown, provider.KindUnavailable, ""},
		{"half an answer", reply(200, accepted[:40]), provider.OutcomeUnknown, provider.KindUnavailable, ""},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		}, provider.OutcomeUnknown, provider.KindUnavailable, ""},
		{"refused, quoting the password", reply(400, quotes), provider.OutcomeRefused, provider.KindInvalid, "InvalidParameter"},
		{"no such cluster", reply(404, `{"code":"ErrorClusterNotFound"}`), provider.OutcomeRefused, provider.KindNotFound, "ErrorClusterNotFound"},
		{"busy", reply(400, `{"code":"ErrorClusterState"}`), provider.OutcomeRefused, provider.KindConflict, "ErrorClusterState"},
		{"throttled", reply(503, `{"Code":"Throttling.Api"}`), provider.OutcomeRefused, provider.KindThrottled, "Throttling.Api"},
		{"bad signature", reply(400, `{"Code":"SignatureDoesNotMatch"}`), provider.OutcomeRefused, provider.KindUnauthenticated, "SignatureDoesNotMatch"},
		{"used nonce", reply(400, `{"Code":"SignatureNonceUsed"}`), provider.OutcomeUnknown, provider.KindUnavailable, "SignatureNonceUsed"},
		{"a code nobody documented", reply(400, `{"code":"SomethingNew"}`), provider.OutcomeUnknown, provider.KindInvalid, "SomethingNew"},
		{"a refusal's code with 500", reply(500, `{"code":"InvalidParameter"}`), provider.OutcomeUnknown, provider.KindInvalid, "InvalidParameter"},
		{"500", reply(500, `{"code":"InternalError"}`), provider.OutcomeUnknown, provider.KindUnavailable, "InternalError"},
		{"502 of a gateway", reply(502, `<html>`), provider.OutcomeUnknown, provider.KindUnavailable, ""},
		{"503", reply(503, `{"Code":"ServiceUnavailable"}`), provider.OutcomeUnknown, provider.KindUnavailable, "ServiceUnavailable"},
		{"415 in plain text", reply(415, `code=415, message=Unsupported Media Type`), provider.OutcomeUnknown, provider.KindInvalid, ""},
		{"connection lost", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, provider.OutcomeUnknown, provider.KindUnavailable, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				if r.Method != http.MethodPost || r.URL.Path != "/api/v2/clusters/c1" {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				body, _ := io.ReadAll(r.Body)
				if !strings.Contains(string(body), `"login_password":"Hello1234!"`) {
					t.Errorf("body %s", body)
				}
				tt.answer(w, r)
			}))
			defer server.Close()
			got := at(t, server.URL).Start(context.Background(), edgeStart(t))
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests, want one", n)
			}
			if got.Outcome != tt.want {
				t.Errorf("outcome %q, want %q: %v", got.Outcome, tt.want, got.Error)
			}
			if tt.want == provider.OutcomeAccepted {
				want := provider.Answer{
					Outcome: provider.OutcomeAccepted, Operation: provider.Operation{Handle: []byte("T-5a54309c80282e39ea00002f")},
					RequestID: "687C5BAA-D103-4993-884B-C35E4314A1E1", At: got.At,
				}
				if diff := cmp.Diff(want, got); diff != "" || got.At.IsZero() {
					t.Errorf("answer at %v (-want +got):\n%s", got.At, diff)
				}
				return
			}
			if got.Error == nil || got.Error.Kind != tt.kind || got.Error.Code != tt.code {
				t.Fatalf("error %+v, want kind %q code %q", got.Error, tt.kind, tt.code)
			}
			for _, secret := range []string{examplePassword, vectorSecret, "Signature="} {
				if text := fmt.Sprintf("%v %+v", got.Error, got); strings.Contains(text, secret) {
					t.Errorf("%q in %s", secret, text)
				}
			}
		})
	}
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestStartUnsent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	listener.Close()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for name, answer := range map[string]provider.Answer{
		"nobody listens": at(t, closed).Start(context.Background(), edgeStart(t)),
		"cancelled":      at(t, closed).Start(cancelled, edgeStart(t)),
		"not configured": newPlugin(fixedOptions()).Start(context.Background(), edgeStart(t)),
	} {
		if answer.Outcome != provider.OutcomeUnsent || answer.Error == nil {
			t.Errorf("%s: %+v", name, answer)
			continue
		}
		want := "no connection to " + listener.Addr().String() + ": connection refused"
		if name == "nobody listens" && answer.Error.Error() != want {
			t.Errorf("%v, want %s", answer.Error, want)
		}
	}
}

// A send that the rate budget would keep past its deadline does not happen.
func TestStartOutOfBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := configured(t, roundTripper(func(*http.Request) (*http.Response, error) { return respond(200, accepted), nil }))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		for range budget.Requests {
			if answer := p.Start(ctx, edgeStart(t)); answer.Outcome != provider.OutcomeAccepted {
				t.Fatalf("%+v", answer)
			}
		}
		answer := p.Start(ctx, edgeStart(t))
		if answer.Outcome != provider.OutcomeUnsent || !strings.Contains(answer.Error.Error(), "rate budget") {
			t.Errorf("%+v", answer)
		}
	})
}

// A deadline that passes after the request left leaves its fate open.
func TestStartDeadlineAfterSending(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		close(arrived)
		<-release
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-arrived; cancel() }()
	answer := at(t, server.URL).Start(ctx, edgeStart(t))
	if answer.Outcome != provider.OutcomeUnknown || answer.Error == nil {
		t.Errorf("%+v", answer)
	}
}

func TestStartCheckOnly(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }))
	defer server.Close()
	p := at(t, server.URL)
	sandbox := planOne(t, kindSandbox, json.RawMessage(sandboxSpec), 1).Request // with a key pair
	edge := edgeStart(t).Request
	tests := []struct {
		name    string
		request []byte
		secrets map[string]string
		want    string // part of the error; empty: sound
	}{
		{"key pair", sandbox, nil, ""},
		{"password", edge, map[string]string{secretPassword: examplePassword}, ""},
		{"no password", edge, nil, "node_groups.worker.login_password was not passed"},
		{"weak password", edge, map[string]string{secretPassword: "weakweakweak"}, "at least three of"},
		{"short password", edge, map[string]string{secretPassword: "Sh0rt!"}, "8 to 30 characters"},
		{"broken request", []byte(`{`), nil, "request: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := provider.StartRequest{Request: tt.request, Secrets: tt.secrets, CheckOnly: true}
			got := p.Start(context.Background(), req)
			if tt.want == "" {
				if diff := cmp.Diff(provider.Answer{Outcome: provider.OutcomeUnsent}, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				return
			}
			if got.Outcome != provider.OutcomeRefused || got.Error.Kind != provider.KindInvalid || !strings.Contains(got.Error.Error(), tt.want) {
				t.Errorf("%+v", got)
			}
			for _, secret := range tt.secrets {
				if strings.Contains(got.Error.Error(), secret) {
					t.Errorf("the password is in %v", got.Error)
				}
			}
			// The same fault found at the send: nothing leaves.
			req.CheckOnly = false
			if got := p.Start(context.Background(), req); got.Outcome != provider.OutcomeUnsent || got.Error.Kind != provider.KindInvalid {
				t.Errorf("at the send: %+v", got)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	secrets := map[string]string{"a": `Quo"te<1>`, "b": ""}
	got := redact(&provider.Error{Code: "C", Message: `raw Quo"te<1>, quoted Quo\"te<1>.`, Err: errors.New("a cause that repeats it")}, secrets)
	want := &provider.Error{Code: "C", Message: "raw (secret), quoted (secret)."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Who cancelled must still be able to see it.
	if got := redact(provider.Errorf(provider.KindUnavailable, "x: %w", context.Canceled), secrets); !errors.Is(got, context.Canceled) {
		t.Errorf("%v lost its cause", got)
	}
}

func TestPoll(t *testing.T) {
	answers := map[string]string{
		"T-1": `{"task_id":"T-1","state":"running","current_stage":"create nodes","task_result":[]}`,
		"T-2": `{"task_id":"T-2","state":"success","task_result":[{"data":"i-1","status":"success"},{"data":"i-2","status":"initial"},{"data":"i-1","status":"success"},{"data":""}]}`,
		"T-3": `{"task_id":"T-3","state":"fail","task_result":[{"data":"i-3","status":"success"}],"error":{"code":"QuotaExceeded.Node","message":"no more"}}`,
		"T-4": `{"task_id":"T-4","state":"failed","task_result":{"data":"odd"},"error":"text"}`,
		"T-5": `{"task_id":"T-5","state":"paused"}`,
	}
	rt := roundTripper(func(r *http.Request) (*http.Response, error) {
		body, ok := answers[strings.TrimPrefix(r.URL.Path, "/tasks/")]
		resp := respond(200, body)
		if !ok {
			resp = respond(404, `{"code":"ErrorTaskNotFound","message":"no such task","requestId":"R"}`)
		}
		resp.Header.Set("Date", "Sun, 01 Mar 2026 08:00:05 GMT")
		return resp, nil
	})
	var ops []provider.Operation
	for _, id := range []string{"T-1", "T-2", "T-3", "T-4", "T-5", "T-6", "../clusters/c1"} {
		ops = append(ops, provider.Operation{Handle: []byte(id)})
	}
	got, err := configured(t, rt).Poll(context.Background(), ops)
	if err != nil {
		t.Fatal(err)
	}
	when := time.Date(2026, 3, 1, 8, 0, 5, 0, time.UTC)
	want := []provider.OperationStatus{
		{State: provider.OperationRunning, Progress: "running: create nodes", At: when},
		{State: provider.OperationSucceeded, Progress: "success", Nodes: []string{"i-1", "i-2"}, At: when},
		{State: provider.OperationFailed, Progress: "fail", Nodes: []string{"i-3"}, At: when, Error: &provider.Error{Kind: provider.KindQuota, Code: "QuotaExceeded.Node", Message: "no more"}},
		{State: provider.OperationFailed, Progress: "failed", At: when, Error: &provider.Error{Message: "task T-4 failed without saying why"}},
		{Progress: "paused", At: when},
		{At: when, Error: &provider.Error{Kind: provider.KindNotFound, Code: "ErrorTaskNotFound", RequestID: "R", Message: "DescribeTaskInfo /tasks/T-6: no such task"}},
		{Error: &provider.Error{Kind: provider.KindInvalid, Message: "the handle is not a task id"}},
	}
	for i := range got {
		if got[i].Error != nil {
			got[i].Error.Err = nil // the cause stays in this process
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
