package render

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine/review"
)

func TestAnnotations(t *testing.T) {
	var got []string
	for _, a := range Annotations(fullReview()) {
		got = append(got, fmt.Sprintf("%s %s %s:%d %v: %s", a.Level, a.Rule, a.File, a.Line, a.InBase, a.Title))
	}
	want := []string{
		"error denied fleet.cue:9 false: denied by guard shrink; 1 cluster changed",
		"error blocked fleet.cue:11 false: blocked; 2 clusters changed",
		"error blocked qc.cue:3 false: blocked; 1 cluster changed",
		"warning removal fleet.cue:8 false: 6 nodes removed; 1 cluster changed",
		"notice identity fleet.cue:40 false: another cluster is meant; 1 cluster changed",
		"notice change template.cue:12 false: 5 clusters changed",
		"notice change fleet.cue:7 false: 1 cluster changed",
		"notice change old.cue:7 true: 1 cluster changed",
		"notice unmanaged fleet.cue:13 true: leaves: no longer managed; nothing is deleted",
		"notice renamed fleet.cue:2 false: edge: another key",
		"notice added fleet.cue:14 false: new: managed from now on",
		"notice incomparable :0 false: 1 cluster not comparable",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, a := range Annotations(fullReview()) {
		if Rules[a.Rule] == "" {
			t.Errorf("rule %s has no sentence", a.Rule)
		}
	}
}

// One line of a template is one annotation, however many clusters it changes.
func TestAnnotationOfCause(t *testing.T) {
	r := many(5000)
	all := Annotations(r)
	if len(all) != 501 {
		t.Fatalf("%d annotations", len(all))
	}
	last := all[len(all)-1]
	if last.Title != "5000 clusters changed" || !strings.Contains(last.Message, "and 4994 more") {
		t.Errorf("%+v", last)
	}
}

func TestGitHub(t *testing.T) {
	var b strings.Builder
	if err := GitHub(&b, Annotations(fullReview())); err != nil {
		t.Fatal(err)
	}
	golden(t, "github.txt", b.String())
}

// GitHub shows ten of a level; the tenth then says how many more there are.
func TestGitHubLimits(t *testing.T) {
	for n, want := range map[int]int{0: 0, 9: 9, 10: 10, 11: 10, 5000: 10} {
		var list []Annotation
		for i := range n {
			for _, level := range []Level{LevelNotice, LevelWarning, LevelError} {
				list = append(list, Annotation{Level: level, File: "f", Line: i + 1, Message: "m"})
			}
		}
		var b strings.Builder
		if err := GitHub(&b, list); err != nil {
			t.Fatal(err)
		}
		for _, level := range []Level{LevelError, LevelWarning, LevelNotice} {
			if got := strings.Count(b.String(), "::"+string(level)+" "); got != want {
				t.Errorf("%d of %s: %d are written, want %d", n, level, got, want)
			}
		}
		if n > perLevel && !strings.Contains(b.String(), "::error title=and "+strings.ReplaceAll(count(n-9, "more error"), ",", "%2C")+"::") {
			t.Errorf("%d: what is left out is not told:\n%s", n, b.String())
		}
	}
}

var workflowCommand = regexp.MustCompile(`^::(?:error|warning|notice) (?:(?:file|line|col|endColumn|title)=[^:,\r\n]*(?:,|::))*[^\r\n]*$`)

// No text ends a command, adds a property, or begins another command.
func TestGitHubHostile(t *testing.T) {
	for _, x := range append([]string{"a%b", "%0A", "a:b,c::d", "x,line=9", "a\r\n::error::b", "::stop-commands::x", "##[error]x"}, hostile...) {
		var b strings.Builder
		a := Annotation{Level: LevelError, File: x, Line: 2, Column: 3, EndColumn: 7, Title: x, Message: x}
		if err := GitHub(&b, []Annotation{a}); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(b.String(), "\n")
		if !workflowCommand.MatchString(line) {
			t.Errorf("%q: %q", x, line)
			continue
		}
		head, message, _ := strings.Cut(strings.TrimPrefix(line, "::error "), "::")
		want := map[string]string{"file": Clean(x), "line": "2", "col": "3", "endColumn": "7", "title": cut(Clean(x), maxName)}
		if x == "" {
			delete(want, "title")
			for _, k := range []string{"file", "line", "col", "endColumn"} {
				delete(want, k)
			}
		}
		got := map[string]string{}
		for _, property := range strings.Split(head, ",") {
			if k, v, ok := strings.Cut(property, "="); ok {
				got[k] = unescape(t, v)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", x, diff)
		}
		if got := unescape(t, message); got != printable(x) {
			t.Errorf("%q: the message came out as %q", x, got)
		}
	}
}

func TestEscape(t *testing.T) {
	if got, want := escapeData.Replace("50 %\r\n:,"), "50 %25%0D%0A:,"; got != want {
		t.Errorf("message: got %q, want %q", got, want)
	}
	if got, want := escapeProperty("50 %\r\n:,"), "50 %25%0D%0A%3A%2C"; got != want {
		t.Errorf("property: got %q, want %q", got, want)
	}
}

// unescape is what a runner does with %25, %0A and the like.
func unescape(t *testing.T, text string) string {
	t.Helper()
	text, err := url.PathUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What a file's line is about keeps its fingerprint when the line moves and its
// value changes; two things never share one.
func TestFingerprints(t *testing.T) {
	r := fullReview()
	before := fingerprints(Annotations(r))
	moved := fullReview()
	for i := range moved.Clusters {
		c := &moved.Clusters[i]
		c.Place.Line += 100
		for j := range c.Fields {
			c.Fields[j].Cause.Line += 100
			if f := &c.Fields[j]; f.Effect != review.EffectBlocked && f.After != nil {
				f.After = "another"
			}
		}
	}
	if diff := cmp.Diff(before, fingerprints(Annotations(moved))); diff != "" {
		t.Error(diff)
	}
	seen := map[string]bool{}
	for _, print := range fingerprints(append(Annotations(r), Annotations(r)...)) {
		if seen[print] {
			t.Errorf("%s twice", print)
		}
		seen[print] = true
	}
}
