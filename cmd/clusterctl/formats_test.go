package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/schema"
)

// TestRuleSentences: every kind of problem has a sentence of its own.
func TestRuleSentences(t *testing.T) {
	source, err := os.ReadFile("../../schema/problem.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^\s+Kind\w+\s+= "([a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 8 {
		t.Fatalf("kinds: %v", kinds)
	}
	for _, k := range kinds {
		if ruleSentences[k[1]] == "" {
			t.Errorf("problems of kind %s have no sentence", k[1])
		}
		if render.Rules[k[1]] != "" {
			t.Errorf("%s is a kind of problem and a rule of a review", k[1])
		}
	}
}

func TestProblemAnnotations(t *testing.T) {
	got := problemAnnotations([]schema.Problem{
		{Severity: schema.Warning, Kind: "provider", Message: "schemas differ", Hint: "sync"},
		{Severity: schema.Error, Kind: "limit", File: "a.cue", Line: 3, Column: 9, EndColumn: 12, Text: "核: {cpu: 1}", Message: "m",
			Cluster: "c", Path: "cpu", Limit: "the document", Notes: []string{"n"}},
	}, func(file string) string { return "envs/" + file })
	want := []render.Annotation{
		{Level: render.LevelError, Rule: "limit", Title: "limit", File: "envs/a.cue", Line: 3, Column: 7, EndColumn: 10,
			Message: "m\nin c, cpu\nlimit from the document\nn", Subject: "c\n\ncpu\nm"},
		{Level: render.LevelWarning, Rule: "provider", Title: "provider", Message: "schemas differ\nhelp: sync", Subject: "\n\n\nschemas differ"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestQuoted(t *testing.T) {
	if got, want := quoted([]string{"clusterctl", "--spec", "a b", "it's", "", "x/y_z-1"}), `clusterctl --spec 'a b' 'it'\''s' '' x/y_z-1`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFromTop(t *testing.T) {
	top := filepath.Join(t.TempDir(), "repo")
	dir := filepath.Join(top, "envs", "prod")
	if err := os.MkdirAll(filepath.Join(top, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := topOf(dir); got != top {
		t.Errorf("the root is %s, not %s", got, top)
	}
	rename := fromTop(dir, top)
	for file, want := range map[string]string{
		"fleet.cue": "envs/prod/fleet.cue", "../shared.cue": "envs/shared.cue", ".": "envs/prod", "./...": "envs/prod/...",
		filepath.Join(top, "x.cue"): "x.cue",
	} {
		if got := rename(file); got != want {
			t.Errorf("%s: got %s, want %s", file, got, want)
		}
	}
}
