package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// ErrSettled says that a cluster has no open request.
var ErrSettled = errors.New("nothing is unsettled")

// Evidence is what is known of one open request: what was sent, and what the
// cluster shows now. It is for a person who decides what the engine could not.
type Evidence struct {
	// Intent is the open request; nil when its record cannot be trusted.
	Intent  *journal.Intent       `json:"intent,omitempty"`
	Corrupt *journal.CorruptError `json:"-"`
	// Shows is what one read showed just now, or why there is none.
	Shows string `json:"shows"`
	// Seems is the verdict that this one read would lead to, if it could be
	// trusted to be late enough.
	Seems  journal.Verdict `json:"seems"`
	Detail string          `json:"detail,omitempty"`
	// QuietUntil is the moment before which nothing further will be sent to
	// the cluster, whatever is decided.
	QuietUntil time.Time `json:"quiet_until"`

	entry    *Entry
	identity journal.Identity
}

// Examine finds the open request of a cluster and reads the cluster once. It
// returns ErrSettled when there is none.
func (a *Applier) Examine(ctx context.Context, c *Cluster) (*Evidence, error) {
	entry := a.Entries[c.Entry]
	o := observeOne(ctx, entry, c.key(""))
	id, names := c.ID, []string{c.Name}
	if o.Cluster != nil {
		id, names = o.Cluster.ID, append(names, o.Cluster.Name)
	}
	for _, identity := range identitiesOf(entry, id, names...) {
		in, err := a.Store.Intent(identity.Key())
		ev := &Evidence{Intent: in, entry: entry, identity: identity, QuietUntil: time.Now()}
		switch {
		case errors.As(err, &ev.Corrupt):
			kind, kerr := entry.kind(c.Kind)
			if kerr != nil {
				return nil, kerr
			}
			// Whatever it was, it was signed before now, by a clock that may be
			// ahead of the cloud's.
			ev.QuietUntil = ev.QuietUntil.Add(kind.AcceptWindow + kind.ReadLag + skew(ev.QuietUntil, o.At, kind.AcceptWindow))
			ev.Shows = showsOf(o)
			return ev, nil
		case err != nil:
			return nil, err
		case in == nil:
			continue
		}
		if until := in.Expires.Add(in.ReadLag); until.After(ev.QuietUntil) {
			ev.QuietUntil = until
		}
		ev.Shows = showsOf(o)
		if o.Presence != provider.Unread {
			r := newReading(o, in.Group, in.To, time.Now(), time.Now())
			out := judge(in, r, nil)
			ev.Seems, ev.Detail = out.verdict, out.detail
		}
		return ev, nil
	}
	return nil, ErrSettled
}

func showsOf(o provider.Observation) string {
	if o.Presence == provider.Unread {
		return "the cluster cannot be read: " + o.Error.Error()
	}
	return describe(newReading(o, "", nil, time.Now(), time.Now()))
}

// Decide closes the request by a person's word. by says who and why; it stands
// in history for ever. The request is still waited out before the next send.
func (a *Applier) Decide(ctx context.Context, ev *Evidence, verdict journal.Verdict, by string) error {
	if verdict != journal.Done && verdict != journal.None || by == "" {
		return errors.New("a decision is applied or not applied, with a reason")
	}
	lease, err := a.Store.Lock(ctx, ev.identity.Key(), a.Holder)
	if err != nil {
		return err
	}
	defer lease.Unlock()
	in := journal.Intent{OpID: rand.Text(), Identity: ev.identity, Entry: ev.entry.Name}
	now, err := a.Store.Intent(ev.identity.Key())
	var corrupt *journal.CorruptError
	switch {
	case ev.Corrupt != nil && errors.As(err, &corrupt):
	case err != nil:
		return err
	case now == nil || ev.Intent == nil || now.OpID != ev.Intent.OpID:
		return fmt.Errorf("it was settled by another run meanwhile; look again")
	default:
		in = *now
	}
	return lease.Close(journal.Record{
		Intent: in, Verdict: verdict, At: time.Now().UTC(), QuietUntil: ev.QuietUntil.UTC(),
		Detail: "decided by a person; the cluster showed: " + ev.Shows, By: by,
	})
}

// HolderOf says which other run has a cluster locked, nil when none has.
func (a *Applier) HolderOf(ctx context.Context, c *Cluster) (*journal.Holder, error) {
	entry := a.Entries[c.Entry]
	o := observeOne(ctx, entry, c.key(""))
	id, names := c.ID, []string{c.Name}
	if o.Cluster != nil {
		id, names = o.Cluster.ID, append(names, o.Cluster.Name)
	}
	for _, identity := range identitiesOf(entry, id, names...) {
		lease, err := a.Store.Lock(ctx, identity.Key(), a.Holder)
		var held *journal.LockedError
		switch {
		case errors.As(err, &held):
			return &held.Holder, nil
		case err != nil:
			return nil, err
		}
		if err := lease.Unlock(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
