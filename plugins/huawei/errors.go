package huawei

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// meaning is what one of the cloud's codes says. The zero value of refuses is
// the cautious one: after such an answer the resize may still happen.
type meaning struct {
	kind    provider.ErrorKind
	refuses bool   // nothing was done
	text    string // ours, where the cloud's own words are missing
}

// meanings holds the codes of the resize call (MRS API, cluster resize, table
// 6), the few that the service's English reference adds to the same path, and
// the gateway's. Nearly all come with status 400, "does not exist" included,
// so the code decides and not the status.
var meanings = map[string]meaning{
	"12000001": {provider.KindUnauthenticated, true, "the identity check failed"},
	"12000002": {provider.KindInvalid, true, "a parameter is invalid"},
	"12000003": {provider.KindNotFound, true, "the cluster does not exist"},
	"12000009": {provider.KindInvalid, true, "a method parameter is invalid"},
	"12000012": {provider.KindConflict, true, "the cluster is busy with jobs"},
	"12000013": {provider.KindInternal, false, "the removal of nodes failed"},
	"12000014": {provider.KindInternal, false, "the addition of nodes failed"},
	"12000017": {provider.KindConflict, true, "the cluster is not in state running"},
	"12000018": {provider.KindConflict, true, "nodes are already being added or removed"},
	"12000019": {provider.KindUnavailable, false, "the list of hosts could not be read"},
	"12000021": {provider.KindConflict, true, "the cluster is in a state that does not permit this"},
	"12000028": {provider.KindQuota, true, "the cluster has as many Core nodes as it may have"},
	"12000029": {provider.KindUnavailable, false, "the quota could not be read"},
	"12000030": {provider.KindQuota, true, "the quota of nodes is exceeded"},
	"12000031": {provider.KindQuota, true, "the quota of CPU cores is exceeded"},
	"12000032": {provider.KindQuota, true, "the quota of memory is exceeded"},
	"12000033": {provider.KindQuota, true, "the quota of disks is exceeded"},
	"12000034": {provider.KindQuota, true, "the quota of disk space is exceeded"},
	"12000043": {provider.KindConflict, true, "a cluster of this name exists"},
	"12000054": {provider.KindUnsupported, true, "the operation is not supported"},
	"12000065": {provider.KindUnsupported, true, "a yearly/monthly cluster cannot be resized"},
	"12000067": {provider.KindUnsupported, true, "the cluster's version is too old to add nodes"},
	"12000068": {provider.KindConflict, true, "some nodes are not running"},
	"12000080": {provider.KindConflict, true, "some nodes are not running"},
	"12000090": {provider.KindQuota, true, "the node size is not available"},
	"12000094": {provider.KindQuota, true, "the node size is not available"},
	"12000121": {provider.KindConflict, true, "an unpaid order blocks the addition of nodes"},
	"12000123": {provider.KindInvalid, true, "Task nodes exist, so their size cannot be given"},
	"12000124": {provider.KindConflict, true, "the number of Task nodes is under auto scaling"},
	"12000125": {provider.KindConflict, true, "nodes are being added or removed"},
	"12000127": {provider.KindUnavailable, false, "the cluster could not be locked"},
	"12000128": {provider.KindUnavailable, false, "the cluster could not be unlocked"},
	"12000139": {provider.KindQuota, true, "the disk type is sold out"},
	"12000140": {provider.KindQuota, true, "the disk type is sold out"},
	"12000233": {provider.KindQuota, true, "the node size is sold out"},
	"12000234": {provider.KindQuota, true, "the node size is sold out"},

	"MRS.101": {provider.KindQuota, true, "the quota of requests is exceeded"},
	"MRS.102": {provider.KindUnauthenticated, true, "the token is empty or invalid"},
	"MRS.103": {provider.KindInvalid, true, "the request is not legal"},
	"MRS.104": {provider.KindQuota, true, "resources are insufficient"},
	"MRS.105": {provider.KindQuota, true, "the subnet has too few free addresses"},
	"MRS.201": {provider.KindUnavailable, false, "the server service (ECS) failed"},
	"MRS.202": {provider.KindUnavailable, false, "the identity service (IAM) failed"},
	"MRS.203": {provider.KindUnavailable, false, "the network service (VPC) failed"},
	"MRS.300": {provider.KindUnavailable, false, "MRS failed internally"},

	"APIGW.0301": {provider.KindUnauthenticated, true, "the signature is wrong"},
	"APIG.0301":  {provider.KindUnauthenticated, true, "the signature is wrong"},
	"APIG.0308":  {provider.KindThrottled, true, "too many requests"},
	// Not "not found": that would say that a cluster is gone.
	"APIG.0101": {provider.KindUnsupported, true, "the endpoint does not know this call"},
}

// statusKind sorts answers without a known code.
func statusKind(status int) provider.ErrorKind {
	switch {
	case status == http.StatusUnauthorized:
		return provider.KindUnauthenticated
	case status == http.StatusForbidden:
		return provider.KindDenied
	case status == http.StatusNotFound:
		return provider.KindNotFound
	case status == http.StatusConflict:
		return provider.KindConflict
	case status == http.StatusTooManyRequests:
		return provider.KindThrottled
	case status >= 500:
		return provider.KindUnavailable
	case status >= 400:
		return provider.KindInvalid
	}
	return provider.KindInternal
}

// envelope is an error as the service, its newer calls, and the gateway write it.
type envelope struct {
	ErrorCode  word   `json:"error_code"`
	ErrorMsg   string `json:"error_msg"`
	ErrorCode2 word   `json:"errorCode"`
	ErrorMsg2  string `json:"errorMsg"`
	Code       word   `json:"code"`
	Message    string `json:"message"`
	RequestID  string `json:"request_id"`
}

// maxMessage bounds how much of a cloud's message is repeated.
const maxMessage = 500

// replyError types an answer that is no success.
func replyError(r provider.Reply, scrub func(string) string) *provider.Error {
	e := &provider.Error{Kind: statusKind(r.Status), RequestID: requestID(r)}
	var body envelope
	if err := json.Unmarshal(r.Body, &body); err != nil && len(r.Body) > 0 && e.Kind == provider.KindNotFound {
		// A page of some proxy: it does not say that a cluster is gone.
		e.Kind = provider.KindUnavailable
	}
	e.Code = firstOf(string(body.ErrorCode), string(body.ErrorCode2), string(body.Code))
	e.Message = firstOf(body.ErrorMsg, body.ErrorMsg2, body.Message)
	e.RequestID = firstOf(e.RequestID, body.RequestID)
	m, known := meanings[e.Code]
	if known {
		e.Kind = m.kind
	}
	if s, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && s > 0 && e.Kind == provider.KindThrottled {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	if e.Message == "" {
		e.Message = firstOf(m.text, fmt.Sprintf("the cloud answered with status %d", r.Status))
	}
	e.Message = shorten(scrub(e.Message))
	return e
}

// noAnswer types an exchange that brought no whole answer.
func noAnswer(r provider.Reply) *provider.Error {
	host, cause := unwrap(r.Err)
	what := "no whole answer from"
	if !r.Sent {
		what = "no connection to"
	}
	return provider.Errorf(provider.KindUnavailable, "%s %s: %w", what, host, cause)
}

// unwrap takes the host out of an exchange's error, and the cause without the
// rest of the request's address, which is not ours to show, and without
// "dial tcp ADDRESS: connect:", which says the host again.
func unwrap(err error) (host string, cause error) {
	host, cause = "the cloud", err
	var u *url.Error
	if errors.As(cause, &u) {
		cause = u.Err
		if address, parseErr := url.Parse(u.URL); parseErr == nil && address.Host != "" {
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

func requestID(r provider.Reply) string { return r.Header.Get("X-Request-Id") }

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func shorten(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + " …"
}

// codeInText finds a code in progress texts, where the cloud reports what went
// wrong after it had accepted a change: "(MRS.104) …".
var codeInText = regexp.MustCompile(`\b(MRS\.[0-9]{3}|12[0-9]{6})\b`)

// explain appends our words for a code that a progress text holds.
func explain(text string) string {
	code := codeInText.FindString(text)
	if m, ok := meanings[code]; ok {
		return text + " [" + code + ": " + m.text + "]"
	}
	return text
}
