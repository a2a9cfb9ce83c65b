package simulation

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"
)

// world is one seed's clock, scheduler and luck. Everything that two processes
// share is changed by its scheduler only, one step at a time.
type world struct {
	begun  time.Time
	luck   *rand.Rand // of the scheduler and the faults
	faults faults
	bug    bug // planted on purpose; the zero bug is none

	mu     sync.Mutex
	parked []*ticket
	said   []string // by the processes since the last step
	wake   chan struct{}

	current *ticket // whose step runs
	events  []event // by time, then by number
	serial  int
	steps   int
	over    bool

	sum        uint64
	keep       bool // the trace's lines too
	lines      []string
	story      []string // what keeps for people
	told       bool     // the story is over
	second     *request // that bought what had been bought
	without    map[string]bool
	violations []violation
	counts     map[string]int
	processes  []*process
	peak       int // how many of them ran at the same time

	disk  *disk
	cloud *cloud
}

// ticket is one call that waits for the scheduler.
type ticket struct {
	label string
	by    *process
	// step carries the call out. It returns false when it put its own
	// continuation among the events, which then calls finish.
	step func() bool
	done chan struct{}
	over bool
}

type event struct {
	at     time.Time
	serial int
	label  string
	do     func()
}

func newWorld(seed uint64, keep bool) *world {
	return &world{
		begun: time.Now(), luck: rand.New(rand.NewPCG(seed, 0x5eed)), wake: make(chan struct{}, 1),
		keep: keep, counts: map[string]int{}, sum: fnvBasis,
	}
}

// park stops the calling goroutine until the scheduler has carried out step.
func (w *world) park(by *process, label string, step func() bool) {
	t := &ticket{label: by.name + " " + label, by: by, step: step, done: make(chan struct{})}
	w.mu.Lock()
	w.parked = append(w.parked, t)
	w.mu.Unlock()
	w.nudge()
	<-t.done
}

func (w *world) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// finish lets a ticket's goroutine go on. Its process may have died before.
func (w *world) finish(t *ticket) {
	if !t.over {
		t.over = true
		close(t.done)
	}
}

// at puts something among the events to come.
func (w *world) at(when time.Time, label string, do func()) {
	w.serial++
	e := event{at: when, serial: w.serial, label: label, do: do}
	i, _ := slices.BinarySearchFunc(w.events, e, func(a, b event) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.serial, b.serial))
	})
	w.events = slices.Insert(w.events, i, e)
}

func (w *world) in(d time.Duration, label string, do func()) { w.at(time.Now().Add(d), label, do) }

// maxSteps ends a seed that does not come to an end by itself.
const maxSteps = 200_000

// run is the scheduler. It ends when the script has said that it is over.
func (w *world) run() {
	for !w.over {
		synctest.Wait() // every goroutine is parked or asleep
		now := time.Now()
		e, t := w.draw(now)
		if e == nil && t == nil {
			w.pass(now)
			continue
		}
		w.steps++
		if w.steps == maxSteps {
			w.violate(ruleEnds, "the seed goes on for ever")
			for _, p := range w.processes {
				p.die("stopped by the simulation")
			}
		}
		if e != nil {
			w.note(e.label, "")
			e.do()
			continue
		}
		t.by.waits = append(slices.DeleteFunc(t.by.waits, func(t *ticket) bool { return t.over }), t)
		w.current = t // dying in its own step, it still ends the step
		done := t.step()
		w.current = nil
		if done || t.by.dead.Load() {
			w.finish(t)
		}
	}
}

// draw takes one of the events that are due and the calls that are parked, or
// nothing when there are none.
func (w *world) draw(now time.Time) (*event, *ticket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.said)
	for _, text := range w.said {
		w.line("    " + text)
	}
	w.said = w.said[:0]
	due := 0
	for due < len(w.events) && !w.events[due].at.After(now) {
		due++
	}
	if due+len(w.parked) == 0 {
		return nil, nil
	}
	n := w.luck.IntN(due + len(w.parked))
	if n < due {
		e := w.events[n]
		w.events = slices.Delete(w.events, n, n+1)
		return &e, nil
	}
	slices.SortStableFunc(w.parked, func(a, b *ticket) int { return strings.Compare(a.label, b.label) })
	t := w.parked[n-due]
	w.parked = slices.Delete(w.parked, n-due, n-due+1)
	return nil, t
}

// pass lets time go on to the next event, or to when somebody wakes up.
func (w *world) pass(now time.Time) {
	if len(w.events) == 0 {
		<-w.wake
		return
	}
	timer := time.NewTimer(w.events[0].at.Sub(now))
	defer timer.Stop()
	select {
	case <-w.wake:
	case <-timer.C:
	}
}

// FNV-1a, so that a hash of the trace costs next to nothing.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

// note puts one thing that happened into the trace.
func (w *world) note(what, came string) {
	at := time.Since(w.begun)
	for i := range 8 {
		w.sum = (w.sum ^ uint64(byte(at>>(8*i)))) * fnvPrime
	}
	for _, s := range [...]string{what, came} {
		for i := range len(s) {
			w.sum = (w.sum ^ uint64(s[i])) * fnvPrime
		}
	}
	if w.keep {
		if came != "" {
			what += ": " + came
		}
		w.line(what)
	}
}

func (w *world) line(text string) {
	w.lines = append(w.lines, fmt.Sprintf("%9.3fs  %s", time.Since(w.begun).Seconds(), text))
}

// say keeps what a process told its user, for the trace.
func (w *world) say(text string) {
	if w.keep {
		w.mu.Lock()
		w.said = append(w.said, text)
		w.mu.Unlock()
	}
}

// rolls is true with the given chance.
func (w *world) rolls(chance float64) bool { return chance > 0 && w.luck.Float64() < chance }

// between draws a duration.
func (w *world) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(w.luck.Int64N(int64(high-low)))
}

// fault counts an injected fault.
func (w *world) fault(kind string) { w.counts["fault "+kind]++ }

// violation is a broken invariant.
type violation struct {
	rule, text string
}

func (w *world) violate(rule, format string, args ...any) {
	v := violation{rule, fmt.Sprintf(format, args...)}
	w.violations = append(w.violations, v)
	w.note("VIOLATION of "+rule, v.text)
}
