package aliyunsim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

func TestGateway(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			if r.Header.Set(name, value); value == "" {
				r.Header.Del(name)
			}
		}
	}
	date := func(off time.Duration) func(*http.Request) {
		return header("x-acs-date", time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC).Add(off).Format("2006-01-02T15:04:05Z"))
	}
	for _, tt := range []struct {
		name   string
		before func(*http.Request) // signing
		after  func(*http.Request)
		status int
		code   string
	}{
		{name: "sound", status: 202},
		{name: "15 minutes late", before: date(-15 * time.Minute), status: 202},
		{name: "later", before: date(-15*time.Minute - time.Second), status: 400, code: "InvalidTimeStamp.Expired"},
		{name: "15 minutes early", before: date(15 * time.Minute), status: 202},
		{name: "earlier", before: date(15*time.Minute + time.Second), status: 400, code: "InvalidTimeStamp.Expired"},
		{name: "strange date", before: header("x-acs-date", "Sun, 01 Mar 2026 08:00:00 GMT"), status: 400, code: "InvalidTimeStamp.Expired"},
		{name: "no date", before: header("x-acs-date", ""), status: 400, code: "MissingXAcsDate"},
		{name: "no nonce", before: header("x-acs-signature-nonce", ""), status: 400, code: "MissingXAcsSignatureNonce"},
		{name: "no action", before: header("x-acs-action", ""), status: 400, code: "MissingXAcsAction"},
		{name: "no version", before: header("x-acs-version", ""), status: 400, code: "MissingXAcsVersion"},
		{name: "no body hash", before: header("x-acs-content-sha256", ""), status: 400, code: "MissingXAcsContentSha256"},
		{name: "other action", before: header("x-acs-action", "CreateCluster"), status: 404, code: "InvalidAction.NotFound"},
		{name: "other version", before: header("x-acs-version", "2019-01-01"), status: 400, code: "InvalidVersion"},
		{name: "wrong body hash", before: header("x-acs-content-sha256", hexHash(nil)), status: 400, code: "SignatureDoesNotMatch"},
		{name: "unsigned header", after: header("x-acs-extra", "1"), status: 400, code: "IncompleteSignature"},
		{name: "changed date", after: date(time.Second), status: 400, code: "SignatureDoesNotMatch"},
		{name: "changed path", after: func(r *http.Request) { r.URL.Path = "/api/v2/clusters/" + edgeID }, status: 400, code: "SignatureDoesNotMatch"},
		{name: "changed query", after: func(r *http.Request) { r.URL.RawQuery = "a=b" }, status: 400, code: "SignatureDoesNotMatch"},
		{name: "changed host", after: func(r *http.Request) { r.Host = "cs.cn-beijing.aliyuncs.com" }, status: 400, code: "SignatureDoesNotMatch"},
		{name: "changed content type", after: header("Content-Type", "application/json"), status: 400, code: "SignatureDoesNotMatch"},
		{name: "older scheme", after: header("Authorization", "acs "+AccessKeyID+":c2lnbmF0dXJl"), status: 400, code: "IncompleteSignature"},
		{name: "unsigned", after: header("Authorization", ""), status: 400, code: "IncompleteSignature"},
		{name: "session", before: func(r *http.Request) {
			r.Header.Set("x-acs-security-token", "token")
			r.Header.Set("x-acs-accesskey-id", AccessKeyID)
		}, status: 202},
		{name: "session of another key", before: func(r *http.Request) {
			r.Header.Set("x-acs-security-token", "token")
			r.Header.Set("x-acs-accesskey-id", "LTAIOTHER")
		}, status: 400, code: "InvalidSecurityToken.MismatchWithAccessKey"},
		{name: "no JSON", before: header("Content-Type", "application/octet-stream"), status: 415},
		{name: "no content type", before: header("Content-Type", ""), status: 415},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, Example(), cloudsim.Options{})
			r := b.request("POST", "ScaleOutCluster", "/api/v2/clusters/"+secureID, scaleBody(secureID, 1, nil), tt.before)
			if tt.after != nil {
				tt.after(r)
			}
			a := b.send(r)
			if a.err != nil || a.status != tt.status || a.code() != tt.code {
				t.Fatalf("got %d %q %v, want %d %q: %s", a.status, a.code(), a.err, tt.status, tt.code, a.raw)
			}
			if tt.status == 400 || tt.status == 404 {
				if a.body["RequestId"] == "" || a.body["RequestId"] != a.header.Get("x-acs-request-id") {
					t.Errorf("the gateway's envelope has no request id: %s", a.raw)
				}
			}
			want := "accepted"
			if tt.status != 202 {
				want = "refused"
			}
			if log := b.sim.Log().Entries(); log[0].Event != "request" || log[0].Outcome != want || log[0].Cluster == "" {
				t.Errorf("audit log: %+v", log[0])
			}
			if got := a.header.Get("Date"); got != "Sun, 01 Mar 2026 08:00:00 GMT" {
				t.Errorf("Date is %q", got)
			}
		})
	}
}

func TestWrongKeys(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	b.secret = "another"
	if a := b.scale(secureID, 1, nil); a.status != 400 || a.code() != "SignatureDoesNotMatch" {
		t.Errorf("wrong secret: %d %s", a.status, a.raw)
	}
	b.key, b.secret = "LTAIOTHER", SecretKey
	if a := b.scale(secureID, 1, nil); a.status != 404 || a.code() != "InvalidAccessKeyId.NotFound" {
		t.Errorf("wrong key: %d %s", a.status, a.raw)
	}
	own := newBed(t, Example(), cloudsim.Options{AccessKeyID: "LTAIOWN", SecretKey: "own"})
	own.key, own.secret = "LTAIOWN", "own"
	if a := own.scale(secureID, 1, nil); a.status != 202 {
		t.Errorf("own key: %d %s", a.status, a.raw)
	}
	own.key, own.secret = AccessKeyID, SecretKey
	if a := own.scale(secureID, 1, nil); a.status != 404 {
		t.Errorf("default key beside an own one: %d %s", a.status, a.raw)
	}
}

func TestTamperedBody(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	signed := b.request("POST", "ScaleOutCluster", "/api/v2/clusters/"+secureID, scaleBody(secureID, 1, nil), nil)
	sent := b.request("POST", "ScaleOutCluster", "/api/v2/clusters/"+secureID, scaleBody(secureID, 9, nil), nil)
	sent.Header = signed.Header
	if a := b.send(sent); a.code() != "SignatureDoesNotMatch" {
		t.Errorf("got %d %s", a.status, a.raw)
	}
}

func TestReplay(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	body := scaleBody(secureID, 1, nil)
	again := func() *http.Request {
		return b.request("POST", "ScaleOutCluster", "/api/v2/clusters/"+secureID, body, func(r *http.Request) {
			r.Header.Set("x-acs-signature-nonce", "same")
			r.Header.Set("x-acs-date", "2026-03-01T08:00:00Z")
		})
	}
	for i, want := range []string{"", "SignatureNonceUsed"} {
		if a := b.send(again()); a.code() != want {
			t.Errorf("time %d: %d %s", i, a.status, a.raw)
		}
	}
	b.clock.move(15 * time.Minute)
	if a := b.send(again()); a.code() != "SignatureNonceUsed" {
		t.Errorf("at the window's end: %d %s", a.status, a.raw)
	}
	b.clock.move(time.Second)
	if a := b.send(again()); a.code() != "InvalidTimeStamp.Expired" {
		t.Errorf("after the window: %d %s", a.status, a.raw)
	}
	// A new signature is a new request: nothing makes a scale-out idempotent.
	if a := b.scale(secureID, 1, nil); a.status != 202 {
		t.Errorf("signed anew: %d %s", a.status, a.raw)
	}
	if got := b.workers(secureID); got != 4 {
		t.Errorf("%d workers, want 4", got)
	}
	b.sim.Cloud(func(c cloudsim.Cloud) {
		if sim := c.(*cloud); len(sim.recent) > 2 || len(sim.nonces) != len(sim.recent) {
			t.Errorf("%d and %d nonces are kept after their time", len(sim.nonces), len(sim.recent))
		}
	})
}

func TestAcceptWindow(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{AcceptWindow: 2 * time.Second})
	r := b.request("GET", "DescribeClusterDetail", "/clusters/"+edgeID, "", nil)
	b.clock.move(2 * time.Second)
	if a := b.send(r); a.status != 200 {
		t.Errorf("in the window: %d %s", a.status, a.raw)
	}
	r = b.request("GET", "DescribeClusterDetail", "/clusters/"+edgeID, "", nil)
	b.clock.move(3 * time.Second)
	if a := b.send(r); a.code() != "InvalidTimeStamp.Expired" {
		t.Errorf("after it: %d %s", a.status, a.raw)
	}
}

func TestQueryForms(t *testing.T) {
	b := newBed(t, Example(), cloudsim.Options{})
	// Order and escapes of a query are the client's affair; so is a key that
	// is another's beginning.
	for _, query := range []string{"page_size=5&page_number=1", "name=a%20b%2Bc*~", "page-x=1&page=2&empty="} {
		if a := b.get("DescribeClustersV1", "/api/v1/clusters?"+query); a.status != 200 {
			t.Errorf("%s: %d %s", query, a.status, a.raw)
		}
	}
	a := b.get("DescribeClusterDetail", "/clusters/no%2Fsuch%20one")
	if a.code() != "ErrorClusterNotFound" || !strings.Contains(a.raw, "requestId") {
		t.Errorf("escaped path: %d %s", a.status, a.raw)
	}
	if a := b.get("DescribeNothing", "/nowhere"); a.status != 404 || a.body["Code"] != "InvalidAction.NotFound" {
		t.Errorf("unknown path: %d %s", a.status, a.raw)
	}
}
