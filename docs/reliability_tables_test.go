package docs_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// summary is one row per proof.
func (p *proofs) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Machine: %d cores, %s, %s.\n\n", p.Machine.Cores, p.Machine.OS, p.Machine.Go)
	b.WriteString("| proof | size | what was found |\n|---|---|---|\n")
	row(&b, "simulation, this engine (`make sim`)", fmt.Sprintf("%s seeds, %s a minute on %d cores (%s on one, by processor time); %s requests", number(p.Simulation.Seeds),
		number(p.Simulation.PerMinute), p.Simulation.Cores, number(p.Simulation.PerCore), number(p.Simulation.Counts["requests"])),
		fmt.Sprintf("%d double buys, %d violations", p.Simulation.Doubles, p.Simulation.Violations))
	row(&b, "simulation, naive engine, same seeds", number(p.Naive.Seeds)+" seeds",
		fmt.Sprintf("double buys in %s seeds (%.1f %%)", number(p.Naive.Doubles), percent(p.Naive.Doubles, p.Naive.Seeds)))
	c := &p.Chaos
	row(&b, "crash grid, real processes (`make chaos`)", fmt.Sprintf("%s runs at %s stop points of %d scenarios; %s kills, %s re-runs",
		number(c.Runs), number(c.Points), c.Scenarios, number(sum(c.Kills)), number(c.Reruns)),
		fmt.Sprintf("%d double buys, %d violations; %d orphans, %d locks, %d open requests left; %d secrets found",
			c.DoubleBuys, c.Violations, c.Orphans, c.LeftoverLocks, c.LeftoverIntents, c.Secrets))
	row(&b, "apply on a failing disk", fmt.Sprintf("%s runs, each of %s operations failing, or the last, or before a power cut; %s processes, %s sends",
		number(p.Disk.Runs), number(p.Disk.Operations), number(p.Disk.Processes), number(p.Disk.Sends)),
		fmt.Sprintf("%d sends without a durable record, %d double buys", p.Disk.Undurable, p.Disk.DoubleBuys))
	s := &p.Store
	row(&b, "store: damaged files", fmt.Sprintf("%s truncations and %s random bit flips of open requests; %s cuts and %s flips of history",
		number(s.Truncations), number(s.BitFlips), number(s.HistoryCuts), number(s.HistoryFlips)),
		fmt.Sprintf("%d accepted silently", s.TruncationsAccepted+s.BitFlipsAccepted+s.HistoryCutsAccepted+s.HistoryAccepted))
	row(&b, "store: failing disk", fmt.Sprintf("%s failed operations (%s), %s power cuts, %s kills, %s of them of processes", number(sum(s.Failed)),
		strings.Join(slices.Sorted(maps.Keys(s.Failed)), ", "), number(s.PowerCuts), number(s.Kills+s.Processes), number(s.Processes)), fmt.Sprintf("%d records lost", s.Lost))
	for _, n := range slices.Sorted(maps.Keys(p.AtOnce.ByNumber)) {
		r := p.AtOnce.ByNumber[n]
		row(&b, n+" applies at once, one store", fmt.Sprintf("%s rounds, %s losers", number(r.Rounds), number(r.Losers)),
			fmt.Sprintf("%d overlapping requests, %d double buys; %s told who holds the lock, median %.2f s, longest %.2f s after their start",
				r.Overlaps, r.DoubleBuys, number(r.Told), r.Median/1000, r.Max/1000))
	}
	row(&b, "planted bugs (`make teeth`)", fmt.Sprintf("%d in the source, %d around the engine", p.Teeth.Planted, p.Wrapped.Planted),
		fmt.Sprintf("%d and %d caught", p.Teeth.Caught, p.Wrapped.Caught))
	return b.String()
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// faults is how often each thing happened in the simulation.
func (p *proofs) faults() string {
	var b strings.Builder
	b.WriteString("| what | this engine | naive engine |\n|---|--:|--:|\n")
	both := maps.Clone(p.Simulation.Counts)
	if both == nil {
		both = map[string]int{}
	}
	maps.Copy(both, p.Naive.Counts)
	for _, what := range slices.Sorted(maps.Keys(both)) {
		row(&b, what, p.Simulation.Counts[what], p.Naive.Counts[what])
	}
	return b.String()
}

// grid is the crash grid's runs by cloud, fault and victim.
func (p *proofs) grid() string {
	var b strings.Builder
	b.WriteString("| runs by | | runs |\n|---|---|--:|\n")
	for _, part := range []struct {
		by   string
		runs map[string]int
	}{{"cloud", p.Chaos.ByCloud}, {"fault of the cloud", p.Chaos.ByFault}, {"process killed", p.Chaos.Kills},
		{"end", map[string]int{"no changes": p.Chaos.NoChanges, "a stop that says why": p.Chaos.NamedStop}}} {
		for _, what := range slices.Sorted(maps.Keys(part.runs)) {
			row(&b, part.by, what, part.runs[what])
		}
	}
	return b.String()
}

// teeth is each planted bug with what caught it.
func (p *proofs) teeth() string {
	var b strings.Builder
	b.WriteString("| planted in the source | file | caught by |\n|---|---|---|\n")
	for _, bug := range p.Teeth.Bugs {
		row(&b, bug.Bug, "`"+bug.File+"`", cell(bug.Caught))
	}
	b.WriteString("\n| planted around the engine | caught by |\n|---|---|\n")
	for _, bug := range p.Wrapped.Bugs {
		row(&b, bug.Bug, cell(bug.Caught))
	}
	return b.String()
}

func cell(caught []string) string {
	return cmp.Or(strings.ReplaceAll(strings.Join(caught, "; "), "|", `\|`), "nothing")
}

func (p *proofs) trace() string {
	t := p.Naive.Trace
	return fmt.Sprintf("Seed %d:\n\n```\n%s\n```\n", t.Seed, strings.Join(t.Lines, "\n"))
}

// short is the README's table.
func (p *proofs) short() string {
	var b strings.Builder
	b.WriteString("| | runs | bought twice |\n|---|--:|--:|\n")
	row(&b, "simulated runs with faults, crashes and several appliers", p.Simulation.Seeds, p.Simulation.Doubles)
	row(&b, "the same with a naive engine (target minus current, retry on timeout)", p.Naive.Seeds, p.Naive.Doubles)
	row(&b, "real processes, killed at named points, then run again", p.Chaos.Runs, p.Chaos.DoubleBuys)
	row(&b, "applies on a disk that fails, fills up or loses power", p.Disk.Runs, p.Disk.DoubleBuys)
	twice := 0
	for _, r := range p.AtOnce.ByNumber {
		twice += r.DoubleBuys
	}
	row(&b, "2, 4 and 8 applies at once", p.AtOnce.Rounds, twice)
	return b.String()
}
