package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/clusterctl/clusterctl/engine"
)

// underway counts actions that were sent and are not settled, so that a second
// interrupt, which cannot wait, ends with the right code.
var underway atomic.Int64

// sending follows an action from its send to its end.
func (sh *shell) sending(e engine.Event) {
	switch {
	case e.State == engine.Sending:
		underway.Add(1)
	case e.Outcome != nil && (e.Outcome.Verdict != "" || e.Outcome.State == engine.Failed):
		underway.Add(-1)
	}
}

var errInterrupted = errors.New("interrupted")

// interruptible returns a context that the first interrupt, termination or
// hang-up ends: no new send goes out, and what is under way is recorded. The
// second ends the process at once; the journal holds what was sent, and the
// plugins die with us.
func (sh *shell) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		fmt.Fprintln(sh.stderr, "\nInterrupted. No new request is sent; what is under way is being recorded. Again stops at once.")
		cancel(errInterrupted)
		if _, ok := <-signals; !ok {
			return
		}
		if underway.Load() > 0 {
			os.Exit(exitUnknown)
		}
		os.Exit(exitInterrupted)
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}
