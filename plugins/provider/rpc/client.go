package rpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// Connect is the host's end: a provider that speaks to the plugin of that name
// over conn, and the plugin's description. The provider implements
// provider.Quoter exactly when the plugin declares CapQuote. Make conn with
// DialOptions; without them a failed Start can never be proven unsent.
func Connect(ctx context.Context, plugin string, conn grpc.ClientConnInterface) (provider.Provider, *provider.Description, error) {
	c := &client{plugin: plugin, rpc: wire.NewProviderClient(conn)}
	d, err := c.Describe(ctx)
	if err != nil {
		return nil, nil, err
	}
	if slices.Contains(d.Capabilities, provider.CapQuote) {
		return &quotingClient{c}, d, nil
	}
	return c, d, nil
}

type client struct {
	plugin string
	rpc    wire.ProviderClient
}

type quotingClient struct{ *client }

// call is one call under way.
type call struct {
	plugin string
	name   string
	ctx    context.Context
	trace  *trace
	left   func() []string // addresses that have no answer yet; may be nil
}

func (c *client) begin(ctx context.Context, name string) *call {
	ctx, trace := traced(ctx)
	return &call{plugin: c.plugin, name: name, ctx: ctx, trace: trace}
}

func (c *call) fail(e CallError) *provider.Error {
	e.Plugin, e.Call = c.plugin, c.name
	if c.left != nil {
		e.Addresses = c.left()
	}
	return e.AsError()
}

// failed reports what gRPC returned.
func (c *call) failed(err error) *provider.Error {
	cause, lost := explain(c.ctx, err)
	return c.fail(CallError{Reached: c.trace.reached(), Lost: lost, Err: cause})
}

// unsent reports that the call was not even tried.
func (c *call) unsent(cause error) *provider.Error { return c.fail(CallError{Err: cause}) }

// violated reports an answer that breaks the contract.
func (c *call) violated(format string, args ...any) *provider.Error {
	return c.fail(CallError{Reached: true, Err: fmt.Errorf("the plugin broke the contract: "+format, args...)})
}

// ready says why a call cannot even be tried: nil when it can.
func (c *call) ready(message proto.Message) error {
	if err := c.ctx.Err(); err != nil {
		return c.unsent(err)
	}
	if err := checkSize("the request", message); err != nil {
		return c.unsent(err)
	}
	return nil
}

// told is an error from a response. A caller that gave up finds its own
// context's error in the chain, wherever the call was when it ended.
func (c *call) told(e *wire.Error) error {
	err := fromError(e)
	if err == nil {
		return nil
	}
	err.Err = c.ctx.Err()
	if at, ok := c.ctx.Deadline(); err.Err == nil && ok && time.Until(at) < deadlineSlack && err.Kind == provider.KindUnavailable {
		// The plugin's clock can run a moment ahead of ours.
		err.Err = context.DeadlineExceeded
	}
	return err
}

// deadlineSlack is by how much two processes' timers for one deadline differ.
const deadlineSlack = 20 * time.Millisecond

// unary makes one call with one message each way.
func unary[Q, A proto.Message](c *call, send func(context.Context, Q, ...grpc.CallOption) (A, error), req Q) (A, error) {
	var none A
	if err := c.ready(req); err != nil {
		return none, err
	}
	answer, err := send(c.ctx, req)
	if err != nil {
		return none, c.failed(err)
	}
	return answer, nil
}

func (c *client) Describe(ctx context.Context) (*provider.Description, error) {
	call := c.begin(ctx, callDescribe)
	answer, err := unary(call, c.rpc.Describe, &wire.DescribeRequest{})
	if err != nil {
		return nil, err
	}
	if err := call.told(answer.GetError()); err != nil {
		return nil, err
	}
	if answer.GetDescription() == nil {
		return nil, call.violated("neither a description nor an error")
	}
	return fromDescription(answer.GetDescription()), nil
}

func (c *client) Configure(ctx context.Context, cfg provider.Config) error {
	call := c.begin(ctx, callConfigure)
	answer, err := unary(call, c.rpc.Configure, toConfig(cfg))
	if err != nil {
		return err
	}
	return call.told(answer.GetError())
}

// Start never turns a failure of the wire into a refusal: unless the call
// provably did not leave this process, the outcome is unknown.
func (c *client) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	call := c.begin(ctx, callStart)
	answer, err := unary(call, c.rpc.Start, toStart(req))
	if err != nil {
		outcome := provider.OutcomeUnknown
		var e *CallError
		if errors.As(err, &e) && !e.Reached {
			outcome = provider.OutcomeUnsent
		}
		return provider.Answer{Outcome: outcome, Error: provider.AsError(err)}
	}
	out := fromAnswer(answer)
	if req.CheckOnly && out.Outcome == provider.OutcomeAccepted {
		// The plugin says that it sent what it was told only to check.
		out.Outcome = provider.OutcomeUnknown
		out.Error = call.violated("a check was answered with %q", provider.OutcomeAccepted)
	}
	return out
}

func (c *client) Poll(ctx context.Context, operations []provider.Operation) ([]provider.OperationStatus, error) {
	call := c.begin(ctx, callPoll)
	handles, err := listErr(operations, toOperation)
	if err != nil {
		return nil, call.unsent(err)
	}
	answer, err := unary(call, c.rpc.Poll, &wire.PollRequest{Operations: handles})
	if err != nil {
		return nil, err
	}
	if err := call.told(answer.GetError()); err != nil {
		return nil, err
	}
	if got, want := len(answer.GetStatuses()), len(operations); got != want {
		return nil, call.violated("%d answers for %d operations", got, want)
	}
	return list(answer.GetStatuses(), fromOperationStatus), nil
}

// Quote implements provider.Quoter.
func (c *quotingClient) Quote(ctx context.Context, request []byte) (provider.Price, error) {
	call := c.begin(ctx, callQuote)
	answer, err := unary(call, c.rpc.Quote, &wire.QuoteRequest{Request: opaque(request)})
	if err != nil {
		return provider.Price{}, err
	}
	if err := call.told(answer.GetError()); err != nil {
		return provider.Price{}, err
	}
	if answer.GetPrice() == nil {
		return provider.Price{}, call.violated("neither a price nor an error")
	}
	return fromPrice(answer.GetPrice()), nil
}
