//go:build darwin || linux

package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/journal/journaltest"
)

// fullDisk is set in a further process of the test binary: the store, what to
// write, and the size that no file of that process may pass. A write that
// passes it is cut there and fails, as on a full disk.
const fullDisk = "CCTL_JOURNAL_FULL_DISK"

// onFullDisk runs write ("put" or "close") of c1's op1 in a process whose files
// end at limit bytes. It returns what the store said, "" when that was no error.
func onFullDisk(t *testing.T, s *journal.FileStore, write string, limit int) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOnFullDisk$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s\t%s\t%d", fullDisk, s.Dir(), write, limit))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	said, ok := strings.CutPrefix(string(out), "said: ")
	if !ok {
		t.Fatalf("the process said %q", out)
	}
	said, _, _ = strings.Cut(said, "\n")
	return said
}

// TestOnFullDisk is the further process; by itself it checks a full device.
func TestOnFullDisk(t *testing.T) {
	task := os.Getenv(fullDisk)
	if task == "" {
		s := open(t, filepath.Join(t.TempDir(), "store"))
		settle(t, s, "c1", "op0")
		if said := onFullDisk(t, s, "put", 1<<20); said != "" {
			t.Errorf("with room enough it said %q", said)
		}
		return
	}
	words := strings.Split(task, "\t")
	limit, err := strconv.ParseUint(words[2], 10, 64)
	must(t, err)
	s := open(t, words[0])
	signal.Ignore(syscall.SIGXFSZ)
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}))
	fmt.Printf("said: %s\n", message(writeLarger(s, words[1])))
	os.Exit(0)
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// writeLarger puts a version of op1 that is longer than before, or closes op1.
func writeLarger(s journal.Store, write string) error {
	in := journaltest.Intent("c1", "op1")
	lease, err := s.Lock(context.Background(), in.Identity.Key(), journal.Holder{User: strings.Repeat("x", 100)})
	if err != nil {
		return err
	}
	if write == "close" {
		return errors.Join(lease.Close(journaltest.Record(in)), lease.Unlock())
	}
	in.Answer.Message += strings.Repeat("x", 100)
	return errors.Join(lease.Put(in), lease.Unlock())
}

func TestPutOnFullDiskLeavesTheOldIntent(t *testing.T) {
	s, path := opened(t)
	whole := read(t, path)
	for _, limit := range []int{20, len(whole) / 2, len(whole), len(whole) + 99} {
		wants(t, fmt.Sprint("put with room for ", limit), errors.New(onFullDisk(t, s, "put", limit)), "file too large")
		same(t, "file", string(read(t, path)), string(whole))
		left, err := filepath.Glob(filepath.Join(s.Dir(), "open", "*.tmp"))
		must(t, err)
		same(t, "temporary files", len(left), 0)
	}
	if said := onFullDisk(t, s, "put", len(whole)+200); said != "" {
		t.Errorf("put with room enough: %s", said)
	}
}

func TestCloseOnFullDiskKeepsTheChain(t *testing.T) {
	s, path, lines := withHistory(t)
	put(t, s, "c1", "op1")
	whole := read(t, path)
	size := len(lines[0]) // the new line is as long
	for _, room := range []int{0, 1, size / 2, size - 2, size - 1} {
		wants(t, fmt.Sprint("close with room for ", room), errors.New(onFullDisk(t, s, "close", len(whole)+room)), "file too large")
		same(t, "history", string(read(t, path)), string(whole))
		if in, err := s.Intent(journaltest.Key("c1")); err != nil || in == nil {
			t.Fatalf("the intent went without a line in history: %v", err)
		}
	}
	settle(t, s, "c2", "op5") // others go on
	if said := onFullDisk(t, s, "close", len(whole)+3*size); said != "" {
		t.Errorf("close with room enough: %s", said)
	}
	got, err := ops(open(t, s.Dir()))
	must(t, err)
	same(t, "history", got, []string{"op1", "op2", "op3", "op4", "op5", "op1"})
}

func TestPutWhereNoFileCanBeMade(t *testing.T) {
	s, path := opened(t)
	dir := filepath.Dir(path)
	must(t, os.Rename(dir, dir+".away"))
	write(t, dir, nil) // a file in place of the directory
	lease := lock(t, s, "c1")
	wants(t, "put", lease.Put(journaltest.Intent("c1", "op1")), "not a directory")
	wants(t, "close", lease.Close(journaltest.Record(journaltest.Intent("c1", "op1"))), "not a directory")
	_, _, err := s.Open()
	wants(t, "open", err, "not a directory")
	must(t, os.Remove(dir))
	must(t, os.Rename(dir+".away", dir))
	if distrusted(s) {
		t.Error("the old intent is not whole")
	}
	got, err := ops(s)
	must(t, err)
	same(t, "history", len(got), 0)
}
