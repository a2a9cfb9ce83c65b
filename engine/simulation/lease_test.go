package simulation

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// lease is a lock that one process holds; it goes with the process.
type lease struct {
	*store
	key   string
	fence uint64
}

func (s *store) Lock(_ context.Context, key string, holder journal.Holder) (journal.Lease, error) {
	l := &lease{store: s, key: key}
	err := s.do("lock "+short(key), func() error {
		if other := s.holder(key); other != nil && !s.unlocked {
			s.w.counts["lock held"]++
			return &journal.LockedError{Key: key, Holder: holder}
		}
		if err := s.fails(); err != nil {
			return err
		}
		s.fences[key]++
		l.fence = s.fences[key]
		s.w.mu.Lock() // Unlock does not wait for the scheduler
		s.leases[key] = l
		s.w.mu.Unlock()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// holder is the lease of a key that a living process has.
func (d *disk) holder(key string) *lease {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	l := d.leases[key]
	if l == nil || l.by.dead.Load() {
		return nil
	}
	return l
}

func (l *lease) Fence() uint64 { return l.fence }

// Unlock takes no turn: the engine gives its locks back in any order, and what
// follows from it waits for the scheduler anyway.
func (l *lease) Unlock() error {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.leases[l.key] == l {
		delete(l.leases, l.key)
	}
	return nil
}

func (l *lease) may(in *journal.Intent) error {
	switch {
	case l.holder(l.key) != l && !l.unlocked:
		return errors.New("the lock was given back or lost")
	case in.OpID == "":
		return errors.New("the intent has no op id")
	case in.Identity.Key() != l.key:
		return errors.New("the intent is of another cluster")
	}
	return nil
}

func (l *lease) Put(in journal.Intent) error {
	label := "put " + short(l.key)
	if in.Answer != nil {
		label += " with answer " + answerWord(in.Answer.Outcome)
	}
	return l.do(label, func() error {
		if err := l.may(&in); err != nil {
			return err
		}
		old, err := l.get(l.key)
		if err != nil {
			return err
		}
		if old != nil && old.OpID != in.OpID {
			return errors.New("another intent is still open")
		}
		if err := l.fails(); err != nil {
			return err
		}
		in.FormatVersion = 1
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		kept := in
		p := page{text: text, in: &kept}
		if l.w.crashes(l.by, "with the temporary file written") {
			return errDead
		}
		l.open[l.key] = p
		if l.w.crashes(l.by, "after the rename") {
			return errDead
		}
		if l.w.rolls(l.w.faults.disk) {
			// The rename is there, its fsync failed: the file may stay.
			l.w.fault("fsync fails")
			if was, ok := l.synced[l.key]; l.w.rolls(0.5) {
				if delete(l.open, l.key); ok {
					l.open[l.key] = was
				}
			}
			return errIO
		}
		if !l.lazy {
			l.synced[l.key] = p
		}
		return nil
	})
}

func (l *lease) Close(r journal.Record) error {
	verdict := string(r.Verdict)
	return l.do("close "+short(l.key)+" as "+verdict, func() error {
		if err := l.may(&r.Intent); err != nil {
			return err
		}
		old, err := l.get(l.key)
		switch {
		case err != nil && r.By == "":
			return err
		case old != nil && old.OpID != r.Intent.OpID:
			return errors.New("another intent is open")
		}
		if p, ok := l.open[l.key]; ok && r.By != "" {
			l.decided[p.in.OpID] = decision{quiet: r.QuietUntil, blind: p.rot}
		}
		if err := l.append(r, old != nil || err != nil); err != nil {
			return err
		}
		if l.w.crashes(l.by, "between history and the removal") {
			return errDead
		}
		if err := l.fails(); err != nil {
			return err // the intent stays beside its record
		}
		delete(l.open, l.key)
		if l.w.crashes(l.by, "after the removal") {
			return errDead
		}
		delete(l.synced, l.key)
		return nil
	})
}

func (l *lease) Append(r journal.Record) error {
	return l.do("append guards of "+short(l.key), func() error {
		if err := l.may(&r.Intent); err != nil {
			return err
		}
		return l.append(r, true)
	})
}

// append adds the record unless it is the newest of its key.
func (l *lease) append(r journal.Record, open bool) error {
	last := -1
	for i, e := range l.history {
		if e.r.Intent.Identity.Key() == l.key {
			last = i
		}
	}
	switch {
	case last >= 0 && l.history[last].r.Intent.OpID == r.Intent.OpID:
		l.history[last].synced = true
		return nil
	case !open:
		return errors.New("it is not open")
	}
	if err := l.fails(); err != nil {
		return err
	}
	r.Intent.FormatVersion = 1
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	l.w.closes(l.by, r)
	cut := l.w.rolls(l.w.faults.crash / 2)
	l.w.mu.Lock()
	if l.torn = cut; !cut {
		l.history = append(l.history, entry{text: text, r: r})
	}
	l.w.mu.Unlock()
	if cut {
		l.w.crash(l.by, "in the middle of a line")
		return errDead
	}
	if l.w.crashes(l.by, "with the line written") {
		return errDead
	}
	for i := range l.history {
		l.history[i].synced = l.history[i].synced || !l.lazy
	}
	return nil
}

// answerWord names an answer, whose zero value is unknown.
func answerWord(o provider.Outcome) string {
	if o == provider.OutcomeUnknown {
		return "unknown"
	}
	return string(o)
}
