//go:build unix

package docs_test

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A comment is one of the fake forge.
type comment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

// A forge is GitHub's REST API as far as the recipes use it. It takes a
// comment only from a token that may write one.
type forge struct {
	mu       sync.Mutex
	calls    []string
	comments []comment
	pulls    []map[string]any
	writers  map[string]bool // tokens
}

func (f *forge) add(login, body string) {
	c := comment{ID: len(f.comments) + 1, Body: body}
	c.User.Login = login
	f.comments = append(f.comments, c)
}

func (f *forge) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, q.Method+" "+q.URL.Path)
	const repo = "/repos/campus/fleet/"
	var sent struct{ Body string }
	if q.Method != http.MethodGet {
		token := strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")
		if !f.writers[token] {
			http.Error(w, "Resource not accessible by integration", http.StatusForbidden)
			return
		}
		if err := json.NewDecoder(q.Body).Decode(&sent); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	var answer any
	switch path := q.Method + " " + strings.TrimPrefix(q.URL.Path, repo); {
	case path == "GET pulls":
		found := []map[string]any{}
		for _, p := range f.pulls {
			if q.URL.Query().Get("head") == p["label"] {
				found = append(found, p)
			}
		}
		answer = found
	case path == "GET issues/7/comments":
		page := 0
		fmt.Sscan(q.URL.Query().Get("page"), &page)
		pages := slices.Collect(slices.Chunk(f.comments, 100))
		answer = []comment{}
		if page <= len(pages) {
			answer = pages[page-1]
		}
	case path == "POST issues/7/comments":
		f.add("github-actions[bot]", sent.Body)
		w.WriteHeader(http.StatusCreated)
		answer = f.comments[len(f.comments)-1]
	case strings.HasPrefix(path, "PATCH issues/comments/"):
		id := 0
		fmt.Sscan(strings.TrimPrefix(path, "PATCH issues/comments/"), &id)
		f.comments[id-1].Body = sent.Body
		answer = f.comments[id-1]
	default:
		http.NotFound(w, q)
		return
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(err)
	}
}

func (f *forge) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

// A stage is a repository on a forge, and machines that play its workflows.
type stage struct {
	*runner
	forge *forge
	root  string // of everything that a script may write to
}

const fleet = `package fleet

providers: huawei: {plugin: "huawei", region: "cn-north-4", project_id: "0123456789abcdef0123456789abcdef"}
clusters: analytics: {provider: "huawei", kind: "mrs", id: "00000000-0000-4000-8000-000000000001", node_groups: core: count: %d}
`

// newStage has a repository whose main branch says 3 nodes and whose branch
// proposal says 5.
func newStage(t *testing.T) *stage {
	t.Helper()
	for _, tool := range []string{"bash", "git", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the recipes need %s, as GitHub's machines have it: %v", tool, err)
		}
	}
	root := t.TempDir()
	t.Setenv("TMPDIR", root)
	s := &stage{root: root, forge: &forge{writers: map[string]bool{}}}
	api := httptest.NewServer(s.forge)
	t.Cleanup(api.Close)
	// Whoever calls anything but loopback asks this proxy.
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		t.Errorf("called: %s %s", q.Method, q.Host)
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(outside.Close)
	repo := filepath.Join(root, "repo")
	write(t, filepath.Join(repo, "specs", "fleet.cue"), fmt.Sprintf(fleet, 3))
	git(t, repo, "init", "-q", "-b", "main")
	git(t, repo, "add", ".")
	git(t, repo, "commit", "-qm", "base")
	git(t, repo, "checkout", "-qb", "proposal")
	s.propose(t, repo, fmt.Sprintf(fleet, 5))
	s.runner = &runner{t: t, repo: repo, artifacts: map[string][]byte{}, secrets: map[string]any{}, env: map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": filepath.Join(root, "home"), "TMPDIR": root, "LC_ALL": "C.UTF-8",
		"GITHUB_API_URL": api.URL, "GITHUB_REPOSITORY": "campus/fleet", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "none", "CI": "true",
		"http_proxy": outside.URL, "https_proxy": outside.URL, "no_proxy": "127.0.0.1",
		// Building reuses what this test's own build left.
		"GOCACHE": goEnv(t, "GOCACHE"), "GOMODCACHE": goEnv(t, "GOMODCACHE"), "CGO_ENABLED": goEnv(t, "CGO_ENABLED"),
		"GOFLAGS": "-mod=readonly", "GOPROXY": "off", "GOTOOLCHAIN": "local",
	}, issue: func(permissions map[string]string) string {
		token := fmt.Sprintf("made-up-token-%d", len(s.forge.writers))
		s.forge.writers[token] = permissions["pull-requests"] == "write"
		return token
	}}
	return s
}

func (s *stage) propose(t *testing.T, repo, text string) {
	write(t, filepath.Join(repo, "specs", "fleet.cue"), text)
	git(t, repo, "commit", "-qam", "proposal")
}

func goEnv(t *testing.T, name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// build has the binaries that the action's own build step makes.
func (s *stage) build(t *testing.T) {
	t.Helper()
	s.env["RUNNER_TEMP"] = filepath.Join(s.root, "built")
	if _, err := s.composite(map[string]string{"command": "validate", "spec": "specs"}, s.machine(t), s.repo); err != nil {
		t.Fatalf("%v\n%s", err, s.log.String())
	}
	s.bin = filepath.Join(s.root, "built", "clusterctl", "bin")
}

// machine is the environment of one use of the action without a workflow.
func (s *stage) machine(t *testing.T) map[string]string {
	env := map[string]string{"GITHUB_STEP_SUMMARY": filepath.Join(s.root, "summary"), "GITHUB_EVENT_PATH": filepath.Join(s.root, "event.json"),
		"RUNNER_TEMP": filepath.Join(s.root, "built")}
	write(t, env["GITHUB_EVENT_PATH"], "{}")
	for key, value := range s.env {
		env[key] = value
	}
	return env
}

// pull is the event of a pull request; from a fork when the owner is another.
func (s *stage) pull(t *testing.T, owner string) map[string]any {
	head := map[string]any{"sha": git(t, s.repo, "rev-parse", "proposal"), "ref": nasty,
		"repo": map[string]any{"full_name": owner + "/fleet", "owner": map[string]any{"login": owner}}}
	s.forge.pulls = []map[string]any{{"number": 7, "label": owner + ":" + nasty, "head": head}}
	return map[string]any{"pull_request": map[string]any{"number": 7, "title": nasty, "body": nasty, "head": head,
		"base": map[string]any{"sha": git(t, s.repo, "rev-parse", "main"), "ref": "main"}}}
}

// finished is the event of the review workflow's end.
func (s *stage) finished(t *testing.T, owner string) map[string]any {
	return map[string]any{"workflow_run": map[string]any{"id": 1, "event": "pull_request", "head_branch": nasty, "pull_requests": []any{},
		"head_sha":        git(t, s.repo, "rev-parse", "proposal"),
		"head_repository": map[string]any{"full_name": owner + "/fleet", "owner": map[string]any{"login": owner}}}}
}

// harmless: nothing that a stranger wrote was run, by a shell or by the runner.
func (s *stage) harmless(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.Dir(s.root), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "pwned" {
			t.Errorf("a name was run: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands(s.log.String()) {
		if !slices.Contains([]string{"error", "warning", "notice"}, c) {
			t.Errorf("the runner was told %s", c)
		}
	}
}

func (s *stage) must(t *testing.T, good bool, calls ...string) {
	t.Helper()
	if !good {
		t.Fatalf("the workflow failed\n%s", s.log.String())
	}
	if diff := cmp.Diff(calls, s.forge.take()); diff != "" {
		t.Errorf("calls of the forge (-want +got)\n%s\n%s", diff, s.log.String())
	}
}

// cloud starts a simulator; the machines know its address, the secrets are keys
// that it takes.
func (s *stage) cloud(t *testing.T) {
	t.Helper()
	env := filepath.Join(s.root, "sim.env")
	bin := filepath.Join(s.root, "cloudsim")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/cloudsim").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	sim := exec.Command(bin, "--env", env, "--job-time", "300ms", "--accept-window", "4s")
	out, err := sim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sim.Process.Kill()
		_ = sim.Wait()
	})
	// It prints once it serves, after it wrote the file.
	if _, err := io.ReadAtLeast(out, make([]byte, 4096), 1); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^export (\w+)='?([^'\n]*)'?$`).FindAllStringSubmatch(read(t, env), -1) {
		switch {
		case m[1] == "HUAWEICLOUD_SDK_AK":
			s.secrets["HUAWEI_READ_AK"], s.secrets["HUAWEI_WRITE_AK"] = m[2], m[2]
		case m[1] == "HUAWEICLOUD_SDK_SK":
			s.secrets["HUAWEI_READ_SK"], s.secrets["HUAWEI_WRITE_SK"] = m[2], m[2]
		case strings.HasPrefix(m[1], "CCTL_") && !strings.HasPrefix(m[1], "CCTL_SECRET_"):
			s.env[m[1]] = m[2]
		}
	}
	if len(s.secrets) != 4 || s.env["CCTL_ENDPOINT_HUAWEI"] == "" {
		t.Fatalf("the simulator's variables were not understood:\n%s", read(t, env))
	}
}

// makeStore is the one run of a person who sets the machine up, kept from the
// plan of a pull request.
func (s *stage) makeStore(t *testing.T) {
	t.Helper()
	s.env["CCTL_STORE"] = filepath.Join(s.root, "store")
	empty := filepath.Join(s.root, "empty")
	write(t, filepath.Join(empty, "fleet.cue"), fmt.Sprintf(fleet, 3))
	cmd := exec.Command(filepath.Join(s.bin, "clusterctl"), "apply", "--auto-approve", "--new-store=now", empty)
	for key, value := range s.withKeys(t) {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func (s *stage) withKeys(t *testing.T) map[string]string {
	env := s.machine(t)
	env["HUAWEICLOUD_SDK_AK"], env["HUAWEICLOUD_SDK_SK"] = fmt.Sprint(s.secrets["HUAWEI_WRITE_AK"]), fmt.Sprint(s.secrets["HUAWEI_WRITE_SK"])
	return env
}
