package simulation

import (
	"bytes"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// The invariants, by name. Each is judged at the moment it concerns, with the
// knowledge that only the model has.
const (
	// ruleDurable: a request leaves only when its intent is on the platter,
	// unanswered, under a lock that its process holds.
	ruleDurable = "durable before send"
	// ruleOnce: one intent sends one request.
	ruleOnce = "one request per intent"
	// ruleAlone: no request to a cluster while an earlier one can still have an
	// effect, for all that anybody but the network can know. Of requests that a
	// lost store forgot the engine knows the kind's accept window only, not how
	// far an action raised it; the design waits for no more.
	ruleAlone = "no second request while the first may act"
	// rulePlanned: what is sent is an action of a plan that was agreed to, and
	// touches nothing that its spec does not manage.
	rulePlanned = "only what the plan says"
	// ruleApproval: one approval causes each of its changes at most once, among
	// all runs that share a store. Where a person closes a record that cannot be
	// read as not applied, nothing is left that says which plan it was of.
	ruleApproval = "one effect per approved action"
	// ruleAbsent: no cluster is created while one of its name has been there for
	// longer than a read may lag.
	ruleAbsent = "creates only what is not there"
	// ruleNamed: what is removed was named, unless the cloud chooses.
	ruleNamed = "removed only what was named"
	// ruleClosed: a request has no effect after its intent was closed. Only
	// "done" may come early, as the design says (late reads: done may be
	// reported earlier): others made the cluster look done before the lost
	// request acted. Then the record's quiet time must cover its arrival; from
	// there on the cluster is busy for everybody to see. The same goes for what a
	// person decided.
	ruleClosed = "no effect after closing"
	// ruleSkips: after a verdict other than done a run sends that cluster nothing
	// more. What the answer proves to be undone it may send again.
	ruleSkips = "nothing more after a shortfall"
	// ruleTruth: where nobody else interferes the verdict is what happened.
	ruleTruth = "the verdict is true"
	// ruleJournal: the journal and saved plans can be read.
	ruleJournal = "journal readable"
	// ruleEnds: without faults, runs come to "no changes" or a stop that says why.
	ruleEnds = "comes to an end"
)

// maySend judges a request as it leaves.
func (w *world) maySend(by *process, r *request) {
	w.counts["requests"]++
	now := time.Now()
	if by.naive {
		return
	}
	for _, other := range w.cloud.requests {
		same := other.body.Cluster == r.body.Cluster && other.body.Name == r.body.Name
		forgotten := other.signed.Before(w.disk.lost) && other.state == flying &&
			now.After(other.signed.Add(w.traitsOf(other.body).window+w.cloud.skew))
		if same && other.alive(now) && !forgotten {
			w.violate(ruleAlone, "%s by %s while %s by %s may act until %s", r, by.name, other, other.by.name, w.clock(other.limit))
		}
		if r.intent != nil && other.intent != nil && other.intent.OpID == r.intent.OpID {
			w.violate(ruleOnce, "%s and %s", other, r)
		}
	}
	if slices.Contains(by.short, r.body.Cluster) {
		w.violate(ruleSkips, "%s by %s", r, by.name)
	}
	in := r.intent
	if in == nil {
		w.violate(ruleDurable, "%s has no intent that a power cut would leave", r)
		return
	}
	w.judgePlanned(by, r)
	if r.late { // judged by what its effect meets
		return
	}
	l := w.disk.holder(in.Identity.Key())
	switch {
	case in.Answer != nil:
		w.violate(ruleDurable, "%s: its intent has an answer already", r)
	case l == nil || l.by != by:
		w.violate(ruleDurable, "%s by %s, which does not hold the lock", r, by.name)
	case in.Fence != l.fence:
		w.violate(ruleDurable, "%s: fence %d in the intent, %d in the lock", r, in.Fence, l.fence)
	case in.Expires.Before(r.limit.Add(-w.cloud.skew)):
		w.violate(ruleDurable, "%s: the intent expires before the signature", r)
	}
}

// judgePlanned compares a request with the plan.
func (w *world) judgePlanned(by *process, r *request) {
	a := by.plan.action(r.intent.ActionID)
	if a == nil {
		w.violate(rulePlanned, "%s: the plan has no action %s", r, r.intent.ActionID)
		return
	}
	b := r.body
	c := by.plan.spec.cluster(a.Cluster)
	id, follows := a.ClusterID, a.ClusterID == "" && a.Op != provider.OpCreate
	if cl := w.cloud.byID(b.Cluster); follows && cl != nil && c != nil && cl.name == c.name {
		id = cl.id // made by the action before
	}
	switch {
	case a.Op != b.Op || a.Group != b.Group || id != b.Cluster:
		w.violate(rulePlanned, "%s for the action %s of %s in %s", r, a.Op, a.Address, a.ClusterID)
	case c == nil || b.Group != "" && !c.manages(b.Group):
		w.violate(rulePlanned, "%s: the spec does not manage it", r)
	case c.id != "" && b.Cluster != c.id || c.id == "" && b.Op == provider.OpCreate && b.Name != c.name:
		w.violate(rulePlanned, "%s: the spec means another cluster", r)
	case !follows && !bytes.Equal(a.Request, []byte(b.String())):
		w.violate(rulePlanned, "%s is not the plan's request %s", r, a.Request)
	}
	switch b.Op {
	case provider.OpScaleOut, provider.OpScaleIn:
		// What follows a create is held to its goal only: others may have come
		// nearer to it meanwhile.
		if k := a.To["count"] - a.From["count"]; max(k, -k) != b.Count && (!follows || b.Count > k) {
			w.violate(rulePlanned, "%s asks for %d nodes, the plan for %d", r, b.Count, k)
		}
	}
}

// begins judges a request that the cloud takes.
func (w *world) begins(r *request, cl *cluster) {
	w.counts["effects"]++
	w.countDouble(r, cl)
	if r.intent == nil {
		return
	}
	if p := r.by.plan; p != nil {
		id := r.intent.ActionID
		for _, earlier := range p.effects[id] {
			switch acted := earlier.state == working || len(earlier.effect) > 0; {
			case !acted || earlier.signed.Before(w.disk.lost):
			case w.disk.decided[earlier.intent.OpID].blind:
				w.counts["permitted: acted again after a person's word on an unreadable record"]++
			default:
				w.violate(ruleApproval, "%s after %s", r, earlier)
			}
		}
		p.effects[id] = append(p.effects[id], r)
	}
	if r.body.Op == provider.OpCreate {
		for _, other := range w.cloud.clusters {
			seen := other.born.Before(r.intent.ReadAt.Add(-r.intent.ReadLag))
			if other.name == r.body.Name && other.id != cl.id && !other.gone && seen {
				w.violate(ruleAbsent, "%s while %s is there", r, other.id)
			}
		}
	}
	w.mayAct(r)
}

// countDouble finds what nobody wanted twice: the cloud carries out a request
// whose sender did not know of what an earlier one of ours had bought.
func (w *world) countDouble(r *request, cl *cluster) {
	double := 0
	switch r.body.Op {
	case provider.OpScaleOut:
		for _, n := range cl.groups[r.body.Group] {
			if n.made != nil && n.made != r && !slices.Contains(r.base, n.id) {
				double = int(r.body.Count)
			}
		}
	case provider.OpCreate:
		for _, other := range w.cloud.clusters {
			if other.name == r.body.Name && !other.gone && other.made != nil && other.made != r && !slices.Contains(r.base, other.id) {
				double = 1
			}
		}
	}
	if double > 0 {
		w.counts["double buys"]++
		w.counts["nodes or clusters bought twice"] += double
		w.note(doubleBuy, r.String())
		if w.second == nil {
			w.second = r
		}
	}
}

// affects judges a job at each change that it makes.
func (w *world) affects(j *job, cl *cluster) {
	if j.by == nil || j.by.intent == nil {
		return
	}
	w.mayAct(j.by)
	if j.body.Op != provider.OpScaleIn || len(j.body.Victims) == 0 {
		return
	}
	var named []string
	if a := j.by.by.plan.action(j.by.intent.ActionID); a != nil {
		for _, n := range a.Removes {
			named = append(named, n.ID)
		}
	}
	for _, id := range j.body.Victims {
		if !slices.Contains(named, id) {
			w.violate(ruleNamed, "%s removes %s of %s", j.by, id, cl.id)
		}
	}
}

// mayAct judges that a request's effect comes while its intent is open.
func (w *world) mayAct(r *request) {
	if !w.disk.lost.IsZero() && !r.signed.After(w.disk.lost) {
		return // its intent went with the store
	}
	for _, p := range w.disk.open {
		if p.in.OpID == r.intent.OpID {
			return
		}
	}
	if d, ok := w.disk.decided[r.intent.OpID]; ok {
		if r.arrived.After(d.quiet) {
			w.violate(ruleClosed, "%s acts; a person closed it and it was waited for until %s", r, w.clock(d.quiet))
		}
		return
	}
	for _, e := range w.disk.history {
		if e.r.Intent.OpID != r.intent.OpID {
			continue
		}
		if e.r.Verdict == journal.Done && r.told == provider.OutcomeUnknown && !r.arrived.After(e.r.QuietUntil) {
			if !r.early {
				w.counts["permitted: acted after an early done"]++
			}
			r.early = true
			return
		}
		w.violate(ruleClosed, "%s acts; it was closed as %s at %s", r, e.r.Verdict, w.clock(e.r.At))
		return
	}
	w.violate(ruleClosed, "%s acts and the journal does not know it", r)
}

// closes judges a verdict as it is written.
func (w *world) closes(by *process, rec journal.Record) {
	w.counts["verdict "+string(rec.Verdict)]++
	if rec.By != "" {
		return
	}
	in := rec.Intent
	var r *request
	for _, other := range w.cloud.requests {
		if other.intent != nil && other.intent.OpID == in.OpID {
			r = other
		}
	}
	if r == nil { // never sent
		if rec.Verdict != journal.None && !w.cloud.touchedSince(in.ClusterID, in.Name, in.ReadAt.Add(-in.ReadLag)) {
			w.violate(ruleTruth, "an intent that sent nothing was closed as %s: %s", rec.Verdict, rec.Detail)
		}
		return
	}
	if a := in.Answer; r.by == by && r.body.Cluster != "" && rec.Verdict != journal.Done &&
		(a == nil || a.Outcome != provider.OutcomeRefused && a.Outcome != provider.OutcomeUnsent) {
		by.short = append(by.short, r.body.Cluster)
	}
	now := time.Now()
	if r.alive(now) {
		switch {
		case rec.Verdict != journal.Done:
			w.violate(ruleClosed, "%s was closed as %s by %s while it may act until %s", r, rec.Verdict, by.name, w.clock(r.limit))
		case rec.QuietUntil.Before(r.limit):
			w.violate(ruleClosed, "%s was closed as done by %s, quiet until %s only, while it may act until %s",
				r, by.name, w.clock(rec.QuietUntil), w.clock(r.limit))
		}
	}
	if want := w.truth(r); want != rec.Verdict && !w.cloud.touchedSince(in.ClusterID, in.Name, in.ReadAt.Add(-in.ReadLag)) {
		w.violate(ruleTruth, "%s was closed as %s (%s); in truth it is %s: %v", r, rec.Verdict, rec.Detail, want, r.effect)
	}
}

// truth is the verdict that one who sees everything would give.
func (w *world) truth(r *request) journal.Verdict {
	n, k := int64(len(r.effect)), r.body.Count
	switch r.body.Op {
	case provider.OpCreate:
		k = 1
		if n == 0 {
			break
		}
		switch cl := w.cloud.byID(r.effect[0]); {
		case cl == nil: // deleted by others
			return journal.Unknown
		case cl.status == provider.StatusBroken:
			return journal.Partial
		}
	case provider.OpResize:
		cl := w.cloud.byID(r.body.Cluster)
		if cl == nil {
			return journal.Unknown
		}
		n, k = 0, int64(len(cl.groups[r.body.Group]))
		for _, node := range cl.groups[r.body.Group] {
			if node.size == r.body.Size {
				n++
			}
		}
		if len(r.effect) == 0 && n < k {
			return journal.None
		}
	}
	switch {
	case n == 0:
		return journal.None
	case n < k:
		return journal.Partial
	}
	return journal.Done
}

func (w *world) clock(t time.Time) string { return t.Sub(w.begun).Round(time.Millisecond).String() }
