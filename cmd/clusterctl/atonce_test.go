//go:build unix

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
)

var (
	atOnceRounds = flag.Int("atonce", 0, "TestAtOnce plays `N` rounds for each number of applies; 0: a few")
	reportFile   = flag.String("report", "", "write the figures of a proof to `FILE` as JSON")
)

// saveReport writes a proof's figures where -report says.
func saveReport(t *testing.T, figures any) {
	t.Helper()
	if *reportFile == "" {
		return
	}
	b, err := json.MarshalIndent(figures, "", "  ")
	if err == nil {
		err = os.WriteFile(*reportFile, append(b, '\n'), 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

// atOnceFigures are what came of all rounds.
type atOnceFigures struct {
	Rounds   int                       `json:"rounds"`
	Applies  int                       `json:"applies"`
	ByNumber map[string]*numberFigures `json:"by_number"`
}

// numberFigures are the rounds of so many applies at once. A loser is an apply
// that wanted a cluster which another held; told are those whose output named
// the holder, and how long after their start.
type numberFigures struct {
	Rounds     int     `json:"rounds"`
	Requests   int     `json:"requests"`
	Overlaps   int     `json:"overlaps"`
	DoubleBuys int     `json:"double_buys"`
	Losers     int     `json:"losers"`
	ToldHolder int     `json:"told_holder"`
	Median     float64 `json:"told_ms_median"`
	Max        float64 `json:"told_ms_max"`

	told []float64
}

func (f *numberFigures) add(r *round) {
	f.Rounds++
	f.Requests += r.requests
	f.Overlaps += r.overlaps
	f.DoubleBuys += r.doubles
	f.Losers += r.losers
	f.ToldHolder += len(r.toldMS)
	f.told = append(f.told, r.toldMS...)
	if n := len(f.told); n > 0 {
		slices.Sort(f.told)
		f.Median, f.Max = f.told[n/2], f.told[n-1]
	}
}

// TestAtOnce runs 2, 4 and 8 applies at once on one store, as processes with
// plugins of their own. The clouds' jobs stand still until every loser was told,
// so that what is held is held by order of events and not by luck.
func TestAtOnce(t *testing.T) {
	usual := map[int]int{2: 6, 4: 3, 8: 2}
	if raceDetector {
		usual = map[int]int{2: 1, 4: 1}
	}
	clouds := newFrozenClouds(t)
	plans := &planFiles{clouds: clouds, dir: t.TempDir(), made: map[string]string{}}
	figures := atOnceFigures{ByNumber: map[string]*numberFigures{}}
	contests := contests()
	next := 0
	for _, number := range []int{2, 4, 8} {
		rounds := usual[number]
		if *atOnceRounds > 0 {
			rounds = *atOnceRounds
		}
		of := &numberFigures{}
		for range rounds {
			// A stride that has no divisor in common with the list visits all of it.
			c := contests[next*11%len(contests)]
			next++
			t.Run(fmt.Sprintf("%d/%s", number, c), func(t *testing.T) {
				r := &round{contest: c, number: number, clouds: clouds, plans: plans}
				r.play(t)
				of.add(r)
			})
			figures.Applies += number
		}
		figures.Rounds += of.Rounds
		figures.ByNumber[strconv.Itoa(number)] = of
		t.Logf("%d at once: %d rounds, %d requests, %d overlapping, %d double buys; %d of %d losers were told who holds the lock, after %.0f ms in the middle and %.0f ms at most",
			number, of.Rounds, of.Requests, of.Overlaps, of.DoubleBuys, of.ToldHolder, of.Losers, of.Median, of.Max)
	}
	saveReport(t, figures)
}

// contest is what the applies of a round have in common.
type contest struct {
	how     string   // one of the kinds below
	targets []string // clusters that are applied
	patient bool     // with --lock-timeout
}

const (
	onePlan     = "one plan"
	planEach    = "a plan each"
	otherPlans  = "a plan each for another count"
	oneSpec     = "one directory"
	otherSpecs  = "a directory each with another count"
	lockTimeout = "60s"
)

func (c contest) String() string {
	name := c.how + "/" + c.targets[0]
	if len(c.targets) > 1 {
		name = c.how + "/fleet"
	}
	if c.patient {
		name += "/waiting"
	}
	return name
}

// otherCounts reports that the applies want different things.
func (c contest) otherCounts() bool { return c.how == otherPlans || c.how == otherSpecs }

// directory reports that every apply makes its plan itself.
func (c contest) directory() bool { return c.how == oneSpec || c.how == otherSpecs }

func contests() (list []contest) {
	single := [][]string{{"secure"}, {"analytics"}, {"login"}, {"simulation"}, {"edge"}}
	fleet := []string{"analytics", "edge", "login", "secure", "simulation"}
	for _, kind := range []struct {
		how     string
		targets [][]string
	}{
		{onePlan, append(slices.Clone(single), fleet)},
		{planEach, append(slices.Clone(single), fleet)},
		{oneSpec, single},
		{otherPlans, single[:2]},
		{otherSpecs, single[:2]},
	} {
		for _, targets := range kind.targets {
			list = append(list, contest{kind.how, targets, false}, contest{kind.how, targets, true})
		}
	}
	return list
}
