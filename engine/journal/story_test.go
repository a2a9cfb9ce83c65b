//go:build unix

package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// story is what callers of a store do, and what they were told.
type story struct {
	ops     int
	do      Do              // of the stores that are told it
	made    bool            // OpenFile said so
	tried   map[string]int  // by op id: the newest version that was ever put
	put     map[string]int  // the newest for which Put returned nil
	written map[string]bool // in history, as far as a caller may rely on it
	closed  map[string]bool // Close returned nil
	fences  map[string]uint64
}

func newStory(ops int, do Do) *story {
	return &story{
		ops: ops, do: do, tried: map[string]int{}, put: map[string]int{},
		written: map[string]bool{}, closed: map[string]bool{}, fences: map[string]uint64{},
	}
}

// told is everything that a caller may rely on.
func (st *story) told() string {
	return fmt.Sprintln(st.made, st.tried, st.put, st.written, st.closed, st.fences)
}

// intent is a version of a made-up cluster's intent; each is longer than the
// one before.
func intent(cluster, op string, version int) Intent {
	name := fmt.Sprintf("%0*d", 10*version, version)
	return Intent{OpID: op, Cluster: cluster, Name: name, Identity: Identity{Plugin: "cloud", ID: cluster}}
}

func versionOf(in Intent) int { return len(in.Name) / 10 }

func (st *story) op(i int) (cluster, op string) { return fmt.Sprint("c", i%2), fmt.Sprint("op", i) }

// tell makes a store and settles intents of two clusters in turn, each in one
// of two runs that have the store open. It goes on after errors, as one cluster's
// trouble keeps no run from the next, and returns the first.
func (st *story) tell(dir string) (first error) {
	var stores [2]*FileStore
	for i := range stores {
		_, err := os.Stat(filepath.Join(dir, "store.json"))
		fresh := err != nil
		if stores[i], err = OpenFileVia(st.do, dir, CreateNow, time.Time{}); err != nil {
			return err
		}
		st.made = st.made || fresh
	}
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	for i := range st.ops {
		cluster, op := st.op(i)
		keep(st.settle(stores[i/2%2], cluster, op))
	}
	keep(st.look(stores[0]))
	return first
}

// look reads everything.
func (st *story) look(s *FileStore) error {
	times, err := st.times(s)
	if err != nil {
		return err
	}
	intents, corrupt, err := s.Open()
	if err != nil || len(corrupt) > 0 {
		return errors.Join(err, corruption(corrupt))
	}
	for op := range st.closed {
		if times[op] != 1 || slices.ContainsFunc(intents, func(in Intent) bool { return in.OpID == op }) {
			return fmt.Errorf("%s was closed and is in history %d times, open are %v", op, times[op], intents)
		}
	}
	return nil
}

func corruption(corrupt []*CorruptError) error {
	var errs []error
	for _, c := range corrupt {
		errs = append(errs, c)
	}
	return errors.Join(errs...)
}

// times says how often each op is in history. A torn last line is nothing.
func (st *story) times(s *FileStore) (map[string]int, error) {
	times := map[string]int{}
	err := s.History(func(r Record) bool { times[r.Intent.OpID]++; return true })
	var torn *TornError
	if errors.As(err, &torn) {
		err = nil
	}
	return times, err
}

// settle brings one op to its end from wherever an earlier run left it.
func (st *story) settle(s *FileStore, cluster, op string) error {
	key := intent(cluster, op, 1).Identity.Key()
	if st.closed[op] {
		return nil
	}
	lease, err := s.Lock(context.Background(), key, Holder{User: "eve"})
	if err != nil {
		return err
	}
	defer lease.Unlock()
	st.fences[key] = max(st.fences[key], lease.Fence())
	st.made = true
	if _, err := s.Lock(context.Background(), key, Holder{}); !isLocked(err) {
		return fmt.Errorf("lock of what is locked: %w", err)
	}
	in, err := s.Intent(key)
	if err != nil {
		return err
	}
	times, err := st.times(s)
	switch {
	case err != nil:
		return err
	case times[op] > 0 && (in == nil || in.OpID != op):
		st.written[op] = true // an intent goes only after that
		return nil
	case in == nil || in.OpID != op:
		for v := 1; v <= 2; v++ {
			st.tried[op] = max(st.tried[op], v)
			if err := lease.Put(intent(cluster, op, v)); err != nil {
				return err
			}
			st.put[op] = max(st.put[op], v)
		}
	}
	r := Record{Intent: intent(cluster, op, 2), Verdict: Done}
	if err := lease.Close(r); err != nil {
		return err
	}
	st.written[op], st.closed[op] = true, true
	if err := lease.Close(r); err != nil {
		return fmt.Errorf("close again: %w", err)
	}
	return lease.Unlock()
}

func isLocked(err error) bool {
	var held *LockedError
	return errors.As(err, &held)
}

// NoSync leaves out what takes time and changes nothing that processes see.
func NoSync(op Op, _ string, f func() error) error {
	if op == OpSync {
		return nil
	}
	return f()
}

// left checks what is in dir against what callers were told, and goes on there
// as the next run does.
func (st *story) left(dir string) error {
	s, err := OpenFileVia(NoSync, dir, CreateNo, time.Time{})
	if errors.Is(err, ErrMissing) && !st.made {
		s, err = OpenFileVia(NoSync, dir, CreateNow, time.Time{})
	}
	if err != nil {
		return err
	}
	times, err := st.times(s)
	if err != nil {
		return err
	}
	intents, corrupt, err := s.Open()
	if err != nil || len(corrupt) > 0 {
		return errors.Join(err, corruption(corrupt))
	}
	open := map[string]int{}
	for _, in := range intents {
		open[in.OpID] = versionOf(in)
	}
	for op, version := range open {
		if version < st.put[op] || version > st.tried[op] {
			return fmt.Errorf("version %d of %s is open; %d was put, %d was tried", version, op, st.put[op], st.tried[op])
		}
	}
	for op := range st.put {
		if open[op] == 0 && times[op] == 0 {
			return fmt.Errorf("%s was put and is lost", op)
		}
	}
	for op := range st.written {
		if times[op] != 1 || open[op] > 0 && st.closed[op] {
			return fmt.Errorf("%s was settled; version %d is open, it is in history %d times", op, open[op], times[op])
		}
	}
	return st.goOn(s, intents, times)
}

// goOn settles what is open, and one op more of each cluster.
func (st *story) goOn(s *FileStore, intents []Intent, times map[string]int) error {
	want := maps.Clone(times)
	for op := range want {
		want[op] = 1
	}
	for i := range 2 {
		cluster, _ := st.op(i)
		next := intent(cluster, "next-"+cluster, 1)
		key := next.Identity.Key()
		lease, err := s.Lock(context.Background(), key, Holder{})
		if err != nil {
			return err
		}
		defer lease.Unlock()
		if lease.Fence() <= st.fences[key] {
			return fmt.Errorf("fence %d came after %d", lease.Fence(), st.fences[key])
		}
		for _, in := range intents {
			if in.Cluster != cluster {
				continue
			}
			want[in.OpID] = 1
			if err := lease.Close(Record{Intent: in}); err != nil {
				return err
			}
		}
		want[next.OpID] = 1
		if err := errors.Join(lease.Put(next), lease.Close(Record{Intent: next})); err != nil {
			return err
		}
	}
	got := map[string]int{}
	if err := s.History(func(r Record) bool { got[r.Intent.OpID]++; return true }); err != nil {
		return err
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("in the end history has %v, want %v", got, want)
	}
	if intents, corrupt, err := s.Open(); err != nil || len(intents)+len(corrupt) > 0 {
		return fmt.Errorf("open in the end: %v %v %w", intents, corrupt, err)
	}
	return nil
}

// storeIn is where the story's store is on a disk.
func storeIn(root string) string { return filepath.Join(root, "a", "store") }
