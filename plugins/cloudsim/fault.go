package cloudsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Kinds of fault.
const (
	// DropBefore closes the connection; nothing is done.
	DropBefore = "drop_before"
	// DropAfter does the request, then closes the connection without a reply.
	DropAfter = "drop_after"
	// Hold closes the connection now and does the request after Delay, if the
	// cloud then still takes its signature.
	Hold = "hold"
	// ErrorBefore answers Status (default 500) and does nothing.
	ErrorBefore = "error_before"
	// ErrorAfter does the request, then answers Status (default 500).
	ErrorAfter = "error_after"
	// Throttle answers as the cloud does when it throttles.
	Throttle = "throttle"
	// Garbage does the request, then answers with a body that is no JSON.
	Garbage = "garbage"
	// Slow waits Delay, then answers.
	Slow = "slow"
	// Stale answers a read from the state as it was Delay ago. Needs
	// Options.History.
	Stale = "stale"
	// JobFails lets the job that the request starts fail with nothing done.
	JobFails = "job_fails"
	// JobPartial lets the job do part of its work (half, rounded down), then fail.
	JobPartial = "job_partial"
)

var kinds = []string{DropBefore, DropAfter, Hold, ErrorBefore, ErrorAfter, Throttle, Garbage, Slow, Stale, JobFails, JobPartial}

// Fault is injected with requests that match it.
type Fault struct {
	Kind    string        `json:"kind"`
	Call    string        `json:"call,omitempty"`    // Call.Name; empty: every changing call (every read for Stale)
	Cluster string        `json:"cluster,omitempty"` // empty: any
	Skip    int           `json:"skip,omitempty"`    // matching requests to let pass first
	Times   int           `json:"times,omitempty"`   // matching requests to hit; 0: one, negative: all
	Status  int           `json:"status,omitempty"`
	Code    string        `json:"code,omitempty"` // the cloud's error code to answer with
	Delay   time.Duration `json:"-"`
}

type faultJSON Fault

// UnmarshalJSON reads a fault; "delay" is a Go duration ("2s").
func (f *Fault) UnmarshalJSON(b []byte) error {
	aux := struct {
		*faultJSON
		Delay string `json:"delay"`
	}{faultJSON: (*faultJSON)(f)}
	if err := strictly(b, &aux); err != nil {
		return err
	}
	if aux.Delay != "" {
		d, err := time.ParseDuration(aux.Delay)
		if err != nil {
			return fmt.Errorf("delay: %w", err)
		}
		f.Delay = d
	}
	return f.check()
}

// strictly decodes one JSON value and refuses fields that nothing reads: a
// misspelt one would change nothing and say so to nobody.
func strictly(b []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more follows the JSON value")
	}
	return nil
}

// MarshalJSON is the inverse of UnmarshalJSON.
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		faultJSON
		Delay string `json:"delay,omitempty"`
	}{faultJSON(f), f.Delay.String()})
}

func (f *Fault) check() error {
	if !slices.Contains(kinds, f.Kind) {
		return fmt.Errorf("no fault kind %q; there are %v", f.Kind, kinds)
	}
	if (f.Kind == Hold || f.Kind == Slow || f.Kind == Stale) && f.Delay <= 0 {
		return errors.New(f.Kind + " needs a delay")
	}
	return nil
}

// matches reports whether the fault hits this request, and counts it.
func (f *Fault) matches(c Call) bool {
	if f.Times == 0 {
		f.Times = 1
	}
	switch {
	case f.Call != "" && f.Call != c.Name,
		f.Call == "" && c.Changes == (f.Kind == Stale),
		f.Cluster != "" && f.Cluster != c.Cluster:
		return false
	case f.Skip > 0:
		f.Skip--
		return false
	}
	if f.Times > 0 {
		f.Times--
		if f.Times == 0 {
			f.Times = spent
		}
	}
	return true
}

// spent marks a fault that has hit as often as it should; it is then removed.
const spent = -1 << 31

type faultKey struct{}

// FaultOf returns the fault that was injected with a request; a Cloud asks it
// for JobFails and JobPartial.
func FaultOf(ctx context.Context) *Fault {
	f, _ := ctx.Value(faultKey{}).(*Fault)
	return f
}
