package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// FileStore keeps the journal in files:
//
//	store.json        when it began; written last, so that it proves the rest
//	open/<key>.json   one open intent each, with a checksum
//	history.jsonl     one line per closed intent, each chained to the one before
//	lock/<key>        flock, and the holder's text for people
//	lock/<key>.fence  as long as the fence is high
//
// A file becomes visible by rename after fsync, and the directory is synced
// before a write counts as done. Lock files are never removed.
type FileStore struct {
	dir   string
	disk  disk
	since time.Time

	// mu guards what follows; it is taken before the lock on history.
	mu    sync.Mutex
	stays bool              // store.json survives a crash of the machine
	seen  position          // how far history was read
	last  map[string][]byte // the newest record of each key up to there
}

// DefaultDir is $XDG_STATE_HOME/clusterctl, or ~/.local/state/clusterctl.
func DefaultDir() (string, error) {
	// A relative one counts as unset (XDG Base Directory Specification, Basics).
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
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

const formatVersion = 1

// about is store.json.
type about struct {
	FormatVersion int       `json:"format_version"`
	Since         time.Time `json:"since,omitzero"`
}

// OpenFile opens the store in dir. A directory that is missing or empty is no
// store; now is the time that a new one remembers.
func OpenFile(dir string, create Create, now time.Time) (*FileStore, error) {
	return OpenFileVia(nil, dir, create, now)
}

// OpenFileVia is OpenFile for tests: every operation on the disk goes through
// do, from several goroutines at a time.
func OpenFileVia(do Do, dir string, create Create, now time.Time) (*FileStore, error) {
	s := &FileStore{dir: dir, disk: disk{do}, last: map[string][]byte{}}
	missing, err := s.vacant()
	switch {
	case err != nil:
		return nil, err
	case missing && create == CreateNo:
		return nil, fmt.Errorf("%w in %s", ErrMissing, dir)
	case missing:
		if err := s.create(create, now); err != nil {
			return nil, fmt.Errorf("make a store in %s: %w", dir, err)
		}
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// vacant reports that the directory holds nothing but what a create that was cut short
// may have left, or a new file system has.
func (s *FileStore) vacant() (bool, error) {
	entries, err := s.disk.readDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		path := filepath.Join(s.dir, e.Name())
		switch e.Name() {
		case "open", "lock":
			inside, err := s.disk.readDir(path)
			if err != nil || len(inside) > 0 {
				return false, err
			}
		case "history.jsonl":
			info, err := s.disk.stat(path)
			if err != nil || info.Size() > 0 {
				return false, err
			}
		case "history.jsonl" + tempSuffix, "store.json" + tempSuffix, "lost+found":
		default:
			return false, nil
		}
	}
	return true, nil
}

func (s *FileStore) create(mode Create, now time.Time) error {
	if err := s.disk.makeDir(s.dir); err != nil {
		return err
	}
	turn, err := s.disk.open(s.dir, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer turn.release()
	if err := turn.waitLock(); err != nil && !errors.Is(err, errNoLocks) {
		return err
	}
	if missing, err := s.vacant(); err != nil || !missing {
		return err // another run made it meanwhile
	}
	for _, sub := range []string{"open", "lock"} {
		if err := s.disk.makeDir(filepath.Join(s.dir, sub)); err != nil {
			return err
		}
	}
	if err := s.disk.replace(s.historyPath(), nil); err != nil {
		return err
	}
	text := about{FormatVersion: formatVersion}
	if mode == CreateWait {
		text.Since = now.UTC()
	}
	b, err := seal(text)
	if err != nil {
		return err
	}
	return s.disk.replace(filepath.Join(s.dir, "store.json"), b)
}

func (s *FileStore) load() error {
	path := filepath.Join(s.dir, "store.json")
	b, err := s.disk.readFile(path)
	if err != nil {
		return fmt.Errorf("%s is no store of clusterctl: %w", s.dir, err)
	}
	var text about
	if err := unseal(b, &text); err != nil {
		return fmt.Errorf("%s cannot be trusted: %w", path, err)
	}
	if text.FormatVersion != formatVersion {
		return fmt.Errorf("%s has format version %d, this program knows %d", s.dir, text.FormatVersion, formatVersion)
	}
	s.since = text.Since
	// They were there before store.json was: without them requests are forgotten.
	for _, part := range []string{"open", "lock", "history.jsonl"} {
		if _, err := s.disk.stat(filepath.Join(s.dir, part)); err != nil {
			return fmt.Errorf("the store in %s has lost a part: %w", s.dir, err)
		}
	}
	return nil
}

// stay makes durable that the store exists: who made it may have been killed
// when others could see store.json already, but before the disk had it.
func (s *FileStore) stay() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stays {
		return nil
	}
	err := s.disk.syncDir(s.dir)
	s.stays = err == nil
	return err
}

// Dir is where the store lives.
func (s *FileStore) Dir() string { return s.dir }

// Since implements Store.
func (s *FileStore) Since() time.Time { return s.since }

func (s *FileStore) openPath(key string) string {
	return filepath.Join(s.dir, "open", key+".json")
}

// Intent implements Store.
func (s *FileStore) Intent(key string) (*Intent, error) {
	path := s.openPath(key)
	b, err := s.disk.readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var in Intent
	if err == nil {
		err = unseal(b, &in)
	}
	switch {
	case err != nil:
	case in.FormatVersion != formatVersion:
		err = fmt.Errorf("it has format version %d, this program knows %d", in.FormatVersion, formatVersion)
	case in.Identity.Key() != key:
		err = errors.New("it is about another cluster")
	}
	if err != nil {
		return nil, &CorruptError{Key: key, Path: path, Err: err}
	}
	return &in, nil
}

// Open implements Store.
func (s *FileStore) Open() ([]Intent, []*CorruptError, error) {
	entries, err := s.disk.readDir(filepath.Join(s.dir, "open"))
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
		case err != nil:
			return nil, nil, err
		case in != nil: // nil: closed since the directory was read
			intents = append(intents, *in)
		}
	}
	slices.SortStableFunc(intents, func(a, b Intent) int { return strings.Compare(a.Cluster, b.Cluster) })
	return intents, corrupt, nil
}
