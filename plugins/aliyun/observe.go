package aliyun

import (
	"context"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Observe implements provider.Provider.
//
// At LevelSummary the region's clusters are listed once for all keys, a hundred
// to the page, and answers leave as pages come. The list has no count of
// workers (its size may count masters), so every wanted cluster costs one node
// list more. At LevelNodes a key with an id needs no list: detail, tasks and
// nodes are read, in this order, so that nodes of a task that ended meanwhile
// are in the list.
func (p *plugin) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	if p.session == nil {
		return errNotConfigured
	}
	o := observing{
		session: p.session,
		level:   req.Level,
		looks:   make(chan look),
		out:     make(chan provider.Observation),
	}
	inner, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	// Nothing of this call may outlive it.
	defer running.Wait()
	defer cancel()

	var listErr error
	running.Go(func() {
		defer close(o.looks)
		listErr = o.find(inner, req.Keys)
	})
	var workers sync.WaitGroup
	for range budget.Concurrency {
		workers.Go(func() {
			for l := range o.looks {
				o.emit(inner, o.read(inner, l))
			}
		})
	}
	running.Go(func() {
		workers.Wait()
		close(o.out)
	})
	for obs := range o.out {
		if err := yield(obs); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return listErr // set before looks and with it out were closed
}

// observing is one Observe: find says which clusters to read, workers read
// them, the caller's goroutine yields.
type observing struct {
	*session
	level provider.Level
	looks chan look
	out   chan provider.Observation
}

// look is one cluster to read for one key.
type look struct {
	key   provider.Key
	id    string
	ids   []string // when found by name
	entry *cluster // from a list; nil: to be read
	at    time.Time
}

func (o *observing) emit(ctx context.Context, obs provider.Observation) {
	if ctx.Err() != nil {
		return // a read that was cut short says nothing of its cluster
	}
	select {
	case o.out <- obs:
	case <-ctx.Done():
	}
}

func (o *observing) look(ctx context.Context, l look) error {
	select {
	case o.looks <- l:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// find turns keys into looks. Keys that a list has not shown are asked for one
// by one: an entry can slip between two pages, and unread must not pass for
// absent.
func (o *observing) find(ctx context.Context, keys []provider.Key) error {
	byID, byName := map[string][]provider.Key{}, map[string][]provider.Key{}
	for _, key := range keys {
		switch {
		case key.ID != "" && o.level == provider.LevelNodes:
			if err := o.look(ctx, look{key: key, id: key.ID}); err != nil {
				return err
			}
		case key.ID != "":
			byID[key.ID] = append(byID[key.ID], key)
		case key.Name == "":
			o.emit(ctx, provider.Observation{
				Address: key.Address, At: o.client.now(),
				Error: provider.Errorf(provider.KindInvalid, "a key without id and name"),
			})
		default:
			byName[key.Name] = append(byName[key.Name], key)
		}
	}
	if len(keys) > 0 && len(byID)+len(byName) == 0 {
		return nil
	}
	var listed time.Time
	seen, named := map[string]bool{}, map[string][]look{}
	pages, err := o.clusters(ctx, "", func(page []cluster, at time.Time) error {
		listed = at
		for _, entry := range page {
			if seen[entry.ID] || !live(entry) {
				continue
			}
			seen[entry.ID] = true
			found := look{id: entry.ID, entry: &entry, at: at}
			named[entry.Name] = append(named[entry.Name], found)
			wanted := byID[entry.ID]
			delete(byID, entry.ID)
			if kind := kindOf(entry); len(keys) == 0 && kind != "" {
				wanted = []provider.Key{{Kind: kind}}
			}
			for _, key := range wanted {
				found.key = key
				if err := o.look(ctx, found); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, keys := range byID {
		for _, key := range keys {
			if err := o.look(ctx, look{key: key, id: id}); err != nil {
				return err
			}
		}
	}
	for name, keys := range byName {
		found := named[name]
		if len(found) == 0 && pages > 1 {
			if found, err = o.byName(ctx, name); err != nil {
				return err
			}
		}
		for _, key := range keys {
			if err := o.settleName(ctx, key, found, listed); err != nil {
				return err
			}
		}
	}
	return nil
}

// byName asks the cloud for one name. Its filter may be wider than equality.
func (o *observing) byName(ctx context.Context, name string) (found []look, err error) {
	_, err = o.clusters(ctx, name, func(page []cluster, at time.Time) error {
		for _, entry := range page {
			if entry.Name == name && live(entry) {
				found = append(found, look{id: entry.ID, entry: &entry, at: at})
			}
		}
		return nil
	})
	return found, err
}

func (o *observing) settleName(ctx context.Context, key provider.Key, found []look, listed time.Time) error {
	ids := make([]string, 0, len(found))
	for _, l := range found {
		ids = append(ids, l.id)
	}
	switch len(found) {
	case 0:
		o.emit(ctx, provider.Observation{Address: key.Address, Presence: provider.Absent, At: listed})
		return ctx.Err()
	case 1:
		l := found[0]
		l.key, l.ids = key, ids
		return o.look(ctx, l)
	}
	o.emit(ctx, provider.Observation{Address: key.Address, Presence: provider.Ambiguous, IDs: ids, At: found[0].at})
	return ctx.Err()
}

func live(c cluster) bool { return c.ID != "" && c.State != stateDeleted }

// kindOf is the best reading of a cluster nobody named: an edge cluster says
// so; that one is for sandboxed containers it does not, so every other cluster
// that can have workers counts as one. Serverless and Lingjun clusters are
// neither.
func kindOf(c cluster) string {
	switch c.Profile {
	case profileEdge:
		return kindEdge
	case "Default", "":
		return kindSandbox
	}
	return ""
}
