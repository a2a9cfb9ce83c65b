package rpc

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// DialOptions is what a connection to a plugin needs: the contract's message
// limit, and a watch that lets the client prove that a call never left.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithStatsHandler(sentWatch{}),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(provider.MaxMessage),
			grpc.MaxCallSendMsgSize(provider.MaxMessage),
		),
	}
}

// trace follows one call. Without a watch on the connection nothing is proven
// and the call counts as one that may have left.
type trace struct {
	watched, sent atomic.Bool
}

type traceKey struct{}

func traced(ctx context.Context) (context.Context, *trace) {
	t := &trace{}
	return context.WithValue(ctx, traceKey{}, t), t
}

func (t *trace) reached() bool { return t.sent.Load() || !t.watched.Load() }

// sentWatch is a stats.Handler. gRPC reports a call's header when it hands the
// first frame to a connection; before that, no byte of it can have left.
type sentWatch struct{}

func (sentWatch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if t, ok := ctx.Value(traceKey{}).(*trace); ok {
		t.watched.Store(true)
	}
	return ctx
}

func (sentWatch) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if _, ok := s.(*stats.OutHeader); !ok {
		return
	}
	if t, ok := ctx.Value(traceKey{}).(*trace); ok {
		t.sent.Store(true)
	}
}

func (sentWatch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (sentWatch) HandleConn(context.Context, stats.ConnStats) {}
