package qingcloud

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
	schema "github.com/clusterctl/clusterctl/schema/qingcloud"
)

func TestConfigureRefuses(t *testing.T) {
	const entry = `{"zone":"jn1a","owner":"usr-a","uid_number":0,"gid_number":1}`
	keys := map[string]string{"access_key_id": "AK", "secret_access_key": "hush"}
	tests := []struct {
		name, settings, endpoint string
		keys                     map[string]string
		want                     string
	}{
		{"sound", entry, "", keys, ""},
		{"loopback", entry, "http://127.0.0.1:8080/", keys, ""},
		{"no zone", `{"owner":"usr-a","uid_number":0,"gid_number":1}`, "", keys, "zone is not set"},
		{"owner", `{"zone":"z","owner":"a","uid_number":0,"gid_number":1}`, "", keys, "owner must be"},
		{"no uid", `{"zone":"z","owner":"usr-a","gid_number":1}`, "", keys, "uid_number"},
		{"not json", `{`, "", keys, "providers entry qc"},
		{"no key", entry, "", map[string]string{"secret_access_key": "hush"}, "access_key_id is not set"},
		{"no secret", entry, "", map[string]string{"access_key_id": "AK"}, "secret_access_key is not set"},
		{"line break", entry, "", map[string]string{"access_key_id": "AK", "secret_access_key": "hush\n"}, "control character"},
		{"no scheme", entry, "hpc.api.qingcloud.com", keys, "endpoint"},
		{"path", entry, "http://127.0.0.1/api", keys, "endpoint"},
		{"user", entry, "http://a@127.0.0.1", keys, "endpoint"},
		{"plain http to the cloud", entry, "http://hpc.api.qingcloud.com", keys, "must be https://"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := New().Configure(context.Background(), provider.Config{
				Entry: "qc", Settings: json.RawMessage(tt.settings), Endpoint: tt.endpoint, Credentials: tt.keys,
			})
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), "hush"):
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	d, err := New().Describe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if want := provider.SchemaDigest(schema.Files()); d.Schema.Digest != want {
		t.Errorf("digest %s, want %s", d.Schema.Digest, want)
	}
	kinds := map[string]string{}
	for _, k := range d.Kinds {
		kinds[k.Name] = k.Definition
		if !k.Creates || k.AcceptWindow != acceptWindow || k.ReadLag != readLag {
			t.Errorf("kind %+v", k)
		}
	}
	if !maps.Equal(kinds, schema.Kinds) {
		t.Errorf("kinds %v, schema %v", kinds, schema.Kinds)
	}
	if readBurst+readsPerHour >= d.Rate.Requests {
		t.Error("reads can use up the vendor's hourly limit")
	}
	if !slices.Contains(d.Domains, "qingcloud.com") || !strings.HasSuffix(defaultEndpoint, "."+d.Domains[0]) {
		t.Errorf("domains %v", d.Domains)
	}
}

func TestUnconfigured(t *testing.T) {
	p, ctx := newPlugin(nil, nil), context.Background()
	if err := p.Observe(ctx, provider.ObserveRequest{}, nil); err == nil {
		t.Error("Observe")
	}
	if _, err := p.Plan(ctx, provider.PlanRequest{}); err == nil {
		t.Error("Plan")
	}
	if _, err := p.Poll(ctx, nil); err == nil {
		t.Error("Poll")
	}
	if _, err := p.Quote(ctx, nil); err == nil {
		t.Error("Quote")
	}
	req := request{Call: resizeCluster, Body: map[string]any{"cluster_id": "hpc-1", "cpu": "4", "memory": "12288", "node_role": "login", "zone": "jn1a"}}
	if a := p.Start(ctx, provider.StartRequest{Request: req.bytes()}); a.Outcome != provider.OutcomeUnsent || a.Error == nil {
		t.Errorf("Start: %+v", a)
	}
}
