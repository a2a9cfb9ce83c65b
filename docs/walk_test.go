//go:build unix

package docs_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A shown command is one of a README's checked blocks, with the place of the
// output that is printed below it.
type shown struct {
	command    string
	hidden     bool // stands in a comment and shows nothing
	begin, end int  // of the output, in the document
}

// Blocks after such a comment are run; a comment of the second form is run
// between them, for what readers do in an editor.
var (
	checked = regexp.MustCompile("(?s)<!-- checked -->\n\n?```\n(.*?)\n?```")
	between = regexp.MustCompile(`<!-- run: (.*?) -->`)
	prompt  = regexp.MustCompile(`(?m)^\$ (.*)\n?`)
)

// TestReadmeCommands runs the README's checked blocks, in one shell, in an
// empty home, and compares what they print. With -update the README gets the
// new output.
func TestReadmeCommands(t *testing.T) {
	readme := read(t, "../README.md")
	commands := commandsOf(readme)
	if len(commands) < 10 {
		t.Fatalf("the README's checked blocks were not found: %v", commands)
	}
	outputs := runAll(t, workplace(t), commands)
	fresh := readme
	for i, c := range slices.Backward(commands) {
		if c.hidden || comparable(readme[c.begin:c.end]) == comparable(outputs[i]) {
			continue
		}
		if !*update {
			t.Errorf("the README shows for %q\n%s\nit printed\n%s", c.command, readme[c.begin:c.end], outputs[i])
		}
		output := strings.TrimRight(outputs[i], "\n")
		if output != "" && !strings.HasPrefix(fresh[c.end:], "\n```") {
			output += "\n"
		}
		fresh = fresh[:c.begin] + output + fresh[c.end:]
	}
	if *update && fresh != readme {
		if err := os.WriteFile("../README.md", []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// commandsOf finds the commands of the checked blocks, in their order.
func commandsOf(text string) []shown {
	var all []shown
	for _, b := range checked.FindAllStringSubmatchIndex(text, -1) {
		block := text[b[2]:b[3]]
		lines := prompt.FindAllStringSubmatchIndex(block, -1)
		if strings.HasPrefix(block, "$ make demo\n") {
			lines = lines[:1] // it prints its commands itself
		}
		for i, p := range lines {
			end := len(block)
			if i+1 < len(lines) {
				end = lines[i+1][0]
			}
			all = append(all, shown{command: block[p[2]:p[3]], begin: b[2] + p[1], end: b[2] + max(end, p[1])})
		}
	}
	for _, m := range between.FindAllStringSubmatchIndex(text, -1) {
		all = append(all, shown{command: text[m[2]:m[3]], hidden: true, begin: m[0], end: m[0]})
	}
	slices.SortFunc(all, func(a, b shown) int { return a.begin - b.begin })
	return all
}

// workplace is a folder that looks like the repository after make build.
func workplace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"build", "-o", filepath.Join(dir, "bin") + string(filepath.Separator), "../cmd/..."}
	plugins, err := filepath.Glob("../plugins/*/cluster-provider-*")
	if err != nil || len(plugins) != 3 {
		t.Fatalf("plugins %v: %v", plugins, err)
	}
	if out, err := exec.Command("go", append(args, plugins...)...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if err := os.CopyFS(filepath.Join(dir, "specs"), os.DirFS("../specs")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "specs", "demo.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	makefile := "demo:\n\t@./specs/demo.sh\n"
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(makefile), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runAll runs the commands in one shell and gives what each printed.
func runAll(t *testing.T, dir string, commands []shown) []string {
	t.Helper()
	const mark = "\x1e"
	script := "set -m\nexec 2>&1\ntrap 'exit 1' TERM\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n"
	for _, c := range commands {
		script += fmt.Sprintf("printf '%s'\n%s\n", mark, c.command)
	}
	script += "printf '" + mark + "'\n"
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	bash := exec.CommandContext(ctx, "bash", "-c", script)
	bash.Dir = dir
	// It takes its cloudsim along, when it ends and when it is ended.
	bash.Cancel = func() error { return bash.Process.Signal(syscall.SIGTERM) }
	bash.WaitDelay = 30 * time.Second
	bash.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, "home"), "TMPDIR=" + dir, "TERM=dumb"}
	out, err := bash.CombinedOutput()
	outputs := strings.Split(string(out), mark)
	if len(outputs) != len(commands)+2 {
		t.Fatalf("the shell did not come to its end: %v\n%s", err, out)
	}
	for i, text := range outputs {
		text = regexp.MustCompile(regexp.QuoteMeta(dir)+`/tmp\.\w+/`).ReplaceAllString(text, "")
		outputs[i] = strings.TrimPrefix(strings.ReplaceAll(text, dir+"/", ""), "\n")
	}
	return outputs[1 : len(outputs)-1]
}

var moving = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ|\d\d:\d\d:\d\dZ|\b[0-9.]+ m?s\b|[0-9A-F]{8}-[0-9A-F-]+|\w*-?0[0-9a-f]{7,}|\b[A-Z2-7]{8}\b|\b[0-9a-f]{8}\b|(uid )?[\w-]+@[\w.-]+|\b10(\.\d+){3}| +`)

// comparable is output without what differs from run to run: times, numbers
// that the clouds count up, ids and people, the order of lines of clusters side by side, and
// how much of their progress was seen.
func comparable(output string) string {
	var kept []string
	for line := range strings.Lines(output) {
		progress := regexp.MustCompile(`^\d\d:\d\d:\d\dZ `).MatchString(line)
		if line = strings.TrimSpace(moving.ReplaceAllString(line, " ")); line == "" || progress && !strings.Contains(line, ": done.") {
			continue
		}
		kept = append(kept, line)
	}
	slices.Sort(kept)
	return strings.Join(kept, "\n")
}
