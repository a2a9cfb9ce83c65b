package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/clusterctl/clusterctl/schema"
)

// repository is the git repository around the working directory. Only its
// objects are read: no checkout, no network, no program that its configuration
// names.
type repository struct {
	top string
}

func openRepository(ctx context.Context) (*repository, error) {
	r := &repository{}
	top, err := r.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("diff compares revisions in git: %w", err)
	}
	r.top = filepath.FromSlash(strings.TrimSpace(string(top)))
	return r, nil
}

// git runs one command that only reads.
func (r *repository) git(ctx context.Context, args ...string) ([]byte, error) {
	cmd := r.command(ctx, args...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("there is no git on PATH")
	case errors.As(err, &exit):
		text := strings.TrimSpace(string(exit.Stderr))
		return nil, fmt.Errorf("git %s: %s", args[0], strings.TrimPrefix(text, "fatal: "))
	}
	return out, err
}

func (r *repository) command(ctx context.Context, args ...string) *exec.Cmd {
	// Promised objects would be fetched, and monitors and filters are programs.
	cmd := exec.CommandContext(ctx, "git", append([]string{"--no-pager", "--no-optional-locks", "--literal-pathspecs", "-c", "core.fsmonitor=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	if r.top != "" {
		cmd.Dir = r.top
	}
	return cmd
}

// commit is the id of a revision's commit.
func (r *repository) commit(ctx context.Context, revision string) (string, error) {
	if strings.HasPrefix(revision, "-") {
		return "", fmt.Errorf("%q is no revision", revision)
	}
	out, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	if r.shallow(ctx) {
		return "", fmt.Errorf("this clone is shallow and does not have %s; fetch more of it, as with git fetch --unshallow, or in a workflow fetch-depth: 0", revision)
	}
	return "", fmt.Errorf("git knows no revision %s", revision)
}

func (r *repository) shallow(ctx context.Context) bool {
	out, err := r.git(ctx, "rev-parse", "--is-shallow-repository")
	return err == nil && strings.TrimSpace(string(out)) == "true"
}

// mergeBase is where head left base's line: what base won since is not part
// of the change.
func (r *repository) mergeBase(ctx context.Context, base, head string) (string, error) {
	out, err := r.git(ctx, "merge-base", base, head)
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	if r.shallow(ctx) {
		return "", errors.New("this clone is shallow and ends before the two revisions meet; fetch more of it, as with git fetch --unshallow, or in a workflow fetch-depth: 0")
	}
	return "", errors.New("the two revisions have no common ancestor")
}

// snapshot reads from a commit what a spec may be made of.
func (r *repository) snapshot(ctx context.Context, commit string) (*schema.Snapshot, error) {
	list, err := r.git(ctx, "ls-tree", "-r", "-z", "--full-tree", commit)
	if err != nil {
		return nil, err
	}
	s := &schema.Snapshot{Top: r.top, Name: commit, Files: map[string][]byte{}, Links: map[string]bool{}}
	var names, objects []string
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		about, name, ok := strings.Cut(entry, "\t")
		fields := strings.Fields(about)
		if !ok || len(fields) != 3 || fields[1] != "blob" {
			continue // an empty tree, or a submodule
		}
		if fields[0] == "120000" {
			s.Links[name] = true
		}
		if strings.HasSuffix(name, ".cue") || strings.HasSuffix(name, schema.LockFile) {
			names, objects = append(names, name), append(objects, fields[2])
		}
	}
	return s, r.blobs(ctx, objects, func(i int, content []byte) { s.Files[names[i]] = content })
}

// blobs reads many objects with one process.
func (r *repository) blobs(ctx context.Context, objects []string, each func(i int, content []byte)) error {
	cmd := r.command(ctx, "cat-file", "--batch")
	cmd.Stdin = strings.NewReader(strings.Join(objects, "\n") + "\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		return nil
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = readBlobs(bufio.NewReader(out), len(objects), each)
	if werr := cmd.Wait(); werr != nil && err == nil {
		err = fmt.Errorf("git cat-file: %s", strings.TrimSpace(stderr.String()))
	}
	return err
}

func readBlobs(out *bufio.Reader, n int, each func(i int, content []byte)) error {
	for i := range n {
		head, err := out.ReadString('\n')
		if err != nil {
			return fmt.Errorf("git cat-file: %w", err)
		}
		fields := strings.Fields(head)
		if len(fields) != 3 {
			return fmt.Errorf("git cat-file: %s; if the clone is partial, fetch its objects first", strings.TrimSpace(head))
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			return fmt.Errorf("git cat-file: %w", err)
		}
		content := make([]byte, size+1) // a newline follows
		if _, err := io.ReadFull(out, content); err != nil {
			return fmt.Errorf("git cat-file: %w", err)
		}
		each(i, content[:size])
	}
	return nil
}

// span is a range of lines, both ends included.
type span struct{ from, to int }

// written are the lines of each file that are in head, or in the working tree
// when head is empty, and not in base: by name below the top.
func (r *repository) written(ctx context.Context, base, head string) (map[string][]span, error) {
	args := []string{"diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--unified=0", "--src-prefix=a/", "--dst-prefix=b/", base}
	if head != "" {
		args = append(args, head)
	}
	out, err := r.git(ctx, args...)
	if err != nil {
		return nil, err
	}
	lines := readHunks(string(out))
	return lines, r.untracked(ctx, head, lines)
}

// readHunks reads the output of git diff without context.
func readHunks(diff string) map[string][]span {
	lines := map[string][]span{}
	name, body := "", 0 // body: how many lines of a hunk are still to come
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, `\`): // no newline at the end of a file
		case body > 0:
			body--
		case strings.HasPrefix(line, "+++ "):
			name = strings.TrimPrefix(unquoteName(strings.TrimSuffix(line[len("+++ "):], "\t")), "b/")
		case strings.HasPrefix(line, "@@ "):
			var added span
			if added, body = hunk(line); added.to >= added.from {
				lines[name] = append(lines[name], added)
			}
		}
	}
	return lines
}

// untracked files of the working tree are new as a whole.
func (r *repository) untracked(ctx context.Context, head string, lines map[string][]span) error {
	if head != "" {
		return nil
	}
	out, err := r.git(ctx, "ls-files", "-z", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		lines[name] = []span{{1, 1 << 30}}
	}
	return nil
}

// hunk reads "@@ -3,2 +3,4 @@ …": the lines of the head, and how many lines
// follow in all.
func hunk(text string) (added span, body int) {
	fields := strings.Fields(text)
	if len(fields) < 3 {
		return span{1, 0}, 0
	}
	_, taken := counted(fields[1])
	first, given := counted(fields[2])
	return span{first, first + given - 1}, taken + given
}

// counted reads "+3,4", or "+3" for one line.
func counted(text string) (first, n int) {
	from, count, several := strings.Cut(strings.TrimLeft(text, "+-"), ",")
	first, _ = strconv.Atoi(from)
	if n = 1; several {
		n, _ = strconv.Atoi(count)
	}
	return first, n
}

// unquoteName undoes git's quoting of unusual names.
func unquoteName(name string) string {
	if strings.HasPrefix(name, `"`) {
		if plain, err := strconv.Unquote(name); err == nil {
			return plain
		}
	}
	return name
}
