//go:build unix

package journal

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// story is what callers of a store were told.
type story struct {
	ops         int
	do          Do // of the store that is told it
	made        bool
	put, closed map[string]bool // by op id, once it returned nil
	fences      map[string]uint64
}

// record is the closed intent of a made-up cluster.
func record(cluster, op, note string) Record {
	return Record{Verdict: Done, Intent: Intent{
		OpID: op, Cluster: cluster, Name: note, Identity: Identity{Plugin: "cloud", ID: cluster},
	}}
}

// tell makes a store and settles intents of two clusters in turn.
func (st *story) tell(dir string) error {
	s, err := OpenFileVia(st.do, dir, CreateNow, time.Time{})
	if err != nil {
		return err
	}
	st.made = true
	for i := range st.ops {
		cluster, op := fmt.Sprint("c", i%2), fmt.Sprint("op", i)
		if st.closed[op] {
			continue
		}
		if err := st.settle(s, cluster, op); err != nil {
			return err
		}
	}
	return nil
}

func (st *story) settle(s *FileStore, cluster, op string) error {
	r := record(cluster, op, "before")
	key := r.Intent.Identity.Key()
	lease, err := s.Lock(context.Background(), key, Holder{})
	if err != nil {
		return err
	}
	defer lease.Unlock()
	st.fences[key] = max(st.fences[key], lease.Fence())
	for _, note := range []string{"before", "after the send, and longer"} {
		r = record(cluster, op, note)
		if err := lease.Put(r.Intent); err != nil {
			return err
		}
		st.put[op] = true
	}
	if err := lease.Close(r); err != nil {
		return err
	}
	st.closed[op] = true
	return nil
}

// left checks what is in dir against what callers were told, and goes on there.
func (st *story) left(dir string) error {
	s, err := OpenFile(dir, CreateNo, time.Time{})
	if errors.Is(err, ErrMissing) && !st.made {
		return nil
	}
	if err != nil {
		return err
	}
	times := map[string]int{}
	var torn *TornError
	err = s.History(func(r Record) bool { times[r.Intent.OpID]++; return true })
	if err != nil && !errors.As(err, &torn) {
		return err
	}
	intents, corrupt, err := s.Open()
	if err != nil || len(corrupt) > 0 {
		return fmt.Errorf("open: %v %w", corrupt, err)
	}
	isOpen := map[string]bool{}
	for _, in := range intents {
		isOpen[in.OpID] = true
	}
	for op := range st.put {
		if !isOpen[op] && times[op] == 0 {
			return fmt.Errorf("%s was put and is lost", op)
		}
	}
	for op := range st.closed {
		if isOpen[op] || times[op] != 1 {
			return fmt.Errorf("%s was closed; it is open: %v, in history: %d times", op, isOpen[op], times[op])
		}
	}
	return st.goOn(s, intents)
}

// goOn settles what is open, as the next run does.
func (st *story) goOn(s *FileStore, intents []Intent) error {
	for _, cluster := range []string{"c0", "c1"} {
		key := record(cluster, "", "").Intent.Identity.Key()
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
			if err := lease.Close(Record{Intent: in}); err != nil {
				return err
			}
		}
		next := record(cluster, "next-"+cluster, "")
		if err := errors.Join(lease.Put(next.Intent), lease.Close(next)); err != nil {
			return err
		}
	}
	times := map[string]int{}
	if err := s.History(func(r Record) bool { times[r.Intent.OpID]++; return true }); err != nil {
		return err
	}
	for _, in := range append(intents, record("", "next-c0", "").Intent, record("", "next-c1", "").Intent) {
		if times[in.OpID] != 1 {
			return fmt.Errorf("%s is in history %d times in the end", in.OpID, times[in.OpID])
		}
	}
	for op, n := range times {
		if n != 1 {
			return fmt.Errorf("%s is in history %d times", op, n)
		}
	}
	return nil
}

func newStory(ops int) *story {
	return &story{ops: ops, put: map[string]bool{}, closed: map[string]bool{}, fences: map[string]uint64{}}
}
