package provider_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// The contract is compiled by every author: it must bring nothing along.
func TestContractImportsTheStandardLibraryOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(out)); len(got) != 1 {
		t.Errorf("the contract brings along %v", got)
	}
}

func TestMeanings(t *testing.T) {
	m := provider.Meanings{"a": provider.Immutable, "a.b": provider.Set, "groups.x.secret": provider.Secret}
	for path, want := range map[string]provider.Meaning{
		"a": provider.Immutable, "a.b": provider.Immutable | provider.Set, "a.b.c": provider.Immutable | provider.Set,
		"ab": 0, "b": 0, "groups.x.secret.env": provider.Secret, "groups.x": 0, "": 0,
	} {
		if got := m.Of(path); got != want {
			t.Errorf("Of(%q) = %b, want %b", path, got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	for want, err := range map[string]*provider.Error{
		"no such cluster (code 12000003, request r1)": {Kind: provider.KindNotFound, Code: "12000003", RequestID: "r1", Message: "no such cluster"},
		"busy (request r2)":                           {Kind: provider.KindConflict, RequestID: "r2", Message: "busy"},
		"not found error":                             {Kind: provider.KindNotFound},
		"quota (code X)":                              {Kind: provider.KindQuota, Code: "X", Message: "quota"},
		"list clusters: EOF":                          provider.Errorf(provider.KindUnavailable, "list clusters: %w", io.EOF),
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := provider.Errorf(provider.KindUnavailable, "x: %w", io.EOF); !errors.Is(err, io.EOF) {
		t.Error("the cause is lost")
	}
}

func TestAsError(t *testing.T) {
	if provider.AsError(nil) != nil {
		t.Error("nil is an error")
	}
	inner := &provider.Error{Kind: provider.KindDenied, Code: "403", Message: "no"}
	got := provider.AsError(fmt.Errorf("read a: %w", inner))
	if got.Kind != provider.KindDenied || got.Code != "403" || got.Error() != "read a: no (code 403)" {
		t.Errorf("got %+v: %v", got, got)
	}
	if got := provider.AsError(context.DeadlineExceeded); got.Kind != provider.KindUnavailable {
		t.Errorf("a deadline is %v", got.Kind)
	}
	if got := provider.AsError(errors.New("x")); got.Kind != provider.KindInternal || got.Error() != "x" {
		t.Errorf("got %+v", got)
	}
}

func TestSchemaDigest(t *testing.T) {
	files := map[string][]byte{"a.cue": []byte("x"), "b.cue": []byte("y")}
	sum := provider.SchemaDigest(files)
	if sum != provider.SchemaDigest(map[string][]byte{"b.cue": []byte("y"), "a.cue": []byte("x")}) {
		t.Error("the order matters")
	}
	for name, other := range map[string]map[string][]byte{
		"another name":    {"c.cue": []byte("x"), "b.cue": []byte("y")},
		"another content": {"a.cue": []byte("z"), "b.cue": []byte("y")},
		"one less":        {"a.cue": []byte("x")},
		"moved bytes":     {"a.cue": []byte("x5 b.cue"), "b.cue": []byte("y")},
	} {
		if provider.SchemaDigest(other) == sum {
			t.Errorf("%s has the same digest", name)
		}
	}
}

func post(url string) *http.Request {
	req, err := http.NewRequest("POST", url, strings.NewReader("{}"))
	if err != nil {
		panic(err)
	}
	return req
}

// Whether anything was sent decides whether a change may be sent again.
func TestExchangeSaysWhetherItSent(t *testing.T) {
	client := &http.Client{Transport: provider.NewTransport(false)}
	t.Run("answered", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", "Sat, 21 Nov 2026 08:00:00 GMT")
			w.WriteHeader(202)
			fmt.Fprint(w, "ok")
		}))
		defer server.Close()
		r := provider.Exchange(client, post(server.URL))
		if r.Err != nil || !r.Sent || r.Status != 202 || string(r.Body) != "ok" {
			t.Errorf("got %+v", r)
		}
		if at := r.Date(time.Time{}); !at.Equal(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)) {
			t.Errorf("date %v", at)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		r := provider.Exchange(client, post("http://"+l.Addr().String()))
		if r.Err == nil || r.Sent || r.Status != 0 {
			t.Errorf("got %+v", r)
		}
		if at := r.Date(time.Unix(7, 0)); !at.Equal(time.Unix(7, 0)) {
			t.Errorf("fallback date %v", at)
		}
	})
	t.Run("no TLS there", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		defer server.Close()
		r := provider.Exchange(client, post(strings.Replace(server.URL, "http:", "https:", 1)))
		if r.Err == nil || r.Sent {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("cut after the request", func(t *testing.T) {
		var taken atomic.Int32
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					taken.Add(1)
				}
				conn.Close()
			}
		}()
		r := provider.Exchange(client, post("http://"+l.Addr().String()))
		if r.Err == nil || !r.Sent {
			t.Errorf("got %+v", r)
		}
		if n := taken.Load(); n != 1 {
			t.Errorf("the server read %d requests, want 1", n)
		}
	})
	t.Run("redirect is not followed", func(t *testing.T) {
		var second atomic.Bool
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/other" {
				second.Store(true)
			}
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}))
		defer server.Close()
		r := provider.Exchange(client, post(server.URL))
		if r.Status != http.StatusTemporaryRedirect || second.Load() {
			t.Errorf("got %d, followed %v", r.Status, second.Load())
		}
	})
}

func TestRetry(t *testing.T) {
	half := func() float64 { return 0.5 }
	for _, test := range []struct {
		name  string
		errs  []error
		calls int
		took  time.Duration
		fails bool
	}{
		{"at once", []error{nil}, 1, 0, false},
		{"twice unavailable", []error{unavailable, unavailable, nil}, 3, 750*time.Millisecond + 1500*time.Millisecond, false},
		{"as the cloud says", []error{&provider.Error{Kind: provider.KindThrottled, RetryAfter: 9 * time.Second}, nil}, 2, 9 * time.Second, false},
		{"never for a refusal", []error{&provider.Error{Kind: provider.KindDenied}, nil}, 1, 0, true},
		{"never for what is no Error", []error{io.EOF, nil}, 1, 0, true},
		{"until the attempts end", []error{unavailable, unavailable, unavailable, unavailable, nil}, 4, (750 + 1500 + 3000) * time.Millisecond, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls, begun := 0, time.Now()
				err := provider.Retry(t.Context(), 4, time.Second, half, func() error {
					calls++
					return test.errs[calls-1]
				})
				if calls != test.calls || time.Since(begun) != test.took || (err != nil) != test.fails {
					t.Errorf("%d calls in %s, error %v", calls, time.Since(begun), err)
				}
			})
		})
	}
}

var unavailable = &provider.Error{Kind: provider.KindUnavailable, Message: "down"}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := provider.Retry(ctx, 9, time.Hour, func() float64 { return 0 }, func() error { return unavailable })
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, unavailable) {
			t.Errorf("got %v", err)
		}
	})
}
