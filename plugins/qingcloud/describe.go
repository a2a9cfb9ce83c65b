package qingcloud

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
	schema "github.com/clusterctl/clusterctl/schema/qingcloud"
)

// The vendor's limits: "2000 requests per 3600 s per user" and "timestamps
// older than 60 s are refused" (EHPC API, common parameters).
const (
	requestsPerHour = 2000
	acceptWindow    = time.Minute
	// readLag is how long a list may lag behind a finished job. The vendor
	// does not say; the console refreshes well within it.
	readLag = 30 * time.Second
	// concurrency is ours: the vendor names no limit.
	concurrency = 8
)

const (
	kindHPC  = "hpc"
	kindEHPC = "ehpc"
)

// plugin implements provider.Provider and provider.Quoter.
type plugin struct {
	now     func() time.Time
	jitter  func() float64
	account atomic.Pointer[account] // set by Configure
}

var _ provider.Quoter = (*plugin)(nil)

// New returns the provider with the real clock.
func New() provider.Provider { return newPlugin(time.Now, rand.Float64) }

func newPlugin(now func() time.Time, jitter func() float64) *plugin {
	return &plugin{now: now, jitter: jitter}
}

// Describe implements provider.Provider.
func (p *plugin) Describe(context.Context) (*provider.Description, error) {
	files := schema.Files()
	d := &provider.Description{
		Name:         "qingcloud",
		Version:      "0.1.0",
		Schema:       provider.Schema{Files: files, Digest: provider.SchemaDigest(files)},
		Capabilities: []string{provider.CapList, provider.CapQuote, provider.CapTasks},
		Credentials: []provider.Credential{
			{Name: "access_key_id", Env: "QINGCLOUD_ACCESS_KEY_ID"},
			{Name: "secret_access_key", Env: "QINGCLOUD_SECRET_ACCESS_KEY"},
		},
		Domains:  schema.Domains,
		Identity: []string{"zone", "owner"},
		Rate:     provider.Rate{Requests: requestsPerHour, Per: time.Hour, Concurrency: concurrency},
	}
	for _, kind := range []string{kindEHPC, kindHPC} {
		d.Kinds = append(d.Kinds, provider.Kind{
			Name: kind, Definition: schema.Kinds[kind],
			Creates: true, AcceptWindow: acceptWindow, ReadLag: readLag,
		})
	}
	return d, nil
}

// configured returns the account, or an error before Configure.
func (p *plugin) configured() (*account, error) {
	if a := p.account.Load(); a != nil {
		return a, nil
	}
	return nil, errors.New("qingcloud: used before Configure")
}
