package aliyun

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const (
	// pageSize is the largest page of DescribeClusterNodes (pageSize, 1 to
	// 100); the other lists take it too.
	pageSize = 100
	// maxPages stops a list that never ends.
	maxPages = 10_000
	// listAttempts is how often a list is read that changes meanwhile.
	listAttempts = 3
)

// pathID is what may stand in a path: cluster and task ids as documented.
var pathID = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// cluster is an entry of DescribeClustersV1 and the answer of
// DescribeClusterDetail. Its size is not read: it may count masters, and no
// document says when it starts to count new nodes.
type cluster struct {
	ID      string `json:"cluster_id"`
	Name    string `json:"name"`
	State   string `json:"state"`
	Profile string `json:"profile"`
	Region  string `json:"region_id"`
}

type clusterNode struct {
	ID      string `json:"instance_id"`
	Name    string `json:"node_name"`
	Role    string `json:"instance_role"`
	State   string `json:"state"`
	Status  string `json:"node_status"`
	Created string `json:"creation_time"`
	Message string `json:"error_message"`
}

// task is an entry of DescribeClusterTasks and the answer of DescribeTaskInfo.
// Result and Error are read leniently: copies of the documents differ in their
// shape.
type task struct {
	ID      string          `json:"task_id"`
	Type    string          `json:"task_type"`
	State   string          `json:"state"`
	Created string          `json:"created"`
	Stage   string          `json:"current_stage"`
	Result  json.RawMessage `json:"task_result"`
	Error   json.RawMessage `json:"error"`
}

// clusters calls page for every page of the region's clusters; with a name for
// those that the cloud's own filter leaves.
func (s *session) clusters(ctx context.Context, name string, page func([]cluster, time.Time) error) (pages int, err error) {
	query := url.Values{"region_id": {s.region}}
	if name != "" {
		query.Set("name", name)
	}
	return s.pages(ctx, call{action: "DescribeClustersV1", path: "/api/v1/clusters"}, query, "page_number", "page_size",
		func(body []byte, at time.Time) (int, int, error) {
			entries, total, err := entriesOf[cluster](body, "clusters", "page_info")
			if err != nil {
				return 0, 0, err
			}
			return len(entries), total, page(entries, at)
		})
}

// detail reads one cluster.
func (s *session) detail(ctx context.Context, id string) (cluster, time.Time, error) {
	var c cluster
	at, err := s.client.read(ctx, call{action: "DescribeClusterDetail", method: http.MethodGet, path: "/clusters/" + id}, &c)
	if err == nil && c.ID == "" {
		err = provider.Errorf(provider.KindUnavailable, "DescribeClusterDetail %s: an answer without cluster_id", id)
	}
	return c, at, err
}

// nodes reads every node of a cluster, of any pool, role and state. A list
// that changed between its pages may lack a node, which would then be made a
// second time, so it is read again.
func (s *session) nodes(ctx context.Context, id string) ([]clusterNode, time.Time, error) {
	for range listAttempts {
		nodes, at, stable, err := s.nodesOnce(ctx, id)
		if err != nil || stable {
			return nodes, at, err
		}
	}
	return nil, time.Time{}, provider.Errorf(provider.KindUnavailable,
		"DescribeClusterNodes of %s: the list changed each time it was read", id)
}

func (s *session) nodesOnce(ctx context.Context, id string) (all []clusterNode, first time.Time, stable bool, err error) {
	seen, totals := map[string]bool{}, map[int]bool{}
	query := url.Values{"state": {"all"}}
	_, err = s.pages(ctx, call{action: "DescribeClusterNodes", path: "/clusters/" + id + "/nodes"}, query, "pageNumber", "pageSize",
		func(body []byte, at time.Time) (int, int, error) {
			entries, total, err := entriesOf[clusterNode](body, "nodes", "page")
			if err != nil {
				return 0, 0, err
			}
			if first.IsZero() {
				first = at
			}
			totals[total] = true
			for _, n := range entries {
				if n.ID == "" {
					n.ID = n.Name // machines that joined from outside the cloud
				}
				if n.ID == "" {
					return 0, 0, provider.Errorf(provider.KindUnavailable, "a node without instance_id and node_name")
				}
				if !seen[n.ID] {
					seen[n.ID] = true
					all = append(all, n)
				}
			}
			return len(entries), total, nil
		})
	stable = len(totals) == 1 && (totals[0] || totals[len(all)])
	return all, first, stable, err
}

// tasks reads every task of a cluster, running and past.
func (s *session) tasks(ctx context.Context, id string) ([]task, error) {
	all, seen := []task{}, map[string]bool{}
	_, err := s.pages(ctx, call{action: "DescribeClusterTasks", path: "/clusters/" + id + "/tasks"}, url.Values{}, "page_number", "page_size",
		func(body []byte, _ time.Time) (int, int, error) {
			entries, total, err := entriesOf[task](body, "tasks", "page_info")
			if err != nil {
				return 0, 0, err
			}
			for _, t := range entries {
				if t.ID != "" && !seen[t.ID] {
					seen[t.ID] = true
					all = append(all, t)
				}
			}
			return len(entries), total, nil
		})
	return all, err
}

// taskInfo reads one task.
func (s *session) taskInfo(ctx context.Context, id string) (task, time.Time, error) {
	var t task
	at, err := s.client.read(ctx, call{action: "DescribeTaskInfo", method: http.MethodGet, path: "/tasks/" + id}, &t)
	return t, at, err
}

// pages reads a list to its end. take decodes one page and tells how many
// entries it has and how many there are in all.
func (s *session) pages(ctx context.Context, c call, query url.Values, number, size string,
	take func(body []byte, at time.Time) (got, total int, err error)) (int, error) {

	c.method = http.MethodGet
	sum := 0
	for n := 1; n <= maxPages; n++ {
		c.query = map[string]string{number: strconv.Itoa(n), size: strconv.Itoa(pageSize)}
		for key := range query {
			c.query[key] = query.Get(key)
		}
		var body json.RawMessage
		at, err := s.client.read(ctx, c, &body)
		if err != nil {
			return n, err
		}
		got, total, err := take(body, at)
		if err != nil {
			return n, fmt.Errorf("%s %s: %w", c.action, c.path, err)
		}
		sum += got
		switch {
		case sum >= total && (total > 0 || got < pageSize): // without a total the last page is not full
			return n, nil
		case got == 0:
			return n, provider.Errorf(provider.KindUnavailable, "%s %s ends after %d of %d entries", c.action, c.path, sum, total)
		}
	}
	return maxPages, provider.Errorf(provider.KindUnavailable, "%s %s does not end after %d pages", c.action, c.path, maxPages)
}

// entriesOf reads one page. An answer without the list is no empty list: it
// would pass for a cluster without nodes.
func entriesOf[T any](body []byte, list, info string) (entries []T, total int, err error) {
	var answer map[string]json.RawMessage
	if err := decode(body, &answer); err != nil {
		return nil, 0, err
	}
	if answer[list] == nil {
		return nil, 0, provider.Errorf(provider.KindUnavailable, "an answer without %q", list)
	}
	if err := decode(answer[list], &entries); err != nil {
		return nil, 0, err
	}
	var page struct {
		Total int `json:"total_count"`
	}
	if answer[info] != nil {
		if err := decode(answer[info], &page); err != nil {
			return nil, 0, err
		}
	}
	return entries, page.Total, nil
}

func decode(body []byte, out any) error {
	if err := json.Unmarshal(body, out); err != nil {
		return provider.Errorf(provider.KindUnavailable, "an unreadable answer: %w", err)
	}
	return nil
}
