package huaweisim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Paging of lists (MRS API, querying a cluster list; querying hosts).
const (
	defaultPageSize = 10
	maxPageSize     = 2147483646
)

// read serves the calls that change nothing.
func (c *cloud) read(to route, r *http.Request) (any, *refusal) {
	query := r.URL.Query()
	zh := strings.EqualFold(r.Header.Get("X-Language"), "zh-cn")
	if to.call == callList {
		return c.listClusters(query, zh)
	}
	cl := c.byID[to.cluster]
	if cl == nil {
		return nil, refuse("12000003")
	}
	switch to.call {
	case callHosts:
		return c.listHosts(cl, query)
	case callTags:
		return tagsReply(cl), nil
	default:
		return map[string]clusterView{"cluster": c.view(cl, zh)}, nil
	}
}

type clusterList struct {
	ClusterTotal int           `json:"clusterTotal"`
	Clusters     []clusterView `json:"clusters"`
}

func (c *cloud) listClusters(query url.Values, zh bool) (any, *refusal) {
	size, page, no := paging(query)
	if no != nil {
		return nil, no
	}
	state := query.Get("clusterState")
	if state != "" && state != "existing" && !slices.Contains(clusterStates, state) {
		return nil, refuse("12000002", "clusterState")
	}
	found := c.find(state, query.Get("clusterName"), query.Get("tags"), cmp.Or(query.Get("enterpriseProjectId"), "0"))
	list := clusterList{ClusterTotal: len(found), Clusters: []clusterView{}}
	for _, cl := range onPage(found, size, page) {
		list.Clusters = append(list.Clusters, c.view(cl, zh))
	}
	return list, nil
}

// find lists the clusters that pass the filters. No state means all, the
// terminated ones too; the name matches anywhere, in any case. What resizes
// cannot change is kept, so that a page of a long list costs a page.
func (c *cloud) find(state, name, tags, project string) []*Cluster {
	keep := name == "" && tags == "" && (state == "" || state == "existing")
	key := state + "/" + project
	if found, ok := c.lists[key]; ok && keep {
		return found
	}
	name = strings.ToLower(name)
	found := []*Cluster{}
	for _, cl := range c.state.Clusters {
		switch {
		case state == "existing" && cl.status() == terminated,
			state != "" && state != "existing" && cl.status() != state,
			cmp.Or(cl.EnterpriseProjectID, "0") != project,
			!strings.Contains(strings.ToLower(cl.ClusterName), name),
			!cl.tagged(tags):
			continue
		}
		found = append(found, cl)
	}
	if keep {
		if c.lists == nil {
			c.lists = map[string][]*Cluster{}
		}
		c.lists[key] = found
	}
	return found
}

// tagged reports whether the cluster bears all tags of a filter "k1*v1,k2".
func (cl *Cluster) tagged(filter string) bool {
	if filter == "" {
		return true
	}
	have := map[string]string{}
	for _, t := range tagsOf(cl) {
		have[t.Key] = t.Value
	}
	for want := range strings.SplitSeq(filter, ",") {
		key, value, withValue := strings.Cut(want, "*")
		if got, ok := have[key]; !ok || withValue && got != value {
			return false
		}
	}
	return true
}

func paging(query url.Values) (size, page int, no *refusal) {
	size, page = defaultPageSize, 1
	for _, p := range []struct {
		name string
		to   *int
	}{{"pageSize", &size}, {"currentPage", &page}} {
		if text := query.Get(p.name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > maxPageSize {
				return 0, 0, refuse("12000002", p.name+" must be 1 to 2147483646.")
			}
			*p.to = n
		}
	}
	return size, page, nil
}

// before is how many items stand before a page, or a number no list reaches.
func before(size, page int) int {
	return int(min(int64(page-1)*int64(size), maxPageSize))
}

func onPage(all []*Cluster, size, page int) []*Cluster {
	rest := all[min(before(size, page), len(all)):]
	return rest[:min(size, len(rest))]
}

type hostList struct {
	Total any        `json:"total"` // a number, or a string when the state says so
	Hosts []hostView `json:"hosts"`
}

// listHosts pages over the groups in order, oldest hosts first, and makes only
// the hosts of the page.
func (c *cloud) listHosts(cl *Cluster, query url.Values) (any, *refusal) {
	size, page, no := paging(query)
	if no != nil {
		return nil, no
	}
	list := hostList{Total: 0, Hosts: []hostView{}}
	total, skip := 0, before(size, page)
	for _, g := range cl.Groups {
		if cl.status() == terminated {
			break // its hosts are gone
		}
		for _, run := range g.Hosts {
			from := max(skip-total, 0)
			for i := from; i < run.Count && len(list.Hosts) < size; i++ {
				list.Hosts = append(list.Hosts, c.hostView(g, run, run.From+i))
			}
			total += run.Count
		}
	}
	list.Total = total
	if c.state.HostTotalText {
		list.Total = strconv.Itoa(total)
	}
	return list, nil
}

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func tagsReply(cl *Cluster) map[string][]tag {
	return map[string][]tag{"tags": tagsOf(cl)}
}

func tagsOf(cl *Cluster) []tag {
	tags := []tag{}
	if cl.Tags == "" {
		return tags
	}
	for pair := range strings.SplitSeq(cl.Tags, ",") {
		key, value, _ := strings.Cut(pair, "=")
		tags = append(tags, tag{key, value})
	}
	return tags
}
