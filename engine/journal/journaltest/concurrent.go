package journaltest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/clusterctl/clusterctl/engine/journal"
)

func concurrentClosers(b *bench) {
	const rounds = 8
	stores := []journal.Store{b.store(), b.store()}
	var processes []*process
	for i := range 3 {
		processes = append(processes, b.start("work", "p", fmt.Sprint(rounds), fmt.Sprintf("p%da", i), fmt.Sprintf("p%db", i)))
	}
	var clusters []string
	var writers, readers sync.WaitGroup
	for i := range 6 {
		cluster := fmt.Sprintf("g%d", i)
		clusters = append(clusters, cluster)
		writers.Go(func() {
			for n := range rounds {
				in := Intent(cluster, fmt.Sprintf("g-%s-%d", cluster, n))
				if err := settleOne(stores[i%len(stores)], in, func(...any) (int, error) { return 0, nil }); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	// While they write, what a reader saw stays as it was and is never torn.
	stop := make(chan struct{})
	for _, s := range stores {
		readers.Go(func() {
			var before []string
			for {
				now, err := ops(s)
				if err != nil {
					b.Errorf("read beside writers: %v", err)
					return
				}
				if len(now) < len(before) || !slices.Equal(before, now[:len(before)]) {
					b.Errorf("history changed from %v to %v", before, now)
					return
				}
				before = now
				if _, _, err := s.Open(); err != nil {
					b.Error(err)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	for i, p := range processes {
		p.rest()
		clusters = append(clusters, fmt.Sprintf("p%da", i), fmt.Sprintf("p%db", i))
	}
	close(stop)
	readers.Wait()
	for _, s := range append(stores, b.store()) {
		got, err := ops(s)
		b.must(err)
		b.same("lines in all", len(got), len(clusters)*rounds)
		for _, cluster := range clusters {
			var own, want []string
			for _, op := range got {
				if strings.HasPrefix(op[1:], "-"+cluster+"-") {
					own = append(own, op)
				}
			}
			for n := range rounds {
				want = append(want, fmt.Sprintf("%c-%s-%d", cluster[0], cluster, n))
			}
			b.same("lines of "+cluster, own, want)
			last, err := s.Last(Key(cluster))
			b.must(err)
			b.same("last of "+cluster, last.Intent.OpID, want[rounds-1])
		}
		open, _, err := s.Open()
		b.must(err)
		b.same("open", len(open), 0)
	}
}

// killedWriters kills processes in the middle of their work; what they had said
// was done must be there, once.
func killedWriters(b *bench) {
	b.store()
	closed := map[string]bool{}
	for round := range 30 {
		p := b.start("work", fmt.Sprint("w", round), "1000000", "c1", "c2")
		var said []string
		for range 1 + 3*round%7 {
			said = append(said, p.next())
		}
		said = append(said, p.kill()...)
		pending := ""
		for _, line := range said {
			what, op, _ := strings.Cut(line, " ")
			if pending = op; what == "closed" {
				closed[op], pending = true, ""
			}
		}
		b.afterCrash(closed, pending)
	}
}

// afterCrash checks what a dead process left, and settles it as apply does.
func (b *bench) afterCrash(closed map[string]bool, pending string) {
	b.Helper()
	s := b.store()
	got, err := ops(s)
	var torn *journal.TornError
	if err != nil && !errors.As(err, &torn) {
		b.Fatal(err)
	}
	times := map[string]int{}
	for _, op := range got {
		times[op]++
	}
	open, corrupt, err := s.Open()
	b.must(err)
	b.same("corrupt", len(corrupt), 0)
	if len(open) > 1 {
		b.Fatalf("%d intents are open, the process had at most one", len(open))
	}
	if pending != "" && times[pending] == 0 && (len(open) == 0 || open[0].OpID != pending) {
		b.Errorf("%s was put and is lost", pending)
	}
	for _, in := range open {
		lease := b.lock(s, in.Identity.Key())
		b.must(lease.Close(Record(in)))
		b.must(lease.Unlock())
		closed[in.OpID] = true
	}
	got, err = ops(b.store())
	if err != nil && (len(open) > 0 || !errors.As(err, &torn)) {
		b.Error(err) // the close above repairs a torn line
	}
	clear(times)
	for _, op := range got {
		times[op]++
		closed[op] = true // it may have died before it could say so
	}
	for op := range closed {
		if times[op] != 1 {
			b.Errorf("%s is in history %d times", op, times[op])
		}
	}
}
