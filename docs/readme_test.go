// Package docs_test keeps what the documents claim true.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// documents is every document by its name seen from here.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"../*.md", "*.md", "../changelog/unreleased/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no documents in %s: %v", pattern, err)
		}
		for _, name := range names {
			all[name] = read(t, name)
		}
	}
	return all
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug = regexp.MustCompile(`[^\pL\pM\pN\p{Pc} -]`)
)

// TestLinks: every relative link leads to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	for name, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(spans.ReplaceAllString(withoutCode(text), ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = filepath.Join(filepath.Dir(name), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link to %s: %v", name, m[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s: link to %s: no such heading", name, m[1])
			}
		}
	}
}

// anchors are the names that GitHub gives to headings.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(withoutCode(text), -1) {
		all = append(all, strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

var fenced = regexp.MustCompile("(?ms)^ *```.*?^ *```$")

func withoutCode(text string) string { return fenced.ReplaceAllString(text, "") }

var spans = regexp.MustCompile("`([^`\n]+)`")

// help asks the real binaries for the flags of every command; the simulator's
// stand under "cloudsim".
func help(t *testing.T) map[string][]string {
	t.Helper()
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin+string(filepath.Separator), "../cmd/...")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	run := func(name string, args ...string) string {
		// The flag package ends with an error after its help.
		out, _ := exec.Command(filepath.Join(bin, name), args...).CombinedOutput()
		return string(out)
	}
	flags := map[string][]string{}
	listed := regexp.MustCompile(`(?m)^   (?:    )?-?-([a-z-]+)`)
	add := func(command, text string) {
		flags[command] = []string{"help"}
		for _, m := range listed.FindAllStringSubmatch(text, -1) {
			flags[command] = append(flags[command], m[1])
		}
	}
	commands := regexp.MustCompile(`(?m)^   ([a-z]+)  `)
	for _, m := range commands.FindAllStringSubmatch(run("clusterctl", "--help"), -1) {
		add(m[1], run("clusterctl", m[1], "--help"))
	}
	for _, sub := range []string{"schema sync", "plugin list", "policy test"} {
		add(sub, run("clusterctl", append(strings.Fields(sub), "--help")...))
	}
	flags["cloudsim"] = nil
	for _, m := range regexp.MustCompile(`(?m)^  -([a-z-]+)`).FindAllStringSubmatch(run("cloudsim", "--help"), -1) {
		flags["cloudsim"] = append(flags["cloudsim"], m[1])
	}
	if len(flags) < 10 || len(flags["plan"]) < 5 || len(flags["cloudsim"]) < 5 {
		t.Fatalf("help was not understood: %v", flags)
	}
	return flags
}

var (
	called  = regexp.MustCompile(`\b(clusterctl|cloudsim)((?: +[^\s|>&` + "`" + `]+)*)`)
	flagged = regexp.MustCompile(`(?:^|[\s` + "`" + `(])--([a-z][a-z-]*)`)
)

// TestCommandsAndFlags: every command line in the documents names a command
// that exists with flags that it takes, and every flag anywhere is one of some
// command.
func TestCommandsAndFlags(t *testing.T) {
	flags := help(t)
	known := map[string]bool{}
	for _, list := range flags {
		for _, f := range list {
			known[f] = true
		}
	}
	for name, text := range documents(t) {
		for _, m := range flagged.FindAllStringSubmatch(text, -1) {
			if !known[m[1]] {
				t.Errorf("%s: no command has the flag --%s", name, m[1])
			}
		}
		for _, line := range commandLines(text) {
			m := called.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			command, words := m[1], strings.Fields(m[2])
			if command == "clusterctl" {
				if len(words) == 0 || strings.HasPrefix(words[0], "-") {
					continue
				}
				command = words[0]
				if len(words) > 1 && flags[command+" "+words[1]] != nil {
					command += " " + words[1]
				}
			}
			if _, ok := flags[command]; !ok {
				t.Errorf("%s: %q: there is no command %s", name, line, command)
				continue
			}
			for _, f := range flagged.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(flags[command], f[1]) {
					t.Errorf("%s: %q: %s has no flag --%s", name, line, command, f[1])
				}
			}
		}
	}
}

// commandLines are the lines of fenced blocks that begin with a prompt, and
// code in running text that begins with a program of ours.
func commandLines(text string) []string {
	var lines []string
	for _, block := range fenced.FindAllString(text, -1) {
		for line := range strings.Lines(block) {
			if after, ok := strings.CutPrefix(strings.TrimSpace(line), "$ "); ok {
				lines = append(lines, after)
			}
		}
	}
	for _, m := range spans.FindAllStringSubmatch(withoutCode(text), -1) {
		if strings.HasPrefix(m[1], "clusterctl ") || strings.HasPrefix(m[1], "cloudsim -") {
			lines = append(lines, m[1])
		}
	}
	return lines
}

// ours finds names of variables; one that ends in _ begins a family.
var ours = regexp.MustCompile(`\bCCTL_[A-Z_]*[A-Z_]`)

// TestVariables: every variable of ours in a document is one that the code
// reads, and the README has all that a person may set.
func TestVariables(t *testing.T) {
	var reads []string
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasSuffix(d.Name(), "test"):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			reads = append(reads, ours.FindAllString(read(t, path), -1)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	families := []string{"CCTL_ENDPOINT_", "CCTL_SECRET_", "CCTL_CRED_"}
	family := func(v string) bool {
		return slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(v, f) && slices.Contains(reads, f) })
	}
	for name, text := range documents(t) {
		for _, v := range ours.FindAllString(text, -1) {
			if !slices.Contains(reads, v) && !family(v) {
				t.Errorf("%s: nothing reads %s", name, v)
			}
		}
	}
	readme := read(t, "../README.md")
	ofPlugins := []string{"CCTL_PLUGIN", "CCTL_DEATH_FD"} // docs/protocol.md
	for _, v := range append(reads, families...) {
		if !slices.Contains(ofPlugins, v) && !strings.Contains(readme, v) && !family(v) {
			t.Errorf("the README does not have %s", v)
		}
	}
}

// TestExitCodes: the README's table has exactly the codes of exit.go, and that
// of a crash.
func TestExitCodes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../cmd/clusterctl/exit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"134"}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "exit") && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				want = append(want, lit.Value)
			}
		}
		return true
	})
	_, section, _ := strings.Cut(read(t, "../README.md"), "\n## Exit codes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(section, -1) {
		got = append(got, m[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the README has exit codes %v, exit.go %v", got, want)
	}
}

// TestPlainDocuments: nothing of one machine stands in a document.
func TestPlainDocuments(t *testing.T) {
	own := regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=])(/(?:tmp|root|work|var|Users|home/\w+)/\S+)`)
	for name, text := range documents(t) {
		for _, m := range own.FindAllStringSubmatch(text, -1) {
			t.Errorf("%s: path of a machine: %s", name, m[1])
		}
	}
}
