//go:build unix

package journal

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// platter is a directory on a disk that can lose its power. It sees every
// operation and knows what POSIX promises of it: an fsync of a file makes its
// data and length durable, an fsync of a directory its entries, and nothing
// else does. Of all that was not synced, any part may be on the disk or not.
//
// A file's fsync that fails leaves its data in memory, where reads find it, but
// counted as written: a later fsync succeeds without it (as Linux does it).
// Lengths and entries are in a file system's own log, which either takes the
// next commit with all that was before or none ever.
type platter struct {
	t      *testing.T
	root   string
	tree   *node
	random *rand.Rand
}

// node is a file or a directory.
type node struct {
	// Of a directory: its entries, as processes see them and as of its fsync.
	dir           bool
	names, synced map[string]*node

	now   []byte // of a file: as processes see it
	dirty []bool // by byte of now: written since the last fsync
	disk  []byte // as of the last fsync
}

func newPlatter(t *testing.T) *platter {
	return &platter{t: t, root: scratch(t), tree: newDir(), random: rand.New(rand.NewPCG(5, 6))}
}

func newDir() *node { return &node{dir: true, names: map[string]*node{}, synced: map[string]*node{}} }

// find returns the directory of path and path's name in it; nil outside root.
func (p *platter) find(path string) (parent *node, name string) {
	rel, err := filepath.Rel(p.root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return nil, ""
	}
	if rel == "." {
		return &node{dir: true, names: map[string]*node{".": p.tree}}, "."
	}
	parent = p.tree
	words := strings.Split(rel, string(filepath.Separator))
	for _, word := range words[:len(words)-1] {
		if parent = parent.names[word]; parent == nil {
			return nil, ""
		}
	}
	return parent, words[len(words)-1]
}

// carryOut does the operation and notes what it did.
func (p *platter) carryOut(op Op, path string, f func() error) error {
	parent, name := p.find(path)
	switch {
	case parent == nil && op == OpSync:
		return nil // of a directory above the disk
	case parent == nil:
		return f()
	}
	at := parent.names[name]
	switch {
	case at != nil && op == OpSync:
		at.sync(true)
		return nil // what it would do to the real disk takes time and shows nothing
	case at != nil && op == OpWrite:
		return p.write(path, at, f)
	}
	err := f()
	switch op {
	case OpMakeDir:
		if err == nil {
			parent.names[name] = newDir()
		}
	case OpOpen, OpTruncate:
		info, serr := os.Stat(path)
		if serr != nil || info.IsDir() {
			break
		}
		if at == nil {
			at = &node{}
			parent.names[name] = at
		}
		at.resize(int(info.Size()))
	case OpRename:
		if temp := name + tempSuffix; err == nil {
			parent.names[name] = parent.names[temp]
			delete(parent.names, temp)
		}
	case OpRemove:
		if err == nil {
			delete(parent.names, name)
		}
	}
	return err
}

func (n *node) resize(size int) {
	for len(n.now) < size {
		n.now, n.dirty = append(n.now, 0), append(n.dirty, true)
	}
	n.now, n.dirty = n.now[:size], n.dirty[:size]
}

// unwritten is a byte that no file of a store has.
const unwritten = 0xff

// write finds out which bytes f writes, also when they were the same before.
func (p *platter) write(path string, at *node, f func() error) error {
	p.overwrite(path, func(b []byte) {
		for i := range b {
			b[i] = unwritten
		}
	})
	err := f()
	p.overwrite(path, func(b []byte) {
		at.resize(len(b))
		for i := range b {
			if b[i] == unwritten {
				b[i] = at.now[i]
			} else {
				at.now[i], at.dirty[i] = b[i], true
			}
		}
	})
	return err
}

func (p *platter) overwrite(path string, change func(b []byte)) {
	b, err := os.ReadFile(path)
	check(p.t, err)
	change(b)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	check(p.t, err)
	_, err = f.WriteAt(b, 0)
	check(p.t, err)
	check(p.t, f.Close())
}

// sync is an fsync, or with ok false one that failed: what it was about is
// forgotten.
func (n *node) sync(ok bool) {
	switch {
	case n.dir && ok:
		n.synced = maps.Clone(n.names)
	case !n.dir:
		if ok {
			n.disk = newData(n)
		}
		clear(n.dirty)
	}
}

// written is what the disk has when those bytes of the data that was not synced
// are there of which kept says so. Data that an fsync failed for is not.
func (n *node) written(kept func(i int) bool) []byte {
	b := make([]byte, len(n.now))
	copy(b, n.disk)
	for i, dirty := range n.dirty {
		if dirty && kept(i) {
			b[i] = n.now[i]
		}
	}
	return b
}

// forget is the fsync of path that fails.
func (p *platter) forget(path string) {
	if parent, name := p.find(path); parent != nil {
		parent.names[name].sync(false)
	}
}

// chunk is how many bytes at least get to the disk together.
const chunk = 32

// remains is a way in which a power cut may leave a file or a directory.
type remains struct {
	names func() bool // is a change of an entry there?
	data  func(n *node) []byte
}

func yes() bool { return true }
func no() bool  { return false }

func oldData(n *node) []byte { return n.disk }
func newData(n *node) []byte { return n.written(func(int) bool { return true }) }

// endOfData has the length and the last byte of what was not synced.
func endOfData(n *node) []byte {
	return n.written(func(i int) bool { return i == len(n.now)-1 })
}

func (p *platter) coin() bool { return p.random.IntN(2) == 0 }

// someData has any of the chunks that were not synced, and the new length or
// the old one.
func (p *platter) someData(n *node) []byte {
	coins := p.random.Uint64()
	b := n.written(func(i int) bool { return coins>>(i/chunk%64)&1 == 0 })
	switch {
	case p.coin():
		return b
	case len(b) > len(n.disk):
		return b[:len(n.disk)]
	}
	return append(b, n.disk[len(b):]...)
}

// remains are the ways that are looked at after every operation: the plain ones
// and two at random.
func (p *platter) remains() []remains {
	return []remains{
		{no, oldData}, {no, endOfData}, {no, newData},
		{yes, oldData}, {yes, endOfData}, {yes, newData},
		{p.coin, p.someData}, {p.coin, p.someData},
	}
}

// image is the content of a disk by path; a directory's ends in a slash.
type image map[string]string

func (im image) add(path string, n *node, r remains) {
	if !n.dir {
		im[path] = string(r.data(n))
		return
	}
	im[path+"/"] = ""
	all := maps.Clone(n.synced)
	maps.Copy(all, n.names)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		from := n.synced
		if r.names() {
			from = n.names
		}
		if child := from[name]; child != nil {
			im.add(path+"/"+name, child, r)
		}
	}
}

func (im image) String() string {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(im)) {
		fmt.Fprintf(&b, "%s\n%d\n%s\n", path, len(im[path]), im[path])
	}
	return b.String()
}

// left are the images that a power cut may leave now.
func (p *platter) left() (all []image) {
	for _, r := range p.remains() {
		im := image{}
		im.add("", p.tree, r)
		all = append(all, im)
	}
	return all
}

// alive is what processes see, as it is after all of them were killed.
func (p *platter) alive() image {
	im := image{}
	im.add("", p.tree, remains{yes, func(n *node) []byte { return n.now }})
	return im
}

// lay writes an image to a directory.
func (im image) lay(dir string) error {
	for _, path := range slices.Sorted(maps.Keys(im)) {
		var err error
		if at, isDir := strings.CutSuffix(path, "/"); isDir {
			err = os.Mkdir(dir+at, 0o700)
		} else {
			err = os.WriteFile(dir+path, []byte(im[path]), 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// honest fails unless the model's files are the real ones.
func (p *platter) honest() {
	p.t.Helper()
	im := p.alive()
	check(p.t, filepath.WalkDir(p.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(path, p.root)
		if e.IsDir() {
			rel += "/"
		}
		want, ok := im[rel]
		if !ok {
			return fmt.Errorf("%q is not in the model", rel)
		}
		delete(im, rel)
		if e.IsDir() {
			return nil
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != want {
			return fmt.Errorf("%s has %q, in the model %q: %v", rel, b, want, err)
		}
		return nil
	}))
	if len(im) > 0 {
		p.t.Fatalf("only in the model: %q", slices.Sorted(maps.Keys(im)))
	}
}
