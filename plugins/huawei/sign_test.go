package huawei

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var signedAt = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// TestSignVectors holds the signer against what the vendor's own signer makes
// of the same requests.
func TestSignVectors(t *testing.T) {
	const list = "/v1.1/0123456789abcdef0123456789abcdef/cluster_infos"
	const one = list + "/00000000-0000-4000-8000-000000000001"
	for _, c := range []struct {
		name, method, path, body string
		query                    url.Values
		want                     string
	}{
		{"detail", "GET", one, "", nil, "4e06897896927148f45bf422dba96d95e919124e34b36112072546369b0f9dc5"},
		{"list", "GET", list, "", url.Values{"pageSize": {"100"}, "currentPage": {"1"}, "clusterName": {"a b/ü*~+&="}},
			"a9c8ce9caf68bc14f7f41a8ca3ccb77d3a5467bf77aebcfb016db5ca45b09260"},
		{"resize", "PUT", one, `{"parameters":{"scale_type":"scale_out","node_id":"node_orderadd","instances":"1"}}`, nil,
			"bee7986e5787eb376fa3f784233be88b631149b6c51894a95587d5797bff4d68"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := url.URL{Scheme: "http", Host: "127.0.0.1:8081", Path: c.path, RawQuery: encodeQuery(c.query)}
			req, err := http.NewRequest(c.method, u.String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			s := signer{accessKey: "AKFAKE0000000001", secretKey: "secret-key-for-tests"}
			s.sign(req, []byte(c.body), signedAt)
			want := "SDK-HMAC-SHA256 Access=AKFAKE0000000001, SignedHeaders=host;x-sdk-date, Signature=" + c.want
			if diff := cmp.Diff(want, req.Header.Get("Authorization")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if got := req.Header.Get("X-Sdk-Date"); got != "20261121T000000Z" {
				t.Errorf("date is %q", got)
			}
		})
	}
}

// TestSignTemporaryKey: the token goes along and is signed.
func TestSignTemporaryKey(t *testing.T) {
	req, err := http.NewRequest("GET", "http://127.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Project-Id", "p")
	signer{accessKey: "AK", secretKey: "SK", token: "TOKEN"}.sign(req, nil, signedAt, "X-Project-Id")
	if got := req.Header.Get("X-Security-Token"); got != "TOKEN" {
		t.Errorf("token header is %q", got)
	}
	if got := req.Header.Get("Authorization"); !strings.Contains(got, "SignedHeaders=host;x-project-id;x-sdk-date;x-security-token,") {
		t.Errorf("signed headers: %s", got)
	}
}

func TestEncodeQuerySortsByKey(t *testing.T) {
	got := encodeQuery(url.Values{"a": {"2", "1"}, "a-b": {"x y"}})
	if want := "a=1&a=2&a-b=x%20y"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
