package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
)

// Remembered is one line of history as a person may see it.
type Remembered struct {
	Record
	Line int // of the file, from 1
	// Fault is why the line cannot be trusted; what Record says may then be
	// wrong, and it is zero when nothing could be read. Empty: it is sound.
	Fault string
}

// The faults of a line.
const (
	faultUnread = "it cannot be read"
	faultSum    = "the checksum does not match: this line or one before it was changed"
	faultEnd    = "the line's end was changed"
)

// Recall calls f with every line of history, oldest first, until f returns
// false: for people to look at. Unlike History it goes on after a damaged line,
// takes no lock, and so waits for no run and keeps none from writing. A last
// line that was cut is a *TornError; one that is just being written is not there
// yet.
func (s *FileStore) Recall(f func(Remembered) bool) error { return s.recall(0, f) }

// RecallNewest is Recall of the last lines only, at most so many bytes of them;
// of the first one it cannot say whether it follows what came before. Lines are
// counted from there.
func (s *FileStore) RecallNewest(most int64, f func(Remembered) bool) error { return s.recall(most, f) }

func (s *FileStore) recall(most int64, f func(Remembered) bool) error {
	history, err := s.disk.open(s.historyPath(), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer history.Close()
	info, err := history.Stat()
	if err != nil {
		return err
	}
	r := recalling{file: history, sums: []string{""}, again: -1}
	r.from(0, info.Size())
	if most > 0 && info.Size() > most {
		r.sums = nil
		r.from(info.Size()-most-1, info.Size())
		cut, err := r.lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return err
		}
		r.offset += int64(len(cut))
	}
	for n := 1; ; n++ {
		line, err := r.next()
		switch {
		case err == io.EOF && len(line.text) == 0:
			return nil
		case err == io.EOF:
			return s.ending(&r, line.text, n, f)
		case err != nil:
			return err
		case !f(line.remember(n)):
			return nil
		}
	}
}

// ending is what follows the last newline: a line that a crash cut, that a run
// writes just now, or whose end was changed.
func (s *FileStore) ending(r *recalling, tail []byte, n int, f func(Remembered) bool) error {
	if end := len(tail) - 1; tail[end] != 0 {
		if line := r.check(append(bytes.Clone(tail[:end]), '\n')); line.fault == "" {
			line.fault = faultEnd
			f(line.remember(n))
			return nil
		}
	}
	err := r.file.tryLock()
	if errors.Is(err, errHeld) {
		return nil // whoever writes it has the lock
	}
	info, serr := r.file.Stat()
	if err == nil {
		_ = unlock(r.file.File)
	}
	if serr == nil && info.Size() != r.end {
		return nil // it was written, or taken away, since the walk began
	}
	return &TornError{Path: s.historyPath(), Line: n}
}

// recalling is a walk through the lines.
type recalling struct {
	file   *file
	lines  *bufio.Reader
	end    int64
	offset int64 // of the next line
	again  int64 // the offset that was read a second time
	// sums are what the next line may be chained to: what the line before says
	// of itself and what it should say. None: it could not be read.
	sums []string
}

// recalled is a line, cut into its parts.
type recalled struct {
	text  []byte
	sum   string
	body  []byte
	fault string
}

func (r *recalling) from(offset, end int64) {
	r.offset, r.end = offset, end
	r.lines = bufio.NewReaderSize(io.NewSectionReader(r.file, offset, end-offset), 1<<18)
}

// next reads a line and moves behind it. One that does not fit the line before
// it is read once more: a run may just have put it where a cut one stood. After
// one that cannot be read the next cannot be held against it, and counts as
// sound: its writer had checked what came before.
func (r *recalling) next() (recalled, error) {
	text, err := r.lines.ReadBytes('\n')
	if err != nil {
		return recalled{text: text}, err
	}
	line := r.check(text)
	if line.fault != "" && r.again != r.offset {
		r.again = r.offset
		r.from(r.offset, r.end)
		return r.next()
	}
	r.offset += int64(len(text))
	switch {
	case line.sum == "":
		r.sums = nil
	case line.fault == "":
		r.sums = []string{line.sum}
	default:
		due := []string{line.sum}
		for _, before := range r.sums {
			due = append(due, sumOf([]byte(before), line.body))
		}
		r.sums = due
	}
	return line, nil
}

// check cuts a line as append writes it into its parts, without decoding it,
// and holds it against the line before.
func (r *recalling) check(text []byte) recalled {
	c, exact := cut(text)
	if !exact {
		return recalled{text: text, fault: faultUnread}
	}
	line := recalled{text: text, sum: c.Sum, body: c.Record}
	if len(r.sums) > 0 && !slices.ContainsFunc(r.sums, func(before string) bool { return sumOf([]byte(before), line.body) == line.sum }) {
		line.fault = faultSum
	}
	return line
}

func (l recalled) remember(n int) Remembered {
	found := Remembered{Line: n, Fault: l.fault}
	if l.fault == faultUnread {
		return found
	}
	if err := json.Unmarshal(l.body, &found.Record); err != nil {
		return Remembered{Line: n, Fault: faultUnread}
	}
	return found
}
