package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// settler watches one cluster until the effect of one intent is known.
type settler struct {
	entry  *Entry
	lease  journal.Lease
	intent *journal.Intent
	report func(state EventState, text string, until time.Time)
	call   func(context.Context, func()) error // the entry's budget

	handle    []byte
	followed  bool      // the handle's operation has ended
	failure   string    // what a failed operation said
	made      []string  // nodes the operation lists as its work
	changedAt time.Time // last sign of change, by the design's L without read_lag
	previous  *reading
}

// settle polls and reads until two late reads agree, and returns the record
// that closes the intent. A record with the verdict Unknown leaves it open:
// the deadline passed, or ctx ended.
func (s *settler) settle(ctx context.Context) (journal.Record, ruling) {
	in := s.intent
	s.changedAt = in.SignedAt
	if in.Answer != nil {
		s.changedAt = in.Answer.At
		s.handle = in.Answer.Handle
	}
	if len(s.handle) == 0 {
		s.handle = in.Inferred
	}
	pause := min(10*time.Second, max(in.ReadLag, 10*time.Millisecond))
	for {
		if len(s.handle) > 0 && !s.followed {
			s.poll(ctx)
		}
		if s.followed || len(s.handle) == 0 {
			if r, out, ok := s.look(ctx); ok {
				return r, out
			}
		}
		if !time.Now().Before(in.Deadline) {
			return s.unsettled("no two reads agreed before " + in.Deadline.Format(time.TimeOnly))
		}
		if !sleep(ctx, pause) {
			return s.unsettled("interrupted while watching")
		}
	}
}

// known reports that the cloud took the request and gave a handle for it, whose
// end is the end of its effect. Taken without a handle, a verdict that permits
// another send waits as long as one after a lost reply.
func (s *settler) known() bool {
	a := s.intent.Answer
	return a != nil && a.Outcome == provider.OutcomeAccepted && len(a.Handle) > 0
}

// poll asks for the operation's state once.
func (s *settler) poll(ctx context.Context) {
	var statuses []provider.OperationStatus
	var err error
	if cerr := s.call(ctx, func() {
		statuses, err = s.entry.Provider.Poll(ctx, []provider.Operation{{Handle: s.handle}})
	}); cerr != nil {
		return
	}
	if err != nil || len(statuses) != 1 {
		s.report(Watching, fmt.Sprintf("cannot ask for the operation: %v", err), time.Time{})
		return
	}
	st := statuses[0]
	s.made = st.Nodes
	switch st.State {
	case provider.OperationFailed:
		s.followed = true
		if st.Error != nil {
			s.failure = st.Error.Error()
		}
	case provider.OperationSucceeded:
		s.followed = true
	}
	if s.followed {
		s.changedAt = time.Now()
		return
	}
	text := st.Progress
	if text == "" && st.Error != nil {
		text = st.Error.Error()
	}
	s.report(Running, text, time.Time{})
}

// look reads once and decides when it may.
func (s *settler) look(ctx context.Context) (journal.Record, ruling, bool) {
	in := s.intent
	began := time.Now()
	var o provider.Observation
	if err := s.call(ctx, func() { o = observeOne(ctx, s.entry, s.key()) }); err != nil {
		return journal.Record{}, ruling{}, false
	}
	ended := time.Now()
	if o.Presence == provider.Unread {
		s.previous = nil
		s.report(Watching, "cannot read the cluster: "+o.Error.Error(), time.Time{})
		return journal.Record{}, ruling{}, false
	}
	r := newReading(o, in.Group, in.To, began, ended)
	if s.infer(ctx, o) {
		return journal.Record{}, ruling{}, false
	}
	previous := s.previous
	s.previous = &r
	if !r.decidable(in.Op) || previous == nil || !previous.agrees(r) {
		if !r.decidable(in.Op) || previous != nil {
			s.changedAt = ended
		}
		s.report(s.mood(), describe(r), time.Time{})
		return journal.Record{}, ruling{}, false
	}
	late := s.changedAt.Add(in.ReadLag)
	if !previous.began.After(late) {
		s.report(s.mood(), describe(r), late)
		return journal.Record{}, ruling{}, false
	}
	out := judge(in, r, s.made)
	if out.verdict != journal.Done && !s.known() {
		if until := in.Expires.Add(in.ReadLag); !previous.began.After(until) {
			s.report(Expiring, describe(r), until)
			return journal.Record{}, ruling{}, false
		}
	}
	if s.failure != "" {
		out.detail += "; the cloud says: " + s.failure
	}
	return s.record(out), out, true
}

// mood tells a watch after a lost reply from plain progress.
func (s *settler) mood() EventState {
	if a := s.intent.Answer; a != nil && a.Outcome == provider.OutcomeAccepted {
		return Running
	}
	return Watching
}

// key reads by id; a create is looked for by name.
func (s *settler) key() provider.Key {
	in := s.intent
	k := provider.Key{Address: in.Cluster, Kind: in.Kind, ID: in.ClusterID, Name: in.Name}
	if in.Op == provider.OpCreate {
		k.ID = ""
	}
	return k
}

// infer follows the one new task of our type that appeared after an unknown
// answer. It may be somebody else's, so it proves nothing by itself.
func (s *settler) infer(ctx context.Context, o provider.Observation) bool {
	in := s.intent
	if len(s.handle) > 0 || o.Cluster == nil || in.Answer != nil && in.Answer.Outcome == provider.OutcomeAccepted {
		return false
	}
	var found []provider.Task
	for _, t := range o.Cluster.Tasks {
		if t.Op == in.Op && !slices.Contains(in.Tasks, t.ID) {
			found = append(found, t)
		}
	}
	if len(found) != 1 || len(found[0].Handle) == 0 {
		return false
	}
	in.Inferred = found[0].Handle
	if err := s.lease.Put(*in); err != nil {
		s.report(Watching, "cannot record the task that was found: "+err.Error(), time.Time{})
		return false
	}
	s.handle = in.Inferred
	s.poll(ctx)
	return !s.followed
}

func (s *settler) record(out ruling) journal.Record {
	now := time.Now()
	quiet := now
	accepted := s.intent.Answer != nil && s.intent.Answer.Outcome == provider.OutcomeAccepted
	if until := s.intent.Expires.Add(s.intent.ReadLag); !accepted && until.After(quiet) {
		quiet = until // the request may still be on its way
	}
	return journal.Record{Intent: *s.intent, Verdict: out.verdict, At: now.UTC(), QuietUntil: quiet.UTC(), Detail: out.detail, Foreign: out.foreign}
}

func (s *settler) unsettled(why string) (journal.Record, ruling) {
	out := ruling{detail: why}
	if s.previous != nil {
		out.detail += "; last seen: " + describe(*s.previous)
	}
	return s.record(out), out
}

// describe says what a read showed.
func describe(r reading) string {
	switch {
	case len(r.ids) == 0:
		return "no such cluster"
	case len(r.ids) > 1:
		return fmt.Sprintf("%d clusters of that name", len(r.ids))
	}
	text := r.text
	if text == "" {
		text = string(r.status)
	}
	if r.nodes != nil {
		text += fmt.Sprintf(", %d nodes", len(r.nodes))
	}
	return text
}

// sleep waits and reports whether it slept to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
