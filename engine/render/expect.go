package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine"
)

// Expect says how long the like of an action usually took, 0 when nobody knows,
// and when an earlier run sent it, zero when none did.
type Expect func(*engine.Action) (usual time.Duration, sent time.Time)

// Expect gives p something to measure actions by. It is called before the first
// event.
func (p *Progress) Expect(expect Expect) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expect = expect
}

// timed notes from when on an action is measured: from its last send.
func (t *task) timed(now time.Time) {
	if t.event.State == engine.Sending {
		t.since = now
	}
}

// taken is how long the cloud works on the action; false where there is nothing
// to measure it by, or where it may not have arrived at all.
func (t *task) taken(now time.Time) (time.Duration, bool) {
	works := t.event.State == engine.Sending || t.event.State == engine.Running
	return now.Sub(t.since), works && t.usual > 0 && !t.since.IsZero()
}

// hint is what a line that stays adds to a sentence: once what is usual, and
// then only that it is exceeded.
func (p *Progress) hint(t *task) string {
	taken, ok := t.taken(p.now())
	if !ok || p.width != nil || t.told && !overdue(t.usual, taken) {
		return ""
	}
	t.told = true
	_, words := expectation(t.usual, taken)
	return ", " + words
}

const (
	barCells = 10
	hintGap  = 2
	// leastSentence is the room that is left to what an action does just now.
	leastSentence = 16
)

// hints are what the live lines end in, each in so much room together with its
// sentence: bar and words, the words alone, or nothing.
func (p *Progress) hints(tasks []*task, room int) []string {
	full, words, none := make([]string, len(tasks)), make([]string, len(tasks)), make([]string, len(tasks))
	for i, t := range tasks {
		if taken, ok := t.taken(p.now()); ok {
			var bar string
			bar, words[i] = expectation(t.usual, taken)
			full[i] = bar + " " + words[i]
		}
	}
	for _, hints := range [][]string{full, words} {
		if room-column(hints...)-hintGap >= leastSentence {
			return hints
		}
	}
	return none
}

// expectation draws and words how far an action is.
func expectation(usual, taken time.Duration) (bar, words string) {
	filled := min(barCells, int(max(taken, 0)*barCells/usual))
	bar = "▕" + strings.Repeat("█", filled) + strings.Repeat("░", barCells-filled) + "▏"
	if overdue(usual, taken) {
		return bar, "longer than usual (" + roughly(usual) + ")"
	}
	return bar, "usually " + roughly(usual)
}

// overdue reports that an action takes longer than usual, and not only somewhat:
// half of all take longer than the median.
func overdue(usual, taken time.Duration) bool { return taken > usual+usual/2 }

// roughly words a duration that is no promise: "42 s", "9 min", "1 h 20 min".
func roughly(d time.Duration) string {
	if s := max(d.Round(time.Second), time.Second); s < time.Minute {
		return fmt.Sprintf("%d s", int(s.Seconds()))
	}
	m := int(max(d.Round(time.Minute), time.Minute).Minutes())
	switch {
	case m < 60:
		return fmt.Sprintf("%d min", m)
	case m%60 == 0:
		return fmt.Sprintf("%d h", m/60)
	}
	return fmt.Sprintf("%d h %d min", m/60, m%60)
}
