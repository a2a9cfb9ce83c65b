//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// How a run is applied.
const (
	byDir      = "dir"  // apply --auto-approve, a new store at once
	byPlan     = "plan" // a saved plan
	byDirLater = "wait" // apply --auto-approve, and the new store waits
)

var chaosModes = []string{byDir, byPlan, byDirLater}

// chaosRun is one run of the grid: clouds, a store, one apply that is killed at
// a point, and applies after it until nothing is left to do.
type chaosRun struct {
	scenario scenario
	fault    chaosFault
	mode     string
	at       string // the point; empty: nobody is killed
	victim   string
	again    string // the point of the second kill, in the first re-run; mostly empty

	dir    string
	fronts []*front
	// Passwords that the spec refers to.
	passwords map[string]string
	commands  []command

	mu       sync.Mutex
	first    bool     // the first apply runs
	points   []string // that processes came to; in a recording it is the first apply alone
	kills    []string // who was killed
	problems error    // of the grid itself
	ended    string   // how it ended: endNoChanges, or the named stop
}

const endNoChanges = "no changes"

// command is one process of clusterctl that has ended.
type command struct {
	args           []string
	code           int // -1: by a signal
	stdout, stderr string
	took           time.Duration
	stray          []chaosProcess // what lived on after it
}

func (c *command) String() string {
	return fmt.Sprintf("$ clusterctl %s\n%s%s[exit %d after %s]", strings.Join(c.args, " "), c.stdout, c.stderr, c.code, c.took.Round(time.Millisecond))
}

func (r *chaosRun) id() string {
	id := strings.Join([]string{r.scenario.name, r.fault.name, r.mode}, "/")
	if r.at != "" {
		id += "/" + r.at + "/" + r.victim
	}
	if r.again != "" {
		id += "/" + r.again
	}
	return id
}

func (r *chaosRun) store() string { return filepath.Join(r.dir, "store") }
func (r *chaosRun) tmp() string   { return filepath.Join(r.dir, "tmp") }
func (r *chaosRun) trace() string { return filepath.Join(r.dir, "trace") }

// canary is a secret that can be told wherever it shows.
func canary(kind string) string { return "Canary-1" + kind + rand.Text()[:16] }

// prepare makes clouds, folder and spec.
func (r *chaosRun) prepare() error {
	var err error
	// Short, since the path of a socket is made in it.
	if r.dir, err = os.MkdirTemp("/tmp", "chaos"); err != nil {
		return err
	}
	if err := os.Mkdir(r.tmp(), 0o700); err != nil {
		return err
	}
	r.passwords = map[string]string{"CCTL_SECRET_EHPC": canary("E"), "CCTL_SECRET_ACK": canary("A")}
	for _, name := range r.scenario.clouds() {
		f, err := newFront(r, name)
		if err != nil {
			return err
		}
		r.fronts = append(r.fronts, f)
	}
	return os.WriteFile(filepath.Join(r.dir, "fleet.cue"), []byte(r.scenario.spec), 0o600)
}

func (r *chaosRun) close() {
	for _, f := range r.fronts {
		f.web.Close()
	}
	if r.dir != "" {
		_ = os.RemoveAll(r.dir)
	}
}

func (r *chaosRun) environment(program string) []string {
	env := []string{
		"HOME=" + r.dir, "TMPDIR=" + r.tmp(), "TERM=dumb", "PATH=/usr/bin:/bin",
		"CCTL_PLUGIN_DIR=" + filepath.Dir(program), "CCTL_STORE=" + r.store(),
		fmt.Sprintf("CCTL_TIMING=accept_window=%s,read_lag=%s", chaosWindow, chaosLag),
	}
	for name, value := range r.passwords {
		env = append(env, name+"="+value)
	}
	for _, f := range r.fronts {
		c := chaosClouds[f.name]
		env = append(env, "CCTL_ENDPOINT_"+strings.ToUpper(f.name)+"="+f.web.URL, c.id+"="+f.keys[0], c.secret+"="+f.keys[1])
	}
	return env
}

// commandTime is far more than any command needs.
const commandTime = 90 * time.Second

// do runs clusterctl to its end, with taps when trace names a file.
func (r *chaosRun) do(taps []string, args ...string) *command {
	program, err := exec.LookPath("clusterctl")
	if err != nil {
		r.problem(err)
		return &command{args: args, code: -1}
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = r.dir, append(r.environment(program), taps...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = deathTime
	begun := time.Now()
	err = cmd.Run()
	c := command{args: args, code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(begun)}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		r.problem(fmt.Errorf("clusterctl %s does not come to an end within %s", strings.Join(args, " "), commandTime))
	case err != nil && !errors.As(err, &exit):
		r.problem(fmt.Errorf("clusterctl %s: %w", strings.Join(args, " "), err))
	}
	c.stray = untilGone(func() []chaosProcess { return processesOf(r.tmp()) })
	r.commands = append(r.commands, c)
	return &r.commands[len(r.commands)-1]
}

// apply is what the user typed.
func (r *chaosRun) apply() []string {
	switch r.mode {
	case byPlan:
		return []string{"apply", "--new-store=now", "plan.json"}
	case byDirLater:
		return []string{"apply", "--auto-approve", "--new-store=wait"}
	}
	return []string{"apply", "--auto-approve", "--new-store=now"}
}

// mostReruns bounds the applies after the first.
const mostReruns = 6

// play carries the run out.
func (r *chaosRun) play() {
	if r.mode == byPlan {
		if c := r.do(nil, "plan", "--out", "plan.json"); c.code != exitOK {
			r.problem(fmt.Errorf("plan exits with %d", c.code))
			return
		}
	}
	r.counts(true)
	r.do([]string{traceVariable + "=" + r.trace(), stopVariable + "=" + r.at, victimVariable + "=" + r.victim}, r.apply()...)
	r.counts(false)
	r.traced()
	args := r.apply()
	previous := ""
	for n := range mostReruns {
		var taps []string
		if n == 0 && r.again != "" {
			taps = []string{traceVariable + "=" + r.trace(), stopVariable + "=" + r.again, victimVariable + "=" + killSelf}
		}
		c := r.do(taps, args...)
		r.traced()
		if c.code == -1 {
			continue
		}
		p := r.do(nil, "plan", "--detailed-exitcode")
		if p.code == exitOK && strings.HasPrefix(p.stdout, "No changes") {
			r.ended = endNoChanges
			return
		}
		// A saved plan approves once; what it leaves is for a new one.
		if r.mode == byPlan {
			args = []string{"apply", "--auto-approve"}
		}
		outcome := fmt.Sprint(c.code, p.code, p.stdout)
		if stop := namedStop[r.scenario.name+"/"+r.fault.name]; stop != nil && c.code != exitOK && outcome == previous && stop.MatchString(c.stdout+c.stderr) {
			r.ended = stop.FindString(c.stdout + c.stderr)
			return
		}
		previous = outcome
	}
}

// counts says whether the points that the clouds see are the first apply's.
func (r *chaosRun) counts(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.first = yes
}

// traced takes over what a process noted: the points that it came to and whom
// it killed.
func (r *chaosRun) traced() {
	b, err := os.ReadFile(r.trace())
	if errors.Is(err, os.ErrNotExist) {
		return // it was not tapped
	}
	if err == nil {
		err = os.Rename(r.trace(), fmt.Sprintf("%s-%d", r.trace(), len(r.commands)))
	}
	if err != nil {
		r.problem(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if what, ok := strings.CutPrefix(line, killMark); ok {
			victim, _, _ := strings.Cut(what, " ")
			r.kills = append(r.kills, victim)
			continue
		}
		r.points = append(r.points, line)
	}
}
