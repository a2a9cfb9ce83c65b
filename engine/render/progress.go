package render

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/engine"
)

// Heartbeat is how often a running action is heard of where there is no
// terminal.
const Heartbeat = 30 * time.Second

// Progress shows actions as they run: on a terminal a line each that is drawn
// anew, elsewhere a line when an action starts, changes its state, or every 30
// seconds. Safe for concurrent use.
type Progress struct {
	mu      sync.Mutex
	w       io.Writer
	colour  bool
	width   func() int // of the terminal; nil: there is none
	now     func() time.Time
	running []*task
	drawn   []int // cells of each line on the terminal that belongs to us
	ended   map[engine.OutcomeState]int
	total   int
	expect  Expect
}

// task is one action that runs.
type task struct {
	action *engine.Action
	began  time.Time
	said   time.Time
	event  engine.Event

	usual time.Duration // what the like of it takes; 0: nobody knows
	since time.Time     // when it was sent, maybe by an earlier run; zero: it was not
	told  bool          // usual was said, where there is no terminal
}

// behind reports that the action waits for one of another cluster. There may be
// hundreds of those: they are counted, and not heard of again.
func (t *task) behind() bool { return t != nil && t.event.For != "" }

// NewProgress shows the progress of total actions on w. With width, w is a
// terminal of that many columns, and Tick draws.
func NewProgress(w io.Writer, total int, colour bool, width func() int, now func() time.Time) *Progress {
	return &Progress{w: w, colour: colour, width: width, now: now, total: total, ended: map[engine.OutcomeState]int{}}
}

// Event takes what the engine reports.
func (p *Progress) Event(e engine.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.find(e.Action)
	news := t == nil || t.event.State != e.State || t.behind() && e.For == ""
	if t == nil {
		t = &task{action: e.Action, began: p.now()}
		if p.expect != nil {
			t.usual, t.since = p.expect(e.Action)
		}
		if e.Outcome == nil {
			p.running = append(p.running, t)
		}
	}
	if t.behind() && e.For == "" {
		t.began = p.now() // its turn has come
	}
	if e.Text == "" && !news {
		e.Text = t.event.Text
	}
	t.event = e
	t.timed(p.now())
	switch {
	case e.Outcome != nil:
		p.running = slices.DeleteFunc(p.running, func(other *task) bool { return other == t })
		p.ended[e.Outcome.State]++
		p.print(Clean(e.Action.Address) + ": " + Ended(*e.Outcome))
	case news && p.mustSay(e):
		p.print(Clean(e.Action.Address) + ": " + sentence(t) + p.hint(t))
		t.said = p.now()
	case news:
		p.redraw("")
	}
}

// mustSay reports whether a new state is worth a line of its own. On a
// terminal only what a person must not miss is: that a reply was lost, who
// holds a lock, and moments that are waited for.
func (p *Progress) mustSay(e engine.Event) bool {
	if p.width == nil {
		return true
	}
	switch e.State {
	case engine.Waiting, engine.Watching, engine.Expiring:
		return !e.Until.IsZero()
	}
	return false
}

func (p *Progress) find(a *engine.Action) *task {
	for _, t := range p.running {
		if t.action.ID == a.ID && t.action.Address == a.Address {
			return t
		}
	}
	return nil
}

// Tick draws the clocks anew, or says the heartbeats that are due.
func (p *Progress) Tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width != nil {
		p.redraw("")
		return
	}
	for _, t := range p.running {
		if p.now().Sub(t.said) >= Heartbeat && !t.behind() {
			p.print(fmt.Sprintf("%s: %s, %s%s", Clean(t.action.Address), sentence(t), Span(p.now().Sub(t.began)), p.hint(t)))
			t.said = p.now()
		}
	}
}

// Say prints a line of its own above the live lines.
func (p *Progress) Say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(text)
}

// Close takes the live lines away.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = nil
	if p.width != nil {
		p.redraw("")
	}
}

// print writes a line that stays: with the time where there is no terminal.
func (p *Progress) print(text string) {
	if p.width != nil {
		p.redraw(Look{Width: p.width()}.wrap(text, 2) + "\n")
		return
	}
	fmt.Fprintf(p.w, "%s %s\n", p.now().UTC().Format("15:04:05Z"), text)
}

// sentence says where an action stands.
func sentence(t *task) string {
	e := t.event
	text := Clean(e.Text)
	until := ""
	if !e.Until.IsZero() {
		until = e.Until.UTC().Format("15:04:05Z")
	}
	switch e.State {
	case engine.Waiting:
		if t.behind() {
			return "waiting for " + Clean(e.For)
		}
		text = "waiting: " + text
		if until != "" {
			text += ". Until " + until + " at most"
		}
	case engine.Sending:
		text = "sending, " + Change(t.action)
	case engine.Watching:
		if until != "" {
			text += ". The request can no longer take effect after " + until
		}
	case engine.Expiring:
		text += "; waiting until " + until + ", so that the lost request can no longer arrive"
	case engine.Running:
		if text == "" {
			text = "running"
		}
	}
	return text
}
