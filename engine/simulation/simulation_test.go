package simulation

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const usualSeeds = 3000

var (
	seeds = flag.Uint64("seeds", usualSeeds, "how many seeds to play")
	first = flag.Uint64("first", 1, "the first of them")
	show  = flag.Bool("show", false, "print the trace of every seed")
	stop  = flag.Bool("stop", false, "stop at the first violation and print one line")
	write = flag.String("report", "", "write the figures to `FILE` as JSON")
)

// figures are what came of many seeds.
type figures struct {
	Engine     string         `json:"engine"`
	First      uint64         `json:"first_seed"`
	Seeds      uint64         `json:"seeds"`
	PerMinute  int            `json:"seeds_per_minute"`
	Cores      int            `json:"cores"`
	PerCore    int            `json:"seeds_per_minute_of_one_core"` // by processor time
	Steps      int            `json:"steps"`
	Violations int            `json:"violations"`
	Failed     []uint64       `json:"failed_seeds"`
	Doubles    int            `json:"seeds_with_a_double_buy"`
	Counts     map[string]int `json:"counts"`
	Trace      *shrunk        `json:"naive_trace,omitempty"`

	doubles []uint64 // the first seeds with one
}

// playAll plays seeds on all cores.
func playAll(t *testing.T, o options) *figures {
	f := &figures{Engine: "clusterctl", First: *first, Seeds: *seeds, Cores: runtime.GOMAXPROCS(0), Failed: []uint64{}, Counts: map[string]int{}}
	if o.naive {
		f.Engine = "naive"
	}
	if f.Seeds == usualSeeds && *write == "" {
		if o.naive {
			f.Seeds /= 10 // it need not be shown each time
		} else if raceDetector {
			f.Seeds /= 10 // it finds races as well in a few, and takes fifteen times as long
		}
	}
	begun, used := time.Now(), worked()
	var next atomic.Uint64
	var stopped atomic.Bool
	var mu sync.Mutex
	t.Run("seeds", func(t *testing.T) {
		for range f.Cores {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for {
					n := next.Add(1) - 1
					if n >= f.Seeds || stopped.Load() {
						return
					}
					w := runSeed(t, f.First+n, o)
					if *stop && len(w.violations) > 0 {
						stopped.Store(true) // all seeds before this one are under way, so the first is among them
					}
					mu.Lock()
					f.add(f.First+n, w)
					mu.Unlock()
				}
			})
		}
	})
	slices.Sort(f.Failed)
	slices.Sort(f.doubles)
	f.PerMinute = int(float64(f.Seeds) / time.Since(begun).Minutes())
	if used = worked() - used; used > 0 {
		f.PerCore = int(float64(f.Seeds) / used.Minutes())
	}
	return f
}

func (f *figures) add(seed uint64, w *world) {
	for what, n := range w.counts {
		f.Counts[what] += n
	}
	f.Steps += w.steps
	f.Violations += len(w.violations)
	if len(w.violations) > 0 {
		f.Failed = append(f.Failed, seed)
	}
	if w.counts["double buys"] > 0 {
		f.Doubles++
		f.doubles = append(f.doubles, seed)
	}
}

func (f *figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "engine %s: seeds %d to %d, %d a minute on %d cores, %d a minute of one core, %d steps\n",
		f.Engine, f.First, f.First+f.Seeds-1, f.PerMinute, f.Cores, f.PerCore, f.Steps)
	for _, what := range slices.Sorted(maps.Keys(f.Counts)) {
		fmt.Fprintf(&b, "%9d  %s\n", f.Counts[what], what)
	}
	fmt.Fprintf(&b, "%9d  violations, in %d seeds\n", f.Violations, len(f.Failed))
	fmt.Fprintf(&b, "%9d  seeds with a double buy", f.Doubles)
	return b.String()
}

// save writes what a proof found where -report wants it.
func save(t *testing.T, found any) {
	if *write == "" {
		return
	}
	b, err := json.MarshalIndent(found, "", "  ")
	if err == nil {
		err = os.WriteFile(*write, append(b, '\n'), 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

// again is the command that plays one seed.
func again(name string, seed uint64) string {
	return fmt.Sprintf("go test ./engine/simulation -run '^%s$' -seeds 1 -first %d -show -v", name, seed)
}

// traceOf plays a seed once more and keeps every line.
func traceOf(t *testing.T, seed uint64, o options) string {
	o.keep = true
	return strings.Join(runSeed(t, seed, o).lines, "\n")
}

// fullTraces bounds how many failing seeds are printed whole.
const fullTraces = 3

func TestSimulation(t *testing.T) {
	f := playAll(t, options{})
	if *stop {
		if len(f.Failed) > 0 {
			seed := f.Failed[0]
			v := runSeed(t, seed, options{}).violations[0]
			t.Fatalf("violation: %s, seed %d: %s", v.rule, seed, v.text)
		}
		return
	}
	for i, seed := range f.Failed {
		for _, v := range runSeed(t, seed, options{}).violations {
			t.Errorf("seed %d: %s: %s", seed, v.rule, v.text)
		}
		t.Logf("again: %s", again("TestSimulation", seed))
		if i < fullTraces && !*show {
			t.Logf("trace of seed %d:\n%s", seed, traceOf(t, seed, options{}))
		}
	}
	if *show {
		for n := range f.Seeds {
			t.Logf("trace of seed %d:\n%s", f.First+n, traceOf(t, f.First+n, options{}))
		}
	}
	if f.Doubles > 0 {
		t.Errorf("%d seeds with a double buy", f.Doubles)
	}
	if f.Seeds >= 1000 {
		for _, what := range mustHappen {
			if f.Counts[what] == 0 {
				t.Errorf("%q never happened: the seeds do not try it", what)
			}
		}
	}
	if *write != "" && f.PerCore > 0 && f.PerCore < leastPerCore {
		t.Errorf("%d seeds in a minute of one core, want %d", f.PerCore, leastPerCore)
	}
	t.Log(f)
	save(t, f)
}

// leastPerCore is how many seeds one core has to play in a minute for a night
// to be long enough.
const leastPerCore = 2000

// mustHappen is what a thousand seeds have to contain to be worth their name.
var mustHappen = []string{
	"fault process killed", "fault power cut", "fault disk refuses", "fault fsync fails", "fault intent file rots", "fault store lost",
	"fault read fails", "fault stale read", "fault flapping read", "fault counter and list differ", "fault slow message", "fault answer after the deadline", "fault plugin hangs", "fault plugin dies in the call", "fault plugin signs late",
	"fault request lost", "fault request unsent", "fault request held", "fault arrived after its window", "fault request duplicated",
	"fault duplicate refused", "fault answer lost", "fault 5xx before", "fault 5xx after", "fault throttled or refused",
	"fault job ends in part", "fault job fails", "fault job rolled back after half its work",
	"fault foreign change", "fault autoscaler acts", "fault interrupt", "fault saved plan applied again", "fault a person decides",
	"crash before open", "crash after open", "crash before intent", "crash after intent", "crash before last", "crash after last",
	"crash before lock", "crash after lock", "crash before put", "crash with the temporary file written", "crash after the rename", "crash after put",
	"crash before a read", "crash after a read", "crash before the send", "crash with the request sent", "crash before the answer is read",
	"crash before close", "crash in the middle of a line", "crash with the line written", "crash between history and the removal",
	"crash after the removal", "crash after close",
	"seeds with at most 1 runs at a time", "seeds with at most 2 runs at a time", "seeds with at most 3 runs at a time",
	"seeds with at most 4 runs at a time", "seeds with at most 5 runs at a time", "seeds with at most 6 runs at a time",
	"seeds with at most 7 runs at a time", "seeds with at most 8 runs at a time",
	"lock held", "verdict done", "verdict partial", "verdict none", "verdict drifted",
	"outcome applied", "outcome fell_short", "outcome failed", "outcome stale", "outcome locked", "outcome held", "outcome unknown",
}

// TestNaive plays the same seeds with the obvious engine. That it buys twice
// shows that the seeds are hard and that the counter counts.
func TestNaive(t *testing.T) {
	f := playAll(t, options{naive: true})
	if f.Doubles == 0 && f.Seeds >= 100 {
		t.Error("the naive engine never bought twice: the seeds are too kind")
	}
	toShrink := 5
	if *write != "" {
		toShrink = 300
	}
	if f.Trace = shortest(t, f.doubles[:min(len(f.doubles), toShrink)]); f.Trace != nil {
		f.Trace.judge(t)
		t.Logf("again: %s", again("TestNaive", f.Trace.Seed))
		t.Logf("the shortest double buy, seed %d, with nothing wrong but %s:\n%s", f.Trace.Seed, strings.Join(f.Trace.Faults, ", "), strings.Join(f.Trace.Lines, "\n"))
	}
	t.Log(f)
	save(t, f)
}

// TestSameSeedSameTrace: the seed decides everything, also which lines are kept
// changes nothing.
func TestSameSeedSameTrace(t *testing.T) {
	sums := map[uint64]uint64{}
	for seed := uint64(1); seed <= 100; seed++ {
		for _, o := range []options{{}, {}, {keep: true}} {
			w := runSeed(t, seed, o)
			if want, ok := sums[seed]; ok && w.sum != want {
				t.Fatalf("seed %d: trace %x and then %x", seed, want, w.sum)
			}
			sums[seed] = w.sum
		}
	}
	different := map[uint64]bool{}
	for _, sum := range sums {
		different[sum] = true
	}
	if len(different) < 95 {
		t.Errorf("100 seeds have %d traces", len(different))
	}
}
