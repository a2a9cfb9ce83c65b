package engine

import (
	"maps"
	"reflect"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// judge says of every field why it differs, and of the cluster what its fields
// say together. open is what an unsettled request is about, empty without one:
// nobody knows yet what that left behind.
func (t *tale) judge(d *Drifted, open string) {
	if d.Absent {
		d.Cause = CauseUnknown
		if t.existed != nil {
			d.Last = runOf(t.existed)
		}
		if t.existed != nil && open == "" && !t.fresh(t.existed) {
			d.Cause = CauseDrift
		}
		return
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		r := t.newest(groupOf(d.Address, f.Address), f.Path)
		if r != nil {
			f.Last = runOf(r)
			if left, ok := r.Intent.To[f.Path]; ok && r.Verdict == journal.Done {
				f.Applied = left
			}
		}
		f.Cause = causeOf(f)
		if open == f.Address || open == d.Address || r != nil && t.fresh(r) {
			f.Cause = CauseUnknown
		}
	}
	d.Cause = together(d.Fields)
}

// causeOf holds a field that differs against what our last apply left.
func causeOf(f *DriftField) DriftCause {
	left, ok := f.Applied.(int64)
	if !ok {
		return CauseUnknown
	}
	wanted := reflect.DeepEqual(f.Spec, f.Applied)
	if f.Range != nil {
		wanted = left >= f.Range.Min && left <= f.Range.Max
	}
	switch same := reflect.DeepEqual(f.Live, f.Applied); {
	case wanted:
		return CauseDrift
	case same:
		return CauseSpec
	}
	return CauseBoth
}

// together is the cause of a whole cluster: what is known of some of its fields
// counts for more than what is not known of others.
func together(fields []DriftField) DriftCause {
	has := map[DriftCause]bool{}
	for i := range fields {
		has[fields[i].Cause] = true
	}
	switch {
	case has[CauseBoth], has[CauseDrift] && has[CauseSpec]:
		return CauseBoth
	case has[CauseDrift]:
		return CauseDrift
	case has[CauseSpec]:
		return CauseSpec
	}
	return CauseUnknown
}

// mostRuns bounds what is told of a cluster's past.
const mostRuns = 10

// runs tells what our own runs did to the cluster from the last applied plan on.
// When no request was ever done, it is all of them.
func (t *tale) runs(d *Drifted) {
	first := 0
	for i := len(t.records) - 1; i >= 0; i-- {
		if t.records[i].Verdict != journal.Done {
			continue
		}
		// A plan may have several actions on one cluster.
		for first = i; first > 0 && t.records[first-1].Intent.PlanDigest == t.records[i].Intent.PlanDigest; first-- {
		}
		break
	}
	first = max(first, len(t.records)-mostRuns)
	d.RunsBefore = first
	for _, r := range t.records[first:] {
		d.Runs = append(d.Runs, *runOf(r))
	}
}

func runOf(r *journal.Record) *DriftRun {
	in := &r.Intent
	run := &DriftRun{
		At: r.At.UTC(), Address: Address(in.Cluster, in.Group), Op: in.Op, From: maps.Clone(in.From), To: maps.Clone(in.To),
		Verdict: r.Verdict, Who: in.Who, PlanDigest: in.PlanDigest, OpID: in.OpID, Detail: r.Detail, By: r.By,
	}
	if run.From == nil {
		run.From = map[string]int64{}
	}
	if run.To == nil {
		run.To = map[string]int64{}
	}
	return run
}

// nodes names the nodes that came and went since our last request about their
// group was settled. A group of which history does not know the nodes, or whose
// counter and nodes do not agree, is left out.
func (t *tale) nodes(address string, s *provider.State) []DriftNodes {
	all := []DriftNodes{}
	live := map[string]provider.Group{}
	for _, g := range s.Groups {
		live[g.Role] = g
	}
	for _, role := range rolesOf(s, t.groups) {
		g, now := t.groups[role], live[role]
		if g == nil || role == "" || len(now.Nodes) != now.Count || t.fresh(g.last) {
			continue
		}
		known, ok := nodesAfter(g.last)
		if !ok {
			continue
		}
		ids := nodeIDs(now)
		one := DriftNodes{Address: Address(address, role), Since: g.last.At.UTC(), Came: []provider.NodeRef{}, Gone: []provider.NodeRef{}}
		for _, id := range minus(ids, known) {
			one.Came = append(one.Came, refOf(now, id))
		}
		for _, id := range minus(known, ids) {
			one.Gone = append(one.Gone, provider.NodeRef{ID: id, Name: g.names[id]})
		}
		if len(one.Came)+len(one.Gone) > 0 {
			all = append(all, one)
		}
	}
	return all
}

func refOf(g provider.Group, id string) provider.NodeRef {
	ref := provider.NodeRef{ID: id}
	for _, n := range g.Nodes {
		if n.ID == id {
			ref.Created = n.Created
			if n.Name != id {
				ref.Name = n.Name
			}
		}
	}
	return ref
}

// nodesAfter are the nodes of the group when the request was settled: those
// before it, what it made and took away, and what came and went beside it. It is
// false where no read stands behind the record, or it is of a release that did
// not say which nodes those were.
func nodesAfter(r *journal.Record) ([]string, bool) {
	in := &r.Intent
	moved := r.Verdict != journal.None
	switch {
	case r.By != "" || in.Base == nil:
		return nil, false
	case in.Op == provider.OpScaleOut && moved && len(r.Added) == 0:
		return nil, false
	case in.Op == provider.OpScaleIn && moved && len(r.Removed) == 0:
		return nil, false
	case in.Op != provider.OpScaleOut && in.Op != provider.OpScaleIn && in.Op != provider.OpResize:
		return nil, false
	}
	var added, removed []string
	for _, n := range r.Added {
		added = append(added, n.ID)
	}
	for _, n := range r.Removed {
		removed = append(removed, n.ID)
	}
	// Foreign has what came and what went, told apart by whether it was there.
	went, came := common(r.Foreign, in.Base), minus(r.Foreign, in.Base)
	after := minus(minus(in.Base, removed), went)
	return append(after, append(minus(added, after), minus(came, added)...)...), true
}
