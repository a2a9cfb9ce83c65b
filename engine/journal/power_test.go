//go:build unix

package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// platter models what a power cut may leave of a directory: the entries of each
// directory as of its last fsync or as they are now, and likewise each file's
// data, or of what was added since then its length and end only.
type platter struct {
	root  string
	data  map[uint64][]byte            // by inode, as of its last fsync
	names map[string]map[string]uint64 // by directory, as of its last fsync
	held  map[uint64]*os.File          // keeps inode numbers from being used again
	cuts  int
}

func newPlatter(t *testing.T) *platter {
	d := &platter{root: t.TempDir(), data: map[uint64][]byte{}, names: map[string]map[string]uint64{}, held: map[uint64]*os.File{}}
	t.Cleanup(func() {
		for _, f := range d.held {
			_ = f.Close()
		}
	})
	return d
}

func inode(t *testing.T, info fs.FileInfo) uint64 {
	t.Helper()
	return uint64(info.Sys().(*syscall.Stat_t).Ino)
}

// look opens every file that is new.
func (d *platter) look(t *testing.T) {
	t.Helper()
	check(t, filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if id := inode(t, info); d.held[id] == nil {
			d.held[id], err = os.Open(path)
		}
		return err
	}))
}

func (d *platter) entries(t *testing.T, dir string) map[string]uint64 {
	t.Helper()
	list, err := os.ReadDir(dir)
	check(t, err)
	names := map[string]uint64{}
	for _, e := range list {
		info, err := e.Info()
		check(t, err)
		names[e.Name()] = inode(t, info)
	}
	return names
}

// synced notes what the fsync of path has made durable.
func (d *platter) synced(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	check(t, err)
	if info.IsDir() {
		d.names[path] = d.entries(t, path)
		return
	}
	d.data[inode(t, info)] = d.now(t, inode(t, info))
}

func (d *platter) now(t *testing.T, id uint64) []byte {
	t.Helper()
	info, err := d.held[id].Stat()
	check(t, err)
	b := make([]byte, info.Size())
	_, err = d.held[id].ReadAt(b, 0)
	check(t, err)
	return b
}

// What is left of data that was not synced.
const (
	noData = iota
	endOfData
	allData
)

// image writes to dir what is left of from.
func (d *platter) image(t *testing.T, from, dir string, newNames bool, newData int) {
	t.Helper()
	check(t, os.Mkdir(dir, 0o700))
	names := d.names[from]
	if newNames {
		names = d.entries(t, from)
	}
	for name, id := range names {
		info, err := d.held[id].Stat()
		check(t, err)
		if info.IsDir() {
			d.image(t, filepath.Join(from, name), filepath.Join(dir, name), newNames, newData)
			continue
		}
		b := d.now(t, id)
		switch old := d.data[id]; {
		case newData == noData:
			b = old
		case newData == endOfData && len(b) > len(old):
			clear(b[len(old) : len(b)-1])
		}
		check(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
}

// cut looks at everything that a power cut may leave now.
func (d *platter) cut(t *testing.T, st *story, when string) {
	t.Helper()
	d.look(t)
	for _, names := range []bool{false, true} {
		for _, data := range []int{noData, endOfData, allData} {
			d.cuts++
			dir := filepath.Join(t.TempDir(), "image")
			d.image(t, d.root, dir, names, data)
			if err := st.left(filepath.Join(dir, "a", "store")); err != nil {
				t.Fatalf("power cut %s (unsynced names are there: %v, unsynced data: %d): %v", when, names, data, err)
			}
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPowerCutLosesNothingThatWasSaid(t *testing.T) {
	killed := errors.New("killed")
	for _, test := range []struct {
		name      string
		ops, kill int // at which sync of history a run is killed
	}{
		{"in one run", 4, 0},
		{"after a kill before the line was whole", 1, 1},
		{"after a kill before the line was durable", 1, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, st, syncs := newPlatter(t), newStory(test.ops), 0
			st.do = func(op Op, path string, f func() error) error {
				if op != OpSync {
					return f()
				}
				name := filepath.Base(path)
				d.cut(t, st, "before the sync of "+name)
				if name == "history.jsonl" {
					if syncs++; syncs == test.kill {
						panic(killed)
					}
				}
				if err := f(); err != nil {
					return err
				}
				d.synced(t, path)
				d.cut(t, st, "after the sync of "+name)
				return nil
			}
			if test.kill > 0 {
				func() {
					defer func() {
						if r := recover(); r != killed {
							panic(r)
						}
					}()
					check(t, st.tell(filepath.Join(d.root, "a", "store")))
				}()
			}
			check(t, st.tell(filepath.Join(d.root, "a", "store")))
			d.cut(t, st, "in the end")
			if len(st.closed) != test.ops || d.cuts < 100 {
				t.Errorf("%d ops were closed, %d power cuts", len(st.closed), d.cuts)
			}
		})
	}
}

// A sync that fails is told to the caller, and what was there before stands.
func TestFailedSyncLosesNothingThatWasSaid(t *testing.T) {
	for bad := 1; ; bad++ {
		st, dir, calls := newStory(3), filepath.Join(t.TempDir(), "a", "store"), 0
		st.do = func(op Op, _ string, f func() error) error {
			if op == OpSync {
				if calls++; calls == bad {
					return syscall.EIO
				}
			}
			return f()
		}
		err := st.tell(dir)
		st.do = nil
		if calls < bad {
			check(t, err)
			if bad < 30 {
				t.Errorf("only %d syncs", bad)
			}
			return
		}
		if !errors.Is(err, syscall.EIO) {
			t.Fatalf("sync %d failed and the caller was told %v", bad, err)
		}
		again := filepath.Join(t.TempDir(), "store")
		if _, err := os.Stat(dir); err == nil {
			check(t, os.CopyFS(again, os.DirFS(dir)))
		}
		if err := st.left(again); err != nil {
			t.Fatalf("after sync %d failed: %v", bad, err)
		}
		// The same run may also go on where it was.
		if err := st.tell(dir); err != nil {
			t.Fatalf("sync %d failed, then the next run: %v", bad, err)
		}
		if err := st.left(dir); err != nil {
			t.Fatalf("sync %d failed, then the next run's end: %v", bad, err)
		}
	}
}
