package aliyun

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Vectors recorded once from the vendor's core client, darabonba-openapi v2.1.13,
// with this date, nonce and key pair.
const (
	vectorDate   = "2026-03-01T08:00:00Z"
	vectorNonce  = "00112233445566778899aabbccddeeff"
	vectorKey    = "LTAImadeupkey0001"
	vectorSecret = "made-up-secret-0001"
)

// roundTripper stands in for the network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// over makes both of a client's halves send through rt.
func over(c *client, rt roundTripper) {
	hook := exchange{&http.Client{Transport: rt}}
	c.reads.HttpClient, c.writes.HttpClient = hook, hook
}

func fixedOptions() options {
	return options{
		now: func() time.Time {
			t, _ := time.Parse(time.RFC3339, vectorDate)
			return t
		},
		jitter: func() float64 { return 0 },
		nonce:  func() string { return vectorNonce },
	}
}

func TestSignature(t *testing.T) {
	list := call{
		action: "DescribeClustersV1", method: http.MethodGet, path: "/api/v1/clusters",
		query: map[string]string{"region_id": "cn-beijing", "page_number": "1", "page_size": "100", "name": "a b*c~é"},
	}
	scale := call{
		action: "ScaleOutCluster", method: http.MethodPost,
		path: "/api/v2/clusters/c00000000000000000000000000000001", body: []byte(`{"count":2,"key_pair":"ops"}`),
	}
	tests := []struct {
		name, token string
		call        call
		want        string
	}{
		{"read", "", list, "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=7ed325506884c90a7c39e730840406e04afac10a5d141d9f5de29d4b771886b8"},
		{"write", "", scale, "SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=9af1f65bd779b7c254a3f3d2c9c184f6d1229c1c91c207904eac1cbe4767b9b5"},
		{"read with token", "made-up-token", list, "SignedHeaders=host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version,Signature=d28bdf29aed37c50c5038f9c4fb3eb4f5c1274ce3e5ca3503850062cca280e6c"},
		{"write with token", "made-up-token", scale, "SignedHeaders=content-type;host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version,Signature=87fd9e20fe511b1936d4cbd42a3846733dcb85faca8bd923eb59d3114977d6cb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := &url.URL{Scheme: "https", Host: "cs.cn-beijing.aliyuncs.com"}
			c, err := newClient(base, credentials{vectorKey, vectorSecret, tt.token}, "clusterctl-test", fixedOptions())
			if err != nil {
				t.Fatal(err)
			}
			var got *http.Request
			var body []byte
			over(c, func(r *http.Request) (*http.Response, error) {
				got = r
				if r.Body != nil {
					body, _ = io.ReadAll(r.Body)
				}
				return respond(200, "{}"), nil
			})
			if reply := c.send(context.Background(), c.reads, tt.call); reply.Status != 200 || reply.Err != nil {
				t.Fatalf("send: %+v", reply)
			}
			header := func(name string) string { // the core client sets names in lower case
				return strings.Join(append(got.Header.Values(name), got.Header[name]...), "|")
			}
			want := "ACS3-HMAC-SHA256 Credential=" + vectorKey + "," + tt.want
			if diff := cmp.Diff(want, got.Header.Get("Authorization")); diff != "" {
				t.Errorf("authorization (-want +got):\n%s", diff)
			}
			if string(body) != string(tt.call.body) {
				t.Errorf("body %s, want %s", body, tt.call.body)
			}
			if got.GetBody != nil {
				t.Error("a layer below could send the body again")
			}
			if got.Host != base.Host || got.URL.Scheme != "https" || got.Method != tt.call.method {
				t.Errorf("sent %s to %s", got.Method, got.URL)
			}
			if header("accept") != "application/json" {
				t.Errorf("accept %q", header("accept"))
			}
			if agent := got.Header.Get("User-Agent"); agent != "clusterctl-test" {
				t.Errorf("user agent %q", agent)
			}
		})
	}
}

// A proxy's password is for the proxy; the core client would put it into the
// request for the cloud.
func TestProxyPasswordStaysBehind(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://user:made-up-proxy-password@127.0.0.1:9")
	c, err := newClient(&url.URL{Scheme: "https", Host: "cs.cn-beijing.aliyuncs.com"}, credentials{id: "a", secret: "b"}, "", fixedOptions())
	if err != nil {
		t.Fatal(err)
	}
	over(c, func(r *http.Request) (*http.Response, error) {
		if v := r.Header.Get("Proxy-Authorization"); v != "" {
			t.Error("the proxy's password would reach the cloud")
		}
		return respond(200, "{}"), nil
	})
	if reply := c.send(context.Background(), c.writes, call{action: "X", method: "POST", path: "/"}); reply.Status != 200 {
		t.Errorf("reply %+v", reply)
	}
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}
