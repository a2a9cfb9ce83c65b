package journaltest

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/clusterctl/clusterctl/engine/journal"
)

func locksExcludeGoroutines(b *bench) {
	const each = 25
	key := Key("c1")
	var inside sync.Mutex // that nobody ever has to wait for
	var fences []uint64
	var wait sync.WaitGroup
	shared := b.store()
	for _, s := range []journal.Store{shared, shared, b.store(), b.store()} {
		wait.Go(func() {
			for n := 0; n < each; {
				lease, err := s.Lock(b.Context(), key, holder("a goroutine"))
				if locked(err) {
					continue
				}
				if err != nil {
					b.Error(err)
					return
				}
				n++
				if !inside.TryLock() {
					b.Error("two hold the lock")
					return
				}
				fences = append(fences, lease.Fence())
				inside.Unlock()
				if err := lease.Unlock(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	if len(fences) != 4*each {
		b.Errorf("%d of %d took the lock", len(fences), 4*each)
	}
	b.rising(fences)
}

// rising wants each fence higher than the one before.
func (b *bench) rising(fences []uint64) {
	b.Helper()
	for i := 1; i < len(fences); i++ {
		if fences[i] <= fences[i-1] {
			b.Errorf("fence %d came after %d", fences[i], fences[i-1])
		}
	}
}

func locksExcludeProcesses(b *bench) {
	b.store()
	key, file := Key("c1"), filepath.Join(b.TempDir(), "alone")
	var processes []*process
	for range 3 {
		processes = append(processes, b.start("contend", key, "20", file))
	}
	var all []uint64
	for _, p := range processes {
		var fences []uint64
		for _, line := range p.rest() {
			fence, err := strconv.ParseUint(line, 10, 64)
			b.must(err)
			fences = append(fences, fence)
		}
		b.rising(fences)
		all = append(all, fences...)
	}
	slices.SortFunc(all, cmp.Compare[uint64])
	b.rising(all) // no fence was given twice
	if len(all) != 60 {
		b.Errorf("%d of 60 took the lock", len(all))
	}
}

func locksAreIndependent(b *bench) {
	s := b.store()
	one, two := b.lock(s, Key("c1")), b.lock(s, Key("c2"))
	b.must(one.Put(Intent("c1", "op1")))
	b.must(two.Put(Intent("c2", "op2")))
	b.must(one.Unlock())
	if _, err := s.Lock(b.Context(), Key("c2"), holder("x")); !locked(err) {
		b.Errorf("unlocking one key freed another: %v", err)
	}
	b.must(two.Unlock())
}

func fencesRise(b *bench) {
	var fences []uint64
	for range 3 {
		s := b.store() // also across reopening
		for range 3 {
			lease := b.lock(s, Key("c1"))
			fences = append(fences, lease.Fence())
			b.must(lease.Unlock())
		}
		p := b.start("hold", Key("c1")) // and across processes, that are killed, too
		fence, err := strconv.ParseUint(p.next(), 10, 64)
		b.must(err)
		fences = append(fences, fence)
		p.kill()
	}
	b.rising(fences)
	if fences[0] == 0 {
		b.Error("the first fence is 0, which means none")
	}
}

func holderIsNamed(b *bench) {
	s := b.store()
	lease := b.lock(s, Key("c1"))
	want := &journal.LockedError{Key: Key("c1"), Holder: holder("a goroutine")}
	for _, other := range []journal.Store{s, b.store()} {
		_, err := other.Lock(b.Context(), Key("c1"), holder("somebody else, whose name is much longer"))
		var held *journal.LockedError
		if !errors.As(err, &held) {
			b.Fatalf("the lock was given twice: %v", err)
		}
		b.same("holder", held, want)
	}
	b.must(lease.Unlock())

	p := b.start("hold", Key("c1"))
	p.next()
	_, err := s.Lock(b.Context(), Key("c1"), holder("x"))
	var held *journal.LockedError
	if !errors.As(err, &held) {
		b.Fatalf("the lock of a process was given to another: %v", err)
	}
	want.Holder = holder("a process")
	want.Holder.PID = p.cmd.Process.Pid
	b.same("holder", held, want)
	p.rest()
	b.must(b.lock(s, Key("c1")).Unlock())
}

func killedHolder(b *bench) {
	s := b.store()
	p := b.start("hold", Key("c1"))
	p.next()
	p.kill()
	b.must(b.lock(s, Key("c1")).Unlock())
}

func givenBack(b *bench) {
	s := b.store()
	lease := b.lock(s, Key("c1"))
	b.must(lease.Put(Intent("c1", "op1")))
	b.must(lease.Unlock())
	b.must(lease.Unlock())
	in := Intent("c1", "op1")
	in.Inferred = []byte("late")
	b.refuse("put after unlock", lease.Put(in))
	b.refuse("close after unlock", lease.Close(Record(in)))
	again := b.lock(s, Key("c1"))
	b.must(lease.Unlock())
	if _, err := s.Lock(b.Context(), Key("c1"), holder("x")); !locked(err) {
		b.Errorf("an old lease freed a new one: %v", err)
	}
	b.must(again.Unlock())
	want := Intent("c1", "op1")
	b.wantIntent(b.store(), "c1", &want)
	b.wantHistory(s)
}
