package huawei

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var growCore = provider.Raw(newResize(clusterA, roleCore, 1))

// TestStartSends: one PUT with the documented body, signed.
func TestStartSends(t *testing.T) {
	var got *http.Request
	var body []byte
	p, s := cloud(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		body, _ = io.ReadAll(r.Body)
		fmt.Fprint(w, `{"result":"succeeded"}`)
	})
	a := p.Start(t.Context(), provider.StartRequest{Request: growCore})
	if diff := cmp.Diff(provider.Answer{Outcome: provider.OutcomeAccepted, RequestID: "req-1", At: cloudTime}, a); diff != "" {
		t.Errorf("answer -want +got\n%s", diff)
	}
	want := []string{"PUT /v1.1/" + testProject + "/cluster_infos/" + clusterA}
	if diff := cmp.Diff(want, s.made()); diff != "" {
		t.Errorf("calls -want +got\n%s", diff)
	}
	wantBody := `{"service_id":"","plan_id":"","parameters":{"order_id":"","scale_type":"scale_out","node_id":"node_orderadd",` +
		`"node_group":"core_node_default_group","instances":"1"},"previous_values":{"plan_id":""}}`
	if diff := cmp.Diff(wantBody, string(body)); diff != "" {
		t.Errorf("body -want +got\n%s", diff)
	}
	if got.ContentLength != int64(len(body)) {
		t.Errorf("content length is %d", got.ContentLength)
	}
	again := httptest.NewRequest(http.MethodPut, s.URL+got.URL.Path, nil)
	again.Header.Set("X-Project-Id", testProject)
	p.client.Load().signer.sign(again, body, signedAt, "X-Project-Id")
	for name, want := range map[string]string{
		"Authorization":    again.Header.Get("Authorization"),
		"X-Project-Id":     testProject,
		"X-Sdk-Date":       "20261121T000000Z",
		"X-Security-Token": testToken,
		"Content-Type":     "application/json",
		"X-Language":       "",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
}

// TestStartJudges: what each answer permits to conclude. Every case is sent
// exactly once.
func TestStartJudges(t *testing.T) {
	code := func(code string) string { return fmt.Sprintf(`{"error_code":%q,"error_msg":"because"}`, code) }
	type judged struct {
		Outcome provider.Outcome
		Kind    provider.ErrorKind
		Code    string
	}
	refused := func(kind provider.ErrorKind, code string) judged { return judged{provider.OutcomeRefused, kind, code} }
	unknown := func(kind provider.ErrorKind, code string) judged { return judged{provider.OutcomeUnknown, kind, code} }
	type testCase struct {
		name   string
		status int
		body   string
		want   judged
	}
	cases := []testCase{
		{"accepted", 200, `{"result":"succeeded"}`, judged{Outcome: provider.OutcomeAccepted}},
		{"another result", 200, `{"result":"failed"}`, unknown(provider.KindUnavailable, "")},
		{"no result", 200, `{}`, unknown(provider.KindUnavailable, "")},
		{"no JSON", 200, `<html>bad gateway`, unknown(provider.KindUnavailable, "")},
		{"empty", 200, ``, unknown(provider.KindUnavailable, "")},
		{"a refusal with status 200", 200, code("12000017"), refused(provider.KindConflict, "12000017")},
		{"a server error", 500, `{}`, unknown(provider.KindUnavailable, "")},
		{"a gateway's error", 502, `<html>`, unknown(provider.KindUnavailable, "")},
		{"a gateway's timeout", 504, ``, unknown(provider.KindUnavailable, "")},
		{"a refusal's code with a server error", 500, code("12000002"), unknown(provider.KindInvalid, "12000002")},
		{"a redirect", 307, ``, unknown(provider.KindInternal, "")},
		{"an unknown code", 400, code("12999999"), unknown(provider.KindInvalid, "12999999")},
		{"a request timeout", 408, ``, unknown(provider.KindInvalid, "")},
		{"a code as a number", 400, `{"error_code":12000018,"error_msg":"because"}`, refused(provider.KindConflict, "12000018")},
		{"the newer spelling", 400, `{"errorCode":"12000002","errorMsg":"because"}`, refused(provider.KindInvalid, "12000002")},
		{"denied without a known code", 403, code("IAM.1"), refused(provider.KindDenied, "IAM.1")},
		{"unauthenticated without a known code", 401, `x`, refused(provider.KindUnauthenticated, "")},
		{"throttled without a code", 429, ``, refused(provider.KindThrottled, "")},
		{"throttled", 429, code("APIG.0308"), refused(provider.KindThrottled, "APIG.0308")},
		{"a wrong signature", 401, code("APIGW.0301"), refused(provider.KindUnauthenticated, "APIGW.0301")},
		{"a wrong signature, newer gateway", 401, code("APIG.0301"), refused(provider.KindUnauthenticated, "APIG.0301")},
		{"no such call", 404, code("APIG.0101"), refused(provider.KindUnsupported, "APIG.0101")},
	}
	for kind, codes := range map[provider.ErrorKind][]string{
		provider.KindUnauthenticated: {"MRS.102"},
		provider.KindInvalid:         {"12000002", "12000009", "MRS.103", "12000123"},
		provider.KindNotFound:        {"12000003"},
		provider.KindConflict:        {"12000012", "12000017", "12000018", "12000068", "12000121", "12000124", "12000125"},
		provider.KindUnsupported:     {"12000054", "12000065", "12000067"},
		provider.KindQuota: {"12000028", "12000030", "12000031", "12000032", "12000033", "12000034", "MRS.101", "MRS.104", "MRS.105",
			"12000090", "12000094", "12000139", "12000140", "12000233", "12000234"},
	} {
		for _, c := range codes {
			cases = append(cases, testCase{c, 400, code(c), refused(kind, c)})
		}
	}
	cases = append(cases, testCase{"12000001", 401, code("12000001"), refused(provider.KindUnauthenticated, "12000001")})
	for kind, codes := range map[provider.ErrorKind][]string{
		provider.KindInternal:    {"12000013", "12000014"},
		provider.KindUnavailable: {"12000019", "12000029", "MRS.201", "MRS.202", "MRS.203", "MRS.300", "12000127", "12000128"},
	} {
		for _, c := range codes {
			cases = append(cases, testCase{c, 400, code(c), unknown(kind, c)})
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, s := cloud(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			a := p.Start(t.Context(), provider.StartRequest{Request: growCore})
			got := judged{Outcome: a.Outcome}
			if a.Error != nil {
				got.Kind, got.Code = a.Error.Kind, a.Error.Code
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if a.RequestID != "req-1" {
				t.Errorf("request id is %q", a.RequestID)
			}
			if n := len(s.made()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestStartCutShort: lost replies are unknown, connections that never were are
// unsent, and nothing is sent twice.
func TestStartCutShort(t *testing.T) {
	t.Run("the connection drops", func(t *testing.T) {
		p, s := cloud(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		a := p.Start(t.Context(), provider.StartRequest{Request: growCore})
		if a.Outcome != provider.OutcomeUnknown || a.Error == nil || a.Error.Kind != provider.KindUnavailable {
			t.Errorf("%+v", a)
		}
		if want := "no whole answer from " + s.Listener.Addr().String() + ": EOF"; a.Error.Error() != want {
			t.Errorf("%v, want %s", a.Error, want)
		}
		if n := len(s.made()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("the reply breaks off", func(t *testing.T) {
		p, s := cloud(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"result":"succeeded"}`)
		})
		a := p.Start(t.Context(), provider.StartRequest{Request: growCore})
		if a.Outcome != provider.OutcomeUnknown || a.Error == nil || a.RequestID != "req-1" {
			t.Errorf("%+v", a)
		}
		if n := len(s.made()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		p, s := cloud(t, nil)
		s.Close()
		a := p.Start(t.Context(), provider.StartRequest{Request: growCore})
		want := "no connection to " + s.Listener.Addr().String() + ": connection refused"
		if a.Outcome != provider.OutcomeUnsent || a.Error == nil || a.Error.Kind != provider.KindUnavailable || a.Error.Error() != want {
			t.Errorf("%+v, want %s", a, want)
		}
	})
	t.Run("the deadline passes while it waits", func(t *testing.T) {
		arrived, done := make(chan bool), make(chan bool)
		p, _ := cloud(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			close(arrived)
			<-done
		})
		defer close(done)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		a := p.Start(ctx, provider.StartRequest{Request: growCore})
		if a.Outcome != provider.OutcomeUnknown || !errors.Is(a.Error, context.Canceled) {
			t.Errorf("%+v", a)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		p, s := cloud(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		a := p.Start(ctx, provider.StartRequest{Request: growCore})
		if a.Outcome != provider.OutcomeUnsent || !errors.Is(a.Error, context.Canceled) {
			t.Errorf("%+v", a)
		}
		if n := len(s.made()); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestCheckOnlySendsNothing: soundness is judged without a request.
func TestCheckOnlySendsNothing(t *testing.T) {
	p, s := cloud(t, nil)
	a := p.Start(t.Context(), provider.StartRequest{Request: growCore, CheckOnly: true})
	if diff := cmp.Diff(provider.Answer{Outcome: provider.OutcomeUnsent}, a); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n := len(s.made()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestNoCredentialInErrors: a cloud that repeats what it was sent must not make
// us print it.
func TestNoCredentialInErrors(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error_code":"APIGW.0301","error_msg":"%s and %s and %s"}`,
			r.Header.Get("Authorization"), r.Header.Get("X-Security-Token"), testSK)
	}
	p, _ := cloud(t, echo)
	texts := []string{p.Start(t.Context(), provider.StartRequest{Request: growCore}).Error.Error()}
	for _, o := range observe(t, p, provider.LevelSummary, provider.Key{ID: clusterA}) {
		texts = append(texts, o.Error.Error())
	}
	err := p.Observe(t.Context(), provider.ObserveRequest{}, func(provider.Observation) error { return nil })
	texts = append(texts, err.Error())
	req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	p.client.Load().signer.sign(req, nil, signedAt)
	for _, text := range texts {
		if !strings.Contains(text, "APIGW.0301") || !strings.Contains(text, "SDK-HMAC-SHA256") {
			t.Errorf("the cloud's words are missing: %s", text)
		}
		_, signature, _ := strings.Cut(text, "Signature=")
		if !strings.HasPrefix(signature, "***") {
			t.Errorf("the signature is shown: %s", text)
		}
		for _, secret := range []string{testAK, testSK, testToken} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is shown: %s", secret, text)
			}
		}
	}
}

// TestNoAnswer: the host and the cause are told, the rest of the address is not.
func TestNoAnswer(t *testing.T) {
	get := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://mrs.example/v1.1/p?signature=canary", Err: err}
	}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		reply provider.Reply
		want  string
	}{
		{provider.Reply{Err: get(refused)}, "no connection to mrs.example: connection refused"},
		{provider.Reply{Err: get(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "mrs.example"}})},
			"no connection to mrs.example: lookup mrs.example: no such host"},
		{provider.Reply{Err: get(&net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused})},
			"no connection to mrs.example: proxyconnect tcp: dial tcp: connect: connection refused"},
		{provider.Reply{Sent: true, Err: get(io.EOF)}, "no whole answer from mrs.example: EOF"},
		{provider.Reply{Sent: true, Err: io.ErrUnexpectedEOF}, "no whole answer from the cloud: unexpected EOF"},
		{provider.Reply{Err: get(context.Canceled)}, "no connection to mrs.example: context canceled"},
	} {
		got := noAnswer(c.reply)
		if got.Error() != c.want || got.Kind != provider.KindUnavailable {
			t.Errorf("%v: %+v, want %s", c.reply.Err, got, c.want)
		}
		if _, cause := unwrap(c.reply.Err); !errors.Is(got, cause) {
			t.Errorf("%v lost its cause", got)
		}
	}
}

// TestPollForeign: no handle is ours, and that is an answer and no failure.
func TestPollForeign(t *testing.T) {
	p := configure(t, "http://127.0.0.1:1")
	got, err := p.Poll(t.Context(), []provider.Operation{{}, {Handle: []byte("foreign")}})
	if err != nil {
		t.Fatal(err)
	}
	kinds := []provider.ErrorKind{provider.KindUnsupported, provider.KindInvalid}
	if len(got) != 2 {
		t.Fatalf("%d answers", len(got))
	}
	for i, status := range got {
		if status.State != provider.OperationUnknown || status.Error == nil || status.Error.Kind != kinds[i] {
			t.Errorf("%d: %+v", i, status)
		}
	}
}
