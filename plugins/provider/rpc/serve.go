package rpc

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

const (
	// ProtocolVersion is the version of the contract on the wire.
	ProtocolVersion = 1
	// DeathFD names the variable that tells a plugin the number of the
	// descriptor at whose end of file it must exit.
	DeathFD = "CCTL_DEATH_FD"
	// pluginName is the one plugin of go-plugin's set.
	pluginName = "provider"
)

// Handshake tells a plugin that clusterctl started it. It is no secret.
var Handshake = plugin.HandshakeConfig{
	MagicCookieKey:   "CCTL_PLUGIN",
	MagicCookieValue: "provider-6d0e6f0b1c1a4b0f",
}

// Plugins is the versioned set that both ends give to go-plugin. The host
// passes nil.
func Plugins(p provider.Provider) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{ProtocolVersion: {pluginName: &grpcPlugin{provider: p}}}
}

// grpcPlugin registers the server. The client's end is Connect, which needs
// more than go-plugin hands over here.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	provider provider.Provider
}

func (g *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	wire.RegisterProviderServer(s, &server{provider: g.provider})
	return nil
}

func (g *grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// Serve is the whole main of a plugin: it serves p until the host says stop or
// dies. Run by hand it says what it is and exits with 1.
func Serve(p provider.Provider) {
	if os.Getenv(Handshake.MagicCookieKey) != Handshake.MagicCookieValue {
		fmt.Fprintln(os.Stderr, byHand(p))
		os.Exit(1)
	}
	if err := watchHost(os.Getenv(DeathFD)); err != nil {
		fmt.Fprintf(os.Stderr, "watch the host: %v\n", err)
		os.Exit(1)
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: Plugins(p),
		GRPCServer:       newServer(os.Stderr),
		Logger: hclog.New(&hclog.LoggerOptions{
			Level:       hclog.Warn,
			Output:      os.Stderr,
			DisableTime: true,
		}),
	})
}

// byHand is what a person who runs the plugin reads.
func byHand(p provider.Provider) string {
	name := filepath.Base(os.Args[0])
	if d, err := p.Describe(context.Background()); err == nil && d != nil {
		name += " " + d.Version
	}
	return name + " is a plugin of clusterctl, which starts it when a spec's \"providers\" entry names it; it does nothing by itself"
}

// newServer makes the gRPC server with the contract's limits.
//
// go-plugin points os.Stdout and os.Stderr to pipes that a goroutine empties
// into the connection: a plugin that crashes loses its last lines there. The
// first call therefore points both to the process's own stderr, which the host
// reads to the end. Calls are served only after go-plugin's change.
func newServer(stderr *os.File) func([]grpc.ServerOption) *grpc.Server {
	return func(opts []grpc.ServerOption) *grpc.Server {
		var once sync.Once
		before := func() {
			once.Do(func() { os.Stdout, os.Stderr = stderr, stderr })
		}
		return grpc.NewServer(append(opts,
			grpc.MaxRecvMsgSize(provider.MaxMessage),
			grpc.MaxSendMsgSize(provider.MaxMessage),
			grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (_ any, err error) {
				before()
				defer recovered(stderr, &err)
				return next(ctx, req)
			}),
			grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
				before()
				defer recovered(stderr, &err)
				return next(srv, stream)
			}),
		)...)
	}
}

// recovered keeps a panic in one call from killing the process: other calls
// may be sending changes, whose outcome would become unknown with it.
func recovered(stderr *os.File, err *error) {
	if v := recover(); v != nil {
		fmt.Fprintf(stderr, "panic: %v\n%s", v, debug.Stack())
		*err = status.Errorf(codes.Internal, "the plugin panicked: %v", v)
	}
}
