//go:build unix

package docs_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nasty is what a stranger may write as a branch, a title or a name.
const nasty = "a$(touch pwned)`touch pwned`;touch pwned;\"'\n::add-mask::x\n"

// TestCILint: scripts are valid, no expression stands inside of one, actions are
// pinned by commit, and tokens can do what the recipe needs and no more.
func TestCILint(t *testing.T) {
	valid := func(name string, args ...string) {
		if out, err := exec.Command("bash", append([]string{"-n"}, args...)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	valid("run.sh", "ci/run.sh")
	valid("comment.sh", "ci/comment.sh")
	var a action
	decode(t, "../action.yml", &a)
	steps := map[string][]step{"action.yml": a.Runs.Steps}
	permissions := map[string]map[string]string{}
	for _, name := range []string{"review", "comment", "plan", "apply"} {
		var w workflow
		decode(t, "ci/"+name+".yml", &w)
		permissions[name] = w.Permissions
		for id, j := range w.Jobs {
			steps[name] = append(steps[name], j.Steps...)
			if j.Permissions != nil {
				permissions[name+"/"+id] = j.Permissions
			}
		}
		if text := read(t, "ci/"+name+".yml"); strings.Contains(text, "pull_request_target") || name == "review" && strings.Contains(text, "secrets.") {
			t.Errorf("%s.yml gives a stranger's change more than a reader has", name)
		}
	}
	for name, list := range steps {
		for _, s := range list {
			if strings.Contains(s.Run, "${{") || strings.Contains(s.Run, "eval") {
				t.Errorf("%s: %s: a value stands inside of the script", name, s.Name)
			}
			if s.Run != "" && (s.Shell != "bash" || !strings.HasPrefix(s.Run, "set -euo pipefail\n")) {
				t.Errorf("%s: %s: not a strict bash script", name, s.Name)
			}
			if s.Uses != "" && !regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`).MatchString(s.Uses) {
				t.Errorf("%s: %s is not pinned by commit", name, s.Uses)
			}
			valid(name+": "+s.Name, "-c", s.Run)
		}
	}
	reader := map[string]string{"contents": "read"}
	want := map[string]map[string]string{"review": reader, "apply": reader, "comment": {}, "comment/comment": {"actions": "read", "pull-requests": "write"},
		"plan": {"contents": "read", "pull-requests": "write"}}
	if diff := cmp.Diff(want, permissions); diff != "" {
		t.Errorf("permissions (-want +got)\n%s", diff)
	}
}

const (
	find   = "GET /repos/campus/fleet/pulls"
	list   = "GET /repos/campus/fleet/issues/7/comments"
	create = "POST /repos/campus/fleet/issues/7/comments"
)

// TestCIFork plays a stranger's pull request: it is reviewed without a secret and
// with a token that cannot write, and one comment follows its commits.
func TestCIFork(t *testing.T) {
	s := newStage(t)
	s.build(t)
	s.must(t, s.play("ci/review.yml", "pull_request", s.pull(t, "stranger")))
	if got := commands(s.log.String()); !slices.Contains(got, "notice") {
		t.Errorf("no annotation, but %v\n%s", got, s.log.String())
	}
	// Somebody else's decoys, on a first page that is full.
	for range 100 {
		s.forge.add("stranger", "<!-- clusterctl diff specs -->\nmine")
	}
	s.must(t, s.play("ci/comment.yml", "workflow_run", s.finished(t, "stranger")), find, list, list, create)
	first := s.forge.comments[100].Body
	if !strings.HasPrefix(first, "<!-- clusterctl diff specs -->\n") || !strings.Contains(first, "`3` → `5`") {
		t.Errorf("the comment is\n%s", first)
	}

	s.propose(t, s.repo, fmt.Sprintf(fleet, 6))
	s.must(t, s.play("ci/review.yml", "pull_request", s.pull(t, "stranger")))
	s.must(t, s.play("ci/comment.yml", "workflow_run", s.finished(t, "stranger")), find, list, list, "PATCH /repos/campus/fleet/issues/comments/101")
	if got := s.forge.comments[100].Body; !strings.Contains(got, "`3` → `6`") || len(s.forge.comments) != 101 {
		t.Errorf("%d comments, the last\n%s", len(s.forge.comments), got)
	}

	// A spec that cannot be used fails the check and still gets its comment.
	s.propose(t, s.repo, fmt.Sprintf(fleet, -1))
	if s.play("ci/review.yml", "pull_request", s.pull(t, "stranger")) {
		t.Error("a broken spec passes")
	}
	s.must(t, s.play("ci/comment.yml", "workflow_run", s.finished(t, "stranger")), find, list, list, "PATCH /repos/campus/fleet/issues/comments/101")
	if got := s.forge.comments[100].Body; !strings.Contains(got, "The spec cannot be used") {
		t.Errorf("the comment is\n%s", got)
	}

	// Meanwhile the branch moved on: the comment would be about another commit.
	old := s.finished(t, "stranger")
	s.propose(t, s.repo, fmt.Sprintf(fleet, 8))
	s.pull(t, "stranger")
	s.must(t, s.play("ci/comment.yml", "workflow_run", old), find)
	s.harmless(t)
}

// TestCICommentRefuses: what a fork hands over is posted only when it may be
// ours, and never where the file says.
func TestCICommentRefuses(t *testing.T) {
	s := newStage(t)
	s.bin = s.root
	for name, text := range map[string]string{
		"empty": "", "no marker": "Click here", "another marker": "<!-- other -->\n", "too long": "<!-- clusterctl diff x -->\n" + strings.Repeat("x", 65536),
	} {
		s.artifacts["comment/comment.md"] = []byte(text)
		s.pull(t, "stranger")
		if s.play("ci/comment.yml", "workflow_run", s.finished(t, "stranger")) {
			t.Errorf("%s: posted", name)
		}
		if calls := s.forge.take(); len(calls) > 0 {
			t.Errorf("%s: called %v", name, calls)
		}
	}
	// A body that looks like code is text, and a token that cannot write is an error.
	s.artifacts["comment/comment.md"] = []byte("<!-- clusterctl diff x -->\n" + nasty)
	s.must(t, s.play("ci/comment.yml", "workflow_run", s.finished(t, "stranger")), find, list, create)
	if got := s.forge.comments[0].Body; got != "<!-- clusterctl diff x -->\n"+nasty {
		t.Errorf("posted %q", got)
	}
	s.issue = func(map[string]string) string { return "made-up-reader" }
	if s.play("ci/comment.yml", "workflow_run", s.finished(t, "stranger")) {
		t.Error("a token that cannot write updated a comment")
	}
	if strings.Contains(s.log.String(), "made-up-") {
		t.Error("the log has a token")
	}
	s.harmless(t)
}

// TestCINames: directories, files and arguments of any name are names.
func TestCINames(t *testing.T) {
	s := newStage(t)
	s.build(t)
	plain := strings.TrimSpace(strings.ReplaceAll(nasty, "\n::add-mask::x", ""))
	for _, name := range []string{plain, nasty, "-x", "--help"} {
		write(t, filepath.Join(s.repo, name, "fleet.cue"), fmt.Sprintf(fleet, 4))
		for _, with := range []map[string]string{
			{"command": "validate", "sarif-file": filepath.Join(s.root, "x"+name)},
			{"command": "diff", "base": "main"},
			{"command": "diff", "base": nasty},
			{"command": "plan", "plan-file": filepath.Join(s.root, "p"+name)},
			{"command": "apply", "plan-file": name},
			{"command": "validate", "args": nasty},
			{"command": nasty},
		} {
			with["spec"] = name
			// Whether there is such a spec is not asked here.
			outputs, err := s.composite(with, s.machine(t), s.repo)
			if name == plain && with["command"] == "diff" && with["base"] == "main" && (err != nil || outputs["changed"] != "true") {
				t.Errorf("diff of %q: %v %v\n%s", name, outputs, err, s.log.String())
			}
			for _, output := range []string{"exit-code", "changed"} {
				if text := fmt.Sprint(outputs[output]); !regexp.MustCompile(`^(\d*|true|false)$`).MatchString(text) {
					t.Errorf("%v: output %s is %q", with, output, text)
				}
			}
		}
	}
	s.harmless(t)
}

// TestCIPlanAndApply plays a pull request from inside up to the apply after its
// merge, on a simulated cloud.
func TestCIPlanAndApply(t *testing.T) {
	s := newStage(t)
	s.build(t)
	s.cloud(t)
	s.env["CCTL_STORE"] = filepath.Join(s.root, "store")
	event := s.pull(t, "campus")
	s.must(t, s.play("ci/plan.yml", "pull_request", event), list, create)
	s.must(t, s.play("ci/plan.yml", "pull_request", event), list, "PATCH /repos/campus/fleet/issues/comments/1")
	if got := s.forge.comments[0].Body; !strings.HasPrefix(got, "<!-- clusterctl plan specs -->\n") || !strings.Contains(got, "analytics/core") {
		t.Errorf("the comment is\n%s", got)
	}
	if got := commands(s.log.String()); !slices.Contains(got, "notice") {
		t.Errorf("no annotation of the plan, but %v\n%s", got, s.log.String())
	}

	// Without a plan the comment says why, and the check fails.
	s.propose(t, s.repo, fmt.Sprintf(fleet, -1))
	s.log.Reset()
	if s.play("ci/plan.yml", "pull_request", s.pull(t, "campus")) || !slices.Contains(commands(s.log.String()), "error") {
		t.Errorf("a broken spec passes, or has no annotation\n%s", s.log.String())
	}
	s.must(t, true, list, "PATCH /repos/campus/fleet/issues/comments/1")
	if got := s.forge.comments[0].Body; !strings.HasPrefix(got, "<!-- clusterctl plan specs -->\n## The spec cannot be used") {
		t.Errorf("the comment is\n%s", got)
	}
	s.propose(t, s.repo, fmt.Sprintf(fleet, 5))
	keys := s.secrets
	s.secrets = map[string]any{}
	if s.play("ci/plan.yml", "pull_request", s.pull(t, "campus")) {
		t.Error("a plan was made without credentials")
	}
	s.must(t, true, list, "PATCH /repos/campus/fleet/issues/comments/1")
	if got := s.forge.comments[0].Body; !strings.HasPrefix(got, "<!-- clusterctl plan specs -->\n## There is no plan\n") || !strings.Contains(got, "credentials are missing") {
		t.Errorf("the comment is\n%s", got)
	}
	s.secrets = keys

	for _, secret := range s.secrets {
		for name, data := range s.artifacts {
			if strings.Contains(string(data), fmt.Sprint(secret)) {
				t.Errorf("artifact %s holds a credential", name)
			}
		}
	}

	// From a fork the job is skipped before any secret is asked for.
	all := s.secrets
	s.secrets = nil
	s.must(t, s.play("ci/plan.yml", "pull_request", s.pull(t, "stranger")))
	if !strings.Contains(s.log.String(), "skipped job plan") {
		t.Error("the plan of a fork was made")
	}
	s.secrets = all

	git(t, s.repo, "checkout", "-q", "main")
	git(t, s.repo, "merge", "-q", "proposal")
	// Without its store apply does nothing, rather than to forget what was sent.
	if s.play("ci/apply.yml", "push", map[string]any{}) || !strings.Contains(s.log.String(), "there is no store in") {
		t.Errorf("applied without a store\n%s", s.log.String())
	}
	s.makeStore(t)
	s.log.Reset()
	s.must(t, s.play("ci/apply.yml", "push", map[string]any{}))
	used := filepath.Join(s.root, "used.json")
	write(t, used, string(s.artifacts["plan/plan.json"]))
	if got := read(t, s.summary); !strings.HasPrefix(got, "<!-- clusterctl apply ") || !strings.Contains(got, "analytics/core") {
		t.Errorf("the summary is\n%s", got)
	}
	s.log.Reset()
	s.must(t, s.play("ci/apply.yml", "push", map[string]any{}))
	if !strings.Contains(s.log.String(), "skipped job apply") {
		t.Errorf("a second run is not without changes\n%s", s.log.String())
	}
	// The plan that was applied is used up: exit 3 reaches the workflow.
	outputs, err := s.composite(map[string]string{"command": "apply", "plan-file": used}, s.withKeys(t), s.repo)
	if err == nil || outputs["exit-code"] != "3" || outputs["changed"] != "false" {
		t.Errorf("a used plan: %v %v\n%s", outputs, err, s.log.String())
	}
	s.harmless(t)
}
