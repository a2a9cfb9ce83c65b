package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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
	if c.lease() == nil {
		return nil, Locked, errors.New("the new cluster is locked by another run")
	}
	if act.Op == provider.OpCreate && c.id != "" {
		return nil, Stale, &StaleError{fmt.Sprintf("cluster %q was created by an earlier request, with id %s", c.planned.Desired.Name, c.id)}
	}
	kind, err := c.entry.kind(act.Kind)
	if err != nil {
		return nil, Held, err
	}
	quiet, lost, err := c.quietUntil(act, kind)
	if err != nil {
		return nil, Held, err
	}
	if !c.quieten(ctx, act, quiet) {
		return nil, Interrupted, errors.New(notSent)
	}
	until := time.Now().Add(c.Wait)
	var moved time.Time // when the cluster was last seen to change
	busy := false       // in the read before
	for {
		began := time.Now()
		o, ok := c.read(ctx)
		if !ok {
			return nil, Interrupted, errors.New(notSent)
		}
		r := newReading(o, act.Group, act.To, began, time.Now())
		if lost && !o.At.IsZero() {
			// What a lost store knew of was signed by a clock that may have been
			// ahead of the cloud's, as this one is.
			lost = false
			if ahead := quiet.Add(skew(r.ended, o.At, c.entry.window(kind, act))); remaining(ahead) > 0 {
				if !c.quieten(ctx, act, ahead) {
					return nil, Interrupted, errors.New(notSent)
				}
				continue
			}
		}
		why, state := unfit(act, o, r)
		if busy && why == "" {
			busy, moved = false, r.ended
		}
		late := moved.Add(kind.ReadLag)
		switch {
		case why == "" && (moved.IsZero() || past(began, late)):
			return &base{o, r}, "", nil
		case why == "":
			// Ready again, but the nodes may be told late.
			c.emit(Event{Action: act, State: Waiting, Text: "the cluster has just become ready", Until: late})
			if !sleep(ctx, remaining(late)) {
				return nil, Interrupted, errors.New(notSent)
			}
			continue
		case state != "":
			return nil, state, errors.New(why)
		case !time.Now().Before(until):
			return nil, Held, fmt.Errorf("%s for longer than %s; nothing was sent", why, c.Wait.Round(time.Millisecond))
		}
		busy = busy || o.Presence != provider.Unread
		c.emit(Event{Action: act, State: Waiting, Text: why, Until: until})
		if !sleep(ctx, c.entry.pause(kind.ReadLag)) {
			return nil, Interrupted, errors.New(notSent)
		}
	}
}

// read reads the cluster once; a plugin that hangs is cut off, but none because
// nobody wants to wait for a busy cluster. It is false when the run was
// interrupted.
func (c *clusterRun) read(ctx context.Context) (provider.Observation, bool) {
	bound, cancel := context.WithTimeout(ctx, max(c.Wait, time.Minute))
	defer cancel()
	key := c.cluster().key(c.id)
	o := provider.Observation{Address: key.Address, Error: provider.Errorf(provider.KindUnavailable, "no call slot was free")}
	_ = c.call(c.entry.Name)(bound, func() { o = observeOne(bound, c.entry, key) })
	return o, ctx.Err() == nil
}

// quieten waits until an earlier request can no longer arrive. It is false when
// the run was interrupted.
func (c *clusterRun) quieten(ctx context.Context, act *Action, quiet time.Time) bool {
	wait := remaining(quiet)
	if wait <= 0 {
		return true
	}
	c.emit(Event{Action: act, State: Expiring, Text: "nothing is sent yet", Until: quiet})
	return sleep(ctx, wait)
}

// quietUntil is the moment before which no baseline may be read: requests that
// are settled may lag in reads, or could still arrive; and what a lost store
// knew of must have expired. lost says that the last is what is waited for.
func (c *clusterRun) quietUntil(act *Action, kind provider.Kind) (quiet time.Time, lost bool, err error) {
	quiet, known := c.quiet, false
	for _, identity := range c.identities() {
		last, err := c.Store.Last(identity.Key())
		var torn *journal.TornError
		if err != nil && !errors.As(err, &torn) {
			return quiet, false, unreadable(err)
		}
		if last == nil {
			continue
		}
		known = true
		until := last.QuietUntil
		if last.Intent.SignedAt.IsZero() {
			// A person closed a record that could not be read: the request may have
			// been one of those that the cloud takes for longer than others.
			until = until.Add(c.entry.window(kind, act) - kind.AcceptWindow)
		}
		if until.After(quiet) {
			quiet = until
		}
	}
	since := c.Store.Since()
	if known || since.IsZero() {
		return quiet, false, nil
	}
	if until := since.Add(c.entry.window(kind, act) + kind.ReadLag); until.After(quiet) {
		quiet = until
	}
	return quiet, true, nil
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
// demands the same action, its number and place aside. It returns nil when an
// action that follows a create has nothing left to do.
func (c *clusterRun) replan(ctx context.Context, act *Action, live *provider.State) (*Action, error) {
	cluster := c.cluster()
	if act.Op == provider.OpCreate && live != nil {
		return nil, &StaleError{fmt.Sprintf("cluster %q exists by now, with id %s", live.Name, live.ID)}
	}
	if act.ClusterID != "" && cluster.ID == "" && live.Name != "" && live.Name != cluster.Name {
		// The spec means whatever bears the name; this is read by its id.
		return nil, &StaleError{fmt.Sprintf("cluster %s was found by its name %q and is named %q now", live.ID, cluster.Name, live.Name)}
	}
	diff, err := Diff(cluster, live)
	if err != nil {
		return nil, err
	}
	if act.follows() && !diff.touches(act) {
		return nil, nil
	}
	var now []Action
	if len(diff.Changes) > 0 {
		answers, err := planItems(ctx, c.entry, []item{{cluster, live, diff}})
		if err != nil {
			return nil, err
		}
		now = answers[0].actions
	}
	moved := ""
	for i := range now {
		if now[i].Group != act.Group || now[i].Op != act.Op {
			continue
		}
		how := compareActions(act, &now[i])
		if how == "" {
			now[i].ID = act.ID
			return &now[i], nil
		}
		if moved == "" {
			moved = how
		}
	}
	if moved == "" {
		moved = fmt.Sprintf("%s is no longer called for: %s", opWords(act), standing(act, live))
	}
	return nil, &StaleError{moved}
}

// touches reports whether a field of the action still differs.
func (d Difference) touches(act *Action) bool {
	for _, f := range act.Fields {
		path := groupPath(act.Group, f.Path)
		for _, c := range d.Changes {
			if slices.ContainsFunc(c.Fields, func(o provider.FieldChange) bool { return groupPath(c.Group, o.Path) == path }) {
				return true
			}
		}
		for _, b := range d.Blocked {
			if slices.ContainsFunc(b.Fields, func(o provider.FieldChange) bool { return groupPath(b.Group, o.Path) == path }) {
				return true
			}
		}
	}
	return false
}

// compareActions says what of an action is no longer as planned.
func compareActions(planned, now *Action) string {
	if planned.follows() {
		// Planned when the cluster did not exist: only the goal can be held to.
		switch {
		case !gocmp.Equal(planned.To, now.To):
			return fmt.Sprintf("%s was to end at %s and would now end at %s", opWords(planned), amounts(planned.To), amounts(now.To))
		case !slices.EqualFunc(planned.Fields, now.Fields, sameGoal):
			return fmt.Sprintf("%s would now change other fields", opWords(planned))
		case len(now.Removes) > 0 || !slices.Equal(planned.Secrets, now.Secrets):
			return fmt.Sprintf("%s is not what was approved", opWords(planned))
		}
		return ""
	}
	switch {
	case planned.ClusterID != now.ClusterID:
		return fmt.Sprintf("the cluster was %s and is now %s", planned.ClusterID, now.ClusterID)
	case !gocmp.Equal(planned.From, now.From) || !gocmp.Equal(planned.To, now.To):
		return fmt.Sprintf("%s was planned %s and would now go %s", opWords(planned), way(planned.From, planned.To), way(now.From, now.To))
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

// sameGoal compares what two changes lead to.
func sameGoal(a, b provider.FieldChange) bool {
	return a.Path == b.Path && reflect.DeepEqual(a.After, b.After)
}
