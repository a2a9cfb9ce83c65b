//go:build unix

package main

import (
	"bufio"
	"bytes"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// round is so many applies at once, and what the judge found.
type round struct {
	contest
	number int
	clouds *frozenClouds
	plans  *planFiles

	store    string
	applies  []*contestant
	news     chan struct{} // somebody said something or ended
	requests int
	overlaps int
	doubles  int
	losers   int
	toldMS   []float64
}

// contestant is one apply.
type contestant struct {
	args  []string
	more  int // nodes that it wants beyond the example
	began time.Time
	cmd   *exec.Cmd
	out   bytes.Buffer // read only after the end

	mu    sync.Mutex
	lines []heard
	ended bool
}

// heard is a line of stderr and how long after the start it came.
type heard struct {
	after time.Duration
	text  string
}

// play runs the round: all start together; when everybody has a lock or was
// told who has it, the clouds go on.
func (r *round) play(t *testing.T) {
	r.clouds.reset(t)
	r.store = t.TempDir() + "/store"
	r.news = make(chan struct{}, 1)
	for i := range r.number {
		r.applies = append(r.applies, r.contestant(t, i))
	}
	for _, c := range r.applies {
		r.start(t, c)
	}
	defer r.kill()
	r.await(t, "every apply holds each cluster or was told who does", func() bool { return !slices.ContainsFunc(r.applies, r.undecided) })
	for _, e := range r.clouds.audit() {
		if e.Event != "request" {
			t.Errorf("a job ended before the clouds were let go: %+v", e)
		}
	}
	r.clouds.letGo()
	r.await(t, "every apply ends", func() bool { return !slices.ContainsFunc(r.applies, func(c *contestant) bool { return !c.over() }) })
	r.judge(t)
	if t.Failed() {
		r.tell(t)
	}
}

// contestant prepares the i-th apply.
func (r *round) contestant(t *testing.T, i int) *contestant {
	c := &contestant{args: []string{"apply", "--new-store=now"}}
	if r.patient {
		c.args = append(c.args, "--lock-timeout", lockTimeout)
	}
	if r.otherCounts() {
		c.more = i + 1
	}
	if r.directory() {
		c.args = append(c.args, "--auto-approve")
		for _, name := range r.targets {
			c.args = append(c.args, "--target", name)
		}
		c.args = append(c.args, r.plans.spec(t, c.more))
		return c
	}
	copy := 0
	if r.how != onePlan {
		copy = i
	}
	c.args = append(c.args, r.plans.plan(t, c.more, copy, r.targets))
	return c
}

func (r *round) start(t *testing.T, c *contestant) {
	c.cmd = exec.Command("clusterctl", c.args...)
	c.cmd.Env = append([]string{"CCTL_STORE=" + r.store}, r.clouds.env...)
	c.cmd.Stdout = &c.out
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.began = time.Now()
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); r.tellNews() {
			c.mu.Lock()
			c.lines = append(c.lines, heard{time.Since(c.began), lines.Text()})
			c.mu.Unlock()
		}
		_ = c.cmd.Wait()
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
		r.tellNews()
	}()
}

func (r *round) tellNews() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// await waits for something that the processes' lines and ends decide.
func (r *round) await(t *testing.T, what string, so func() bool) {
	t.Helper()
	patience := time.After(2 * time.Minute)
	for !so() {
		select {
		case <-r.news:
		case <-patience:
			r.tell(t)
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// kill ends what a failed round left running.
func (r *round) kill() {
	for _, c := range r.applies {
		if c.cmd != nil && !c.over() {
			_ = c.cmd.Process.Kill()
		}
	}
}

// undecided reports that an apply has neither got a cluster nor been told that
// another has it. Who need not wait and got nothing has to be gone as well, for
// a loser's end must not depend on the winner's.
func (r *round) undecided(c *contestant) bool {
	if c.over() {
		return false
	}
	holds := 0
	for _, name := range r.targets {
		_, locked := c.toldLocked(name)
		switch {
		case c.sent(name):
			holds++
		case !locked:
			return true
		}
	}
	return holds == 0 && !r.patient
}

func (c *contestant) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

func (c *contestant) heard() []heard {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines)
}

var sendingLine = regexp.MustCompile(`^\S+ ([^/:\s]+)\S*: sending, `)

// sent reports that the apply sent something to a cluster.
func (c *contestant) sent(cluster string) bool {
	return slices.ContainsFunc(c.heard(), func(h heard) bool {
		m := sendingLine.FindStringSubmatch(h.text)
		return m != nil && m[1] == cluster
	})
}

var (
	lockedLine = regexp.MustCompile(`^\S+ ([^/:\s]+)\S*: (?:waiting: )?locked by (.*)$`)
	holderText = regexp.MustCompile(`^(\S+) on \S+, process (\d+), ("(?:[^"\\]|\\.)*"), since \d{4}-`)
)

// toldHolder is what an apply was told of a cluster's lock: after how long, and
// of whom.
type toldHolder struct {
	after time.Duration
	by    string
}

func (c *contestant) toldLocked(cluster string) (toldHolder, bool) {
	for _, h := range c.heard() {
		if m := lockedLine.FindStringSubmatch(h.text); m != nil && m[1] == cluster {
			return toldHolder{h.after, m[2]}, true
		}
	}
	return toldHolder{}, false
}

// names reports that the text names this apply: user, process and command.
func (h toldHolder) names(c *contestant) bool {
	m := holderText.FindStringSubmatch(h.by)
	return m != nil && m[1] == "operator" && m[2] == strconv.Itoa(c.cmd.Process.Pid) &&
		m[3] == strconv.Quote("clusterctl "+strings.Join(c.args, " "))
}

// tell prints all that a failed round needs to be understood.
func (r *round) tell(t *testing.T) {
	for i, c := range r.applies {
		t.Logf("apply %d, process %d, %s: %v", i, c.cmd.Process.Pid, strings.Join(c.args, " "), c.cmd.ProcessState)
		for _, h := range c.heard() {
			t.Logf("  %6.0f ms  %s", ms(h.after), h.text)
		}
		if c.over() {
			t.Logf("  stdout: %s", c.out.String())
		}
	}
	for _, e := range r.clouds.audit() {
		t.Logf("cloud %s: %d %s %s %s %s %s %d %v job %s", e.Cloud, e.Seq, e.Event, e.Call, e.Cluster, e.Group, e.Outcome, e.Count, e.Nodes, e.Job)
	}
	for _, rec := range r.history(t) {
		t.Logf("history: %s %s %v → %v %s %s", rec.Intent.Cluster, rec.Intent.Op, rec.Intent.From, rec.Intent.To, rec.Verdict, rec.Detail)
	}
}

func (r *round) history(t *testing.T) (records []journal.Record) {
	t.Helper()
	err := openRound(t, r.store).History(func(rec journal.Record) bool {
		records = append(records, rec)
		return true
	})
	if err != nil {
		t.Error(err)
	}
	return records
}

func openRound(t *testing.T, dir string) *journal.FileStore {
	t.Helper()
	store, err := journal.OpenFile(dir, journal.CreateNo, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
