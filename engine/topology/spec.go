package topology

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
)

// OutlineVersion is the version of an Outline's JSON.
const OutlineVersion = "1.0"

// Outline is a spec's fleet in short, as JSON.
type Outline struct {
	FormatVersion string           `json:"format_version"`
	SpecDigest    string           `json:"spec_digest"`
	Clusters      []OutlineCluster `json:"clusters"`
}

// OutlineCluster is one cluster of a spec.
type OutlineCluster struct {
	Address   string   `json:"address"`
	Provider  string   `json:"provider"` // the providers entry
	Kind      string   `json:"kind"`
	DependsOn []string `json:"depends_on"`
	// MaxRemoved limits the nodes removed from the cluster over time.
	MaxRemoved *engine.Budget `json:"max_removed,omitempty"`
	Source     string         `json:"source"`
	Groups     []OutlineGroup `json:"groups"` // by role
}

// OutlineGroup is one group. Count is left out where the spec does not set it;
// Min and Max are there where something else sets it within a band.
type OutlineGroup struct {
	Role    string `json:"role"`
	Count   *int64 `json:"count,omitempty"`
	Min     *int64 `json:"min,omitempty"`
	Max     *int64 `json:"max,omitempty"`
	Protect bool   `json:"protect,omitempty"` // by itself or with its cluster
	// MaxRemoved limits the nodes removed from the group over time.
	MaxRemoved *engine.Budget `json:"max_removed,omitempty"`
	// OwnedBy says who keeps a field in place of the spec.
	OwnedBy map[string]string `json:"owned_by,omitempty"`
}

// OutlineOf shortens a spec.
func OutlineOf(clusters []*engine.Cluster, digest string) *Outline {
	o := &Outline{FormatVersion: OutlineVersion, SpecDigest: digest, Clusters: []OutlineCluster{}}
	for _, c := range clusters {
		one := OutlineCluster{Address: c.Address, Provider: c.Entry, Kind: c.Kind, DependsOn: append([]string{}, c.Rules.DependsOn...), MaxRemoved: c.Rules.MaxRemoved, Groups: groupsOf(c.Spec, c.Rules)}
		if c.Source != nil {
			one.Source = c.Source("")
		}
		slices.Sort(one.DependsOn)
		o.Clusters = append(o.Clusters, one)
	}
	slices.SortStableFunc(o.Clusters, func(a, b OutlineCluster) int { return cmp.Compare(a.Address, b.Address) })
	return o
}

// OfSpec is the fleet that a spec wants. Of what is live it knows nothing.
func OfSpec(clusters []*engine.Cluster) *Topology {
	t := &Topology{Clusters: []Cluster{}}
	nodes := int64(0)
	for _, o := range OutlineOf(clusters, "").Clusters {
		c := Cluster{Address: o.Address, Provider: o.Provider, Kind: o.Kind, Change: Unchanged, DependsOn: o.DependsOn, Source: o.Source}
		for _, g := range o.Groups {
			c.Groups = append(c.Groups, g.group())
			if g.Count != nil {
				nodes += *g.Count
			}
		}
		if o.MaxRemoved != nil {
			c.Note = atMost(o.MaxRemoved)
		}
		t.Clusters = append(t.Clusters, c)
	}
	t.Title = fmt.Sprintf("%d clusters, %d%s", len(t.Clusters), nodes, nouns(nodes))
	if len(t.Clusters) == 1 {
		t.Title = fmt.Sprintf("1 cluster, %d%s", nodes, nouns(nodes))
	}
	return t.sort()
}

// group is the group in a picture in which nothing changes.
func (o *OutlineGroup) group() Group {
	g := Group{Role: o.Role, Change: Unchanged, After: o.Count}
	if o.Min != nil && o.Max != nil {
		g.Band = bandText(engine.Band{Min: *o.Min, Max: *o.Max})
	}
	var notes []string
	if o.Protect {
		notes = append(notes, "protected")
	}
	if o.MaxRemoved != nil {
		notes = append(notes, atMost(o.MaxRemoved))
	}
	for _, field := range slices.Sorted(maps.Keys(o.OwnedBy)) {
		notes = append(notes, field+" kept by "+o.OwnedBy[field])
	}
	g.Note = strings.Join(notes, "; ")
	return g
}

func atMost(b *engine.Budget) string { return "loses at most " + b.String() }

// groupsOf reads the groups and counts out of a cluster's spec and its rules.
func groupsOf(spec json.RawMessage, rules engine.Rules) []OutlineGroup {
	var stated struct {
		Groups map[string]struct {
			Count any `json:"count"`
		} `json:"node_groups"`
	}
	dec := json.NewDecoder(bytes.NewReader(spec))
	dec.UseNumber()
	groups := []OutlineGroup{}
	if dec.Decode(&stated) != nil {
		return groups // the loader made it
	}
	for role, g := range stated.Groups {
		rule := rules.Groups[role]
		one := OutlineGroup{Role: role, Count: whole(g.Count), Protect: rules.Protect || rule.Protect, MaxRemoved: rule.MaxRemoved, OwnedBy: rule.OwnedBy}
		if rule.Count != nil {
			one.Min, one.Max = &rule.Count.Min, &rule.Count.Max
		}
		groups = append(groups, one)
	}
	slices.SortFunc(groups, func(a, b OutlineGroup) int { return cmp.Compare(a.Role, b.Role) })
	return groups
}

// whole is v as a whole number; nil when it is none.
func whole(v any) *int64 {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return &n
		}
	case int64:
		return &v
	case int:
		n := int64(v)
		return &n
	case float64:
		if n := int64(v); float64(n) == v {
			return &n
		}
	}
	return nil
}
