package aliyun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

func TestAPIError(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		body    string
		kind    provider.ErrorKind
		code    string
		request string
		refused bool
	}{
		{"gateway envelope", 404, `{"Code":"InvalidAccessKeyId.NotFound","Message":"m","RequestId":"R"}`, provider.KindUnauthenticated, "InvalidAccessKeyId.NotFound", "R", true},
		{"service envelope", 404, `{"code":"ErrorClusterNotFound","message":"m","requestId":"R"}`, provider.KindNotFound, "ErrorClusterNotFound", "R", true},
		{"request_id", 400, `{"code":"InvalidParameter","message":"m","request_id":"R"}`, provider.KindInvalid, "InvalidParameter", "R", true},
		{"clock", 400, `{"Code":"InvalidTimeStamp.Expired"}`, provider.KindUnauthenticated, "InvalidTimeStamp.Expired", "", true},
		{"signature", 400, `{"Code":"SignatureDoesNotMatch"}`, provider.KindUnauthenticated, "SignatureDoesNotMatch", "", true},
		{"used nonce: a first copy may have been taken", 400, `{"Code":"SignatureNonceUsed"}`, provider.KindUnavailable, "SignatureNonceUsed", "", false},
		{"denied", 403, `{"code":"ErrorCheckAcl"}`, provider.KindDenied, "ErrorCheckAcl", "", true},
		{"denied by RAM", 403, `{"Code":"Forbidden.RAM"}`, provider.KindDenied, "Forbidden.RAM", "", true},
		{"state", 400, `{"code":"ErrorClusterState"}`, provider.KindConflict, "ErrorClusterState", "", true},
		{"quota", 400, `{"code":"QuotaExceeded.Node"}`, provider.KindQuota, "QuotaExceeded.Node", "", true},
		{"money", 400, `{"code":"InsufficientBalance"}`, provider.KindQuota, "InsufficientBalance", "", true},
		{"throttling with any status", 503, `{"code":"Throttling.User"}`, provider.KindThrottled, "Throttling.User", "", true},
		{"throttling in the code's middle", 400, `{"code":"Rejected.Throttling"}`, provider.KindThrottled, "Rejected.Throttling", "", true},
		{"queries per second", 400, `{"code":"QPS Limit Exceeded"}`, provider.KindThrottled, "QPS Limit Exceeded", "", true},
		{"service unavailable", 503, `{"code":"ServiceUnavailable"}`, provider.KindUnavailable, "ServiceUnavailable", "", false},
		{"internal", 500, `{"code":"InternalError"}`, provider.KindUnavailable, "InternalError", "", false},
		{"a refusal's code with a 5xx", 500, `{"code":"InvalidParameter"}`, provider.KindInvalid, "InvalidParameter", "", false},
		{"an unknown code", 400, `{"code":"SomethingNew"}`, provider.KindInvalid, "SomethingNew", "", false},
		{"an unknown code of a 5xx", 502, `{"code":"SomethingNew"}`, provider.KindUnavailable, "SomethingNew", "", false},
		{"not JSON", 415, `code=415, message=Unsupported Media Type`, provider.KindInvalid, "", "H", false},
		{"an empty 404", 404, ``, provider.KindNotFound, "", "H", false},
		{"an empty 429", 429, `{}`, provider.KindThrottled, "", "H", false},
		{"an empty 401", 401, `{}`, provider.KindUnauthenticated, "", "H", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reply := provider.Reply{Status: tt.status, Body: []byte(tt.body), Header: http.Header{}}
			if tt.request == "H" {
				reply.Header.Set("X-Acs-Request-Id", "H")
			}
			got, refused := apiError(reply)
			if got.Kind != tt.kind || got.Code != tt.code || got.RequestID != tt.request || refused != tt.refused {
				t.Errorf("kind %v code %q request %q refused %v", got.Kind, got.Code, got.RequestID, refused)
			}
		})
	}
}

// The host and the cause are told, the rest of the address is not.
func TestNoAnswer(t *testing.T) {
	get := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://cs.example/api/v1/clusters?Signature=canary", Err: err}
	}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	tests := []struct {
		reply provider.Reply
		want  string
	}{
		{provider.Reply{Err: get(refused)}, "no connection to cs.example: connection refused"},
		{provider.Reply{Err: get(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "cs.example"}})},
			"no connection to cs.example: lookup cs.example: no such host"},
		{provider.Reply{Err: get(&net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused})},
			"no connection to cs.example: proxyconnect tcp: dial tcp: connect: connection refused"},
		{provider.Reply{Err: fmt.Errorf("wait for the rate budget: %w", context.Canceled)},
			"nothing was sent: wait for the rate budget: context canceled"},
		{provider.Reply{Sent: true, Err: get(io.EOF)}, "no whole answer from cs.example: EOF"},
		{provider.Reply{Sent: true, Err: io.ErrUnexpectedEOF}, "no whole answer: unexpected EOF"},
	}
	for _, tt := range tests {
		got := noAnswer(tt.reply)
		if got.Error() != tt.want || got.Kind != provider.KindUnavailable {
			t.Errorf("%v: %+v, want %s", tt.reply.Err, got, tt.want)
		}
		if _, cause := unwrap(tt.reply.Err); !errors.Is(got, cause) {
			t.Errorf("%v lost its cause", got)
		}
	}
}

func TestThrottledFor(t *testing.T) {
	tests := []struct {
		api, user string
		want      time.Duration
	}{
		{"", "", 0},
		{"Remain:0,TimeFrame:1000,TimeLeft:480", "", 480 * time.Millisecond},
		{"TimeLeft:480", "Remain:0, TimeLeft:2000", 2 * time.Second},
		{"TimeLeft:soon", "TimeLeft:-5", 0},
		{"TimeLeft:3600000", "", time.Hour},
		{"TimeLeft:3600001", "", 0},
		{"TimeLeft:3600001", "TimeLeft:250", 250 * time.Millisecond},
		{"TimeLeft:99999999999", "", 0},
	}
	for _, tt := range tests {
		h := http.Header{}
		h.Set("x-ratelimit-user-api", tt.api)
		h.Set("x-ratelimit-user", tt.user)
		if got := throttledFor(h); got != tt.want {
			t.Errorf("%q, %q: %v, want %v", tt.api, tt.user, got, tt.want)
		}
	}
}
