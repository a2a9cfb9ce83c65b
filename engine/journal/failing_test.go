//go:build unix

package journal

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fault is how operation n fails.
type fault struct {
	name    string
	done    bool // it did its work first
	half    bool // it did half of its work first: only writes do
	forever bool // and so does every operation after it
}

var faults = []fault{
	{name: "before it did anything"},
	{name: "after it did its work", done: true},
	{name: "after half of its work", half: true},
	{name: "and every later one", forever: true},
	{name: "after its work, and every later one before", done: true, forever: true},
	{name: "after half of its work, and every later one before", half: true, forever: true},
}

// failedSync is, of an fsync, the worst way.
var failedSync = faults[3]

var errnos = map[string]error{"ENOSPC": syscall.ENOSPC, "EIO": syscall.EIO, "EROFS": syscall.EROFS}

// endless is more operations than any story has.
const endless = 5000

// failing tells the story on a disk whose operation n fails, and returns that
// and what the caller was told.
func (b *bench) failing(n int, how fault, errno error) (op Op, path string, told error) {
	calls := 0
	b.st.do = func(o Op, at string, f func() error) error {
		calls++
		switch {
		case calls == endless:
			panic("endless")
		case calls < n || calls > n && !how.forever:
			return b.carryOut(o, at, f)
		case calls > n:
			b.fail(o, at, fault{}, f)
			return &os.PathError{Op: string(o), Path: at, Err: errno}
		}
		op, path = o, at
		b.fail(o, at, how, f)
		return &os.PathError{Op: string(o), Path: at, Err: errno}
	}
	return op, path, b.st.tell(storeIn(b.root))
}

// fail does what an operation does before it fails.
func (b *bench) fail(op Op, path string, how fault, f func() error) {
	switch {
	case how.done:
		_ = b.carryOut(op, path, f)
	case how.half && op == OpWrite:
		before, err := os.Stat(path)
		check(b.T, err)
		_ = b.carryOut(op, path, f)
		after, err := os.Stat(path)
		check(b.T, err)
		_ = b.carryOut(OpTruncate, path, func() error {
			return os.Truncate(path, (before.Size()+after.Size())/2)
		})
	case op == OpSync:
		b.forget(path)
	}
}

// matters reports that a caller must be told that an operation failed. The
// others are about the text for people in a lock file, and about directories
// above the store on a disk that nothing can be written to.
func (b *bench) matters(op Op, path string, errno error) bool {
	text := filepath.Base(filepath.Dir(path)) == "lock" && !strings.HasSuffix(path, ".fence")
	above := op == OpSync && len(path) < len(storeIn(b.root)) && errors.Is(errno, syscall.EROFS)
	return !(text && (op == OpRead || op == OpWrite || op == OpTruncate)) && !above
}

// A usual run lets each operation fail in a way or two, not in all of them, and
// always an fsync after which the process can mend nothing.
func TestFailureOfEveryOperation(t *testing.T) {
	seen := map[string]bool{}
	ops := operations(t)
	for i, how := range faults {
		t.Run(how.name, func(t *testing.T) {
			for n, op := range ops {
				if how.half && op != OpWrite || !how.half && leaveOut(n+i, 6) && !(how == failedSync && op == OpSync) {
					continue
				}
				for k, name := range slices.Sorted(maps.Keys(errnos)) {
					if *all || (n/3+i)%len(errnos) == k {
						b := newBench(t, seen)
						b.failsAt(n+1, how, name)
						b.done()
					}
				}
			}
		})
	}
}

// operations are those of a story to which nothing happens.
func operations(t *testing.T) (ops []Op) {
	b := newBench(t, nil)
	b.st.do = func(op Op, path string, f func() error) error {
		ops = append(ops, op)
		return b.carryOut(op, path, f)
	}
	check(t, b.st.tell(storeIn(b.root)))
	return ops
}

// failsAt judges one failed operation, and the next run.
func (b *bench) failsAt(n int, how fault, name string) {
	b.Helper()
	errno := errnos[name]
	op, path, told := b.failing(n, how, errno)
	Tally.Count(func(f *Figures) { f.Failed[name]++ })
	when := fmt.Sprintf("%s at operation %d (%s), %s of %s", name, n, how.name, op, strings.TrimPrefix(path, b.root))
	switch {
	case told == nil && b.matters(op, path, errno):
		b.Fatalf("%s: nobody was told", when)
	case told == nil:
		Tally.Count(func(f *Figures) { f.FailedUntold++ })
	case !errors.Is(told, errno):
		b.Fatalf("%s: the caller was told %v", when, told)
	}
	b.cut(when)
	b.judge(b.alive(), when)
	cuts := atTheEnd
	switch {
	case *all && name == "EIO": // the disk is the same after the others
		cuts = everywhere
	case op == OpSync:
		cuts = atSyncs
	}
	b.nextRun(when, cuts)
}
