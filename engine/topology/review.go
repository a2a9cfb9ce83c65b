package topology

import (
	"fmt"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/review"
)

// OfReview is what differs between two revisions. Of a changed cluster a review
// holds the groups that differ, and no others. depends says which clusters come
// before one, by address, in the head; it may be nil.
func OfReview(r *review.Review, depends map[string][]string) *Topology {
	t := &Topology{Title: "Difference", Clusters: []Cluster{}, Others: r.Unchanged}
	for i := range r.Clusters {
		t.Clusters = append(t.Clusters, ofChange(&r.Clusters[i]))
	}
	for _, address := range r.Unknown {
		t.Clusters = append(t.Clusters, Cluster{Address: address, Change: Unread, Note: "not comparable: the base is not sound there"})
	}
	for i := range t.Clusters {
		c := &t.Clusters[i]
		c.DependsOn = append(c.DependsOn, depends[c.Address]...)
	}
	return t.sort()
}

func ofChange(change *review.Change) Cluster {
	c := Cluster{Address: change.Address, Provider: change.Provider, Kind: change.Type, Change: Changed}
	if change.Place.File != "" {
		c.Source = fmt.Sprintf("%s:%d:%d", change.Place.File, change.Place.Line, change.Place.Column)
	}
	switch change.Kind {
	case review.Added:
		c.Change = Created
	case review.Removed:
		c.Change, c.Note = Removed, "nothing is deleted"
	case review.Renamed:
		c.Note = "was " + change.Was
	}
	refused := false // anything
	for j := range change.Fields {
		f := &change.Fields[j]
		if role, path, ok := ofGroup(f.Path); ok {
			c.group(role).differ(&c, path, f)
		} else if c.Change != Created && f.Path != "depends_on" {
			c.Fields = append(c.Fields, Field{f.Path, f.Before, f.After})
		}
		if f.Effect == review.EffectBlocked {
			refused = true
		}
	}
	for _, b := range change.Blocked {
		c.refuse(b.Group, Blocked, "blocked: "+b.Reason)
		refused = true
	}
	if refused && len(change.Actions) == 0 {
		c.Change = Blocked
	}
	for _, d := range change.Denied {
		c.refuse(d.Group, Denied, "denied by guard "+d.Guard+": "+d.Reason)
		c.Change = Denied
	}
	return c
}

// differ takes over a field of the group.
func (g *Group) differ(c *Cluster, path string, f *review.Field) {
	switch {
	case c.Change == Created:
		g.Change = Created
	case f.Effect == review.EffectBlocked:
		g.Change = Blocked
	case g.Change == Unchanged:
		g.Change = Changed
	}
	band, banded := f.After.(engine.Band)
	switch {
	case path == "count" && banded && c.Change == Created:
		g.Band = bandText(band)
	case path == "count" && (banded || isBand(f.Before)):
		// Both ends in words: a number beside a band is no count before and after.
		g.Fields = append(g.Fields, Field{path, f.Before, f.After})
	case path == "count":
		g.Before, g.After = whole(f.Before), whole(f.After)
		if c.Change == Created {
			none := int64(0)
			g.Before = &none
		}
	case c.Change != Created:
		g.Fields = append(g.Fields, Field{path, f.Before, f.After})
	}
}

func isBand(v any) bool {
	_, ok := v.(engine.Band)
	return ok
}

// refuse marks a group, or the cluster, as what will not happen.
func (c *Cluster) refuse(role string, change Change, note string) {
	if role == "" {
		c.Refused = joined(c.Refused, note)
		return
	}
	g := c.group(role)
	g.Change, g.Refused = change, joined(g.Refused, note)
}

// ofGroup splits the path of a group's field.
func ofGroup(path string) (role, field string, ok bool) {
	rest, ok := strings.CutPrefix(path, "node_groups.")
	if !ok {
		return "", "", false
	}
	role, field, _ = strings.Cut(rest, ".")
	return role, field, true
}
