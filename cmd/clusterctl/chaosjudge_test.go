//go:build linux

package main

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
)

// What must hold after every run of the grid.
const (
	chaosGrid      = "the grid itself works"
	chaosEnds      = "comes to an end"
	chaosExit      = "exit codes are documented ones"
	chaosBought    = "bought as planned, once"
	chaosNamed     = "removed only what was named"
	chaosOnce      = "one request per intent"
	chaosApproved  = "one request per approved action"
	chaosTruth     = "the verdict is what happened"
	chaosDurable   = "an intent on disk before the request"
	chaosAlone     = "no two requests at a time on one cluster"
	chaosUnmanaged = "nothing else is touched"
	chaosJournal   = "the journal can be read"
	chaosIntent    = "no intent is left"
	chaosLock      = "no lock is left"
	chaosOrphan    = "no plugin and no socket is left"
	chaosSecret    = "no secret in a file or an output"
)

type chaosViolation struct{ rule, text string }

// verdict of a run: what does not hold, and what was counted on the way.
type chaosVerdict struct {
	violations []chaosViolation
	accepted   int // requests that a cloud took
	doubles    int // nodes or clusters that nobody wanted
}

func (v *chaosVerdict) violate(rule, format string, args ...any) {
	v.violations = append(v.violations, chaosViolation{rule, fmt.Sprintf(format, args...)})
}

// judge looks at the clouds' logs and the disk. It runs the commands that only read.
func (r *chaosRun) judge() *chaosVerdict {
	v := &chaosVerdict{}
	if r.ended == "" {
		v.violate(chaosEnds, "after %d re-runs there is neither \"no changes\" nor a named stop", mostReruns)
	}
	r.judgeReading(v)
	records := r.judgeJournal(v)
	for _, f := range r.fronts {
		r.judgeCloud(v, f, records)
		r.judgeArrivals(v, f, records)
		r.judgeVerdicts(v, f, records)
		r.judgeUnmanaged(v, f)
	}
	r.judgeApprovals(v, records)
	r.judgeLocks(v)
	r.judgeProcesses(v)
	r.judgeSecrets(v)
	if r.problems != nil {
		v.violate(chaosGrid, "%v", r.problems)
	}
	return v
}

// judgeReading runs the commands that people look with.
func (r *chaosRun) judgeReading(v *chaosVerdict) {
	if c := r.do(nil, "history"); c.code != exitOK || c.stderr != "" {
		v.violate(chaosJournal, "history exits with %d and says %q", c.code, c.stderr)
	}
	// These two take a plugin each, so a run does one of them. judgeLocks
	// tries every lock.
	sum := fnv.New32a()
	fmt.Fprint(sum, r.id())
	if sum.Sum32()%2 == 0 {
		want := exitOK
		if r.ended != endNoChanges {
			want = exitError
		}
		if c := r.do(nil, "status"); c.code != want {
			v.violate(chaosJournal, "status exits with %d, want %d", c.code, want)
		}
		return
	}
	address := r.scenario.goals[len(r.id())%len(r.scenario.goals)].address
	if c := r.do(nil, "unlock", address); c.code != exitOK || c.stdout != address+" is not locked.\n" {
		v.violate(chaosLock, "unlock exits with %d and says %q", c.code, c.stdout+c.stderr)
	}
}

// judgeJournal reads the store itself.
func (r *chaosRun) judgeJournal(v *chaosVerdict) (records []journal.Record) {
	store, err := journal.OpenFile(r.store(), journal.CreateNo, time.Now())
	if err != nil {
		v.violate(chaosJournal, "%v", err)
		return nil
	}
	if err := store.History(func(rec journal.Record) bool {
		records = append(records, rec)
		return true
	}); err != nil {
		v.violate(chaosJournal, "%v", err)
	}
	open, corrupt, err := store.Open()
	if err != nil || len(corrupt) > 0 {
		v.violate(chaosJournal, "open intents: %v %v", corrupt, err)
	}
	for _, in := range open {
		v.violate(chaosIntent, "%s %s of %s is open", in.OpID, in.Op, in.Cluster)
	}
	return records
}

// goalOf finds what an entry of the audit log belongs to. A request that was
// refused before it was understood has no group.
func (r *chaosRun) goalOf(f *front, e cloudsim.Entry) *goal {
	i := slices.IndexFunc(r.scenario.goals, func(g goal) bool {
		switch {
		case g.cloud != f.name || e.Event != "request" && e.Event != g.event:
			return false
		case g.group == "":
			return e.Call == g.call || e.Event == "created"
		}
		return e.Cluster == g.cluster && (e.Group == g.group || e.Group == "" && e.Outcome == "refused")
	})
	if i < 0 {
		return nil
	}
	return &r.scenario.goals[i]
}

// judgeCloud counts what a cloud did.
func (r *chaosRun) judgeCloud(v *chaosVerdict, f *front, records []journal.Record) {
	f.sim.Cloud(func(cloudsim.Cloud) {}) // jobs that are due are part of it
	accepted, wasted, made := map[string]int{}, map[string]int{}, map[string]map[string]bool{}
	busy := map[string]time.Time{} // until when, by cluster
	for _, e := range f.sim.Log().Entries() {
		g := r.goalOf(f, e)
		if g == nil {
			v.violate(chaosUnmanaged, "%s %s of %s %s", e.Event, e.Call, e.Cluster, e.Group)
			continue
		}
		key := g.address + "/" + g.group
		if e.Event == "request" {
			late := e.Fault == cloudsim.Hold && e.Outcome == "refused" // its signature was too old
			if e.Time.Before(busy[e.Cluster]) && !late {
				v.violate(chaosAlone, "%s of %s (%s) while an earlier one is carried out", e.Call, e.Cluster, e.Outcome)
			}
			if e.Outcome == "accepted" {
				busy[e.Cluster] = e.Time.Add(chaosJobTime)
				v.accepted++
				accepted[key]++
				if wastes(e.Fault) {
					wasted[key]++
				}
			}
			continue
		}
		if made[key] == nil {
			made[key] = map[string]bool{}
		}
		things := e.Nodes
		if e.Event == "created" {
			things = []string{e.Cluster}
		}
		for _, thing := range things {
			made[key][thing] = true
		}
		r.judgeNamed(v, g, e, records)
	}
	for _, g := range r.scenario.goals {
		if g.cloud != f.name {
			continue
		}
		key := g.address + "/" + g.group
		n := len(made[key])
		if n > g.count || n < g.count && r.ended == endNoChanges {
			v.violate(chaosBought, "%s: %d %s, the plan said %d", key, n, g.event, g.count)
		}
		if accepted[key] > 1+wasted[key] {
			v.violate(chaosBought, "%s: %d requests were taken, %d of them in vain", key, accepted[key], wasted[key])
		}
		v.doubles += max(0, n-g.count)
	}
}

// judgeNamed holds a removal to the names: the spec's, or those that the plan
// chose and the intent recorded. Of Core nodes the cloud chooses.
func (r *chaosRun) judgeNamed(v *chaosVerdict, g *goal, e cloudsim.Entry, records []journal.Record) {
	if e.Event != "removed" || g.group == coreGroup {
		return
	}
	names := g.named
	if names == nil {
		for _, rec := range records {
			if rec.Intent.Cluster == g.address {
				names = append(names, rec.Intent.Victims...)
			}
		}
	}
	for _, node := range e.Nodes {
		if !slices.Contains(names, node) {
			v.violate(chaosNamed, "%s of %s is gone; named were %v", node, g.address, names)
		}
	}
}

// judgeArrivals compares the requests that came in with the journal.
func (r *chaosRun) judgeArrivals(v *chaosVerdict, f *front, records []journal.Record) {
	sent := map[string]int{}
	f.mu.Lock()
	arrived := slices.Clone(f.arrived)
	f.mu.Unlock()
	for _, a := range arrived {
		if len(a.intents) != 1 {
			v.violate(chaosDurable, "%s of %s came in with %d unanswered intents on disk", a.call.Name, a.call.Cluster, len(a.intents))
			continue
		}
		sent[a.intents[0].OpID]++
	}
	for id, n := range sent {
		if n > 1 {
			v.violate(chaosOnce, "intent %s sent %d requests", id, n)
		}
		if !slices.ContainsFunc(records, func(rec journal.Record) bool { return rec.Intent.OpID == id }) && r.ended == endNoChanges {
			v.violate(chaosJournal, "intent %s was sent and is not in history", id)
		}
	}
}
