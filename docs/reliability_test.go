package docs_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var figures = flag.String("figures", "", "merge the figures in `DIR` into reliability.json")

// proofs is reliability.json: what each proof wrote when it ran, by the name of
// its file. The rendered tables take their numbers from here alone.
type proofs struct {
	Machine struct {
		Go    string `json:"go"`
		OS    string `json:"os"`
		Cores int    `json:"cores"`
	} `json:"machine"`
	Simulation simulated `json:"simulation"`
	Naive      simulated `json:"naive"`
	Wrapped    planted   `json:"wrapped"` // bugs around the engine, in the simulation
	Teeth      planted   `json:"teeth"`   // bugs in the source
	Store      struct {
		Truncations         int            `json:"truncations"`
		TruncationsAccepted int            `json:"truncations_accepted"`
		BitFlips            int            `json:"bit_flips"`
		BitFlipsAccepted    int            `json:"bit_flips_accepted"`
		HistoryCuts         int            `json:"history_truncations"`
		HistoryCutsAccepted int            `json:"history_truncations_accepted"`
		HistoryFlips        int            `json:"history_flips"`
		HistoryAccepted     int            `json:"history_flips_accepted"`
		Failed              map[string]int `json:"failed_operations"`
		PowerCuts           int            `json:"power_cuts"`
		Kills               int            `json:"kills"`
		Processes           int            `json:"killed_processes"`
		Lost                int            `json:"lost"`
	} `json:"store"`
	Disk struct {
		Runs       int `json:"runs"`
		Operations int `json:"operations"`
		Processes  int `json:"processes"`
		Violations int `json:"violations"`
		Sends      int `json:"sends"`
		Undurable  int `json:"sends_without_durable_intent"`
		DoubleBuys int `json:"double_buys"`
	} `json:"disk"`
	Chaos struct {
		Runs            int            `json:"runs"`
		Points          int            `json:"points"`
		Scenarios       int            `json:"scenarios"`
		Kills           map[string]int `json:"kills"`
		ByCloud         map[string]int `json:"by_cloud"`
		ByFault         map[string]int `json:"by_fault"`
		Reruns          int            `json:"reruns"`
		NoChanges       int            `json:"ended_no_changes"`
		NamedStop       int            `json:"ended_named_stop"`
		Accepted        int            `json:"accepted_requests"`
		DoubleBuys      int            `json:"double_buys"`
		Violations      int            `json:"violations"`
		Orphans         int            `json:"orphans"`
		LeftoverLocks   int            `json:"leftover_locks"`
		LeftoverIntents int            `json:"leftover_intents"`
		Secrets         int            `json:"secrets_found"`
	} `json:"chaos"`
	AtOnce struct {
		Rounds   int              `json:"rounds"`
		Applies  int              `json:"applies"`
		ByNumber map[string]round `json:"by_number"`
	} `json:"atonce"`
}

type simulated struct {
	Seeds      int            `json:"seeds"`
	PerMinute  int            `json:"seeds_per_minute"`
	PerCore    int            `json:"seeds_per_minute_of_one_core"`
	Cores      int            `json:"cores"`
	Violations int            `json:"violations"`
	Doubles    int            `json:"seeds_with_a_double_buy"`
	Counts     map[string]int `json:"counts"`
	Trace      struct {
		Seed  int      `json:"seed"`
		Lines []string `json:"lines"`
	} `json:"naive_trace"`
}

type planted struct {
	Planted int `json:"planted"`
	Caught  int `json:"caught"`
	Bugs    []struct {
		Bug    string   `json:"bug"`
		File   string   `json:"file"`
		Caught []string `json:"caught_by"`
	} `json:"bugs"`
}

type round struct {
	Rounds     int     `json:"rounds"`
	Overlaps   int     `json:"overlaps"`
	DoubleBuys int     `json:"double_buys"`
	Losers     int     `json:"losers"`
	Told       int     `json:"told_holder"`
	Median     float64 `json:"told_ms_median"`
	Max        float64 `json:"told_ms_max"`
}

// TestReliability: the tables in reliability.md and the README are those of
// reliability.json. With -update they are rewritten, from new figures where
// -figures says where those are.
func TestReliability(t *testing.T) {
	const name = "reliability.json"
	parts := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(read(t, name)), &parts); err != nil {
		t.Fatal(err)
	}
	if *figures != "" {
		merge(t, parts, *figures)
	}
	merged, err := json.MarshalIndent(parts, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *figures != "" && *update {
		if err := os.WriteFile(name, append(merged, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var p proofs
	if err := json.Unmarshal(merged, &p); err != nil {
		t.Fatal(err)
	}
	marked(t, "reliability.md", "summary", p.summary())
	marked(t, "reliability.md", "faults", p.faults())
	marked(t, "reliability.md", "grid", p.grid())
	marked(t, "reliability.md", "teeth", p.teeth())
	marked(t, "reliability.md", "naive", p.trace())
	marked(t, "../README.md", "reliability", p.short())
	marked(t, "../README.zh-CN.md", "reliability", inChinese(p.short()))
}

// merge takes each proof's file under its name. A proof that was not run keeps
// its earlier figures.
func merge(t *testing.T, parts map[string]json.RawMessage, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no figures in %s: %v", dir, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b) {
			t.Fatalf("%s is no JSON", file)
		}
		parts[strings.TrimSuffix(filepath.Base(file), ".json")] = bytes.TrimSpace(b)
	}
	machine, err := json.Marshal(map[string]any{"go": runtime.Version(), "os": runtime.GOOS + "/" + runtime.GOARCH, "cores": runtime.NumCPU()})
	if err != nil {
		t.Fatal(err)
	}
	parts["machine"] = machine
}

// marked demands that text stands between the marks of that name in a
// document, or puts it there.
func marked(t *testing.T, document, mark, text string) {
	t.Helper()
	begin, end := "<!-- "+mark+":begin -->\n", "<!-- "+mark+":end -->"
	content := read(t, document)
	before, rest, begins := strings.Cut(content, begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no marks %s and %s", document, strings.TrimSpace(begin), end)
	}
	want := before + begin + text + end + after
	switch {
	case want == content:
	case !*update:
		t.Errorf("%s does not show the figures of reliability.json: run go test ./docs -update", document)
	default:
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReliabilityIsWhole: the figures are of full runs, and say what the README
// says of them.
func TestReliabilityIsWhole(t *testing.T) {
	var p proofs
	if err := json.Unmarshal([]byte(read(t, "reliability.json")), &p); err != nil {
		t.Fatal(err)
	}
	type figure struct {
		name       string
		got, least int
	}
	for _, f := range []figure{
		{"simulated seeds", p.Simulation.Seeds, 100_000},
		{"seeds of the naive engine", p.Naive.Seeds, 3_000},
		{"double buys of the naive engine", p.Naive.Doubles, 1},
		{"runs of the crash grid", p.Chaos.Runs, 1_000},
		{"flipped bits of intents", p.Store.BitFlips, 100_000},
		{"planted bugs", p.Teeth.Planted, 20},
		{"runs on a failing disk", p.Disk.Runs, 1_000},
		{"rounds of concurrent applies", p.AtOnce.Rounds, 3},
	} {
		if f.got < f.least {
			t.Errorf("%s: %d, want at least %d: run make reliability", f.name, f.got, f.least)
		}
	}
	zero := map[string]int{
		"violations in the simulation": p.Simulation.Violations, "double buys in the simulation": p.Simulation.Doubles,
		"violations in the crash grid": p.Chaos.Violations, "double buys in the crash grid": p.Chaos.DoubleBuys,
		"orphans": p.Chaos.Orphans, "leftover locks": p.Chaos.LeftoverLocks, "leftover intents": p.Chaos.LeftoverIntents,
		"secrets found": p.Chaos.Secrets, "truncations accepted": p.Store.TruncationsAccepted, "flipped bits accepted": p.Store.BitFlipsAccepted,
		"flipped bits of history accepted": p.Store.HistoryAccepted, "lost by the store": p.Store.Lost,
		"sends without a durable intent": p.Disk.Undurable, "double buys on a failing disk": p.Disk.DoubleBuys, "violations on a failing disk": p.Disk.Violations,
		"bugs that nothing caught": p.Teeth.Planted - p.Teeth.Caught + p.Wrapped.Planted - p.Wrapped.Caught,
	}
	for _, n := range slices.Sorted(maps.Keys(p.AtOnce.ByNumber)) {
		r := p.AtOnce.ByNumber[n]
		zero[n+" at once: overlaps"], zero[n+" at once: double buys"], zero[n+" at once: losers not told"] = r.Overlaps, r.DoubleBuys, r.Losers-r.Told
	}
	for _, what := range slices.Sorted(maps.Keys(zero)) {
		if zero[what] != 0 {
			t.Errorf("%s: %d", what, zero[what])
		}
	}
}

// number has groups of thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func row(b *strings.Builder, cells ...any) {
	for _, c := range cells {
		if n, ok := c.(int); ok {
			c = number(n)
		}
		fmt.Fprintf(b, "| %v ", c)
	}
	b.WriteString("|\n")
}
