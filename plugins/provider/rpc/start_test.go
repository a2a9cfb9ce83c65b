package rpc

import (
	"context"
	"errors"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// What Start answers when the wire fails. Only a proof that the call never left
// makes it unsent.
func TestStartWhenTheWireFails(t *testing.T) {
	unreachable := func(t *testing.T, options ...grpc.DialOption) provider.Provider {
		conn, err := grpc.NewClient("passthrough:///nowhere", append(options,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return nil, errors.New("nobody there") }))...)
		noError(t, err)
		t.Cleanup(func() { conn.Close() })
		return &client{plugin: "rogue", rpc: wire.NewProviderClient(conn)}
	}
	serving := func(start func(context.Context) (*wire.StartResponse, error)) func(*testing.T) provider.Provider {
		return func(t *testing.T) provider.Provider {
			p, _ := connectRogue(t, &rogue{start: start})
			return p
		}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name string
		with func(*testing.T) provider.Provider
		ctx  context.Context
		req  provider.StartRequest
		want provider.Outcome
		text string
	}{
		{
			name: "a connection that breaks after the call has left",
			with: serving(func(context.Context) (*wire.StartResponse, error) { return nil, status.Error(codes.Unavailable, "EOF") }),
			want: provider.OutcomeUnknown,
			text: "plugin rogue: start: the connection to the plugin broke: EOF; the request may have reached the cloud",
		},
		{
			name: "a panic in the plugin",
			with: func(t *testing.T) provider.Provider {
				conn := dial(t, func(s *grpc.Server) {
					wire.RegisterProviderServer(s, &server{provider: &script{start: func(context.Context, provider.StartRequest) provider.Answer { panic("oops") }}})
				})
				return &client{plugin: "rogue", rpc: wire.NewProviderClient(conn)}
			},
			want: provider.OutcomeUnknown,
			text: "plugin rogue: start: the plugin panicked: oops (Internal); the request may have reached the cloud",
		},
		{
			name: "an answer too long for the host",
			with: serving(func(context.Context) (*wire.StartResponse, error) {
				return nil, status.Error(codes.ResourceExhausted, "received message larger than max")
			}),
			want: provider.OutcomeUnknown,
			text: "plugin rogue: start: a message is over the limit of 16777216 bytes: received message larger than max; the request may have reached the cloud",
		},
		{
			name: "nobody listens",
			with: func(t *testing.T) provider.Provider { return unreachable(t, DialOptions()...) },
			want: provider.OutcomeUnsent,
			text: `plugin rogue: start: the connection to the plugin broke: connection error: desc = "transport: Error while dialing: nobody there"; nothing was sent`,
		},
		{
			name: "nobody listens, but nothing proves it",
			with: func(t *testing.T) provider.Provider { return unreachable(t) },
			want: provider.OutcomeUnknown,
			text: `plugin rogue: start: the connection to the plugin broke: connection error: desc = "transport: Error while dialing: nobody there"; the request may have reached the cloud`,
		},
		{
			name: "cancelled before",
			with: serving(nil), ctx: cancelled,
			want: provider.OutcomeUnsent,
			text: "plugin rogue: start: context canceled; nothing was sent",
		},
		{
			name: "a request too long",
			with: serving(nil),
			req:  provider.StartRequest{Request: make([]byte, provider.MaxMessage)},
			want: provider.OutcomeUnsent,
			text: "plugin rogue: start: the request has 16777221 bytes, over the limit of 16777216 for one message; nothing was sent",
		},
		{
			name: "a word of a later protocol",
			with: serving(func(context.Context) (*wire.StartResponse, error) { return &wire.StartResponse{Outcome: 99}, nil }),
			want: provider.OutcomeUnknown,
		},
		{
			name: "a check that was sent",
			with: serving(func(context.Context) (*wire.StartResponse, error) {
				return &wire.StartResponse{Outcome: wire.Outcome_OUTCOME_ACCEPTED}, nil
			}),
			req:  provider.StartRequest{CheckOnly: true},
			want: provider.OutcomeUnknown,
			text: `plugin rogue: start: the plugin broke the contract: a check was answered with "accepted"; the request may have reached the cloud`,
		},
		{
			name: "an accepted change with a handle too long",
			with: serving(func(context.Context) (*wire.StartResponse, error) {
				return &wire.StartResponse{Outcome: wire.Outcome_OUTCOME_ACCEPTED, Operation: &wire.Operation{Handle: make([]byte, provider.MaxHandle+1)}}, nil
			}),
			want: provider.OutcomeUnknown,
			text: "the plugin broke the contract: an operation handle of 4097 bytes is over the limit of 4096",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := test.ctx
			if ctx == nil {
				ctx = context.Background()
			}
			got := test.with(t).Start(ctx, test.req)
			if got.Outcome != test.want {
				t.Errorf("outcome %q, want %q", got.Outcome, test.want)
			}
			text := ""
			if got.Error != nil {
				text = got.Error.Error()
			}
			if text != test.text {
				t.Errorf("error\n got %s\nwant %s", text, test.text)
			}
		})
	}
}
