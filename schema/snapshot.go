package schema

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/load"
)

// Snapshot is the files of a repository at one revision. A spec in it is
// evaluated from memory; nothing of it is read from the disk or written there.
type Snapshot struct {
	// Top is the repository's directory. Positions are told as if the revision
	// were checked out there.
	Top string
	// Name is the revision: letters and digits.
	Name string
	// Files are the contents by name below Top, with slashes. Those that are
	// neither regular files nor needed may be left out.
	Files map[string][]byte
	// Links are the symbolic links among the names, which a spec may not have.
	Links map[string]bool
}

// root is where the snapshot's files are overlaid: a directory that no disk has,
// since an overlay does not hide the files beside it.
func (s *Snapshot) root() string {
	return filepath.Join(filepath.VolumeName(s.Top)+string(filepath.Separator), ".clusterctl-revision-"+s.Name)
}

// within is a name below Top as it is in the overlay, and outside is the reverse.
func (s *Snapshot) within(name string) string { return moved(name, s.Top, s.root()) }

func (s *Snapshot) outside(name string) string { return moved(name, s.root(), s.Top) }

func moved(name, from, to string) string {
	if name == from {
		return to
	}
	if rest, ok := strings.CutPrefix(name, from+string(filepath.Separator)); ok {
		return filepath.Join(to, rest)
	}
	return name
}

// overlay gives CUE every file that a spec is made of.
func (s *Snapshot) overlay(into map[string]load.Source) {
	for name, content := range s.Files {
		if strings.HasSuffix(name, ".cue") {
			into[filepath.Join(s.root(), filepath.FromSlash(name))] = load.FromBytes(content)
		}
	}
}

// below is the name of a file of the overlay relative to its root, with slashes.
func (s *Snapshot) below(name string) string {
	rest, err := filepath.Rel(s.root(), name)
	if err != nil {
		return ""
	}
	return filepath.ToSlash(rest)
}

// Lacks says that the snapshot has no spec where pattern, seen from dir, names
// one: there was none yet.
func (s *Snapshot) Lacks(dir, pattern string) bool {
	below, _ := split(pattern)
	if !filepath.IsAbs(below) {
		below = filepath.Join(dir, below)
	}
	below = s.below(s.within(filepath.Clean(below)))
	for name := range s.Files {
		if strings.HasSuffix(name, ".cue") && (below == "." || strings.HasPrefix(name, below+"/")) {
			return false
		}
	}
	return true
}

// The tree's files are those of the disk or of its snapshot.

func (t *tree) readFile(name string) ([]byte, error) {
	if t.snapshot == nil {
		return os.ReadFile(name)
	}
	if content, ok := t.snapshot.Files[t.snapshot.below(name)]; ok {
		return content, nil
	}
	return nil, &fs.PathError{Op: "read", Path: t.rel(name), Err: fs.ErrNotExist}
}

// isDir says whether name is a directory; an error when it is nothing.
func (t *tree) isDir(name string) (bool, error) {
	if t.snapshot == nil {
		info, err := os.Stat(name)
		return err == nil && info.IsDir(), err
	}
	below := t.snapshot.below(name)
	if _, ok := t.snapshot.Files[below]; ok {
		return false, nil
	}
	for file := range t.snapshot.Files {
		if below == "." || strings.HasPrefix(file, below+"/") {
			return true, nil
		}
	}
	return false, &fs.PathError{Op: "stat", Path: t.rel(name), Err: fs.ErrNotExist}
}

func (t *tree) exists(name string) bool {
	if t.snapshot == nil {
		return exists(name)
	}
	_, ok := t.snapshot.Files[t.snapshot.below(name)]
	return ok
}

// mode is the file's type; what stands only in the overlay is a regular file.
func (t *tree) mode(name string) fs.FileMode {
	if t.snapshot != nil {
		if t.snapshot.Links[t.snapshot.below(name)] {
			return fs.ModeSymlink
		}
		return 0
	}
	info, err := os.Lstat(name)
	if err != nil {
		return 0
	}
	return info.Mode()
}
