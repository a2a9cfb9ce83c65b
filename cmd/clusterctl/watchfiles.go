package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"

	"github.com/clusterctl/clusterctl/schema"
)

// watched are the directories of a spec's module. The system tells of changes
// in each directory alone, so that those that come are added.
type watched struct {
	*fsnotify.Watcher        // nil before the first sync
	dir               string // of the spec, which may come and go
	below             bool   // the spec is what is below dir, too
	module            string // the last module that was seen around it
	root              string // of the module, links resolved; or what is left of the way to it
	next              string // then, what comes next on the way
	whole             bool   // with the directories below it
	dirs              map[string]bool
}

// sync watches what the module consists of by now, from scratch: directories
// that were moved keep their old names in a watcher. A module that is gone is
// waited for where the way to it ends.
func (w *watched) sync() error {
	fresh, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	if w.Watcher != nil {
		_ = w.Watcher.Close() // what it has yet to tell is read after this
	}
	w.Watcher, w.dirs = fresh, map[string]bool{}
	root, inModule := moduleAround(w.dir)
	if w.root, w.next, err = wayTo(root); err != nil {
		return err
	}
	w.whole = (inModule || w.below) && w.next == ""
	if inModule {
		w.module = w.root
	} else if w.module != "" {
		if err := w.addTree(w.module, false); err != nil { // its cue.mod may come back
			return err
		}
	}
	return w.addTree(w.root, w.whole)
}

// wayTo follows links to a directory. Where it is not there, next is what is
// missing first in what there is of the way.
func wayTo(dir string) (there, next string, err error) {
	for {
		there, err = filepath.EvalSymlinks(dir)
		up := filepath.Dir(dir)
		if err == nil || up == dir {
			break
		}
		next, dir = filepath.Base(dir), up
	}
	if next != "" {
		next = filepath.Join(there, next)
	}
	return there, next, err
}

// addTree watches a directory and, for whole, those below it. What vanishes
// meanwhile is told by its parent; what may not be read is told by the loader.
func (w *watched) addTree(top string, whole bool) error {
	return filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return ignorable(err)
		case !d.IsDir():
			return nil
		case path != top && (!whole && d.Name() != "cue.mod" || w.hidden(path)):
			return fs.SkipDir
		}
		if err := w.Add(path); err != nil {
			return ignorable(err)
		}
		w.dirs[path] = true
		return nil
	})
}

func ignorable(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// hidden reports directories that no package of a module is in, such as .git,
// unless the spec is there all the same.
func (w *watched) hidden(dir string) bool {
	if !strings.HasPrefix(filepath.Base(dir), ".") {
		return false
	}
	spec, err := filepath.EvalSymlinks(w.dir)
	return err != nil || !strings.HasPrefix(spec+string(filepath.Separator), dir+string(filepath.Separator))
}

// matters reports whether an event may change what validate says. A directory
// that is new is watched from here on, as files may come into it later.
func (w *watched) matters(e fsnotify.Event) bool {
	base := filepath.Base(e.Name)
	switch {
	case w.next != "" && e.Name == w.next, w.dirs[e.Name] && (e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)):
		return true
	case w.dirs[e.Name], strings.HasPrefix(base, "."): // an editor's lock or swap file
		return false
	case ofSpec(base), base == "cue.mod":
		return true
	}
	info, err := os.Lstat(e.Name)
	if !w.whole || err != nil || !info.IsDir() {
		return false
	}
	if err := w.addTree(e.Name, true); err != nil {
		return true // sync says why
	}
	found := false
	_ = filepath.WalkDir(e.Name, func(path string, d fs.DirEntry, err error) error {
		found = found || err == nil && !d.IsDir() && ofSpec(d.Name())
		return nil
	})
	return found
}

// ofSpec reports names of files that the loader reads.
func ofSpec(name string) bool { return strings.HasSuffix(name, ".cue") || name == schema.LockFile }

// moduleAround is the module that a directory is in. Outside of one a spec is
// that directory alone, without those below it.
func moduleAround(dir string) (root string, whole bool) {
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Stat(filepath.Join(at, "cue.mod")); err == nil && info.IsDir() {
			return at, true
		}
		if at == filepath.Dir(at) {
			return dir, false
		}
	}
}
