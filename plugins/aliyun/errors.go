package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// A rule sorts error codes. The API has no complete list of its codes, so the
// table holds the gateway's common codes ("OpenAPI error codes", client
// errors) and the few of the service that clients of it are known to meet.
type rule struct {
	code   string
	prefix bool // also code followed by anything, as in "InvalidParameter.Count"
	kind   provider.ErrorKind
	// refused says that the code means that nothing was done.
	refused bool
}

var rules = []rule{
	// Gateway: the request did not reach the service.
	{"InvalidAccessKeyId", true, provider.KindUnauthenticated, true},
	{"InvalidSecurityToken", true, provider.KindUnauthenticated, true},
	{"MissingSecurityToken", true, provider.KindUnauthenticated, true},
	{"SignatureDoesNotMatch", true, provider.KindUnauthenticated, true},
	{"IncompleteSignature", true, provider.KindUnauthenticated, true},
	{"InvalidTimeStamp", true, provider.KindUnauthenticated, true},
	{"Forbidden", true, provider.KindDenied, true},
	{"NoPermission", true, provider.KindDenied, true},
	{"InvalidApi.NotFound", false, provider.KindUnsupported, true},
	{"InvalidProduct.NotFound", false, provider.KindUnsupported, true},
	{"UnsupportedHTTPMethod", false, provider.KindUnsupported, true},
	{"Missing", true, provider.KindInvalid, true},
	// A used nonce means that this very message came before: the first copy
	// may have been taken. A read signs afresh, so it may be tried again.
	{"SignatureNonceUsed", false, provider.KindUnavailable, false},

	// Service.
	{"ErrorClusterNotFound", false, provider.KindNotFound, true},
	{"ErrorNodePoolNotFound", false, provider.KindNotFound, true},
	{"ErrorClusterState", false, provider.KindConflict, true},
	{"ErrorClusterNameAlreadyExist", false, provider.KindConflict, true},
	{"DependencyViolation", true, provider.KindConflict, true},
	{"ErrorCheckAcl", false, provider.KindDenied, true},
	{"QuotaExceeded", true, provider.KindQuota, true},
	{"InsufficientBalance", false, provider.KindQuota, true},
	{"InvalidParameter", true, provider.KindInvalid, true},
	{"ServiceUnavailable", true, provider.KindUnavailable, false},
	{"InternalError", true, provider.KindUnavailable, false},
	{"InternalFailure", true, provider.KindUnavailable, false},
}

// classify sorts an error answer by its code, and by the status only when the
// code says nothing. Throttling is told by the code alone: its status varies.
func classify(code string, status int) (kind provider.ErrorKind, refused bool) {
	if strings.Contains(code, "Throttling") || strings.Contains(code, "QPS Limit Exceeded") {
		return provider.KindThrottled, true
	}
	for _, r := range rules {
		if code == r.code || r.prefix && strings.HasPrefix(code, r.code) {
			// Whatever a 5xx says, the service may have begun.
			return r.kind, r.refused && status >= 400 && status < 500
		}
	}
	switch {
	case status == http.StatusUnauthorized:
		return provider.KindUnauthenticated, false
	case status == http.StatusForbidden:
		return provider.KindDenied, false
	case status == http.StatusNotFound:
		return provider.KindNotFound, false
	case status == http.StatusTooManyRequests:
		return provider.KindThrottled, false
	case status >= 400 && status < 500:
		return provider.KindInvalid, false
	default:
		return provider.KindUnavailable, false
	}
}

// apiError reads an answer that is not a success. Its second result says
// whether the code means that nothing was done.
func apiError(reply provider.Reply) (*provider.Error, bool) {
	// The gateway writes Code, Message, RequestId, the service code, message,
	// requestId; decoding ignores the case.
	var body struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		RequestID string `json:"requestId"`
		Snake     string `json:"request_id"`
	}
	if json.Unmarshal(reply.Body, &body) != nil || body.Code == "" {
		e := provider.Errorf(provider.KindUnavailable, "the cloud answered status %d without a readable code", reply.Status)
		e.Kind, _ = classify("", reply.Status)
		e.RequestID = reply.Header.Get("x-acs-request-id")
		return e, false
	}
	kind, refused := classify(body.Code, reply.Status)
	e := &provider.Error{Kind: kind, Code: body.Code, Message: body.Message}
	for _, id := range []string{body.RequestID, body.Snake, reply.Header.Get("x-acs-request-id")} {
		if e.RequestID == "" {
			e.RequestID = id
		}
	}
	if kind == provider.KindThrottled {
		e.RetryAfter = throttledFor(reply.Header)
	}
	return e, refused
}

// throttledFor is the longer of the waits that the rate-limit headers ask for,
// each a list such as "Remain:0,TimeFrame:1000,TimeLeft:480" in milliseconds.
func throttledFor(h http.Header) time.Duration {
	var wait time.Duration
	for _, name := range []string{"x-ratelimit-user-api", "x-ratelimit-user"} {
		for pair := range strings.SplitSeq(h.Get(name), ",") {
			key, value, _ := strings.Cut(strings.TrimSpace(pair), ":")
			ms, err := strconv.Atoi(strings.TrimSpace(value))
			// More than an hour is no answer to wait for.
			if key == "TimeLeft" && err == nil && ms > 0 && ms <= 3_600_000 {
				wait = max(wait, time.Duration(ms)*time.Millisecond)
			}
		}
	}
	return wait
}

// decodeReply turns the reply to a read into out, or into an error whose kind
// says whether another try may help.
func decodeReply(ctx context.Context, reply provider.Reply, out any) error {
	if reply.Err != nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		if errors.Is(reply.Err, context.DeadlineExceeded) && !reply.Sent {
			return reply.Err // the budget leaves no time before ctx ends
		}
		return noAnswer(reply)
	}
	if reply.Status < 200 || reply.Status > 299 {
		e, _ := apiError(reply)
		return e
	}
	if err := json.Unmarshal(reply.Body, out); err != nil {
		return provider.Errorf(provider.KindUnavailable, "an unreadable answer of status %d: %w", reply.Status, err)
	}
	return nil
}

// noAnswer types an exchange that brought no whole answer, or a send that ended
// before it.
func noAnswer(reply provider.Reply) *provider.Error {
	host, cause := unwrap(reply.Err)
	switch {
	case reply.Sent && host == "":
		return provider.Errorf(provider.KindUnavailable, "no whole answer: %w", cause)
	case reply.Sent:
		return provider.Errorf(provider.KindUnavailable, "no whole answer from %s: %w", host, cause)
	case host == "":
		return provider.Errorf(provider.KindUnavailable, "nothing was sent: %w", cause)
	}
	return provider.Errorf(provider.KindUnavailable, "no connection to %s: %w", host, cause)
}

// unwrap takes the host out of an exchange's error, and the cause without the
// rest of the request's address, which is not ours to show, and without
// "dial tcp ADDRESS: connect:", which says the host again.
func unwrap(err error) (host string, cause error) {
	cause = err
	var u *url.Error
	if errors.As(cause, &u) {
		cause = u.Err
		if address, parseErr := url.Parse(u.URL); parseErr == nil {
			host = address.Host
		}
	}
	var dial *net.OpError
	if errors.As(cause, &dial) && dial.Op == "dial" {
		cause = dial.Err
		var call *os.SyscallError
		if errors.As(cause, &call) {
			cause = call.Err
		}
	}
	return host, cause
}

// gone says that the cloud knows no such cluster. A bare 404 is not enough: a
// wrong address answers with it too.
func gone(err error) bool {
	var e *provider.Error
	return errors.As(err, &e) && e.Code == "ErrorClusterNotFound"
}
