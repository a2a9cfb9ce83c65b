package rpc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// rogue is a plugin that answers with whatever a test gives it, also what this
// package's server would never send.
type rogue struct {
	wire.UnimplementedProviderServer
	observe func(*wire.ObserveRequest, wire.Provider_ObserveServer) error
	plan    *wire.PlanResponse
	start   func(context.Context) (*wire.StartResponse, error)
	poll    *wire.PollResponse
}

func (r *rogue) Describe(context.Context, *wire.DescribeRequest) (*wire.DescribeResponse, error) {
	return &wire.DescribeResponse{Description: &wire.Description{Capabilities: []string{provider.CapQuote}}}, nil
}

func (r *rogue) Observe(req *wire.ObserveRequest, s wire.Provider_ObserveServer) error {
	return r.observe(req, s)
}

func (r *rogue) Plan(s wire.Provider_PlanServer) error { return s.Send(r.plan) }

func (r *rogue) Start(ctx context.Context, _ *wire.StartRequest) (*wire.StartResponse, error) {
	return r.start(ctx)
}

func (r *rogue) Poll(context.Context, *wire.PollRequest) (*wire.PollResponse, error) {
	return r.poll, nil
}

func (r *rogue) Quote(context.Context, *wire.QuoteRequest) (*wire.QuoteResponse, error) {
	return &wire.QuoteResponse{}, nil
}

func connectRogue(t *testing.T, r *rogue) (provider.Provider, *grpc.ClientConn) {
	t.Helper()
	conn := dial(t, func(s *grpc.Server) { wire.RegisterProviderServer(s, r) })
	p, _, err := Connect(context.Background(), "rogue", conn)
	noError(t, err)
	return p, conn
}

func sendAll(answers ...*wire.Observation) func(*wire.ObserveRequest, wire.Provider_ObserveServer) error {
	return func(_ *wire.ObserveRequest, s wire.Provider_ObserveServer) error {
		return s.Send(&wire.ObserveResponse{Observations: answers})
	}
}

func TestContractViolations(t *testing.T) {
	observe := func(p provider.Provider, addresses ...string) error {
		var keys []provider.Key
		for _, a := range addresses {
			keys = append(keys, provider.Key{Address: a})
		}
		return p.Observe(context.Background(), provider.ObserveRequest{Keys: keys}, func(provider.Observation) error { return nil })
	}
	a, b := &wire.Observation{Address: "a"}, &wire.Observation{Address: "b"}
	tests := []struct {
		name  string
		rogue rogue
		call  func(provider.Provider) error
		want  string
	}{
		{
			"answer twice", rogue{observe: sendAll(a, a)},
			func(p provider.Provider) error { return observe(p, "a", "b") },
			`plugin rogue: observe of b: the plugin broke the contract: it answered for "a", which was not asked or already answered`,
		},
		{
			"unknown address", rogue{observe: sendAll(b)},
			func(p provider.Provider) error { return observe(p, "a") },
			`plugin rogue: observe of a: the plugin broke the contract: it answered for "b", which was not asked or already answered`,
		},
		{
			"address in a whole account", rogue{observe: sendAll(a)},
			func(p provider.Provider) error { return observe(p) },
			`plugin rogue: observe: the plugin broke the contract: it answered for "a", but nothing was asked by address`,
		},
		{
			"keys left out", rogue{observe: sendAll(b)},
			func(p provider.Provider) error { return observe(p, "a", "b", "c", "d", "e") },
			`plugin rogue: observe of a, c, d and 1 more: the plugin broke the contract: it left out 4 of 5 keys`,
		},
		{
			"present without a cluster", rogue{observe: sendAll(&wire.Observation{Address: "a", Presence: wire.Presence_PRESENCE_PRESENT})},
			func(p provider.Provider) error { return observe(p, "a") },
			`plugin rogue: observe of a: the plugin broke the contract: its answer for "a" says "present" but has cluster: false`,
		},
		{
			"absent with a cluster", rogue{observe: sendAll(&wire.Observation{Address: "a", Presence: wire.Presence_PRESENCE_ABSENT, Cluster: &wire.State{}})},
			func(p provider.Provider) error { return observe(p, "a") },
			`plugin rogue: observe of a: the plugin broke the contract: its answer for "a" says "absent" but has cluster: true`,
		},
		{
			"too few plans", rogue{plan: &wire.PlanResponse{Clusters: make([]*wire.ClusterPlan, 1)}},
			func(p provider.Provider) error {
				_, err := p.Plan(context.Background(), provider.PlanRequest{Clusters: []provider.ClusterChange{
					{Desired: provider.Desired{Address: "a"}}, {Desired: provider.Desired{Address: "b"}},
				}})
				return err
			},
			`plugin rogue: plan of a, b: the plugin broke the contract: 1 plans for 2 clusters`,
		},
		{
			"a value that is no JSON", rogue{plan: &wire.PlanResponse{Clusters: []*wire.ClusterPlan{
				{Blocked: []*wire.Blocked{{Fields: []*wire.FieldChange{{Path: "count", Before: []byte("{")}}}}},
			}}},
			func(p provider.Provider) error {
				_, err := p.Plan(context.Background(), provider.PlanRequest{Clusters: make([]provider.ClusterChange, 1)})
				return err
			},
			`plugin rogue: plan of : the plugin broke the contract: field count: before: unexpected EOF`,
		},
		{
			"too many statuses", rogue{poll: &wire.PollResponse{Statuses: make([]*wire.OperationStatus, 2)}},
			func(p provider.Provider) error {
				_, err := p.Poll(context.Background(), make([]provider.Operation, 1))
				return err
			},
			`plugin rogue: poll: the plugin broke the contract: 2 answers for 1 operations`,
		},
		{
			"no price", rogue{},
			func(p provider.Provider) error {
				_, err := p.(provider.Quoter).Quote(context.Background(), nil)
				return err
			},
			`plugin rogue: quote: the plugin broke the contract: neither a price nor an error`,
		},
		{
			"a call it does not serve", rogue{},
			func(p provider.Provider) error { return p.Configure(context.Background(), provider.Config{}) },
			`plugin rogue: configure: the plugin does not serve this call: method Configure not implemented`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, _ := connectRogue(t, &test.rogue)
			err := test.call(p)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			var call *CallError
			if !errors.As(err, &call) || call.Plugin != "rogue" {
				t.Errorf("no CallError of the plugin in %#v", err)
			}
		})
	}
}

// A stream that breaks leaves the rest unread: an error that names it, and no
// observation for it.
func TestBrokenStream(t *testing.T) {
	p, _ := connectRogue(t, &rogue{observe: func(_ *wire.ObserveRequest, s wire.Provider_ObserveServer) error {
		if err := s.Send(&wire.ObserveResponse{Observations: []*wire.Observation{{Address: "a"}}}); err != nil {
			return err
		}
		return status.Error(codes.Unavailable, "cut")
	}})
	var got []string
	err := p.Observe(context.Background(), provider.ObserveRequest{Keys: []provider.Key{{Address: "a"}, {Address: "b"}}},
		func(o provider.Observation) error { got = append(got, o.Address); return nil })
	if diff := cmp.Diff([]string{"a"}, got); diff != "" {
		t.Error(diff)
	}
	var call *CallError
	if !errors.As(err, &call) {
		t.Fatalf("got %v", err)
	}
	if !call.Lost || !call.Reached || !cmp.Equal(call.Addresses, []string{"b"}) {
		t.Errorf("got %+v", call)
	}
}

func TestEveryPresenceCrosses(t *testing.T) {
	want := []provider.Observation{
		{Presence: provider.Unread, Error: provider.Errorf(provider.KindDenied, "no")},
		{Presence: provider.Present, Cluster: &provider.State{ID: "1"}},
		{Presence: provider.Absent},
		{Presence: provider.Ambiguous, IDs: []string{"1", "2"}},
	}
	p := connect(t, &script{observe: func(_ context.Context, _ provider.ObserveRequest, yield func(provider.Observation) error) error {
		for _, o := range want {
			if err := yield(o); err != nil {
				return err
			}
		}
		return provider.Errorf(provider.KindThrottled, "enough")
	}})
	var got []provider.Observation
	err := p.Observe(context.Background(), provider.ObserveRequest{}, func(o provider.Observation) error { got = append(got, o); return nil })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if e := provider.AsError(err); e == nil || e.Kind != provider.KindThrottled || e.Message != "enough" {
		t.Errorf("got %v after the observations", err)
	}
}

func TestYieldEndsObserve(t *testing.T) {
	stopped := make(chan error, 1)
	p := connect(t, &script{observe: func(ctx context.Context, _ provider.ObserveRequest, yield func(provider.Observation) error) error {
		for {
			if err := yield(provider.Observation{}); err != nil {
				stopped <- err
				return err
			}
		}
	}})
	enough := errors.New("enough")
	if err := p.Observe(context.Background(), provider.ObserveRequest{}, func(provider.Observation) error { return enough }); err != enough {
		t.Errorf("got %v", err)
	}
	if err := <-stopped; err == nil {
		t.Error("the provider was not stopped")
	}
}

// The plugin's context ends with the caller's, and carries its deadline.
func TestContextTravels(t *testing.T) {
	arrived := make(chan time.Time, 1)
	ended := make(chan error, 1)
	p := connect(t, &script{poll: func(ctx context.Context, _ []provider.Operation) ([]provider.OperationStatus, error) {
		d, _ := ctx.Deadline()
		arrived <- d
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}})
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	failed := make(chan error, 1)
	go func() {
		_, err := p.Poll(ctx, nil)
		failed <- err
	}()
	if d := deadline.Sub(<-arrived); d < -time.Minute || d > time.Minute {
		t.Errorf("the deadline arrived %s off", d)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the plugin saw %v", err)
	}
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller saw %v", err)
	}
}

// A plugin may tell of the end of a context before gRPC does.
func TestToldOfTheCallersEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := (&client{plugin: "fake"}).begin(ctx, callPoll)
	if err := c.told(&wire.Error{Message: "context canceled"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %#v", err)
	}
}

func TestDeadline(t *testing.T) {
	p := connect(t, &script{start: func(ctx context.Context, _ provider.StartRequest) provider.Answer {
		<-ctx.Done()
		return provider.Answer{Outcome: provider.OutcomeRefused} // too late to be believed
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	got := p.Start(ctx, provider.StartRequest{})
	if got.Outcome != provider.OutcomeUnknown || !errors.Is(got.Error, context.DeadlineExceeded) || got.Error.Kind != provider.KindUnavailable {
		t.Errorf("got %+v", got)
	}
	if text := got.Error.Error(); !strings.Contains(text, "no answer in time") {
		t.Error(text)
	}
}

func TestQuoterOnlyWhenDeclared(t *testing.T) {
	quiet := connect(t, &script{describe: func(context.Context) (*provider.Description, error) { return &provider.Description{}, nil }})
	if _, ok := quiet.(provider.Quoter); ok {
		t.Error("a plugin without CapQuote got a Quoter")
	}
	if _, ok := connect(t, &script{}).(provider.Quoter); !ok {
		t.Error("a plugin with CapQuote got no Quoter")
	}
}

func TestNumbersKeepTheirType(t *testing.T) {
	for _, v := range []any{int64(9007199254740993), int64(-1 << 63), 1.0, 1e21, math.Copysign(0, -1), 5e-324, []any{int64(1), 1.0}} {
		b, err := toValue(v)
		noError(t, err)
		got, err := fromValue(b)
		noError(t, err)
		if fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", v, v) {
			t.Errorf("%T %v became %T %v", v, v, got, got)
		}
	}
	for _, bad := range []string{"9223372036854775808", "1 2", "{", "1e999"} {
		if v, err := fromValue([]byte(bad)); err == nil {
			t.Errorf("%s was read as %v", bad, v)
		}
	}
}
