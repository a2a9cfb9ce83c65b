package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// ErrSettled says that a cluster has no open request.
var ErrSettled = errors.New("nothing is unsettled")

// Evidence is what is known of one open request: what was sent, and what the
// cluster shows now. It is for a person who decides what the engine could not.
type Evidence struct {
	// Intent is the open request; nil when its record cannot be trusted, which
	// Corrupt and, in words, Fault say.
	Intent  *journal.Intent       `json:"intent,omitempty"`
	Corrupt *journal.CorruptError `json:"-"`
	Fault   string                `json:"fault,omitempty"`
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
	cluster  *Cluster
	identity journal.Identity
}

// Examine finds the open request of a cluster and reads the cluster once. It
// returns ErrSettled when there is none.
func (a *Applier) Examine(ctx context.Context, c *Cluster) (*Evidence, error) {
	entry := a.Entries[c.Entry]
	o, identities, err := a.whereabouts(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, identity := range identities {
		in, err := a.Store.Intent(identity.Key())
		ev := &Evidence{Intent: in, entry: entry, cluster: c, identity: identity, QuietUntil: time.Now()}
		switch {
		case errors.As(err, &ev.Corrupt):
			kind, kerr := entry.kind(c.Kind)
			if kerr != nil {
				return nil, kerr
			}
			// Whatever it was, it was signed before now, by a clock that may be
			// ahead of the cloud's.
			ev.QuietUntil = ev.QuietUntil.Add(kind.AcceptWindow + kind.ReadLag + skew(ev.QuietUntil, o.At, kind.AcceptWindow))
			ev.Shows, ev.Fault = showsOf(o, ""), ev.Corrupt.Error()
			return ev, nil
		case err != nil:
			return nil, err
		case in == nil:
			continue
		}
		if until := in.Expires.Add(in.ReadLag); until.After(ev.QuietUntil) {
			ev.QuietUntil = until
		}
		ev.Shows = showsOf(o, in.Group)
		if o.Presence != provider.Unread {
			r := newReading(o, in.Group, in.To, time.Now(), time.Now())
			out := judge(in, r, nil)
			ev.Seems, ev.Detail = out.verdict, out.detail+changed(in, r)
		}
		return ev, nil
	}
	if o.Presence == provider.Unread && c.ID == "" {
		return nil, unfindable(c, o)
	}
	return nil, ErrSettled
}

// whereabouts reads a cluster once and lists the names under which its requests
// may be journalled: those that identitiesOf knows, and those of open requests
// that were sent for it when it was another cluster, or could be read.
func (a *Applier) whereabouts(ctx context.Context, c *Cluster) (provider.Observation, []journal.Identity, error) {
	entry := a.Entries[c.Entry]
	o := observeOne(ctx, entry, c.key(""))
	id, names := c.ID, []string{c.Name}
	if o.Cluster != nil {
		id, names = o.Cluster.ID, append(names, o.Cluster.Name)
	}
	identities := identitiesOf(entry, id, names...)
	open, _, err := a.Store.Open()
	for _, in := range open {
		ours := in.Cluster == c.Address && entry.identity(in.Identity.ID, in.Identity.Name) == in.Identity
		if ours && !slices.Contains(identities, in.Identity) {
			identities = append(identities, in.Identity)
		}
	}
	return o, identities, err
}

// unfindable is why nothing can be said of a cluster that only its name tells.
func unfindable(c *Cluster, o provider.Observation) error {
	return fmt.Errorf("cluster %s is found by its name, and it cannot be read: %w", c.Address, o.Error)
}

func showsOf(o provider.Observation, group string) string {
	if o.Presence == provider.Unread {
		return "the cluster cannot be read: " + o.Error.Error()
	}
	return describe(newReading(o, group, nil, time.Now(), time.Now()))
}

// changed names the nodes that came and went since the request was written.
func changed(in *journal.Intent, r reading) string {
	if in.Op != provider.OpScaleOut && in.Op != provider.OpScaleIn || len(r.ids) == 0 {
		return ""
	}
	text := ""
	if came := minus(r.nodes, in.Base); len(came) > 0 {
		text += "; came: " + strings.Join(came, ", ")
	}
	if went := minus(in.Base, r.nodes); len(went) > 0 {
		text += "; went: " + strings.Join(went, ", ")
	}
	return text
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
	// What stands in history of a record that cannot be trusted.
	in := journal.Intent{OpID: rand.Text(), Identity: ev.identity, Entry: ev.entry.Name,
		Kind: ev.cluster.Kind, Cluster: ev.cluster.Address, Name: ev.cluster.Name, ClusterID: ev.identity.ID}
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
		Detail: "decided by a person; the cluster showed: " + ev.Shows, By: by, Closer: a.Holder.Who(),
	})
}

// HolderOf says which other run has a cluster locked, nil when none has.
func (a *Applier) HolderOf(ctx context.Context, c *Cluster) (*journal.Holder, error) {
	o, identities, err := a.whereabouts(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, identity := range identities {
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
	if o.Presence == provider.Unread && c.ID == "" {
		return nil, unfindable(c, o)
	}
	return nil, nil
}
