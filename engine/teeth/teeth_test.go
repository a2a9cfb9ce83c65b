package teeth

import (
	"encoding/json"
	"flag"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	plant = flag.Bool("plant", false, "compile each bug in and look for it until something sees it; takes a quarter of an hour")
	each  = flag.Bool("each", false, "let everything look that could see it; takes three times as long")
	write = flag.String("report", "", "write what saw each bug to `FILE` as JSON")
)

// found is what became of the planted bugs.
type found struct {
	Bugs    []foundBug `json:"bugs"`
	Planted int        `json:"planted"`
	Caught  int        `json:"caught"`
}

type foundBug struct {
	Bug    string   `json:"bug"`
	File   string   `json:"file"`
	Caught []string `json:"caught_by"`
}

// TestBugsFit: every bug can still be planted where it is meant to be.
func TestBugsFit(t *testing.T) {
	names := map[string]bool{}
	for _, b := range bugs() {
		if names[b.name] {
			t.Errorf("two bugs are called %q", b.name)
		}
		names[b.name] = true
		text, err := b.planted()
		if err != nil {
			t.Errorf("%s: %v", b.name, err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), b.file, text, parser.SkipObjectResolution); err != nil {
			t.Errorf("%s: %v", b.name, err)
		}
		for _, script := range b.scripts {
			if _, err := os.Stat(filepath.Join(root, "cmd/clusterctl/testdata/script", script+".txtar")); err != nil {
				t.Errorf("%s: %v", b.name, err)
			}
		}
		if len(b.detectors()) == 0 {
			t.Errorf("%s: no test looks at %s", b.name, b.file)
		}
	}
	if len(names) < 28 {
		t.Errorf("%d bugs", len(names))
	}
}

// TestTeeth plants every bug, and runs what could see it.
func TestTeeth(t *testing.T) {
	if !*plant {
		t.Log("nothing is planted without -plant; TestBugsFit holds the bugs to the source")
		return
	}
	t.Run("control", func(t *testing.T) {
		for _, d := range every(bugs()) {
			if output, failed := test(t, d.args...); failed {
				t.Errorf("%s fails without a bug:\n%s", d.name, output)
			}
		}
	})
	if t.Failed() {
		return
	}
	all := found{Bugs: []foundBug{}}
	for _, b := range bugs() {
		t.Run(b.name, func(t *testing.T) {
			one := foundBug{Bug: b.name, File: b.file, Caught: []string{}}
			overlay := b.overlay(t)
			for _, d := range b.detectors() {
				if by := d.sees(t, overlay); by != "" {
					one.Caught = append(one.Caught, by)
					if !*each {
						break
					}
				}
			}
			if len(one.Caught) == 0 {
				t.Error("nothing sees it")
			}
			all.Bugs = append(all.Bugs, one)
			t.Logf("seen by %s", strings.Join(one.Caught, "; "))
		})
	}
	save(t, all)
}

// save writes what was found, and keeps what the file says of bugs that were
// not planted this time.
func save(t *testing.T, now found) {
	if *write == "" {
		return
	}
	var before found
	if b, err := os.ReadFile(*write); err == nil {
		if err := json.Unmarshal(b, &before); err != nil {
			t.Fatal(err)
		}
	}
	all := found{Bugs: []foundBug{}}
	for _, b := range bugs() {
		same := func(f foundBug) bool { return f.Bug == b.name }
		one := slices.Concat(now.Bugs, before.Bugs)
		i := slices.IndexFunc(one, same)
		if i < 0 {
			continue
		}
		all.Bugs = append(all.Bugs, one[i])
		all.Planted++
		if len(one[i].Caught) > 0 {
			all.Caught++
		}
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		err = os.WriteFile(*write, append(b, '\n'), 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}
