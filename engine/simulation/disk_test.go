package simulation

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// disk is the host's journal. What a write left in the page cache survives the
// death of a process; only what was synced survives a power cut.
type disk struct {
	w       *world
	open    map[string]page // as processes see it
	synced  map[string]page // as the platter has it
	history []entry
	torn    bool // the last line of history was cut
	leases  map[string]*lease
	fences  map[string]uint64
	since   time.Time
	lost    time.Time           // when the store was lost, zero if never
	decided map[string]decision // by op id: what a person closed

	lazy     bool // planted: syncs nothing
	unlocked bool // planted: everybody gets every lock
}

// decision is a person's word on a request.
type decision struct {
	quiet time.Time // until when it is waited for
	blind bool      // its record could not be read
}

// page is one intent file.
type page struct {
	text []byte
	in   *journal.Intent
	rot  bool // its checksum does not match
}

// entry is one line of history.
type entry struct {
	text   []byte
	r      journal.Record
	synced bool
}

func newDisk(w *world) *disk {
	return &disk{w: w, open: map[string]page{}, synced: map[string]page{}, leases: map[string]*lease{},
		fences: map[string]uint64{}, decided: map[string]decision{}}
}

var errIO = errors.New("input/output error")

// powerCut forgets what was not synced; the kernel may have written some of it
// by itself.
func (d *disk) powerCut() {
	keys := slices.Sorted(maps.Keys(d.open))
	for key := range d.synced {
		if _, ok := d.open[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		now, there := d.open[key]
		was, before := d.synced[key]
		if there == before && (!there || &now.text[0] == &was.text[0]) {
			continue
		}
		kept := d.w.rolls(0.5)
		switch {
		case kept && there:
			d.synced[key] = now
		case kept:
			delete(d.synced, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(d.synced)) {
		if d.w.rolls(d.w.faults.rot) {
			d.w.fault("intent file rots")
			p := d.synced[key]
			p.rot = true
			d.synced[key] = p
		}
	}
	d.open = maps.Clone(d.synced)
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	for i := range d.history {
		if !d.history[i].synced {
			d.torn = d.torn || d.w.rolls(0.5)
			d.history = d.history[:i]
			break
		}
	}
}

// lose empties the store and makes a new one, as --new-store does.
func (d *disk) lose() {
	now := time.Now()
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.open, d.synced, d.history, d.torn = map[string]page{}, map[string]page{}, nil, false
	d.since, d.lost = now, now
}

// names shortens keys for the trace.
func short(key string) string {
	if i := strings.LastIndexByte(key, '-'); i >= 0 && len(key) > i+6 {
		return key[i+1 : i+7]
	}
	return key
}

// store is the disk as one process uses it.
type store struct {
	*disk
	by *process
}

// do carries out one call on the disk, at the scheduler's time. A process that
// is dead gets an error and changes nothing.
func (s *store) do(label string, f func() error) error {
	if s.by.dead.Load() {
		return errDead
	}
	err := errDead
	verb, _, _ := strings.Cut(label, " ")
	s.w.park(s.by, label, func() bool {
		if s.w.crashes(s.by, "before "+verb) {
			return true
		}
		err = f()
		s.w.note(s.by.name+" "+label, outcome(err))
		if s.by.dead.Load() {
			err = errDead
		} else if s.w.crashes(s.by, "after "+verb) {
			err = errDead
		}
		return true
	})
	return err
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	var held *journal.LockedError
	if errors.As(err, &held) {
		return "held by another"
	}
	return err.Error()
}

func (s *store) Since() time.Time { return s.since }

// fails is a read or a write that the disk refuses.
func (s *store) fails() error {
	if s.w.rolls(s.w.faults.disk) {
		s.w.fault("disk refuses")
		return errIO
	}
	return nil
}

func (s *store) Intent(key string) (in *journal.Intent, err error) {
	err = s.do("intent "+short(key), func() error {
		if err := s.fails(); err != nil {
			return &journal.CorruptError{Key: key, Path: key, Err: err}
		}
		in, err = s.get(key)
		return err
	})
	return in, err
}

// rotten counts the intents that cannot be read.
func (d *disk) rotten() (n int) {
	for _, p := range d.open {
		if p.rot {
			n++
		}
	}
	return n
}

func (d *disk) get(key string) (*journal.Intent, error) {
	p, ok := d.open[key]
	if !ok {
		return nil, nil
	}
	if p.rot {
		return nil, &journal.CorruptError{Key: key, Path: key, Err: errors.New("its checksum does not match")}
	}
	var in journal.Intent
	if err := json.Unmarshal(p.text, &in); err != nil {
		return nil, err
	}
	return &in, nil
}

func (s *store) Open() (intents []journal.Intent, corrupt []*journal.CorruptError, err error) {
	err = s.do("open", func() error {
		if err := s.fails(); err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(s.open)) {
			in, err := s.get(key)
			var bad *journal.CorruptError
			switch {
			case errors.As(err, &bad):
				corrupt = append(corrupt, bad)
			case err != nil:
				return err
			default:
				intents = append(intents, *in)
			}
		}
		return nil
	})
	slices.SortStableFunc(intents, func(a, b journal.Intent) int { return strings.Compare(a.Cluster, b.Cluster) })
	return intents, corrupt, err
}

func (s *store) Last(key string) (last *journal.Record, err error) {
	err = s.do("last "+short(key), func() error {
		if err := s.fails(); err != nil {
			return err
		}
		for _, e := range slices.Backward(s.history) {
			if e.r.Intent.Identity.Key() == key {
				last = &journal.Record{}
				if err := json.Unmarshal(e.text, last); err != nil {
					return err
				}
				break
			}
		}
		if s.torn {
			return &journal.TornError{Path: "history", Line: len(s.history) + 1}
		}
		return nil
	})
	return last, err
}

// History takes no turn: the engine may hold a mutex meanwhile, and whoever
// waits for that one is not durably blocked. Only the scheduler's steps write
// history, so that what is read does not depend on the moment.
func (s *store) History(f func(journal.Record) bool) error {
	if s.by.dead.Load() {
		return errDead
	}
	s.w.mu.Lock()
	var texts [][]byte
	for _, e := range s.history {
		texts = append(texts, e.text)
	}
	torn := s.torn
	s.w.mu.Unlock()
	for _, text := range texts {
		var r journal.Record
		if err := json.Unmarshal(text, &r); err != nil {
			return err
		}
		if !f(r) {
			return nil
		}
	}
	if torn {
		return &journal.TornError{Path: "history", Line: len(texts) + 1}
	}
	return nil
}
