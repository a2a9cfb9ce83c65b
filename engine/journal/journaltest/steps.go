package journaltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// OpenVia is Open for stores of which every operation on the disk goes through
// do, which may be nil.
type OpenVia func(t *testing.T, place string, do journal.Do) journal.Store

// RunSteps kills a process at every step of its work with a store, before each
// operation on the disk and after it: while it makes the store, takes a lock,
// puts an intent twice, closes it twice and gives the lock back. Every time a
// fresh process judges what is left and goes on. RunSteps says how many
// processes it killed. Like Run, it is called once and first by its test, and is
// not Run's.
func RunSteps(t *testing.T, open OpenVia) (killed int) {
	if task := os.Getenv(taskVariable); task != "" {
		if err := serveStep(t, open, task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	for _, check := range []struct {
		name string
		run  func(*bench) int
	}{
		{"making a store", killedMakers},
		{"settling an intent", killedAtEveryStep},
	} {
		t.Run(check.name, func(t *testing.T) {
			b := &bench{T: t, place: filepath.Join(t.TempDir(), "store")}
			b.open = func(t *testing.T, place string) journal.Store { return open(t, place, nil) }
			killed += check.run(b)
		})
	}
	return killed
}

// step is what a further process does, and what it has to find first.
type step struct {
	Make  bool // it is killed while it makes the store, not later
	At    int  // the operation at which it is killed; 0: none
	After bool // when the operation is done

	Before  claims   // of the process before it
	Settled []string // the ops of all before that one, which are in history
}

// claims are what a process said before it died. Nothing of it may be untrue.
type claims struct {
	Op     string // that it worked on
	Fence  uint64
	Put    int  // how many versions of the intent
	Closed bool // the op
}

const bystander = "c2" // whose intent stays open all the time

func killedMakers(b *bench) (killed int) {
	for n := 1; ; n++ {
		for _, after := range []bool{false, true} {
			// The process before, which is none, and the next at the same place.
			b.place = filepath.Join(b.TempDir(), "store")
			if _, _, died := b.step(step{Make: true, At: n, After: after}); !died {
				return killed
			}
			killed++
			if _, _, died := b.step(step{Make: true}); died {
				b.Fatalf("after a kill at operation %d (done: %v) the next run died", n, after)
			}
		}
	}
}

func killedAtEveryStep(b *bench) (killed int) {
	s := b.store()
	lease := b.lock(s, Key(bystander))
	b.must(lease.Put(Intent(bystander, "by")))
	b.must(lease.Unlock())
	var next step
	for next.At = 1; ; next.At++ {
		for _, next.After = range []bool{false, true} {
			said, settled, died := b.step(next)
			next.Before, next.Settled = said, settled
			if !died {
				b.wantIntent(b.store(), "c1", nil)
				return killed
			}
			killed++
		}
	}
}

// step starts a process that judges what the one before left and is killed
// itself. It gives what that process claimed, the ops that are settled, and
// whether it was killed.
func (b *bench) step(do step) (said claims, settled []string, died bool) {
	b.Helper()
	text, err := json.Marshal(do)
	b.must(err)
	p := b.start("step", string(text))
	settled = do.Settled
	for p.lines.Scan() {
		what, value, _ := strings.Cut(p.lines.Text(), " ")
		switch what {
		case "settled":
			settled = append(settled, value)
		case "begins":
			said.Op = value
		case "fence":
			said.Fence, err = strconv.ParseUint(value, 10, 64)
			b.must(err)
		case "put":
			said.Put++
		case "closed":
			said.Closed = true
		}
	}
	_ = p.cmd.Wait()
	code := p.cmd.ProcessState.ExitCode()
	if code > 0 {
		b.Fatalf("killed at operation %d (done: %v); the process before it had claimed %+v: %s", do.At, do.After, do.Before, p.errs.String())
	}
	return said, settled, code < 0
}

// serveStep carries out a step in the further process.
func serveStep(t *testing.T, open OpenVia, text string) error {
	place, text, _ := strings.Cut(text, "\t")
	text = strings.TrimPrefix(text, "step\t")
	var st step
	if err := json.Unmarshal([]byte(text), &st); err != nil {
		return err
	}
	var armed atomic.Bool
	var calls atomic.Int64
	do := func(_ journal.Op, _ string, f func() error) error {
		now := armed.Load() && calls.Add(1) == int64(st.At)
		if now && !st.After {
			die()
		}
		err := f()
		if now {
			die()
		}
		return err
	}
	armed.Store(st.Make)
	s := open(t, place, do)
	armed.Store(false)
	if !st.Make {
		if err := judge(s, st); err != nil {
			return err
		}
	}
	op := fmt.Sprintf("op-%d-%v", st.At, st.After)
	fmt.Println("begins", op)
	armed.Store(!st.Make)
	return workOn(s, op)
}

// die ends the process as kill -9 does.
func die() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {}
}

// version is the n-th version of an intent.
func version(op string, n int) journal.Intent {
	in := Intent("c1", op)
	in.Inferred = []byte{byte(n)}
	return in
}

// workOn brings one op from the lock to the end and says what is done.
func workOn(s journal.Store, op string) error {
	lease, err := s.Lock(context.Background(), Key("c1"), holder("a process"))
	if err != nil {
		return err
	}
	fmt.Println("fence", lease.Fence())
	for v := 1; v <= 2; v++ {
		if err := lease.Put(version(op, v)); err != nil {
			return err
		}
		fmt.Println("put")
	}
	for range 2 {
		if err := lease.Close(Record(version(op, 2))); err != nil {
			return err
		}
		fmt.Println("closed")
	}
	return lease.Unlock()
}

// judge compares what a dead process left with what it claimed, and settles it.
func judge(s journal.Store, st step) error {
	said := st.Before
	lease, err := s.Lock(context.Background(), Key("c1"), holder("a judge"))
	if err != nil {
		return err
	}
	if lease.Fence() <= said.Fence {
		return fmt.Errorf("fence %d came after %d", lease.Fence(), said.Fence)
	}
	in, err := s.Intent(Key("c1"))
	if err != nil {
		return err
	}
	got, err := ops(s)
	var torn *journal.TornError
	if err != nil && !errors.As(err, &torn) {
		return err
	}
	times := count(got)
	switch n := times[said.Op]; {
	case in != nil && in.OpID != said.Op:
		return fmt.Errorf("intent %s is open, the process worked on %s", in.OpID, said.Op)
	case in != nil && (said.Closed || int(in.Inferred[0]) < said.Put):
		return fmt.Errorf("version %d of %s is open", in.Inferred[0], said.Op)
	case in == nil && said.Put > 0 && n == 0:
		return fmt.Errorf("%s was put and is lost", said.Op)
	}
	if in != nil {
		if err := lease.Close(Record(*in)); err != nil {
			return err
		}
		if got, err = ops(s); err != nil { // a torn line is repaired by now
			return err
		}
		times = count(got)
	}
	want := count(st.Settled)
	if n := times[said.Op]; n > 0 {
		want[said.Op] = 1
		fmt.Println("settled", said.Op)
	}
	if len(got) != len(want) || len(times) != len(want) {
		return fmt.Errorf("history is %v, want %v", got, want)
	}
	for op := range want {
		if times[op] != 1 {
			return fmt.Errorf("%s is in history %d times", op, times[op])
		}
	}
	other, err := s.Intent(Key(bystander))
	if err != nil || other == nil || other.OpID != "by" {
		return fmt.Errorf("the other cluster's intent is %v: %w", other, err)
	}
	return lease.Unlock()
}

func count(ids []string) map[string]int {
	times := map[string]int{}
	for _, id := range ids {
		times[id]++
	}
	return times
}
