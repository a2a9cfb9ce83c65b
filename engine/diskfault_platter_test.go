package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// platter models what of a directory would be left if the power went now: each
// file's data as of its last fsync, each directory's names as of its last
// fsync, and, as the kernel pleases, what came since.
type platter struct {
	mu   sync.Mutex
	root string
	live map[string]*inode // by path, as processes see it
}

// inode is a file or a directory.
type inode struct {
	path   string // "" when removed
	dir    bool
	synced []byte            // of a file
	names  map[string]*inode // of a directory, as of its last fsync
	// A failed fsync leaves pages that count as written and are not: until they
	// are written anew, no later fsync brings these bytes to the platter.
	lostFrom, lostTo int
}

// newPlatter finds everything under root durable.
func newPlatter(root string) (*platter, error) {
	p := &platter{root: root, live: map[string]*inode{}}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		n := &inode{path: path, dir: e.IsDir()}
		if n.dir {
			n.names = map[string]*inode{}
		} else if n.synced, err = os.ReadFile(path); err != nil {
			return err
		}
		p.live[path] = n
		if path != root {
			p.live[filepath.Dir(path)].names[filepath.Base(path)] = n
		}
		return nil
	})
	return p, err
}

// page is how much the kernel writes at least.
const page = 4096

// journalTemp ends the name of the file that is renamed to what it is about.
const journalTemp = ".tmp"

// above stands for every directory above the root; they are durable.
const above = ".."

// name is the path below the root.
func (p *platter) name(path string) string {
	below, ok := strings.CutPrefix(path, p.root)
	if !ok {
		return above
	}
	return below
}

// done notes an operation that was carried out; size is what the file held
// before it.
func (p *platter) done(op journal.Op, path string, size int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name(path) == above {
		return nil
	}
	switch op {
	case journal.OpOpen, journal.OpMakeDir:
		if p.live[path] == nil {
			p.live[path] = &inode{path: path, dir: op == journal.OpMakeDir, names: map[string]*inode{}}
		}
	case journal.OpRename:
		p.remove(path)
		n := p.live[path+journalTemp]
		if n == nil {
			return fmt.Errorf("%s was renamed and never made", path+journalTemp)
		}
		delete(p.live, path+journalTemp)
		p.live[path], n.path = n, path
	case journal.OpRemove:
		p.remove(path)
	case journal.OpSync:
		return p.sync(path)
	}
	n := p.live[path]
	if n == nil || n.lostTo == 0 {
		return nil
	}
	now, err := sizeOf(path)
	n.lostTo = min(n.lostTo, now)
	if op == journal.OpWrite {
		// The kernel writes whole pages. What does not add to the file writes
		// its end anew.
		from := min(size, now-1)
		n.lostTo = min(n.lostTo, from-from%page)
	}
	return err
}

func (p *platter) remove(path string) {
	if n := p.live[path]; n != nil {
		n.path = ""
	}
	delete(p.live, path)
}

func (p *platter) sync(path string) error {
	n := p.live[path]
	if n == nil {
		return fmt.Errorf("%s was synced and never made", path)
	}
	if n.dir {
		n.names = p.children(path)
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	n.synced = n.wipe(b)
	return nil
}

// wipe takes from b what a failed fsync has lost.
func (n *inode) wipe(b []byte) []byte {
	for i := n.lostFrom; i < min(n.lostTo, len(b)); i++ {
		b[i] = 0
	}
	return b
}

// unsynced notes an fsync that failed.
func (p *platter) unsynced(path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.live[path]
	if n == nil || n.dir {
		return nil // names go through the file system's own journal
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.Equal(b, n.synced) {
		return err
	}
	from := 0
	for from < min(len(b), len(n.synced)) && b[from] == n.synced[from] {
		from++
	}
	if n.lostTo > n.lostFrom {
		from = min(from, n.lostFrom)
	}
	n.lostFrom, n.lostTo = from, len(b)
	return nil
}

func (p *platter) children(dir string) map[string]*inode {
	names := map[string]*inode{}
	for path, n := range p.live {
		if path != p.root && filepath.Dir(path) == dir {
			names[filepath.Base(path)] = n
		}
	}
	return names
}

// left is the synced data of the file at the path below root, and whether a
// power cut leaves that file: by its directories' synced names, or by those of
// now where unsynced names count as well.
func (p *platter) left(newNames bool, below ...string) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.live[p.root]
	for _, name := range below {
		names := n.names
		if newNames {
			names = p.children(n.path)
		}
		if n = names[name]; n == nil {
			return nil, false
		}
	}
	return n.synced, !n.dir
}

// remains says which of what was not synced is there after a power cut.
type remains struct {
	names bool
	data  unsyncedData
}

// unsyncedData is what is left of data that was not synced.
type unsyncedData int

const (
	noData    unsyncedData = iota
	endOfData              // the length and the last byte of what was added
	allData
)

// everyRemains are all of them.
var everyRemains = []remains{{false, noData}, {true, noData}, {false, endOfData}, {true, endOfData}, {false, allData}, {true, allData}}

func (r remains) String() string {
	names := map[bool]string{false: "synced names", true: "all names"}
	data := map[unsyncedData]string{noData: "synced data", endOfData: "the end of unsynced data", allData: "all data"}
	return names[r.names] + ", " + data[r.data]
}

// image writes to dir, which it makes, what a power cut leaves.
func (p *platter) image(dir string, r remains) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.write(p.live[p.root], dir, r)
}

func (p *platter) write(from *inode, dir string, r remains) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	names := from.names
	if r.names && from.path != "" {
		names = p.children(from.path)
	}
	for name, n := range names {
		path := filepath.Join(dir, name)
		if n.dir {
			if err := p.write(n, path, r); err != nil {
				return err
			}
			continue
		}
		b := n.synced
		if r.data != noData && n.path != "" {
			now, err := os.ReadFile(n.path)
			if err != nil {
				return err
			}
			if b = n.wipe(now); r.data == endOfData && len(b) > len(n.synced) {
				clear(b[len(n.synced) : len(b)-1])
			}
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// astray compares the model's names with those that are there.
func (p *platter) astray() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := 0
	err := filepath.WalkDir(p.root, func(path string, e fs.DirEntry, err error) error {
		if n := p.live[path]; err == nil && (n == nil || n.dir != e.IsDir() || n.path != path) {
			return fmt.Errorf("the model of the disk knows nothing of %s", path)
		}
		seen++
		return err
	})
	if err == nil && seen != len(p.live) {
		err = fmt.Errorf("the model of the disk has %d names, the disk has %d", len(p.live), seen)
	}
	return err
}

// sizeOf is 0 for what is not there.
func sizeOf(path string) (int, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return int(info.Size()), nil
}
