package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Lock implements Store.
func (s *FileStore) Lock(_ context.Context, key string, holder Holder) (Lease, error) {
	if strings.Trim(key, ".") == "" || strings.ContainsAny(key, `/\`) {
		return nil, fmt.Errorf("key %q is no file name", key)
	}
	if err := s.stay(); err != nil {
		return nil, fmt.Errorf("open the store in %s for writing: %w", s.dir, err)
	}
	l := &fileLease{store: s, key: key}
	file, err := l.acquire()
	if errors.Is(err, errHeld) {
		return nil, &LockedError{Key: key, Holder: s.holder(l.path())}
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", l.path(), err)
	}
	writeHolder(file, holder) // at once: others are told by it
	if l.fence, err = l.raise(); err != nil {
		_ = file.Truncate(0)
		_ = file.release()
		return nil, fmt.Errorf("lock %s: %w", l.path(), err)
	}
	l.file = file
	return l, nil
}

// writeHolder replaces the text in place, so that the inode that is locked
// stays the one that others lock. The text is for people only: torn, or unwritten
// on a full disk, it keeps nobody from the lock.
func writeHolder(f *file, holder Holder) {
	b, err := json.Marshal(holder)
	if err != nil {
		return
	}
	_ = f.Truncate(0)
	_, _ = f.WriteAt(append(b, '\n'), 0)
}

// introduction is how long a new holder is given to write its name.
const introduction = 100 * time.Millisecond

// holder reads who holds a lock that is held; zero when it does not say so soon.
func (s *FileStore) holder(path string) Holder {
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		var holder Holder
		b, err := s.disk.readFile(path)
		if err == nil && json.Unmarshal(b, &holder) == nil {
			return holder
		}
		if err != nil || time.Since(begun) > introduction {
			return Holder{}
		}
	}
}

type fileLease struct {
	store *FileStore
	key   string
	fence uint64
	mu    sync.Mutex // one write at a time, and none after Unlock
	file  *file      // nil when given back
}

func (l *fileLease) path() string      { return filepath.Join(l.store.dir, "lock", l.key) }
func (l *fileLease) fencePath() string { return l.path() + ".fence" }

func (l *fileLease) acquire() (*file, error) {
	for {
		f, err := l.store.disk.open(l.path(), os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, err
		}
		if err := f.tryLock(); err != nil {
			_ = f.release()
			return nil, err
		}
		current, err := l.current(f)
		if err == nil && current {
			return f, nil
		}
		_ = f.release() // somebody removed it between open and lock
		if err != nil {
			return nil, err
		}
	}
}

// current reports that f is still the file that others lock.
func (l *fileLease) current(f *file) (bool, error) {
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	theirs, err := l.store.disk.stat(l.path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(mine, theirs), err
}

// raise makes the fence one higher. It is the length of a file: a length is
// never half written, and growing it takes no room on a full disk.
func (l *fileLease) raise() (uint64, error) {
	f, err := l.store.disk.open(l.fencePath(), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	fence := info.Size() + 1
	if err := f.Truncate(fence); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	return uint64(fence), l.store.disk.syncDir(filepath.Dir(l.fencePath()))
}

// Fence implements Lease.
func (l *fileLease) Fence() uint64 { return l.fence }

// Unlock implements Lease.
func (l *fileLease) Unlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	_ = l.file.Truncate(0) // nobody holds it now
	err := l.file.release()
	l.file = nil
	return err
}

// may refuses writes that this lease has no right to. The caller holds l.mu.
func (l *fileLease) may(in *Intent) error {
	if l.file == nil {
		return errors.New("the lock was given back")
	}
	// Locks are lost when somebody removes the file, or a network file system
	// gives them to another.
	info, err := l.store.disk.stat(l.fencePath())
	current := err == nil && uint64(info.Size()) == l.fence
	if current {
		current, err = l.current(l.file)
	}
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case !current:
		return fmt.Errorf("the lock %s was lost to another run", l.path())
	}
	if in.OpID == "" {
		return errors.New("the intent has no op id")
	}
	if key := in.Identity.Key(); key != l.key {
		return fmt.Errorf("intent of %s under the lock of %s", key, l.key)
	}
	return nil
}

// Put implements Lease.
func (l *fileLease) Put(in Intent) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.may(&in); err != nil {
		return err
	}
	old, err := l.store.Intent(l.key)
	if err != nil {
		return err
	}
	if old != nil && old.OpID != in.OpID {
		return fmt.Errorf("intent %s is still open", old.OpID)
	}
	in.FormatVersion = formatVersion
	b, err := seal(in)
	if err != nil {
		return err
	}
	return l.store.disk.replace(l.store.openPath(l.key), b)
}

// Close implements Lease.
func (l *fileLease) Close(r Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.may(&r.Intent); err != nil {
		return err
	}
	old, err := l.store.Intent(l.key)
	switch {
	case err != nil && r.By == "":
		return err // what cannot be read is for a person to decide
	case old != nil && old.OpID != r.Intent.OpID:
		return fmt.Errorf("close %s: intent %s is open", r.Intent.OpID, old.OpID)
	}
	r.Intent.FormatVersion = formatVersion
	// Only with its line in history durable may the intent go.
	if err := l.store.append(r, old != nil || err != nil); err != nil {
		return err
	}
	if err := l.store.disk.remove(l.store.openPath(l.key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.store.disk.syncDir(filepath.Join(l.store.dir, "open"))
}
