package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// clusterRun carries out the actions of one cluster, one at a time: lock, read,
// stale check, intent, one send, answer, poll, late reads, verdict.
type clusterRun struct {
	*Applier
	planned *Planned
	entry   *Entry
	actions []*Action
	secrets map[string]map[string]string

	id     string // of the live cluster, once known
	lease  journal.Lease
	leases []journal.Lease
}

func splitDots(path string) []string { return strings.Split(path, ".") }

// run gives one outcome per action, and those of earlier requests it settled.
func (c *clusterRun) run(ctx context.Context) (outcomes, settled []Outcome) {
	defer c.unlock()
	c.id = c.actions[0].ClusterID
	if state, err := c.lock(ctx); err != nil {
		return c.skip(nil, c.outcome(c.actions[0], state, err.Error())), nil
	}
	settled, open, err := c.settleEarlier(ctx)
	switch {
	case err != nil:
		return c.skip(nil, c.outcome(c.actions[0], Held, err.Error())), settled
	case open:
		return c.skip(nil, c.outcome(c.actions[0], Skipped, "an earlier request of "+c.planned.Address+" is not settled")), settled
	}
	for _, act := range c.actions {
		begun := time.Now()
		out := c.attempt(ctx, act)
		out.Duration = time.Since(begun)
		if out.State != Applied {
			return c.skip(outcomes, out), settled
		}
		outcomes = append(outcomes, c.ended(act, out))
	}
	return outcomes, settled
}

// skip ends the next action with out and those after it as not sent.
func (c *clusterRun) skip(done []Outcome, out Outcome) []Outcome {
	first := c.actions[len(done)]
	done = append(done, c.ended(first, out))
	state, detail := Skipped, "not sent: "+first.Address+" came before it"
	if out.State == Interrupted {
		state, detail = Interrupted, out.Detail
	}
	for _, act := range c.actions[len(done):] {
		done = append(done, c.ended(act, c.outcome(act, state, detail)))
	}
	return done
}

func (c *clusterRun) ended(act *Action, out Outcome) Outcome {
	c.emit(Event{Action: act, State: Ended, Text: out.Detail, Outcome: &out})
	return out
}

func (c *clusterRun) unlock() {
	for _, l := range c.leases {
		_ = l.Unlock() // the kernel takes it back at the latest with the process
	}
}

func (c *clusterRun) outcome(act *Action, state OutcomeState, detail string) Outcome {
	return Outcome{Action: act.ID, Address: act.Address, Op: act.Op, State: state, Detail: detail}
}

// lock takes the locks of the cluster's id and of its name: a create that is
// under way knows the name only.
func (c *clusterRun) lock(ctx context.Context) (OutcomeState, error) {
	desired := c.planned.Desired
	identities := []journal.Identity{c.entry.identity("", desired.Name)}
	if c.id != "" {
		identities = []journal.Identity{c.entry.identity(c.id, ""), identities[0]}
	}
	for _, identity := range identities {
		lease, state, err := c.lockOne(ctx, identity.Key())
		if err != nil {
			return state, err
		}
		c.leases = append(c.leases, lease)
	}
	c.lease = c.leases[0]
	return "", nil
}

func (c *clusterRun) lockOne(ctx context.Context, key string) (journal.Lease, OutcomeState, error) {
	until := time.Now().Add(c.LockTimeout)
	for {
		lease, err := c.Store.Lock(ctx, key, c.Holder)
		var held *journal.LockedError
		switch {
		case err == nil:
			return lease, "", nil
		case !errors.As(err, &held):
			return nil, Held, err
		case !time.Now().Before(until):
			return nil, Locked, err
		}
		c.emit(Event{Action: c.actions[0], State: Waiting, Text: err.Error(), Until: until})
		if !sleep(ctx, min(time.Second, time.Until(until))) {
			return nil, Interrupted, errors.New("interrupted while waiting for the lock")
		}
	}
}

// settleEarlier closes what earlier runs left open on this cluster.
func (c *clusterRun) settleEarlier(ctx context.Context) (outcomes []Outcome, open bool, err error) {
	identities := []journal.Identity{c.entry.identity("", c.planned.Desired.Name)}
	if c.id != "" {
		identities = append(identities, c.entry.identity(c.id, ""))
	}
	for _, identity := range identities {
		in, err := c.Store.Intent(identity.Key())
		if err != nil {
			return outcomes, true, err
		}
		if in == nil {
			continue
		}
		out := c.settleOpen(ctx, in, c.leaseOf(identity.Key()))
		outcomes = append(outcomes, out)
		if out.State == Unsettled || out.State == Held {
			open = true
		}
	}
	return outcomes, open, nil
}

// leaseOf finds the lease of a key among those held; lock took it.
func (c *clusterRun) leaseOf(key string) journal.Lease {
	if c.id != "" && key == c.entry.identity("", c.planned.Desired.Name).Key() {
		return c.leases[1]
	}
	return c.leases[0]
}

func (c *clusterRun) settleOpen(ctx context.Context, in *journal.Intent, lease journal.Lease) Outcome {
	address := Address(in.Cluster, in.Group)
	act := &Action{ID: in.ActionID, Address: address, Op: in.Op, Cluster: in.Cluster, Group: in.Group, From: in.From, To: in.To}
	out := Outcome{Action: in.ActionID, Address: address, Op: in.Op}
	if last, err := c.Store.Last(in.Identity.Key()); err == nil && last != nil && last.Intent.OpID == in.OpID {
		// A run died between the history line and the removal of the intent.
		if err := lease.Close(*last); err != nil {
			out.State, out.Detail = Held, err.Error()
			return out
		}
		out.State, out.Verdict, out.Detail = stateOf(last.Verdict), last.Verdict, last.Detail
		return out
	}
	if !time.Now().Before(in.Deadline) {
		// The earlier run gave up; this one watches for as long again.
		in.Deadline = time.Now().Add(c.Deadline)
	}
	return c.finish(ctx, act, in, lease, out)
}

func stateOf(v journal.Verdict) OutcomeState {
	switch v {
	case journal.Done:
		return Applied
	case journal.Unknown:
		return Unsettled
	}
	return FellShort
}

// attempt sends an action and, where the answer proves that nothing was done
// and the reason may pass, sends it again from a fresh read.
func (c *clusterRun) attempt(ctx context.Context, act *Action) Outcome {
	wait := time.Second
	for n := 0; ; n++ {
		out, failure := c.once(ctx, act)
		if out.State != Failed || failure == nil || n == resends ||
			!failure.Kind.Retryable() && failure.Kind != provider.KindConflict {
			return out
		}
		pause := max(wait, failure.RetryAfter)
		c.emit(Event{Action: act, State: Waiting, Text: failure.Error(), Until: time.Now().Add(pause)})
		if !sleep(ctx, pause) {
			return out
		}
		wait *= 2
	}
}

// once is one pass: read, stale check, intent, send, settle.
func (c *clusterRun) once(ctx context.Context, act *Action) (Outcome, *provider.Error) {
	if ctx.Err() != nil {
		return c.outcome(act, Interrupted, "not sent: the run was interrupted"), nil
	}
	base, state, err := c.baseline(ctx, act)
	if err != nil {
		return c.outcome(act, state, err.Error()), nil
	}
	fresh, err := c.replan(ctx, act, base.observation.Cluster)
	if err != nil {
		var stale *StaleError
		if errors.As(err, &stale) {
			return c.outcome(act, Stale, err.Error()), nil
		}
		return c.outcome(act, Held, err.Error()), nil
	}
	in := c.newIntent(fresh, base)
	if err := c.lease.Put(*in); err != nil {
		return c.outcome(act, Failed, "the intent could not be made durable, so nothing was sent: "+err.Error()), nil
	}
	c.emit(Event{Action: act, State: Sending})
	answer := c.send(ctx, fresh)
	return c.answered(ctx, act, in, answer)
}

// send calls Start on a context that an interrupt does not reach.
func (c *clusterRun) send(ctx context.Context, act *Action) provider.Answer {
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.entry.sendDeadline())
	defer cancel()
	var answer provider.Answer
	if err := c.call(c.entry.Name)(detached, func() {
		answer = c.entry.Provider.Start(detached, provider.StartRequest{Request: act.Request, Secrets: c.secrets[act.ID]})
	}); err != nil {
		return provider.Answer{Outcome: provider.OutcomeUnsent, Error: provider.Errorf(provider.KindUnavailable, "no call slot was free before the send's deadline")}
	}
	return answer
}

// answered records the answer and follows it to its verdict.
func (c *clusterRun) answered(ctx context.Context, act *Action, in *journal.Intent, answer provider.Answer) (Outcome, *provider.Error) {
	now := time.Now().UTC()
	in.Answer = &journal.Answer{
		Outcome: answer.Outcome, At: now, Handle: answer.Operation.Handle,
		ClusterID: answer.ClusterID, RequestID: answer.RequestID,
	}
	if answer.Error != nil {
		in.Answer.Kind, in.Answer.Code, in.Answer.Message = string(answer.Error.Kind), answer.Error.Code, answer.Error.Message
	}
	// Start has returned, so the signature is no younger than now.
	in.Expires = now.Add(in.AcceptWindow)
	if answer.Outcome == provider.OutcomeRefused || answer.Outcome == provider.OutcomeUnsent {
		failure := answer.Error
		if failure == nil {
			failure = provider.Errorf(provider.KindInternal, "%s without a reason", answer.Outcome)
		}
		out := c.outcome(act, Failed, failure.Error())
		out.Verdict = journal.None
		record := journal.Record{Intent: *in, Verdict: journal.None, At: now, QuietUntil: now, Detail: string(answer.Outcome) + ": " + failure.Error()}
		if err := c.lease.Close(record); err != nil {
			// The intent stays open; the next run finds that nothing was done.
			out.Detail += "; and the journal could not be written: " + err.Error()
			return out, nil
		}
		return out, failure
	}
	if err := c.lease.Put(*in); err != nil {
		// Without the answer on disk a later run takes it for unknown, which is safe.
		c.emit(Event{Action: act, State: Watching, Text: "the answer could not be recorded: " + err.Error()})
	}
	if answer.Outcome != provider.OutcomeAccepted {
		reason := "the reply was lost after the request was sent"
		if answer.Error != nil {
			reason += ": " + answer.Error.Error()
		}
		c.emit(Event{Action: act, State: Watching, Text: reason + ". Not sending again", Until: in.Expires})
	}
	out := c.finish(ctx, act, in, c.lease, Outcome{Action: act.ID, Address: act.Address, Op: act.Op})
	if out.State == Applied {
		c.verify(ctx, act, in, &out)
	}
	return out, nil
}

// finish settles an intent and closes it.
func (c *clusterRun) finish(ctx context.Context, act *Action, in *journal.Intent, lease journal.Lease, out Outcome) Outcome {
	s := &settler{entry: c.entry, lease: lease, intent: in, call: c.call(c.entry.Name),
		report: func(state EventState, text string, until time.Time) {
			c.emit(Event{Action: act, State: state, Text: text, Until: until})
		}}
	record, ruling := s.settle(ctx)
	out.State, out.Verdict, out.Detail = stateOf(record.Verdict), record.Verdict, record.Detail
	out.New, out.Foreign = ruling.fresh, ruling.foreign
	if record.Verdict == journal.Unknown {
		return out
	}
	if err := lease.Close(record); err != nil {
		out.State = Unsettled
		out.Detail = fmt.Sprintf("%s, but the journal could not be written: %v", record.Verdict, err)
		return out
	}
	if in.Op == provider.OpCreate && record.Verdict == journal.Done {
		c.adopt(ctx, ruling.fresh[0])
	}
	return out
}

// adopt goes on with a cluster that was just created, by its id.
func (c *clusterRun) adopt(ctx context.Context, id string) {
	c.id = id
	lease, _, err := c.lockOne(ctx, c.entry.identity(id, "").Key())
	if err != nil {
		c.lease = nil // what follows is refused in baseline
		return
	}
	c.leases = append([]journal.Lease{lease}, c.leases...)
	c.lease = lease
}

// verify compares the cluster with the spec once more, on the action's own
// paths.
func (c *clusterRun) verify(ctx context.Context, act *Action, in *journal.Intent, out *Outcome) {
	var o provider.Observation
	if err := c.call(c.entry.Name)(ctx, func() { o = observeOne(ctx, c.entry, c.cluster().key(c.id)) }); err != nil {
		return
	}
	if o.Cluster == nil {
		out.Detail += "; it could not be read once more to compare it with the spec"
		return
	}
	diff, err := Diff(c.cluster(), o.Cluster)
	if err != nil {
		out.Detail += "; " + err.Error()
		return
	}
	own := map[string]bool{}
	for _, f := range act.Fields {
		own[groupPath(act.Group, f.Path)] = true
	}
	for _, change := range diff.Changes {
		for _, f := range change.Fields {
			f.Path = groupPath(change.Group, f.Path)
			if own[f.Path] {
				out.Differs = append(out.Differs, f)
			}
		}
	}
	for _, b := range diff.Blocked {
		for _, f := range b.Fields {
			f.Path = groupPath(b.Group, f.Path)
			if own[f.Path] {
				out.Differs = append(out.Differs, f)
			}
		}
	}
	if len(out.Differs) > 0 {
		out.Detail += fmt.Sprintf("; but plugin %s still reports %s as %s, not %s", c.entry.Description.Name,
			out.Differs[0].Path, show(out.Differs[0].Before), show(out.Differs[0].After))
	}
}

// cluster is the saved desired value in the form that Diff takes.
func (c *clusterRun) cluster() *Cluster {
	return &Cluster{Desired: c.planned.Desired, Entry: c.planned.Provider, Meanings: c.planned.Meanings,
		Source: func(path string) string { return c.planned.Sources[path] }}
}
