//go:build unix

package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// bought is what jobs did to a cluster, by event: nodes added, removed, resized,
// and nodes of clusters created.
type bought map[string]int

// exampleEffects are what applying the example fleet once does.
var exampleEffects = map[string]bought{
	"secure":     {"added": 2},
	"edge":       {"added": 2},
	"analytics":  {"added": 2, "removed": 2},
	"login":      {"resized": 1},
	"simulation": {"created": 4},
}

// exampleIDs lead from the cloud's ids to the spec's names. A cluster that is
// created has none yet.
var exampleIDs = map[string]string{
	"c00000000000000000000000000000001":    "secure",
	"c00000000000000000000000000000002":    "edge",
	"00000000-0000-4000-8000-000000000001": "analytics",
	"hpc-gk3wfc7e":                         "login",
}

// judge compares what the clouds did with what the applies said.
func (r *round) judge(t *testing.T) {
	effects := r.audit(t)
	records := r.history(t)
	for _, name := range r.targets {
		r.judgeBought(t, name, effects[name], records)
		r.judgeLosers(t, name)
	}
	for name := range effects {
		if !slices.Contains(r.targets, name) {
			t.Errorf("the cloud changed %s, which nobody applied", name)
		}
	}
	for _, c := range r.applies {
		r.judgeEnd(t, c)
	}
	r.judgeStore(t)
}

// audit adds up what the clouds did, and counts changing requests and those
// that came while a job of an earlier one was not over.
func (r *round) audit(t *testing.T) map[string]bought {
	effects, open := map[string]bought{}, map[string]string{}
	for _, e := range r.clouds.audit() {
		name := cmp.Or(exampleIDs[e.Cluster], "simulation")
		if e.Event != "request" {
			if effects[name] == nil {
				effects[name] = bought{}
			}
			effects[name][e.Event] += nodesOf(e)
			delete(open, name)
			continue
		}
		r.requests++
		if job, ok := open[name]; ok {
			r.overlaps++
			t.Errorf("%s of %s (%s) came while job %s was not over", e.Call, name, e.Outcome, job)
		}
		if e.Outcome == "accepted" {
			open[name] = e.Job
		}
	}
	for name, job := range open {
		t.Errorf("job %s of %s did nothing", job, name)
	}
	return effects
}

func nodesOf(e cloudsim.Entry) int { return max(len(e.Nodes), e.Count) }

// judgeBought demands exactly what one plan says; where every apply plans for
// itself, what the plans that were carried out say one after another.
func (r *round) judgeBought(t *testing.T, name string, got bought, records []journal.Record) {
	want := bought{}
	if !r.otherCounts() {
		want = exampleEffects[name]
	} else {
		records = slices.DeleteFunc(slices.Clone(records), func(rec journal.Record) bool { return rec.Intent.Cluster != name })
		for _, rec := range records {
			event := map[provider.Op]string{provider.OpScaleOut: "added", provider.OpScaleIn: "removed"}[rec.Intent.Op]
			want[event] += int(rec.Intent.K)
		}
		winners := slices.DeleteFunc(slices.Clone(r.applies), func(c *contestant) bool { return !c.sent(name) })
		perApply := len(exampleEffects[name]) // one action for each event
		if len(winners) > 1 && !(r.directory() && r.patient) {
			t.Errorf("%d applies changed %s, each by its own plan", len(winners), name)
		}
		if sends := sends(winners, name); sends != len(records) || len(winners) == 1 && sends != perApply {
			t.Errorf("%d applies sent %d requests to %s, and history has %d", len(winners), sends, name, len(records))
		}
		if len(winners) == 1 {
			want = maps.Clone(exampleEffects[name])
			want["added"] += winners[0].more
		}
	}
	if !maps.Equal(got, want) {
		r.doubles++
		t.Errorf("%s: the cloud did %v, the plan says %v", name, got, want)
	}
}

// sends counts requests that applies said they sent to a cluster.
func sends(applies []*contestant, name string) (n int) {
	for _, c := range applies {
		for _, h := range c.heard() {
			if m := sendingLine.FindStringSubmatch(h.text); m != nil && m[1] == name {
				n++
			}
		}
	}
	return n
}

// judgeLosers demands that whoever found the cluster locked was told by whom:
// user, process and command of the one apply that held it then.
func (r *round) judgeLosers(t *testing.T, name string) {
	for i, c := range r.applies {
		told, locked := c.toldLocked(name)
		if !locked {
			continue
		}
		r.losers++
		at := slices.IndexFunc(r.applies, told.names)
		if at < 0 || at == i || !r.applies[at].sent(name) {
			t.Errorf("apply %d was told that %s is locked by %s", i, name, told.by)
			continue
		}
		r.toldMS = append(r.toldMS, ms(told.after))
	}
}

// judgeEnd demands the exit code that belongs to what an apply got.
func (r *round) judgeEnd(t *testing.T, c *contestant) {
	got, told := 0, 0
	for _, name := range r.targets {
		if c.sent(name) {
			got++
		}
		if _, locked := c.toldLocked(name); locked {
			told++
		}
	}
	code, text := c.cmd.ProcessState.ExitCode(), c.out.String()
	want := []int{exitLocked}
	switch {
	case got == len(r.targets):
		want = []int{exitOK}
	case !r.patient && got > 0:
		want = []int{exitPartly}
	case !r.patient && told == 0:
		// It came so late that it saw the other's request without meeting its lock.
		want = []int{exitStale}
	case r.patient && got > 0:
		want = []int{exitPartly}
	case r.patient && r.directory() && strings.Contains(text, "No changes."):
		want = []int{exitOK}
	case r.patient && r.how == otherSpecs && strings.Contains(text, "blocked: "):
		want = []int{exitPartly} // it wants fewer than there are by then
	case r.patient:
		want = []int{exitStale}
	}
	if !slices.Contains(want, code) {
		t.Errorf("process %d got %d of %d clusters and was told of %d locks: exit %d, want %v", c.cmd.Process.Pid, got, len(r.targets), told, code, want)
	}
}

// judgeStore demands that nothing is left: no open request, no lock.
func (r *round) judgeStore(t *testing.T) {
	store := openRound(t, r.store)
	open, corrupt, err := store.Open()
	if err != nil || len(open) > 0 || len(corrupt) > 0 {
		t.Errorf("the store holds %d open requests, %d that cannot be read (%v)", len(open), len(corrupt), err)
	}
	for _, rec := range r.history(t) {
		if rec.Verdict != journal.Done {
			t.Errorf("%s ended as %q: %s", rec.Intent.Cluster, rec.Verdict, rec.Detail)
		}
		lease, err := store.Lock(t.Context(), rec.Intent.Identity.Key(), journal.Holder{})
		if err != nil {
			t.Errorf("the lock of %s: %v", rec.Intent.Cluster, err)
			continue
		}
		if err := lease.Unlock(); err != nil {
			t.Error(err)
		}
	}
}
