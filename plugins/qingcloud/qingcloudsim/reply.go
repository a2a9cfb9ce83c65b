package qingcloudsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// The ret_codes that the simulator answers by itself (API reference, error
// codes). Any other comes with a fault that names it.
const (
	codeMalformed  = 1100 // a parameter is missing or malformed
	codeBadValue   = 1101 // no such action, or a wrong parameter value
	codeAuth       = 1200 // unknown key or wrong signature
	codeExpired    = 1300 // the timestamp is too old
	codeDenied     = 1400 // not permitted, or the resource is in a state that cannot change
	codeNotFound   = 2100 // no such resource
	codeQuota      = 2500 // too many resources, or too many calls
	codeInternal   = 5000 // internal error
	codeServerBusy = 5100 // busy
)

// words open a message, as in the documented "PermissionDenied, …".
var words = map[int]string{
	codeMalformed:  "InvalidRequestFormat",
	codeBadValue:   "InvalidParameterValue",
	codeAuth:       "AuthFailure",
	codeExpired:    "RequestHasExpired",
	codeDenied:     "PermissionDenied",
	codeNotFound:   "ResourceNotFound",
	codeQuota:      "QuotasExceeded",
	codeInternal:   "InternalError",
	codeServerBusy: "ServerBusy",
}

// refusal is an error answer. Its message names parameters and ids but repeats
// no other value of the request, so that it can hold no secret.
type refusal struct {
	Message string `json:"message"`
	RetCode int    `json:"ret_code"`
}

func refuse(code int, format string, args ...any) *refusal {
	word := words[code]
	if word == "" {
		word = "Refused"
	}
	return &refusal{word + ", " + fmt.Sprintf(format, args...), code}
}

// write sends one JSON answer. Errors come with HTTP 200 too (assumption: the
// vendor's other API answers so, and the pages show only the body). The Date
// header is the cloud's clock.
func write(w http.ResponseWriter, now time.Time, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // answers are plain structs; this is a bug of ours
	}
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Refuse answers an injected fault. A throttled call gets 2500 and HTTP 200. An
// error gets the fault's status (500, or 200 when it names only a code) with
// the fault's code, else 5100 for HTTP 503 and 5000 for the rest.
func (c *cloud) Refuse(w http.ResponseWriter, f cloudsim.Fault) {
	status, code := f.Status, codeInternal
	if f.Status == http.StatusServiceUnavailable {
		code = codeServerBusy
	}
	if f.Kind == cloudsim.Throttle {
		code = codeQuota
	}
	if status == 0 {
		status = http.StatusInternalServerError
		if f.Kind == cloudsim.Throttle || f.Code != "" {
			status = http.StatusOK
		}
	}
	if named, err := strconv.Atoi(f.Code); err == nil {
		code = named
	}
	why := "the service cannot answer now"
	if f.Kind == cloudsim.Throttle {
		why = "too many API calls"
	}
	write(w, c.opts.Now(), status, refuse(code, "%s", why))
}

// stamp is how the API writes times.
const stamp = "2006-01-02T15:04:05Z"

func stamped(t time.Time) string { return t.UTC().Format(stamp) }
