//go:build unix

package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/journal/journaltest"
)

// withHistory is a store with op1 to op4 of c1 and c2 in turn, and its lines.
func withHistory(t *testing.T) (s *journal.FileStore, path string, lines [][]byte) {
	t.Helper()
	s = open(t, filepath.Join(t.TempDir(), "store"))
	for i := range 4 {
		settle(t, s, fmt.Sprint("c", 1+i%2), fmt.Sprint("op", i+1))
	}
	path = filepath.Join(s.Dir(), "history.jsonl")
	lines = bytes.SplitAfter(read(t, path), []byte("\n"))
	return s, path, lines[:4:4]
}

// lost is what a cut last line must lead to: reported, left out, and repaired
// by the next append.
func lost(t *testing.T, s *journal.FileStore, path string) {
	t.Helper()
	torn := func(err error) {
		t.Helper()
		var torn *journal.TornError
		if !errors.As(err, &torn) || torn.Path != path || torn.Line != 4 {
			t.Fatalf("got %v", err)
		}
	}
	s = open(t, s.Dir())
	got, err := ops(s)
	torn(err)
	same(t, "history", got, []string{"op1", "op2", "op3"})
	last, err := s.Last(journaltest.Key("c2"))
	torn(err)
	same(t, "newest", last.Intent.OpID, "op2")
	last, err = s.Last(journaltest.Key("c3"))
	torn(err)
	if last != nil {
		t.Fatalf("newest of a cluster without history: %v", last)
	}
	settle(t, s, "c2", "op5")
	for _, s := range []*journal.FileStore{s, open(t, s.Dir())} {
		got, err = ops(s)
		must(t, err)
		same(t, "history after the next append", got, []string{"op1", "op2", "op3", "op5"})
	}
}

func TestTornLastLineIsLeftOutAndRepaired(t *testing.T) {
	s, path, lines := withHistory(t)
	before, last := bytes.Join(lines[:3], nil), lines[3]
	for n := 1; n < len(last); n += 9 {
		write(t, path, slices.Concat(before, last[:n]))
		lost(t, s, path)
	}
	for _, n := range []int{0, 1, len(last) / 2, len(last) - 1} {
		// A file system may know the length before it has the data.
		write(t, path, slices.Concat(before, last[:n], make([]byte, len(last)-n)))
		lost(t, s, path)
	}
}

// What one store has read stays right when another repairs the end.
func TestTornLastLineRepairedByAnother(t *testing.T) {
	s, path, lines := withHistory(t)
	write(t, path, slices.Concat(bytes.Join(lines[:3], nil), lines[3][:100]))
	reader := open(t, s.Dir())
	if _, err := ops(reader); err == nil {
		t.Fatal("the torn line was not reported")
	}
	settle(t, open(t, s.Dir()), "c1", "op6")
	last, err := reader.Last(journaltest.Key("c1"))
	must(t, err)
	same(t, "newest", last.Intent.OpID, "op6")
	settle(t, reader, "c2", "op7")
	got, err := ops(reader)
	must(t, err)
	same(t, "history", got, []string{"op1", "op2", "op3", "op6", "op7"})
}

// A known limit: a chain cannot tell a history that was cut at a line's end
// from one that is not longer yet.
func TestCutAtTheEndOfALineCannotBeNoticed(t *testing.T) {
	s, path, lines := withHistory(t)
	for n := range lines {
		write(t, path, bytes.Join(lines[:n], nil))
		got, err := ops(open(t, s.Dir()))
		must(t, err)
		same(t, "lines", len(got), n)
	}
}

// spoilt wants every use of history to fail and to name the line.
func spoilt(t *testing.T, what string, dir, path string, line int) {
	t.Helper()
	place := fmt.Sprintf("%s:%d: ", path, line)
	s := open(t, dir)
	got, err := ops(s)
	wants(t, what+": history", err, place)
	if len(got) != line-1 {
		t.Errorf("%s: %d lines before line %d were given", what, len(got), line)
	}
	_, err = s.Last(journaltest.Key("c9"))
	wants(t, what+": last", err, place)
	var torn *journal.TornError
	if errors.As(err, &torn) {
		t.Errorf("%s: taken for a line that was never finished", what)
	}
}

func TestFlippedByteInHistoryIsAnErrorWithItsLine(t *testing.T) {
	s, path, lines := withHistory(t)
	whole := bytes.Join(lines, nil)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range whole {
		line := 1 + bytes.Count(whole[:i], []byte("\n"))
		flips := []byte{byte(1 + random.IntN(255)), whole[i] ^ '\n'}
		switch {
		case i == len(whole)-1:
			flips = []byte{1, 2, 4, 8, 16, 32, 64, 128, '\n' ^ '}'}
		case i%5 > 0:
			continue
		}
		for _, flip := range flips {
			if flip == 0 {
				continue // it is a newline already
			}
			b := bytes.Clone(whole)
			b[i] ^= flip
			write(t, path, b)
			spoilt(t, fmt.Sprintf("byte %d xor %#x", i, flip), s.Dir(), path, line)
		}
		if t.Failed() {
			return
		}
	}
}

func TestSpoiltHistoryStopsAppends(t *testing.T) {
	s, path, lines := withHistory(t)
	b := bytes.Join(lines, nil)
	b[len(lines[0])+50] ^= 1
	write(t, path, b)
	s = open(t, s.Dir())
	lease := lock(t, s, "c1")
	in := journaltest.Intent("c1", "op5")
	must(t, lease.Put(in))
	wants(t, "close", lease.Close(journaltest.Record(in)), path+":2: ")
	if open, err := s.Intent(journaltest.Key("c1")); err != nil || open == nil {
		t.Errorf("the intent went without a line in history: %v", err)
	}
	same(t, "file", string(read(t, path)), string(b))
}

func TestLinesCannotBeMovedOrTakenOut(t *testing.T) {
	s, path, l := withHistory(t)
	for _, test := range []struct {
		name  string
		lines [][]byte
		line  int
	}{
		{"without the first", [][]byte{l[1], l[2], l[3]}, 1},
		{"without the second", [][]byte{l[0], l[2], l[3]}, 2},
		{"without the third", [][]byte{l[0], l[1], l[3]}, 3},
		{"two swapped", [][]byte{l[0], l[2], l[1], l[3]}, 2},
		{"one twice", [][]byte{l[0], l[1], l[1], l[2], l[3]}, 3},
		{"last one twice", [][]byte{l[0], l[1], l[2], l[3], l[3]}, 5},
		{"an empty line", [][]byte{l[0], []byte("\n"), l[1], l[2], l[3]}, 2},
		{"an empty last line", [][]byte{l[0], l[1], l[2], l[3], []byte("\n")}, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			write(t, path, bytes.Join(test.lines, nil))
			spoilt(t, test.name, s.Dir(), path, test.line)
		})
	}
}

func TestLinesTakenOutDuringARunAreNoticed(t *testing.T) {
	s, path, lines := withHistory(t)
	if _, err := s.Last(journaltest.Key("c1")); err != nil {
		t.Fatal(err)
	}
	write(t, path, bytes.Join(lines[:3], nil))
	_, err := s.Last(journaltest.Key("c1"))
	wants(t, "last", err, path+":4: ", "taken out")
	_, err = ops(s)
	wants(t, "history", err, path)
	lease := lock(t, s, "c1")
	in := journaltest.Intent("c1", "op5")
	must(t, lease.Put(in))
	wants(t, "close", lease.Close(journaltest.Record(in)), path+":4: ", "taken out")
}

// Last must not read history again from its beginning each time: what it has
// read may even be gone.
func TestLastReadsOnlyWhatIsNew(t *testing.T) {
	s, path, lines := withHistory(t)
	_, err := s.Last(journaltest.Key("c1"))
	must(t, err)
	settle(t, open(t, s.Dir()), "c1", "op5") // by another run
	b := read(t, path)
	old := len(bytes.Join(lines, nil))
	write(t, path, slices.Concat(bytes.Repeat([]byte("x"), old), b[old:]))

	last, err := s.Last(journaltest.Key("c1"))
	must(t, err)
	same(t, "newest of c1", last.Intent.OpID, "op5")
	last, err = s.Last(journaltest.Key("c2"))
	must(t, err)
	same(t, "newest of c2", last.Intent.OpID, "op4")
	settle(t, s, "c2", "op6") // nor does an append
	_, err = ops(s)
	wants(t, "history, which reads all", err, path+":1: ")
}
