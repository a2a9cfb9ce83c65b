//go:build unix

package journal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/journal/journaltest"
)

func TestFileStorePassesTheSuite(t *testing.T) {
	journaltest.Run(t, func(t *testing.T, place string) journal.Store {
		s, err := journal.OpenFile(place, journal.CreateNow, now)
		must(t, err)
		return s
	})
}

func TestFileStoreSurvivesAKillAtEveryStep(t *testing.T) {
	killed := journaltest.RunSteps(t, func(t *testing.T, place string, do journal.Do) journal.Store {
		s, err := journal.OpenFileVia(do, place, journal.CreateNow, now)
		must(t, err)
		return s
	})
	journal.Tally.Count(func(f *journal.Figures) { f.KilledProcesses += killed })
	if killed < 100 {
		t.Errorf("only %d processes were killed", killed)
	}
}

var now = time.Date(2025, 3, 1, 12, 0, 0, 5, time.FixedZone("", 3600))

// open opens a store that waits for no disk.
func open(t *testing.T, dir string) *journal.FileStore {
	t.Helper()
	s, err := journal.OpenFileVia(journal.NoSync, dir, journal.CreateNow, now)
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// wants fails unless err says all of words.
func wants(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %q does not say %q", what, err, w)
		}
	}
}

func lock(t *testing.T, s journal.Store, cluster string) journal.Lease {
	t.Helper()
	lease, err := s.Lock(t.Context(), journaltest.Key(cluster), journal.Holder{User: "eve", Host: "h"})
	must(t, err)
	t.Cleanup(func() { _ = lease.Unlock() })
	return lease
}

func put(t *testing.T, s journal.Store, cluster, op string) {
	t.Helper()
	lease := lock(t, s, cluster)
	must(t, lease.Put(journaltest.Intent(cluster, op)))
	must(t, lease.Unlock())
}

func settle(t *testing.T, s journal.Store, cluster, op string) {
	t.Helper()
	put(t, s, cluster, op)
	lease := lock(t, s, cluster)
	must(t, lease.Close(journaltest.Record(journaltest.Intent(cluster, op))))
	must(t, lease.Unlock())
}

func ops(s journal.Store) (ids []string, err error) {
	err = s.History(func(r journal.Record) bool {
		ids = append(ids, r.Intent.OpID)
		return true
	})
	return ids, err
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

// write replaces a file's bytes in place: some file systems flush a file that
// was cut to nothing and written again, which makes thousands of writes slow.
func write(t *testing.T, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	must(t, err)
	_, err = f.WriteAt(b, 0)
	must(t, errors.Join(err, f.Truncate(int64(len(b))), f.Close()))
}

// sealed is the text of a file with a right checksum.
func sealed(t *testing.T, body any) []byte {
	t.Helper()
	b, err := json.Marshal(body)
	must(t, err)
	sum := sha256.Sum256(b)
	return []byte(`{"sum":"` + hex.EncodeToString(sum[:]) + `","body":` + string(b) + "}\n")
}

func TestOpenFileWhereThereIsNoStore(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(t *testing.T, dir string)
	}{
		{"missing", func(*testing.T, string) {}},
		{"parents missing too", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Dir(dir))) }},
		{"empty", func(t *testing.T, dir string) { must(t, os.Mkdir(dir, 0o755)) }},
		{"a new file system", func(t *testing.T, dir string) { must(t, os.MkdirAll(filepath.Join(dir, "lost+found"), 0o700)) }},
		{"a create that was cut short", func(t *testing.T, dir string) {
			must(t, os.MkdirAll(filepath.Join(dir, "open"), 0o700))
			must(t, os.MkdirAll(filepath.Join(dir, "lock"), 0o700))
			write(t, filepath.Join(dir, "history.jsonl"), nil)
			write(t, filepath.Join(dir, "store.json.tmp"), []byte(`{"sum"`))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a", "store")
			must(t, os.Mkdir(filepath.Dir(dir), 0o755))
			test.make(t, dir)
			if _, err := journal.OpenFile(dir, journal.CreateNo, now); !errors.Is(err, journal.ErrMissing) {
				t.Fatalf("got %v", err)
			}
			s, err := journal.OpenFile(dir, journal.CreateWait, now)
			must(t, err)
			settle(t, s, "c1", "op1")
			if _, err := journal.OpenFile(dir, journal.CreateNo, now); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestSinceIsOfTheFirstOpening(t *testing.T) {
	for _, test := range []struct {
		name string
		mode journal.Create
		want time.Time
	}{
		{"wait", journal.CreateWait, now.UTC()},
		{"now", journal.CreateNow, time.Time{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			first, err := journal.OpenFile(dir, test.mode, now)
			must(t, err)
			same(t, "since", first.Since(), test.want)
			same(t, "dir", first.Dir(), dir)
			for _, mode := range []journal.Create{journal.CreateNo, journal.CreateWait, journal.CreateNow} {
				again, err := journal.OpenFile(dir, mode, now.Add(time.Hour))
				must(t, err)
				same(t, "since of a store that exists", again.Since(), test.want)
			}
		})
	}
}

func TestTwoMakersGetOneStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	since := make(chan time.Time)
	for i := range 8 {
		go func() {
			s, err := journal.OpenFile(dir, journal.CreateWait, now.Add(time.Duration(i)*time.Hour))
			if err != nil {
				t.Error(err)
				since <- time.Time{}
				return
			}
			since <- s.Since()
		}()
	}
	first := <-since
	for range 7 {
		same(t, "since", <-since, first)
	}
}

func TestStoresThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		words []string
	}{
		{"another format version", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "store.json"), sealed(t, map[string]int{"format_version": 2}))
		}, []string{"format version 2", "knows 1"}},
		{"without store.json", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "store.json")))
		}, []string{"no store", "store.json"}},
		{"without open intents", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "open")))
		}, []string{"lost a part", "open"}},
		{"without history", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "history.jsonl")))
		}, []string{"lost a part", "history.jsonl"}},
		{"somebody else's directory", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, os.Mkdir(dir, 0o700))
			write(t, filepath.Join(dir, "thesis.tex"), nil)
		}, []string{"no store of clusterctl"}},
		{"a file", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			write(t, dir, nil)
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			put(t, open(t, dir), "c1", "op1")
			test.spoil(t, dir)
			for _, mode := range []journal.Create{journal.CreateNo, journal.CreateWait, journal.CreateNow} {
				_, err := journal.OpenFile(dir, mode, now)
				wants(t, "open", err, test.words...)
				if errors.Is(err, journal.ErrMissing) {
					t.Errorf("a damaged store counts as missing: %v", err)
				}
			}
		})
	}
}

func TestEveryFlippedBitAndCutOfStoreJSONIsDetected(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	_, err := journal.OpenFile(dir, journal.CreateWait, now)
	must(t, err)
	path := filepath.Join(dir, "store.json")
	whole := read(t, path)
	for i := range whole {
		for bit := range 8 {
			b := bytes.Clone(whole)
			b[i] ^= 1 << bit
			write(t, path, b)
			if _, err := journal.OpenFile(dir, journal.CreateWait, now); err == nil {
				t.Fatalf("bit %d of byte %d was flipped and nobody noticed", bit, i)
			}
		}
		write(t, path, whole[:i])
		if _, err := journal.OpenFile(dir, journal.CreateWait, now); err == nil {
			t.Fatalf("cut to %d bytes and nobody noticed", i)
		}
	}
}

func TestOnlyTheOwnerCanRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "above", "store")
	s := open(t, dir)
	settle(t, s, "c1", "op1")
	put(t, s, "c2", "op2")
	files := 0
	must(t, filepath.WalkDir(filepath.Dir(dir), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = fs.ModeDir | 0o700
		} else {
			files++
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
		return nil
	}))
	same(t, "files", files, 7)
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("HOME", "/home/eve")
	for state, want := range map[string]string{
		"":          "/home/eve/.local/state/clusterctl",
		"/var/eve":  "/var/eve/clusterctl",
		"var/state": "/home/eve/.local/state/clusterctl",
	} {
		t.Setenv("XDG_STATE_HOME", state)
		got, err := journal.DefaultDir()
		must(t, err)
		same(t, "with XDG_STATE_HOME="+state, got, want)
	}
}
