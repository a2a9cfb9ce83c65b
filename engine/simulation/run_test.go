package simulation

import (
	"fmt"
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
)

// run is what the apply command does.
func (p *process) run(s *script, again *approval, think, patience time.Duration) *report {
	if again == nil {
		a := s.applier(p, nil, patience)
		disk := a.Store
		intents, _, err := disk.Open()
		if err != nil {
			return &report{err: err}
		}
		if len(intents) > 0 {
			a.SettleOpen(p.ctx, intents)
		}
		if p.ctx.Err() != nil {
			return &report{err: errInterrupted}
		}
		planner := p.planner(a.Entries, disk)
		if planner.Intents, planner.Corrupt, err = disk.Open(); err != nil {
			return &report{err: err}
		}
		if p.storeless {
			planner.Last, planner.Intents, planner.Corrupt = nil, nil, nil
		}
		plan, err := planner.Plan(p.ctx, p.spec.engine)
		if err != nil {
			return &report{err: err}
		}
		again = &approval{plan: plan, spec: p.spec, effects: map[string][]*request{}}
		s.step(p.name+" has a plan", func() { s.saved = append(s.saved, again) })
		time.Sleep(think)
	}
	p.plan = again
	r := &report{plan: again.plan}
	if p.saved {
		r.plan = s.readBack(p, again.plan)
	}
	r.result, r.err = s.applier(p, r.plan, patience).Apply(p.ctx)
	return r
}

// readBack is the plan as a file holds it.
func (s *script) readBack(p *process, plan *engine.Plan) *engine.Plan {
	b, err := plan.Marshal()
	if err == nil {
		var back *engine.Plan
		if back, err = engine.ReadPlan(b); err == nil {
			return back
		}
	}
	s.step(p.name+" reads the plan", func() { s.w.violate(ruleJournal, "the saved plan: %v", err) })
	return plan
}

// applier is the engine as one process has it.
func (s *script) applier(p *process, plan *engine.Plan, patience time.Duration) *engine.Applier {
	var disk journal.Store = &store{s.w.disk, p}
	if s.w.bug.store != nil {
		disk = s.w.bug.store(disk)
	}
	return &engine.Applier{
		Plan: plan, Entries: p.entries(), Store: disk, Holder: journal.Holder{Command: p.name},
		Wait: 5 * time.Minute, LockTimeout: patience, Deadline: 10 * time.Minute, Report: p.hear,
	}
}

func (p *process) entries() map[string]*engine.Entry {
	plug := &plugin{p.w, p}
	e := &engine.Entry{Name: pluginName, Provider: plug, Settings: []byte(`{"region":"r1"}`)}
	e.Description, _ = plug.Describe(p.ctx)
	if p.w.bug.describe != nil {
		p.w.bug.describe(e.Description)
	}
	if p.w.bug.provider != nil {
		e.Provider = p.w.bug.provider(e.Provider)
	}
	return map[string]*engine.Entry{pluginName: e}
}

func (p *process) planner(entries map[string]*engine.Entry, disk journal.Store) *engine.Planner {
	planner := &engine.Planner{Entries: entries, SpecDigest: "sha256:spec", AllowShrink: true, Last: disk.Last}
	if p.w.bug.planner != nil {
		p.w.bug.planner(planner)
	}
	return planner
}

// hear puts what a user would see into the trace.
func (p *process) hear(e engine.Event) {
	if p.w.keep && !p.dead.Load() {
		p.w.say(fmt.Sprintf("%s on %s: %s %s", p.name, e.Action.Address, e.State, e.Text))
	}
}
