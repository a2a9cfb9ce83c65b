package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/urfave/cli/v2"

	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/schema"
)

// Editors and git write several files, and a file in several steps: a run waits
// until nothing has changed for settled, or for impatient at the most.
const (
	settled   = 100 * time.Millisecond
	impatient = time.Second
)

// watch validates, and does so again whenever a file of the module changes,
// until it is interrupted.
func (sh *shell) watch(c *cli.Context, format string) error {
	if format != "text" && format != "json" {
		return exitf(exitError, "--watch prints text or json, not %s", format)
	}
	ctx, stop := sh.interruptible(c.Context)
	defer stop()
	dir, below, err := specDir(c.Args().First())
	if err != nil {
		return err
	}
	files := &watched{dir: dir, below: below}
	defer func() {
		if files.Watcher != nil {
			_ = files.Close() // the process ends
		}
	}()
	show := sh.validated(format)
	for changed := []string(nil); ; {
		// Before the files are read, so that no change falls in between.
		if err := files.sync(); err != nil {
			return fmt.Errorf("watch %s: %w", dir, err)
		}
		begun := time.Now()
		fleet, problems, ok := sh.loadFor(ctx, c.Args().First())
		if !ok {
			return quietly(exitInterrupted)
		}
		if err := show(report{fleet, problems, changed, begun, time.Since(begun)}); err != nil {
			return err
		}
		if changed, err = nextChange(ctx, files); err != nil {
			return fmt.Errorf("watch %s: %w", dir, err)
		}
		if ctx.Err() != nil {
			return quietly(exitInterrupted)
		}
	}
}

// loadFor reads the spec unless it is interrupted, for which reading would not
// stop.
func (sh *shell) loadFor(ctx context.Context, pattern string) (fleet *schema.Fleet, problems []schema.Problem, ok bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fleet, problems = schema.Load(schema.Options{Dir: ".", Pattern: pattern, Getenv: sh.getenv})
	}()
	select {
	case <-done:
		return fleet, problems, true
	case <-ctx.Done():
		return nil, nil, false
	}
}

// nextChange waits for changes and names what changed. It names nothing when
// the run was interrupted.
func nextChange(ctx context.Context, files *watched) (changed []string, err error) {
	var quiet, latest <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil, nil
		case e := <-files.Events:
			if !files.matters(e) {
				continue
			}
			changed = appendNew(changed, e.Name)
		case err := <-files.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return nil, err
			}
			changed = appendNew(changed, files.root) // more than can be told
		case <-quiet:
			return changed, nil
		case <-latest:
			return changed, nil
		}
		quiet = time.After(settled)
		if latest == nil {
			latest = time.After(impatient)
		}
	}
}

func appendNew(list []string, name string) []string {
	for _, other := range list {
		if other == name {
			return list
		}
	}
	return append(list, name)
}

// report is what came of one run.
type report struct {
	fleet    *schema.Fleet
	problems []schema.Problem
	changed  []string // nil: the first run
	at       time.Time
	took     time.Duration
}

// validated returns what shows reports: on a terminal one that takes the place
// of the last, elsewhere one after the other.
func (sh *shell) validated(format string) func(report) error {
	if format == "json" {
		enc := json.NewEncoder(sh.stdout) // a line each
		enc.SetEscapeHTML(false)
		return func(r report) error {
			return enc.Encode(validity(r.fleet, r.problems))
		}
	}
	if terminal(sh.stdout) && sh.getenv("TERM") != "dumb" {
		screen := &board{w: sh.stdout, size: func() (int, int) { return window(sh.stdout) }}
		return func(r report) error {
			return screen.show(r.text(sh.colour(sh.stdout)) + r.when("checked") + " in " + render.Span(r.took) + "; ^C ends\n")
		}
	}
	return func(r report) error {
		_, err := fmt.Fprintf(sh.stdout, "%s\n%s\n", r.when("watching"), r.text(false))
		return err
	}
}

// text is what validate prints, problems and verdict.
func (r report) text(colour bool) string {
	var b bytes.Buffer
	if len(r.problems) > 0 {
		_ = schema.WriteText(&b, r.problems, colour) // into memory
		b.WriteByte('\n')
	}
	if r.fleet == nil || schema.Failed(r.problems) {
		b.WriteString(verdict(r.fleet, r.problems))
	} else {
		b.WriteString(plural(r.fleet.Total, "cluster is", "clusters are") + " valid.")
	}
	b.WriteByte('\n')
	return b.String()
}

// when says at what time a run was, and why: "10:31:07Z fleet.cue changed".
func (r report) when(first string) string {
	why := first
	if n := len(r.changed); n > 0 {
		name, err := fromWorkDir(r.changed[0])
		if err != nil {
			name = r.changed[0]
		}
		why = render.Clean(filepath.ToSlash(name))
		if n > 1 {
			why += fmt.Sprintf(" and %d more", n-1)
		}
		why += " changed"
		if first == "checked" {
			why += ", checked"
		}
	}
	return r.at.UTC().Format("15:04:05Z") + " " + why
}

// fromWorkDir is a name as people in the working directory write it. Watched
// names have no links in them.
func fromWorkDir(name string) (string, error) {
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return name, err
	}
	return filepath.Rel(dir, name)
}

// specDir is the directory that a pattern such as "envs/...:prod" names, and
// whether those below it are meant, too.
func specDir(pattern string) (dir string, below bool, err error) {
	dir = filepath.ToSlash(pattern)
	if i := strings.LastIndex(dir, ":"); i > strings.LastIndex(dir, "/") && i > len(filepath.VolumeName(pattern)) {
		dir = dir[:i]
	}
	if below = dir == "..." || strings.HasSuffix(dir, "/..."); below {
		dir = strings.TrimSuffix(dir, "...")
	}
	dir, err = filepath.Abs(filepath.FromSlash(dir))
	return dir, below, err
}
