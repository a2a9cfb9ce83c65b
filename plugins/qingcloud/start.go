package qingcloud

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Start implements provider.Provider.
func (p *plugin) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	r, err := parseRequest(req.Request)
	if err == nil {
		err = r.checkSecrets(req.Secrets)
	}
	if err != nil {
		e := provider.Errorf(provider.KindInvalid, "%w", err)
		if req.CheckOnly {
			return provider.Answer{Outcome: provider.OutcomeRefused, Error: e}
		}
		return provider.Answer{Outcome: provider.OutcomeUnsent, Error: e}
	}
	if req.CheckOnly {
		// A placeholder passes: it is sound as far as it can be before the
		// create, and the engine checks all of a plan before its first send.
		return provider.Answer{Outcome: provider.OutcomeUnsent}
	}
	if r.placeholder() {
		return unsent(provider.KindInvalid, "resizeCluster needs the id of the cluster that the create before it makes: plan again")
	}
	a, err := p.configured()
	if err != nil {
		return unsent(provider.KindInternal, err.Error())
	}
	reply, hidden, err := a.change(ctx, "/api/cluster/"+r.Call, r.body(req.Secrets))
	if err != nil {
		return unsent(provider.KindInternal, err.Error())
	}
	for _, path := range r.Secrets {
		hidden = append(hidden, req.Secrets[path])
	}
	return classify(r, reply, p.now(), hidden)
}

func unsent(kind provider.ErrorKind, message string) provider.Answer {
	return provider.Answer{Outcome: provider.OutcomeUnsent, Error: &provider.Error{Kind: kind, Message: message}}
}

// classify says what an answer to a change proves. Only a ret_code does, in an
// HTTP 200 as the vendor's other API answers even errors; the rest may come
// from anything on the way while the change goes on.
func classify(r request, reply provider.Reply, now time.Time, hidden []string) provider.Answer {
	if reply.Status == 0 {
		e := networkError(reply.Err)
		e.Message = r.Call + ": " + e.Message
		answer := provider.Answer{Error: e}
		if !reply.Sent {
			answer.Outcome = provider.OutcomeUnsent
		}
		return answer
	}
	answer := provider.Answer{At: reply.Date(time.Time{})}
	unknown := func(format string, args ...any) provider.Answer {
		answer.Error = provider.Errorf(provider.KindUnavailable, r.Call+": "+format, args...)
		return answer
	}
	var body struct {
		envelope
		Job     words `json:"job_id"`
		Cluster words `json:"hpc_cluster_id"`
	}
	decodeErr := json.Unmarshal(reply.Body, &body)
	switch {
	case reply.Err != nil:
		return unknown("the answer broke off: %w", networkError(reply.Err))
	case reply.Status != http.StatusOK:
		return unknown("the answer is HTTP %d", reply.Status)
	case decodeErr != nil || !body.RetCode.set:
		return unknown("the answer cannot be read")
	}
	if code := body.RetCode.n; code != 0 {
		answer.Error = codeError(body.envelope, reply, now, hidden, true)
		answer.Error.Message = r.Call + ": " + answer.Error.Message
		if _, documented := refusals[code]; documented {
			answer.Outcome = provider.OutcomeRefused
		}
		return answer
	}
	answer.Outcome = provider.OutcomeAccepted
	cluster, _ := r.Body["cluster_id"].(string)
	if r.Call == createCluster {
		cluster = first(body.Cluster)
		answer.ClusterID = cluster
	}
	if job := first(body.Job); job != "" {
		answer.Operation.Handle = handle{Job: job, Cluster: cluster}.bytes()
	}
	return answer
}

func first(w words) string {
	if len(w) == 0 {
		return ""
	}
	return w[0]
}

// handle is what Poll needs of an operation.
type handle struct {
	Job     string `json:"job_id"`
	Cluster string `json:"cluster_id,omitempty"`
}

// bytes are the handle's JSON; none when the cloud's ids are absurdly long.
func (h handle) bytes() []byte {
	b := provider.Raw(h)
	if len(b) > provider.MaxHandle {
		return nil
	}
	return b
}

func parseHandle(b []byte) (handle, error) {
	var h handle
	if err := json.Unmarshal(b, &h); err != nil || h.Job == "" || strings.ContainsRune(h.Job, '/') {
		return h, fmt.Errorf("the operation's handle is not one of this plugin's")
	}
	return h, nil
}

// find is the job of that id: the log's filter is not trusted.
func (h handle) find(jobs []jobItem) (jobItem, bool) {
	i := slices.IndexFunc(jobs, func(j jobItem) bool { return j.ID == h.Job })
	if i < 0 {
		return jobItem{}, false
	}
	return jobs[i], true
}
