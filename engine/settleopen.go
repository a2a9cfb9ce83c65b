package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// SettleOpen watches requests that earlier runs left open until each is
// settled, all side by side. Intents of entries that this run does not have
// are left alone.
func (a *Applier) SettleOpen(ctx context.Context, intents []journal.Intent) []Outcome {
	a.defaults()
	outcomes := make([]Outcome, len(intents))
	var wait sync.WaitGroup
	for i := range intents {
		in := &intents[i]
		entry := a.entryOf(in)
		if entry == nil {
			continue
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			outcomes[i] = a.settleOne(ctx, entry, in)
		}()
	}
	wait.Wait()
	var ours []Outcome
	for _, o := range outcomes {
		if o.Address != "" {
			ours = append(ours, o)
		}
	}
	return ours
}

// entryOf finds the entry for the account that an intent is about; of several,
// the one that sent it.
func (a *Applier) entryOf(in *journal.Intent) *Entry {
	for _, name := range slices.Concat([]string{in.Entry}, slices.Sorted(maps.Keys(a.Entries))) {
		if e := a.Entries[name]; e != nil && e.identity(in.Identity.ID, in.Identity.Name) == in.Identity {
			return e
		}
	}
	return nil
}

func (a *Applier) settleOne(ctx context.Context, entry *Entry, in *journal.Intent) Outcome {
	act := &Action{ID: in.ActionID, Address: Address(in.Cluster, in.Group), Op: in.Op, Cluster: in.Cluster, Group: in.Group}
	run := &clusterRun{Applier: a, entry: entry, id: in.Identity.ID, actions: []*Action{act}, locks: map[string]held{},
		planned: &Planned{Address: in.Cluster, Provider: entry.Name, Desired: provider.Desired{Name: in.Name}}}
	defer run.unlock()
	key := in.Identity.Key()
	leave, err := a.turn(ctx, key)
	if err != nil {
		return run.ended(act, run.outcome(act, Unsettled, err.Error()))
	}
	if a.Mine != nil && !a.Mine(in) {
		lease, err := a.Store.Lock(ctx, key, a.Holder)
		var busy *journal.LockedError
		switch {
		case errors.As(err, &busy):
			leave()
			return Outcome{} // it is being watched
		case err != nil:
			leave()
			return run.ended(act, run.outcome(act, Unsettled, err.Error()))
		}
		run.locks[key] = held{lease, leave}
	} else if state, err := run.lockOne(ctx, key, leave); err != nil {
		if state == Held {
			state = Unsettled // it was sent, and the store does not let us look at it
		}
		return run.ended(act, run.outcome(act, state, err.Error()))
	}
	// It may have been settled while we waited for the lock.
	again, err := a.Store.Intent(key)
	switch {
	case err != nil:
		return run.ended(act, run.outcome(act, Unsettled, err.Error()))
	case again == nil || again.OpID != in.OpID:
		return run.ended(act, run.settledElsewhere(act, in))
	}
	return run.ended(act, run.settleOpen(ctx, again, run.locks[key].lease))
}

// settledElsewhere tells of a request that another run closed what that run
// found.
func (c *clusterRun) settledElsewhere(act *Action, in *journal.Intent) Outcome {
	out := c.outcome(act, Unsettled, "another run closed it, and history does not have it")
	err := c.Store.History(func(r journal.Record) bool {
		if r.Intent.OpID == in.OpID {
			out.State, out.Verdict, out.Detail = stateOf(r.Verdict), r.Verdict, "settled by another run: "+r.Detail
		}
		return true
	})
	var torn *journal.TornError
	if out.Verdict == "" && err != nil && !errors.As(err, &torn) {
		out.Detail = unreadable(err).Error()
	}
	return out
}
