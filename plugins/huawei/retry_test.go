package huawei

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestReadsAreTriedAgain: throttling, server errors, cut connections and
// unreadable bodies, with waits that grow; others are final.
func TestReadsAreTriedAgain(t *testing.T) {
	good := func() (*http.Response, error) {
		return answer(200, `{"cluster":`+detailJSON(clusterA, "a", "running", 3, 0)+`}`), nil
	}
	always := func(status int, body string, header ...string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return answer(status, body, header...), nil }
	}
	cut := func() (*http.Response, error) { return nil, errors.New("connection reset by peer") }
	for _, c := range []struct {
		name    string
		replies []func() (*http.Response, error) // the last is repeated
		calls   int
		waits   time.Duration
		kind    provider.ErrorKind // of the error, when it fails
		fails   bool
	}{
		{name: "throttled", replies: []func() (*http.Response, error){always(429, `{"error_code":"APIG.0308"}`), good}, calls: 2, waits: time.Second},
		{name: "told when", replies: []func() (*http.Response, error){always(429, ``, "Retry-After", "7"), good}, calls: 2, waits: 7 * time.Second},
		{name: "the host list's hiccup", replies: []func() (*http.Response, error){always(400, `{"error_code":"12000019"}`), good}, calls: 2, waits: time.Second},
		{name: "one of each", replies: []func() (*http.Response, error){always(500, ``), cut, always(200, `<html>`), good}, calls: 4, waits: 7 * time.Second},
		{name: "null", replies: []func() (*http.Response, error){always(200, `{"cluster":null}`), good}, calls: 2, waits: time.Second},
		{name: "another cluster", replies: []func() (*http.Response, error){always(200, `{"cluster":{"clusterId":"other"}}`), good}, calls: 2, waits: time.Second},
		{name: "never", replies: []func() (*http.Response, error){always(503, ``)}, calls: 5, waits: 15 * time.Second, fails: true, kind: provider.KindUnavailable},
		{name: "denied", replies: []func() (*http.Response, error){always(403, ``)}, calls: 1, fails: true, kind: provider.KindDenied},
		{name: "unauthenticated", replies: []func() (*http.Response, error){always(401, `{"error_code":"APIG.0301"}`)}, calls: 1, fails: true, kind: provider.KindUnauthenticated},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := configure(t, "http://127.0.0.1:1")
				calls := 0
				p.client.Load().reads.Transport = tripper(func(*http.Request) (*http.Response, error) {
					reply := c.replies[min(calls, len(c.replies)-1)]
					calls++
					return reply()
				})
				start := time.Now()
				got := observe(t, p, provider.LevelSummary, provider.Key{ID: clusterA})
				if calls != c.calls || time.Since(start) != c.waits {
					t.Errorf("%d calls in %v, want %d in %v", calls, time.Since(start), c.calls, c.waits)
				}
				if failed := got[0].Error != nil; failed != c.fails || failed && got[0].Error.Kind != c.kind {
					t.Errorf("%+v", got[0])
				}
			})
		})
	}
}

// TestRateAndConcurrency: calls stay within what Describe tells.
func TestRateAndConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := configure(t, "http://127.0.0.1:1")
		c := p.client.Load()
		var flying, most atomic.Int32
		c.reads.Transport = tripper(func(r *http.Request) (*http.Response, error) {
			if n := flying.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(10 * time.Millisecond)
			flying.Add(-1)
			id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
			if id == "hosts" {
				return answer(200, `{"total":0,"hosts":[]}`), nil
			}
			var items []string
			for i := range 100 {
				items = append(items, detailJSON(account{}.id(i), "c", "running", 3, 0))
			}
			return answer(200, `{"clusterTotal":100,"clusters":[`+strings.Join(items, ",")+`]}`), nil
		})
		start := time.Now()
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				told := 0
				err := p.Observe(t.Context(), provider.ObserveRequest{Level: provider.LevelNodes}, func(provider.Observation) error {
					told++
					return nil
				})
				if err != nil || told != 100 {
					t.Errorf("%d observations, %v", told, err)
				}
			})
		}
		both.Wait()
		// 202 calls, of which the first 20 need not wait.
		if took := time.Since(start); took < 9*time.Second || took > 10*time.Second {
			t.Errorf("202 calls took %v", took)
		}
		if n := most.Load(); n > concurrency {
			t.Errorf("%d calls at once", n)
		}
	})
}
