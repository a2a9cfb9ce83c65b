package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteText(t *testing.T) {
	problems := []Problem{{
		Severity: Error, Kind: KindLimit, File: "a.cue", Line: 7, Column: 3, EndColumn: 5, Text: "\tx 16",
		Message: "cpu must be 1, not 16", Cluster: "计算", Path: "cpu", Limit: "EHPC resizeCluster, parameter cpu", Notes: []string{"a note"}, Hint: "less",
	}, {Severity: Warning, Kind: KindProvider, Message: "old", Hint: `did you mean "new"?`}}
	problems[0].Column, problems[0].EndColumn = 4, 6
	want := `error[limit]: cpu must be 1, not 16
 --> a.cue:7:4
  |
7 |     x 16
  |       ^^
  = cluster 计算, cpu
  = limit from EHPC resizeCluster, parameter cpu
  = a note
  = help: less

warning[provider]: old; did you mean "new"?
`
	if diff := cmp.Diff(want, text(problems)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var coloured strings.Builder
	if err := WriteText(&coloured, problems, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(coloured.String(), "\x1b[31;1merror[limit]\x1b[0m") || !strings.Contains(coloured.String(), "\x1b[33;1mwarning") {
		t.Errorf("no colour in %q", coloured.String())
	}
}

// The marks stand below what they mark, whatever is before it.
func TestLayout(t *testing.T) {
	for name, tc := range map[string]struct{ line, mark string }{
		"plain":           {"a: 16", "16"},
		"tabs":            {"\t\ta: \t16", "16"},
		"Chinese":         {"\t\"计算集群\": {节点: 16}", "16"},
		"marked Chinese":  {"\"登录\": 1", "\"登录\""},
		"combining signs": {"\"e\u0301\": 16", "16"},
		"escape":          {"\"\x1b[2J\": 16", "16"},
		"direction":       {"\"\u202eabc\": 16", "16"},
		"far right":       {strings.Repeat("计算 ", 400) + "16", "16"},
		"far left":        {"16" + strings.Repeat(" 计算", 400), "16"},
		"at the end":      {"a: 16 ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			from := strings.Index(tc.line, tc.mark)
			if tc.mark == "" {
				from = len(tc.line)
			}
			shown, start, cells := layout(tc.line, from, from+len(tc.mark))
			// Lay the line out cell by cell; the second cell of a wide sign is 0.
			var screen []rune
			for _, r := range shown {
				switch {
				case r == '\u0301':
				case runeWidth(r) == 2:
					screen = append(screen, r, 0)
				default:
					screen = append(screen, r)
				}
			}
			if strings.ContainsAny(shown, "\x1b\t\u202e") {
				t.Errorf("%q reaches the terminal", shown)
			}
			if len(screen) > maxText+8 {
				t.Errorf("%d cells wide", len(screen))
			}
			if tc.mark == "" {
				return
			}
			var marked strings.Builder
			for _, r := range screen[start : start+cells] {
				if r != 0 {
					marked.WriteRune(r)
				}
			}
			if marked.String() != tc.mark {
				t.Errorf("marked %q in %q", marked.String(), shown)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"count", "cpu", "memory", "paid_type", "node_groups"}
	for name, want := range map[string]string{
		"cuont": "count", "memmory": "memory", "paid_tpye": "paid_type", "Count": "count", "node_group": "node_groups",
		"zone": "", "gpu": "cpu", "": "", "内存": "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
