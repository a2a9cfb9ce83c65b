package aliyun

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"golang.org/x/time/rate"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// apiVersion is the version of the Container Service API.
const apiVersion = "2015-12-15"

// readAttempts and firstWait bound the retries of one read.
const (
	readAttempts = 5
	firstWait    = 500 * time.Millisecond
)

type credentials struct{ id, secret, token string }

// client keeps the rate budget and sends signed calls. Signing is the vendor's
// core client; the exchange is ours, so that nothing is ever sent twice and it
// is known whether bytes left.
type client struct {
	options
	reads, writes *openapi.Client
	limiter       *rate.Limiter
	slots         chan struct{} // one per request in flight
	agent         string
	firstWait     time.Duration
}

// call is one request of the API.
type call struct {
	action string // "ScaleOutCluster"
	method string
	path   string
	query  map[string]string
	body   []byte
}

func newClient(base *url.URL, keys credentials, agent string, opts options) (*client, error) {
	core := func(keepAlive bool, timeout time.Duration) (*openapi.Client, error) {
		cfg := &openapi.Config{
			AccessKeyId:     &keys.id,
			AccessKeySecret: &keys.secret,
			Endpoint:        &base.Host,
			Protocol:        &base.Scheme,
			// RetryOptions stays nil: with it the core client repeats writes.
			HttpClient: exchange{&http.Client{Transport: provider.NewTransport(keepAlive), Timeout: timeout}},
		}
		if keys.token != "" {
			cfg.SecurityToken = &keys.token
		}
		return openapi.NewClient(cfg)
	}
	reads, err := core(true, time.Minute)
	if err != nil {
		return nil, err
	}
	writes, err := core(false, 2*time.Minute)
	if err != nil {
		return nil, err
	}
	return &client{
		options:   opts,
		reads:     reads,
		writes:    writes,
		limiter:   rate.NewLimiter(rate.Every(budget.Per/time.Duration(budget.Requests)), budget.Requests),
		slots:     make(chan struct{}, budget.Concurrency),
		agent:     agent,
		firstWait: firstWait,
	}, nil
}

// exchange is the core client's transport: one provider.Exchange per call,
// whose reply leaves through the context so that the core client's reading of
// answers, which drops what we must know, has nothing to read.
type exchange struct{ http *http.Client }

type replyKey struct{}

func (e exchange) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	reply, ok := req.Context().Value(replyKey{}).(*provider.Reply)
	if !ok {
		return nil, errors.New("a call without a place for its reply")
	}
	// Without GetBody no layer below can send the body a second time.
	req.GetBody = nil
	// The core client puts a proxy's password into the request itself, where
	// over https it would reach the cloud; our transport knows the proxy.
	req.Header.Del("Proxy-Authorization")
	*reply = provider.Exchange(e.http, req)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// send waits for the budget, signs the call and exchanges it once. A reply
// that is not Sent is certain: no byte left.
func (c *client) send(ctx context.Context, via *openapi.Client, call call) provider.Reply {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return provider.Reply{Err: ctx.Err()}
	}
	if err := c.limiter.Wait(ctx); err != nil {
		if ctx.Err() == nil { // the wait would outlast the deadline
			err = context.DeadlineExceeded
		}
		return provider.Reply{Err: fmt.Errorf("wait for the rate budget: %w", err)}
	}
	headers := map[string]*string{
		"user-agent":            &c.agent,
		"x-acs-date":            dara.String(c.now().UTC().Format(time.RFC3339)),
		"x-acs-signature-nonce": dara.String(c.nonce()),
	}
	request := &openapi.OpenApiRequest{Headers: headers, Query: map[string]*string{}}
	for key, value := range call.query {
		request.Query[key] = &value
	}
	if call.body != nil {
		headers["content-type"] = dara.String("application/json; charset=utf-8")
		request.Body = call.body
	}
	params := &openapi.Params{
		Action:      &call.action,
		Version:     dara.String(apiVersion),
		Protocol:    dara.String("HTTPS"), // the Config's own wins
		Method:      &call.method,
		Pathname:    &call.path,
		AuthType:    dara.String("AK"),
		Style:       dara.String("ROA"),
		ReqBodyType: dara.String("byte"),
		BodyType:    dara.String("string"),
	}
	var reply provider.Reply
	ctx = context.WithValue(ctx, replyKey{}, &reply)
	if _, err := via.CallApiWithCtx(ctx, params, request, &dara.RuntimeOptions{}); err != nil && !reply.Sent && reply.Err == nil {
		reply.Err = err // refused by the core client before the exchange
	}
	return reply
}

// read sends a call that changes nothing and decodes its answer, repeated as
// the error's kind allows. The time is the cloud's, or ours of before the call
// when the cloud told none.
func (c *client) read(ctx context.Context, call call, out any) (time.Time, error) {
	var at time.Time
	err := provider.Retry(ctx, readAttempts, c.firstWait, c.jitter, func() error {
		began := c.now()
		reply := c.send(ctx, c.reads, call)
		at = reply.Date(began)
		return decodeReply(ctx, reply, out)
	})
	if err != nil {
		return at, fmt.Errorf("%s %s: %w", call.action, call.path, err)
	}
	return at, nil
}

// newNonce makes the number that keeps a signed message from being replayed.
func newNonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}
