package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrorKind sorts errors by what can be done about them. Whether a call may be
// repeated follows from it, here and nowhere else.
type ErrorKind string

const (
	KindInternal        ErrorKind = "" // the zero value: nothing better is known
	KindInvalid         ErrorKind = "invalid"
	KindUnauthenticated ErrorKind = "unauthenticated"
	KindDenied          ErrorKind = "denied"
	KindNotFound        ErrorKind = "not_found"
	KindConflict        ErrorKind = "conflict" // busy, or in a state that takes no change
	KindQuota           ErrorKind = "quota"    // of resources, money or capacity
	KindThrottled       ErrorKind = "throttled"
	KindUnavailable     ErrorKind = "unavailable" // no connection, 5xx, an unreadable body
	KindUnsupported     ErrorKind = "unsupported"
)

// String names the kind for people.
func (k ErrorKind) String() string {
	if k == KindInternal {
		return "internal"
	}
	return strings.ReplaceAll(string(k), "_", " ")
}

// Error is an error with what the engine, the user and the cloud's support
// need. It travels in responses, so the kind survives the process boundary.
type Error struct {
	Kind       ErrorKind
	Code       string // the cloud's code, unchanged
	RequestID  string // the cloud's id of the request
	Message    string // the cloud's words, or ours when the cloud said nothing
	RetryAfter time.Duration
	Err        error // cause, in this process only
}

// Errorf makes an Error of ours.
func Errorf(kind ErrorKind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Message == "" {
		b.WriteString(e.Kind.String() + " error")
	}
	if e.Code != "" || e.RequestID != "" {
		b.WriteString(" (")
		if e.Code != "" {
			b.WriteString("code " + e.Code)
		}
		if e.RequestID != "" {
			if e.Code != "" {
				b.WriteString(", ")
			}
			b.WriteString("request " + e.RequestID)
		}
		b.WriteString(")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Retryable says whether a read that failed so may be tried again. A change is
// never repeated by this rule: only OutcomeRefused and OutcomeUnsent permit it.
func (k ErrorKind) Retryable() bool {
	return k == KindThrottled || k == KindUnavailable
}

// AsError finds the *Error in err's chain, or wraps err as one.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		if msg := err.Error(); msg != e.Error() && e.Message != msg {
			c := *e
			c.Message = strings.TrimSuffix(msg, strings.TrimPrefix(e.Error(), e.Message))
			c.Err = err
			return &c
		}
		return e
	}
	kind := KindInternal
	if errors.Is(err, context.DeadlineExceeded) {
		kind = KindUnavailable
	}
	return &Error{Kind: kind, Message: err.Error(), Err: err}
}
