package aliyun

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
	schema "github.com/clusterctl/clusterctl/schema/aliyun"
)

// Version is the plugin's semantic version.
const Version = "0.1.0"

const (
	kindSandbox = "ack_sandbox"
	kindEdge    = "ack_edge"

	// groupWorker is the only group that the calls can change.
	groupWorker = "worker"

	// acceptWindow is how far a request's date may be off (signature method
	// V3, request header x-acs-date).
	acceptWindow = 15 * time.Minute
	// readLag is ours: no document says how old a read may be.
	readLag = 30 * time.Second
)

// budget is ours: the documents give no figure for one account, only the codes
// that say that it was exceeded.
var budget = provider.Rate{Requests: 20, Per: time.Second, Concurrency: 8}

// options are what tests put in place of the clock and of chance.
type options struct {
	now    func() time.Time
	jitter func() float64 // in [0,1)
	nonce  func() string
}

// plugin implements provider.Provider.
type plugin struct {
	options
	*session // nil until Configure
}

// New returns the provider with the real clock.
func New() provider.Provider {
	return newPlugin(options{now: time.Now, jitter: rand.Float64, nonce: newNonce})
}

func newPlugin(opts options) *plugin {
	return &plugin{options: opts}
}

var errNotConfigured = errors.New("the provider is not configured")

// Describe implements provider.Provider.
func (p *plugin) Describe(context.Context) (*provider.Description, error) {
	files := schema.Files()
	kind := func(name string) provider.Kind {
		return provider.Kind{
			Name:         name,
			Definition:   schema.Kinds[name],
			AcceptWindow: acceptWindow,
			ReadLag:      readLag,
		}
	}
	return &provider.Description{
		Name:         "aliyun",
		Version:      Version,
		Schema:       provider.Schema{Files: files, Digest: provider.SchemaDigest(files)},
		Kinds:        []provider.Kind{kind(kindEdge), kind(kindSandbox)},
		Capabilities: []string{provider.CapList, provider.CapTasks},
		Credentials: []provider.Credential{
			{Name: "access_key_id", Env: "ALIBABA_CLOUD_ACCESS_KEY_ID"},
			{Name: "access_key_secret", Env: "ALIBABA_CLOUD_ACCESS_KEY_SECRET"},
			{Name: "security_token", Env: "ALIBABA_CLOUD_SECURITY_TOKEN", Optional: true},
		},
		Domains:  schema.Domains,
		Identity: []string{"region"},
		Rate:     budget,
	}, nil
}
