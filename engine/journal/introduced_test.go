package journal_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// TestHolderIsNamedAtOnce: who finds a lock held learns by whom also while the
// holder still makes its fence durable.
func TestHolderIsNamedAtOnce(t *testing.T) {
	dir := t.TempDir()
	second, err := journal.OpenFile(dir, journal.CreateNow, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	first, err := journal.OpenFileVia(func(op journal.Op, path string, f func() error) error {
		err := f()
		if op == journal.OpSync && strings.HasPrefix(path, filepath.Join(dir, "lock")) {
			_, busy := second.Lock(t.Context(), "k", journal.Holder{PID: 2})
			var locked *journal.LockedError
			if !errors.As(busy, &locked) || locked.Holder.PID != 1 {
				t.Errorf("after %s of %s the other is told: %v", op, path, busy)
			}
			told++
		}
		return err
	}, dir, journal.CreateNo, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Lock(t.Context(), "k", journal.Holder{PID: 1}); err != nil {
		t.Fatal(err)
	}
	if told == 0 {
		t.Error("the fence was never synced")
	}
}
