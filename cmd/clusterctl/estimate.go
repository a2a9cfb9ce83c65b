package main

import (
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
)

// expecting says how long actions usually take, from the history of the store,
// and since when those of open run already. History that cannot be read gives
// no reason to stop, and none to guess.
func (r *applyRun) expecting(s *session, open []journal.Intent) render.Expect {
	if r.usual == nil {
		r.usual = usualOf(r.store)
	}
	return func(a *engine.Action) (usual time.Duration, sent time.Time) {
		entry := s.entries[a.Provider]
		if entry == nil {
			return 0, time.Time{}
		}
		for i := range open {
			in := &open[i]
			if in.ActionID == a.ID && engine.Address(in.Cluster, in.Group) == a.Address {
				sent = in.SignedAt
			}
		}
		usual, _ = r.usual.Of(entry.Description.Name, a.Kind, a.Op, a.ClusterID)
		return usual, sent
	}
}

func usualOf(store journal.Store) *journal.Usual {
	usual := &journal.Usual{}
	if files, ok := store.(*journal.FileStore); ok {
		_ = files.Recall(func(r journal.Remembered) bool {
			if r.Fault == "" {
				usual.Add(r.Record)
			}
			return true
		})
	}
	return usual
}
