package rpc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// CallError says that a call failed between the host and a plugin, or that the
// plugin's answer breaks the contract. What a cloud refused is a
// *provider.Error without a CallError in its chain.
type CallError struct {
	Plugin    string
	Call      string   // "observe"
	Addresses []string // the clusters left without an answer, where the call names any
	// Reached says that the plugin may have received the call. False is
	// certain.
	Reached bool
	// Lost says that the connection broke: the plugin may be dead.
	Lost bool
	Err  error
}

func (e *CallError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plugin %s: %s", e.Plugin, e.Call)
	if n := len(e.Addresses); n > 3 {
		fmt.Fprintf(&b, " of %s and %d more", strings.Join(e.Addresses[:3], ", "), n-3)
	} else if n > 0 {
		fmt.Fprintf(&b, " of %s", strings.Join(e.Addresses, ", "))
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	switch {
	case !e.Reached:
		b.WriteString("; nothing was sent")
	case e.Call == callStart:
		b.WriteString("; the request may have reached the cloud")
	}
	return b.String()
}

func (e *CallError) Unwrap() error { return e.Err }

// AsError is e in the form every method of the contract returns. Only a
// deadline may be tried again: a dead plugin stays dead, and one that breaks
// the contract would break it again.
func (e *CallError) AsError() *provider.Error {
	kind := provider.KindInternal
	switch {
	case errors.Is(e.Err, context.DeadlineExceeded):
		kind = provider.KindUnavailable
	case status.Code(e.Err) == codes.Unimplemented:
		kind = provider.KindUnsupported
	}
	return &provider.Error{Kind: kind, Message: e.Error(), Err: e}
}

// The calls' names in errors.
const (
	callDescribe  = "describe"
	callConfigure = "configure"
	callObserve   = "observe"
	callPlan      = "plan"
	callStart     = "start"
	callPoll      = "poll"
	callQuote     = "quote"
)

// statusText is a gRPC status in our words, with the status in its chain.
type statusText struct {
	text string
	err  error
}

func (s *statusText) Error() string { return s.text }
func (s *statusText) Unwrap() error { return s.err }

// explain turns what gRPC returned into a cause. Its second result says that
// the connection broke.
func explain(ctx context.Context, err error) (cause error, lost bool) {
	code := status.Code(err)
	ended := ctx.Err()
	if ended == nil && code == codes.DeadlineExceeded {
		// gRPC's own timer can run a moment ahead of the context's.
		ended = context.DeadlineExceeded
	}
	if errors.Is(ended, context.DeadlineExceeded) {
		return fmt.Errorf("no answer in time: %w", ended), false
	}
	if ended != nil {
		return ended, false
	}
	text := status.Convert(err).Message()
	switch {
	case code == codes.Unavailable:
		return &statusText{"the connection to the plugin broke: " + text, err}, true
	case code == codes.ResourceExhausted && strings.Contains(text, "larger than max"):
		return &statusText{fmt.Sprintf("a message is over the limit of %d bytes: %s", provider.MaxMessage, text), err}, false
	case code == codes.Unimplemented:
		return &statusText{"the plugin does not serve this call: " + text, err}, false
	}
	return &statusText{fmt.Sprintf("%s (%s)", text, code), err}, false
}
