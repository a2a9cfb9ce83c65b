//go:build unix

package journal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/journal/journaltest"
)

// opened is a store with open intents of c1 and c2, and the path of c1's.
func opened(t *testing.T) (s *journal.FileStore, path string) {
	t.Helper()
	s = open(t, filepath.Join(t.TempDir(), "store"))
	put(t, s, "c1", "op1")
	put(t, s, "c2", "op2")
	return s, filepath.Join(s.Dir(), "open", journaltest.Key("c1")+".json")
}

// distrusted reports that the store does not take c1's file for an intent.
func distrusted(s journal.Store) bool {
	in, err := s.Intent(journaltest.Key("c1"))
	var bad *journal.CorruptError
	return in == nil && errors.As(err, &bad)
}

func TestEveryCutOfAnIntentIsDetected(t *testing.T) {
	s, path := opened(t)
	whole := read(t, path)
	for n := range whole {
		write(t, path, whole[:n])
		if !distrusted(s) {
			t.Fatalf("%d of %d bytes were taken for an intent", n, len(whole))
		}
		// What a file system leaves that knew the length before the data.
		write(t, path, append(whole[:n:n], make([]byte, len(whole)-n)...))
		if !distrusted(s) {
			t.Fatalf("%d of %d bytes and zeros were taken for an intent", n, len(whole))
		}
	}
	write(t, path, append(bytes.Clone(whole), '\n'))
	if !distrusted(s) {
		t.Error("a file with more after the intent was taken for an intent")
	}
}

func TestCorruptIntentBlocksItsClusterOnly(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, path string)
	}{
		{"empty", func(t *testing.T, path string) { write(t, path, nil) }},
		{"garbage", func(t *testing.T, path string) { write(t, path, []byte("{}\n")) }},
		{"of another cluster", func(t *testing.T, path string) {
			in := journaltest.Intent("c3", "op3")
			in.FormatVersion = 1
			write(t, path, sealed(t, in))
		}},
		{"of another format", func(t *testing.T, path string) {
			in := journaltest.Intent("c1", "op1")
			in.FormatVersion = 2
			write(t, path, sealed(t, in))
		}},
		{"unreadable", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.Mkdir(path, 0o700))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, path := opened(t)
			test.spoil(t, path)
			key := journaltest.Key("c1")

			intents, corrupt, err := s.Open()
			must(t, err)
			if len(intents) != 1 || intents[0].OpID != "op2" {
				t.Errorf("the intent of c2 is not listed: %v", intents)
			}
			if len(corrupt) != 1 || corrupt[0].Key != key || corrupt[0].Path != path || corrupt[0].Err == nil {
				t.Fatalf("corrupt: %v", corrupt)
			}
			if !distrusted(s) {
				t.Error("it was taken for an intent")
			}
			lease := lock(t, s, "c1")
			in := journaltest.Intent("c1", "op1")
			wants(t, "put", lease.Put(in), path, "cannot be trusted")
			wants(t, "close", lease.Close(journaltest.Record(in)), path, "cannot be trusted")
			must(t, lease.Unlock())
			settle2 := lock(t, s, "c2")
			must(t, settle2.Close(journaltest.Record(journaltest.Intent("c2", "op2"))))
		})
	}
}

func TestPersonClosesWhatCannotBeTrusted(t *testing.T) {
	s, path := opened(t)
	write(t, path, []byte("garbage"))
	lease := lock(t, s, "c1")
	r := journaltest.Record(journaltest.Intent("c1", "by hand"))
	r.By = "eve: looked at the console"
	must(t, lease.Close(r))
	must(t, lease.Close(r))
	got, err := ops(s)
	must(t, err)
	same(t, "history", got, []string{"by hand"})
	must(t, lease.Put(journaltest.Intent("c1", "op3")))
}

func TestLeftoverTemporaryFileIsIgnored(t *testing.T) {
	s, path := opened(t)
	write(t, path+".tmp", []byte(`{"sum":"a file that a killed writer left, longer than`+string(make([]byte, 4096))))
	intents, corrupt, err := s.Open()
	must(t, err)
	same(t, "intents", len(intents), 2)
	same(t, "corrupt", len(corrupt), 0)
	put(t, s, "c1", "op1") // over it
	if _, err := os.Stat(path + ".tmp"); err == nil || distrusted(s) {
		t.Error("the next writer tripped over it")
	}
}

func TestCrashBetweenHistoryAndRemoval(t *testing.T) {
	s, path := opened(t)
	before := read(t, path)
	r := journaltest.Record(journaltest.Intent("c1", "op1"))
	first := lock(t, s, "c1")
	must(t, first.Close(r))
	must(t, first.Unlock())
	write(t, path, before) // as if the process had died before it removed this

	s = open(t, s.Dir())
	in, err := s.Intent(journaltest.Key("c1"))
	must(t, err)
	last, err := s.Last(journaltest.Key("c1"))
	must(t, err)
	same(t, "newest record", last.Intent.OpID, in.OpID)
	lease := lock(t, s, "c1")
	must(t, lease.Close(*last))
	in, err = s.Intent(journaltest.Key("c1"))
	must(t, err)
	if in != nil {
		t.Error("the intent is still open")
	}
	got, err := ops(open(t, s.Dir()))
	must(t, err)
	same(t, "history", got, []string{"op1"})
}
