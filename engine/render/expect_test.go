package render

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
)

func TestExpectation(t *testing.T) {
	for _, test := range []struct {
		usual, taken time.Duration
		bar, words   string
	}{
		{9 * time.Minute, 0, "▕░░░░░░░░░░▏", "usually 9 min"},
		{9 * time.Minute, 54 * time.Second, "▕█░░░░░░░░░▏", "usually 9 min"},
		{9 * time.Minute, 5*time.Minute + 30*time.Second, "▕██████░░░░▏", "usually 9 min"},
		{9 * time.Minute, 9 * time.Minute, "▕██████████▏", "usually 9 min"},
		{9 * time.Minute, 13*time.Minute + 30*time.Second, "▕██████████▏", "usually 9 min"},
		{9 * time.Minute, 13*time.Minute + 31*time.Second, "▕██████████▏", "longer than usual (9 min)"},
		{10 * time.Second, -time.Second, "▕░░░░░░░░░░▏", "usually 10 s"},
		{time.Nanosecond, 1000 * time.Hour, "▕██████████▏", "longer than usual (1 s)"},
	} {
		if bar, words := expectation(test.usual, test.taken); bar != test.bar || words != test.words {
			t.Errorf("%s of %s: %s %s, want %s %s", test.taken, test.usual, bar, words, test.bar, test.words)
		}
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1 s", 42*time.Second + 400*time.Millisecond: "42 s", 59*time.Second + 700*time.Millisecond: "1 min", 89 * time.Second: "1 min",
		9*time.Minute + 12*time.Second: "9 min", 59*time.Minute + 40*time.Second: "1 h", 80 * time.Minute: "1 h 20 min", 26 * time.Hour: "26 h",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

// usually expects nine minutes of what shrinks, and nothing of the rest.
func usually(a *engine.Action) (time.Duration, time.Time) {
	if a.Op == shrink.Op {
		return 9 * time.Minute, time.Time{}
	}
	return 0, time.Time{}
}

// The bar counts from the send, stands only beside actions of which something is
// known, and gives way where there is no room.
func TestProgressExpected(t *testing.T) {
	s, p, now := live(2, 90)
	p.Expect(usually)
	p.Event(engine.Event{Action: shrink, State: engine.Waiting, Text: "locked by ops"})
	p.Event(engine.Event{Action: grow, State: engine.Sending})
	*now = noon.Add(20 * time.Minute)
	p.Event(engine.Event{Action: shrink, State: engine.Sending})
	*now = noon.Add(25*time.Minute + 24*time.Second)
	p.Event(engine.Event{Action: shrink, State: engine.Running, Text: "正在缩容, Decommissioning instance"})
	p.Tick()
	shows(t, s, `
the question: yes
  analytics/task  scale in   25:24  正在缩容, Decommissionin…  ▕██████░░░░▏ usually 9 min
  分析/core       scale out  25:24  sending, 3 → 5 nodes
  2 running        ^C leaves; apply again goes on`)
	s.resize(70)
	p.Tick()
	shows(t, s, `
the question: yes
  analytics/task  scale in   25:24  正在缩容, Decommi…  usually 9 min
  分析/core       scale out  25:24  sending, 3 → 5 nodes
  2 running        ^C leaves; apply again goes on`)
	s.resize(60)
	p.Tick()
	shows(t, s, `
the question: yes
  analytics/task  scale in   25:24  正在缩容, Decommission…
  分析/core       scale out  25:24  sending, 3 → 5 nodes
  2 running        ^C leaves; apply again goes on`)
	s.resize(120)
	*now = noon.Add(34 * time.Minute)
	p.Event(engine.Event{Action: shrink, State: engine.Running, Text: "deleting"})
	p.Tick()
	shows(t, s, `
the question: yes
  analytics/task  scale in   34:00  deleting              ▕██████████▏ longer than usual (9 min)
  分析/core       scale out  34:00  sending, 3 → 5 nodes
  2 running        ^C leaves; apply again goes on`)
}

// A bar would lie of a request that may not have arrived, and of one that waits
// to be sent again.
func TestProgressNotExpected(t *testing.T) {
	s, p, _ := live(1, 120)
	p.Expect(usually)
	for _, state := range []engine.EventState{engine.Waiting, engine.Sending, engine.Waiting, engine.Sending, engine.Watching, engine.Expiring} {
		p.Event(engine.Event{Action: shrink, State: state, Text: "so"})
		if got, want := strings.Contains(s.String(), "usually"), state == engine.Sending; got != want {
			t.Errorf("%s: shows what is usual: %v\n%s", state, got, s)
		}
	}
}

// What an earlier run sent is measured from then.
func TestProgressExpectedOfEarlier(t *testing.T) {
	s, p, _ := live(1, 120)
	p.Expect(func(*engine.Action) (time.Duration, time.Time) { return 9 * time.Minute, noon.Add(-3 * time.Minute) })
	p.Event(engine.Event{Action: shrink, State: engine.Running, Text: "deleting"})
	if !strings.Contains(s.String(), "00:00  deleting  ▕███░░░░░░░▏ usually 9 min") {
		t.Errorf("got\n%s", s)
	}
}

// Without a terminal what is usual is said once, and that it is exceeded each
// time that something is said.
func TestProgressExpectedInALog(t *testing.T) {
	var b strings.Builder
	now := noon
	p := NewProgress(&b, 1, false, nil, func() time.Time { return now })
	p.Expect(func(*engine.Action) (time.Duration, time.Time) { return 30 * time.Second, time.Time{} })
	p.Event(engine.Event{Action: shrink, State: engine.Waiting, Text: "locked by ops"})
	p.Event(engine.Event{Action: shrink, State: engine.Sending})
	p.Event(engine.Event{Action: shrink, State: engine.Running, Text: "deleting"})
	for range 70 {
		now = now.Add(time.Second)
		p.Tick()
	}
	p.Event(engine.Event{Action: shrink, State: engine.Ended, Outcome: &engine.Outcome{State: engine.Applied, Detail: "8 nodes"}})
	want := `12:00:00Z analytics/task: waiting: locked by ops
12:00:00Z analytics/task: sending, 10 → 8 nodes, usually 30 s
12:00:00Z analytics/task: deleting
12:00:30Z analytics/task: deleting, 30 s
12:01:00Z analytics/task: deleting, 1 min 0 s, longer than usual (30 s)
12:01:10Z analytics/task: done. 8 nodes
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("the log differs (-want +got):\n%s", diff)
	}
}
