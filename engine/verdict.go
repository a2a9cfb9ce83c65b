package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// reading is one read of a cluster, cut down to what a verdict needs.
type reading struct {
	began, ended time.Time
	ids          []string // clusters that answer to the key
	status       provider.Status
	text         string
	running      []string // tasks
	counted      bool     // every group's counter equals its node list
	nodes        []string // of the group, sorted
	names        map[string]string
	sizes        map[string]map[string]int64
}

// read reduces an observation, for the group and the sizes that matter.
func newReading(o provider.Observation, group string, sizes map[string]int64, began, ended time.Time) reading {
	r := reading{began: began, ended: ended, counted: true, ids: slices.Sorted(slices.Values(o.IDs))}
	s := o.Cluster
	if s == nil {
		return r
	}
	if len(r.ids) == 0 {
		r.ids = []string{s.ID}
	}
	r.status, r.text = s.Status, s.StatusText
	for _, t := range s.Tasks {
		if t.State == provider.OperationRunning || t.State == provider.OperationUnknown {
			r.running = append(r.running, t.ID)
		}
	}
	r.counted = counted(s)
	for _, g := range s.Groups {
		if g.Role == group {
			r.nodes = nodeIDs(g)
			r.names = nodeNames(g)
			r.sizes = nodeSizes(g, sizes)
		}
	}
	return r
}

// counted reports that every counter of the cloud equals its node list.
func counted(s *provider.State) bool {
	for _, g := range s.Groups {
		if g.Count != len(g.Nodes) {
			return false
		}
	}
	return true
}

func nodeIDs(g provider.Group) []string {
	var ids []string
	for _, n := range g.Nodes {
		ids = append(ids, n.ID)
	}
	slices.Sort(ids)
	return ids
}

// nodeSizes reads the named sizes of every node; what a node does not say, its
// group does.
func nodeSizes(g provider.Group, names map[string]int64) map[string]map[string]int64 {
	if len(names) == 0 {
		return nil
	}
	sizes := map[string]map[string]int64{}
	for _, n := range g.Nodes {
		size := map[string]int64{}
		for _, raw := range []json.RawMessage{g.Attributes, n.Attributes} {
			attrs, err := decode(raw)
			if err != nil {
				continue
			}
			for name := range names {
				if v, ok := attrs[name].(int64); ok {
					size[name] = v
				}
			}
		}
		sizes[n.ID] = size
	}
	return sizes
}

// settled reports that the cluster shows nothing under way.
func (r reading) settled() bool {
	return r.status == provider.StatusReady && len(r.running) == 0 && r.counted
}

// agrees reports that two reads show the same.
func (r reading) agrees(other reading) bool {
	return slices.Equal(r.ids, other.ids) && r.status == other.status && slices.Equal(r.running, other.running) &&
		r.counted == other.counted && slices.Equal(r.nodes, other.nodes) &&
		maps.EqualFunc(r.sizes, other.sizes, maps.Equal)
}

// decidable reports that a verdict may be taken from the read. A create may
// have left nothing, or a cluster that failed.
func (r reading) decidable(op provider.Op) bool {
	if op == provider.OpCreate && (len(r.ids) != 1 || r.status == provider.StatusBroken) {
		return true
	}
	// A cluster that is gone takes nothing any more.
	return len(r.ids) == 0 || r.settled()
}

// ruling is a verdict with its evidence.
type ruling struct {
	verdict journal.Verdict
	detail  string
	foreign []string // nodes that came or went and are not the request's
	fresh   []string // nodes that the request made
}

// judge decides from a settled read what became of an intent. made are the
// nodes that the cloud's own task lists as its work.
func judge(in *journal.Intent, r reading, made []string) ruling {
	if in.Op == provider.OpCreate {
		return judgeCreate(in, r)
	}
	if len(r.ids) == 0 {
		return ruling{verdict: journal.Drifted, detail: "the cluster is gone"}
	}
	switch in.Op {
	case provider.OpScaleOut:
		return judgeGrowth(in, r, made)
	case provider.OpScaleIn:
		return judgeShrink(in, r)
	default:
		return judgeResize(in, r)
	}
}

func judgeGrowth(in *journal.Intent, r reading, made []string) ruling {
	added, gone := minus(r.nodes, in.Base), minus(in.Base, r.nodes)
	out := ruling{verdict: byCount(int64(len(added)), in.K), fresh: added, foreign: gone}
	// A node that was there before cannot be the operation's work.
	if made = minus(made, in.Base); len(made) > 0 {
		ours := common(added, made)
		out = ruling{verdict: byCount(int64(len(ours)), in.K), fresh: ours, foreign: slices.Concat(minus(added, made), gone)}
	}
	out.detail = fmt.Sprintf("%s; %d new", plural(len(r.nodes), "node"), len(added))
	return out
}

func judgeShrink(in *journal.Intent, r reading) ruling {
	gone, added := minus(in.Base, r.nodes), minus(r.nodes, in.Base)
	out := ruling{
		verdict: byCount(int64(len(gone)), in.K), foreign: added,
		detail: fmt.Sprintf("%s; %d gone", plural(len(r.nodes), "node"), len(gone)),
	}
	if len(in.Victims) > 0 {
		out.verdict = byCount(int64(len(minus(in.Victims, r.nodes))), int64(len(in.Victims)))
		out.foreign = slices.Concat(minus(gone, in.Victims), added)
	}
	return out
}

func judgeCreate(in *journal.Intent, r reading) ruling {
	made := minus(r.ids, in.Base)
	switch {
	case len(made) == 0:
		return ruling{verdict: journal.None, detail: "no cluster of that name"}
	case len(made) > 1:
		return ruling{verdict: journal.Drifted, detail: fmt.Sprintf("%d clusters of that name: %s", len(made), strings.Join(made, ", "))}
	case !r.settled():
		return ruling{verdict: journal.Partial, fresh: made, detail: fmt.Sprintf("cluster %s is %s", made[0], r.text)}
	}
	return ruling{verdict: journal.Done, fresh: made, detail: "cluster " + made[0]}
}

func judgeResize(in *journal.Intent, r reading) ruling {
	var reached, unchanged, other int
	for id, size := range r.sizes {
		before, known := in.Sizes[id]
		at, same := within(in.To, size), known && maps.Equal(size, before)
		switch {
		case !at && !same:
			other++
		case at && !same:
			reached++
		case !at:
			unchanged++
		}
	}
	before := slices.Sorted(maps.Keys(in.Sizes))
	out := ruling{
		detail:  fmt.Sprintf("%d of %s at the new size", len(r.sizes)-unchanged-other, plural(len(r.sizes), "node")),
		foreign: slices.Concat(minus(r.nodes, before), minus(before, r.nodes)),
	}
	switch {
	case other > 0 || len(r.sizes) == 0:
		out.verdict = journal.Drifted
	case unchanged == 0:
		out.verdict = journal.Done
	case reached == 0:
		out.verdict = journal.None
	default:
		out.verdict = journal.Partial
	}
	return out
}

// byCount is the row of the verdict table for n seen of k asked.
func byCount(n, k int64) journal.Verdict {
	switch {
	case n == 0:
		return journal.None
	case n < k:
		return journal.Partial
	case n == k:
		return journal.Done
	}
	return journal.Drifted
}

// within reports that size has every value of want.
func within(want, size map[string]int64) bool {
	for name, v := range want {
		if size[name] != v {
			return false
		}
	}
	return true
}

// minus is a without b.
func minus(a, b []string) []string {
	in := setOf(b)
	var out []string
	for _, s := range a {
		if !in[s] {
			out = append(out, s)
		}
	}
	return out
}

// common is what a and b share, in a's order.
func common(a, b []string) []string {
	in := setOf(b)
	var out []string
	for _, s := range a {
		if in[s] {
			out = append(out, s)
		}
	}
	return out
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}
