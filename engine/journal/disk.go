package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Op is an operation on a disk.
type Op string

// Every operation of a FileStore is one of these. Closing a file and giving a
// lock back are none: neither changes what others find.
const (
	OpOpen     Op = "open" // a file, which it may make
	OpRead     Op = "read"
	OpList     Op = "list" // a directory
	OpStat     Op = "stat"
	OpLock     Op = "lock"
	OpMakeDir  Op = "mkdir"
	OpWrite    Op = "write"
	OpTruncate Op = "truncate"
	OpSync     Op = "fsync" // a file, or a directory's entries
	OpRename   Op = "rename"
	OpRemove   Op = "remove"
)

// Do carries out one operation on the file at path by calling f. Tests stop the
// process before or after it, or let it fail.
type Do func(op Op, path string, f func() error) error

var (
	errHeld    = errors.New("held by another")
	errNoLocks = errors.New("this system has no locks that die with their process, so nothing is applied from it; apply from Linux or macOS")
)

// disk is every system call of a FileStore.
type disk struct{ do Do }

func (d disk) carryOut(op Op, path string, f func() error) error {
	if d.do == nil {
		return f()
	}
	return d.do(op, path, f)
}

func (d disk) open(path string, flag int) (*file, error) {
	f := &file{disk: d}
	err := d.carryOut(OpOpen, path, func() (err error) {
		f.File, err = os.OpenFile(path, flag, 0o600)
		return err
	})
	if err != nil && f.File != nil {
		_ = f.Close() // it was opened, and then something else failed
	}
	return f, err
}

func (d disk) readFile(path string) (b []byte, err error) {
	err = d.carryOut(OpRead, path, func() error {
		b, err = os.ReadFile(path)
		return err
	})
	return b, err
}

func (d disk) readDir(path string) (entries []fs.DirEntry, err error) {
	err = d.carryOut(OpList, path, func() error {
		entries, err = os.ReadDir(path)
		return err
	})
	return entries, err
}

func (d disk) stat(path string) (info fs.FileInfo, err error) {
	err = d.carryOut(OpStat, path, func() error {
		info, err = os.Stat(path)
		return err
	})
	return info, err
}

func (d disk) remove(path string) error {
	return d.carryOut(OpRemove, path, func() error { return os.Remove(path) })
}

// replace puts b where path is, whose only writer the caller is: temporary
// file, fsync, rename, fsync of the directory. A crash leaves the old file or
// the new one, and at worst a temporary file that the next write overwrites.
func (d disk) replace(path string, b []byte) error {
	temp := path + tempSuffix
	f, err := d.open(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = d.carryOut(OpRename, path, func() error { return os.Rename(temp, path) })
	}
	if err != nil {
		_ = d.remove(temp) // gives its room back on a full disk
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

const tempSuffix = ".tmp"

// syncDir makes what was created, renamed or removed in dir durable.
func (d disk) syncDir(dir string) error {
	return d.carryOut(OpSync, dir, func() error { return syncDir(dir) })
}

// makeDir makes dir and those above it that are missing, all of them durable,
// also when the process that made one was killed before it synced it.
func (d disk) makeDir(dir string) error {
	made, err := d.makeMissing(dir)
	if err != nil {
		return err
	}
	for parent := filepath.Dir(dir); parent != dir; parent = filepath.Dir(dir) {
		if err := d.syncDir(parent); err != nil && (made > 0 || !older(err)) {
			return err
		}
		dir, made = parent, made-1
	}
	return nil
}

// older reports that a directory cannot be synced and so is none in which the
// store, which syncs what it makes, can have made another.
func older(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) ||
		errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported)
}

// makeMissing says how many directories it made, dir and so many above it.
func (d disk) makeMissing(dir string) (made int, err error) {
	mkdir := func() error {
		return d.carryOut(OpMakeDir, dir, func() error { return os.Mkdir(dir, 0o700) })
	}
	err = mkdir()
	if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if made, err = d.makeMissing(parent); err == nil {
			err = mkdir()
		}
	}
	switch {
	case err == nil:
		return made + 1, nil
	case errors.Is(err, fs.ErrExist):
		return made, nil
	}
	return made, err
}

// file is an open file on a disk.
type file struct {
	*os.File
	disk disk
}

func (f *file) carryOut(op Op, do func() error) error {
	return f.disk.carryOut(op, f.Name(), do)
}

func (f *file) Write(b []byte) (n int, err error) {
	err = f.carryOut(OpWrite, func() error {
		n, err = f.File.Write(b)
		return err
	})
	return n, err
}

func (f *file) WriteAt(b []byte, offset int64) (n int, err error) {
	err = f.carryOut(OpWrite, func() error {
		n, err = f.File.WriteAt(b, offset)
		return err
	})
	return n, err
}

func (f *file) ReadAt(b []byte, offset int64) (n int, err error) {
	err = f.carryOut(OpRead, func() error {
		n, err = f.File.ReadAt(b, offset)
		return err
	})
	return n, err
}

func (f *file) Stat() (info fs.FileInfo, err error) {
	err = f.carryOut(OpStat, func() error {
		info, err = f.File.Stat()
		return err
	})
	return info, err
}

func (f *file) Truncate(size int64) error {
	return f.carryOut(OpTruncate, func() error { return f.File.Truncate(size) })
}

func (f *file) Sync() error { return f.carryOut(OpSync, f.File.Sync) }

// tryLock takes the file's lock or returns errHeld at once. It dies with the
// process, also by kill -9.
func (f *file) tryLock() error {
	return f.carryOut(OpLock, func() error { return tryLock(f.File) })
}

// waitLock waits for a lock that is only ever held for one read or write.
func (f *file) waitLock() error {
	return f.carryOut(OpLock, func() error { return waitLock(f.File) })
}

// waitShared waits like waitLock, beside others that only read.
func (f *file) waitShared() error {
	return f.carryOut(OpLock, func() error { return waitShared(f.File) })
}

// release gives back whatever lock f has, and closes it. Closing alone is not
// enough: a process that is being started by this one shares the open file
// until it runs its own program.
func (f *file) release() error {
	return errors.Join(unlock(f.File), f.Close())
}
