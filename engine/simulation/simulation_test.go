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
	write = flag.String("report", "", "write the figures to `FILE` as JSON")
)

// figures are what came of many seeds.
type figures struct {
	Engine     string         `json:"engine"`
	First      uint64         `json:"first_seed"`
	Seeds      uint64         `json:"seeds"`
	PerMinute  int            `json:"seeds_per_minute"`
	Cores      int            `json:"cores"`
	Steps      int            `json:"steps"`
	Violations int            `json:"violations"`
	Failed     []uint64       `json:"failed_seeds"`
	Doubles    int            `json:"seeds_with_a_double_buy"`
	Counts     map[string]int `json:"counts"`

	shortest     uint64 // the seed with a double buy that takes the fewest steps
	shortestSize int
}

// playAll plays seeds on all cores.
func playAll(t *testing.T, o options) *figures {
	if raceDetector && *seeds == usualSeeds {
		*seeds /= 10 // it finds races as well in a few, and takes fifteen times as long
	}
	f := &figures{Engine: "clusterctl", First: *first, Seeds: *seeds, Cores: runtime.GOMAXPROCS(0), Failed: []uint64{}, Counts: map[string]int{}}
	if o.naive {
		f.Engine = "naive"
	}
	begun := time.Now()
	var next atomic.Uint64
	var mu sync.Mutex
	t.Run("seeds", func(t *testing.T) {
		for range f.Cores {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for {
					n := next.Add(1) - 1
					if n >= f.Seeds {
						return
					}
					w := runSeed(t, f.First+n, o)
					mu.Lock()
					f.add(f.First+n, w)
					mu.Unlock()
				}
			})
		}
	})
	slices.Sort(f.Failed)
	f.PerMinute = int(float64(f.Seeds) / time.Since(begun).Minutes())
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
		if f.shortestSize == 0 || w.steps < f.shortestSize || w.steps == f.shortestSize && seed < f.shortest {
			f.shortest, f.shortestSize = seed, w.steps
		}
	}
}

func (f *figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "engine %s: seeds %d to %d, %d a minute on %d cores, %d steps\n", f.Engine, f.First, f.First+f.Seeds-1, f.PerMinute, f.Cores, f.Steps)
	for _, what := range slices.Sorted(maps.Keys(f.Counts)) {
		fmt.Fprintf(&b, "%9d  %s\n", f.Counts[what], what)
	}
	fmt.Fprintf(&b, "%9d  violations, in %d seeds\n", f.Violations, len(f.Failed))
	fmt.Fprintf(&b, "%9d  seeds with a double buy", f.Doubles)
	return b.String()
}

func (f *figures) save(t *testing.T) {
	if *write == "" {
		return
	}
	b, err := json.MarshalIndent(f, "", "  ")
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
	t.Log(f)
	f.save(t)
}

// mustHappen is what a thousand seeds have to contain to be worth their name.
var mustHappen = []string{
	"fault process killed", "fault power cut", "fault disk refuses", "fault fsync fails", "fault intent file rots", "fault store lost",
	"fault read fails", "fault stale read", "fault slow message", "fault plugin hangs", "fault plugin dies in the call", "fault plugin signs late",
	"fault request lost", "fault request unsent", "fault request held", "fault arrived after its window", "fault request duplicated",
	"fault duplicate refused", "fault answer lost", "fault 5xx before", "fault 5xx after", "fault throttled or refused",
	"fault job fails, in part or whole", "fault foreign change", "fault interrupt", "fault saved plan applied again", "fault a person decides",
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
	if f.Doubles > 0 {
		t.Logf("again: %s", again("TestNaive", f.shortest))
		t.Logf("the shortest double buy, seed %d:\n%s", f.shortest, traceOf(t, f.shortest, options{naive: true}))
	}
	t.Log(f)
	f.save(t)
}

// TestSameSeedSameTrace: the seed decides everything, also which lines are kept
// changes nothing.
func TestSameSeedSameTrace(t *testing.T) {
	sums := map[uint64]uint64{}
	for seed := uint64(1); seed <= 200; seed++ {
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
	if len(different) < 190 {
		t.Errorf("200 seeds have %d traces", len(different))
	}
}
