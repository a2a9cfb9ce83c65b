package simulation

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
)

// script is what happens in one seed: operators apply specs through a storm,
// then the faults end and one goes on until there is nothing to do.
type script struct {
	w         *world
	me        *process // of the script's own steps
	fleet     *fleet
	operators int
	together  bool // they begin within a moment, as pipelines do after a push
	rounds    int
	saved     []*approval
	naive     bool
}

// report is what one run of the tool came to.
type report struct {
	plan   *engine.Plan
	result *engine.Result
	err    error
}

// options choose what runs on a seed.
type options struct {
	keep    bool
	naive   bool
	bug     bug
	without map[string]bool // pieces that are left out
}

// runSeed plays one seed and returns its world to be judged.
func runSeed(t *testing.T, seed uint64, o options) *world {
	var w *world
	synctest.Test(t, func(*testing.T) {
		w = newWorld(seed, o.keep)
		w.bug, w.without = o.bug, o.without
		s := w.scenario(rand.New(rand.NewPCG(seed, 0xc10d)))
		s.leaveOut(o.without)
		s.naive = o.naive
		go s.play()
		w.run()
	})
	return w
}

// scenario draws clusters, specs and faults. The naive engine meets the same.
func (w *world) scenario(luck *rand.Rand) *script {
	w.faults = drawFaults(luck)
	w.cloud, w.disk = &cloud{w: w}, newDisk(w)
	w.disk.lazy, w.disk.unlocked = w.bug.lazy, w.bug.unlocked
	s := &script{w: w, me: &process{w: w, name: "script"}, operators: 1, rounds: 1 + luck.IntN(3)}
	if luck.IntN(4) == 0 {
		s.operators, s.together = 2+luck.IntN(7), luck.IntN(2) == 0
		s.rounds = 1
	}
	switch luck.IntN(6) {
	case 0, 1:
		w.cloud.skew = time.Duration(luck.IntN(4001)-2000) * time.Millisecond
	case 2: // a host whose clock nobody sets; far less than the shortest window
		w.cloud.skew = time.Duration(luck.IntN(80)-40) * time.Second
	}
	var targets []*target
	for i := range 1 + luck.IntN(3) {
		k := w.faults.kinds[luck.IntN(len(w.faults.kinds))]
		t := &target{address: fmt.Sprintf("c%d", i), name: fmt.Sprintf("name%d", i), kind: k.kind,
			core: int64(1 + luck.IntN(7)), task: int64(luck.IntN(5)) - 1, chooses: luck.IntN(3) == 0}
		if luck.IntN(4) == 0 {
			t.cpu = []int64{2, 4, 8}[luck.IntN(3)]
		}
		if luck.IntN(5) > 0 {
			cl := w.cloud.add(k, t.name, "ready")
			cl.grow("core", int64(1+luck.IntN(5)), defaultSize, nil)
			cl.grow("task", int64(luck.IntN(4)), defaultSize, nil)
			cl.commit()
			cl.versions[0].at, cl.born = w.begun.Add(-time.Hour), w.begun.Add(-time.Hour)
			if luck.IntN(2) == 0 {
				t.id = cl.id
				if luck.IntN(2) == 0 {
					t.name = t.address // the spec's key, which the cloud does not know
				}
			}
		}
		targets = append(targets, t)
	}
	// A neighbour that nobody manages.
	other := w.cloud.add(w.faults.kinds[0], "neighbour", "ready")
	other.grow("core", 2, defaultSize, nil)
	other.commit()
	other.versions[0].at = w.begun.Add(-time.Hour)
	s.fleet = newFleet(targets)
	if luck.IntN(6) == 0 {
		w.faults.scaler = &autoscaler{cluster: w.cloud.clusters[0], role: roles[luck.IntN(2)], size: 1 + luck.IntN(6),
			every: time.Duration(20+luck.IntN(100)) * time.Second}
	}
	return s
}

// step does something at the scheduler's time.
func (s *script) step(what string, do func()) {
	s.w.park(s.me, what, func() bool { do(); return true })
}

// play is the script's goroutine.
func (s *script) play() {
	s.step("begins", func() {
		s.w.meddle()
		s.w.autoscale()
	})
	var wait sync.WaitGroup
	for i := range s.operators {
		wait.Go(func() { s.operate(fmt.Sprintf("operator %d", i+1)) })
	}
	wait.Wait()
	s.step("calms down", func() {
		s.w.faults.calm()
		s.w.counts[fmt.Sprintf("seeds with at most %d runs at a time", s.w.peak)]++
	})
	s.settle()
	s.step("ends", func() { s.w.over = true })
}

// operate is a person or a pipeline: a few applies, each repeated when its
// process died.
func (s *script) operate(name string) {
	spec := s.fleet
	for round := range s.rounds {
		var pause time.Duration
		s.step(name+" waits", func() {
			pause = s.w.between(0, 40*time.Second)
			if s.together {
				pause /= 100
			}
			if round > 0 && s.w.rolls(0.6) {
				spec = spec.changed(s.w.luck)
				s.fleet = spec
			}
			if s.operators > 1 && s.w.rolls(0.4) {
				spec = spec.changed(s.w.luck)
			}
			if s.operators > 1 && s.w.rolls(0.3) {
				spec = spec.otherwise(s.w.cloud)
			}
			s.mayLose()
		})
		time.Sleep(pause)
		for range 4 {
			if p, _ := s.apply(name, spec, false); !p.dead.Load() {
				break
			}
			time.Sleep(time.Second)
			decides := false
			s.step(name+" comes back", func() {
				s.mayLose()
				decides = !s.naive && s.w.rolls(s.w.faults.decides)
			})
			if decides {
				s.decide(name, spec, false)
			}
		}
	}
}

// decide is a person who runs resolve and does not wait: what cannot be read,
// and in a storm whatever is open, counts as not applied by a word.
func (s *script) decide(name string, spec *fleet, calm bool) {
	var p *process
	s.step(name+" resolves", func() {
		p = s.w.spawn(spec, calm)
		s.w.fault("a person decides")
	})
	a := s.applier(p, nil, 0)
	for _, c := range spec.engine {
		if ev, err := a.Examine(p.ctx, c); err == nil && (ev.Corrupt != nil || !calm) {
			_ = a.Decide(p.ctx, ev, journal.None, "somebody: nothing to be seen")
		}
	}
	s.step(name+" has resolved", func() { p.ended = true })
}

// mayLose loses the store of an operator who is alone. The next run makes a new
// one with --new-store.
func (s *script) mayLose() {
	if s.operators == 1 && s.w.rolls(s.w.faults.lostStore) {
		s.w.fault("store lost")
		s.w.note("STORE LOST", "")
		s.w.disk.lose()
	}
}

// apply is one run of the tool.
func (s *script) apply(name string, spec *fleet, calm bool) (*process, *report) {
	var p *process
	var again *approval
	var think, patience time.Duration
	s.step(name+" applies", func() {
		p = s.w.spawn(spec, calm)
		p.naive = s.naive
		if calm {
			return
		}
		s.w.tell(p.name, "begins, wants %s", spec.words())
		if s.w.rolls(s.w.faults.interrupt) {
			s.w.in(s.w.between(0, 4*time.Minute), "Ctrl-C for "+p.name, p.interrupt)
		}
		if n := len(s.saved); n > 0 && s.w.rolls(0.25) {
			again = s.saved[s.w.luck.IntN(n)]
			p.saved = true
			s.w.fault("saved plan applied again")
		}
		p.storeless = s.w.rolls(0.15)
		if s.w.rolls(0.2) {
			think = s.w.between(0, 3*time.Minute)
		}
		if s.w.rolls(0.3) {
			patience = s.w.between(0, 5*time.Minute)
		}
	})
	var r *report
	if s.naive {
		r = p.runNaive()
	} else {
		r = p.run(s, again, think, patience)
	}
	s.step(p.name+" ended", func() { s.tell(p, r) })
	return p, r
}

// tell counts what a run came to.
func (s *script) tell(p *process, r *report) {
	w := s.w
	p.ended = true
	if !p.dead.Load() && !p.calm {
		w.tell(p.name, "ends")
	}
	w.counts["runs"]++
	switch {
	case p.dead.Load():
		w.counts["run died"]++
		return
	case p.ctx.Err() != nil:
		w.counts["run interrupted"]++
		return
	case r.err != nil:
		w.counts["run failed"]++
		w.note(p.name+" fails", r.err.Error())
		return
	case r.result == nil:
		return
	}
	for _, out := range r.result.Outcomes {
		w.counts["outcome "+string(out.State)]++
		w.note(p.name+" "+out.Address+" "+string(out.Op), string(out.State)+" "+string(out.Verdict))
	}
}
