package qingcloud

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// listAttempts is how often a list is read again from its start because it
// changed between two pages.
const listAttempts = 3

// list reads every page of a list of the API; set is the key of its items and
// id tells them apart. An item that slips between two pages would read as
// absent, and an absent cluster is created: so pages must agree on the total,
// hold every item once, and add up. The time is that of the first page.
func list[T any](ctx context.Context, c *client, path, set string, params map[string]string, id func(T) string) ([]T, time.Time, error) {
	for range listAttempts {
		items, at, consistent, err := listOnce(ctx, c, path, set, params, id)
		if err != nil || consistent {
			return items, at, err
		}
	}
	return nil, time.Time{}, provider.Errorf(provider.KindUnavailable, "GET %s: the list kept changing while its pages were read", path)
}

func listOnce[T any](ctx context.Context, c *client, path, set string, params map[string]string, id func(T) string) (items []T, at time.Time, consistent bool, err error) {
	seen := map[string]bool{}
	total, offset := -1, 0
	for {
		var page []T
		var count number
		pageParams := maps.Clone(params)
		pageParams["limit"] = strconv.Itoa(pageSize)
		pageParams["offset"] = strconv.Itoa(offset)
		date, err := c.read(ctx, path, pageParams, func(body []byte) error {
			page, count = nil, number{}
			return decodePage(body, set, &page, &count)
		})
		if err != nil {
			return nil, at, false, err
		}
		if offset == 0 {
			at, total = date, int(count.n)
		}
		for _, item := range page {
			if seen[id(item)] {
				return nil, at, false, nil
			}
			seen[id(item)] = true
		}
		items = append(items, page...)
		offset += len(page)
		switch {
		case int(count.n) != total || offset > total || len(page) == 0 && offset < total:
			return nil, at, false, nil
		case offset == total:
			return items, at, true, nil
		}
	}
}

// decodePage reads one page. Both keys must be there: an answer without its
// list is not an empty list.
func decodePage[T any](body []byte, set string, page *[]T, count *number) error {
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	for key, to := range map[string]any{set: page, "total_count": count} {
		raw, ok := answer[key]
		if !ok {
			return fmt.Errorf("it holds no %s", key)
		}
		if err := json.Unmarshal(raw, to); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if !count.set {
		return fmt.Errorf("its total_count is empty")
	}
	return nil
}

// listClusters reads the owner's clusters of the zone, of both types and
// without those that are gone.
func (a *account) listClusters(ctx context.Context, id string) ([]clusterItem, time.Time, error) {
	params := map[string]string{"zone": a.Zone, "owner": a.Owner, "cluster_id": id}
	items, at, err := list(ctx, a.client, "/api/cluster/list", "cluster_set", params,
		func(c clusterItem) string { return c.ID })
	var live []clusterItem
	for _, item := range items {
		if !gone(item.Status) && (id == "" || item.ID == id) {
			live = append(live, item)
		}
	}
	return live, at, err
}

func (a *account) listNodes(ctx context.Context, cluster string) ([]nodeItem, time.Time, error) {
	params := map[string]string{"zone": a.Zone, "cluster_id": cluster}
	items, at, err := list(ctx, a.client, "/api/cluster/listNodes", "hpc_app_nodes_set", params,
		func(n nodeItem) string { return n.ID })
	var live []nodeItem
	for _, item := range items {
		if !gone(item.Status) {
			live = append(live, item)
		}
	}
	return live, at, err
}

// listJobs reads the operation log, as far as params say.
func (a *account) listJobs(ctx context.Context, params map[string]string) ([]jobItem, time.Time, error) {
	params["zone"] = a.Zone
	return list(ctx, a.client, "/api/operation", "job_set", params, func(j jobItem) string { return j.ID })
}
