package topology

import (
	"fmt"
	"strings"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// OfPlan is what a plan changes, blocks or could not read. Clusters that match
// the spec are not in a plan; they are counted.
func OfPlan(p *engine.Plan) *Topology {
	s := sketch{index: map[string]int{}}
	for i := range p.Clusters {
		planned := &p.Clusters[i]
		c := s.cluster(planned.Address, planned.Provider, planned.Desired.Kind)
		c.Waits = string(planned.Waits)
		c.DependsOn = append(c.DependsOn, planned.Rules.DependsOn...)
		groups := groupsOf(planned.Desired.Spec, planned.Rules)
		for j := range groups {
			g := groups[j].group()
			g.Before = g.After // but for what the actions say
			c.Groups = append(c.Groups, g)
		}
	}
	addresses := map[string]*engine.Action{}
	for i := range p.Actions {
		addresses[p.Actions[i].ID] = &p.Actions[i]
	}
	for i := range p.Actions {
		s.action(&p.Actions[i], addresses)
	}
	for _, b := range p.Blocked {
		s.refused(b.Address, b.Provider, b.Kind, Blocked, "blocked: "+b.Reason, b.Source, b.Fields)
	}
	for _, d := range p.Denied {
		if strings.HasPrefix(d.Address, "providers.") || d.Address == "" {
			continue // of an account, or of the plan as a whole
		}
		s.refused(d.Address, "", "", Denied, "denied by guard "+d.Guard+": "+d.Reason, d.Source, nil)
	}
	for _, u := range p.Unread {
		c := s.cluster(u.Address, u.Provider, "")
		c.Change, c.Note, c.Source = Unread, joined(c.Note, "not read: "+u.Reason), u.Source
	}
	for _, o := range p.OpenIntents {
		address, _, _ := strings.Cut(o.Address, "/")
		c := s.cluster(address, "", "")
		c.Waits = joined(c.Waits, "an earlier request is not settled")
	}
	return (&Topology{Title: "Plan", Clusters: s.clusters, Others: p.Summary.Unchanged}).sort()
}

// sketch gathers clusters.
type sketch struct {
	clusters []Cluster
	index    map[string]int // by address
}

// cluster is the one at an address, made when there is none. The next call
// may move it.
func (s *sketch) cluster(address, provider, kind string) *Cluster {
	i, ok := s.index[address]
	if !ok {
		i = len(s.clusters)
		s.index[address] = i
		s.clusters = append(s.clusters, Cluster{Address: address, Change: Unchanged})
	}
	c := &s.clusters[i]
	if c.Provider == "" {
		c.Provider = provider
	}
	if c.Kind == "" {
		c.Kind = kind
	}
	return c
}

func (s *sketch) action(a *engine.Action, byID map[string]*engine.Action) {
	c := s.cluster(a.Cluster, a.Provider, a.Kind)
	if c.Source == "" {
		c.Source = a.Source
	}
	if c.Change != Created {
		c.Change = Changed
	}
	var waits []string
	for _, id := range a.DependsOn {
		before := byID[id]
		if before == nil || before.Cluster == a.Cluster && before.Op == provider.OpCreate {
			continue // that the cluster must exist goes without saying
		}
		waits = append(waits, before.Address)
		if before.Cluster != a.Cluster {
			c.DependsOn = append(c.DependsOn, before.Cluster)
		}
	}
	if a.Op == provider.OpCreate {
		c.Change = Created
		for i := range c.Groups {
			none := int64(0)
			c.Groups[i].Change, c.Groups[i].Before, c.Groups[i].WaitsFor = Created, &none, waits
		}
		return
	}
	g := c.group(a.Group)
	g.WaitsFor = append(g.WaitsFor, waits...)
	for _, n := range a.Removes {
		name := n.Name
		if name == "" {
			name = n.ID
		}
		g.Removed = append(g.Removed, name)
	}
	if a.CloudChooses {
		g.Note = joined(g.Note, "the cloud chooses which nodes go")
	}
	switch a.Op {
	case provider.OpScaleOut, provider.OpScaleIn:
		from, to := a.From["count"], a.To["count"]
		if g.Change != Changed { // the first of several steps
			g.Before = &from
		}
		g.After = &to
	}
	for _, f := range a.Fields {
		if f.Path != "count" {
			g.Fields = append(g.Fields, Field(f))
		}
	}
	g.Change = Changed
}

// refused marks what will not happen.
func (s *sketch) refused(address, provider, kind string, change Change, note, source string, fields []provider.FieldChange) {
	cluster, role, grouped := strings.Cut(address, "/")
	c := s.cluster(cluster, provider, kind)
	if c.Source == "" {
		c.Source = source
	}
	if c.Change == Unchanged || change == Denied {
		c.Change = change
	}
	if !grouped {
		c.Refused = joined(c.Refused, note)
		for _, f := range fields {
			c.Fields = append(c.Fields, Field(f))
		}
		return
	}
	g := c.group(role)
	g.Refused = joined(g.Refused, note)
	if g.Change == Unchanged || change == Denied {
		g.Change = change
	}
	for _, f := range fields {
		if f.Path == "count" {
			g.Before, g.After = whole(f.Before), whole(f.After)
			continue
		}
		g.Fields = append(g.Fields, Field(f))
	}
}

// Sentence is a cluster in words, for those who do not see the picture.
func (c *Cluster) Sentence() string {
	var b strings.Builder
	b.WriteString(c.Address)
	if what := c.what(); what != "" {
		fmt.Fprintf(&b, " (%s)", what)
	}
	if word := c.word(); word != "" {
		b.WriteString(", " + word)
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		b.WriteString("; " + g.Role)
		if count := g.Count(); count != "" {
			b.WriteString(" " + count)
		}
		if len(g.Added) > 0 {
			b.WriteString(", new: " + strings.Join(g.Added, ", "))
		}
		if len(g.Removed) > 0 {
			b.WriteString(", removes " + strings.Join(g.Removed, ", "))
		}
		for _, line := range g.lines() {
			b.WriteString(", " + line)
		}
	}
	for _, line := range c.lines() {
		b.WriteString("; " + line)
	}
	return b.String()
}

// what is the entry and the kind.
func (c *Cluster) what() string { return strings.Trim(c.Provider+"/"+c.Kind, "/") }

// word names the change of a whole cluster.
func (c *Cluster) word() string {
	switch c.Change {
	case Created:
		return "new"
	case Removed:
		return "no longer managed"
	case Unread:
		return "not read"
	case Unchanged:
		return ""
	}
	return string(c.Change)
}

// lines are what is said of a cluster below its groups.
func (c *Cluster) lines() []string {
	var lines []string
	for _, f := range c.Fields {
		lines = append(lines, f.String())
	}
	if c.Note != "" {
		lines = append(lines, c.Note)
	}
	if c.Waits != "" {
		lines = append(lines, "waits: "+c.Waits)
	}
	if len(c.DependsOn) > 0 {
		lines = append(lines, "after "+strings.Join(c.DependsOn, ", "))
	}
	if c.Refused != "" {
		lines = append(lines, c.Refused)
	}
	return lines
}

// lines are what is said of a group below its nodes.
func (g *Group) lines() []string {
	var lines []string
	for _, f := range g.Fields {
		lines = append(lines, f.String())
	}
	if len(g.WaitsFor) > 0 {
		lines = append(lines, "after "+strings.Join(g.WaitsFor, ", "))
	}
	if g.Note != "" {
		lines = append(lines, g.Note)
	}
	if g.Refused != "" {
		lines = append(lines, g.Refused)
	}
	return lines
}

// String is "cpu 2 → 4".
func (f Field) String() string { return f.Path + " " + value(f.Before) + " → " + value(f.After) }
