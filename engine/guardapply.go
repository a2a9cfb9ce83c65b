package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// guardLockTimeout bounds the wait for the lock on guards, which nobody holds
// for longer than a record takes to write.
const guardLockTimeout = 30 * time.Second

// lockGuards takes the locks on guards. They are the last that a run takes, in
// one order for all.
func (a *Applier) lockGuards(ctx context.Context, identities ...journal.Identity) (leases map[string]journal.Lease, release func(), err error) {
	var keys []string
	for _, identity := range identities {
		keys = append(keys, identity.Key())
	}
	slices.Sort(keys)
	leases = map[string]journal.Lease{}
	var back []func()
	release = func() {
		for _, f := range slices.Backward(back) {
			f()
		}
	}
	for _, key := range slices.Compact(keys) {
		leave, err := a.turn(ctx, key)
		if err == nil {
			back = append(back, leave)
			leases[key], err = a.lockGuard(ctx, key)
		}
		if err != nil {
			release()
			return nil, nil, err
		}
		back = append(back, func() { _ = leases[key].Unlock() }) // the kernel takes it back at the latest
	}
	return leases, release, nil
}

func (a *Applier) lockGuard(ctx context.Context, key string) (journal.Lease, error) {
	until := time.Now().Add(max(guardLockTimeout, a.LockTimeout))
	for {
		lease, err := a.Store.Lock(ctx, key, a.Holder)
		var other *journal.LockedError
		if err == nil || !errors.As(err, &other) || !time.Now().Before(until) {
			return lease, err
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return nil, context.Cause(ctx)
		}
	}
}

// writeGuards records those of the plan's guards that are about clusters that
// exist, and about accounts, before anything is sent.
func (a *Applier) writeGuards(ctx context.Context) error {
	type place struct{ entry, id string }
	places := map[place][]Guard{}
	for _, g := range a.Plan.Guards {
		if g.Cluster == "" || g.ClusterID != "" {
			at := place{g.Provider, g.ClusterID}
			places[at] = append(places[at], g)
		}
	}
	order := slices.SortedFunc(maps.Keys(places), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.entry, b.entry), cmp.Compare(a.id, b.id))
	})
	// What is stale is found before anything of the plan is written.
	for _, at := range order {
		if _, err := a.due(a.Entries[at.entry].guarded(at.id), places[at]); err != nil {
			return err
		}
	}
	for _, at := range order {
		if err := a.record(ctx, a.Entries[at.entry], at.id, places[at]); err != nil {
			return err
		}
	}
	return nil
}

// due is what is to be remembered of one place after the changes, nil when it is
// so already. A plan lifts the guards that it was made after: one that was set
// since, be it the same again, was set by somebody who did not know of the plan.
// One that was made without history may set guards and loosen none.
func (a *Applier) due(identity journal.Identity, changes []Guard) (*journal.Guards, error) {
	before, op, err := remembered(a.Store.Last, identity)
	if err != nil {
		return nil, err
	}
	after := written(before, changes)
	moves := inForce{stated: after, remembered: before}.changes(Guard{})
	if len(moves) == 0 {
		return nil, nil
	}
	loosens := slices.ContainsFunc(moves, func(g Guard) bool { return g.Change == GuardLift })
	for _, c := range changes {
		if c.LastOp != op && (c.LastOp != "" || loosens) {
			return nil, &StaleError{fmt.Sprintf("the guards of %s are others than those that it was made after", cmp.Or(c.Cluster, c.Address))}
		}
	}
	return &after, nil
}

// lifts are the guards of one place that the plan lifts or changes.
func (a *Applier) lifts(identity journal.Identity) journal.Guards {
	g := journal.Guards{Protected: map[string]journal.Protection{}, MaxRemoved: map[string]journal.Budget{}}
	for _, c := range a.Plan.Guards {
		if a.Entries[c.Provider].guarded(c.ClusterID) != identity || c.Change != GuardLift {
			continue
		}
		if c.Guard == GuardProtect {
			g.Protected[c.Group] = journal.Protection{Source: c.Source}
		} else if c.Before != nil {
			g.MaxRemoved[c.Group] = journal.Budget{Count: c.Before.Count, Per: string(c.Before.Per), Source: c.Source}
		}
	}
	return g
}

// record writes one place's guards to history, unless they are there.
func (a *Applier) record(ctx context.Context, entry *Entry, id string, changes []Guard) error {
	identity := entry.guarded(id)
	leases, release, err := a.lockGuards(ctx, identity)
	if err != nil {
		return fmt.Errorf("guards of %s: %w", changes[0].Address, err)
	}
	defer release()
	after, err := a.due(identity, changes)
	if after == nil || err != nil {
		return err
	}
	var words []string
	for _, g := range changes {
		words = append(words, g.String())
	}
	now := time.Now().UTC()
	r := journal.Record{
		Intent: journal.Intent{OpID: rand.Text(), PlanDigest: a.Plan.Digest, Who: a.Holder.Who(), Identity: identity, Entry: entry.Name,
			Kind: changes[0].Kind, Cluster: cmp.Or(changes[0].Cluster, changes[0].Address), ClusterID: id, Op: journal.OpGuard},
		Verdict: journal.Done, At: now, QuietUntil: now, Detail: strings.Join(words, ", "), Closer: a.Holder.Who(), Guards: after,
	}
	if err := leases[identity.Key()].Append(r); err != nil {
		return fmt.Errorf("guards of %s: %w", changes[0].Address, err)
	}
	a.mu.Lock()
	a.guards = append(a.guards, changes...)
	a.mu.Unlock()
	return nil
}

// guardNew records the guards of a cluster that was just created.
func (c *clusterRun) guardNew(ctx context.Context) error {
	var changes []Guard
	for _, g := range c.Plan.Guards {
		if g.Cluster == c.planned.Address && g.ClusterID == "" {
			changes = append(changes, g)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return c.record(ctx, c.entry, c.id, changes)
}

// admit holds an action to the guards that are in force at this moment and, when
// none denies it, has its intent written before anybody can set another or spend
// the same budget.
func (c *clusterRun) admit(ctx context.Context, planned, act *Action, put func() error) ([]Denied, error) {
	if !act.reduces() || planned.follows() {
		return nil, put()
	}
	cluster, account := c.entry.guarded(c.id), c.entry.guarded("")
	_, release, err := c.lockGuards(ctx, cluster, account)
	if err != nil {
		return nil, fmt.Errorf("guards of %s: %w", act.Address, err)
	}
	defer release()
	k := &keeper{entry: c.entry, id: c.id, now: time.Now(), taken: func() (removals, error) {
		open, _, err := c.Store.Open()
		if err != nil {
			return nil, err
		}
		return readRemovals(c.Store.History, open)
	}}
	k.cluster.stated, k.account.stated = c.planned.Rules.guards(c.cluster().Source), c.entry.guards()
	k.cluster.lifted, k.account.lifted = c.lifts(cluster), c.lifts(account)
	if k.cluster.remembered, k.cluster.op, err = remembered(c.Store.Last, cluster); err != nil {
		return nil, err
	}
	if k.account.remembered, k.account.op, err = remembered(c.Store.Last, account); err != nil {
		return nil, err
	}
	denied, err := k.denies(act)
	if err != nil || len(denied) > 0 {
		return denied, err
	}
	return nil, put()
}

// String words a guard's entry: "protect set", "max_removed lifted".
func (g Guard) String() string {
	change := "set"
	if g.Change == GuardLift {
		change = "lifted"
	}
	what := g.Guard
	if g.Group != "" {
		what = g.Group + " " + what
	}
	switch {
	case g.After != nil && g.Before != nil:
		return fmt.Sprintf("%s changed from %s to %s", what, g.Before, g.After)
	case g.After != nil:
		return fmt.Sprintf("%s set to %s", what, g.After)
	case g.Before != nil:
		return fmt.Sprintf("%s of %s lifted", what, g.Before)
	}
	return what + " " + change
}
