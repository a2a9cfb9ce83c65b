package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// chained is one line of history. Sum covers the line before and this record,
// so that a line can be neither changed nor taken out unnoticed. A cut exactly
// at a line's end cannot be noticed.
type chained struct {
	Sum    string          `json:"sum"`
	Record json.RawMessage `json:"record"`
}

func (s *FileStore) historyPath() string { return filepath.Join(s.dir, "history.jsonl") }

// append adds one record. Writers of different clusters take turns by a lock of
// their own.
func (s *FileStore) append(r Record) error {
	turn, err := os.OpenFile(filepath.Join(s.dir, "lock", "history"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer turn.Close()
	if err := flockWait(turn); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var torn *TornError
	if err := s.catchUp(nil); errors.As(err, &torn) {
		// Nobody waits for the torn line: its writer died before it said done.
		if err := os.Truncate(s.historyPath(), s.read); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	line, err := json.Marshal(chained{Sum: sumOf([]byte(s.sum), body), Record: body})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.historyPath(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return syncDir(s.dir)
}

// catchUp reads what was appended since the last call, checks the chain, and
// calls f with each new record. The caller holds s.mu.
func (s *FileStore) catchUp(f func(Record)) error {
	file, err := os.Open(s.historyPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(s.read, io.SeekStart); err != nil {
		return err
	}
	tail, err := lines(file, func(line []byte) error {
		r, sum, err := unchain(s.sum, line)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", s.historyPath(), s.line+1, err)
		}
		s.line++
		s.read += int64(len(line))
		s.sum = sum
		s.last[r.Intent.Identity.Key()] = *r
		if f != nil {
			f(*r)
		}
		return nil
	})
	if err == nil && len(tail) > 0 {
		err = &TornError{Path: s.historyPath(), Line: s.line + 1}
	}
	return err
}

func unchain(prev string, line []byte) (*Record, string, error) {
	var c chained
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, "", err
	}
	if sum := sumOf([]byte(prev), c.Record); sum != c.Sum {
		return nil, "", errors.New("the checksum does not match: this line or one before it was changed")
	}
	if again, err := json.Marshal(c); err != nil || !bytes.Equal(append(again, '\n'), line) {
		return nil, "", errors.New("the line was changed")
	}
	var r Record
	if err := json.Unmarshal(c.Record, &r); err != nil {
		return nil, "", err
	}
	return &r, c.Sum, nil
}

// Last implements Store.
func (s *FileStore) Last(key string) (*Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.catchUp(nil)
	if r, ok := s.last[key]; ok {
		return &r, err
	}
	return nil, err
}

// History implements Store.
func (s *FileStore) History(f func(Record) bool) error {
	again := &FileStore{dir: s.dir, last: map[string]Record{}}
	more := true
	return again.catchUp(func(r Record) {
		if more {
			more = f(r)
		}
	})
}
