package huaweisim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/huawei/huaweisim"
)

// The vectors were made with the vendor's own signer.
var vectors = []struct {
	name, method, target, body, signature string
}{
	{"detail", "GET", infos + "/" + analytics, "",
		"4e06897896927148f45bf422dba96d95e919124e34b36112072546369b0f9dc5"},
	{"list with every kind of escape", "GET",
		infos + "?pageSize=100&currentPage=1&clusterName=" + url.QueryEscape("a b/ü*~+&="), "",
		"a9c8ce9caf68bc14f7f41a8ca3ccb77d3a5467bf77aebcfb016db5ca45b09260"},
	{"resize", "PUT", infos + "/" + analytics,
		`{"parameters":{"scale_type":"scale_out","node_id":"node_orderadd","instances":"1"}}`,
		"bee7986e5787eb376fa3f784233be88b631149b6c51894a95587d5797bff4d68"},
}

func vector(i int) *http.Request {
	v := vectors[i]
	r := httptest.NewRequest(v.method, "http://127.0.0.1:8081"+v.target, strings.NewReader(v.body))
	r.Header.Set("X-Sdk-Date", "20261121T000000Z")
	authorize(r, "AKFAKE0000000001", "host;x-sdk-date", v.signature)
	return r
}

func TestSignatureVectors(t *testing.T) {
	for i, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			s := newSim(t, string(huaweisim.Example()))
			if got := s.send(vector(i)); got.status != http.StatusOK {
				t.Fatalf("status %d: %s", got.status, got.body)
			}
			// The test's own signer must agree, or the other tests prove little.
			mine := httptest.NewRequest(v.method, "http://127.0.0.1:8081"+v.target, strings.NewReader(v.body))
			sign(mine, v.body, huaweisim.AccessKeyID, huaweisim.SecretKey, s.now, "host", "x-sdk-date")
			if want, got := vector(i).Header.Get("Authorization"), mine.Header.Get("Authorization"); got != want {
				t.Errorf("the test's signer made\n%s, want\n%s", got, want)
			}
		})
	}
}

func TestSignatureRefused(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*http.Request)
	}{
		{"no authorization", func(r *http.Request) { r.Header.Del("Authorization") }},
		{"another scheme", func(r *http.Request) { r.Header.Set("Authorization", "Basic YTpi") }},
		{"unknown key", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "AKFAKE0000000001", "AKFAKE0000000002", 1))
		}},
		{"tampered body", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(vectors[2].body, `"1"`, `"9"`, 1)))
		}},
		{"tampered body under a stated digest", func(r *http.Request) {
			digest := sha256.Sum256([]byte(vectors[2].body)) // the signature still holds
			r.Header.Set("X-Sdk-Content-Sha256", hex.EncodeToString(digest[:]))
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(vectors[2].body, `"1"`, `"9"`, 1)))
		}},
		{"tampered path", func(r *http.Request) { r.URL.Path += "2" }},
		{"added query", func(r *http.Request) { r.URL.RawQuery = "a=b" }},
		{"broken query", func(r *http.Request) { r.URL.RawQuery = "a=%zz" }},
		{"another method", func(r *http.Request) { r.Method = "GET" }},
		{"another host", func(r *http.Request) { r.Host = "127.0.0.1:8082" }},
		{"another date", func(r *http.Request) { r.Header.Set("X-Sdk-Date", "20261121T000001Z") }},
		{"no date", func(r *http.Request) { r.Header.Del("X-Sdk-Date") }},
		{"malformed date", func(r *http.Request) { r.Header.Set("X-Sdk-Date", "2026-11-21T00:00:00Z") }},
		{"date not signed", func(r *http.Request) {
			sign(r, vectors[2].body, huaweisim.AccessKeyID, huaweisim.SecretKey, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), "host")
		}},
		{"signed header missing", func(r *http.Request) {
			authorize(r, "AKFAKE0000000001", "host;x-other;x-sdk-date", vectors[2].signature)
		}},
		{"signed headers unsorted", func(r *http.Request) {
			authorize(r, "AKFAKE0000000001", "x-sdk-date;host", vectors[2].signature)
		}},
		{"signature of another length", func(r *http.Request) {
			authorize(r, "AKFAKE0000000001", "host;x-sdk-date", vectors[2].signature[:32])
		}},
		{"signature not hexadecimal", func(r *http.Request) {
			authorize(r, "AKFAKE0000000001", "host;x-sdk-date", "zz"+vectors[2].signature[2:])
		}},
		{"wrong secret", func(r *http.Request) {
			sign(r, vectors[2].body, huaweisim.AccessKeyID, "another", time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), "host", "x-sdk-date")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSim(t, string(huaweisim.Example()))
			r := vector(2)
			tt.spoil(r)
			got := s.send(r)
			if got.status != http.StatusUnauthorized || got.code(t) != "APIGW.0301" {
				t.Fatalf("status %d: %s", got.status, got.body)
			}
			if !strings.Contains(got.body, `"request_id":"`+got.header.Get("X-Request-Id")+`"`) {
				t.Errorf("the gateway's body lacks the request id: %s", got.body)
			}
			if strings.Contains(got.body, huaweisim.SecretKey) {
				t.Errorf("the secret shows: %s", got.body)
			}
			if d := s.detail(analytics); d.ClusterState != "running" {
				t.Errorf("the refused request did something: %+v", d)
			}
		})
	}
}

func TestClockSkew(t *testing.T) {
	for _, tt := range []struct {
		name   string
		window time.Duration
		skew   time.Duration
		status int
	}{
		{"documented window, late edge", 0, 15 * time.Minute, 200},
		{"documented window, too late", 0, 15*time.Minute + time.Second, 401},
		{"documented window, early edge", 0, -15 * time.Minute, 200},
		{"documented window, too early", 0, -15*time.Minute - time.Second, 401},
		{"shortened, edge", 2 * time.Second, 2 * time.Second, 200},
		{"shortened, too late", 2 * time.Second, 3 * time.Second, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSim(t, string(huaweisim.Example()), func(o *cloudsim.Options) { o.AcceptWindow = tt.window })
			r := s.request("GET", infos+"/"+analytics, "")
			s.pass(tt.skew)
			if got := s.send(r); got.status != tt.status {
				t.Errorf("status %d, want %d: %s", got.status, tt.status, got.body)
			}
		})
	}
}

func TestOwnKeyPair(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()), func(o *cloudsim.Options) {
		o.AccessKeyID, o.SecretKey = "AKFAKE0000000009", "another-key-for-tests"
	})
	if got := s.get(infos); got.status != http.StatusUnauthorized {
		t.Errorf("the default key pair was taken: %d", got.status)
	}
	r := httptest.NewRequest("GET", infos, nil)
	sign(r, "", "AKFAKE0000000009", "another-key-for-tests", s.now, "host", "x-sdk-date")
	if got := s.send(r); got.status != http.StatusOK {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

// The vendor's kit signs these headers, and may state the body's digest.
func TestSignedHeadersOfTheSDK(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	body := resize("scale_out", "core", 1)
	r := httptest.NewRequest("PUT", infos+"/"+analytics, strings.NewReader(body))
	r.Header.Set("User-Agent", "test/1")
	digest := sha256.Sum256([]byte(body))
	r.Header.Set("X-Sdk-Content-Sha256", hex.EncodeToString(digest[:]))
	r.Header.Set("X-Project-Id", project)
	sign(r, body, huaweisim.AccessKeyID, huaweisim.SecretKey, s.now, "user-agent", "x-project-id", "x-sdk-date")
	if got := s.send(r); got.status != http.StatusOK {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

func TestProject(t *testing.T) {
	s := newSim(t, string(huaweisim.Example()))
	other := strings.Repeat("f", 32)
	for name, tt := range map[string]struct{ path, header, code string }{
		"project of another account":   {other, other, "12000001"},
		"header against path":          {project, other, "12000001"},
		"header left out":              {project, "", ""},
		"both right":                   {project, project, ""},
		"malformed, and of no account": {"a-b", "", "12000001"},
	} {
		r := httptest.NewRequest("GET", "/v1.1/"+tt.path+"/cluster_infos", nil)
		if tt.header != "" {
			r.Header.Set("X-Project-Id", tt.header)
		}
		sign(r, "", huaweisim.AccessKeyID, huaweisim.SecretKey, s.now, "host", "x-sdk-date")
		if got := s.send(r); got.code(t) != tt.code {
			t.Errorf("%s: code %q, want %q", name, got.code(t), tt.code)
		} else if tt.code != "" && got.status != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, got.status)
		}
	}
}
