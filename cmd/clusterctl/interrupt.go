package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/clusterctl/clusterctl/engine"
)

// underway are the actions that were sent and are not settled, so that a second
// interrupt, which cannot wait, ends with the right code.
var underway struct {
	sync.Mutex
	actions map[string]bool // by address and number
}

// following notes an action from its send to the end of its effect.
func (sh *shell) following(e engine.Event) {
	underway.Lock()
	defer underway.Unlock()
	if underway.actions == nil {
		underway.actions = map[string]bool{}
	}
	key := e.Action.Address + " " + e.Action.ID
	switch {
	case e.Outcome != nil && e.Outcome.State == engine.Unsettled:
	case e.Outcome != nil, e.State == engine.Waiting: // not sent, or refused and tried again
		delete(underway.actions, key)
	case e.State != engine.Expiring: // which also stands before a send
		underway.actions[key] = true
	}
}

func sentAndOpen() bool {
	underway.Lock()
	defer underway.Unlock()
	return len(underway.actions) > 0
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
		sh.screen.tell(sh.stderr, "Interrupted.", "Nothing more is sent; the next apply goes on watching what was. Interrupt again to stop at once.")
		cancel(errInterrupted)
		if _, ok := <-signals; !ok {
			return
		}
		if sentAndOpen() {
			fmt.Fprintln(sh.stderr, "\nStopped. What was sent is not settled; the next apply goes on watching it.")
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
