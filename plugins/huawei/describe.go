package huawei

import (
	"context"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
	schema "github.com/clusterctl/clusterctl/schema/huawei"
)

// version is the plugin's semantic version.
const version = "0.1.0"

const (
	// acceptWindow: the gateway takes a signature for 15 minutes (MRS API,
	// AK/SK authentication).
	acceptWindow = 15 * time.Minute
	// readLag is our reading: no document says how soon a read shows an
	// accepted resize.
	readLag = 30 * time.Second
	// The limit of requests per user is not published; these stay below what
	// a person with a script would send.
	requestsPerSecond = 20
	concurrency       = 8
)

// names of the credentials in Config.Credentials.
const (
	credentialAK    = "access_key_id"
	credentialSK    = "secret_access_key"
	credentialToken = "security_token"
)

// Describe implements provider.Provider.
func (*Provider) Describe(context.Context) (*provider.Description, error) {
	files := schema.Files()
	return &provider.Description{
		Name:    "huawei",
		Version: version,
		Schema:  provider.Schema{Files: files, Digest: provider.SchemaDigest(files)},
		Kinds: []provider.Kind{{
			Name:         kindMRS,
			Definition:   schema.Kinds[kindMRS],
			AcceptWindow: acceptWindow,
			ReadLag:      readLag,
		}},
		Capabilities: []string{provider.CapList},
		Credentials: []provider.Credential{
			{Name: credentialAK, Env: "HUAWEICLOUD_SDK_AK"},
			{Name: credentialSK, Env: "HUAWEICLOUD_SDK_SK"},
			{Name: credentialToken, Env: "HUAWEICLOUD_SDK_SECURITY_TOKEN", Optional: true},
		},
		Domains:  slices.Clone(schema.Domains),
		Identity: []string{"region", "project_id"},
		Rate:     provider.Rate{Requests: requestsPerSecond, Per: time.Second, Concurrency: concurrency},
	}, nil
}
