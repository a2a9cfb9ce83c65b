package simulation

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/clusterctl/clusterctl/engine"
)

// process is one run of the tool. When it dies its calls end with an error and
// change nothing any more, and its locks are free.
type process struct {
	w         *world
	name      string
	spec      *fleet
	ctx       context.Context
	cancel    context.CancelCauseFunc
	dead      atomic.Bool
	ended     bool
	waits     []*ticket // calls that the scheduler has begun
	plan      *approval
	calm      bool
	saved     bool // it applies a plan file
	storeless bool // it plans where the store is not at hand
	naive     bool
	base      []string // what the naive engine knows of
	short     []string // clusters on which a request of its own was not done
}

var (
	errDead        = errors.New("the process is dead")
	errInterrupted = errors.New("interrupted")
)

// approval is one plan that somebody agreed to. The same plan applied twice is
// one approval.
type approval struct {
	plan    *engine.Plan
	spec    *fleet
	effects map[string][]*request // by action: requests that had an effect
}

func (a *approval) action(id string) *engine.Action {
	if a == nil || a.plan == nil {
		return nil
	}
	for i := range a.plan.Actions {
		if a.plan.Actions[i].ID == id {
			return &a.plan.Actions[i]
		}
	}
	return nil
}

// crashes may kill the process, or all of them, at the named place.
func (w *world) crashes(p *process, where string) bool {
	if !w.rolls(w.faults.crash) || p.calm {
		return false
	}
	w.crash(p, where)
	return true
}

func (w *world) crash(p *process, where string) {
	w.counts["crash "+where]++
	if w.rolls(0.25) {
		w.fault("power cut")
		w.note("POWER CUT", p.name+" "+where)
		w.tell("fault", "the power goes, %s", where)
		for _, other := range w.processes {
			other.die("power cut")
		}
		w.disk.powerCut()
		return
	}
	w.fault("process killed")
	w.tell("fault", "%s is killed, %s", p.name, where)
	w.note("KILL", p.name+" "+where)
	p.die("killed")
}

// die ends the process: what it waits for never comes.
func (p *process) die(why string) {
	if p.dead.Swap(true) {
		return
	}
	p.cancel(fmt.Errorf("%w: %s", errDead, why))
	w := p.w
	w.mu.Lock()
	kept := w.parked[:0]
	for _, t := range w.parked {
		if t.by == p {
			p.waits = append(p.waits, t)
			continue
		}
		kept = append(kept, t)
	}
	w.parked = kept
	w.mu.Unlock()
	for _, t := range p.waits {
		if t != w.current {
			w.finish(t)
		}
	}
}

// interrupt is the user's first Ctrl-C.
func (p *process) interrupt() {
	if p.dead.Load() || p.ctx.Err() != nil {
		return
	}
	p.w.fault("interrupt")
	p.w.note("INTERRUPT", p.name)
	p.cancel(errInterrupted)
}

func (w *world) spawn(spec *fleet, calm bool) *process {
	p := &process{w: w, name: fmt.Sprintf("p%d", len(w.processes)+1), spec: spec, calm: calm}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	w.processes = append(w.processes, p)
	alive := 0
	for _, other := range w.processes {
		if !other.ended && !other.dead.Load() {
			alive++
		}
	}
	w.peak = max(w.peak, alive)
	return p
}
