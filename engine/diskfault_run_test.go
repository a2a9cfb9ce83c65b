package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// trial is one cloud and one store through several processes, of which one
// meets a disk fault.
type trial struct {
	t     *testing.T
	fleet *faultyFleet
	cloud *witness
	entry *Entry
	turns map[string]time.Duration // by cluster's name and journal key

	top   string // holds the disks before and after a power cut
	disks int
	dir   string // of the store
	disk  *faultyDisk
	early bool // the process that leaves a request open
	clean bool // the process meets no fault

	saved     *Plan    // what the process with the fault applied
	asked     []diskOp // of that process
	serial    int      // of the cloud's things in the beginning
	bought    int64    // nodes
	processes int

	mu         sync.Mutex // guards what follows
	sends      int
	unproven   int
	violations []string
}

func newTrial(t *testing.T, f *faultyFleet) *trial {
	r := &trial{t: t, fleet: f, top: t.TempDir(), turns: map[string]time.Duration{}}
	r.cloud = &witness{model: newModel(), run: r, accepted: map[string]int{}, started: map[string]int{}, refused: map[string]int{}, ops: map[string]string{}}
	r.cloud.disk = f.disk
	d, _ := r.cloud.Describe(t.Context())
	r.entry = &Entry{Name: "m", Provider: r.cloud, Description: d, Settings: json.RawMessage(`{"region":"r1"}`)}
	for i, name := range slices.Sorted(maps.Keys(f.after)) {
		id := ""
		if groups := f.before[name]; groups != nil {
			id = "id-of-" + name
			r.cloud.add(id, name, groups)
		}
		turn := time.Duration(i+1) * time.Microsecond
		for _, s := range []string{name, r.entry.identity("", name).Key(), r.entry.identity(id, name).Key()} {
			r.turns[s] = turn
		}
	}
	r.serial = r.cloud.serial
	if err := os.Mkdir(filepath.Join(r.top, "0"), 0o700); err != nil {
		t.Fatal(err)
	}
	r.mount(filepath.Join(r.top, "0"))
	return r
}

// mount goes on with the disk at root, on which everything is durable.
func (r *trial) mount(root string) {
	r.dir = filepath.Join(root, "store")
	p, err := newPlatter(root)
	if err != nil {
		r.t.Fatal(err)
	}
	r.disk = &faultyDisk{platter: p}
}

// align sleeps until a moment at which no other cluster's goroutine wakes up:
// then one runs at a time, always in the same order. What is shared must not
// wait, it is used under a mutex.
func (r *trial) align(path string) {
	key := filepath.Base(path)
	for _, end := range []string{journalTemp, ".json", ".fence"} {
		key = strings.TrimSuffix(key, end)
	}
	if turn, ok := r.turns[key]; ok {
		now := time.Duration(time.Now().Nanosecond()) % time.Millisecond
		time.Sleep((turn - now + time.Millisecond) % time.Millisecond)
	}
}

func (r *trial) violate(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.violations = append(r.violations, fmt.Sprintf(format, args...))
}

// counted notes a send.
func (r *trial) counted(proven bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sends++; !proven {
		r.unproven++
	}
}

// process is one run of apply: with the plan, or where there is none with one
// of its own. It reports that there was nothing to do.
func (r *trial) process(fault diskFault, wanted []*Cluster, plan *Plan) (idle bool) {
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	r.disk = &faultyDisk{platter: r.disk.platter, fault: fault, align: r.align, kill: cancel}
	r.clean = fault.at == 0 && !r.early
	r.processes++
	begun := time.Now()
	idle, err := r.apply(ctx, wanted, plan)
	if r.clean && err != nil {
		r.violate("process %d: %v", r.processes, err)
	}
	if took := time.Since(begun); took > 6*time.Hour {
		r.violate("process %d took %s", r.processes, took)
	}
	if err := errors.Join(r.disk.strange, r.disk.platter.astray()); err != nil {
		r.t.Errorf("the model of the disk is wrong: %v", err)
	}
	return idle
}

func (r *trial) apply(ctx context.Context, wanted []*Cluster, plan *Plan) (idle bool, err error) {
	clear(r.cloud.started)
	clear(r.cloud.refused)
	store, err := journal.OpenFileVia(r.disk.do, r.dir, journal.CreateWait, time.Now())
	if err != nil {
		return false, err
	}
	intents, corrupt, err := store.Open()
	if err == nil && r.clean && len(corrupt) > 0 {
		err = corrupt[0]
	}
	if err != nil {
		return false, err
	}
	a := &Applier{Entries: r.entries(), Store: store, Holder: journal.Self("test", time.Now()), Report: r.heard}
	r.settled(a.SettleOpen(ctx, intents))
	if plan == nil {
		if plan, err = r.plan(ctx, store, wanted); err != nil {
			return false, err
		}
		if !r.clean && !r.early {
			r.saved = plan
		}
	}
	if plan.Empty() || r.disk.isDead() {
		return len(intents) == 0 && len(plan.OpenIntents) == 0, nil
	}
	a = &Applier{Plan: plan, Entries: r.entries(), Store: store, Holder: a.Holder, Report: r.heard}
	result, err := a.Apply(ctx)
	if err != nil {
		if len(r.cloud.started) > 0 {
			r.violate("apply said that nothing was sent (%v) after %v", err, r.cloud.started)
		}
		return false, err
	}
	r.ended(result)
	return false, nil
}

func (r *trial) entries() map[string]*Entry { return map[string]*Entry{"m": r.entry} }

func (r *trial) plan(ctx context.Context, store journal.Store, wanted []*Cluster) (*Plan, error) {
	intents, corrupt, err := store.Open()
	if err != nil {
		return nil, err
	}
	p := &Planner{Entries: r.entries(), SpecDigest: "sha256:spec", Intents: intents, Corrupt: corrupt, Last: store.Last, AllowShrink: true}
	return p.Plan(ctx, wanted)
}

// play goes through one fault and then, without faults, to the end.
func (r *trial) play(fault diskFault) {
	if r.fleet.earlier != nil {
		r.early = true
		r.process(diskFault{}, r.fleet.earlier, nil)
		r.early = false
		r.disk = &faultyDisk{platter: r.disk.platter}
	}
	r.process(fault, r.fleet.wanted, nil)
	r.asked = r.disk.asked
	if fault.cutsPower() && r.disk.isDead() {
		r.cutPower(fault.left)
	}
	if r.saved != nil {
		r.process(diskFault{}, r.fleet.wanted, r.saved) // the approved plan, once more
	}
	const enough = 4
	for n := 0; !r.process(diskFault{}, r.fleet.wanted, nil); n++ {
		if n == enough {
			r.violate("after %d further runs there is still something to do", enough)
			break
		}
	}
	r.audit()
}

// cutPower goes on with what is left.
func (r *trial) cutPower(left remains) {
	r.disks++
	root := filepath.Join(r.top, strconv.Itoa(r.disks))
	if err := r.disk.platter.image(root, left); err != nil {
		r.t.Fatal(err)
	}
	r.mount(root)
}
