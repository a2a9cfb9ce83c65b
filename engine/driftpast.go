package engine

import (
	"cmp"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// recollection gathers, in one pass over history, what it tells of the clusters
// that differ.
type recollection struct {
	of map[string]*tale // by address
	// named are the tales by the identities under which requests to the cluster
	// may stand, and gone those of clusters that are absent, by name.
	named map[journal.Identity][]*tale
	gone  map[journal.Identity][]*tale
	began time.Time // Memory's
}

// follow begins to listen for requests to a cluster. Of one that is absent and
// has no id in the spec only the name can tell which it was.
func (p *recollection) follow(entry *Entry, c *Cluster, o provider.Observation) {
	t := &tale{kind: c.Kind, id: c.ID, began: p.began, groups: map[string]*groupTale{}}
	live := ""
	if o.Cluster != nil {
		t.id, live = o.Cluster.ID, o.Cluster.Name
	}
	p.of[c.Address] = t
	for _, identity := range identitiesOf(entry, t.id, live, c.Name) {
		p.named[identity] = append(p.named[identity], t)
	}
	if t.id == "" {
		identity := entry.identity("", c.Name)
		p.gone[identity] = append(p.gone[identity], t)
	}
}

// add takes one record of history. Those of guards are about no request.
func (p *recollection) add(r *journal.Record) {
	in := &r.Intent
	if r.Guards != nil || in.Op == journal.OpGuard || in.Identity.Scope != "" {
		return
	}
	for _, t := range p.named[in.Identity] {
		t.add(r)
	}
	if in.Identity.ID == "" {
		return
	}
	name := in.Identity
	name.ID, name.Name = "", in.Name
	for _, t := range p.gone[name] {
		t.add(r)
	}
}

// tale is what history tells of one cluster.
type tale struct {
	kind    string
	id      string // empty: it is absent, and the spec has none
	began   time.Time
	records []*journal.Record
	existed *journal.Record // the newest that shows that the cluster was there
	// made is a request that may have set every field to values that history does
	// not have: a create, or one whose record could not be read.
	made   *journal.Record
	groups map[string]*groupTale
}

// groupTale is what history tells of one node group; "" is the cluster itself.
type groupTale struct {
	set   map[string]*journal.Record // the newest request about a field, by path
	last  *journal.Record            // the newest request about the group
	names map[string]string          // of nodes, by id
}

func (t *tale) add(r *journal.Record) {
	in := &r.Intent
	made := madeID(r)
	switch {
	case in.Kind != "" && in.Kind != t.kind:
		return // kinds have names of their own
	case in.Op == provider.OpCreate && t.id != "" && made != "" && made != t.id:
		return // an earlier cluster of the name
	}
	t.records = append(t.records, r)
	if in.ClusterID != "" || made != "" || in.Op == provider.OpCreate && r.Verdict != journal.None {
		t.existed = r
	}
	if in.Op == provider.OpCreate || in.Op == provider.OpUnknown {
		if r.Verdict != journal.None {
			t.made, t.groups = r, map[string]*groupTale{}
		}
		return
	}
	g := t.groups[in.Group]
	if g == nil {
		g = &groupTale{set: map[string]*journal.Record{}, names: map[string]string{}}
		t.groups[in.Group] = g
	}
	g.last = r
	for id, name := range in.Names {
		g.names[id] = name
	}
	for _, n := range r.Added {
		if n.Name != "" {
			g.names[n.ID] = n.Name
		}
	}
	if r.Verdict == journal.None {
		return
	}
	for path := range in.To {
		g.set[path] = r
	}
}

// madeID is the id of the cluster that a create made, where history has it.
func madeID(r *journal.Record) string {
	if r.Intent.Op != provider.OpCreate {
		return ""
	}
	id := ""
	if len(r.Added) == 1 {
		id = r.Added[0].ID
	}
	if a := r.Intent.Answer; a != nil {
		id = cmp.Or(id, a.ClusterID)
	}
	return id
}

// fresh reports that a request was settled after live state began to be read.
func (t *tale) fresh(r *journal.Record) bool { return !t.began.IsZero() && !r.At.Before(t.began) }

// newest is the newest request that had an effect on a field, or may have had.
func (t *tale) newest(group, path string) *journal.Record {
	if g := t.groups[group]; g != nil && g.set[path] != nil {
		return g.set[path]
	}
	return t.made
}
