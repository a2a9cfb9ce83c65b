package providertest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest/rpctest"
)

// options are what the author of the box provider would state.
func options(c *boxes) providertest.Options {
	endpoint := func(name string) *providertest.Endpoint {
		return &providertest.Endpoint{Name: name, Config: config(name, goodKey), Requests: func() int {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.requests[name]
		}}
	}
	unauthorized := config("up", wrongKey)
	counts := func(n int64) map[string]int64 { return map[string]int64{"count": n} }
	change := func(path string, before, after any) provider.FieldChange {
		return provider.FieldChange{Path: path, Before: before, After: after}
	}
	return providertest.Options{
		Config: config("up", goodKey), Unauthorized: &unauthorized,
		Present:    []provider.Key{{Kind: "box", ID: "box-1"}, {Kind: "box", Name: "two"}},
		Absent:     []provider.Key{{Kind: "box", ID: "box-99"}, {Kind: "box", Name: "nobody"}},
		Unreadable: []provider.Key{{Kind: "box", ID: "box-3"}},
		Scenarios: []providertest.Scenario{
			{
				Name: "grow and resize", Desired: provider.Desired{Address: "one", Kind: "box", ID: "box-1", Name: "one"},
				Changes: []provider.Change{{Group: workerGroup, Fields: []provider.FieldChange{
					change("count", int64(2), int64(5)), change("cpu", int64(4), int64(8)), change("zone", "a", "b"),
				}}},
				Actions: []providertest.Expected{
					{Group: workerGroup, Op: provider.OpScaleOut, From: counts(2), To: counts(5)},
					{Group: workerGroup, Op: provider.OpResize, From: map[string]int64{"cpu": 4}, To: map[string]int64{"cpu": 8}},
				},
			},
			{
				Name: "shrink", Desired: provider.Desired{Address: "two", Kind: "box", Name: "two"},
				Changes: []provider.Change{{Group: workerGroup, Op: provider.OpScaleIn, Fields: []provider.FieldChange{change("count", int64(3), int64(1))}}},
				Actions: []providertest.Expected{{Group: workerGroup, Op: provider.OpScaleIn, From: counts(3), To: counts(1), Removes: 2}},
			},
			{
				Name: "create", Desired: provider.Desired{Address: "new", Kind: "box", Name: "new"},
				Changes: []provider.Change{{Op: provider.OpCreate, Fields: []provider.FieldChange{change("node_groups.worker.count", nil, int64(1))}}},
				Actions: []providertest.Expected{{Op: provider.OpCreate}},
				Secrets: map[string]string{secretPath: goodSecret}, BadSecrets: []map[string]string{{secretPath: badSecret}},
			},
		},
		Wait: c.wait, Down: endpoint("down"), Cut: endpoint("cut"), Stalled: endpoint("stalled"),
		Garbled: []*providertest.Endpoint{endpoint("garbled")},
		Output:  func() string { return "" },
		Skips:   []string{},
	}
}

// A sound provider keeps every rule, and no rule is skipped, in process and
// over RPC.
func TestSound(t *testing.T) {
	t.Run("in process", func(t *testing.T) {
		c := newBoxes()
		providertest.Run(t, func() provider.Provider { return &memory{cloud: c} }, options(c))
	})
	t.Run("over RPC", func(t *testing.T) {
		c := newBoxes()
		providertest.Run(t, func() provider.Provider { return rpctest.Connect(t, &memory{cloud: c}) }, options(c))
	})
}

// With nothing but a configuration the suite still has rules to test, and says
// why it skips the others.
func TestLittleIsKnown(t *testing.T) {
	c := newBoxes()
	tested := 0
	for _, r := range providertest.Check(t.Context(), func() provider.Provider { return &memory{cloud: c} },
		providertest.Options{Config: config("up", goodKey)}) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.ID, r.Err)
		}
		if r.Skipped == "" {
			tested++
		}
	}
	if tested < 10 {
		t.Errorf("%d rules were tested", tested)
	}
}

// A provider that declares nothing is not held to the capabilities' rules.
func TestCapabilitiesAreOptional(t *testing.T) {
	c := newBoxes()
	results := providertest.Check(t.Context(), func() provider.Provider {
		f := providertest.Wrap(&memory{cloud: c})
		f.OnDescribe = func(ctx context.Context) (*provider.Description, error) {
			d, err := (&memory{}).Describe(ctx)
			d.Capabilities = nil
			return d, err
		}
		return f
	}, options(c))
	for _, r := range results {
		if want := r.Needs != ""; r.Err != nil || (r.Skipped != "") != want {
			t.Errorf("%s (needs %q): skipped %q, error %v", r.ID, r.Needs, r.Skipped, r.Err)
		}
	}
}

func TestRulesAreTold(t *testing.T) {
	var ids []string
	for _, r := range providertest.Rules() {
		if r.ID == "" || slices.Contains(ids, r.ID) || len(r.Text) < 20 || r.Text[len(r.Text)-1] != '.' {
			t.Errorf("rule %q: %q", r.ID, r.Text)
		}
		ids = append(ids, r.ID)
	}
}

func TestNoDescription(t *testing.T) {
	results := providertest.Check(t.Context(), func() provider.Provider {
		return &providertest.Fake{OnDescribe: func(context.Context) (*provider.Description, error) { return nil, errors.New("ill") }}
	}, providertest.Options{})
	if results[0].Err == nil || len(results) != len(providertest.Rules()) {
		t.Errorf("%+v", results)
	}
	for _, r := range results[1:] {
		if r.Skipped == "" {
			t.Errorf("%s was tested", r.ID)
		}
	}
}

func TestCancelledCheck(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range providertest.Check(ctx, func() provider.Provider { return &providertest.Fake{} }, providertest.Options{}) {
		if r.Skipped == "" {
			t.Errorf("%s: %v", r.ID, r.Err)
		}
	}
}

// What a Fake answers by default stands in its documentation.
func TestFakeDefaults(t *testing.T) {
	ctx := t.Context()
	f := &providertest.Fake{}
	d, err := f.Describe(ctx)
	if err != nil || d.Schema.Digest != provider.SchemaDigest(d.Schema.Files) || len(d.Kinds) != 1 {
		t.Errorf("describe: %+v, %v", d, err)
	}
	var seen []provider.Observation
	keep := func(o provider.Observation) error { seen = append(seen, o); return nil }
	if err := f.Observe(ctx, provider.ObserveRequest{Keys: []provider.Key{{Address: "a"}}}, keep); err != nil {
		t.Error(err)
	}
	want := []provider.Observation{{Address: "a", Presence: provider.Absent, At: time.Unix(0, 0).UTC()}}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("observe (-want +got):\n%s", diff)
	}
	plan, err := f.Plan(ctx, provider.PlanRequest{Clusters: []provider.ClusterChange{{Changes: []provider.Change{{Group: "g", Fields: []provider.FieldChange{{Path: "count"}}}}}}})
	if err != nil || len(plan.Clusters[0].Blocked) != 1 || plan.Clusters[0].Blocked[0].Reason == "" {
		t.Errorf("plan: %+v, %v", plan, err)
	}
	if a := f.Start(ctx, provider.StartRequest{CheckOnly: true}); a.Outcome != provider.OutcomeUnsent || a.Error != nil {
		t.Errorf("check: %+v", a)
	}
	if a := f.Start(ctx, provider.StartRequest{}); a.Outcome != provider.OutcomeRefused || a.Error == nil {
		t.Errorf("start: %+v", a)
	}
	if s, err := f.Poll(ctx, make([]provider.Operation, 2)); err != nil || len(s) != 2 || s[1].Error == nil {
		t.Errorf("poll: %+v, %v", s, err)
	}
	if _, err := f.Quote(ctx, nil); provider.AsError(err).Kind != provider.KindUnsupported {
		t.Errorf("quote: %v", err)
	}
	calls := map[string]int{"Describe": 1, "Observe": 1, "Plan": 1, "Start": 2, "Poll": 1, "Quote": 1}
	if diff := cmp.Diff(calls, f.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestFakeIsScripted(t *testing.T) {
	f := &providertest.Fake{OnStart: func(context.Context, provider.StartRequest) provider.Answer {
		return provider.Answer{Outcome: provider.OutcomeAccepted}
	}}
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			if a := f.Start(t.Context(), provider.StartRequest{}); a.Outcome != provider.OutcomeAccepted {
				t.Errorf("start: %+v", a)
			}
		})
	}
	running.Wait()
	if n := f.Calls()["Start"]; n != 8 {
		t.Errorf("%d calls", n)
	}
}
