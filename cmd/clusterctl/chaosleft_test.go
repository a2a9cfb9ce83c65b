//go:build linux

package main

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
)

// judgeUnmanaged compares the clusters that the spec does not manage with what
// they were.
func (r *chaosRun) judgeUnmanaged(v *chaosVerdict, f *front) {
	now, err := f.state()
	if err != nil {
		v.violate(chaosGrid, "%v", err)
		return
	}
	before, after := clustersOf(f.start), clustersOf(now)
	for _, g := range r.scenario.goals {
		delete(before, g.cluster)
		delete(after, g.cluster)
	}
	for id, cl := range before {
		if !reflect.DeepEqual(cl, after[id]) {
			v.violate(chaosUnmanaged, "%s of %s is another than before", id, f.name)
		}
	}
}

// clustersOf decodes a simulator's clusters, by id.
func clustersOf(state []byte) map[string]any {
	var s struct {
		Clusters []map[string]any `json:"clusters"`
	}
	_ = json.Unmarshal(state, &s) // the simulator wrote it
	found := map[string]any{}
	for _, cl := range s.Clusters {
		for _, name := range []string{"cluster_id", "clusterId"} {
			if id, ok := cl[name].(string); ok {
				found[id] = cl
			}
		}
	}
	return found
}

// judgeLocks tries every lock of the store.
func (r *chaosRun) judgeLocks(v *chaosVerdict) {
	locks, _ := filepath.Glob(filepath.Join(r.store(), "lock", "*"))
	for _, path := range append(locks, filepath.Join(r.store(), "history.jsonl"), r.store()) {
		f, err := os.Open(path)
		if err != nil {
			v.violate(chaosLock, "%v", err)
			continue
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			v.violate(chaosLock, "%s: %v", filepath.Base(path), err)
		}
		f.Close() // the last descriptor: the lock goes with it
	}
}

// judgeProcesses looks at how every process ended and what it left.
func (r *chaosRun) judgeProcesses(v *chaosVerdict) {
	killed := 0
	for i := range r.commands {
		c := &r.commands[i]
		for _, p := range c.stray {
			v.violate(chaosOrphan, "%s (%d) lives on after clusterctl %s", p.name, p.pid, c.args[0])
		}
		switch c.code {
		case -1:
			killed++
		case exitOK, exitError, exitStale, exitPartly, exitUnknown, exitPending:
			if c.code == exitPending && c.args[0] == "apply" {
				v.violate(chaosExit, "apply exits with %d", c.code)
			}
		default:
			v.violate(chaosExit, "clusterctl %s exits with %d", c.args[0], c.code)
		}
	}
	ours := slices.DeleteFunc(slices.Clone(r.kills), func(victim string) bool { return victim != killSelf })
	if killed != len(ours) {
		v.violate(chaosExit, "%d processes died of a signal, %d were killed", killed, len(ours))
	}
	entries, err := os.ReadDir(r.tmp())
	for _, e := range entries {
		v.violate(chaosOrphan, "%s is left in TMPDIR", e.Name())
	}
	if err != nil {
		v.violate(chaosGrid, "%v", err)
	}
}

// judgeSecrets looks for the canaries in everything that was written.
func (r *chaosRun) judgeSecrets(v *chaosVerdict) {
	secrets := slices.Collect(maps.Values(r.passwords))
	for _, f := range r.fronts {
		secrets = append(secrets, f.keys[:]...)
	}
	look := func(where, text string) {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				v.violate(chaosSecret, "%s holds %s", where, s)
			}
		}
	}
	for i := range r.commands {
		look("the output of "+r.commands[i].args[0], r.commands[i].stdout+r.commands[i].stderr)
	}
	err := filepath.WalkDir(r.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		look(path, string(b))
		return err
	})
	if err != nil {
		v.violate(chaosGrid, "%v", err)
	}
}
