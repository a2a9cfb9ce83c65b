package docs_test

import (
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPlacesInCode: every `file.go:function` in a document exists. A function
// that moved to another file of its folder is found by -update.
func TestPlacesInCode(t *testing.T) {
	place := regexp.MustCompile("`([\\w.-]+/[\\w/.-]+\\.go)(?::(\\w+))?`")
	for name, text := range documents(t) {
		fresh := text
		for _, m := range place.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join("..", m[1])); err == nil && (m[2] == "" || declares(t, filepath.Join("..", m[1]), m[2])) {
				continue
			}
			now := whereIs(t, filepath.Dir(m[1]), m[2])
			if *update && len(now) == 1 {
				fresh = strings.ReplaceAll(fresh, m[0], "`"+now[0]+":"+m[2]+"`")
				continue
			}
			t.Errorf("%s: %s is not there; now in %v", name, m[0], now)
		}
		if fresh != text {
			if err := os.WriteFile(name, []byte(fresh), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func declares(t *testing.T, file, function string) bool {
	return regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + function + `\(`).MatchString(read(t, file))
}

// whereIs lists the files of a folder, tests aside, that declare a function.
func whereIs(t *testing.T, dir, function string) (files []string) {
	names, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if function != "" && !strings.HasSuffix(name, "_test.go") && declares(t, name, function) {
			files = append(files, dir+"/"+filepath.Base(name))
		}
	}
	return files
}

// TestHeadings: ARCHITECTURE.md walks the flow in its order.
func TestHeadings(t *testing.T) {
	want := []string{"Spec", "Desired", "Observed", "Diff", "Plan", "Actions", "Operations", "Verdicts", "Observed again"}
	var got []string
	for _, m := range heading.FindAllStringSubmatch(withoutCode(read(t, "../ARCHITECTURE.md")), -1) {
		if slices.Contains(want, m[1]) {
			got = append(got, m[1])
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("headings %v, want %v", got, want)
	}
}

// TestPackageMap: the list of imports in ARCHITECTURE.md is that of the code,
// nothing left out and nothing invented.
func TestPackageMap(t *testing.T) {
	_, block, ok := strings.Cut(read(t, "../ARCHITECTURE.md"), "\nWhat imports what")
	if !ok {
		t.Fatal("the list of imports was not found")
	}
	documented := map[string][]string{}
	for line := range strings.Lines(fenced.FindString(block)) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), " → ")
		if !ok {
			continue
		}
		for _, cloud := range []string{"huawei", "qingcloud", "aliyun"} {
			for _, pkg := range strings.Split(strings.ReplaceAll(from, "<cloud>", cloud), ",") {
				pkg = strings.TrimSpace(pkg)
				documented[pkg] = slices.Concat(documented[pkg], imported(strings.ReplaceAll(to, "<cloud>", cloud)))
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(documented)) {
		want, got := unique(documented[pkg]), imports(t, pkg)
		if !slices.Equal(got, want) {
			t.Errorf("%s imports %v, ARCHITECTURE.md says %v", pkg, got, want)
		}
	}
}

func imported(text string) []string {
	if strings.HasPrefix(text, "nothing") {
		return nil
	}
	return strings.Split(text, ", ")
}

// imports is what a package's files, tests aside, import of this module.
func imports(t *testing.T, pkg string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", pkg, err)
	}
	var all []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, read(t, name), parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if rest, ok := strings.CutPrefix(path, "github.com/clusterctl/clusterctl/"); ok {
				all = append(all, rest)
			}
		}
	}
	return unique(all)
}

func unique(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// TestScriptCommands: CONTRIBUTING.md has every command that scripts may use.
func TestScriptCommands(t *testing.T) {
	_, table, ok := strings.Cut(read(t, "../cmd/clusterctl/script_test.go"), "Cmds: map[string]func")
	if !ok {
		t.Fatal("script_test.go has no commands")
	}
	table, _, _ = strings.Cut(table, "},\n\t})")
	text := read(t, "../CONTRIBUTING.md")
	for _, m := range regexp.MustCompile(`(?m)^\s+"(\w+)":`).FindAllStringSubmatch(table, -1) {
		if !regexp.MustCompile("(?m)^\\| `" + m[1] + "\\b").MatchString(text) {
			t.Errorf("CONTRIBUTING.md does not have the script command %s", m[1])
		}
	}
}
