//go:build unix

package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/journal/journaltest"
)

func TestTornLockTextBlocksNobody(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store"))
	path := filepath.Join(s.Dir(), "lock", journaltest.Key("c1"))
	held := lock(t, s, "c1")
	whole := read(t, path)
	must(t, held.Unlock())
	same(t, "text of a free lock", string(read(t, path)), "")

	texts := [][]byte{[]byte("\x00\x00"), []byte("garbage"), append(whole, whole...)}
	for n := range whole {
		texts = append(texts, whole[:n])
	}
	fence := held.Fence()
	for _, text := range texts {
		write(t, path, text) // left by a process that died
		lease := lock(t, open(t, s.Dir()), "c1")
		if lease.Fence() <= fence {
			t.Fatalf("after the text %q fence %d came after %d", text, lease.Fence(), fence)
		}
		fence = lease.Fence()
		same(t, "text", string(read(t, path)), string(whole))

		write(t, path, text) // or being written just now
		_, err := s.Lock(t.Context(), journaltest.Key("c1"), journal.Holder{})
		var locked *journal.LockedError
		if !errors.As(err, &locked) {
			t.Fatalf("with the text %q the lock was given twice: %v", text, err)
		}
		if len(text) < len(whole)-1 {
			same(t, "message", err.Error(), "locked by a process that has not said who it is")
		}
		must(t, lease.Unlock())
	}
}

func TestLostLockWritesNothing(t *testing.T) {
	for _, test := range []struct {
		name string
		lose func(t *testing.T, lock, fence string)
	}{
		{"the file was removed", func(t *testing.T, lock, _ string) { must(t, os.Remove(lock)) }},
		{"the fence was removed", func(t *testing.T, _, fence string) { must(t, os.Remove(fence)) }},
		{"both were removed", func(t *testing.T, lock, fence string) {
			must(t, errors.Join(os.Remove(lock), os.Remove(fence)))
		}},
		{"another run has it", func(t *testing.T, _, fence string) {
			// As on a network file system that let go of the lock.
			write(t, fence, append(read(t, fence), 0))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), "store"))
			must(t, lock(t, s, "c1").Unlock())
			lease := lock(t, s, "c1")
			in := journaltest.Intent("c1", "op1")
			must(t, lease.Put(in))
			path := filepath.Join(s.Dir(), "lock", journaltest.Key("c1"))
			test.lose(t, path, path+".fence")
			wants(t, "put", lease.Put(in), path, "lost to another run")
			wants(t, "close", lease.Close(journaltest.Record(in)), path, "lost to another run")
			must(t, lease.Unlock())
			wants(t, "put after unlock", lease.Put(in), "given back")
			must(t, lock(t, s, "c1").Close(journaltest.Record(in)))
		})
	}
}

func TestKeysThatAreNoFileNames(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store"))
	for _, key := range []string{"", ".", "..", "a/b", "../history", `a\b`, "a\x00"} {
		if _, err := s.Lock(t.Context(), key, journal.Holder{}); err == nil {
			t.Errorf("key %q was locked", key)
		}
	}
}

func TestHolderSaysWhoAndWhat(t *testing.T) {
	t.Setenv("USER", "eve")
	h := journal.Self("clusterctl apply", now)
	for _, word := range []string{"eve on ", `"clusterctl apply"`, "since 2025-03-01T11:00:00Z"} {
		if !strings.Contains(h.String(), word) {
			t.Errorf("%q does not say %q", h, word)
		}
	}
	same(t, "process", h.PID, os.Getpid())
	t.Setenv("USER", "")
	if h := journal.Self("", now); !strings.HasPrefix(h.User, "uid ") {
		t.Errorf("user %q", h.User)
	}
}
