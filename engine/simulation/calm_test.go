package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/engine"
)

// calmRuns is how many runs without faults may be needed: several actions per
// cluster, each of which may have met a foreign change.
const calmRuns = 8

// settle applies without faults until there is nothing to do.
func (s *script) settle() {
	const name = "operator"
	for attempt := range 4 {
		stop := s.converge(name)
		// What the network still holds may arrive meanwhile.
		time.Sleep(12 * time.Minute)
		_, r := s.apply(name, s.fleet, true)
		if s.rotten() > 0 {
			s.decide(name, s.fleet, true)
			continue
		}
		if s.naive || s.quiet(r) || stop && s.stopped(r) {
			break
		}
		if attempt == 3 {
			s.step("judges", func() { s.w.violate(ruleEnds, "there are changes again: %s", describeReport(r)) })
		}
	}
	s.step("judges the journal", func() {
		for key, p := range s.w.disk.open {
			if p.rot && !s.names(p.in.ClusterID) {
				continue // the spec leads nobody to it: its cluster is gone, or one of several of the name
			}
			if _, err := s.w.disk.get(key); err != nil {
				s.w.violate(ruleJournal, "%v", err)
			}
			s.w.violate(ruleEnds, "intent %s is still open", short(key))
		}
	})
}

// names reports whether the spec leads to exactly this living cluster.
func (s *script) names(id string) bool {
	cl := s.w.cloud.byID(id)
	if cl == nil {
		return false
	}
	alike := 0
	for _, other := range s.w.cloud.clusters {
		if other.name == cl.name && !other.gone {
			alike++
		}
	}
	return slices.ContainsFunc(s.fleet.clusters, func(t *target) bool { return t.id == id || t.id == "" && t.name == cl.name && alike == 1 })
}

// converge runs until there is nothing to do, or nothing that a run may do.
func (s *script) converge(name string) (stopped bool) {
	var r *report
	for range calmRuns {
		_, r = s.apply(name, s.fleet, true)
		if s.naive || s.quiet(r) {
			return false
		}
		if s.stopped(r) {
			return true
		}
	}
	s.step("judges", func() { s.w.violate(ruleEnds, "%d runs without faults: %s", calmRuns, describeReport(r)) })
	return false
}

// quiet reports that a run found no changes to make.
func (s *script) quiet(r *report) bool {
	return r.err == nil && r.plan.Empty() && len(r.plan.OpenIntents)+len(r.plan.Unread) == 0
}

// stopped reports that all that a run did not do it refused with a reason that
// a person can act on.
func (s *script) stopped(r *report) bool {
	// An intent that cannot be read blocks its cluster, under an id and a name,
	// and no other.
	blocks := 2 * s.rotten()
	if r.err != nil || r.result == nil || len(r.plan.OpenIntents) > blocks || len(r.plan.Unread) > 0 {
		return false
	}
	for _, out := range r.result.Outcomes {
		if out.State != engine.Held && out.State != engine.Skipped || out.Detail == "" {
			return false
		}
	}
	return true
}

// rotten counts the intents that cannot be read.
func (s *script) rotten() (n int) {
	s.step("looks at the journal", func() { n = s.w.disk.rotten() })
	return n
}

func describeReport(r *report) string {
	if r.err != nil {
		return r.err.Error()
	}
	text := fmt.Sprintf("%d actions, %d open intents, %d unread", len(r.plan.Actions), len(r.plan.OpenIntents), len(r.plan.Unread))
	if r.result != nil {
		for _, out := range r.result.Outcomes {
			text += fmt.Sprintf("; %s %s %s: %s", out.Address, out.Op, out.State, out.Detail)
		}
	}
	return text
}
