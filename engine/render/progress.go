package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"

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
	style   style
	live    bool
	width   func() int
	now     func() time.Time
	running []*task
	drawn   int // lines on the terminal that belong to us
	ended   map[engine.OutcomeState]int
	total   int
}

type task struct {
	action *engine.Action
	began  time.Time
	said   time.Time
	event  engine.Event
}

// NewProgress shows the progress of total actions on w. With live set, w is a
// terminal, width tells its columns, and Tick draws.
func NewProgress(w io.Writer, total int, live, colour bool, width func() int, now func() time.Time) *Progress {
	return &Progress{w: w, style: style{colour}, live: live, width: width, now: now, total: total, ended: map[engine.OutcomeState]int{}}
}

// Event takes what the engine reports.
func (p *Progress) Event(e engine.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.find(e.Action)
	news := t == nil || t.event.State != e.State
	if t == nil {
		t = &task{action: e.Action, began: p.now()}
		p.running = append(p.running, t)
	}
	if e.Text == "" {
		e.Text = t.event.Text
		if news {
			e.Text = ""
		}
	}
	t.event = e
	switch {
	case e.Outcome != nil:
		p.running = slices.DeleteFunc(p.running, func(other *task) bool { return other == t })
		p.ended[e.Outcome.State]++
		p.erase()
		fmt.Fprintf(p.w, "%s%s: %s\n", p.stamp(), Clean(e.Action.Address), Ended(*e.Outcome))
	case news && p.mustSay(e.State):
		p.erase()
		fmt.Fprintf(p.w, "%s%s: %s\n", p.stamp(), Clean(e.Action.Address), sentence(t))
		t.said = p.now()
	}
	p.draw()
}

// mustSay reports whether a new state is worth a line of its own. On a
// terminal only what a person must not miss is.
func (p *Progress) mustSay(s engine.EventState) bool {
	return !p.live || s == engine.Watching || s == engine.Expiring
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
	if !p.live {
		for _, t := range p.running {
			if p.now().Sub(t.said) >= Heartbeat {
				fmt.Fprintf(p.w, "%s%s: %s, %s\n", p.stamp(), Clean(t.action.Address), sentence(t), Span(p.now().Sub(t.began)))
				t.said = p.now()
			}
		}
		return
	}
	p.erase()
	p.draw()
}

// Say prints a line of its own above the live lines.
func (p *Progress) Say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	fmt.Fprintln(p.w, text)
	p.draw()
}

// Close takes the live lines away.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.live = false
}

func (p *Progress) stamp() string {
	if p.live {
		return ""
	}
	return p.now().UTC().Format("15:04:05Z ")
}

func (p *Progress) erase() {
	if p.drawn > 0 {
		fmt.Fprintf(p.w, "\x1b[%dA\x1b[J", p.drawn)
		p.drawn = 0
	}
}

// maxLive bounds the live lines; the rest is counted.
const maxLive = 12

func (p *Progress) draw() {
	if !p.live || len(p.running) == 0 {
		return
	}
	width := p.width()
	shown := p.running[:min(len(p.running), maxLive)]
	var names []string
	for _, t := range shown {
		names = append(names, Clean(t.action.Address))
	}
	waiting := 0
	for i, t := range shown {
		left := fmt.Sprintf("  %s  %s  %s  ", pad(names[i], column(names...)), pad(opName(t.action.Op), 9), clock(p.now().Sub(t.began)))
		fmt.Fprintln(p.w, runewidth.Truncate(left+sentence(t), max(width-1, 20), "…"))
		p.drawn++
	}
	for _, t := range p.running {
		if t.event.State == engine.Waiting {
			waiting++
		}
	}
	parts := []string{fmt.Sprintf("%d running", len(p.running)-waiting)}
	if waiting > 0 {
		parts = append(parts, fmt.Sprintf("%d waiting", waiting))
	}
	done, bad := p.ended[engine.Applied], 0
	for state, n := range p.ended {
		if state != engine.Applied {
			bad += n
		}
	}
	parts = append(parts, fmt.Sprintf("%d of %d done", done, p.total), fmt.Sprintf("%d not done", bad))
	fmt.Fprintln(p.w, p.style.dim(runewidth.Truncate("  "+strings.Join(parts, " · ")+"    ^C stops after these", max(width-1, 20), "…")))
	p.drawn++
}

func clock(d time.Duration) string {
	d = d.Truncate(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// sentence says where an action stands.
func sentence(t *task) string {
	e := t.event
	text := Clean(e.Text)
	until := ""
	if !e.Until.IsZero() {
		until = e.Until.Local().Format("15:04:05")
	}
	switch e.State {
	case engine.Waiting:
		text = "waiting: " + text
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
