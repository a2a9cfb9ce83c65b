package rpctest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest/rpctest"
)

// The connection is the host's own: calls arrive, and one that never left is
// known as unsent.
func TestConnect(t *testing.T) {
	fake := &providertest.Fake{}
	host := rpctest.Connect(t, fake)
	if a := host.Start(t.Context(), provider.StartRequest{}); a.Outcome != provider.OutcomeRefused || a.Error.Kind != provider.KindUnsupported {
		t.Errorf("start: %+v", a)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if a := host.Start(ended, provider.StartRequest{}); a.Outcome != provider.OutcomeUnsent || !errors.Is(a.Error, context.Canceled) {
		t.Errorf("cancelled: %+v", a)
	}
	if calls := fake.Calls(); calls["Start"] != 1 || calls["Describe"] != 1 {
		t.Errorf("calls %v", calls)
	}
	if _, ok := host.(provider.Quoter); ok {
		t.Error("a provider without prices became a Quoter")
	}
}
