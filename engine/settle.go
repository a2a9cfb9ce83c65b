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
	crowded   bool      // more than one new task was seen: none is inferred any more
	failure   string    // what a failed operation said
	made      []string  // nodes the operation lists as its work
	cluster   string    // the id of a new cluster, where the cloud tells it
	changedAt time.Time // last sign of change, by the design's L without read_lag
	previous  *reading  // the newest read
	unbroken  bool      // nothing failed since previous
}

// settle polls and reads until two late reads agree. A ruling of Unknown leaves
// the intent open: the deadline passed, or ctx ended.
func (s *settler) settle(ctx context.Context) ruling {
	in := s.intent
	s.changedAt = in.SignedAt
	if in.Answer != nil {
		s.changedAt = in.Answer.At
		s.handle = in.Answer.Handle
		s.cluster = in.Answer.ClusterID
	}
	if len(s.handle) == 0 {
		s.handle = in.Inferred
	}
	for {
		if len(s.handle) > 0 && !s.followed {
			s.poll(ctx)
		}
		if s.followed || len(s.handle) == 0 {
			if out, ok := s.look(ctx); ok {
				return out
			}
		}
		if s.entry.gone() {
			// Nobody can look any more; the next run starts it anew.
			return s.unsettled("the plugin has ended; apply again to go on watching")
		}
		if !time.Now().Before(in.Deadline) {
			return s.unsettled("no two reads agreed before " + in.Deadline.UTC().Format(time.RFC3339))
		}
		if !sleep(ctx, s.entry.pause(in.ReadLag)) {
			return s.unsettled("interrupted while watching")
		}
	}
}

// within bounds one call, so that a plugin that hangs cannot hold the watch
// beyond its deadline.
func (s *settler) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, max(time.Until(s.intent.Deadline), time.Minute))
}

// known reports that the cloud took the request and gave a handle for it, whose
// end is the end of its effect. Taken without a handle, a verdict that permits
// another send waits as long as one after a lost reply.
func (s *settler) known() bool { return s.accepted() && len(s.intent.Answer.Handle) > 0 }

func (s *settler) accepted() bool {
	a := s.intent.Answer
	return a != nil && a.Outcome == provider.OutcomeAccepted
}

// poll asks for the operation's state once.
func (s *settler) poll(ctx context.Context) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	var statuses []provider.OperationStatus
	var err error
	if cerr := s.call(ctx, func() {
		statuses, err = s.entry.Provider.Poll(ctx, []provider.Operation{{Handle: s.handle}})
	}); cerr != nil {
		return
	}
	if err == nil && len(statuses) != 1 {
		err = fmt.Errorf("plugin %s gave %d answers for one operation", s.entry.Description.Name, len(statuses))
	}
	if err != nil {
		s.report(Watching, fmt.Sprintf("cannot ask for the operation: %v", err), time.Time{})
		return
	}
	st := statuses[0]
	s.made = st.Nodes
	if st.ClusterID != "" {
		s.cluster = st.ClusterID
	}
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
func (s *settler) look(ctx context.Context) (ruling, bool) {
	in := s.intent
	began := time.Now()
	o, ok := s.read(ctx)
	if !ok {
		return ruling{}, false
	}
	ended := time.Now()
	if o.Presence == provider.Unread {
		s.unbroken = false
		s.report(Watching, "cannot read the cluster: "+o.Error.Error(), time.Time{})
		return ruling{}, false
	}
	r := newReading(o, in.Group, in.To, began, ended)
	if s.infer(ctx, o) {
		return ruling{}, false
	}
	previous, unbroken := s.previous, s.unbroken
	s.previous, s.unbroken = &r, true
	switch {
	case !r.decidable(in.Op), previous != nil && !previous.agrees(r):
		s.changedAt = ended
		fallthrough
	case !unbroken:
		s.report(s.mood(), describe(r), time.Time{})
		return ruling{}, false
	}
	if late := s.changedAt.Add(in.ReadLag); !past(previous.began, late) {
		s.report(s.mood(), describe(r), late)
		return ruling{}, false
	}
	out := judge(in, r, s.made)
	if out.verdict != journal.Done && !s.known() {
		if until := in.Expires.Add(in.ReadLag); !past(previous.began, until) {
			s.report(Expiring, describe(r), until)
			return ruling{}, false
		}
	}
	if s.failure != "" {
		out.detail += "; the cloud says: " + s.failure
	}
	return out, true
}

// read reads the cluster. A new cluster is looked for by name; where the cloud
// told its id and the name does not lead to it, by that as well: a name that
// is listed late, or otherwise than it was given, must not look like nothing.
func (s *settler) read(ctx context.Context) (provider.Observation, bool) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	var o provider.Observation
	err := s.call(ctx, func() {
		k := s.key()
		o = observeOne(ctx, s.entry, k)
		if s.intent.Op != provider.OpCreate || s.cluster == "" || o.Presence == provider.Unread ||
			slices.Contains(newReading(o, "", nil, time.Time{}, time.Time{}).ids, s.cluster) {
			return
		}
		k.ID = s.cluster
		byID := observeOne(ctx, s.entry, k)
		switch byID.Presence {
		case provider.Unread:
			o = byID
		case provider.Present:
			byID.IDs = append(newReading(o, "", nil, time.Time{}, time.Time{}).ids, s.cluster)
			o = byID
		}
	})
	return o, err == nil
}

// mood tells a watch after a lost reply from plain progress.
func (s *settler) mood() EventState {
	if s.accepted() {
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
// answer. It may be somebody else's, so it proves nothing by itself; once there
// are two, neither is followed.
func (s *settler) infer(ctx context.Context, o provider.Observation) bool {
	in := s.intent
	if s.crowded || o.Cluster == nil || in.Answer != nil && len(in.Answer.Handle) > 0 || s.accepted() {
		return false
	}
	var found []provider.Task
	for _, t := range o.Cluster.Tasks {
		ours := t.Op == in.Op && (t.Group == "" || t.Group == in.Group)
		if ours && !slices.Contains(in.Tasks, t.ID) {
			found = append(found, t)
		}
	}
	switch {
	case len(found) > 1:
		s.crowded = true
		if len(in.Inferred) > 0 {
			in.Inferred, s.handle, s.made, s.failure, s.followed = nil, nil, nil, "", false
			s.keep("withdraw the task that was followed")
		}
		return false
	case len(s.handle) > 0 || len(found) == 0 || len(found[0].Handle) == 0:
		return false
	}
	in.Inferred = found[0].Handle
	if !s.keep("record the task that was found") {
		in.Inferred = nil
		return false
	}
	s.handle = in.Inferred
	s.poll(ctx)
	return !s.followed
}

// keep makes what was inferred durable.
func (s *settler) keep(what string) bool {
	err := s.lease.Put(durable(s.intent))
	if err != nil {
		s.report(Watching, "cannot "+what+": "+err.Error(), time.Time{})
	}
	return err == nil
}

// quietUntil is the moment before which nothing further may be sent to the
// cluster: after a lost reply the request may still be on its way.
func (s *settler) quietUntil() time.Time {
	now := time.Now()
	if until := s.intent.Expires.Add(s.intent.ReadLag); !s.accepted() && !past(now, until) {
		return until
	}
	return now
}

func (s *settler) unsettled(why string) ruling {
	out := ruling{detail: why}
	if s.previous != nil {
		out.detail += "; last seen: " + describe(*s.previous)
	}
	return out
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
		text += ", " + plural(len(r.nodes), "node")
	}
	return text
}
