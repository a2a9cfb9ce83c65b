package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// observe reads clusters through their entries' providers, all entries side by
// side. Every address of clusters has an answer: what no provider answered is
// unread with an error, never absent. each, when not nil, hears of every
// answer as it comes, from one goroutine at a time.
func observe(ctx context.Context, entries map[string]*Entry, keys map[string][]provider.Key, level provider.Level, each func(provider.Observation)) map[string]provider.Observation {
	var mu sync.Mutex
	answers := map[string]provider.Observation{}
	var wait sync.WaitGroup
	for name, list := range keys {
		wait.Add(1)
		go func() {
			defer wait.Done()
			entry := entries[name]
			open := make(map[string]provider.Key, len(list))
			for _, k := range list {
				open[k.Address] = k
			}
			// The plugin may call from anywhere, also when it was told to stop.
			take := func(o provider.Observation) error {
				mu.Lock()
				defer mu.Unlock()
				k, ok := open[o.Address]
				if !ok {
					return &ContractError{Plugin: entry.Description.Name, Call: "Observe", Address: o.Address, Detail: "it was not asked for, or answered twice"}
				}
				delete(open, o.Address)
				o = sound(entry.Description.Name, k, level, o)
				answers[o.Address] = o
				if each != nil {
					each(o)
				}
				return nil
			}
			err := entry.Provider.Observe(ctx, provider.ObserveRequest{Level: level, Keys: list}, take)
			reason := provider.Errorf(provider.KindInternal, "plugin %s did not answer for it", entry.Description.Name)
			if err != nil {
				reason = provider.AsError(err)
			}
			for _, k := range list {
				// Refused when it was answered, as it should be.
				_ = take(provider.Observation{Address: k.Address, Error: reason})
			}
		}()
	}
	wait.Wait()
	return answers
}

// key asks for a cluster; a live id, once known, beats the name.
func (c *Cluster) key(id string) provider.Key {
	if id == "" {
		id = c.ID
	}
	return provider.Key{Address: c.Address, Kind: c.Kind, ID: id, Name: c.Name}
}

// observeOne reads one cluster with its nodes.
func observeOne(ctx context.Context, entry *Entry, k provider.Key) provider.Observation {
	keys := map[string][]provider.Key{entry.Name: {k}}
	return observe(ctx, map[string]*Entry{entry.Name: entry}, keys, provider.LevelNodes, nil)[k.Address]
}

// ambiguous words the refusal to pick one of several clusters of a name.
func ambiguous(name string, ids []string) string {
	return fmt.Sprintf("%d live clusters bear the name %q: %s; name one by id", len(ids), name, strings.Join(ids, ", "))
}
