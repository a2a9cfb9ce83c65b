//go:build unix

package journal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// flips is how many random flips a full run tries intents and history with.
const flips = 100_000

// rot is a file of a store whose bytes change.
type rot struct {
	t     *testing.T
	s     *FileStore
	file  *os.File
	whole []byte
}

func newRot(t *testing.T, s *FileStore, path string) *rot {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	t.Cleanup(func() { _ = f.Close() })
	whole, err := io.ReadAll(f)
	check(t, err)
	return &rot{t, s, f, whole}
}

// write makes b the file's bytes. A file that is opened and cut to nothing for
// each would take most of the time.
func (r *rot) write(b []byte) {
	_, err := r.file.WriteAt(b, 0)
	check(r.t, err)
	if len(b) != len(r.whole) {
		check(r.t, r.file.Truncate(int64(len(b))))
	}
}

// flipped calls try with every bit of the file flipped alone, and then with one
// to four bits at random, so many times. It says how many that were.
func (r *rot) flipped(times int, try func(bits []int)) (n int) {
	b := bytes.Clone(r.whole)
	flip := func(bits []int) {
		for _, bit := range bits {
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
	one := func(bits []int) {
		flip(bits)
		r.write(b)
		try(bits)
		flip(bits)
		n++
	}
	for bit := range len(b) * 8 {
		if !raceDetector || bit%20 == 0 {
			one([]int{bit})
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range times {
		taken := map[int]bool{}
		var bits []int
		for range 1 + random.IntN(4) {
			if bit := random.IntN(len(b) * 8); !taken[bit] { // twice is not at all
				taken[bit], bits = true, append(bits, bit)
			}
		}
		one(bits)
	}
	r.write(r.whole)
	return n
}

// cut calls try with every length of the file but the whole one: cut there, and
// with zeros for the rest, as a file system leaves it that knew the length
// before the data.
func (r *rot) cut(try func(length int, zeros bool)) (n int) {
	for length := range r.whole {
		r.write(r.whole[:length])
		try(length, false)
		b := bytes.Clone(r.whole)
		clear(b[length:])
		r.write(b)
		try(length, true)
		n += 2
	}
	r.write(r.whole)
	return n
}

func rotten(t *testing.T) *FileStore {
	t.Helper()
	s, err := OpenFileVia(NoSync, filepath.Join(scratch(t), "store"), CreateNow, time.Time{})
	check(t, err)
	return s
}

func locked(t *testing.T, s *FileStore, cluster string) Lease {
	t.Helper()
	lease, err := s.Lock(context.Background(), intent(cluster, "", 1).Identity.Key(), Holder{})
	check(t, err)
	return lease
}

// full is an intent as apply writes it.
func full(cluster, op string) Intent {
	in := intent(cluster, op, 1)
	in.PlanDigest, in.ActionID, in.Entry, in.Kind, in.Group = "sha256:00", "a1", "cloud", "k", "core"
	in.From, in.To, in.K = map[string]int64{"count": 3}, map[string]int64{"count": 5}, 2
	in.Base, in.Tasks, in.ReadAt = []string{"n1", "n2", "n3"}, []string{"t1"}, time.Unix(1, 0).UTC()
	in.SignedAt, in.Expires, in.Deadline = in.ReadAt, in.ReadAt, in.ReadAt
	in.Answer = &Answer{Outcome: "accepted", At: in.ReadAt, Handle: []byte{0, 255}, Message: "节点 and \x00"}
	return in
}

// othersGoOn reports that c1's spoilt intent blocks nothing of c2, whose intent
// op2 is open and stays so, nor c3; and that nobody writes over it.
func othersGoOn(t *testing.T, s *FileStore) error {
	spoilt := locked(t, s, "c1")
	defer spoilt.Unlock()
	var bad *CorruptError
	if err := spoilt.Put(full("c1", "op1")); !errors.As(err, &bad) {
		return errors.New("it was overwritten")
	}
	if err := spoilt.Close(Record{Intent: full("c1", "op1")}); !errors.As(err, &bad) {
		return errors.New("it was closed")
	}
	other := locked(t, s, "c2")
	defer other.Unlock()
	op2, next := intent("c2", "op2", 1), intent("c2", "next", 1)
	return errors.Join(
		other.Put(op2), other.Close(Record{Intent: op2}),
		other.Put(next), other.Close(Record{Intent: next}), other.Put(op2),
	)
}

func TestEveryCutAndFlipOfAnIntentBlocksItsClusterOnly(t *testing.T) {
	s := rotten(t)
	one, two := locked(t, s, "c1"), locked(t, s, "c2")
	in := full("c1", "op1")
	check(t, errors.Join(one.Put(in), two.Put(intent("c2", "op2", 1)), one.Unlock(), two.Unlock()))
	key := in.Identity.Key()
	r := newRot(t, s, s.openPath(key))
	var taken, blocked, tries int
	try := func(what ...any) {
		intents, corrupt, err := s.Open()
		if len(corrupt) != 1 || corrupt[0].Key != key {
			taken++
			t.Fatalf("%v: taken for an intent: %v %v", what, intents, err)
		}
		if err == nil && (len(intents) != 1 || intents[0].OpID != "op2") {
			err = errors.New("the intent of c2 is not listed")
		}
		if tries++; err == nil && tries%200 == 0 {
			err = othersGoOn(t, s)
		}
		if err != nil {
			blocked++
			t.Fatalf("%v: c2: %v", what, err)
		}
	}
	defer func() {
		Tally.Count(func(f *Figures) { f.OthersBlocked += blocked })
	}()
	cuts := r.cut(func(length int, zeros bool) { try("cut to", length, zeros) })
	Tally.Count(func(f *Figures) {
		f.IntentSize, f.Truncations, f.TruncationsTaken = len(r.whole), cuts, taken
	})
	flipped := r.flipped(times(flips), func(bits []int) { try("flipped", bits) })
	Tally.Count(func(f *Figures) { f.BitFlips, f.BitFlipsTaken = flipped, taken-f.TruncationsTaken })
	if got, err := s.Intent(key); err != nil || got.OpID != "op1" {
		t.Errorf("the whole file: %v %v", got, err)
	}
}

// Three clusters' lines, of which any part changes: what is read before the
// change is right, and the rest is not read without a word.
func TestEveryCutAndFlipOfHistoryIsNoticed(t *testing.T) {
	s := rotten(t)
	ops := []string{"op0", "op1", "op2"}
	for i, op := range ops {
		cluster := []string{"c0", "c1", "c0"}[i]
		lease, in := locked(t, s, cluster), intent(cluster, op, 1)
		check(t, errors.Join(lease.Put(in), lease.Close(Record{Intent: in, Verdict: Done}), lease.Unlock()))
	}
	r := newRot(t, s, s.historyPath())
	var ends []int // of lines
	for i, c := range r.whole {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	// read says whether a new run takes what is there for a history, and how
	// many records of it.
	read := func() (n int, err error) {
		s.seen, s.last = position{}, map[string][]byte{}
		_, lastErr := s.Last(intent("c0", "", 1).Identity.Key())
		err = s.History(func(r Record) bool {
			if r.Intent.OpID != ops[n] {
				t.Fatalf("record %d is %s", n, r.Intent.OpID)
			}
			n++
			return true
		})
		if (err == nil) != (lastErr == nil) {
			t.Fatalf("History said %v and Last %v", err, lastErr)
		}
		return n, err
	}
	before := func(offset int) (n int) {
		for n < len(ends) && ends[n] <= offset {
			n++
		}
		return n
	}
	var cuts, cutsTaken, atEnd, atEndNoticed int
	r.cut(func(length int, zeros bool) {
		n, err := read()
		if n != before(length) {
			t.Fatalf("cut to %d bytes (zeros: %v): %d records were read: %v", length, zeros, n, err)
		}
		var torn *TornError
		switch {
		case !zeros && (length == 0 || ends[max(n, 1)-1] == length):
			if atEnd++; err != nil {
				atEndNoticed++
			}
		case !errors.As(err, &torn):
			cutsTaken++
			t.Errorf("cut to %d bytes (zeros: %v): %v", length, zeros, err)
		default:
			cuts++
		}
	})
	flipsTaken := 0
	flipped := r.flipped(times(flips), func(bits []int) {
		first := len(r.whole)
		for _, bit := range bits {
			first = min(first, bit/8)
		}
		if n, err := read(); err == nil || n != before(first) {
			flipsTaken++
			t.Fatalf("flipped %v: %d records were read: %v", bits, n, err)
		}
	})
	Tally.Count(func(f *Figures) {
		f.HistoryCuts, f.HistoryCutsTaken = cuts+cutsTaken, cutsTaken
		f.LineEnds, f.LineEndsDetected = atEnd, atEndNoticed
		f.HistoryFlips, f.HistoryFlipsTaken = flipped, flipsTaken
	})
	if n, err := read(); err != nil || n != len(ops) {
		t.Errorf("the whole file: %d records: %v", n, err)
	}
}
