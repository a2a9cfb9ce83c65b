package huawei

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const (
	readTimeout   = 60 * time.Second
	changeTimeout = 2 * time.Minute
	// readTries and firstWait: a throttled or failed read is tried again after
	// about 1, 2, 4 and 8 seconds (the gateway says nothing of when).
	readTries = 5
	firstWait = time.Second
)

// client sends signed requests for one project, within the account's rate.
type client struct {
	base      *url.URL
	project   string
	signer    signer
	userAgent string
	opts      Options

	reads   *http.Client
	changes *http.Client // no kept connection: a stale one would leave a change in doubt
	limit   *rate.Limiter
	slots   chan struct{}
}

func newClient(base *url.URL, project string, s signer, userAgent string, opts Options) *client {
	return &client{
		base: base, project: project, signer: s, opts: opts,
		userAgent: firstOf(userAgent, "cluster-provider-huawei/"+version),
		reads:     &http.Client{Transport: provider.NewTransport(true), Timeout: readTimeout},
		changes:   &http.Client{Transport: provider.NewTransport(false), Timeout: changeTimeout},
		limit:     rate.NewLimiter(requestsPerSecond, requestsPerSecond),
		slots:     make(chan struct{}, concurrency),
	}
}

// enter waits for the account's rate and a free slot; leave frees the slot.
func (c *client) enter(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := c.limit.Wait(ctx); err != nil {
		c.leave()
		return err
	}
	return nil
}

func (c *client) leave() { <-c.slots }

// request makes a signed request. path follows /v1.1/{project_id}/.
func (c *client) request(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Request, error) {
	u := *c.base
	u.Path = "/v1.1/" + c.project + "/" + path
	u.RawQuery = encodeQuery(query)
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if body != nil {
		// No GetBody: net/http must not be able to send a body twice.
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.ContentLength = int64(len(body))
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("X-Project-Id", c.project)
	// No X-Language: with zh-cn the states come back in Chinese.
	c.signer.sign(req, body, c.opts.Now(), "X-Project-Id")
	return req, nil
}

// scrub takes what must not be shown out of a text that the cloud may have
// filled from our request.
func (c *client) scrub(req *http.Request) func(string) string {
	pairs := []string{c.signer.secretKey, "***", c.signer.accessKey, "***"}
	if c.signer.token != "" {
		pairs = append(pairs, c.signer.token, "***")
	}
	if _, signature, ok := strings.Cut(req.Header.Get("Authorization"), "Signature="); ok {
		pairs = append(pairs, signature, "***")
	}
	return strings.NewReplacer(pairs...).Replace
}

// get reads path into a fresh value of decode's target, trying again as the
// error's kind permits. It returns the cloud's time of the answer.
func (c *client) get(ctx context.Context, path string, query url.Values, decode func([]byte) error) (time.Time, error) {
	var at time.Time
	err := provider.Retry(ctx, readTries, firstWait, c.opts.Jitter, func() error {
		var err error
		at, err = c.getOnce(ctx, path, query, decode)
		return err
	})
	return at, err
}

func (c *client) getOnce(ctx context.Context, path string, query url.Values, decode func([]byte) error) (time.Time, error) {
	if err := c.enter(ctx); err != nil {
		return time.Time{}, err
	}
	defer c.leave()
	req, err := c.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return time.Time{}, err
	}
	reply := provider.Exchange(c.reads, req)
	switch {
	case reply.Err != nil:
		return time.Time{}, noAnswer(reply)
	case reply.Status/100 != 2:
		return time.Time{}, replyError(reply, c.scrub(req))
	}
	if err := decode(reply.Body); err != nil {
		e := provider.Errorf(provider.KindUnavailable, "unreadable answer: %w", err)
		e.RequestID = requestID(reply)
		return time.Time{}, e
	}
	return reply.Date(c.opts.Now()), nil
}
