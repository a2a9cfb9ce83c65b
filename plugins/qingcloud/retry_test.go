package qingcloud

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// direct answers requests without a network, so that time can be faked.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// faked returns a provider on the bubble's clock that asks f directly.
func faked(t *testing.T, f *fake) *plugin {
	t.Helper()
	p := configure(t, "")
	a := p.account.Load()
	a.now, a.firstWait = time.Now, time.Second
	a.reads.Transport, a.changes.Transport = direct{f}, direct{f}
	return p
}

func TestReadsRetry(t *testing.T) {
	const empty = `{"ret_code":0,"cluster_set":[],"total_count":0}`
	tests := []struct {
		name  string
		first http.HandlerFunc
		asked int
		took  time.Duration
		fails bool
	}{
		{"internal error", says(200, `{"ret_code":5000}`), 2, time.Second, false},
		{"busy", says(200, `{"ret_code":5100}`), 2, time.Second, false},
		{"throttled", says(200, `{"ret_code":2500}`), 2, time.Second, false},
		{"gateway", says(502, ``), 2, time.Second, false},
		{"told when", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(429)
		}, 2, 7 * time.Second, false},
		{"garbage", says(200, `<html>`), 2, time.Second, false},
		{"signature expired", says(200, `{"ret_code":1300}`), 2, 0, false},
		{"wrong key", says(200, `{"ret_code":1200}`), 1, 0, true},
		{"not permitted", says(200, `{"ret_code":1400}`), 1, 0, true},
		{"no money", says(200, `{"ret_code":2400}`), 1, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{routes: map[string]http.HandlerFunc{pathList: inTurn(tt.first, says(200, empty))}}
				p := faked(t, f)
				begin := time.Now()
				err := p.Observe(t.Context(), provider.ObserveRequest{}, nil)
				if (err != nil) != tt.fails {
					t.Error(err)
				}
				if n := f.count(pathList); n != tt.asked {
					t.Errorf("asked %d times", n)
				}
				if took := time.Since(begin); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

// A clock that is off is tried once more and then told, with both clocks.
func TestClockIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{routes: map[string]http.HandlerFunc{pathList: says(200, `{"ret_code":1300,"message":"expired"}`)}}
		err := faked(t, f).Observe(t.Context(), provider.ObserveRequest{}, nil)
		if f.count(pathList) != 2 || provider.AsError(err).Kind != provider.KindUnauthenticated || !strings.Contains(err.Error(), "the cloud's clock says 2026-01-02T03:04:05Z") {
			t.Errorf("after %d tries: %v", f.count(pathList), err)
		}
	})
}

func TestRetriesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{routes: map[string]http.HandlerFunc{pathList: says(503, ``)}}
		p := faked(t, f)
		if err := p.Observe(t.Context(), provider.ObserveRequest{}, nil); provider.AsError(err).Kind != provider.KindUnavailable {
			t.Error(err)
		}
		if n := f.count(pathList); n != readAttempts {
			t.Errorf("asked %d times", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if err := p.Observe(ctx, provider.ObserveRequest{}, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("deadline: %v", err)
		}
	})
}

// An hour of reading stays below the vendor's limit, and a change is never
// made to wait.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{routes: map[string]http.HandlerFunc{
			pathList:   says(200, `{"ret_code":0,"cluster_set":[],"total_count":0}`),
			pathResize: says(200, `{"ret_code":0,"job_id":"j-1"}`),
		}}
		p := faked(t, f)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begin := time.Now()
		for range readBurst {
			if err := p.Observe(ctx, provider.ObserveRequest{}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("the burst took %v", took)
		}
		if a := p.Start(ctx, provider.StartRequest{Request: resizeRequest()}); a.Outcome != provider.OutcomeAccepted || time.Since(begin) != 0 {
			t.Errorf("the change took %v: %+v", time.Since(begin), a)
		}
		for p.Observe(ctx, provider.ObserveRequest{}, nil) == nil {
		}
		if n := f.count(pathList); n < readBurst+readsPerHour-5 || n > readBurst+readsPerHour {
			t.Errorf("%d reads in an hour", n)
		}
	})
}
