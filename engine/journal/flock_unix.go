//go:build unix

package journal

import (
	"errors"
	"os"
	"syscall"
)

var errHeld = errors.New("held by another")

// flock takes the lock or returns errHeld at once. The kernel gives it back
// when the last descriptor of the open file goes, also after kill -9.
func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		default:
			return err
		}
	}
}

// flockWait waits for a lock that is only ever held for one append.
func flockWait(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
