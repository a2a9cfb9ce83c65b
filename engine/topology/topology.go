package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Change is what becomes of a cluster or a group.
type Change string

const (
	Unchanged Change = "unchanged"
	Created   Change = "created"
	Changed   Change = "changed"
	Removed   Change = "removed" // of a cluster: no longer managed
	Blocked   Change = "blocked" // no call can make it
	Denied    Change = "denied"  // a guard does not let it pass
	Unread    Change = "unread"  // nothing is known of what is live
)

// Topology is a fleet, or the part of it that something is about.
type Topology struct {
	Title    string
	Clusters []Cluster // by address
	// Others are clusters that are as they should be and not in the picture.
	Others int
}

// Cluster is one cluster with its groups.
type Cluster struct {
	Address  string
	Provider string // the providers entry
	Kind     string // "mrs"
	Change   Change
	Note     string // a sentence about the whole cluster
	Refused  string // what will not happen, and why
	// DependsOn are addresses of clusters that come first; they need not be in
	// the picture.
	DependsOn []string
	Waits     string // what is waited for before anything is done
	Source    string // "fleet.cue:14:10"
	Fields    []Field
	Groups    []Group // by role
}

// Group is a node group before and after.
type Group struct {
	Role          string
	Change        Change
	Before, After *int64 // nodes; nil: not known, or not stated
	// Band is what a count may be where something else sets it: "2 to 8".
	Band string
	// Added and Removed are names of nodes, as far as they are known.
	Added, Removed []string
	Fields         []Field
	WaitsFor       []string // addresses of groups, or clusters, whose actions come first
	Note           string
	Refused        string // what will not happen, and why
}

// Field is a value that differs.
type Field struct {
	Path          string
	Before, After any // nil: not stated, or not known
}

// Symbol carries the meaning of a change without colour.
func (c Change) Symbol() string {
	switch c {
	case Created:
		return "+"
	case Changed:
		return "~"
	case Removed:
		return "−"
	case Blocked, Denied:
		return "!"
	case Unread:
		return "?"
	}
	return ""
}

// Symbol tells a group that grows from one that shrinks.
func (g *Group) Symbol() string {
	if g.Change == Changed && g.Before != nil && g.After != nil && *g.Before != *g.After {
		if *g.After < *g.Before {
			return Removed.Symbol()
		}
		return Created.Symbol()
	}
	return g.Change.Symbol()
}

// Count words a group's number of nodes: "3 → 5 nodes".
func (g *Group) Count() string {
	before, arrow, after, noun := g.count()
	return before + arrow + after + noun
}

// count is what Count says, in parts.
func (g *Group) count() (before, arrow, after, noun string) {
	switch {
	case g.Before != nil && g.After != nil && *g.Before != *g.After && g.Change != Created:
		return fmt.Sprint(*g.Before), " → ", fmt.Sprint(*g.After), nouns(*g.After)
	case g.After != nil:
		return "", "", fmt.Sprint(*g.After), nouns(*g.After)
	case g.Band != "":
		return "", "", g.Band, " nodes"
	case g.Before != nil:
		return fmt.Sprint(*g.Before), " → ", "not stated", ""
	}
	return "", "", "", ""
}

func nouns(n int64) string {
	if n == 1 {
		return " node"
	}
	return " nodes"
}

// Nodes adds up what is stated before and after, over all groups.
func (t *Topology) Nodes() (before, after int64) {
	for i := range t.Clusters {
		for _, g := range t.Clusters[i].Groups {
			if g.Before != nil {
				before += *g.Before
			}
			if g.After != nil {
				after += *g.After
			}
		}
	}
	return before, after
}

// Tell notes what came of the action at an address, well or not, and the nodes
// that it made.
func (t *Topology) Tell(address, word string, well bool, added []string) {
	note, refused := word, ""
	if !well {
		note, refused = "", word
	}
	cluster, role, grouped := strings.Cut(address, "/")
	for i := range t.Clusters {
		c := &t.Clusters[i]
		switch {
		case c.Address != cluster:
		case !grouped:
			c.Note, c.Refused = joined(c.Note, note), joined(c.Refused, refused)
		default:
			g := c.group(role)
			g.Note, g.Refused, g.Added = joined(g.Note, note), joined(g.Refused, refused), append(g.Added, added...)
		}
	}
}

// group is the group of a role, made when there is none.
func (c *Cluster) group(role string) *Group {
	for i := range c.Groups {
		if c.Groups[i].Role == role {
			return &c.Groups[i]
		}
	}
	c.Groups = append(c.Groups, Group{Role: role, Change: Unchanged})
	return &c.Groups[len(c.Groups)-1]
}

func joined(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return a + "; " + b
}

// sort brings clusters, groups and dependencies into their one order.
func (t *Topology) sort() *Topology {
	slices.SortStableFunc(t.Clusters, func(a, b Cluster) int { return cmp.Compare(a.Address, b.Address) })
	for i := range t.Clusters {
		c := &t.Clusters[i]
		slices.SortStableFunc(c.Groups, func(a, b Group) int { return cmp.Compare(a.Role, b.Role) })
		slices.Sort(c.DependsOn)
		c.DependsOn = slices.Compact(c.DependsOn)
	}
	return t
}
