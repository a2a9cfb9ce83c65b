package engine

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// base is the read that a send stands on.
type base struct {
	observation provider.Observation
	reading     reading
}

// baseline reads the cluster until a change may be sent to it: ready, nothing
// running, counters equal to node lists, and read late enough after the last
// known change that the read cannot be older than it.
func (c *clusterRun) baseline(ctx context.Context, act *Action) (*base, OutcomeState, error) {
	if c.lease == nil {
		return nil, Locked, errors.New("the new cluster is locked by another run")
	}
	kind, err := c.entry.kind(act.Kind)
	if err != nil {
		return nil, Held, err
	}
	quiet, err := c.quietUntil(act, kind)
	if err != nil {
		return nil, Held, err
	}
	until := time.Now().Add(c.Wait)
	if quiet.After(time.Now()) {
		until = quiet.Add(c.Wait)
	}
	pause := min(10*time.Second, max(kind.ReadLag, 10*time.Millisecond))
	for {
		if wait := time.Until(quiet); wait > 0 {
			c.emit(Event{Action: act, State: Expiring, Text: "an earlier request could still arrive", Until: quiet})
			if !sleep(ctx, wait) {
				return nil, Interrupted, errors.New("not sent: the run was interrupted")
			}
		}
		began := time.Now()
		var o provider.Observation
		if err := c.call(c.entry.Name)(ctx, func() { o = observeOne(ctx, c.entry, c.cluster().key(c.id)) }); err != nil {
			return nil, Interrupted, errors.New("not sent: the run was interrupted")
		}
		r := newReading(o, act.Group, act.To, began, time.Now())
		why, state := unfit(act, o, r)
		if why == "" {
			return &base{o, r}, "", nil
		}
		if state != "" {
			return nil, state, errors.New(why)
		}
		if !time.Now().Before(until) {
			return nil, Held, fmt.Errorf("%s for longer than %s; nothing was sent", why, c.Wait)
		}
		c.emit(Event{Action: act, State: Waiting, Text: why, Until: until})
		if !sleep(ctx, pause) {
			return nil, Interrupted, errors.New("not sent: the run was interrupted")
		}
	}
}

// quietUntil is the moment before which no baseline may be read: requests that
// are settled may lag in reads, or could still arrive; and what a lost store
// knew of must have expired.
func (c *clusterRun) quietUntil(act *Action, kind provider.Kind) (time.Time, error) {
	var quiet time.Time
	known := false
	for _, identity := range []journal.Identity{c.entry.identity(c.id, c.planned.Desired.Name), c.entry.identity("", c.planned.Desired.Name)} {
		last, err := c.Store.Last(identity.Key())
		var torn *journal.TornError
		if err != nil && !errors.As(err, &torn) {
			return quiet, fmt.Errorf("history cannot be read: %w", err)
		}
		if last == nil {
			continue
		}
		known = true
		if last.QuietUntil.After(quiet) {
			quiet = last.QuietUntil
		}
	}
	if since := c.Store.Since(); !known && !since.IsZero() {
		quiet = since.Add(max(kind.AcceptWindow, act.AcceptWindow) + kind.ReadLag)
	}
	return quiet, nil
}

// unfit says why a read is no baseline. With a state it is final, without one
// the cluster is waited for.
func unfit(act *Action, o provider.Observation, r reading) (string, OutcomeState) {
	switch {
	case o.Presence == provider.Unread:
		if o.Error.Kind.Retryable() {
			return "it cannot be read: " + o.Error.Error(), ""
		}
		return "it cannot be read: " + o.Error.Error(), Held
	case o.Presence == provider.Ambiguous:
		return ambiguous(act.Cluster, o.IDs), Stale
	case act.Op == provider.OpCreate:
		return "", "" // the stale check says when it exists by now
	case o.Presence == provider.Absent:
		return "the cluster is gone; plan again", Stale
	case r.status == provider.StatusBroken:
		return fmt.Sprintf("the cluster is %s and takes no change; nothing was sent", statusWord(o.Cluster)), Held
	case r.status != provider.StatusReady:
		return "the cluster is " + statusWord(o.Cluster), ""
	case len(r.running) > 0:
		return "the cloud runs " + strings.Join(r.running, ", ") + " on the cluster", ""
	case !r.counted:
		return "the cloud's node counter and node list differ", ""
	}
	return "", ""
}

// A StaleError says how the cloud moved since the plan was made.
type StaleError struct{ Detail string }

func (e *StaleError) Error() string { return "the plan is stale: " + e.Detail + "; plan again" }

// replan diffs and plans the cluster again from the saved desired value and
// demands the same action, its number and place aside.
func (c *clusterRun) replan(ctx context.Context, act *Action, live *provider.State) (*Action, error) {
	cluster := c.cluster()
	if act.Op == provider.OpCreate && live != nil {
		return nil, &StaleError{fmt.Sprintf("cluster %q exists by now, with id %s", live.Name, live.ID)}
	}
	diff, err := Diff(cluster, live)
	if err != nil {
		return nil, err
	}
	var now []Action
	if len(diff.Changes) > 0 {
		answers, err := planItems(ctx, c.entry, []item{{cluster, live, diff}})
		if err != nil {
			return nil, err
		}
		now = answers[0].actions
	}
	for i := range now {
		if now[i].Group != act.Group || now[i].Op != act.Op {
			continue
		}
		if moved := compareActions(act, &now[i]); moved != "" {
			return nil, &StaleError{moved}
		}
		now[i].ID = act.ID
		return &now[i], nil
	}
	return nil, &StaleError{fmt.Sprintf("%s is no longer called for: %s", opWords(act), standing(act, live))}
}

// compareActions says what of an action is no longer as planned.
func compareActions(planned, now *Action) string {
	if planned.follows() {
		// Planned when the cluster did not exist: only the goal can be held to.
		if !gocmp.Equal(planned.To, now.To) {
			return fmt.Sprintf("%s was to end at %v and would now end at %v", opWords(planned), planned.To, now.To)
		}
		return ""
	}
	switch {
	case planned.ClusterID != now.ClusterID:
		return fmt.Sprintf("the cluster was %s and is now %s", planned.ClusterID, now.ClusterID)
	case !gocmp.Equal(planned.From, now.From) || !gocmp.Equal(planned.To, now.To):
		return fmt.Sprintf("%s was planned from %v to %v and would now go from %v to %v", opWords(planned), planned.From, planned.To, now.From, now.To)
	case !slices.EqualFunc(planned.Removes, now.Removes, func(a, b provider.NodeRef) bool { return a.ID == b.ID }):
		return fmt.Sprintf("%s was planned to remove %s and would now remove %s", opWords(planned), refs(planned.Removes), refs(now.Removes))
	case !gocmp.Equal(planned.Fields, now.Fields):
		return fmt.Sprintf("%s would now change other fields", opWords(planned))
	case !slices.Equal(planned.Request, now.Request):
		return fmt.Sprintf("the plugin now makes another request for %s", opWords(planned))
	case !slices.Equal(planned.Secrets, now.Secrets):
		return fmt.Sprintf("the plugin now asks for other secrets for %s", opWords(planned))
	}
	return ""
}

func refs(nodes []provider.NodeRef) string {
	var ids []string
	for _, n := range nodes {
		ids = append(ids, n.ID)
	}
	return strings.Join(ids, ", ")
}

// opWords names an action for a sentence.
func opWords(a *Action) string {
	return strings.ReplaceAll(string(a.Op), "_", " ") + " of " + a.Address
}

// standing says what the group looks like now.
func standing(act *Action, live *provider.State) string {
	if live == nil {
		return "the cluster does not exist"
	}
	for _, g := range live.Groups {
		if g.Role == act.Group {
			return fmt.Sprintf("%d nodes are live", g.Count)
		}
	}
	return "the cluster matches the spec there"
}

// newIntent is what must be on disk before the request may leave.
func (c *clusterRun) newIntent(act *Action, b *base) *journal.Intent {
	kind, _ := c.entry.kind(act.Kind) // baseline asked for it before
	window := max(kind.AcceptWindow, act.AcceptWindow)
	if c.entry.Timing != nil {
		window = c.entry.Timing.AcceptWindow
	}
	now := time.Now().UTC()
	sum := sha256.Sum256(act.Request)
	in := &journal.Intent{
		OpID: rand.Text(), PlanDigest: c.Plan.Digest, ActionID: act.ID,
		Identity: c.entry.identity(c.id, c.planned.Desired.Name), Entry: c.entry.Name, Kind: act.Kind,
		Cluster: act.Cluster, Name: c.planned.Desired.Name, ClusterID: c.id, Group: act.Group, Op: act.Op,
		From: act.From, To: act.To, K: 1, Base: orEmpty(b.reading.nodes), Tasks: []string{},
		ReadAt: b.reading.began.UTC(), RequestDigest: "sha256:" + hex.EncodeToString(sum[:]),
		SignedAt: now, AcceptWindow: window, ReadLag: kind.ReadLag, Fence: c.lease.Fence(),
	}
	// Start signs after this, at the latest when its deadline ends.
	in.Expires = now.Add(c.entry.sendDeadline() + window)
	in.Deadline = in.Expires.Add(c.Deadline)
	switch act.Op {
	case provider.OpCreate:
		in.Base = orEmpty(b.reading.ids)
	case provider.OpScaleOut, provider.OpScaleIn:
		in.K = max(act.To["count"]-act.From["count"], act.From["count"]-act.To["count"])
	case provider.OpResize:
		in.Sizes = b.reading.sizes
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
