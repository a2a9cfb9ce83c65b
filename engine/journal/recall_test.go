//go:build unix

package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/journal/journaltest"
)

// recall is "op1", or "op1 line 1: fault", of every line.
func recall(t *testing.T, dir string) (lines []string, err error) {
	t.Helper()
	err = open(t, dir).Recall(func(r journal.Remembered) bool {
		text := r.Intent.OpID
		if r.Fault != "" {
			text = fmt.Sprintf("%s line %d: %s", text, r.Line, r.Fault)
		}
		lines = append(lines, text)
		return true
	})
	return lines, err
}

func TestRecallGoesOnAfterDamage(t *testing.T) {
	const sum, unread, end = "the checksum does not match: this line or one before it was changed", "it cannot be read", "the line's end was changed"
	s, path, l := withHistory(t)
	changed := bytes.Replace(l[1], []byte(`"k":2`), []byte(`"k":3`), 1)
	sumChanged := bytes.Clone(l[1])
	sumChanged[10] ^= 1
	for _, test := range []struct {
		name  string
		lines [][]byte
		want  []string
	}{
		{"whole", l, []string{"op1", "op2", "op3", "op4"}},
		{"none", nil, nil},
		{"a value was changed", [][]byte{l[0], changed, l[2], l[3]}, []string{"op1", "op2 line 2: " + sum, "op3", "op4"}},
		{"a checksum was changed", [][]byte{l[0], sumChanged, l[2], l[3]}, []string{"op1", "op2 line 2: " + sum, "op3", "op4"}},
		{"no line at all", [][]byte{l[0], []byte("\n"), l[2], l[3]}, []string{"op1", " line 2: " + unread, "op3", "op4"}},
		{"another form", [][]byte{l[0], append([]byte(" "), l[1]...), l[2]}, []string{"op1", " line 2: " + unread, "op3"}},
		{"the first is gone", [][]byte{l[1], l[2], l[3]}, []string{"op2 line 1: " + sum, "op3", "op4"}},
		{"two are gone", [][]byte{l[0], l[3]}, []string{"op1", "op4 line 2: " + sum}},
		{"swapped", [][]byte{l[0], l[2], l[1], l[3]}, []string{"op1", "op3 line 2: " + sum, "op2 line 3: " + sum, "op4 line 4: " + sum}},
		{"the end was changed", [][]byte{l[0], append(bytes.Clone(l[1][:len(l[1])-1]), '\r')}, []string{"op1", "op2 line 2: " + end}},
	} {
		t.Run(test.name, func(t *testing.T) {
			write(t, path, bytes.Join(test.lines, nil))
			got, err := recall(t, s.Dir())
			must(t, err)
			same(t, "lines", got, test.want)
		})
	}
}

// A sound checksum over what is no record of ours.
func TestRecallOfAnotherRecord(t *testing.T) {
	s, path, l := withHistory(t)
	b := bytes.Replace(bytes.Clone(l[0]), []byte(`"k":2`), []byte(`"k":"`), 1)
	write(t, path, slices.Concat(b, l[1]))
	got, err := recall(t, s.Dir())
	must(t, err)
	same(t, "lines", got[0], " line 1: it cannot be read")
}

func TestRecallOfACutLine(t *testing.T) {
	s, path, l := withHistory(t)
	for _, length := range []int{1, 70, len(l[3]) - 2, len(l[3]) - 1} {
		write(t, path, bytes.Join([][]byte{l[0], l[1], l[2], l[3][:length]}, nil))
		got, err := recall(t, s.Dir())
		var torn *journal.TornError
		if !errors.As(err, &torn) || torn.Line != 4 {
			t.Errorf("cut after %d bytes: %v", length, err)
		}
		same(t, "lines", got, []string{"op1", "op2", "op3"})
	}
}

// While a run is in the middle of writing a line, with the lock on history, the
// others are read at once and nothing is called cut.
func TestRecallWhileALineIsWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	settle(t, open(t, dir), "c1", "op1")
	path := filepath.Join(dir, "history.jsonl")
	looks := 0
	writer, err := journal.OpenFileVia(func(op journal.Op, at string, f func() error) error {
		err := f()
		if op == journal.OpWrite && at == path {
			looks++
			got, rerr := recall(t, dir)
			must(t, rerr)
			if !slices.Contains(got, "op1") {
				t.Errorf("after a write: %q", got)
			}
		}
		return err
	}, dir, journal.CreateNo, now)
	must(t, err)
	settle(t, writer, "c1", "op2")
	if looks < 3 { // the last line again, the new one, its end
		t.Errorf("%d writes were seen", looks)
	}
	got, err := recall(t, dir)
	must(t, err)
	same(t, "lines", got, []string{"op1", "op2"})
}

func TestRecallStopsWhenTold(t *testing.T) {
	s, _, _ := withHistory(t)
	calls := 0
	must(t, s.Recall(func(journal.Remembered) bool {
		calls++
		return calls < 2
	}))
	same(t, "calls", calls, 2)
}

// What was read half before and half after a run put a line where a cut one
// stood is read once more.
func TestRecallReadsAMixtureAgain(t *testing.T) {
	s, path, l := withHistory(t)
	whole := bytes.Join(l, nil)
	mixed := bytes.Clone(whole)
	copy(mixed[len(l[0])+200:], "what stood there before")
	write(t, path, mixed)
	reads := 0
	reader, err := journal.OpenFileVia(func(op journal.Op, at string, f func() error) error {
		err := f()
		if op == journal.OpRead && at == path {
			if reads++; reads == 1 {
				write(t, path, whole)
			}
		}
		return err
	}, s.Dir(), journal.CreateNo, now)
	must(t, err)
	var got []string
	must(t, reader.Recall(func(r journal.Remembered) bool {
		got = append(got, r.Intent.OpID+r.Fault)
		return true
	}))
	same(t, "lines", got, []string{"op1", "op2", "op3", "op4"})
}

func TestRecallNewest(t *testing.T) {
	s, _, l := withHistory(t)
	two := int64(len(l[2]) + len(l[3]))
	for most, want := range map[int64][]string{
		two: {"op3", "op4"}, two - 1: {"op4"}, two + 1: {"op3", "op4"}, 1: nil, 1 << 20: {"op1", "op2", "op3", "op4"},
	} {
		var got []string
		must(t, s.RecallNewest(most, func(r journal.Remembered) bool {
			got = append(got, r.Intent.OpID+r.Fault)
			return true
		}))
		same(t, fmt.Sprint("newest ", most), got, want)
	}
}

// A run puts its line where the beginning of a cut one stood, while another
// reads: the reader sees the new line or none, and calls none cut.
func TestRecallBesideARepair(t *testing.T) {
	s, path, l := withHistory(t)
	write(t, path, slices.Concat(l[0], l[1], l[2][:100]))
	begun := false
	reader, err := journal.OpenFileVia(func(op journal.Op, at string, f func() error) error {
		err := f()
		if begun && op == journal.OpStat && at == path { // it knows how far it will read
			write(t, path, bytes.Join(l, nil))
		}
		return err
	}, s.Dir(), journal.CreateNo, now)
	must(t, err)
	begun = true
	var got []string
	must(t, reader.Recall(func(r journal.Remembered) bool {
		got = append(got, r.Intent.OpID+r.Fault)
		return true
	}))
	same(t, "lines", got, []string{"op1", "op2"})
}

// What Recall calls sound is what History trusts, whatever byte changed.
func TestRecallTrustsWhatHistoryTrusts(t *testing.T) {
	s, path, lines := withHistory(t)
	whole := bytes.Join(lines, nil)
	for i := 0; i < len(whole); i += 7 {
		b := bytes.Clone(whole)
		b[i] ^= 1
		write(t, path, b)
		trusted, _ := ops(open(t, s.Dir()))
		got, _ := recall(t, s.Dir())
		if len(got) < len(trusted) || !slices.Equal(got[:len(trusted)], trusted) {
			t.Fatalf("byte %d: history trusts %q, recall tells %q", i, trusted, got)
		}
		if len(got) > len(trusted) && !strings.Contains(got[len(trusted)], " line ") {
			t.Fatalf("byte %d: history trusts %q, recall calls the next sound: %q", i, trusted, got)
		}
	}
}

// Records of earlier releases, which said neither who nor which nodes.
func TestRecallOfOldRecords(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	settle(t, open(t, dir), "c1", "op1")
	old, err := os.ReadFile("testdata/history-first.jsonl")
	must(t, err)
	write(t, filepath.Join(dir, "history.jsonl"), old)
	var got []journal.Remembered
	must(t, open(t, dir).Recall(func(r journal.Remembered) bool {
		got = append(got, r)
		return true
	}))
	if len(got) != 1 || got[0].Fault != "" || got[0].Intent.Who != "" || got[0].Verdict != journal.Done {
		t.Fatalf("got %+v", got)
	}
	last, err := open(t, dir).Last(journaltest.Key("c1"))
	must(t, err)
	same(t, "newest", last.Intent.OpID, "op1")
}

func BenchmarkRecall(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "store")
	s, err := journal.OpenFileVia(journal.NoSync, dir, journal.CreateNow, now)
	if err != nil {
		b.Fatal(err)
	}
	lease, err := s.Lock(b.Context(), journaltest.Key("c1"), journal.Holder{})
	if err != nil {
		b.Fatal(err)
	}
	const lines = 2000
	for i := range lines {
		in := journaltest.Intent("c1", fmt.Sprint("op", i))
		if err := errors.Join(lease.Put(in), lease.Close(journaltest.Record(in))); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		n := 0
		if err := s.Recall(func(journal.Remembered) bool { n++; return true }); err != nil || n != lines {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*lines), "µs/line")
}
