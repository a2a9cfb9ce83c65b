package aliyunsim

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// refusal is an error answer. The gateway capitalises its members, the
// container service does not, and one answer is no JSON at all.
type refusal struct {
	status        int
	code, message string
	envelope      envelope
}

type envelope int

const (
	fromService envelope = iota
	fromGateway
	plainLine
)

func gateway(status int, code, message string) refusal {
	return refusal{status, code, message, fromGateway}
}

func service(status int, code, message string) refusal {
	return refusal{status, code, message, fromService}
}

// invalid refuses a parameter. Choice: no official list of codes was found; a
// third party's note has this one.
func invalid(format string, args ...any) refusal {
	return service(http.StatusBadRequest, "InvalidParameter", fmt.Sprintf(format, args...))
}

// unsupportedMedia is what a write without a JSON content type gets: a plain
// line (issue 121 of aliyun-openapi-python-sdk).
var unsupportedMedia = refusal{http.StatusUnsupportedMediaType, "415", "Unsupported Media Type", plainLine}

// refuse answers and, for a changing request, records the refusal.
func (c *cloud) refuse(q *call, e refusal) {
	if q.Changes {
		c.opts.Log.Record(q.ctx, cloudsim.Entry{
			Time: c.opts.Now(), Event: "request", Cloud: c.Name(), Call: q.Name, Cluster: q.Cluster, Group: group,
			Outcome: "refused", Code: e.code, RequestID: q.id, Count: q.count,
		})
	}
	e.write(q.w, q.id)
}

func (e refusal) write(w http.ResponseWriter, request string) {
	switch e.envelope {
	case plainLine:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(e.status)
		_, _ = io.WriteString(w, "code="+e.code+", message="+e.message)
	case fromGateway:
		reply(w, e.status, map[string]string{"Code": e.code, "Message": e.message, "RequestId": request})
	default:
		reply(w, e.status, map[string]string{"code": e.code, "message": e.message, "requestId": request})
	}
}

// Refuse answers a throttled request or one that met an ill server. Throttling
// tells itself by its code, not by its status, and says in a header how many
// milliseconds are left: f.Delay, or 200.
func (c *cloud) Refuse(w http.ResponseWriter, f cloudsim.Fault) {
	id := c.stamp(w)
	status, code, message := f.Status, f.Code, "The server has encountered some unknown errors."
	if f.Kind == cloudsim.Throttle {
		left := f.Delay
		if left == 0 {
			left = 200 * time.Millisecond
		}
		header := "x-ratelimit-user"
		if code == "Throttling.Api" {
			header = "x-ratelimit-user-api"
		}
		w.Header().Set(header, fmt.Sprintf("Limit:10,Remain:0,TimeLeft:%d,Reset:%d", left.Milliseconds(), c.opts.Now().Add(left).Unix()))
		fill(&code, "Throttling.User")
		message = "Request was denied due to user flow control."
		if status == 0 {
			status = http.StatusBadRequest
		}
	}
	if status == 0 {
		status = http.StatusInternalServerError
	}
	if status == http.StatusServiceUnavailable {
		fill(&code, "ServiceUnavailable")
	}
	fill(&code, "InternalError")
	// Choice: the gateway speaks for itself when it throttles and for a
	// service that it cannot reach; an ill service speaks for itself.
	if strings.HasPrefix(code, "Throttling") || status > http.StatusInternalServerError {
		gateway(status, code, message).write(w, id)
		return
	}
	service(status, code, message).write(w, id)
}
