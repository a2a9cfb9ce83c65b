package huawei

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

func TestDescribe(t *testing.T) {
	d, err := New().Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(d.Schema.Files)); !slices.Equal(got, []string{"mrs.cue", "provider.cue"}) {
		t.Errorf("schema files: %v", got)
	}
	if d.Schema.Digest != provider.SchemaDigest(d.Schema.Files) {
		t.Error("the digest is not that of the files")
	}
	want := []provider.Kind{{Name: "mrs", Definition: "#MRS", AcceptWindow: 15 * time.Minute, ReadLag: 30 * time.Second}}
	if diff := cmp.Diff(want, d.Kinds); diff != "" {
		t.Errorf("kinds -want +got\n%s", diff)
	}
	wantCredentials := []provider.Credential{
		{Name: "access_key_id", Env: "HUAWEICLOUD_SDK_AK"},
		{Name: "secret_access_key", Env: "HUAWEICLOUD_SDK_SK"},
		{Name: "security_token", Env: "HUAWEICLOUD_SDK_SECURITY_TOKEN", Optional: true},
	}
	if diff := cmp.Diff(wantCredentials, d.Credentials); diff != "" {
		t.Errorf("credentials -want +got\n%s", diff)
	}
}

func TestConfigure(t *testing.T) {
	good := func() provider.Config {
		return provider.Config{
			Settings:    []byte(`{"plugin":"huawei","region":"cn-north-4","project_id":"p1"}`),
			Credentials: map[string]string{credentialAK: testAK, credentialSK: testSK},
		}
	}
	for _, c := range []struct {
		name   string
		change func(*provider.Config)
		want   string // in the error; empty: accepted
		base   string
	}{
		{"the cloud's own address", func(*provider.Config) {}, "", "https://mrs.cn-north-4.myhuaweicloud.com"},
		{"endpoint", func(c *provider.Config) { c.Endpoint = "http://127.0.0.1:8081/" }, "", "http://127.0.0.1:8081"},
		{"endpoint with a path", func(c *provider.Config) { c.Endpoint = "http://127.0.0.1/x" }, "no path", ""},
		{"endpoint with a password", func(c *provider.Config) { c.Endpoint = "http://u:hunter2@127.0.0.1" }, "endpoint must be", ""},
		{"endpoint that is no URL", func(c *provider.Config) { c.Endpoint = "http://u:hunter2@%zz" }, "endpoint must be", ""},
		{"endpoint without a scheme", func(c *provider.Config) { c.Endpoint = "127.0.0.1:80" }, "endpoint must be", ""},
		{"no settings", func(c *provider.Config) { c.Settings = nil }, "settings", ""},
		{"region that leads elsewhere", func(c *provider.Config) {
			c.Settings = []byte(`{"region":"x.example.com/","project_id":"p1"}`)
		}, "region must be", ""},
		{"project", func(c *provider.Config) { c.Settings = []byte(`{"region":"cn-north-4","project_id":"../p"}`) }, "project_id must be", ""},
		{"no key", func(c *provider.Config) { delete(c.Credentials, credentialAK) }, "access_key_id is missing", ""},
		{"no secret", func(c *provider.Config) { delete(c.Credentials, credentialSK) }, "secret_access_key is missing", ""},
		{"secret with a line end", func(c *provider.Config) { c.Credentials[credentialSK] = "hunter2\n" }, "secret_access_key holds a blank", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good()
			c.change(&cfg)
			p := NewWith(Options{})
			err := p.Configure(t.Context(), cfg)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := p.client.Load().base.String(); got != c.base {
					t.Errorf("base is %s, want %s", got, c.base)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error is %v, want %q in it", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestNotConfigured(t *testing.T) {
	p := NewWith(Options{})
	if err := p.Observe(t.Context(), provider.ObserveRequest{}, nil); err == nil {
		t.Error("observe without configuration succeeds")
	}
	got := p.Start(t.Context(), provider.StartRequest{Request: provider.Raw(newResize(clusterA, roleCore, 1))})
	if got.Outcome != provider.OutcomeUnsent || got.Error == nil {
		t.Errorf("start without configuration: %+v", got)
	}
}
