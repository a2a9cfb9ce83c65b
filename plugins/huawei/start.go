package huawei

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Start implements provider.Provider. An accepted resize has no handle: the
// cloud gives none, and its progress shows in the cluster alone.
func (p *Provider) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	r, invalid := parseResize(req.Request)
	switch {
	case invalid != nil && req.CheckOnly:
		return provider.Answer{Outcome: provider.OutcomeRefused, Error: invalid}
	case invalid != nil:
		return unsent(invalid)
	case req.CheckOnly: // no secret is part of a resize
		return provider.Answer{Outcome: provider.OutcomeUnsent}
	}
	c, err := p.configured()
	if err != nil {
		return unsent(err)
	}
	body, err := json.Marshal(r.Body)
	if err != nil {
		return unsent(err)
	}
	if err := c.enter(ctx); err != nil {
		return unsent(provider.Errorf(provider.KindUnavailable, "waiting for the rate limit: %w", err))
	}
	defer c.leave()
	httpReq, err := c.request(ctx, http.MethodPut, "cluster_infos/"+r.ClusterID, nil, body)
	if err != nil {
		return unsent(err)
	}
	return judge(provider.Exchange(c.changes, httpReq), c.scrub(httpReq))
}

func unsent(err error) provider.Answer {
	return provider.Answer{Outcome: provider.OutcomeUnsent, Error: provider.AsError(err)}
}

// judge says what is known after the one exchange. Only what the documents
// settle is refused or accepted; the rest stays unknown.
func judge(reply provider.Reply, scrub func(string) string) provider.Answer {
	if reply.Err != nil {
		a := provider.Answer{
			Error:     noAnswer(reply),
			RequestID: requestID(reply),
		}
		if !reply.Sent {
			a.Outcome = provider.OutcomeUnsent
		}
		return a
	}
	var body struct {
		Result string `json:"result"`
	}
	decoded := json.Unmarshal(reply.Body, &body) == nil
	e := replyError(reply, scrub)
	a := provider.Answer{RequestID: e.RequestID, At: reply.Date(time.Time{})}
	m, known := meanings[e.Code]
	switch {
	case reply.Status/100 == 2 && e.Code == "" && decoded && body.Result == "succeeded":
		a.Outcome = provider.OutcomeAccepted
		return a
	case reply.Status/100 == 2 && e.Code == "":
		e.Kind, e.Message = provider.KindUnavailable, "the answer does not say whether the resize was accepted"
	case reply.Status >= 500 || reply.Status/100 == 3:
		// Even with a code: something failed on the way, and it may have been the answer.
	case known && m.refuses:
		a.Outcome = provider.OutcomeRefused
	case !known && (reply.Status == http.StatusUnauthorized || reply.Status == http.StatusForbidden || reply.Status == http.StatusTooManyRequests):
		// The gateway judges these three before it passes a request on.
		a.Outcome = provider.OutcomeRefused
	}
	a.Error = e
	return a
}
