package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/clusterctl/clusterctl/engine"
)

// underway are the actions that were sent and are not settled, so that a second
// interrupt, which cannot wait, ends with the right code.
var underway struct {
	sync.Mutex
	actions map[string]bool // by address and number
}

// following notes an action from its send to the end of its effect. From the
// first event on the run outlives who reads its output.
func (sh *shell) following(e engine.Event) {
	outliveReaders()
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

// outliveReaders makes writes to a pipe that nobody reads any more fail, as they
// do for apply 2>&1 | head. Without it the first of them would kill the process
// in the middle of its work. Asking for the signal does that; ignoring it would
// hand the same to the plugins.
var outliveReaders = sync.OnceFunc(func() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) })

var errInterrupted = errors.New("interrupted")

// heeded are the signals that stop a run, without those that whoever started us
// turned off: nohup does it with the hang-up, a script's shell with the
// interrupt of what it runs in the background.
func heeded() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

// interruptible returns a context that the first interrupt, termination or
// hang-up ends: no new send goes out, and what is under way is recorded. The
// second ends the process at once; the journal holds what was sent, and the
// plugins die with us.
func (sh *shell) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, heeded()...)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		briefly(func() {
			sh.screen.tell(sh.stderr, "Interrupted.", "Nothing more is sent; the next apply goes on watching what was. Interrupt again to stop at once.")
		})
		cancel(errInterrupted)
		if _, ok := <-signals; !ok {
			return
		}
		if sentAndOpen() {
			briefly(func() {
				fmt.Fprintln(sh.stderr, "\nStopped. What was sent is not settled; the next apply goes on watching it.")
			})
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

// briefly prints, unless nobody takes it: a paused terminal or a full pipe must
// not keep a run from stopping.
func briefly(say func()) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		say()
	}()
	select {
	case <-said:
	case <-time.After(250 * time.Millisecond):
	}
}
