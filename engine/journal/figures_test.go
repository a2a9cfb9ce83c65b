//go:build unix

package journal

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
)

var (
	all    = flag.Bool("all", false, "try everything: each failure with each error, the power cut at each operation of the run after it, too, more random flips")
	report = flag.String("report", "", "write the figures to `FILE` as JSON; implies -all")
)

// Figures are what the tests of this package counted.
type Figures struct {
	mu sync.Mutex

	IntentSize        int            `json:"intent_bytes"`
	Truncations       int            `json:"truncations"` // of intents
	TruncationsTaken  int            `json:"truncations_accepted"`
	BitFlips          int            `json:"bit_flips"` // of intents
	BitFlipsTaken     int            `json:"bit_flips_accepted"`
	OthersBlocked     int            `json:"other_clusters_blocked"`
	HistoryCuts       int            `json:"history_truncations"` // but at a line's end
	HistoryCutsTaken  int            `json:"history_truncations_accepted"`
	HistoryFlips      int            `json:"history_flips"`
	HistoryFlipsTaken int            `json:"history_flips_accepted"`
	LineEnds          int            `json:"history_cuts_at_a_line_end"` // which nobody can notice
	LineEndsDetected  int            `json:"history_cuts_at_a_line_end_detected"`
	Operations        int            `json:"operations_of_the_story"`
	Failed            map[string]int `json:"failed_operations"` // by error
	FailedUntold      int            `json:"failed_operations_that_did_not_matter"`
	PowerCuts         int            `json:"power_cuts"`
	Images            int            `json:"power_cuts_that_left_different_disks"`
	Kills             int            `json:"kills"`
	KilledProcesses   int            `json:"killed_processes"`
	Lost              int            `json:"lost"`
}

// Tally is what the tests of this package count into.
var Tally = &Figures{Failed: map[string]int{}}

// Count changes the figures.
func (f *Figures) Count(change func(*Figures)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// times is how often a test tries something at random that a full run tries n
// times; the race detector finds no more in many.
func times(n int) int {
	switch {
	case raceDetector:
		return n / 100
	case *all:
		return n
	}
	return n / 5
}

// leaveOut chooses one of n cases for a usual run, and fewer still under the
// race detector.
func leaveOut(i, n int) bool {
	if raceDetector {
		n *= 20
	}
	return !*all && i%n != 0
}

func TestMain(m *testing.M) {
	flag.Parse()
	*all = *all || *report != ""
	code := m.Run()
	if *report != "" {
		b, err := json.MarshalIndent(Tally, "", "  ")
		if err == nil {
			err = os.WriteFile(*report, append(b, '\n'), 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}
