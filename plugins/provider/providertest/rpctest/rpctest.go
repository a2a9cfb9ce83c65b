// Package rpctest puts a provider behind a real gRPC connection in a test's own
// process, with the same registration, conversions and limits as between a host
// and a plugin. Only the process boundary is missing.
//
// Place in the flow: beside providertest. A provider's tests run the suite once
// with the provider itself and once with what Connect returns.
package rpctest

import (
	"net"
	"testing"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
)

// Connect serves p on loopback and returns what the host sees of it. Both ends
// live until the test ends. go-plugin's own test connection is not used: it
// takes no dial options, and without rpc.DialOptions a client cannot tell what
// was never sent.
func Connect(t testing.TB, p provider.Provider) provider.Provider {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(provider.MaxMessage), grpc.MaxSendMsgSize(provider.MaxMessage))
	for name, one := range rpc.Plugins(p)[rpc.ProtocolVersion] {
		served, ok := one.(plugin.GRPCPlugin)
		if !ok {
			t.Fatalf("plugin %s is not served over gRPC", name)
		}
		if err := served.GRPCServer(nil, server); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	conn, err := grpc.NewClient(listener.Addr().String(),
		append(rpc.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	host, _, err := rpc.Connect(t.Context(), "conformance", conn)
	if err != nil {
		t.Fatal(err)
	}
	return host
}
