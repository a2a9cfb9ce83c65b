package providertest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// The suite's own endpoints do to HTTP what Options says of them.
func TestEndpoints(t *testing.T) {
	b := &bench{opts: Options{}.withDefaults()}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	send := func(ctx context.Context, e *Endpoint) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Config.Endpoint+"/x", strings.NewReader(strings.Repeat("x", 1<<16)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s answers", e.Config.Endpoint)
		}
		return err
	}
	var ends [3]*Endpoint
	for sort := range ends {
		e, err := b.endpoint(sort)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := b.endpoint(sort); again != e {
			t.Error("an endpoint is made twice")
		}
		ends[sort] = e
	}
	_ = send(t.Context(), ends[down])
	_ = send(t.Context(), ends[cut])
	_ = send(t.Context(), ends[cut])
	ctx, cancel := context.WithCancel(t.Context())
	err := together(
		func() error { return send(ctx, ends[stalled]) },
		func() error { defer cancel(); return ends[stalled].arrives(t.Context(), 0) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the stalled endpoint: %v", err)
	}
	for sort, want := range [...]int{down: 0, cut: 2, stalled: 1} {
		if got := ends[sort].Requests(); got != want {
			t.Errorf("endpoint %d has had %d requests, want %d", sort, got, want)
		}
	}
	b.close()
	if err := send(t.Context(), ends[stalled]); err == nil {
		t.Error("an endpoint outlives the bench")
	}
}
