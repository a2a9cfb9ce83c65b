//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package journal

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes f's lock or returns errHeld at once. The kernel gives it back
// when the last descriptor of the open file goes, also after kill -9.
func tryLock(f *os.File) error {
	err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return err
}

// waitLock waits for a lock that is only ever held for one read or write.
func waitLock(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// waitShared waits like waitLock, beside others that only read.
func waitShared(f *os.File) error { return flock(f, syscall.LOCK_SH) }

// unlock gives f's lock back. Closing f is not enough: a process that is being
// started by this one shares the open file until it runs its own program.
func unlock(f *os.File) error { return flock(f, syscall.LOCK_UN) }

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// syncDir makes what was created, renamed or removed in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return fsync(d)
}
