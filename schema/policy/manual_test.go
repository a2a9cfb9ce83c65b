package policy

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestManual: the policies of docs/policy.md are sound, and its first ones say
// what the page shows.
func TestManual(t *testing.T) {
	text, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```cue\n(package policy\n.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 2 {
		t.Fatalf("the page has %d policies", len(blocks))
	}
	for _, b := range blocks {
		sound(t, b[1])
	}
	report := check(t, sound(t, blocks[0][1]), many(1, func(int) string { return "fleet.cue:14:9" }))
	shown := textOf(t, report.Problems(t.TempDir()))
	for line := range strings.Lines(shown) {
		if line = strings.TrimSpace(line); !strings.Contains(string(text), strings.ReplaceAll(line, "c1/core", "analytics/core")) {
			t.Errorf("the page does not show %q", line)
		}
	}
	// The rules of the second that fail by words say them.
	for _, f := range check(t, sound(t, blocks[1][1]), many(1, func(int) string { return "fleet.cue:14:9" })).Failures {
		if f.Rule == "most-mrs" && f.Detail != "mrs grows by at most 20 nodes at once, not by 55" {
			t.Errorf("%s", f.Reason())
		}
	}
}
