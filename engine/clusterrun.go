package engine

import (
	"context"
	"errors"
	"fmt"
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

	id    string          // of the live cluster, once known
	locks map[string]held // by key
	// quiet is when the requests that this run settled can no longer arrive.
	quiet time.Time

	after []*clusterRun // those that this one depends on
	over  chan struct{} // closed when the run has ended
	short *Outcome      // once over: the first action that was not applied
}

// run gives one outcome per action, and those of earlier requests it settled.
func (c *clusterRun) run(ctx context.Context) (outcomes, settled []Outcome) {
	defer c.unlock()
	first := c.actions[0]
	c.id = first.ClusterID
	if ctx.Err() != nil {
		return c.skip(nil, c.outcome(first, Interrupted, notSent)), nil
	}
	if state, err := c.lock(ctx); err != nil {
		return c.skip(nil, c.outcome(first, state, err.Error())), nil
	}
	settled, open, err := c.settleEarlier(ctx)
	switch {
	case err != nil:
		return c.skip(nil, c.outcome(first, Held, err.Error())), settled
	case open:
		return c.skip(nil, c.outcome(first, Skipped, "an earlier request of "+c.planned.Address+" is not settled")), settled
	}
	if state, err := c.superseded(); err != nil {
		return c.skip(nil, c.outcome(first, state, err.Error())), settled
	}
	for _, act := range c.actions {
		begun := time.Now()
		out := c.attempt(ctx, act)
		out.Duration = time.Since(begun)
		if out.State != Applied {
			return c.skip(outcomes, out), settled
		}
		if act.Op == provider.OpCreate {
			if err := c.guardNew(ctx); err != nil {
				out.Detail += "; its guards are not in history yet, plan again: " + err.Error()
			}
		}
		outcomes = append(outcomes, c.ended(act, out))
	}
	return outcomes, settled
}

// superseded refuses a plan that was made before the newest request to the
// cluster. Live state alone cannot tell: when somebody undid what this very
// plan did, it would look fresh, and one approval would act twice.
func (c *clusterRun) superseded() (OutcomeState, error) {
	if c.planned.LastOp == "" { // the planner knew no history
		return c.replayed()
	}
	last, err := lastRecord(c.Store.Last, c.identities())
	if err != nil {
		return Held, err
	}
	if opOf(last) == c.planned.LastOp {
		return "", nil
	}
	if last == nil {
		return Stale, &StaleError{"it was made with another journal"}
	}
	by := "another plan's"
	if last.Intent.PlanDigest == c.Plan.Digest {
		by = "this plan's"
	}
	return Stale, staleSince(by, *last)
}

func staleSince(by string, r journal.Record) *StaleError {
	return &StaleError{fmt.Sprintf("%s %s was sent at %s and ended as %s", by,
		opWords(&Action{Op: r.Intent.Op, Address: Address(r.Intent.Cluster, r.Intent.Group)}),
		r.Intent.SignedAt.Format(time.RFC3339), r.Verdict)}
}

// replayed refuses a plan of which an action on this cluster was sent before,
// unless the answer proves that nothing was done: live state alone cannot tell,
// since somebody may have undone it. The cluster's locks are held, so that no
// other run of the plan can add to its history.
func (c *clusterRun) replayed() (OutcomeState, error) {
	last, err := lastRecord(c.Store.Last, c.identities())
	if err != nil || last == nil {
		return Held, err // nothing was ever sent to it
	}
	var sent *journal.Record
	err = c.Store.History(func(r journal.Record) bool {
		in := r.Intent
		if in.Op == journal.OpGuard {
			return true // nothing was sent
		}
		proven := in.Answer != nil && (in.Answer.Outcome == provider.OutcomeRefused || in.Answer.Outcome == provider.OutcomeUnsent)
		if in.PlanDigest == c.Plan.Digest && in.Cluster == c.planned.Address && !proven {
			sent = &r
		}
		return sent == nil
	})
	var torn *journal.TornError
	if err != nil && !errors.As(err, &torn) {
		return Held, unreadable(err)
	}
	if sent != nil {
		return Stale, staleSince("this plan's", *sent)
	}
	return "", nil
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

func (c *clusterRun) outcome(act *Action, state OutcomeState, detail string) Outcome {
	return Outcome{Action: act.ID, Address: act.Address, Op: act.Op, State: state, Detail: detail}
}

// settleEarlier closes what earlier runs left open on this cluster.
func (c *clusterRun) settleEarlier(ctx context.Context) (outcomes []Outcome, open bool, err error) {
	for _, identity := range c.identities() {
		key := identity.Key()
		in, err := c.Store.Intent(key)
		if err != nil {
			return outcomes, true, err
		}
		if in == nil {
			continue
		}
		out := c.settleOpen(ctx, in, c.locks[key].lease)
		outcomes = append(outcomes, out)
		if out.State == Unsettled || out.State == Held {
			open = true
		}
	}
	return outcomes, open, nil
}

func (c *clusterRun) settleOpen(ctx context.Context, in *journal.Intent, lease journal.Lease) Outcome {
	address := Address(in.Cluster, in.Group)
	act := &Action{ID: in.ActionID, Address: address, Op: in.Op, Provider: in.Entry, Kind: in.Kind, Cluster: in.Cluster, ClusterID: in.ClusterID,
		Group: in.Group, From: in.From, To: in.To}
	out := Outcome{Action: in.ActionID, Address: address, Op: in.Op}
	last, err := c.Store.Last(in.Identity.Key())
	var torn *journal.TornError
	if (err == nil || errors.As(err, &torn)) && last != nil && last.Intent.OpID == in.OpID {
		// A run died between the history line and the removal of the intent.
		if err := lease.Close(*last); err != nil {
			out.State, out.Verdict = Unsettled, last.Verdict
			out.Detail = fmt.Sprintf("%s, but the journal could not be written: %v", last.Verdict, err)
			return out
		}
		out.State, out.Verdict, out.Detail = stateOf(last.Verdict), last.Verdict, last.Detail
		return out
	}
	if !time.Now().Before(in.Deadline) {
		// The earlier run gave up. This one watches again, no longer than for
		// a busy cluster: others of the fleet may wait behind it.
		in.Deadline = time.Now().Add(min(c.Deadline, c.Wait))
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

// finish settles an intent and closes it.
func (c *clusterRun) finish(ctx context.Context, act *Action, in *journal.Intent, lease journal.Lease, out Outcome) Outcome {
	s := &settler{entry: c.entry, lease: lease, intent: in, call: c.call(c.entry.Name),
		report: func(state EventState, text string, until time.Time) {
			c.emit(Event{Action: act, State: state, Text: text, Until: until})
		}}
	out.State = Unsettled
	ruling := s.settle(ctx)
	out.Verdict, out.Detail, out.New, out.Foreign = ruling.verdict, ruling.detail, ruling.fresh, ruling.foreign
	if ruling.verdict == journal.Unknown {
		return out
	}
	quiet := s.quietUntil()
	record := journal.Record{Intent: durable(in), Verdict: ruling.verdict, At: time.Now().UTC(), QuietUntil: quiet.UTC(), Detail: ruling.detail, Foreign: ruling.foreign, Closer: c.Holder.Who()}
	record.Added, record.Removed = nodesOf(in, ruling, s.previous)
	if err := lease.Close(record); err != nil {
		out.Detail = fmt.Sprintf("%s, but the journal could not be written: %v", ruling.verdict, err)
		return out
	}
	out.State = stateOf(ruling.verdict)
	if quiet.After(c.quiet) {
		c.quiet = quiet
	}
	if in.Op == provider.OpCreate && ruling.verdict == journal.Done {
		c.adopt(ctx, ruling.fresh[0])
	}
	return out
}

// cluster is the saved desired value in the form that Diff takes.
func (c *clusterRun) cluster() *Cluster {
	return &Cluster{Desired: c.planned.Desired, Entry: c.planned.Provider, Meanings: c.planned.Meanings,
		Source: func(path string) string { return c.planned.Sources[path] }}
}
