package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Start implements provider.Provider.
func (p *plugin) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	path, raw, err := signable(req)
	switch {
	case err != nil && req.CheckOnly:
		return provider.Answer{Outcome: provider.OutcomeRefused, Error: err}
	case err != nil:
		return provider.Answer{Outcome: provider.OutcomeUnsent, Error: err}
	case req.CheckOnly:
		return provider.Answer{Outcome: provider.OutcomeUnsent}
	case p.session == nil:
		return provider.Answer{Outcome: provider.OutcomeUnsent, Error: provider.AsError(errNotConfigured)}
	}
	reply := p.client.send(ctx, p.client.writes, call{
		action: actionScaleOut, method: http.MethodPost, path: path, body: raw,
	})
	answer := judge(reply)
	if answer.Error != nil {
		// The cloud may quote what it refuses.
		answer.Error = redact(answer.Error, req.Secrets)
	}
	return answer
}

// signable is the path and the whole body, password included, of a request
// that Plan made. The body stands in memory only.
func signable(req provider.StartRequest) (path string, raw []byte, failure *provider.Error) {
	parsed, b, err := parseScaleOut(req.Request)
	if err != nil {
		return "", nil, provider.Errorf(provider.KindInvalid, "request: %w", err)
	}
	if f := b.fields(); f.keyPair == "" {
		password, ok := req.Secrets[secretPassword]
		if !ok {
			return "", nil, provider.Errorf(provider.KindInvalid, "secret %s was not passed", secretPassword)
		}
		if err := checkPassword(password); err != nil {
			return "", nil, provider.Errorf(provider.KindInvalid, "%w", err)
		}
		*f.password = password
	}
	raw, err = encode(b)
	if err != nil {
		return "", nil, provider.Errorf(provider.KindInvalid, "request: the body cannot be encoded")
	}
	return "/api/v2/clusters/" + parsed.ClusterID, raw, nil
}

// judge says what is known after the one send. Only a code of the table that
// means that nothing was done is a refusal; the rest is unknown, because the
// call has no client token that would make a repetition safe.
func judge(reply provider.Reply) provider.Answer {
	answer := provider.Answer{At: reply.Date(time.Time{})}
	switch {
	case !reply.Sent:
		answer.Outcome = provider.OutcomeUnsent
		answer.Error = noAnswer(reply)
		return answer
	case reply.Err != nil:
		answer.Error = noAnswer(reply)
		return answer
	case reply.Status < 200 || reply.Status > 299:
		failure, refused := apiError(reply)
		if refused {
			answer.Outcome = provider.OutcomeRefused
		}
		answer.RequestID, answer.Error = failure.RequestID, failure
		return answer
	}
	var body struct {
		RequestID string `json:"request_id"`
		TaskID    string `json:"task_id"`
	}
	if err := json.Unmarshal(reply.Body, &body); err != nil {
		answer.Error = provider.Errorf(provider.KindUnavailable, "an unreadable answer of status %d: %w", reply.Status, err)
		return answer
	}
	answer.RequestID = body.RequestID
	if !validHandle([]byte(body.TaskID)) {
		answer.Error = provider.Errorf(provider.KindUnavailable, "an answer of status %d without a task_id", reply.Status)
		return answer
	}
	answer.Outcome = provider.OutcomeAccepted
	answer.Operation.Handle = []byte(body.TaskID)
	return answer
}

// redact takes resolved secrets out of an error's text.
func redact(e *provider.Error, secrets map[string]string) *provider.Error {
	clean := *e
	clean.Err = nil // a cause could carry the text a second time
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(e, end) {
			clean.Err = end
		}
	}
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		quoted, _ := encode(secret) // a string always encodes
		for _, form := range []string{string(quoted[1 : len(quoted)-1]), secret} {
			clean.Message = strings.ReplaceAll(clean.Message, form, "(secret)")
		}
	}
	return &clean
}
