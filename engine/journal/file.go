package journal

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

// FileStore keeps the journal in files:
//
//	open/<key>.json   one open intent each, with a checksum
//	history.jsonl     one line per closed intent, each chained to the one before
//	lock/<key>        flock; the holder's text for people and the fence
//
// A file becomes visible by rename after fsync, and the directory is synced
// before a write counts as done. Lock files are never removed.
type FileStore struct {
	dir   string
	since time.Time
	mu    sync.Mutex // guards last
	last  map[string]Record
	read  int64 // bytes of history that last covers
	sum   string
	line  int
}

// DefaultDir is $XDG_STATE_HOME/clusterctl, or ~/.local/state/clusterctl.
func DefaultDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "clusterctl"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state", "clusterctl"), nil
}

// Create says what OpenFile does when there is no store.
type Create int

const (
	// CreateNo: a missing store is ErrMissing.
	CreateNo Create = iota
	// CreateWait makes one that remembers when, so that requests of a lost
	// store are waited out.
	CreateWait
	// CreateNow makes one for somebody who knows that nothing is under way.
	CreateNow
)

// about is store.json.
type about struct {
	FormatVersion int       `json:"format_version"`
	Since         time.Time `json:"since,omitzero"`
}

// OpenFile opens the store in dir. A directory that is missing or empty is no
// store; now is the time that a new one remembers.
func OpenFile(dir string, create Create, now time.Time) (*FileStore, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s := &FileStore{dir: dir, last: map[string]Record{}}
	if len(entries) == 0 {
		if create == CreateNo {
			return nil, fmt.Errorf("%w in %s", ErrMissing, dir)
		}
		return s, s.create(create, now)
	}
	b, err := os.ReadFile(filepath.Join(dir, "store.json"))
	if err != nil {
		return nil, fmt.Errorf("%s is no store of clusterctl: %w", dir, err)
	}
	var text about
	if err := json.Unmarshal(b, &text); err != nil {
		return nil, fmt.Errorf("%s/store.json: %w", dir, err)
	}
	if text.FormatVersion != formatVersion {
		return nil, fmt.Errorf("%s has format version %d, this program knows %d", dir, text.FormatVersion, formatVersion)
	}
	s.since = text.Since
	return s, s.mkdirs()
}

func (s *FileStore) mkdirs() error {
	for _, sub := range []string{"open", "lock"} {
		if err := os.MkdirAll(filepath.Join(s.dir, sub), 0o700); err != nil {
			return err
		}
	}
	return nil
}

func (s *FileStore) create(mode Create, now time.Time) error {
	if mode == CreateWait {
		s.since = now.UTC()
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(about{FormatVersion: formatVersion, Since: s.since})
	if err != nil {
		return err
	}
	// store.json comes first: a directory that is not empty has it.
	if err := writeDurable(filepath.Join(s.dir, "store.json"), append(b, '\n')); err != nil {
		return err
	}
	if err := s.mkdirs(); err != nil {
		return err
	}
	return errors.Join(syncDir(s.dir), syncDir(filepath.Dir(s.dir)))
}

// Dir is where the store lives.
func (s *FileStore) Dir() string { return s.dir }

// Since implements Store.
func (s *FileStore) Since() time.Time { return s.since }

// sealed is an intent with the checksum of its bytes.
type sealed struct {
	Sum    string          `json:"sum"`
	Intent json.RawMessage `json:"intent"`
}

func (s *FileStore) openPath(key string) string {
	return filepath.Join(s.dir, "open", key+".json")
}

// Intent implements Store.
func (s *FileStore) Intent(key string) (*Intent, error) {
	path := s.openPath(key)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &CorruptError{Key: key, Path: path, Err: err}
	}
	in, err := unseal(b)
	if err == nil && in.Identity.Key() != key {
		err = errors.New("it is about another cluster")
	}
	if err != nil {
		return nil, &CorruptError{Key: key, Path: path, Err: err}
	}
	return in, nil
}

func unseal(b []byte) (*Intent, error) {
	var f sealed
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	// The canonical bytes must come out again: a flipped bit outside the
	// intent (a key's name, white space) is as suspect as one inside.
	if again, err := seal(f.Intent); err != nil || !bytes.Equal(again, b) {
		return nil, errors.New("its checksum does not match")
	}
	var in Intent
	if err := json.Unmarshal(f.Intent, &in); err != nil {
		return nil, err
	}
	if in.FormatVersion != formatVersion {
		return nil, fmt.Errorf("it has format version %d, this program knows %d", in.FormatVersion, formatVersion)
	}
	return &in, nil
}

const formatVersion = 1

func seal(intent []byte) ([]byte, error) {
	b, err := json.Marshal(sealed{Sum: sumOf(intent), Intent: intent})
	return append(b, '\n'), err
}

func sumOf(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Open implements Store.
func (s *FileStore) Open() ([]Intent, []*CorruptError, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "open"))
	if err != nil {
		return nil, nil, err
	}
	var intents []Intent
	var corrupt []*CorruptError
	for _, e := range entries {
		key, isJSON := strings.CutSuffix(e.Name(), ".json")
		if !isJSON {
			continue // a temporary file of a writer that died
		}
		in, err := s.Intent(key)
		var bad *CorruptError
		switch {
		case errors.As(err, &bad):
			corrupt = append(corrupt, bad)
		case in != nil:
			intents = append(intents, *in)
		}
	}
	sort.Slice(intents, func(i, j int) bool { return intents[i].Cluster < intents[j].Cluster })
	return intents, corrupt, nil
}

// Lock implements Store.
func (s *FileStore) Lock(_ context.Context, key string, holder Holder) (Lease, error) {
	path := filepath.Join(s.dir, "lock", key)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	var text lockText
	if err := flock(f); err != nil {
		b, _ := io.ReadAll(f)
		_ = json.Unmarshal(b, &text)
		_ = f.Close()
		if errors.Is(err, errHeld) {
			return nil, &LockedError{Key: key, Holder: text.Holder}
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	b, err := io.ReadAll(f)
	if err == nil && len(b) > 0 {
		err = json.Unmarshal(b, &text)
	}
	if err == nil {
		text.Fence++
		text.Holder = holder
		err = rewrite(f, text)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &fileLease{store: s, key: key, file: f, fence: text.Fence}, nil
}

type lockText struct {
	Fence  uint64 `json:"fence"`
	Holder Holder `json:"holder"`
}

// rewrite replaces the lock file's text in place, so that the inode that is
// locked stays the one that others lock.
func rewrite(f *os.File, text lockText) error {
	b, err := json.Marshal(text)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(append(b, '\n'), 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(b) + 1)); err != nil {
		return err
	}
	return f.Sync()
}

type fileLease struct {
	store *FileStore
	key   string
	fence uint64
	mu    sync.Mutex
	file  *os.File // nil when given back
}

func (l *fileLease) Fence() uint64 { return l.fence }

func (l *fileLease) Unlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close() // the lock goes with the descriptor
	l.file = nil
	return err
}

// Put implements Lease.
func (l *fileLease) Put(in Intent) error {
	if key := in.Identity.Key(); key != l.key {
		return fmt.Errorf("intent of %s under the lock of %s", key, l.key)
	}
	old, err := l.store.Intent(l.key)
	if err != nil {
		return err
	}
	if old != nil && old.OpID != in.OpID {
		return fmt.Errorf("intent %s is still open", old.OpID)
	}
	in.FormatVersion = formatVersion
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	b, err := seal(body)
	if err != nil {
		return err
	}
	return writeDurable(l.store.openPath(l.key), b)
}

// Close implements Lease.
func (l *fileLease) Close(r Record) error {
	last, err := l.store.Last(l.key)
	var torn *TornError
	if err != nil && !errors.As(err, &torn) {
		return err
	}
	if last == nil || last.Intent.OpID != r.Intent.OpID {
		if err := l.store.append(r); err != nil {
			return err
		}
	}
	if err := os.Remove(l.store.openPath(l.key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(filepath.Join(l.store.dir, "open"))
}

// writeDurable replaces path: temporary file, fsync, rename, fsync of the directory.
func writeDurable(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing left to remove
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// lines reads f from offset and calls each with a line's number and text; the
// rest after the last newline goes to tail.
func lines(f io.Reader, each func(line []byte) error) (tail []byte, err error) {
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return line, nil
		}
		if err != nil {
			return nil, err
		}
		if err := each(line); err != nil {
			return nil, err
		}
	}
}
