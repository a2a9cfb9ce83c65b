package providertest

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Fake is a provider made of one optional function per method, so that a test
// states only what it is about. A missing function answers as an empty cloud
// that takes no change would: every key is absent, every change is blocked,
// every request that is no mere check is refused. Functions are set before
// first use; then a Fake is safe for concurrent use when they are.
type Fake struct {
	OnDescribe  func(context.Context) (*provider.Description, error)
	OnConfigure func(context.Context, provider.Config) error
	OnObserve   func(context.Context, provider.ObserveRequest, func(provider.Observation) error) error
	OnPlan      func(context.Context, provider.PlanRequest) (provider.PlanResponse, error)
	OnStart     func(context.Context, provider.StartRequest) provider.Answer
	OnPoll      func(context.Context, []provider.Operation) ([]provider.OperationStatus, error)
	// OnQuote is asked only when a description declares provider.CapQuote.
	OnQuote func(context.Context, []byte) (provider.Price, error)

	mu    sync.Mutex
	calls map[string]int
}

var _ provider.Quoter = (*Fake)(nil)

// Wrap is a Fake that passes every call on to p. A test replaces the functions
// it is about.
func Wrap(p provider.Provider) *Fake {
	f := &Fake{
		OnDescribe: p.Describe, OnConfigure: p.Configure, OnObserve: p.Observe,
		OnPlan: p.Plan, OnStart: p.Start, OnPoll: p.Poll,
	}
	if q, ok := p.(provider.Quoter); ok {
		f.OnQuote = q.Quote
	}
	return f
}

// Calls is how often each method was called, by its name.
func (f *Fake) Calls() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.calls)
}

func (f *Fake) called(method string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[method]++
}

// Describe tells of a plugin "fake" with one kind, "fake", that can be created.
func (f *Fake) Describe(ctx context.Context) (*provider.Description, error) {
	f.called("Describe")
	if f.OnDescribe != nil {
		return f.OnDescribe(ctx)
	}
	files := map[string][]byte{"fake.cue": []byte("package fake\n\n#Provider: {plugin!: \"fake\", ...}\n#Fake: {provider!: string, kind!: \"fake\", ...}\n")}
	d := &provider.Description{
		Name: "fake", Version: "0.0.1",
		Schema:   provider.Schema{Files: files, Digest: provider.SchemaDigest(files)},
		Kinds:    []provider.Kind{{Name: "fake", Definition: "#Fake", Creates: true, AcceptWindow: time.Minute, ReadLag: time.Second}},
		Identity: []string{"plugin"},
	}
	if f.OnQuote != nil {
		d.Capabilities = []string{provider.CapQuote}
	}
	return d, nil
}

// Configure takes everything.
func (f *Fake) Configure(ctx context.Context, cfg provider.Config) error {
	f.called("Configure")
	if f.OnConfigure != nil {
		return f.OnConfigure(ctx, cfg)
	}
	return ctx.Err()
}

// Observe finds every key absent and the account empty.
func (f *Fake) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	f.called("Observe")
	if f.OnObserve != nil {
		return f.OnObserve(ctx, req, yield)
	}
	for _, key := range req.Keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(provider.Observation{Address: key.Address, Presence: provider.Absent, At: time.Unix(0, 0).UTC()}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Plan blocks every change.
func (f *Fake) Plan(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	f.called("Plan")
	if f.OnPlan != nil {
		return f.OnPlan(ctx, req)
	}
	resp := provider.PlanResponse{Clusters: make([]provider.ClusterPlan, len(req.Clusters))}
	for i, c := range req.Clusters {
		for _, change := range c.Changes {
			resp.Clusters[i].Blocked = append(resp.Clusters[i].Blocked, provider.Blocked{
				Group: change.Group, Fields: change.Fields, Reason: "the fake provider changes nothing",
			})
		}
	}
	return resp, ctx.Err()
}

// Start finds every check sound and refuses everything else.
func (f *Fake) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	f.called("Start")
	if f.OnStart != nil {
		return f.OnStart(ctx, req)
	}
	if req.CheckOnly {
		return provider.Answer{Outcome: provider.OutcomeUnsent}
	}
	return provider.Answer{
		Outcome: provider.OutcomeRefused,
		Error:   provider.Errorf(provider.KindUnsupported, "the fake provider changes nothing"),
	}
}

// Poll knows no operation.
func (f *Fake) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	f.called("Poll")
	if f.OnPoll != nil {
		return f.OnPoll(ctx, ops)
	}
	statuses := make([]provider.OperationStatus, len(ops))
	for i := range statuses {
		statuses[i].Error = provider.Errorf(provider.KindNotFound, "the fake provider has no operations")
	}
	return statuses, ctx.Err()
}

// Quote knows no price.
func (f *Fake) Quote(ctx context.Context, request []byte) (provider.Price, error) {
	f.called("Quote")
	if f.OnQuote != nil {
		return f.OnQuote(ctx, request)
	}
	return provider.Price{}, provider.Errorf(provider.KindUnsupported, "the fake provider has no prices")
}
