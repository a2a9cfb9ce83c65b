package rpc

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// script is a provider made of one optional function per method; a missing one
// answers with zero values.
type script struct {
	describe  func(context.Context) (*provider.Description, error)
	configure func(context.Context, provider.Config) error
	observe   func(context.Context, provider.ObserveRequest, func(provider.Observation) error) error
	plan      func(context.Context, provider.PlanRequest) (provider.PlanResponse, error)
	start     func(context.Context, provider.StartRequest) provider.Answer
	poll      func(context.Context, []provider.Operation) ([]provider.OperationStatus, error)
	quote     func(context.Context, []byte) (provider.Price, error)
}

func (s *script) Describe(ctx context.Context) (*provider.Description, error) {
	if s.describe == nil {
		return &provider.Description{Name: "fake", Capabilities: []string{provider.CapQuote}}, nil
	}
	return s.describe(ctx)
}

func (s *script) Configure(ctx context.Context, c provider.Config) error {
	return s.configure(ctx, c)
}

func (s *script) Observe(ctx context.Context, r provider.ObserveRequest, yield func(provider.Observation) error) error {
	return s.observe(ctx, r, yield)
}

func (s *script) Plan(ctx context.Context, r provider.PlanRequest) (provider.PlanResponse, error) {
	return s.plan(ctx, r)
}

func (s *script) Start(ctx context.Context, r provider.StartRequest) provider.Answer {
	return s.start(ctx, r)
}

func (s *script) Poll(ctx context.Context, o []provider.Operation) ([]provider.OperationStatus, error) {
	return s.poll(ctx, o)
}

func (s *script) Quote(ctx context.Context, r []byte) (provider.Price, error) {
	return s.quote(ctx, r)
}

// dial connects a client to a server of this package, over gRPC in memory.
func dial(t testing.TB, register func(*grpc.Server)) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	s := newServer(nil)([]grpc.ServerOption{grpc.StatsHandler(&used)})
	register(s)
	go s.Serve(listener)
	t.Cleanup(s.Stop)
	conn, err := grpc.NewClient("passthrough:///bufconn", append(DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// connect is the provider that the host sees when a plugin serves p.
func connect(t testing.TB, p provider.Provider) provider.Provider {
	t.Helper()
	conn := dial(t, func(s *grpc.Server) { wire.RegisterProviderServer(s, &server{provider: p}) })
	out, _, err := Connect(context.Background(), "fake", conn)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
