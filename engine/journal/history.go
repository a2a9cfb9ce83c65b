package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// chained is one line of history. Sum covers the line before and this record,
// so that a line can be neither changed nor taken out unnoticed, and a cut
// leaves a torn line. A cut exactly at a line's end cannot be noticed: a shorter
// history is then whole. Only a run that had read more notices that.
type chained struct {
	Sum    string          `json:"sum"`
	Record json.RawMessage `json:"record"`
}

// position is a place between two lines of history.
type position struct {
	offset int64
	line   int    // how many lines lie before it
	start  int64  // of the last of them
	sum    string // of the last of them
}

func (s *FileStore) historyPath() string { return filepath.Join(s.dir, "history.jsonl") }

// append adds one record unless it is the newest of its key already, and makes
// it durable either way. A record that is to be new but whose intent is not
// open is refused.
func (s *FileStore) append(r Record, open bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.disk.open(s.historyPath(), os.O_RDWR|os.O_APPEND)
	if err != nil {
		return err
	}
	defer f.release()
	if err := f.waitLock(); err != nil {
		return err
	}
	var torn *TornError
	if err := s.catchUp(f); err != nil && !errors.As(err, &torn) {
		return err
	}
	last, err := s.newest(r.Intent.Identity.Key())
	if err == nil {
		err = s.firm(f, torn != nil)
	}
	switch {
	case err != nil:
		return err
	case last != nil && last.Intent.OpID == r.Intent.OpID:
		return nil // and durable now, whatever became of who wrote it
	case !open:
		return fmt.Errorf("close %s: it is not open", r.Intent.OpID)
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	line, err := json.Marshal(chained{Sum: sumOf([]byte(s.seen.sum), body), Record: body})
	if err != nil {
		return err
	}
	if err := writeLine(f, line); err != nil {
		// Readers wait for the lock, so nobody has seen it. If it cannot be
		// taken back either, it is a torn line, or a whole one that counts.
		_ = f.Truncate(s.seen.offset)
		return err
	}
	return nil
}

// firm makes durable that history is what was read, and no longer. A torn line
// goes: nobody waits for it, as its writer died before it said done. The last
// whole line is written again: after an fsync that failed the next one may
// succeed without the data that the first was about, and nobody can tell whether
// that befell its writer. Lines before it were firm before it was begun.
func (s *FileStore) firm(f *file, torn bool) error {
	if torn {
		if err := f.Truncate(s.seen.offset); err != nil {
			return err
		}
	}
	if s.seen.line > 0 {
		if err := s.rewrite(f, s.seen.start, s.seen.offset); err != nil {
			return err
		}
	}
	// Also where there is no line: the disk may still have the beginning of one
	// that was taken back, and it must not mix with the next.
	return f.Sync()
}

// rewrite writes what is in history from start to end once more. It takes a
// further opening of the file: what is opened for appending writes nowhere else.
func (s *FileStore) rewrite(f *file, start, end int64) error {
	b := make([]byte, end-start)
	if _, err := f.ReadAt(b, start); err != nil {
		return err
	}
	again, err := s.disk.open(s.historyPath(), os.O_WRONLY)
	if err != nil {
		return err
	}
	_, err = again.WriteAt(b, start)
	return errors.Join(err, again.Close())
}

// writeLine makes the text durable before it writes the newline: a file system
// may bring the end of a write to the disk without its beginning, and what ends
// in a newline must be whole.
func writeLine(f *file, line []byte) error {
	for _, part := range [][]byte{line, {'\n'}} {
		if _, err := f.Write(part); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// catchUp reads what was appended since the last call and checks the chain.
// The caller holds s.mu and the file's lock.
func (s *FileStore) catchUp(f *file) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < s.seen.offset {
		return fmt.Errorf("%s:%d: this line and maybe others were taken out", s.historyPath(), s.seen.line)
	}
	tail, err := s.scan(f, &s.seen, info.Size(), func(r *Record, body []byte) bool {
		s.last[r.Intent.Identity.Key()] = body
		return true
	})
	if err != nil || len(tail) == 0 {
		return err
	}
	// A crash leaves a line's beginning, or zeros where it wrote nothing. A
	// whole line that ends in anything else was written and then changed.
	if end := len(tail) - 1; tail[end] != 0 {
		if _, _, err := unchain(s.seen.sum, append(bytes.Clone(tail[:end]), '\n')); err == nil {
			return fmt.Errorf("%s:%d: the line's end was changed", s.historyPath(), s.seen.line+1)
		}
	}
	return &TornError{Path: s.historyPath(), Line: s.seen.line + 1}
}

// scan reads whole lines up to the offset end, moves at along, and calls each
// until it returns false. It returns what follows the last newline.
func (s *FileStore) scan(f *file, at *position, end int64, each func(r *Record, body []byte) bool) (tail []byte, err error) {
	lines := bufio.NewReader(io.NewSectionReader(f, at.offset, end-at.offset))
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return line, nil
		}
		if err != nil {
			return nil, err
		}
		r, c, err := unchain(at.sum, line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", s.historyPath(), at.line+1, err)
		}
		*at = position{offset: at.offset + int64(len(line)), line: at.line + 1, start: at.offset, sum: c.Sum}
		if !each(r, c.Record) {
			return nil, nil
		}
	}
}

// unchain takes a line apart that follows one with the sum prev. One that stands
// as append writes it is cut and not decoded: its sum vouches for every byte of
// the record.
func unchain(prev string, line []byte) (*Record, *chained, error) {
	c, exact := cut(line)
	if !exact {
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, nil, err
		}
	}
	if sum := sumOf([]byte(prev), c.Record); sum != c.Sum {
		return nil, nil, errors.New("the checksum does not match: this line or one before it was changed")
	}
	if !exact {
		return nil, nil, errors.New("the line was changed")
	}
	var r Record
	if err := json.Unmarshal(c.Record, &r); err != nil {
		return nil, nil, err
	}
	return &r, &c, nil
}

// cut takes a line as append writes it into its parts, without decoding it.
func cut(line []byte) (c chained, exact bool) {
	const head, middle, tail = `{"sum":"`, `","record":`, "}\n"
	const digits = 64
	if len(line) < len(head)+digits+len(middle)+len(tail) || !bytes.HasPrefix(line, []byte(head)) || !bytes.HasSuffix(line, []byte(tail)) {
		return c, false
	}
	sum, rest := line[len(head):len(head)+digits], line[len(head)+digits:]
	body, ok := bytes.CutPrefix(rest[:len(rest)-len(tail)], []byte(middle))
	if !ok {
		return c, false
	}
	return chained{Sum: string(sum), Record: body}, true
}

// reading opens history when nobody is writing a line. Whole lines stay as they
// are when the lock is gone. The caller holds s.mu.
func (s *FileStore) reading() (*file, error) {
	f, err := s.disk.open(s.historyPath(), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	if err := f.waitShared(); err != nil {
		_ = f.release()
		return nil, err
	}
	return f, nil
}

// newest decodes afresh, so that no two callers share a map. The caller holds s.mu.
func (s *FileStore) newest(key string) (*Record, error) {
	body, ok := s.last[key]
	if !ok {
		return nil, nil
	}
	var r Record
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// Last implements Store. It reads only what is new.
func (s *FileStore) Last(key string) (*Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.reading()
	if err != nil {
		return nil, err
	}
	defer f.release()
	caught := s.catchUp(f)
	r, err := s.newest(key)
	if err != nil {
		return nil, err
	}
	return r, caught
}

// History implements Store.
func (s *FileStore) History(f func(Record) bool) error {
	// First find out how far history can be trusted, then let go, so that f
	// may take its time and use the store.
	s.mu.Lock()
	history, err := s.reading()
	if err != nil {
		s.mu.Unlock()
		return err
	}
	caught := s.catchUp(history)
	end := s.seen.offset
	s.mu.Unlock()
	defer history.Close()
	if err := unlock(history.File); err != nil {
		return err
	}
	var at position
	if _, err := s.scan(history, &at, end, func(r *Record, _ []byte) bool { return f(*r) }); err != nil {
		return err
	}
	return caught
}
