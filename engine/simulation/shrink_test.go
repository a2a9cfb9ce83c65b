package simulation

import (
	"maps"
	"slices"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// piece is something of a seed that a double buy may not need.
type piece struct {
	name string
	drop func(*script) // nil: send looks at the name
}

var pieces = []piece{
	{"a crash", func(s *script) { s.w.faults.crash = 0 }},
	{"reads that fail", func(s *script) { s.w.faults.reads = 0 }},
	{"slow messages", func(s *script) { s.w.faults.slow = 0 }},
	{"stale reads", func(s *script) { s.w.faults.stale = 0 }},
	{"request duplicated", func(s *script) { s.w.faults.duplicate = 0 }},
	{"an interrupt", func(s *script) { s.w.faults.interrupt = 0 }},
	{"jobs that fail", func(s *script) { s.w.faults.failing = 0 }},
	{"other people", func(s *script) { s.w.faults.foreign = 0 }},
	{"an autoscaler", func(s *script) { s.w.faults.scaler = nil }},
	{"clocks that differ", func(s *script) { s.w.cloud.skew = 0 }},
	{"another applier", func(s *script) { s.operators = 1 }},
	{"a later command", func(s *script) { s.rounds = 1 }},
	{"another cluster", func(s *script) { s.fleet = newFleet(s.fleet.clusters[:1]) }},
	{name: "request unsent"}, {name: "request lost"}, {name: "request held"}, {name: "answer lost"},
	{name: "5xx before"}, {name: "5xx after"}, {name: "throttled or refused"}, {name: "plugin dies in the call"}, {name: "plugin signs late"},
}

// leaveOut takes pieces out of what a seed has drawn.
func (s *script) leaveOut(without map[string]bool) {
	for _, p := range pieces {
		if without[p.name] && p.drop != nil {
			p.drop(s)
		}
	}
}

// shrunk is a seed with nothing in it that its double buy does not need.
type shrunk struct {
	Seed   uint64   `json:"seed"`
	Faults []string `json:"faults"`
	Lines  []string `json:"lines"`

	without map[string]bool
	nodes   bool // it is nodes that are bought twice
}

// shrink leaves out one piece after the other as long as the naive engine still
// buys twice.
func shrink(t *testing.T, seed uint64) *shrunk {
	o := options{naive: true, without: map[string]bool{}}
	if runSeed(t, seed, o).counts["double buys"] == 0 {
		return nil
	}
	for again := true; again; {
		again = false
		for _, p := range pieces {
			if o.without[p.name] {
				continue
			}
			o.without[p.name] = true
			if runSeed(t, seed, o).counts["double buys"] > 0 {
				again = true
				continue
			}
			delete(o.without, p.name)
		}
	}
	o.keep = true
	w := runSeed(t, seed, o)
	out := &shrunk{Seed: seed, Faults: []string{}, Lines: w.story, without: o.without, nodes: w.second.body.Op == provider.OpScaleOut}
	for _, p := range pieces {
		if !o.without[p.name] {
			out.Faults = append(out.Faults, p.name)
		}
	}
	return out
}

// shortest shrinks seeds and keeps the one that is told in the fewest lines.
// Nodes bought twice after a lost message go first: that is what happens to
// most people.
func shortest(t *testing.T, seeds []uint64) *shrunk {
	var best *shrunk
	for _, seed := range seeds {
		s := shrink(t, seed)
		if s != nil && (best == nil || s.rank() < best.rank()) {
			best = s
		}
	}
	return best
}

func (s *shrunk) rank() int {
	rank := len(s.Lines) + 3*len(s.Faults)
	if !s.nodes {
		rank += mostLines
	}
	if !slices.ContainsFunc(s.Faults, func(name string) bool { return slices.Contains(sendFaults, name) }) {
		rank += mostLines
	}
	return rank
}

// mostLines is how long a trace may be for a person to read it.
const mostLines = 25

// judge demands that a trace is short, shows what it is about, and needs all
// that is left in it.
func (s *shrunk) judge(t *testing.T) {
	t.Helper()
	if len(s.Lines) > mostLines {
		t.Errorf("the shortest trace has %d lines", len(s.Lines))
	}
	if !slices.ContainsFunc(s.Lines, isDoubleBuy) {
		t.Error("the trace does not show the double buy")
	}
	for _, name := range s.Faults {
		without := maps.Clone(s.without)
		without[name] = true
		if runSeed(t, s.Seed, options{naive: true, without: without}).counts["double buys"] > 0 {
			t.Errorf("the double buy does not need %q", name)
		}
	}
}
