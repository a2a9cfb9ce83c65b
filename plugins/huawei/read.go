package huawei

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const (
	// pageSize is taken by both lists; their defaults are 10.
	pageSize = 100
	// passes is how often a list is read anew when it changed meanwhile.
	passes = 3
)

// page is one page of a list.
type page[T any] struct {
	items []T
	total number
	at    time.Time
}

// paged reads every page of a list and hands each to visit, with the number of
// the pass. Pages are cut by position, so an entry that appears or goes while
// they are read shifts the others: when the total changes or an entry comes
// twice the list is read again, and visit starts anew with the next pass.
func paged[T any](ctx context.Context, fetch func(context.Context, int) (page[T], error), id func(T) string,
	visit func(pass int, p page[T]) error) error {
	for pass := range passes {
		moved, err := onePass(ctx, pass, fetch, id, visit)
		if err != nil || !moved {
			return err
		}
	}
	return provider.Errorf(provider.KindUnavailable, "the list changed during each of %d readings", passes)
}

func onePass[T any](ctx context.Context, pass int, fetch func(context.Context, int) (page[T], error), id func(T) string,
	visit func(pass int, p page[T]) error) (moved bool, err error) {
	seen := map[string]bool{}
	var total number
	for n := 1; ; n++ {
		p, err := fetch(ctx, n)
		if err != nil {
			return false, fmt.Errorf("page %d: %w", n, err)
		}
		if n == 1 {
			total = p.total
		}
		moved = moved || p.total.known && total.known && p.total != total
		for _, item := range p.items {
			moved = moved || seen[id(item)]
			seen[id(item)] = true
		}
		if moved {
			return true, nil
		}
		if err := visit(pass, p); err != nil {
			return false, err
		}
		// A service that cuts pages shorter than asked must not end the list.
		if len(p.items) == 0 || total.known && len(seen) >= total.value || !total.known && len(p.items) < pageSize {
			return false, nil
		}
	}
}

func pageQuery(n int) url.Values {
	return url.Values{"pageSize": {strconv.Itoa(pageSize)}, "currentPage": {strconv.Itoa(n)}}
}

// list reads the project's live clusters, or those that the service finds for
// a name.
func (c *client) list(ctx context.Context, name string, visit func(pass int, p page[cluster]) error) error {
	fetch := func(ctx context.Context, n int) (page[cluster], error) {
		query := pageQuery(n)
		query.Set("clusterState", "existing") // without it deleted clusters come too
		if name != "" {
			query.Set("clusterName", name)
		}
		var body struct {
			Total    number     `json:"clusterTotal"`
			Clusters *[]cluster `json:"clusters"`
		}
		at, err := c.get(ctx, "cluster_infos", query, func(b []byte) error {
			body.Total, body.Clusters = number{}, nil
			if err := json.Unmarshal(b, &body); err != nil {
				return err
			}
			if body.Clusters == nil && (body.Total.value != 0 || !body.Total.known) {
				return errors.New("it holds no clusters")
			}
			return nil
		})
		if err != nil {
			return page[cluster]{}, err
		}
		p := page[cluster]{total: body.Total, at: at}
		if body.Clusters != nil {
			p.items = *body.Clusters
		}
		return p, nil
	}
	err := paged(ctx, fetch, func(cl cluster) string { return cl.ID }, visit)
	if err != nil {
		return fmt.Errorf("list clusters: %w", err)
	}
	return nil
}

// detail reads one cluster.
func (c *client) detail(ctx context.Context, id string) (cluster, time.Time, error) {
	var body struct {
		Cluster *cluster `json:"cluster"`
	}
	at, err := c.get(ctx, "cluster_infos/"+id, nil, func(b []byte) error {
		body.Cluster = nil
		switch err := json.Unmarshal(b, &body); {
		case err != nil:
			return err
		case body.Cluster == nil || body.Cluster.ID != id:
			return errors.New("it does not describe the cluster asked for")
		}
		return nil
	})
	if err != nil {
		return cluster{}, time.Time{}, fmt.Errorf("read cluster %s: %w", id, err)
	}
	return *body.Cluster, at, nil
}

// hosts reads every host of a cluster.
func (c *client) hosts(ctx context.Context, id string) ([]host, time.Time, error) {
	fetch := func(ctx context.Context, n int) (page[host], error) {
		var body struct {
			Total number  `json:"total"`
			Hosts *[]host `json:"hosts"`
		}
		at, err := c.get(ctx, "clusters/"+id+"/hosts", pageQuery(n), func(b []byte) error {
			body.Total, body.Hosts = number{}, nil
			if err := json.Unmarshal(b, &body); err != nil {
				return err
			}
			if body.Hosts == nil && (body.Total.value != 0 || !body.Total.known) {
				return errors.New("it holds no hosts")
			}
			return nil
		})
		if err != nil {
			return page[host]{}, err
		}
		p := page[host]{total: body.Total, at: at}
		if body.Hosts != nil {
			p.items = *body.Hosts
		}
		return p, nil
	}
	var all []host
	var first time.Time
	last := -1
	err := paged(ctx, fetch, func(h host) string { return firstOf(h.ID, h.Name) }, func(pass int, p page[host]) error {
		if pass != last {
			last, all, first = pass, nil, p.at
		}
		all = append(all, p.items...)
		return nil
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("list hosts of cluster %s: %w", id, err)
	}
	return all, first, nil
}
