package aliyun

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

func TestConfigure(t *testing.T) {
	keys := map[string]string{"access_key_id": vectorKey, "access_key_secret": vectorSecret}
	with := func(name, value string) map[string]string {
		out := maps.Clone(keys)
		out[name] = value
		return out
	}
	tests := []struct {
		name     string
		settings string
		endpoint string
		keys     map[string]string
		kind     provider.ErrorKind
		want     string // scheme and host, or part of the error
	}{
		{"regional rule", `{"region":"cn-beijing"}`, "", keys, "", "https cs.cn-beijing.aliyuncs.com"},
		{"endpoint", `{"region":"cn-beijing"}`, "http://127.0.0.1:8080/", with("security_token", "made-up"), "", "http 127.0.0.1:8080"},
		{"no region", `{}`, "", keys, provider.KindInvalid, `region "" is not a region id`},
		{"region that is another host", `{"region":"x.example.org/"}`, "", keys, provider.KindInvalid, "is not a region id"},
		{"not JSON", `x`, "", keys, provider.KindInvalid, "settings"},
		{"endpoint with a path", `{"region":"cn-beijing"}`, "http://127.0.0.1/api", keys, provider.KindInvalid, "is not http:// or https:// and a host"},
		{"endpoint with a password", `{"region":"cn-beijing"}`, "http://u:made-up-password@127.0.0.1", keys, provider.KindInvalid, "is not http:// or https:// and a host"},
		{"endpoint of another kind", `{"region":"cn-beijing"}`, "ftp://127.0.0.1", keys, provider.KindInvalid, "is not http:// or https:// and a host"},
		{"no key", `{"region":"cn-beijing"}`, "", with("access_key_id", ""), provider.KindUnauthenticated, "access_key_id is missing"},
		{"no secret", `{"region":"cn-beijing"}`, "", with("access_key_secret", ""), provider.KindUnauthenticated, "access_key_secret is missing"},
		{"line end", `{"region":"cn-beijing"}`, "", with("access_key_secret", vectorSecret+"\n"), provider.KindUnauthenticated, "holds a space or a line end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlugin(fixedOptions())
			err := p.Configure(context.Background(), provider.Config{
				Entry: "ali", Settings: json.RawMessage(tt.settings), Endpoint: tt.endpoint, Credentials: tt.keys,
			})
			if tt.kind == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := *p.client.writes.Protocol + " " + *p.client.writes.Endpoint; got != tt.want {
					t.Errorf("base %q, want %q", got, tt.want)
				}
				return
			}
			if provider.AsError(err).Kind != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			for _, secret := range []string{vectorSecret, "made-up-password"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q in %v", secret, err)
				}
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	p := New()
	d, err := p.Describe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "aliyun" || d.Schema.Digest != provider.SchemaDigest(d.Schema.Files) {
		t.Errorf("%s, digest %s", d.Name, d.Schema.Digest)
	}
	text := ""
	for _, content := range d.Schema.Files {
		text += string(content)
	}
	for _, kind := range d.Kinds {
		if !strings.Contains(text, "\n"+kind.Definition+": {") || kind.Creates || kind.AcceptWindow == 0 || kind.ReadLag == 0 {
			t.Errorf("kind %+v", kind)
		}
	}
}

func TestNonce(t *testing.T) {
	a, b := newNonce(), newNonce()
	if len(a) != 32 || a == b {
		t.Errorf("nonces %s, %s", a, b)
	}
}
