package huawei

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// fewKeys is up to how many clusters, all asked for by id, are read one by
// one; more are read from the list.
const fewKeys = 4

var clusterIDPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// target is one cluster to answer for: found is set when the list has told of
// it, else it is read by id.
type target struct {
	addresses []string
	id        string
	found     *cluster
	at        time.Time
	ids       []string // asked by name: every cluster of the name
}

// Observe implements provider.Provider.
func (p *Provider) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	c, err := p.configured()
	if err != nil {
		return err
	}
	o := &observer{client: c, level: req.Level, yield: yield}
	if len(req.Keys) == 0 {
		return o.account(ctx)
	}
	return o.keys(ctx, req.Keys)
}

type observer struct {
	client *client
	level  provider.Level
	yield  func(provider.Observation) error
}

// account yields every cluster of the project as the pages come.
func (o *observer) account(ctx context.Context) error {
	answered := map[string]bool{}
	return o.client.list(ctx, "", func(_ int, p page[cluster]) error {
		var targets []target
		for _, cl := range p.items {
			if cl.gone() || answered[cl.ID] {
				continue
			}
			answered[cl.ID] = true
			targets = append(targets, target{addresses: []string{""}, id: cl.ID, found: &cl, at: p.at})
		}
		return o.answer(ctx, targets)
	})
}

// keys yields one answer per key.
func (o *observer) keys(ctx context.Context, keys []provider.Key) error {
	byID, byName := map[string][]string{}, map[string][]string{}
	for _, key := range keys {
		switch fault := faultOf(key); {
		case fault != nil:
			if err := o.yield(provider.Observation{Address: key.Address, Error: fault, At: o.client.opts.Now()}); err != nil {
				return err
			}
		case key.ID != "":
			byID[key.ID] = append(byID[key.ID], key.Address)
		default:
			byName[key.Name] = append(byName[key.Name], key.Address)
		}
	}
	if len(byName) > 0 || len(byID) > fewKeys {
		if err := o.listed(ctx, byID, byName); err != nil {
			return err
		}
	}
	// Few ids, and those that the list does not show: it leaves out clusters
	// of other enterprise projects, and absence is only the detail's to say.
	var rest []target
	for id, addresses := range byID {
		rest = append(rest, target{addresses: addresses, id: id})
	}
	slices.SortFunc(rest, func(a, b target) int { return strings.Compare(a.id, b.id) })
	return o.answer(ctx, rest)
}

// listed answers from the list what it can and removes it from byID.
func (o *observer) listed(ctx context.Context, byID, byName map[string][]string) error {
	filter := ""
	if len(byID) <= fewKeys && len(byName) == 1 {
		for name := range byName {
			filter = name
		}
	}
	var (
		named map[string][]cluster
		last  = -1
		at    time.Time
	)
	err := o.client.list(ctx, filter, func(pass int, p page[cluster]) error {
		if pass != last {
			last, at, named = pass, p.at, map[string][]cluster{}
		}
		var targets []target
		for _, cl := range p.items {
			if cl.gone() {
				continue
			}
			// The service's own filter may match parts of names.
			if _, asked := byName[cl.Name]; asked {
				named[cl.Name] = append(named[cl.Name], cl)
			}
			if addresses, asked := byID[cl.ID]; asked {
				delete(byID, cl.ID)
				targets = append(targets, target{addresses: addresses, id: cl.ID, found: &cl, at: p.at})
			}
		}
		return o.answer(ctx, targets)
	})
	if err != nil {
		return err
	}
	// Names only now: a later page may hold the same name again.
	var targets []target
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		found := named[name]
		ids := make([]string, 0, len(found))
		for _, cl := range found {
			ids = append(ids, cl.ID)
		}
		slices.Sort(ids)
		if len(found) == 1 {
			targets = append(targets, target{addresses: byName[name], id: ids[0], found: &found[0], at: at, ids: ids})
			continue
		}
		presence := provider.Absent
		if len(found) > 1 {
			presence = provider.Ambiguous
		}
		for _, address := range byName[name] {
			if err := o.yield(provider.Observation{Address: address, Presence: presence, IDs: ids, At: at}); err != nil {
				return err
			}
		}
	}
	return o.answer(ctx, targets)
}

// answer reads what the level still lacks, several clusters at a time, and
// yields from this goroutine alone.
func (o *observer) answer(ctx context.Context, targets []target) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	next, results := make(chan target), make(chan provider.Observation)
	for range min(concurrency, len(targets)) {
		wg.Go(func() {
			for t := range next {
				obs := o.read(ctx, t)
				for _, address := range t.addresses {
					obs.Address = address
					select {
					case results <- obs:
					case <-ctx.Done():
						return
					}
				}
			}
		})
	}
	wg.Go(func() {
		defer close(next)
		for _, t := range targets {
			select {
			case next <- t:
			case <-ctx.Done():
				return
			}
		}
	})
	go func() {
		wg.Wait()
		close(results)
	}()
	var failed error
	for obs := range results {
		if failed != nil {
			continue
		}
		// A cancelled read says nothing of its cluster: leave it unread.
		if failed = ctx.Err(); failed == nil {
			failed = o.yield(obs)
		}
		if failed != nil {
			cancel()
		}
	}
	if failed == nil {
		failed = ctx.Err()
	}
	return failed
}

// read makes one cluster's observation.
func (o *observer) read(ctx context.Context, t target) provider.Observation {
	unread := func(err error) provider.Observation {
		return provider.Observation{Error: provider.AsError(err), IDs: t.ids, At: o.client.opts.Now()}
	}
	cl, at := t.found, t.at
	if cl == nil || !cl.complete() {
		d, when, err := o.client.detail(ctx, t.id)
		var e *provider.Error
		switch {
		case errors.As(err, &e) && e.Kind == provider.KindNotFound:
			return provider.Observation{Presence: provider.Absent, At: o.client.opts.Now()}
		case err != nil:
			return unread(err)
		case d.gone():
			return provider.Observation{Presence: provider.Absent, At: when}
		case !d.complete():
			return unread(provider.Errorf(provider.KindUnavailable, "cluster %s is %s and the answer holds no numbers of nodes", t.id, d.State))
		}
		cl, at = &d, when
	}
	var hosts []host
	if o.level == provider.LevelNodes {
		var when time.Time
		var err error
		if hosts, when, err = o.client.hosts(ctx, t.id); err != nil {
			return unread(err)
		}
		if when.Before(at) {
			at = when
		}
	}
	return provider.Observation{Presence: provider.Present, Cluster: cl.state(hosts), IDs: t.ids, At: at}
}

// faultOf finds keys that no read can answer.
func faultOf(key provider.Key) *provider.Error {
	switch {
	case key.Kind != "" && key.Kind != kindMRS:
		return provider.Errorf(provider.KindUnsupported, "huawei has no kind %q", key.Kind)
	case key.ID == "" && key.Name == "":
		return provider.Errorf(provider.KindInvalid, "neither an id nor a name is given")
	case key.ID != "" && !clusterIDPattern.MatchString(key.ID):
		return provider.Errorf(provider.KindInvalid, "id must be 1 to 64 letters, digits, _ or -, not %q", key.ID)
	}
	return nil
}
