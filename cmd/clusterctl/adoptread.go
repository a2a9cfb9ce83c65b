package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/schema"
)

// accounts is what was read: the live clusters, by entry and name, and what
// could not be.
type accounts struct {
	live   []schema.Live
	unread []error
}

// readAccounts lists every cluster of some entries, all side by side.
func (sh *shell) readAccounts(ctx context.Context, c *cli.Context, spec *schema.Adoption, names []string) (*accounts, error) {
	var wanted []pinned
	for _, name := range names {
		e := spec.Entries[name]
		wanted = append(wanted, pinned{name: name, plugin: e.Plugin, schemaDigest: e.SchemaDigest, settings: e.Settings,
			endpoint: e.Endpoint, timing: e.Timing, credentials: e.Credentials})
	}
	s, err := sh.start(ctx, c, wanted)
	if err != nil {
		return nil, err
	}
	defer s.close()
	progress := &reading{w: sh.stderr, live: terminal(sh.stderr), begun: time.Now(),
		head: fmt.Sprintf("Reading the clusters of %s … ", plural(len(names), "account", "accounts"))}
	fmt.Fprint(progress.w, progress.head)
	found := listAccounts(ctx, s.entries, names, progress.step)
	progress.end()
	if ctx.Err() != nil {
		return nil, quietly(exitInterrupted)
	}
	return found, nil
}

// listAccounts asks every entry's plugin for all its clusters. each hears of
// every answer, one at a time.
func listAccounts(ctx context.Context, entries map[string]*engine.Entry, names []string, each func(provider.Observation)) *accounts {
	var mu sync.Mutex
	found := &accounts{}
	at := map[[3]string]int{} // plugin, endpoint and id to a place in live
	wrong := func(entry string, err error) {
		found.unread = append(found.unread, ofEntry(entry, err))
	}
	take := func(entry *engine.Entry, o provider.Observation) {
		each(o)
		if err := unsoundLive(entry.Description.Name, o); err != nil {
			wrong(entry.Name, err)
			return
		}
		key := [3]string{entry.Description.Name, entry.Endpoint, o.Cluster.ID}
		if n, again := at[key]; again { // another entry of the same account
			if live := &found.live[n]; !slices.Contains(live.Entries, entry.Name) {
				live.Entries = append(live.Entries, entry.Name)
			}
			return
		}
		at[key] = len(found.live)
		found.live = append(found.live, schema.Live{Entries: []string{entry.Name}, State: o.Cluster})
	}
	var wait sync.WaitGroup
	for _, name := range names {
		wait.Go(func() {
			err := list(ctx, entries[name], func(o provider.Observation) error {
				mu.Lock()
				defer mu.Unlock()
				take(entries[name], o)
				return nil
			})
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				wrong(name, err)
			}
		})
	}
	wait.Wait()
	for _, live := range found.live {
		slices.Sort(live.Entries)
	}
	slices.SortFunc(found.live, func(a, b schema.Live) int {
		return cmp.Or(strings.Compare(a.Entries[0], b.Entries[0]), strings.Compare(a.State.Name, b.State.Name), strings.Compare(a.State.ID, b.State.ID))
	})
	slices.SortFunc(found.unread, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return found
}

// list reads one account, if its plugin can.
func list(ctx context.Context, entry *engine.Entry, yield func(provider.Observation) error) error {
	if !slices.Contains(entry.Description.Capabilities, provider.CapList) {
		return fmt.Errorf("plugin %s cannot list the clusters of an account; write them by hand, by id", entry.Description.Name)
	}
	if err := entry.Provider.Observe(ctx, provider.ObserveRequest{Level: provider.LevelSummary}, yield); err != nil {
		return fmt.Errorf("list the clusters: %w", err)
	}
	return nil
}

// unsoundLive says what is wrong with a plugin's account of a cluster: nothing
// that it says wrongly may become part of a spec.
func unsoundLive(plugin string, o provider.Observation) error {
	switch {
	case o.Presence == provider.Unread && o.Error != nil:
		return fmt.Errorf("a cluster was not read: %w", o.Error)
	case o.Presence != provider.Present || o.Cluster == nil || o.Cluster.ID == "":
		return fmt.Errorf("plugin %s listed a cluster and did not say which", plugin)
	}
	roles := map[string]bool{}
	for _, g := range o.Cluster.Groups {
		if g.Role == "" || roles[g.Role] || g.Count < 0 {
			return fmt.Errorf("plugin %s gave group %q of cluster %s twice, without a name or without a count", plugin, g.Role, o.Cluster.ID)
		}
		roles[g.Role] = true
	}
	return nil
}
