package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Memory is what a store knows of earlier runs. It is asked after live state was
// read: what is settled meanwhile is in history then.
type Memory struct {
	Intents []journal.Intent // that are not settled
	Corrupt []*journal.CorruptError
	// History yields every record, oldest first, and at its end what journal's
	// Store.History returns, if that is an error. nil: there is no store.
	History iter.Seq2[journal.Record, error]
	// Began is when live state began to be read. It may not show what was
	// settled after that.
	Began time.Time
}

// DriftReader reads what is compared: live state, as a plan does.
type DriftReader struct {
	Entries map[string]*Entry
	// Read hears of every cluster as it is read.
	Read func(provider.Observation)
}

// Observe reads summaries of all clusters and those that differ again with
// their nodes. Every address has an answer.
func (r *DriftReader) Observe(ctx context.Context, clusters []*Cluster) (map[string]provider.Observation, error) {
	keys := map[string][]provider.Key{}
	for _, c := range clusters {
		if r.Entries[c.Entry] == nil {
			return nil, fmt.Errorf("%s: no plugin runs for its providers entry %q", c.Address, c.Entry)
		}
		keys[c.Entry] = append(keys[c.Entry], c.key(""))
	}
	seen := observe(ctx, r.Entries, keys, provider.LevelSummary, r.Read)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	keys = map[string][]provider.Key{}
	for _, c := range clusters {
		o := seen[c.Address]
		if o.Presence != provider.Present {
			continue
		}
		// What makes no sense is told by DriftOf.
		if _, _, diff, err := diffAgainst(c, o.Cluster); err == nil && !diff.Empty() {
			keys[c.Entry] = append(keys[c.Entry], c.key(o.Cluster.ID))
		}
	}
	again := observe(ctx, r.Entries, keys, provider.LevelNodes, nil)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for address, o := range again {
		if o.Presence == provider.Absent {
			o = provider.Observation{Address: address, Error: provider.Errorf(provider.KindConflict, "it was live a moment ago and is gone now; look again")}
		}
		seen[address] = o
	}
	return seen, nil
}

// DriftOf says how clusters differ from what was seen of them, and why. It reads
// history once, and not at all when nothing differs. The clusters must be sorted
// by address.
func DriftOf(entries map[string]*Entry, clusters []*Cluster, seen map[string]provider.Observation, memory Memory) *Drift {
	d := &Drift{FormatVersion: DriftVersion}
	unsettled := (&Planner{Intents: memory.Intents, Corrupt: memory.Corrupt}).unsettled()
	past := &recollection{of: map[string]*tale{}, named: map[journal.Identity][]*tale{}, gone: map[journal.Identity][]*tale{}, began: memory.Began}
	open := map[string]string{} // what the request is about, by cluster
	for _, c := range clusters {
		o := seen[c.Address]
		if found := unsettled(entries[c.Entry], c, o); found != nil {
			open[c.Address] = found.Address
			d.OpenIntents = append(d.OpenIntents, *found)
		}
		one, owned, err := differs(entries[c.Entry], c, o)
		switch {
		case err != nil:
			d.Unread = append(d.Unread, Unread{Address: c.Address, Provider: c.Entry, Kind: err.Kind, Reason: err.Error(), Source: c.Source("")})
			continue
		case o.Presence == provider.Ambiguous:
			d.Ambiguous = append(d.Ambiguous, Ambiguous{Address: c.Address, Provider: c.Entry, Kind: c.Kind, IDs: orEmpty(o.IDs), Source: c.Source("")})
			continue
		}
		d.Owned = append(d.Owned, owned...)
		if one != nil {
			d.Clusters = append(d.Clusters, *one)
			past.follow(entries[c.Entry], c, o)
		}
	}
	d.HistoryKnown = d.recall(past, memory.History)
	for i := range d.Clusters {
		one := &d.Clusters[i]
		told := past.of[one.Address]
		if !d.HistoryKnown {
			told = &tale{}
		}
		told.judge(one, open[one.Address])
		told.runs(one)
		if o := seen[one.Address]; o.Cluster != nil {
			one.Nodes = told.nodes(one.Address, o.Cluster)
		}
	}
	d.count(len(clusters))
	d.Clusters, d.Owned, d.Ambiguous = orEmpty(d.Clusters), orEmpty(d.Owned), orEmpty(d.Ambiguous)
	d.Unread, d.OpenIntents, d.Notes = orEmpty(d.Unread), orEmpty(d.OpenIntents), orEmpty(d.Notes)
	return d
}

// recall reads history, as far as anything differs. It is false when what was
// read is not to be trusted, or there is none.
func (d *Drift) recall(past *recollection, history iter.Seq2[journal.Record, error]) bool {
	if len(d.Clusters) == 0 {
		return true
	}
	if history == nil {
		d.Notes = append(d.Notes, "there is no store, so that nothing is known of earlier applies; if there is one elsewhere, name it with --store")
		return false
	}
	for r, err := range history {
		var torn *journal.TornError
		switch {
		case errors.As(err, &torn):
			// What it was about is still open, and is told as such.
			d.Notes = append(d.Notes, torn.Error())
		case err != nil:
			d.Notes = append(d.Notes, "history cannot be trusted, so that no cause is known: "+err.Error())
			return false
		default:
			past.add(&r)
		}
	}
	return true
}

// differs says how one cluster differs, without the causes; nil: it does not, or
// nobody can tell.
func differs(entry *Entry, c *Cluster, o provider.Observation) (*Drifted, []Owned, *provider.Error) {
	one := &Drifted{Address: c.Address, Provider: c.Entry, Kind: c.Kind, Fields: []DriftField{}, Nodes: []DriftNodes{}, Runs: []DriftRun{}, Source: c.Source("")}
	switch o.Presence {
	case provider.Unread:
		if o.Error == nil {
			return nil, nil, provider.Errorf(provider.KindInternal, "it was not read")
		}
		return nil, nil, o.Error
	case provider.Ambiguous:
		return nil, nil, nil
	case provider.Absent:
		one.Absent, one.ClusterID = true, c.ID
		one.Reason = fmt.Sprintf("there is no cluster named %q", c.Name)
		if c.ID != "" {
			one.Reason = "there is no cluster with id " + c.ID
		}
		return one, nil, nil
	}
	_, owned, diff, err := diffAgainst(c, o.Cluster)
	if err != nil {
		return nil, nil, provider.Errorf(provider.KindInternal, "plugin %s: %w", entry.Description.Name, err)
	}
	if diff.Empty() {
		return nil, owned, nil
	}
	one.ClusterID = o.Cluster.ID
	for _, change := range diff.Changes {
		one.add(c, change.Group, change.Fields, false)
	}
	for _, b := range diff.Blocked {
		one.add(c, b.Group, b.Fields, true)
	}
	slices.SortFunc(one.Fields, func(a, b DriftField) int {
		return strings.Compare(a.Address+"\x00"+a.Path, b.Address+"\x00"+b.Path)
	})
	return one, owned, nil
}

func (d *Drifted) add(c *Cluster, group string, fields []provider.FieldChange, immutable bool) {
	for _, f := range fields {
		one := DriftField{Address: Address(c.Address, group), Path: f.Path, Spec: f.After, Live: f.Before, Immutable: immutable, Source: c.Source(groupPath(group, f.Path))}
		if group != "" && f.Path == "count" {
			one.Range = c.Rules.Groups[group].Count
		}
		d.Fields = append(d.Fields, one)
	}
}

// groupOf is the group that an address names.
func groupOf(cluster, address string) string {
	return strings.TrimPrefix(strings.TrimPrefix(address, cluster), "/")
}

// rolesOf lists the groups of a live cluster and those of which something is
// remembered.
func rolesOf(s *provider.State, known map[string]*groupTale) []string {
	roles := map[string]bool{}
	for _, g := range s.Groups {
		roles[g.Role] = true
	}
	for role := range known {
		roles[role] = true
	}
	return slices.Sorted(maps.Keys(roles))
}
