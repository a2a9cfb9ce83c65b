package engine

import (
	"context"
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

// entryOf finds the entry for the account that an intent is about.
func (a *Applier) entryOf(in *journal.Intent) *Entry {
	for _, e := range a.Entries {
		if e.identity(in.Identity.ID, in.Identity.Name) == in.Identity {
			return e
		}
	}
	return nil
}

func (a *Applier) settleOne(ctx context.Context, entry *Entry, in *journal.Intent) Outcome {
	act := &Action{ID: in.ActionID, Address: Address(in.Cluster, in.Group), Op: in.Op, Cluster: in.Cluster, Group: in.Group}
	run := &clusterRun{Applier: a, entry: entry, id: in.Identity.ID, actions: []*Action{act},
		planned: &Planned{Address: in.Cluster, Provider: entry.Name, Desired: provider.Desired{Name: in.Name}}}
	defer run.unlock()
	lease, state, err := run.lockOne(ctx, in.Identity.Key())
	if err != nil {
		return run.ended(act, run.outcome(act, state, err.Error()))
	}
	run.leases = append(run.leases, lease)
	// It may have been settled while we waited for the lock.
	again, err := a.Store.Intent(in.Identity.Key())
	switch {
	case err != nil:
		return run.ended(act, run.outcome(act, Held, err.Error()))
	case again == nil || again.OpID != in.OpID:
		return run.outcome(act, Applied, "settled by another run")
	}
	return run.ended(act, run.settleOpen(ctx, again, lease))
}
