package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// resends bounds how often one action is sent again after an answer that
// proves that nothing was done. Each time starts from a fresh read.
const resends = 4

// sendDeadline is how long one send may take. The user's interrupt does not
// cut it.
func (e *Entry) sendDeadline() time.Duration {
	if e.Timing != nil {
		return min(90*time.Second, 5*e.Timing.AcceptWindow)
	}
	return 90 * time.Second
}

// window is how long the cloud takes the action's request once it is signed.
func (e *Entry) window(kind provider.Kind, act *Action) time.Duration {
	if e.Timing != nil {
		return e.Timing.AcceptWindow
	}
	return max(kind.AcceptWindow, act.AcceptWindow)
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
		if pause > c.Wait {
			return out
		}
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
		return c.outcome(act, Interrupted, notSent), nil
	}
	base, state, err := c.baseline(ctx, act)
	if err != nil {
		return c.outcome(act, state, err.Error()), nil
	}
	fresh, err := c.replan(ctx, act, base.observation.Cluster)
	var stale *StaleError
	switch {
	case errors.As(err, &stale):
		return c.outcome(act, Stale, err.Error()), nil
	case err != nil && ctx.Err() != nil:
		return c.outcome(act, Interrupted, notSent), nil
	case err != nil:
		return c.outcome(act, Held, err.Error()), nil
	case fresh == nil:
		out := c.outcome(act, Applied, "it is so already; nothing was sent")
		out.Verdict = journal.Done
		return out, nil
	}
	var in *journal.Intent
	var answer provider.Answer
	var denied []Denied
	cut := false
	// The last moment to stop for an interrupt is before the intent.
	if cerr := c.call(c.entry.Name)(ctx, func() {
		if ctx.Err() != nil {
			return
		}
		denied, err = c.admit(ctx, act, fresh, func() error {
			in = c.newIntent(fresh, base)
			return c.lease().Put(durable(in))
		})
		if err == nil && len(denied) == 0 {
			c.emit(Event{Action: act, State: Sending})
			answer, cut = c.send(ctx, fresh, in.SignedAt.Add(c.entry.sendDeadline()))
		}
	}); len(denied) > 0 {
		return c.outcome(act, Refused, denied[0].String()+"; nothing was sent"), nil
	} else if cerr != nil || in == nil && err == nil {
		return c.outcome(act, Interrupted, notSent), nil
	}
	if err != nil && in == nil && ctx.Err() != nil {
		return c.outcome(act, Interrupted, notSent), nil
	}
	if err != nil && in == nil {
		return c.outcome(act, Held, err.Error()+"; nothing was sent"), nil
	}
	if err != nil {
		return c.outcome(act, Failed, "the intent could not be made durable, so nothing was sent: "+err.Error()), nil
	}
	return c.answered(ctx, act, in, base, answer, cut)
}

const notSent = "not sent: the run was interrupted"

// newIntent is what must be on disk before the request may leave.
func (c *clusterRun) newIntent(act *Action, b *base) *journal.Intent {
	kind, _ := c.entry.kind(act.Kind) // baseline asked for it before
	now := time.Now()
	sum := sha256.Sum256(act.Request)
	in := &journal.Intent{
		OpID: rand.Text(), PlanDigest: c.Plan.Digest, ActionID: act.ID, Who: c.Holder.Who(),
		Identity: c.entry.identity(c.id, c.planned.Desired.Name), Entry: c.entry.Name, Kind: act.Kind,
		Cluster: act.Cluster, Name: c.planned.Desired.Name, ClusterID: c.id, Group: act.Group, Op: act.Op,
		From: act.From, To: act.To, K: 1, Base: orEmpty(b.reading.nodes), Tasks: []string{},
		ReadAt: b.reading.began, RequestDigest: "sha256:" + hex.EncodeToString(sum[:]),
		SignedAt: now, AcceptWindow: c.entry.window(kind, act), ReadLag: kind.ReadLag, Fence: c.lease().Fence(),
	}
	// Start signs after this, at the latest when its deadline ends.
	in.Expires = now.Add(c.entry.sendDeadline() + in.AcceptWindow + skew(b.reading.ended, b.observation.At, in.AcceptWindow))
	in.Deadline = in.Expires.Add(c.Deadline)
	switch act.Op {
	case provider.OpCreate:
		in.Base = orEmpty(b.reading.ids)
	case provider.OpScaleOut, provider.OpScaleIn:
		in.K = max(act.To["count"]-act.From["count"], act.From["count"]-act.To["count"])
	case provider.OpResize:
		in.Sizes = b.reading.sizes
	}
	if act.Op == provider.OpScaleIn {
		in.Names = b.reading.names
	}
	for _, v := range act.Removes {
		in.Victims = append(in.Victims, v.ID)
	}
	if s := b.observation.Cluster; s != nil {
		in.Name = s.Name
		for _, t := range s.Tasks {
			in.Tasks = append(in.Tasks, t.ID)
		}
	}
	return in
}

// send calls Start on a context that an interrupt does not reach. It ends when
// the intent says that the signature was made at the latest, counted from the
// intent and not from here: a stopped process, a suspended machine or a report
// that nobody reads may lie between the two. cut says that the moment passed
// meanwhile.
func (c *clusterRun) send(ctx context.Context, act *Action, latest time.Time) (answer provider.Answer, cut bool) {
	if time.Until(latest) <= 0 || time.Until(latest.Round(0)) <= 0 {
		return provider.Answer{Outcome: provider.OutcomeUnsent, Error: provider.Errorf(provider.KindUnavailable,
			"the run stood still before the request could leave")}, false
	}
	detached, cancel := context.WithDeadline(context.WithoutCancel(ctx), latest)
	defer cancel()
	answer = start(detached, c.entry, provider.StartRequest{Request: act.Request, Secrets: c.secrets[act.ID]})
	return answer, detached.Err() != nil
}

// start calls Start and takes the secrets out of what a cloud may echo.
func start(ctx context.Context, e *Entry, req provider.StartRequest) provider.Answer {
	answer := e.Provider.Start(ctx, req)
	if answer.Error == nil {
		return answer
	}
	clean := *answer.Error
	clean.Err = nil // its text may hold them too
	for _, value := range req.Secrets {
		if value != "" {
			clean.Message = strings.ReplaceAll(clean.Message, value, "(secret)")
		}
	}
	answer.Error = &clean
	return answer
}

// answered records the answer and follows it to its verdict.
func (c *clusterRun) answered(ctx context.Context, act *Action, in *journal.Intent, b *base, answer provider.Answer, cut bool) (Outcome, *provider.Error) {
	now := time.Now()
	in.Answer = &journal.Answer{
		Outcome: answer.Outcome, At: now, Handle: answer.Operation.Handle,
		ClusterID: answer.ClusterID, RequestID: answer.RequestID,
	}
	if answer.Error != nil {
		in.Answer.Kind, in.Answer.Code, in.Answer.Message = string(answer.Error.Kind), answer.Error.Code, answer.Error.Message
		in.Answer.RequestID = cmp.Or(answer.RequestID, answer.Error.RequestID)
	}
	// Start has returned, so the signature is no younger than now. Where Start
	// was cut off at its deadline, the plugin may be about to sign yet.
	signed := now
	if cut {
		signed = now.Add(c.entry.sendDeadline())
	}
	ahead := max(skew(b.reading.ended, b.observation.At, in.AcceptWindow), skew(now, answer.At, in.AcceptWindow))
	in.Expires = signed.Add(in.AcceptWindow + ahead)
	if answer.Outcome == provider.OutcomeRefused || answer.Outcome == provider.OutcomeUnsent {
		return c.refused(act, in, answer)
	}
	if err := c.lease().Put(durable(in)); err != nil {
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
	out := c.finish(ctx, act, in, c.lease(), Outcome{Action: act.ID, Address: act.Address, Op: act.Op})
	if out.State == Applied {
		c.verify(ctx, act, b.observation.Cluster, &out)
	}
	return out, nil
}

// refused closes a request of which the answer proves that nothing was done.
func (c *clusterRun) refused(act *Action, in *journal.Intent, answer provider.Answer) (Outcome, *provider.Error) {
	failure := answer.Error
	if failure == nil {
		failure = provider.Errorf(provider.KindInternal, "%s without a reason", answer.Outcome)
	}
	out := c.outcome(act, Failed, failure.Error())
	out.Verdict = journal.None
	now := in.Answer.At.UTC()
	record := journal.Record{Intent: durable(in), Verdict: journal.None, At: now, QuietUntil: now, Detail: string(answer.Outcome) + ": " + failure.Error(), Closer: c.Holder.Who()}
	if err := c.lease().Close(record); err != nil {
		// The intent stays open; the next run finds that nothing was done.
		out.Detail += "; and the journal could not be written: " + err.Error()
		return out, nil
	}
	return out, failure
}
