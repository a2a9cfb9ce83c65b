package qingcloud

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// codeExpired refuses a signature's time.
const codeExpired = "1300"

// meaning is what a ret_code says (EHPC API, error codes).
type meaning struct {
	text string
	// read is the kind of a read's error, change that of a change's.
	read, change provider.ErrorKind
}

// refusals are the codes that say that nothing was done. Codes that stand here
// are documented one by one; all others, 5000 above all, leave a change's
// outcome unknown.
var refusals = map[int64]meaning{
	1100: {"a parameter is missing or malformed", provider.KindInvalid, provider.KindInvalid},
	1101: {"no such action, or a wrong parameter value", provider.KindInvalid, provider.KindInvalid},
	1200: {"the key is unknown or the signature is wrong", provider.KindUnauthenticated, provider.KindUnauthenticated},
	1300: {"the signature's time was refused", provider.KindUnauthenticated, provider.KindUnauthenticated},
	// "Not permitted, or the resource is in a state that cannot change": a
	// read changes nothing, so for a read only the first is left.
	1400: {"not permitted, or not in this state", provider.KindDenied, provider.KindConflict},
	2000: {"the session is not valid", provider.KindUnauthenticated, provider.KindUnauthenticated},
	2100: {"no such resource", provider.KindNotFound, provider.KindNotFound},
	2110: {"the resource exists already", provider.KindConflict, provider.KindConflict},
	2200: {"the lease was refused", provider.KindQuota, provider.KindQuota},
	2300: {"the lease was refused", provider.KindQuota, provider.KindQuota},
	2400: {"the balance is too low", provider.KindQuota, provider.KindQuota},
	// Of resources or of calls: a read uses up none but calls.
	2500: {"a quota is used up", provider.KindThrottled, provider.KindQuota},
	5100: {"the service is busy", provider.KindUnavailable, provider.KindUnavailable},
	5200: {"there is not enough capacity", provider.KindQuota, provider.KindQuota},
	5300: {"the service is being updated", provider.KindUnavailable, provider.KindUnavailable},
	5400: {"something depends on the resource", provider.KindConflict, provider.KindConflict},
}

// envelope is what every answer holds.
type envelope struct {
	RetCode number `json:"ret_code"`
	Message string `json:"message"`
}

// readError judges the answer to a read; nil is success.
func readError(reply provider.Reply, now time.Time, hidden []string) *provider.Error {
	if reply.Status == 0 || reply.Err != nil {
		return networkError(reply.Err)
	}
	var env envelope
	decodeErr := json.Unmarshal(reply.Body, &env)
	known := decodeErr == nil && env.RetCode.set
	if known && env.RetCode.n != 0 {
		return codeError(env, reply, now, hidden, false)
	}
	if reply.Status != http.StatusOK {
		return statusError(reply)
	}
	if !known {
		return provider.Errorf(provider.KindUnavailable, "the answer holds no ret_code")
	}
	return nil
}

// codeError turns a ret_code other than 0 into an error.
func codeError(env envelope, reply provider.Reply, now time.Time, hidden []string, change bool) *provider.Error {
	code := env.RetCode.n
	e := &provider.Error{Code: strconv.FormatInt(code, 10), Message: clip(hide(env.Message, hidden))}
	m, ok := refusals[code]
	switch {
	case ok && change:
		e.Kind = m.change
	case ok:
		e.Kind = m.read
	case code == 5000:
		m.text, e.Kind = "an internal error of the cloud", provider.KindUnavailable
	case code/100 == 15 || code/100 == 16 || code/100 == 40: // accounts, licences
		e.Kind = provider.KindDenied
	}
	if m.text != "" {
		if e.Message != "" {
			e.Message = ": " + e.Message
		}
		e.Message = m.text + e.Message
	}
	if e.Code == codeExpired {
		if at := reply.Date(time.Time{}); !at.IsZero() {
			e.Message += fmt.Sprintf(" (the cloud's clock says %s, this machine's %s)",
				at.UTC().Format(timeLayout), now.UTC().Format(timeLayout))
		}
	}
	if e.Kind == provider.KindThrottled {
		e.RetryAfter = retryAfter(reply)
	}
	return e
}

// statusError is for an answer that is not the API's own: a gateway's.
func statusError(reply provider.Reply) *provider.Error {
	e := provider.Errorf(provider.KindInternal, "the answer is HTTP %d without a ret_code", reply.Status)
	switch {
	case reply.Status == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = provider.KindThrottled, retryAfter(reply)
	case reply.Status >= 500:
		e.Kind = provider.KindUnavailable
	case reply.Status == http.StatusUnauthorized:
		e.Kind = provider.KindUnauthenticated
	case reply.Status == http.StatusForbidden:
		e.Kind = provider.KindDenied
	}
	return e
}

// retryAfter reads the header's seconds; zero leaves the wait to the caller.
func retryAfter(reply provider.Reply) time.Duration {
	seconds, err := strconv.Atoi(reply.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 3600)) * time.Second
}

// clip keeps a message to a length that people read.
func clip(s string) string {
	const most = 600
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
