package policy

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/clusterctl/clusterctl/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// lay writes the files of an archive into a directory, all but want.
func lay(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range archive.Files {
		if f.Name == "want" {
			continue
		}
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, isLink := strings.CutPrefix(string(f.Data), "-> "); isLink {
			if err := os.Symlink(strings.TrimSpace(target), name); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// golden compares with the file want of the archive, or rewrites it.
func golden(t *testing.T, name string, archive *txtar.Archive, got string) {
	t.Helper()
	for i, f := range archive.Files {
		if f.Name != "want" {
			continue
		}
		if diff := cmp.Diff(string(f.Data), got); diff != "" && !*update {
			t.Errorf("-want +got:\n%s", diff)
		}
		archive.Files[i].Data = []byte(got)
		if *update {
			if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	t.Fatal("there is no file want")
}

func textOf(t *testing.T, problems []schema.Problem) string {
	t.Helper()
	var b bytes.Buffer
	if err := schema.WriteText(&b, problems, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func each(t *testing.T, pattern string, run func(t *testing.T, dir string, archive *txtar.Archive) string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, archive, run(t, lay(t, archive), archive))
		})
	}
}

// TestAuthors: what an author gets wrong is an error when policies are read, at
// its line.
func TestAuthors(t *testing.T) {
	each(t, "testdata/authors/*.txtar", func(t *testing.T, dir string, _ *txtar.Archive) string {
		set, problems := Load(Options{Dir: dir, Root: dir})
		if len(problems) == 0 || set != nil {
			t.Fatalf("nothing is wrong: %v", set.Names())
		}
		return textOf(t, problems)
	})
}

// TestFailures: what breaks a rule is told with the lines of the spec and of the
// rule.
func TestFailures(t *testing.T) {
	each(t, "testdata/failures/*.txtar", func(t *testing.T, dir string, archive *txtar.Archive) string {
		set, problems := Load(Options{Dir: dir, Root: dir})
		if len(problems) > 0 {
			t.Fatalf("the policies are not sound:\n%s", textOf(t, problems))
		}
		plan, err := os.ReadFile(filepath.Join(dir, "plan.json"))
		if err != nil {
			t.Fatal(err)
		}
		report, err := set.Check(plan)
		if err != nil {
			t.Fatal(err)
		}
		out := textOf(t, report.Problems(dir))
		if out == "" {
			out = "every policy holds\n"
		}
		if len(report.Dead) > 0 {
			out += "matched nothing: " + strings.Join(report.Dead, ", ") + "\n"
		}
		return out
	})
}
