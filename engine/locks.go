package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// identitiesOf are the names under which requests to one cluster may be
// journalled: its id, and the live and the wanted name, since a create that is
// under way knows a name only.
func identitiesOf(e *Entry, id string, names ...string) []journal.Identity {
	var out []journal.Identity
	if id != "" {
		out = append(out, e.identity(id, ""))
	}
	for _, name := range names {
		if identity := e.identity("", name); name != "" && !slices.Contains(out, identity) {
			out = append(out, identity)
		}
	}
	return out
}

func (c *clusterRun) identities() []journal.Identity {
	return identitiesOf(c.entry, c.id, c.planned.LiveName, c.planned.Desired.Name)
}

// lastRecord finds the newest closed request of a cluster, nil when there is
// none.
func lastRecord(last func(key string) (*journal.Record, error), identities []journal.Identity) (*journal.Record, error) {
	var newest *journal.Record
	for _, identity := range identities {
		r, err := last(identity.Key())
		var torn *journal.TornError
		if err != nil && !errors.As(err, &torn) {
			return nil, unreadable(err)
		}
		if r != nil && (newest == nil || r.At.After(newest.At)) {
			newest = r
		}
	}
	return newest, nil
}

// unreadable says of a history that was changed what a person may do. Nothing
// is sent on the word of the rest: the newest request may be what is missing.
func unreadable(err error) error {
	return fmt.Errorf("history cannot be read: %w; move the whole store away and begin a new one with: clusterctl apply --new-store=wait", err)
}

// noRequest stands in a plan for a cluster that has no history.
const noRequest = "none"

// opOf names the record that a plan was made after.
func opOf(r *journal.Record) string {
	if r == nil {
		return noRequest
	}
	return r.Intent.OpID
}

// held is a lock of the store and this run's own turn at it.
type held struct {
	lease journal.Lease
	leave func()
}

// lock takes the locks of the cluster under all its names, in one order for
// all clusters.
func (c *clusterRun) lock(ctx context.Context) (OutcomeState, error) {
	identities := c.identities()
	slices.SortFunc(identities, func(a, b journal.Identity) int { return strings.Compare(a.Key(), b.Key()) })
	for _, identity := range identities {
		leave, err := c.turn(ctx, identity.Key())
		if err != nil {
			return Interrupted, err
		}
		if state, err := c.lockOne(ctx, identity.Key(), leave); err != nil {
			return state, err
		}
	}
	return "", nil
}

// lockOne takes one lock; the turn at it is given back with it.
func (c *clusterRun) lockOne(ctx context.Context, key string, leave func()) (OutcomeState, error) {
	until := time.Now().Add(c.LockTimeout)
	for {
		lease, err := c.Store.Lock(ctx, key, c.Holder)
		var other *journal.LockedError
		switch {
		case err == nil:
			c.locks[key] = held{lease, leave}
			return "", nil
		case !errors.As(err, &other):
			leave()
			return Held, err
		case !time.Now().Before(until):
			leave()
			return Locked, err
		}
		c.emit(Event{Action: c.actions[0], State: Waiting, Text: err.Error(), Until: until})
		if !sleep(ctx, min(time.Second, time.Until(until))) {
			leave()
			return Interrupted, errors.New("interrupted while waiting for the lock")
		}
	}
}

// lease is the held lock under which the cluster's requests are journalled, nil
// when another run has it.
func (c *clusterRun) lease() journal.Lease {
	return c.locks[c.entry.identity(c.id, c.planned.Desired.Name).Key()].lease
}

func (c *clusterRun) unlock() {
	for _, h := range c.locks {
		_ = h.lease.Unlock() // the kernel takes it back at the latest with the process
		h.leave()
	}
}

// adopt goes on with a cluster that was just created, by its id. Where another
// run has locked it, what follows is refused in baseline.
func (c *clusterRun) adopt(ctx context.Context, id string) {
	c.id = id
	key := c.entry.identity(id, "").Key()
	if leave := c.tryTurn(key); leave != nil {
		_, _ = c.lockOne(ctx, key, leave)
	}
}

// turn waits until no other cluster of this run works under key: two clusters
// of one plan may share a name, and must not take each other for another run.
func (a *Applier) turn(ctx context.Context, key string) (leave func(), err error) {
	turn := a.turnOf(key)
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, errors.New("interrupted while waiting for another cluster of this run")
	}
}

// tryTurn is turn without the wait: nil when it is another's.
func (a *Applier) tryTurn(key string) (leave func()) {
	turn := a.turnOf(key)
	select {
	case turn <- struct{}{}:
		return func() { <-turn }
	default:
		return nil
	}
}

func (a *Applier) turnOf(key string) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.turns[key] == nil {
		a.turns[key] = make(chan struct{}, 1)
	}
	return a.turns[key]
}
