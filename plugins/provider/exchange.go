package provider

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"
)

// maxBody bounds what Exchange reads of a response.
const maxBody = MaxMessage

// Reply is the result of one HTTP exchange.
type Reply struct {
	Status int // 0: no answer was read
	Header http.Header
	Body   []byte
	// Sent says that bytes of the request may have left: a connection was
	// established and handed to the request. False is certain.
	Sent bool
	// Err says why Status is 0 or the body is incomplete.
	Err error
}

// Exchange sends req once and reads the whole answer. It never repeats
// anything and follows no redirect: a redirected change could be sent twice.
func Exchange(client *http.Client, req *http.Request) Reply {
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	}
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := c.Do(req)
	if err != nil {
		return Reply{Sent: sent.Load(), Err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("the answer is longer than %d bytes", maxBody)
	}
	return Reply{Status: resp.StatusCode, Header: resp.Header, Body: body, Sent: true, Err: err}
}

// Date is the server's time, or the fallback when it told none.
func (r Reply) Date(fallback time.Time) time.Time {
	if t, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		return t
	}
	return fallback
}

// NewTransport is an http.Transport for cloud calls: the environment's proxy,
// and connections that are not kept where a stale one would leave a change in
// doubt.
func NewTransport(keepAlive bool) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableKeepAlives = !keepAlive
	t.MaxIdleConnsPerHost = 8
	t.ResponseHeaderTimeout = 60 * time.Second
	return t
}

// Retry calls read until it succeeds, fails for good, or ctx ends. Only reads
// may be passed: what a change may repeat is the engine's to decide. Waits are
// the error's RetryAfter, else they double from first up to thirty times
// first, each shortened by up to half by jitter, a number in [0,1).
func Retry(ctx context.Context, attempts int, first time.Duration, jitter func() float64, read func() error) error {
	wait := first
	for n := 1; ; n++ {
		err := read()
		var e *Error
		if err == nil || n >= attempts || !errors.As(err, &e) || !e.Kind.Retryable() {
			return err
		}
		pause := time.Duration(float64(wait) * (1 - jitter()/2))
		if e.RetryAfter > 0 {
			pause = e.RetryAfter
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		case <-timer.C:
		}
		wait = min(2*wait, 30*first)
	}
}

// SchemaDigest is the digest of a set of CUE files, independent of their order.
func SchemaDigest(files map[string][]byte) string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var buf bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&buf, "%d %s %d\n", len(name), name, len(files[name]))
		buf.Write(files[name])
	}
	sum := sha256.Sum256(buf.Bytes())
	return "sha256:" + hex.EncodeToString(sum[:])
}
