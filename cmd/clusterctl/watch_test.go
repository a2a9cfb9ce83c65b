package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
)

// board draws over its last report, wherever lines wrapped, and over nothing
// else: not when a part of it has scrolled away.
func TestBoard(t *testing.T) {
	columns, rows := 10, 6
	var out strings.Builder
	b := &board{w: &out, size: func() (int, int) { return columns, rows }}
	show := func(text, want string) {
		t.Helper()
		out.Reset()
		if err := b.show(text); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	}
	show("one\n", "one\n")
	show("0123456789\n\nx\n", "\r\x1b[1A\x1b[J0123456789\n\nx\n")
	show("\x1b[31;1m0123456789a\x1b[0m\n中文中文中文\n", "\r\x1b[3A\x1b[J\x1b[31;1m0123456789a\x1b[0m\n中文中文中文\n")
	show("short\n", "\r\x1b[4A\x1b[Jshort\n")
	show("1\n2\n3\n4\n5\n6\n", "\r\x1b[1A\x1b[J1\n2\n3\n4\n5\n6\n")
	show("after a long one\n", "\nafter a long one\n")
	columns = 20
	show("wider now\n", "\r\x1b[1A\x1b[Jwider now\n")
}

func TestSpecDir(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string]string{
		"": "", ".": "", "...": "... ", "./...": "... ", "envs": "envs", "envs/...": "... envs", "envs:prod": "envs",
		"envs/...:prod": "... envs", "./a/b/": "a/b", "a...": "a...",
	} {
		dir, below, err := specDir(pattern)
		want, deep := strings.CutPrefix(want, "... ")
		if err != nil || dir != filepath.Join(here, want) || below != deep {
			t.Errorf("%q: %s, %v, %v", pattern, dir, below, err)
		}
	}
}

// tree makes files and directories, which end in a slash, and returns their root.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path := filepath.Join(root, filepath.FromSlash(name))
		if !strings.HasSuffix(name, "/") {
			write(t, path)
		} else if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func write(t *testing.T, path string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte("package p\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What is watched: the module around the spec without what no package is in;
// outside of a module the directory alone.
func TestWatchedDirectories(t *testing.T) {
	names := []string{"m/cue.mod/pkg/x/", "m/envs/prod/", "m/.git/objects/", "m/.config/specs/", "alone/below/deep/", "alone/cue.sum"}
	for name, tc := range map[string]struct {
		dir   string
		below bool
		want  []string
		next  string
	}{
		"module":             {"m/envs/prod", false, []string{"m", "m/cue.mod", "m/cue.mod/pkg", "m/cue.mod/pkg/x", "m/envs", "m/envs/prod"}, ""},
		"hidden":             {"m/.config/specs", false, []string{"m", "m/.config", "m/.config/specs", "m/cue.mod", "m/cue.mod/pkg", "m/cue.mod/pkg/x", "m/envs", "m/envs/prod"}, ""},
		"no module":          {"alone", false, []string{"alone"}, ""},
		"no module, pattern": {"alone", true, []string{"alone", "alone/below", "alone/below/deep"}, ""},
		"gone":               {"alone/no/such", false, []string{"alone"}, "alone/no"},
		"gone in a module":   {"m/envs/test", false, []string{"m", "m/cue.mod", "m/cue.mod/pkg", "m/cue.mod/pkg/x", "m/envs", "m/envs/prod"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, names...)
			w := &watched{dir: filepath.Join(root, filepath.FromSlash(tc.dir)), below: tc.below}
			if err := w.sync(); err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			rel := func(path string) string {
				name, err := filepath.Rel(root, path)
				if err != nil {
					t.Fatal(err)
				}
				return filepath.ToSlash(name)
			}
			var got []string
			for _, path := range w.WatchList() {
				got = append(got, rel(path))
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("watched (-want +got):\n%s", diff)
			}
			if w.next != "" && rel(w.next) != tc.next || (w.next == "") != (tc.next == "") {
				t.Errorf("next %s, want %s", w.next, tc.next)
			}
		})
	}
}

// A link to the module is as good as the module.
func TestWatchedThroughLink(t *testing.T) {
	root := tree(t, "m/cue.mod/", "m/prod/")
	if err := os.Symlink(filepath.Join(root, "m"), filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	w := &watched{dir: filepath.Join(root, "link", "prod")}
	if err := w.sync(); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if w.root != filepath.Join(root, "m") || !w.dirs[filepath.Join(root, "m", "prod")] {
		t.Errorf("root %s, watched %v", w.root, w.dirs)
	}
}

func TestMatters(t *testing.T) {
	root := tree(t, "m/cue.mod/", "m/prod/fleet.cue", "m/empty/", "m/full/a/b.cue", "m/file", "m/.hidden/a.cue")
	w := &watched{dir: filepath.Join(root, "m", "prod")}
	if err := w.sync(); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	// These came after the sync.
	for _, name := range []string{"m/late/", "m/later/x/y.cue"} {
		path := filepath.Join(root, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
		} else {
			write(t, path)
		}
	}
	for _, tc := range []struct {
		name string
		op   fsnotify.Op
		want bool
	}{
		{"m/prod/fleet.cue", fsnotify.Write, true},
		{"m/prod/fleet.cue", fsnotify.Remove, true},
		{"m/prod/fleet.cue", fsnotify.Chmod, true}, // it may be readable now
		{"m/prod/gone.cue", fsnotify.Rename, true},
		{"m/clusterctl.lock", fsnotify.Create, true},
		{"m/prod", fsnotify.Remove, true},
		{"m/prod", fsnotify.Chmod, false},
		{"m/cue.mod", fsnotify.Create, false}, // watched since
		{"m/prod/cue.mod", fsnotify.Create, true},
		{"m/prod/fleet.cue~", fsnotify.Create, false},
		{"m/prod/.fleet.cue.swp", fsnotify.Write, false},
		{"m/prod/.#fleet.cue", fsnotify.Create, false},
		{"m/prod/4913", fsnotify.Create, false},
		{"m/file", fsnotify.Write, false},
		{"m/late", fsnotify.Create, false},
		{"m/later", fsnotify.Create, true},
		{"m/.git", fsnotify.Create, false},
		{"m", fsnotify.Rename, true},
	} {
		if got := w.matters(fsnotify.Event{Name: filepath.Join(root, filepath.FromSlash(tc.name)), Op: tc.op}); got != tc.want {
			t.Errorf("%s %s: %v", tc.op, tc.name, got)
		}
	}
	if !w.dirs[filepath.Join(root, "m", "late")] {
		t.Error("a directory that is new is not watched")
	}
}

// On the way to a spec that is not there, only the next step matters.
func TestMattersOnTheWay(t *testing.T) {
	root := tree(t, "here/")
	w := &watched{dir: filepath.Join(root, "here", "a", "b")}
	for _, step := range []struct{ made, other, root string }{{"here/a", "here/c", "here"}, {"here/a/b", "here/a/x.txt", "here/a"}} {
		if err := w.sync(); err != nil {
			t.Fatal(err)
		}
		made := filepath.Join(root, filepath.FromSlash(step.made))
		if err := os.Mkdir(made, 0o700); err != nil {
			t.Fatal(err)
		}
		if w.root != filepath.Join(root, filepath.FromSlash(step.root)) || w.whole {
			t.Errorf("root %s, whole %v", w.root, w.whole)
		}
		if !w.matters(fsnotify.Event{Name: made, Op: fsnotify.Create}) {
			t.Errorf("%s does not matter", step.made)
		}
		if w.matters(fsnotify.Event{Name: filepath.Join(root, filepath.FromSlash(step.other)), Op: fsnotify.Create}) {
			t.Errorf("%s matters", step.other)
		}
	}
	if err := w.sync(); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if w.next != "" || w.root != filepath.Join(root, "here", "a", "b") {
		t.Errorf("root %s, next %s", w.root, w.next)
	}
}
