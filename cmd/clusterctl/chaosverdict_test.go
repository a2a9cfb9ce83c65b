//go:build linux

package main

import (
	"slices"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/cloudsim"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// judgeVerdicts compares what the journal says of each request with what the
// cloud did: nobody else is at work here.
func (r *chaosRun) judgeVerdicts(v *chaosVerdict, f *front, records []journal.Record) {
	truth := map[string]journal.Verdict{} // by op id
	entries := f.sim.Log().Entries()
	for _, e := range entries {
		g := r.goalOf(f, e)
		if g == nil || e.Event != "request" || e.Outcome != "accepted" {
			continue
		}
		// Requests to one cluster come one after the other, so it is the last
		// that was signed before.
		var in *journal.Intent
		for i := range records {
			if c := &records[i].Intent; c.Cluster == g.address && !c.SignedAt.After(e.Time) && (in == nil || c.SignedAt.After(in.SignedAt)) {
				in = c
			}
		}
		if in != nil {
			truth[in.OpID] = effectOf(e, entries)
		}
	}
	for _, rec := range records {
		in := rec.Intent
		if !slices.ContainsFunc(r.scenario.goals, func(g goal) bool { return g.cloud == f.name && g.address == in.Cluster }) {
			continue
		}
		want := truth[in.OpID]
		if want == "" {
			want = journal.None
		}
		if rec.Verdict != want {
			v.violate(chaosTruth, "%s %s of %s was closed as %s (%s); in truth it is %s", in.OpID, in.Op, in.Cluster, rec.Verdict, rec.Detail, want)
		}
	}
}

// effectOf is the verdict that one who sees the audit log gives.
func effectOf(request cloudsim.Entry, entries []cloudsim.Entry) journal.Verdict {
	n := 0
	for _, e := range entries {
		if e.Event != "request" && e.Cluster == request.Cluster && e.Job == request.Job {
			n = len(e.Nodes)
		}
	}
	switch {
	case n == 0:
		return journal.None
	case n < request.Count:
		return journal.Partial
	}
	return journal.Done
}

// judgeApprovals: an action of one plan is sent again only when the answer
// proved that nothing was done.
func (r *chaosRun) judgeApprovals(v *chaosVerdict, records []journal.Record) {
	effects := map[string]int{}
	ops := map[string]bool{}
	for _, rec := range records {
		in := rec.Intent
		if ops[in.OpID] {
			v.violate(chaosJournal, "history tells of %s twice", in.OpID)
		}
		ops[in.OpID] = true
		if a := in.Answer; a == nil || a.Outcome != provider.OutcomeRefused && a.Outcome != provider.OutcomeUnsent {
			effects[in.PlanDigest+" "+in.Cluster+" "+in.ActionID]++
		}
	}
	for action, n := range effects {
		if n > 1 {
			v.violate(chaosApproved, "%s was sent %d times", action, n)
		}
	}
}
