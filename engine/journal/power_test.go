//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bench judges what is left of a story, each different disk once.
type bench struct {
	*testing.T
	*platter
	st   *story
	seen map[string]bool
	dir  string
}

func newBench(t *testing.T, seen map[string]bool) *bench {
	b := &bench{T: t, platter: newPlatter(t), seen: seen, dir: scratch(t)}
	b.st = newStory(4, b.carryOut)
	return b
}

// done gives the room back before the test's end, of which there are thousands.
func (b *bench) done() {
	check(b.T, errors.Join(os.RemoveAll(b.root), os.RemoveAll(b.dir)))
}

// scratch is a directory for thousands of files that are replaced. Where the
// system has one that is in memory it is there: file systems on a disk wait for
// it when a file is renamed over another, even without an fsync.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "journal")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// judge checks that nothing that was told is lost from an image.
func (b *bench) judge(im image, when string) {
	b.Helper()
	id := b.st.told() + im.String()
	if b.seen[id] {
		return
	}
	b.seen[id] = true
	Tally.Count(func(f *Figures) { f.Images++ })
	dir := filepath.Join(b.dir, "image")
	check(b.T, im.lay(dir))
	if err := b.st.left(storeIn(dir)); err != nil {
		Tally.Count(func(f *Figures) { f.Lost++ })
		b.Fatalf("%s: %v\ntold: %s\n%s", when, err, b.st.told(), im)
	}
	check(b.T, os.RemoveAll(dir))
}

// cut judges what a power cut may leave now.
func (b *bench) cut(when string) {
	b.Helper()
	if b.Failed() {
		return // a deferred call of a story that was stopped
	}
	for i, im := range b.left() {
		Tally.Count(func(f *Figures) { f.PowerCuts++ })
		b.judge(im, fmt.Sprintf("power cut %s, way %d", when, i))
	}
}

// cutting cuts the power before and after every operation.
func (b *bench) cutting(op Op, path string, f func() error) error {
	what := fmt.Sprintf("the %s of %s", op, filepath.Base(path))
	b.cut("before " + what)
	err := b.carryOut(op, path, f)
	b.cut("after " + what)
	return err
}

var errKilled = errors.New("killed")

// killed tells the story in a process that is killed before operation n, or
// after it: nothing that it does later reaches the disk. It returns false if
// there is no operation n.
func (b *bench) killed(n int, after bool) (what string, was bool) {
	calls := 0
	b.st.do = func(op Op, path string, f func() error) error {
		if calls++; calls < n {
			return b.carryOut(op, path, f)
		}
		if calls == n {
			what = fmt.Sprintf("the %s of %s", op, filepath.Base(path))
			if after {
				_ = b.carryOut(op, path, f)
			}
		}
		return errKilled
	}
	err := b.st.tell(storeIn(b.root))
	if calls < n {
		check(b.T, err)
	}
	return what, calls >= n
}

func TestPowerCutAtEveryOperation(t *testing.T) {
	b := newBench(t, map[string]bool{})
	calls := 0
	b.st.do = func(op Op, path string, f func() error) error {
		calls++
		return b.cutting(op, path, f)
	}
	check(t, b.st.tell(storeIn(b.root)))
	b.cut("in the end")
	b.honest()
	if len(b.st.closed) != b.st.ops {
		t.Errorf("closed are %v", b.st.closed)
	}
	Tally.Count(func(f *Figures) { f.Operations = calls })
}

// The next run goes on where a killed one stopped, also when the power is cut
// while it does.
func TestKillAtEveryOperation(t *testing.T) {
	seen := map[string]bool{}
	for n := 1; ; n++ {
		for _, after := range []bool{false, true} {
			if after && !*all || leaveOut(n, 1) {
				continue // after one operation is before the next
			}
			b := newBench(t, seen)
			what, was := b.killed(n, after)
			if !was {
				return
			}
			Tally.Count(func(f *Figures) { f.Kills++ })
			when := fmt.Sprintf("after a kill at operation %d, %s (done: %v)", n, what, after)
			b.judge(b.alive(), when)
			cuts := atTheEnd
			switch {
			case *all && !after:
				cuts = everywhere
			case n%3 == 0:
				cuts = atSyncs
			}
			b.nextRun(when, cuts)
			b.done()
		}
	}
}

// When the power is cut in the next run.
const (
	atTheEnd = iota
	atSyncs
	everywhere
)

// nextRun tells the rest of the story, which must come to its end, and cuts the
// power while it does.
func (b *bench) nextRun(when string, cuts int) {
	b.Helper()
	b.st.do = func(op Op, path string, f func() error) error {
		if cuts == everywhere {
			return b.cutting(op, path, f)
		}
		err := b.carryOut(op, path, f)
		if cuts == atSyncs && (op == OpSync || op == OpRemove) {
			b.cut(fmt.Sprintf("%s, then after the %s of %s", when, op, strings.TrimPrefix(path, b.root)))
		}
		return err
	}
	if err := b.st.tell(storeIn(b.root)); err != nil {
		b.Fatalf("%s, the next run: %v", when, err)
	}
	for i := range b.st.ops {
		if _, op := b.st.op(i); !b.st.written[op] {
			b.Fatalf("%s, the next run: %s is not settled", when, op)
		}
	}
	b.cut(when + ", then in the end")
	b.judge(b.alive(), when+", then in the end")
	b.honest()
}
