package qingcloud

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Observe implements provider.Provider. One list, shared by all keys, says
// which clusters there are; each cluster asked for then costs one list of its
// nodes, because EHPC counts nodes nowhere else, and at LevelNodes one of its
// jobs. Clusters are yielded as they are read.
func (p *plugin) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	a, err := p.configured()
	if err != nil {
		return err
	}
	var id string
	if len(req.Keys) == 1 {
		id = req.Keys[0].ID // the list filters exactly by id; by name only loosely
	}
	clusters, at, err := a.listClusters(ctx, id)
	if err != nil {
		return err
	}
	var present []found
	if len(req.Keys) == 0 {
		for _, item := range clusters {
			present = append(present, found{item: item})
		}
	}
	creating := sync.OnceValues(func() (string, error) { return a.unlistedCreate(ctx, clusters) })
	for _, key := range req.Keys {
		o := match(key, clusters, at)
		if o.Presence == provider.Present {
			present = append(present, found{key: key, item: *item(clusters, o.Cluster.ID), ids: o.IDs})
			continue
		}
		if o.Presence == provider.Absent && key.ID == "" {
			switch req.Level {
			case provider.LevelNodes:
				notYet(&o, creating)
			case provider.LevelSummary:
				a.oneHPC(&o, key, clusters)
			}
		}
		if err := yield(o); err != nil {
			return err
		}
	}
	return a.readAll(ctx, present, req.Level, at, yield)
}

// found is a cluster to read for a key.
type found struct {
	key  provider.Key
	item clusterItem
	ids  []string
}

// match finds a key's cluster in the list: by id, else by exact name among
// those of its kind.
func match(key provider.Key, clusters []clusterItem, at time.Time) provider.Observation {
	o := provider.Observation{Address: key.Address, Presence: provider.Absent, At: at}
	var other *clusterItem
	for i, c := range clusters {
		if key.ID != "" && c.ID != key.ID || key.ID == "" && c.Name != key.Name {
			continue
		}
		if kindOf(c) != key.Kind {
			other = &clusters[i]
			continue
		}
		o.Presence, o.Cluster = provider.Present, &provider.State{ID: c.ID}
		if key.ID == "" {
			o.IDs = append(o.IDs, c.ID)
		}
	}
	switch {
	case len(o.IDs) > 1:
		o.Presence, o.Cluster = provider.Ambiguous, nil
	case o.Presence == provider.Absent && other != nil:
		// Creating a second one beside it is hardly what is meant.
		o.Presence = provider.Unread
		o.Error = provider.Errorf(provider.KindConflict, "cluster %s, named %q, is of kind %s and not %s",
			other.ID, other.Name, kindOf(*other), key.Kind)
	}
	return o
}

func item(clusters []clusterItem, id string) *clusterItem {
	for i := range clusters {
		if clusters[i].ID == id {
			return &clusters[i]
		}
	}
	return nil
}

// oneHPC turns an absent hpc cluster into an unread one while its owner has
// another: "a user may have one hpc cluster only" (EHPC quick start, creating a
// cluster), so its create would be refused, and Plan does not see clusters
// outside the spec. Only summaries, from which creates are planned, say this: a
// reading with nodes decides what became of a request, and needs the truth.
func (a *account) oneHPC(o *provider.Observation, key provider.Key, clusters []clusterItem) {
	if key.Kind != kindHPC {
		return
	}
	for _, c := range clusters {
		if kindOf(c) == kindHPC {
			o.Presence = provider.Unread
			o.Error = provider.Errorf(provider.KindConflict, "it is not there and cannot be created: owner %s has an hpc cluster already (%s, %s); QingCloud allows one per user",
				a.Owner, c.Name, c.ID)
			return
		}
	}
}

// notYet turns absent into unread while a create runs whose cluster the list
// does not show: it may be this one.
func notYet(o *provider.Observation, creating func() (string, error)) {
	job, err := creating()
	switch {
	case err != nil:
		o.Error = provider.AsError(err)
	case job != "":
		o.Error = provider.Errorf(provider.KindConflict, "job %s runs for a cluster that the list does not show yet", job)
	default:
		return
	}
	o.Presence = provider.Unread
}

// unlistedCreate looks in the operation log for a running job that may be
// creating a cluster which the list does not show. Jobs known to do something
// else do not count.
func (a *account) unlistedCreate(ctx context.Context, clusters []clusterItem) (string, error) {
	jobs, _, err := a.listJobs(ctx, map[string]string{"owner": a.Owner, "status": "pending"})
	if err != nil {
		return "", err
	}
	for _, j := range jobs {
		listed := len(j.Resources) > 0 && item(clusters, j.Resources[0]) != nil
		if jobState(j.Status) == provider.OperationRunning && !listed && mayCreate(j) {
			return j.ID, nil
		}
	}
	return "", nil
}

// mayCreate says whether a job may be creating a cluster. The action's name is
// not published, so a job of a cluster counts unless its name speaks against it.
func mayCreate(j jobItem) bool {
	if op := jobOp(j.Action); op != provider.OpUnknown {
		return op == provider.OpCreate
	}
	action := strings.ToLower(j.Action)
	for _, word := range []string{"delete", "remove", "cease"} {
		if strings.Contains(action, word) {
			return false
		}
	}
	prefix, _, _ := strings.Cut(first(j.Resources), "-")
	return prefix == kindHPC || prefix == kindEHPC
}

// readAll reads clusters side by side and yields each when it is read.
func (a *account) readAll(ctx context.Context, clusters []found, level provider.Level, listed time.Time, yield func(provider.Observation) error) error {
	ctx, cancel := context.WithCancel(ctx)
	work := make(chan found)
	results := make(chan provider.Observation)
	var workers sync.WaitGroup
	for range min(concurrency, len(clusters)) {
		workers.Go(func() {
			for f := range work {
				select {
				case results <- a.observe(ctx, f, level, listed):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	// Nothing outlives the call.
	defer workers.Wait()
	defer cancel()
	go func() {
		defer close(work)
		for _, f := range clusters {
			select {
			case work <- f:
			case <-ctx.Done():
				return
			}
		}
	}()
	for range clusters {
		select {
		case o := <-results:
			if err := yield(o); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (a *account) observe(ctx context.Context, f found, level provider.Level, listed time.Time) provider.Observation {
	o := provider.Observation{Address: f.key.Address, IDs: f.ids, At: listed}
	s, at, err := a.state(ctx, f.item, level)
	if err != nil {
		o.Error = provider.AsError(err)
		return o
	}
	o.Presence, o.Cluster, o.At = provider.Present, s, earlier(listed, at)
	return o
}
