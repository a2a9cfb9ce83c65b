package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// faultMode is how a disk operation goes wrong.
type faultMode string

const (
	undone    faultMode = "fails undone"
	doneFails faultMode = "done, then fails"
	halfFails faultMode = "half written, then fails"
	forever   faultMode = "fails from then on"

	diesBefore faultMode = "process dies before"
	diesHalf   faultMode = "process dies in half a write"
	diesAfter  faultMode = "process dies after"
	cutBefore  faultMode = "power cut before"
	cutAfter   faultMode = "power cut after"
)

// diskFault is what goes wrong at one operation of one process.
type diskFault struct {
	at    int // which operation, from 1; 0: none
	mode  faultMode
	errno syscall.Errno // where it fails
	left  remains       // of a power cut
}

func (f diskFault) cutsPower() bool { return f.mode == cutBefore || f.mode == cutAfter }

// kills reports that the process ends there.
func (f diskFault) kills() bool {
	return f.cutsPower() || f.mode == diesBefore || f.mode == diesHalf || f.mode == diesAfter
}

// errDead is all that a dead process gets: no operation of it does anything.
var errDead = errors.New("the process is dead")

// diskOp is one operation that was asked for, and the directory of its file:
// a cluster's own locks are given back in no fixed order.
type diskOp struct {
	Op  journal.Op
	Dir string
}

// faultyDisk carries out the operations of one process.
type faultyDisk struct {
	platter *platter
	fault   diskFault
	align   func(path string) // sets the order among clusters
	kill    func()            // when the process dies

	mu      sync.Mutex
	asked   []diskOp
	dead    bool
	strange error // of the model
}

// do is a journal.Do.
func (d *faultyDisk) do(op journal.Op, path string, f func() error) error {
	d.align(path)
	d.mu.Lock()
	if d.dead {
		d.mu.Unlock()
		return errDead
	}
	d.asked = append(d.asked, diskOp{op, filepath.Dir(d.platter.name(path))})
	n := len(d.asked)
	d.mu.Unlock()
	failure := &fs.PathError{Op: string(op), Path: path, Err: d.fault.errno}
	if d.fault.mode == forever && d.fault.at > 0 && n > d.fault.at {
		return d.fail(op, path, failure)
	}
	if n != d.fault.at {
		return d.carryOut(op, path, f, false)
	}
	switch d.fault.mode {
	case undone, forever:
		return d.fail(op, path, failure)
	case diesBefore, cutBefore:
		d.die()
		return errDead
	}
	err := d.carryOut(op, path, f, d.fault.mode == halfFails || d.fault.mode == diesHalf)
	switch {
	case d.fault.kills():
		d.die()
		return errDead
	case err != nil:
		return err
	}
	return failure
}

func (d *faultyDisk) fail(op journal.Op, path string, failure error) error {
	if op == journal.OpSync {
		d.note(d.platter.unsynced(path))
	}
	return failure
}

// carryOut lets f do it, or of a write the first half.
func (d *faultyDisk) carryOut(op journal.Op, path string, f func() error, half bool) error {
	before, err := sizeOf(path)
	d.note(err)
	// The platter knows what is durable, and the real disk need not be waited for.
	if op != journal.OpSync {
		if err := f(); err != nil {
			return err
		}
	}
	if half {
		after, err := sizeOf(path)
		d.note(err)
		d.note(os.Truncate(path, int64(before+(after-before)/2)))
	}
	d.note(d.platter.done(op, path, before))
	return nil
}

// die ends the process: nothing that its code still tries has an effect.
func (d *faultyDisk) die() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
	d.kill()
}

func (d *faultyDisk) isDead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

func (d *faultyDisk) note(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.strange = errors.Join(d.strange, err)
}
