//go:build linux

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	chaosRuns     = flag.Int("chaos", 0, "play `N` runs of the crash grid, spread evenly; 0: the usual few, -1: all")
	chaosOnly     = flag.String("chaos-only", "", "play the one run `ID` and print it")
	chaosParallel = flag.Int("chaos-parallel", 12, "play `N` runs at a time; they wait most of it")
)

const (
	usualChaos = 24
	perCombo   = 4 // runs for each recording, where the runs are few
)

// chaosFigures are what came of the grid.
type chaosFigures struct {
	Runs       int            `json:"runs"`
	Recordings int            `json:"recordings"`
	Grid       int            `json:"grid"` // points × victims × scenarios × faults to choose from
	Points     int            `json:"points"`
	Scenarios  int            `json:"scenarios"`
	Kills      map[string]int `json:"kills"`
	Double     int            `json:"killed_twice"`
	NotReached int            `json:"point_not_reached"`
	ByCloud    map[string]int `json:"by_cloud"`
	ByFault    map[string]int `json:"by_fault"`
	ByMode     map[string]int `json:"by_mode"`
	Reruns     int            `json:"reruns"`
	NoChanges  int            `json:"ended_no_changes"`
	NamedStop  int            `json:"ended_named_stop"`
	Accepted   int            `json:"accepted_requests"`
	Doubles    int            `json:"double_buys"`
	Violations int            `json:"violations"`
	Orphans    int            `json:"orphans"`
	Locks      int            `json:"leftover_locks"`
	Intents    int            `json:"leftover_intents"`
	Secrets    int            `json:"secrets_found"`
	Failed     []string       `json:"failed"`
	Seconds    float64        `json:"seconds"`

	points, scenarios map[string]bool
}

// TestChaos kills clusterctl or a plugin with SIGKILL at named points, plays on
// as a user would, and judges what is left.
func TestChaos(t *testing.T) {
	if *chaosOnly != "" {
		r, err := chaosByID(*chaosOnly)
		if err != nil {
			t.Fatal(err)
		}
		if playChaos(t, r, nil) {
			t.Logf("%s\n%s", r.id(), r)
		}
		return
	}
	f := &chaosFigures{Kills: map[string]int{}, ByCloud: map[string]int{}, ByFault: map[string]int{}, ByMode: map[string]int{}, Failed: []string{},
		points: map[string]bool{}, scenarios: map[string]bool{}}
	begun := time.Now()
	want := *chaosRuns
	switch {
	case want == 0 && raceDetector:
		want = usualChaos / 3
	case want == 0:
		want = usualChaos
	}
	play := func(r *chaosRun) { playChaos(t, r, f) }
	recordings := combos(want)
	sideBySide(recordings, play)
	runs := grid(recordings)
	f.Grid = len(runs)
	t.Logf("%d recordings after %s: a grid of %d", len(recordings), time.Since(begun).Round(time.Second), len(runs))
	if want > 0 {
		runs = spread(runs, want)
	}
	sideBySide(runs, play)
	f.Points, f.Scenarios = len(f.points), len(f.scenarios)
	f.Seconds = time.Since(begun).Seconds()
	f.judge(t, want)
	saveReport(t, f)
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", text)
}

// judge demands that the grid was worth its name.
func (f *chaosFigures) judge(t *testing.T, want int) {
	if f.Runs < want {
		t.Errorf("%d runs, want %d", f.Runs, want)
	}
	// Watches end sooner or later than in the recording.
	if f.NotReached > f.Runs/5 {
		t.Errorf("%d of %d runs did not come to their point", f.NotReached, f.Runs)
	}
	if f.Kills[killSelf] == 0 || f.Kills[killPlugin] == 0 || f.Accepted == 0 {
		t.Errorf("kills %v, requests accepted %d: the grid tries nothing", f.Kills, f.Accepted)
	}
}

// playChaos plays and judges one run. It is true when all holds; else it has
// told everything.
func playChaos(t *testing.T, r *chaosRun, f *chaosFigures) bool {
	defer r.close()
	if err := r.prepare(); err != nil {
		t.Errorf("%s: %v", r.id(), err)
		return false
	}
	r.play()
	v := r.judge()
	if len(v.violations) > 0 {
		var text strings.Builder
		for _, one := range v.violations {
			fmt.Fprintf(&text, "\n  %s: %s", one.rule, one.text)
		}
		t.Errorf("%s%s\nagain: go test ./cmd/clusterctl -run '^TestChaos$' -v -chaos-only '%s'\n%s", r.id(), &text, r.id(), r)
	}
	if f != nil {
		if n := f.add(r, v); n > 0 && n%100 == 0 {
			t.Logf("%d runs", n)
		}
	}
	return len(v.violations) == 0
}

var chaosCount sync.Mutex

// add counts one run and says how many there were; recordings, in which nobody
// is killed, are counted apart.
func (f *chaosFigures) add(r *chaosRun, v *chaosVerdict) int {
	chaosCount.Lock()
	defer chaosCount.Unlock()
	f.Violations += len(v.violations)
	f.Doubles += v.doubles
	for _, one := range v.violations {
		switch one.rule {
		case chaosOrphan:
			f.Orphans++
		case chaosLock:
			f.Locks++
		case chaosIntent:
			f.Intents++
		case chaosSecret:
			f.Secrets++
		}
	}
	if len(v.violations) > 0 {
		f.Failed = append(f.Failed, r.id())
	}
	if r.at == "" {
		f.Recordings++
		return 0
	}
	f.Runs++
	f.scenarios[r.scenario.name] = true
	f.ByFault[r.fault.name]++
	f.ByMode[r.mode]++
	for _, name := range r.scenario.clouds() {
		f.ByCloud[name]++
	}
	for _, victim := range r.kills {
		f.Kills[victim]++
	}
	switch {
	case len(r.kills) == 0:
		f.NotReached++
	default:
		f.points[r.at+" "+r.victim] = true
	}
	if len(r.kills) > 1 {
		f.Double++
	}
	f.Accepted += v.accepted
	for i := range r.commands {
		if r.commands[i].args[0] == "apply" {
			f.Reruns++
		}
	}
	f.Reruns-- // the first apply is none
	switch r.ended {
	case "":
	case endNoChanges:
		f.NoChanges++
	default:
		f.NamedStop++
	}
	return f.Runs
}

// sideBySide plays several runs at a time.
func sideBySide(runs []*chaosRun, play func(*chaosRun)) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, max(1, *chaosParallel))
	for _, r := range runs {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			play(r)
		})
	}
	wait.Wait()
}

// String is everything that is known of a run.
func (r *chaosRun) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "killed: %v; ended: %q\n", r.kills, r.ended)
	for i := range r.commands {
		fmt.Fprintf(&b, "%s\n", &r.commands[i])
	}
	for _, f := range r.fronts {
		fmt.Fprintf(&b, "audit log of %s:\n", f.name)
		for _, e := range f.sim.Log().Entries() {
			line, _ := json.Marshal(e) // plain fields
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	return b.String()
}
