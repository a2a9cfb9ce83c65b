package qingcloud

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// The budget of reads: a burst, so that a fleet of a thousand clusters is read
// without waiting, and a steady rate that keeps burst and one hour's refill
// below the vendor's 2000. What is left over is for changes, which never wait:
// the cloud's window for a request begins with its signature, and the engine
// has written down when that was. A new process starts with a full bucket; when
// several share a user, the cloud's own answer 2500 slows them down.
const (
	readBurst    = 1200
	readsPerHour = 700
)

const (
	readAttempts = 5
	pageSize     = 100 // the vendor's maximum
)

// client signs and sends requests for one key pair.
type client struct {
	base   string // scheme and host
	keyID  string
	secret string
	agent  string

	now       func() time.Time
	jitter    func() float64
	firstWait time.Duration // before a read is tried again

	reads   *http.Client
	changes *http.Client
	budget  *rate.Limiter
	slots   chan struct{}
}

func newClient(base, keyID, secret string) *client {
	return &client{
		base: base, keyID: keyID, secret: secret,
		firstWait: time.Second,
		reads:     &http.Client{Transport: provider.NewTransport(true), Timeout: time.Minute},
		changes:   &http.Client{Transport: provider.NewTransport(false), Timeout: 90 * time.Second},
		budget:    rate.NewLimiter(rate.Limit(readsPerHour)/3600, readBurst),
		slots:     make(chan struct{}, concurrency),
	}
}

// signed is a request and the words of it that may never be printed.
type signed struct {
	*http.Request
	hidden []string
}

// sign makes one attempt's request: its time, and so its signature, is now.
func (c *client) sign(ctx context.Context, method, path string, params map[string]string, body []byte) (signed, error) {
	all := map[string]string{
		"access_key_id":     c.keyID,
		"signature_method":  "HmacSHA256",
		"signature_version": "1",
		"timestamp":         c.now().UTC().Format(timeLayout),
		"version":           "1",
	}
	for name, value := range params {
		all[name] = value
	}
	query := canonicalQuery(all)
	sig := signature(c.secret, method, path, query, body)
	s := signed{hidden: []string{c.secret, c.keyID, sig, percentEncode(sig), percentEncode(percentEncode(sig))}}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path+"?"+signedQuery(query, sig), bytes.NewReader(body))
	if err != nil {
		return s, errors.New("the request's address is malformed") // err would show the signature
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		req.GetBody = nil // a transport that cannot rewind cannot send twice
	}
	if c.agent != "" {
		req.Header.Set("User-Agent", c.agent)
	}
	s.Request = req
	return s, nil
}

// read asks the cloud and decodes the answer, trying again where that may
// help. It returns the cloud's time of the answer.
func (c *client) read(ctx context.Context, path string, params map[string]string, decode func([]byte) error) (time.Time, error) {
	var at time.Time
	err := provider.Retry(ctx, readAttempts, c.firstWait, c.jitter, func() error {
		reply, err := c.readOnce(ctx, path, params)
		if err != nil && err.Code == codeExpired {
			// "Sign again": the request may have waited on its way.
			reply, err = c.readOnce(ctx, path, params)
		}
		if err != nil {
			return err
		}
		at = reply.Date(c.now())
		if err := decode(reply.Body); err != nil {
			return provider.Errorf(provider.KindUnavailable, "the answer cannot be read: %w", err)
		}
		return nil
	})
	if err != nil {
		return at, wrap("GET "+path, err)
	}
	return at, nil
}

func (c *client) readOnce(ctx context.Context, path string, params map[string]string) (provider.Reply, *provider.Error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return provider.Reply{}, networkError(ctx.Err())
	}
	if err := c.budget.Wait(ctx); err != nil {
		if ctx.Err() == nil { // the wait would outlast the deadline
			return provider.Reply{}, &provider.Error{Kind: provider.KindInternal, Err: err,
				Message: "the hour's requests (2000 per user) are used up and waiting would outlast the deadline"}
		}
		return provider.Reply{}, networkError(ctx.Err())
	}
	req, err := c.sign(ctx, http.MethodGet, path, params, nil)
	if err != nil {
		return provider.Reply{}, provider.Errorf(provider.KindInternal, "%w", err)
	}
	reply := provider.Exchange(c.reads, req.Request)
	return reply, readError(reply, c.now(), req.hidden)
}

// change sends a request that changes something, once.
func (c *client) change(ctx context.Context, path string, body []byte) (reply provider.Reply, hidden []string, err error) {
	// The token is taken from reads to come, without waiting.
	c.budget.ReserveN(time.Now(), 1)
	req, err := c.sign(ctx, http.MethodPost, path, nil, body)
	if err != nil {
		return reply, nil, err
	}
	return provider.Exchange(c.changes, req.Request), req.hidden, nil
}

// networkError says why no answer came. A *url.Error is opened, because its
// text holds the signed address.
func networkError(err error) *provider.Error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &provider.Error{Kind: provider.KindUnavailable, Message: err.Error(), Err: err}
}

// wrap puts what was attempted before an error and keeps its kind.
func wrap(attempted string, err error) error {
	var e *provider.Error
	if !errors.As(err, &e) {
		return provider.Errorf(provider.KindInternal, "%s: %w", attempted, err)
	}
	c := *e
	c.Message = attempted + ": " + e.Message
	c.Err = err // the chain may hold the context's error
	return &c
}

// hide blanks words that must not be printed out of what the cloud said.
func hide(text string, words []string) string {
	for _, w := range words {
		if w != "" {
			text = strings.ReplaceAll(text, w, "***")
		}
	}
	return text
}
