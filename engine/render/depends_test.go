package render

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
)

// What comes after other clusters says after which, and counts many of them.
func TestPlanNamesOtherClusters(t *testing.T) {
	p := &engine.Plan{Summary: engine.Summary{ScaleOut: 6}}
	for i, name := range []string{"a", "b", "c", "d\x1b[1m"} {
		a := *grow
		a.ID, a.Cluster, a.Address, a.Source, a.Provider, a.Kind, a.ClusterID = fmt.Sprintf("a%d", i+1), name, name+"/core", "x.cue:1:1", "hw", "mrs", "id"
		p.Actions = append(p.Actions, a)
	}
	last := p.Actions[0]
	last.ID, last.Cluster, last.DependsOn = "a5", "z", []string{"a2", "a4"}
	more := last
	more.ID, more.Cluster, more.DependsOn = "a6", "zz", []string{"a1", "a2", "a3", "a4", "a5", "a9"}
	p.Actions = append(p.Actions, last, more)
	var b strings.Builder
	if err := Plan(&b, p, Look{}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(b.String()) {
		if _, after, found := strings.Cut(line, "x.cue:1:1"); found {
			got = append(got, strings.TrimSpace(after))
		}
	}
	if diff := cmp.Diff([]string{"", "", "", "", "after b, d[1m", "after a, b, c, and 2 more"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, b.String())
	}
}

// Actions that wait for other clusters are counted, however many they are; the
// clock of one begins when its turn has come.
func TestProgressOfDependents(t *testing.T) {
	s, p, now := live(5, 110)
	next := *grow
	next.ID, next.Address = "a3", "batch/core"
	p.Event(engine.Event{Action: grow, State: engine.Waiting, For: "analytics/task"})
	p.Event(engine.Event{Action: shrink, State: engine.Running})
	shows(t, s, `
the question: yes
  analytics/task  scale in  00:00  running
  1 running · 1 waiting for analytics/task · 3 to come        ^C leaves; apply again goes on`)
	p.Event(engine.Event{Action: &next, State: engine.Waiting, For: "分析/core"})
	*now = noon.Add(42 * time.Second)
	p.Tick()
	shows(t, s, `
the question: yes
  analytics/task  scale in  00:42  running
  1 running · 2 waiting for others · 2 to come        ^C leaves; apply again goes on`)
	p.Event(engine.Event{Action: shrink, State: engine.Ended, Outcome: &engine.Outcome{State: engine.Applied, Verdict: journal.Done}})
	p.Event(engine.Event{Action: grow, State: engine.Waiting, Text: "locked by ops"})
	shows(t, s, `
the question: yes
analytics/task: done
  分析/core  scale out  00:00  waiting: locked by ops
  1 waiting · 1 waiting for 分析/core · 2 to come · 1 done        ^C leaves; apply again goes on`)
	p.Event(engine.Event{Action: grow, State: engine.Ended, Outcome: &engine.Outcome{State: engine.Failed}})
	shows(t, s, `
the question: yes
analytics/task: done
分析/core: not done
  1 waiting for 分析/core · 2 to come · 1 done · 1 not done        ^C leaves; apply again goes on`)
}

// Without a terminal it is said once what an action waits for, and what it does
// then is news.
func TestProgressLogOfDependents(t *testing.T) {
	var b strings.Builder
	now := noon
	p := NewProgress(&b, 2, false, nil, func() time.Time { return now })
	p.Event(engine.Event{Action: grow, State: engine.Waiting, For: "analytics/task"})
	for range 65 {
		now = now.Add(time.Second)
		p.Tick()
	}
	p.Event(engine.Event{Action: grow, State: engine.Waiting, For: "other/core"})
	p.Event(engine.Event{Action: grow, State: engine.Waiting, Text: "locked by ops"})
	now = now.Add(31 * time.Second)
	p.Tick()
	p.Event(engine.Event{Action: grow, State: engine.Ended, Outcome: &engine.Outcome{State: engine.Skipped, Detail: "not sent: it depends on analytics/task, which was not done"}})
	want := `12:00:00Z 分析/core: waiting for analytics/task
12:01:05Z 分析/core: waiting: locked by ops
12:01:36Z 分析/core: waiting: locked by ops, 31 s
12:01:36Z 分析/core: not sent: it depends on analytics/task, which was not done
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("the log differs (-want +got):\n%s", diff)
	}
}
