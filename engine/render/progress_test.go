package render

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

var (
	noon   = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	shrink = &engine.Action{ID: "a1", Address: "analytics/task", Cluster: "analytics", Group: "task", Op: provider.OpScaleIn,
		From: map[string]int64{"count": 10}, To: map[string]int64{"count": 8}}
	grow = &engine.Action{ID: "a2", Address: "分析/core", Cluster: "分析", Group: "core", Op: provider.OpScaleOut,
		From: map[string]int64{"count": 3}, To: map[string]int64{"count": 5}}
)

// live is a progress on a screen with a clock that the test sets.
func live(total, width int) (*screen, *Progress, *time.Time) {
	s, now := &screen{width: width}, noon
	s.lines = []string{"the question: yes", ""}
	s.row = 1
	p := NewProgress(s, total, false, func() int { return s.width }, func() time.Time { return now })
	return s, p, &now
}

func shows(t *testing.T, s *screen, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), s.String()); diff != "" {
		t.Errorf("the screen differs (-want +got):\n%s", diff)
	}
}

// A line per running action is drawn in place, however often something is
// reported; columns align in cells; what ended stays above.
func TestProgressLive(t *testing.T) {
	s, p, now := live(3, 90)
	p.Event(engine.Event{Action: shrink, State: engine.Sending})
	p.Event(engine.Event{Action: grow, State: engine.Waiting, Text: "locked by ops"})
	*now = noon.Add(42 * time.Second)
	for range 5 {
		p.Event(engine.Event{Action: shrink, State: engine.Running, Text: "正在缩容, Decommissioning instance"})
	}
	p.Tick()
	shows(t, s, `
the question: yes
  analytics/task  scale in   00:42  正在缩容, Decommissioning instance
  分析/core       scale out  00:42  waiting: locked by ops
  1 running · 1 waiting · 1 to come        ^C leaves; apply again goes on`)

	p.Event(engine.Event{Action: shrink, State: engine.Ended, Outcome: &engine.Outcome{State: engine.Applied, Verdict: journal.Done, Detail: "8 nodes; 2 gone"}})
	shows(t, s, `
the question: yes
analytics/task: done. 8 nodes; 2 gone
  分析/core  scale out  00:42  waiting: locked by ops
  1 waiting · 1 to come · 1 done        ^C leaves; apply again goes on`)

	p.Say("Interrupted.")
	p.Close()
	shows(t, s, `
the question: yes
analytics/task: done. 8 nodes; 2 gone
Interrupted.`)
}

// What a person must not miss gets a line that stays.
func TestProgressLostReply(t *testing.T) {
	s, p, _ := live(1, 100)
	// Wherever the person is, the time is the same as in the log.
	local := time.Local
	time.Local = time.FixedZone("CST", 8*3600)
	t.Cleanup(func() { time.Local = local })
	until := time.Date(2026, 3, 2, 18, 31, 7, 0, time.Local)
	p.Event(engine.Event{Action: grow, State: engine.Watching, Text: "the reply was lost. Not sending again", Until: until})
	p.Event(engine.Event{Action: grow, State: engine.Watching, Text: "scaling-out, 3 nodes"})
	shows(t, s, `
the question: yes
分析/core: the reply was lost. Not sending again. The request can no longer take effect after
  10:31:07Z
  分析/core  scale out  00:00  the reply was lost. Not sending again. The request can no longer ta…
  1 running        ^C leaves; apply again goes on`)
	p.Tick()
	if !strings.Contains(s.String(), "00:00  scaling-out, 3 nodes") {
		t.Errorf("the next text does not show:\n%s", s)
	}
	p.Event(engine.Event{Action: grow, State: engine.Running, Text: "Adding node"})
	p.Event(engine.Event{Action: grow, State: engine.Watching, Text: "running, 5 nodes"})
	p.Close()
	shows(t, s, `
the question: yes
分析/core: the reply was lost. Not sending again. The request can no longer take effect after
  10:31:07Z`)
}

// A window made narrower breaks the lines that are drawn; all of them go.
func TestProgressResized(t *testing.T) {
	s, p, _ := live(2, 100)
	text := "Decommissioning instance, then deleting its disks and what else there is"
	p.Event(engine.Event{Action: shrink, State: engine.Running, Text: text})
	for _, width := range []int{44, 100, 30, 44, 120, 44} {
		s.resize(width)
		p.Tick()
		if n := strings.Count(s.String(), "analytics/task"); n != 1 {
			t.Fatalf("at width %d the action shows %d times:\n%s", width, n, s)
		}
	}
	shows(t, s, `
the question: yes
  analytics/task  scale in  00:00  Decommi…
  1 running · 1 to come`)
}

// More actions than fit are counted, not drawn.
func TestProgressMany(t *testing.T) {
	s, p, _ := live(40, 80)
	for i := range 30 {
		a := *shrink
		a.ID = string(rune('A' + i))
		p.Event(engine.Event{Action: &a, State: engine.Running})
	}
	if n := strings.Count(s.String(), "analytics/task"); n != maxLive {
		t.Errorf("%d actions are drawn, want %d", n, maxLive)
	}
	if !strings.Contains(s.String(), "30 running · 10 to come") {
		t.Errorf("the count is missing:\n%s", s)
	}
}

// Without a terminal there is a line when an action starts, when its state
// changes, when it ends, and every 30 seconds; with the time, without escapes.
func TestProgressLog(t *testing.T) {
	var b strings.Builder
	now := noon
	p := NewProgress(&b, 1, false, nil, func() time.Time { return now })
	p.Event(engine.Event{Action: shrink, State: engine.Sending})
	now = now.Add(time.Second)
	p.Event(engine.Event{Action: shrink, State: engine.Running, Text: "Deleting VM\x1b[2J"})
	for range 65 {
		now = now.Add(time.Second)
		p.Event(engine.Event{Action: shrink, State: engine.Running, Text: "Deleting VM"})
		p.Tick()
	}
	p.Event(engine.Event{Action: shrink, State: engine.Ended, Outcome: &engine.Outcome{State: engine.Unsettled, Detail: "no two reads agreed"}})
	p.Close()
	want := `12:00:00Z analytics/task: sending, 10 → 8 nodes
12:00:01Z analytics/task: Deleting VM[2J
12:00:31Z analytics/task: Deleting VM, 31 s
12:01:01Z analytics/task: Deleting VM, 1 min 1 s
12:01:06Z analytics/task: unknown. no two reads agreed
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("the log differs (-want +got):\n%s", diff)
	}
}
