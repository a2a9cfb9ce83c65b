package simulation

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// fleet is a spec.
type fleet struct {
	clusters []*target
	engine   []*engine.Cluster
}

// target is one cluster as a spec wants it; a count below zero and a size of
// zero are unmanaged.
type target struct {
	address, id, name, kind string
	core, task, cpu         int64
	chooses                 bool
}

func (f *fleet) cluster(address string) *target {
	for _, t := range f.clusters {
		if t.address == address {
			return t
		}
	}
	return nil
}

func (t *target) manages(group string) bool {
	return group == "core" || group == "task" && t.task >= 0
}

func (t *target) cluster() *engine.Cluster {
	core := map[string]any{"count": t.core}
	if t.cpu > 0 {
		core["cpu"] = t.cpu
	}
	groups := map[string]any{"core": core}
	if t.task >= 0 {
		groups["task"] = map[string]any{"count": t.task}
	}
	spec := map[string]any{"node_groups": groups}
	if t.chooses {
		spec["cloud_chooses"] = true
	}
	raw, _ := json.Marshal(spec)
	return &engine.Cluster{
		Desired: provider.Desired{Address: t.address, Kind: t.kind, ID: t.id, Name: t.name, Spec: raw},
		Entry:   pluginName, Meanings: provider.Meanings{"cloud_chooses": provider.Param},
		Source: func(path string) string { return "fleet.cue:" + path },
	}
}

func newFleet(targets []*target) *fleet {
	f := &fleet{clusters: targets}
	for _, t := range targets {
		f.engine = append(f.engine, t.cluster())
	}
	return f
}

// changed is the same fleet after somebody edited the spec.
func (f *fleet) changed(luck *rand.Rand) *fleet {
	var targets []*target
	for _, t := range f.clusters {
		c := *t
		if luck.IntN(2) == 0 {
			c.core = max(1, c.core+int64(luck.IntN(7))-3)
		}
		if c.task >= 0 && luck.IntN(2) == 0 {
			c.task = int64(luck.IntN(6))
		}
		if c.cpu > 0 && luck.IntN(3) == 0 {
			c.cpu = []int64{2, 4, 8}[luck.IntN(3)]
		}
		targets = append(targets, &c)
	}
	return newFleet(targets)
}

// otherwise names the clusters that exist by id where they were named by name,
// and the other way round, as another team's spec may.
func (f *fleet) otherwise(c *cloud) *fleet {
	var targets []*target
	for _, t := range f.clusters {
		other := *t
		other.id = ""
		for _, cl := range c.clusters {
			if t.id == "" && cl.name == t.name && !cl.gone {
				other.id = cl.id
			}
		}
		targets = append(targets, &other)
	}
	return newFleet(targets)
}

// faults are how unkind one seed is.
type faults struct {
	kinds     []traits
	crash     float64 // per step
	disk      float64 // per write or read
	reads     float64
	sends     float64
	slow      float64
	stale     float64
	duplicate float64
	interrupt float64 // per run
	decides   float64 // a person does, after a run that died
	failing   float64 // jobs that do not end whole
	jobs      time.Duration
	foreign   time.Duration // between two changes by others; 0: none
	lostStore float64       // per run that died, and per round
	rot       float64       // per intent and power cut
	scaler    *autoscaler   // nil: none
}

// calm ends the faults; what is under way goes on.
func (f *faults) calm() {
	*f = faults{kinds: f.kinds, jobs: f.jobs}
}

// level draws how often something goes wrong: often never, sometimes a lot.
func level(luck *rand.Rand, high float64) float64 {
	switch luck.IntN(3) {
	case 0:
		return 0
	case 1:
		return high / 5
	}
	return high
}

func drawFaults(luck *rand.Rand) faults {
	f := faults{
		crash: level(luck, 0.02), disk: level(luck, 0.02), reads: level(luck, 0.15), sends: level(luck, 0.8),
		slow: level(luck, 0.3), stale: level(luck, 0.9), duplicate: level(luck, 0.3), interrupt: level(luck, 0.3), decides: level(luck, 0.2),
		failing: level(luck, 0.5), jobs: time.Duration(4+luck.IntN(80)) * time.Second, lostStore: level(luck, 0.1), rot: level(luck, 0.05),
	}
	if luck.IntN(2) == 0 {
		f.foreign = time.Duration(15+luck.IntN(200)) * time.Second
	}
	for i := range 3 {
		t := traits{kind: fmt.Sprintf("k%d", i), handles: luck.IntN(3) > 0, tasks: luck.IntN(2) == 0}
		t.lists = t.handles && luck.IntN(2) == 0
		t.stages, t.raises = luck.IntN(3) == 0, luck.IntN(4) == 0
		t.window = []time.Duration{time.Minute, time.Minute, 2 * time.Minute, 5 * time.Minute}[luck.IntN(4)]
		t.lag = []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, time.Minute}[luck.IntN(4)]
		f.kinds = append(f.kinds, t)
	}
	return f
}

func (w *world) kindOf(name string) traits {
	for _, t := range w.faults.kinds {
		if t.kind == name {
			return t
		}
	}
	panic("no kind " + name)
}

// traitsOf are those of the cluster that a request is about.
func (w *world) traitsOf(b body) traits {
	for _, cl := range w.cloud.clusters {
		if cl.id == b.Cluster {
			return cl.traits
		}
	}
	if b.Kind == "" {
		return w.faults.kinds[0] // it names no cluster that is there
	}
	return w.kindOf(b.Kind)
}

// windowOf is how long the cloud takes a request.
func (w *world) windowOf(b body) time.Duration {
	t := w.traitsOf(b)
	if t.raises && b.Op == provider.OpScaleOut {
		return 2 * t.window
	}
	return t.window
}

// fate draws how a job ends.
func (w *world) fate() fate {
	if !w.rolls(w.faults.failing) {
		return whole
	}
	f := fate(1 + w.luck.IntN(3))
	w.fault(map[fate]string{part: "job ends in part", nothing: "job fails", rolledBack: "job to be rolled back"}[f])
	return f
}
