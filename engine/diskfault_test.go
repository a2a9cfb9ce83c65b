package engine

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine/journal"
)

var (
	allFaults = flag.Bool("all-faults", false, "let every disk operation go wrong in every way")
	reportTo  = flag.String("report", "", "write the figures of the disk faults to `FILE` as JSON")
)

// faultyFleet is what a sweep applies, and what must have come of it in the end.
type faultyFleet struct {
	name    string
	disk    int64 // of the cloud's new nodes
	before  map[string]map[string]int
	earlier []*Cluster // what a process sent that died in the send
	wanted  []*Cluster
	after   map[string]map[string]int
	sends   []string // each is accepted once
	buys    int64
}

var faultyFleets = []*faultyFleet{
	{
		name:   "a new store",
		disk:   50,
		before: map[string]map[string]int{"both": {"core": 3, "task": 4}, "held": {"core": 3}},
		wanted: []*Cluster{
			want("both", growAndShrink),
			want("held", toFive),
			want("new", `{"node_groups": {"core": {"count": 2, "disk": 100}}}`),
		},
		after: map[string]map[string]int{"both": {"core": 5, "task": 2}, "held": {"core": 5}, "new": {"core": 2}},
		sends: []string{lostOnce, "scale_out both/core", heldBack, "create new", "resize new/core"},
		buys:  6,
	},
	{
		name:    "a request is open",
		before:  map[string]map[string]int{"early": {"core": 3}, "picks": {"task": 4}, "size": {"core": 3}, "slow": {"core": 3}},
		earlier: []*Cluster{want("early", toFive)},
		wanted: []*Cluster{
			want("early", toFive),
			want("picks", `{"node_groups": {"task": {"count": 2}}}`),
			want("size", `{"node_groups": {"core": {"cpu": 4}}}`),
			want("slow", toFive),
		},
		after: map[string]map[string]int{"early": {"core": 5}, "picks": {"task": 2}, "size": {"core": 3}, "slow": {"core": 5}},
		sends: []string{lastWord, "scale_in picks/task", "resize size/core", slowDown},
		buys:  4,
	},
}

// diskErrors are what a disk says.
var diskErrors = []struct {
	name  string
	errno syscall.Errno
}{{"ENOSPC", syscall.ENOSPC}, {"EIO", syscall.EIO}, {"EROFS", syscall.EROFS}}

// faultsAt are all the ways in which operation n can go wrong.
func faultsAt(n int, op journal.Op) []diskFault {
	var faults []diskFault
	for _, e := range diskErrors {
		for _, mode := range []faultMode{undone, doneFails, forever, halfFails} {
			faults = append(faults, diskFault{at: n, mode: mode, errno: e.errno})
		}
	}
	for _, mode := range []faultMode{diesBefore, diesAfter, diesHalf} {
		faults = append(faults, diskFault{at: n, mode: mode})
	}
	for _, left := range everyRemains {
		for _, mode := range []faultMode{cutBefore, cutAfter} {
			faults = append(faults, diskFault{at: n, mode: mode, left: left})
		}
	}
	if op == journal.OpWrite {
		return faults
	}
	return slices.DeleteFunc(faults, func(f diskFault) bool { return f.mode == halfFails || f.mode == diesHalf })
}

// diskFigures are what came of a sweep.
type diskFigures struct {
	Runs       int            `json:"runs"`
	Operations int            `json:"operations"`
	ByErrno    map[string]int `json:"by_errno"`
	ByMode     map[string]int `json:"by_mode"`
	ByOp       map[string]int `json:"by_operation"`
	Processes  int            `json:"processes"`
	Sends      int            `json:"sends"`
	Unproven   int            `json:"sends_without_durable_intent"`
	Planned    int64          `json:"nodes_planned"`
	Bought     int64          `json:"nodes_bought"`
	Doubles    int            `json:"double_buys"`
	Violations int            `json:"violations"`

	mu sync.Mutex
}

func (f *diskFigures) add(r *trial, fault diskFault, op journal.Op) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Runs++
	f.ByMode[string(fault.mode)]++
	f.ByOp[string(op)]++
	for _, e := range diskErrors {
		if e.errno == fault.errno {
			f.ByErrno[e.name]++
		}
	}
	f.Processes += r.processes
	f.Sends += r.sends
	f.Unproven += r.unproven
	f.Planned += r.fleet.buys
	f.Bought += r.bought
	for _, n := range r.cloud.accepted {
		if n > 1 {
			f.Doubles++
		}
	}
	f.Violations += len(r.violations)
}

// TestNoSendWithoutADurableIntent lets every disk operation of a whole apply go
// wrong. At each send the platter has its intent; what is told is true; and
// further runs come to an end with every action carried out once.
func TestNoSendWithoutADurableIntent(t *testing.T) {
	figures := &diskFigures{ByErrno: map[string]int{}, ByMode: map[string]int{}, ByOp: map[string]int{}}
	t.Run("fleets", func(t *testing.T) {
		for _, f := range faultyFleets {
			t.Run(f.name, func(t *testing.T) { sweep(t, f, figures) })
		}
	})
	b, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", b)
	if *reportTo != "" {
		if err := os.WriteFile(*reportTo, append(b, '\n'), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// sweep counts the operations of a run without faults, and then lets each fail.
func sweep(t *testing.T, f *faultyFleet, figures *diskFigures) {
	var asked []diskOp
	for range 2 {
		r := playTrial(t, f, diskFault{at: 1 << 30, mode: undone})
		if again := r.asked; asked != nil && !slices.Equal(asked, again) {
			t.Fatalf("two runs without a fault differ:\n%s", gocmp.Diff(asked, again))
		}
		asked = r.asked
	}
	figures.Operations += len(asked)
	faults := chosen(asked)
	var next atomic.Int64
	t.Run("faults", func(t *testing.T) {
		for range 2 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for i := next.Add(1) - 1; i < int64(len(faults)); i = next.Add(1) - 1 {
					fault := faults[i]
					r := playTrial(t, f, fault)
					if len(r.asked) < fault.at || !slices.Equal(r.asked[:fault.at], asked[:fault.at]) {
						t.Errorf("%s: operation %d was not reached as counted", f.name, fault.at)
					}
					figures.add(r, fault, asked[fault.at-1].Op)
				}
			})
		}
	})
}

// chosen are the faults to try: all, or at every write and every few other
// operations one, each time in another way.
func chosen(asked []diskOp) (faults []diskFault) {
	every, met := 3, map[journal.Op]int{}
	if raceDetector {
		every = 29 // it takes ten times as long, and the order is the same
	}
	for i, op := range asked {
		all := faultsAt(i+1, op.Op)
		switch {
		case *allFaults:
			faults = append(faults, all...)
		case i%every == 0, op.Op == journal.OpWrite && !raceDetector:
			faults = append(faults, all[met[op.Op]*5%len(all)])
			met[op.Op]++
		}
	}
	return faults
}

// playTrial plays one fault on its own clock and disk.
func playTrial(t *testing.T, f *faultyFleet, fault diskFault) *trial {
	t.Helper()
	var r *trial
	synctest.Test(t, func(t *testing.T) {
		r = newTrial(t, f)
		r.play(fault)
	})
	for _, v := range r.violations {
		t.Errorf("%s, %s: %s", f.name, fault, v)
	}
	return r
}

func (f diskFault) String() string {
	s := fmt.Sprintf("operation %d %s", f.at, f.mode)
	switch {
	case f.cutsPower():
		s += " (" + f.left.String() + ")"
	case !f.kills():
		s += " (" + f.errno.Error() + ")"
	}
	return s
}
