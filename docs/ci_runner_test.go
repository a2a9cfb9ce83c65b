//go:build unix

package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/yaml"
)

// A workflow is as much of a workflow file as the recipes use.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]*job
}

type job struct {
	Needs       string
	If          string
	Permissions map[string]string
	Env         map[string]string
	Outputs     map[string]string
	Steps       []step
}

type step struct {
	ID, Name, If, Uses, Run, Shell string
	With                           map[string]any
	Env                            map[string]string
}

// An action is action.yml.
type action struct {
	Inputs map[string]struct {
		Required bool
		Default  string
	}
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

// decode reads YAML; CUE's reader is the one that the module has.
func decode(t *testing.T, name string, into any) {
	t.Helper()
	file, err := yaml.Extract(name, read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := cuecontext.New().BuildFile(file).Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// A runner plays workflows as GitHub's runner does: contexts, step outputs,
// conditions, workflow commands. Actions other than ours are played in Go.
type runner struct {
	t         *testing.T
	repo      string // what checkout clones
	bin       string // given to the action in place of building, when not empty
	env       map[string]string
	secrets   map[string]any
	artifacts map[string][]byte
	github    map[string]any
	issue     func(permissions map[string]string) string // a job's token

	log     strings.Builder
	summary string // file
}

// values are the contexts of expressions.
type values map[string]any

var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

func (v values) expand(t *testing.T, text string) string {
	return expression.ReplaceAllStringFunc(text, func(m string) string {
		return v.get(t, expression.FindStringSubmatch(m)[1])
	})
}

func (v values) get(t *testing.T, path string) string {
	t.Helper()
	if strings.HasPrefix(path, "'") {
		return strings.Trim(path, "'")
	}
	names := strings.Split(path, ".")
	if _, ok := v[names[0]]; !ok {
		t.Fatalf("%s: there is no such context", path)
	}
	var at any = map[string]any(v)
	for _, name := range names {
		next, _ := at.(map[string]any)
		at = next[name]
	}
	if at == nil {
		return ""
	}
	return fmt.Sprint(at)
}

// holds evaluates a condition: comparisons joined by &&. Without always() it
// holds only while nothing failed.
func (v values) holds(t *testing.T, condition string, failed bool) bool {
	t.Helper()
	ok := !failed || strings.Contains(condition, "always()")
	for _, part := range strings.Split(condition, "&&") {
		part = strings.TrimSpace(part)
		if part == "" || part == "always()" {
			continue
		}
		m := regexp.MustCompile(`^(\S+) (==|!=) (\S+)$`).FindStringSubmatch(part)
		if m == nil {
			t.Fatalf("condition %q is not understood", part)
		}
		ok = ok && (v.get(t, m[1]) == v.get(t, m[3])) == (m[2] == "==")
	}
	return ok
}

// play runs a workflow for an event and says whether it succeeded.
func (r *runner) play(file, event string, payload map[string]any) bool {
	r.t.Helper()
	var w workflow
	decode(r.t, file, &w)
	data, err := json.Marshal(payload)
	if err != nil {
		r.t.Fatal(err)
	}
	eventFile := filepath.Join(r.t.TempDir(), "event.json")
	if err := os.WriteFile(eventFile, data, 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.github = map[string]any{"event": payload, "event_name": event, "repository": "campus/fleet"}
	r.env["GITHUB_EVENT_PATH"], r.env["GITHUB_EVENT_NAME"] = eventFile, event
	needs, good := map[string]any{}, true
	order := slices.SortedFunc(maps.Keys(w.Jobs), func(a, b string) int { return len(w.Jobs[a].Needs) - len(w.Jobs[b].Needs) })
	for _, name := range order {
		j := w.Jobs[name]
		permissions := w.Permissions
		if j.Permissions != nil {
			permissions = j.Permissions
		}
		r.github["token"] = r.issue(permissions)
		v := values{"github": r.github, "secrets": r.secrets, "steps": map[string]any{}, "needs": needs}
		if !v.holds(r.t, j.If, !good) {
			fmt.Fprintf(&r.log, "skipped job %s\n", name)
			continue
		}
		good = r.job(j, v) && good
		outputs := map[string]any{}
		for key, value := range j.Outputs {
			outputs[key] = v.expand(r.t, value)
		}
		needs[name] = map[string]any{"outputs": outputs}
	}
	return good
}

// job runs a job's steps in a workspace of its own.
func (r *runner) job(j *job, v values) bool {
	env, workspace, temp := maps.Clone(r.env), r.t.TempDir(), r.t.TempDir()
	for key, value := range j.Env {
		if _, ours := env[key]; !ours { // the store is the test's
			env[key] = v.expand(r.t, value)
		}
	}
	env["GITHUB_WORKSPACE"], env["RUNNER_TEMP"] = workspace, temp
	r.summary = filepath.Join(temp, "summary.md")
	env["GITHUB_STEP_SUMMARY"] = r.summary
	v["runner"] = map[string]any{"temp": temp}
	failed := false
	for _, s := range j.Steps {
		if !v.holds(r.t, s.If, failed) {
			continue
		}
		with := map[string]string{}
		for key, value := range s.With {
			with[key] = v.expand(r.t, fmt.Sprint(value))
		}
		own := maps.Clone(env)
		for key, value := range s.Env {
			own[key] = v.expand(r.t, value)
		}
		outputs, err := r.use(s.Uses, with, own, workspace)
		if s.ID != "" {
			v["steps"].(map[string]any)[s.ID] = map[string]any{"outputs": outputs}
		}
		if err != nil {
			fmt.Fprintf(&r.log, "step %s: %v\n", s.Name+s.Uses, err)
			failed = true
		}
	}
	return !failed
}

// use plays an action.
func (r *runner) use(uses string, with, env map[string]string, workspace string) (map[string]any, error) {
	name, _, _ := strings.Cut(uses, "@")
	switch name {
	case "actions/setup-go":
		return nil, nil
	case "actions/checkout":
		ref := with["ref"]
		if ref == "" {
			ref = "origin/main"
		}
		git(r.t, workspace, "clone", "-q", "--no-checkout", r.repo, ".")
		git(r.t, workspace, "checkout", "-q", "--detach", ref)
		return nil, nil
	case "actions/upload-artifact":
		data, err := os.ReadFile(with["path"])
		r.artifacts[with["name"]+"/"+filepath.Base(with["path"])] = data
		return nil, err
	case "actions/download-artifact":
		if err := os.MkdirAll(with["path"], 0o700); err != nil {
			return nil, err
		}
		for file, data := range r.artifacts {
			if artifact, base := filepath.Split(file); artifact == with["name"]+"/" {
				return nil, os.WriteFile(filepath.Join(with["path"], base), data, 0o600)
			}
		}
		return nil, fmt.Errorf("no artifact %s", with["name"])
	case "clusterctl/clusterctl":
		return r.composite(with, env, workspace)
	}
	r.t.Fatalf("the runner does not know %s", uses)
	return nil, nil
}

// composite runs action.yml.
func (r *runner) composite(with, env map[string]string, workspace string) (map[string]any, error) {
	var a action
	decode(r.t, "../action.yml", &a)
	top, err := filepath.Abs("..")
	if err != nil {
		return nil, err
	}
	env["GITHUB_ACTION_PATH"] = top
	inputs, steps := map[string]any{}, map[string]any{}
	v := values{"github": r.github, "inputs": inputs, "steps": steps}
	for name, in := range a.Inputs {
		inputs[name] = v.expand(r.t, in.Default)
	}
	if r.bin != "" {
		inputs["bin"] = r.bin
	}
	for name, value := range with {
		if _, ok := a.Inputs[name]; !ok {
			r.t.Fatalf("action.yml has no input %s", name)
		}
		inputs[name] = value
	}
	failed := error(nil)
	for _, s := range a.Runs.Steps {
		if !v.holds(r.t, s.If, failed != nil) {
			continue
		}
		own := maps.Clone(env)
		for key, value := range s.Env {
			own[key] = v.expand(r.t, value)
		}
		outputs, err := r.bash(s, own, workspace)
		steps[s.ID] = map[string]any{"outputs": outputs}
		if err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	outputs := map[string]any{}
	for name, out := range a.Outputs {
		outputs[name] = v.expand(r.t, out.Value)
	}
	return outputs, failed
}

// bash runs one script as `shell: bash` says.
func (r *runner) bash(s step, env map[string]string, workspace string) (map[string]any, error) {
	dir := r.t.TempDir()
	script, outFile := filepath.Join(dir, "step.sh"), filepath.Join(dir, "output")
	if err := os.WriteFile(script, []byte(s.Run), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(outFile, nil, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(s.Shell, "--noprofile", "--norc", "-e", "-o", "pipefail", script)
	cmd.Dir = workspace
	env["GITHUB_OUTPUT"] = outFile
	for key, value := range env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	out, err := cmd.CombinedOutput()
	r.log.Write(out)
	return readOutputs(r.t, read(r.t, outFile)), err
}

// readOutputs reads "name=value" and "name<<mark … mark".
func readOutputs(t *testing.T, text string) map[string]any {
	outputs := map[string]any{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for len(lines) > 0 && lines[0] != "" {
		if name, mark, ok := strings.Cut(lines[0], "<<"); ok {
			end := slices.Index(lines[1:], mark)
			if end < 0 {
				t.Fatalf("output without an end: %q", text)
			}
			outputs[name], lines = strings.Join(lines[1:end+1], "\n"), lines[end+2:]
			continue
		}
		name, value, ok := strings.Cut(lines[0], "=")
		if !ok {
			t.Fatalf("no output: %q", lines[0])
		}
		outputs[name], lines = value, lines[1:]
	}
	return outputs
}

// commands are the workflow commands that a runner would take from a log.
func commands(log string) []string {
	var all []string
	stopped := ""
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch m := regexp.MustCompile(`^::([a-z-]+)[^:]*::(.*)$`).FindStringSubmatch(line); {
		case stopped != "":
			if line == "::"+stopped+"::" {
				stopped = ""
			}
		case m != nil && m[1] == "stop-commands":
			stopped = m[2]
		case m != nil:
			all = append(all, m[1])
		case strings.Contains(line, "##["):
			all = append(all, line)
		}
	}
	return all
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.org"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}
