// Package huawei is the provider for Huawei Cloud MapReduce Service (MRS). It
// reads clusters and their hosts, and adds and removes Core and Task nodes
// through one call, PUT /v1.1/{project_id}/cluster_infos/{cluster_id}, which
// takes a number of nodes more or less, knows no repetition and answers before
// the work is done. The service's own client library cannot send that call's
// documented body, so requests are built and signed here.
//
// Place in the flow: the engine, or package rpc on its behalf, calls New's
// provider; Observe and Start speak HTTP, Plan computes from what Observe read.
package huawei

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// kindMRS is the one kind of cluster.
const kindMRS = "mrs"

// Roles of nodes: the keys under node_groups.
const (
	roleMaster = "master"
	roleCore   = "core"
	roleTask   = "task"
)

// Options are what tests replace. The zero value is what New uses.
type Options struct {
	Now    func() time.Time // default time.Now
	Jitter func() float64   // in [0,1), shortens waits between tries; default random
}

// Provider implements provider.Provider for one "providers" entry.
type Provider struct {
	opts   Options
	client atomic.Pointer[client] // set by Configure
}

// New returns a provider on the real clock.
func New() provider.Provider { return NewWith(Options{}) }

// NewWith returns a provider with parts replaced.
func NewWith(opts Options) *Provider {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Jitter == nil {
		opts.Jitter = rand.Float64
	}
	return &Provider{opts: opts}
}

// configured returns the client, or an error before Configure.
func (p *Provider) configured() (*client, error) {
	if c := p.client.Load(); c != nil {
		return c, nil
	}
	return nil, provider.Errorf(provider.KindInvalid, "the huawei provider is not configured")
}
