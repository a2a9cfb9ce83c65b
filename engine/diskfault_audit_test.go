package engine

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// heard checks what is said to be applied at the moment at which it is said: the
// cloud has done it, and the journal will know it.
func (r *trial) heard(e Event) {
	if e.Outcome == nil || e.Outcome.State != Applied || r.disk.isDead() {
		return
	}
	what := actionName(e.Action.Op, e.Action.Address)
	if !r.cloud.isSo(e.Action) {
		r.violate("%s is told as applied and is not: %s", what, e.Outcome.Detail)
	}
	history, _ := r.disk.platter.left(false, "store", "history.jsonl")
	for _, op := range r.cloud.opsOf(what) {
		if !bytes.Contains(history, []byte(op)) {
			r.violate("%s is told as applied and is not durably in history", what)
		}
	}
}

// ended checks what is said of the plan's actions.
func (r *trial) ended(result *Result) {
	r.settled(result.Settled)
	if r.disk.isDead() {
		return // nobody hears it
	}
	for _, o := range result.Outcomes {
		what := actionName(o.Op, o.Address)
		sent := r.cloud.started[what] > r.cloud.refused[what]
		switch o.State {
		case Applied:
			if o.Verdict != journal.Done {
				r.violate("%s is applied with the verdict %q", what, o.Verdict)
			}
			continue
		case Unsettled:
			if !sent {
				r.violate("%s was not sent and is told as unknown: %s", what, o.Detail)
			}
			continue
		}
		if sent {
			r.violate("%s was sent and is told as %s: %s", what, o.State, o.Detail)
		}
	}
}

// settled checks what is said of earlier requests: each was sent, and all but
// the one that was refused were taken.
func (r *trial) settled(outcomes []Outcome) {
	if r.disk.isDead() {
		return
	}
	for _, o := range outcomes {
		what := actionName(o.Op, o.Address)
		switch {
		case o.State == Unsettled:
		case o.State == Applied && r.cloud.accepted[what] == 1:
		case o.State == FellShort && o.Verdict == journal.None && r.cloud.accepted[what] == 0:
		default:
			r.violate("the earlier request %s, accepted %d times, is told as %s %s: %s", what, r.cloud.accepted[what], o.State, o.Verdict, o.Detail)
		}
	}
}

// audit looks at what came of it all.
func (r *trial) audit() {
	r.cloud.mu.Lock()
	defer r.cloud.mu.Unlock()
	r.cloud.advance()
	for _, what := range r.fleet.sends {
		if n := r.cloud.accepted[what]; n != 1 {
			r.violate("%s was accepted %d times", what, n)
		}
	}
	if len(r.cloud.accepted) != len(r.fleet.sends) {
		r.violate("what was accepted: %v", r.cloud.accepted)
	}
	r.bought = int64(r.cloud.serial - r.serial)
	after := map[string]map[string]int{}
	for _, c := range r.cloud.clusters {
		after[c.name] = map[string]int{}
		for role, nodes := range c.groups {
			after[c.name][role] = len(nodes)
		}
		if r.fleet.before[c.name] == nil {
			r.bought-- // its own id
		}
	}
	if r.bought != r.fleet.buys {
		r.violate("%d nodes were bought, not %d", r.bought, r.fleet.buys)
	}
	if got, want := fmt.Sprint(after), fmt.Sprint(r.fleet.after); got != want {
		r.violate("in the end there are %s, not %s", got, want)
	}
	r.auditHistory()
}

// auditHistory finds everything that was ever sent, once.
func (r *trial) auditHistory() {
	store, err := journal.OpenFile(r.dir, journal.CreateNo, time.Now())
	if err != nil {
		r.violate("the store cannot be opened: %v", err)
		return
	}
	intents, corrupt, err := store.Open()
	if err != nil || len(intents)+len(corrupt) > 0 {
		r.violate("%d open intents and %d corrupt ones in the end, %v", len(intents), len(corrupt), err)
	}
	told := map[string]int{}
	err = store.History(func(rec journal.Record) bool {
		in := rec.Intent
		told[in.OpID]++
		refused := in.Answer != nil && in.Answer.Message != "" && rec.Verdict == journal.None
		what := actionName(in.Op, Address(in.Cluster, in.Group))
		if sent := r.cloud.ops[in.OpID]; sent != "" && sent != what || told[in.OpID] > 1 || rec.Verdict != journal.Done && !refused && sent != "" && what != slowDown {
			r.violate("history tells %s of %s as %q, line %d of it", what, in.OpID, rec.Verdict, told[in.OpID])
		}
		return true
	})
	if err != nil {
		r.violate("history: %v", err)
	}
	for op, what := range r.cloud.ops {
		if told[op] != 1 {
			r.violate("%s was sent and is told %d times in history", what, told[op])
		}
	}
	if err := r.kept(told); err != nil {
		r.violate("a power cut in the end: %v", err)
	}
}

// kept compares what a power cut in the end would leave with what history told.
// An intent whose removal could not be made durable may come back: history
// knows that it is closed.
func (r *trial) kept(told map[string]int) error {
	now, err := os.ReadFile(filepath.Join(r.dir, "history.jsonl"))
	if err != nil {
		return err
	}
	for _, newNames := range []bool{false, true} {
		if b, ok := r.disk.platter.left(newNames, "store", "history.jsonl"); !ok || !bytes.Equal(b, now) {
			return fmt.Errorf("of %d bytes of history %d stay", len(now), len(b))
		}
		for name := range r.turns {
			b, ok := r.disk.platter.left(newNames, "store", "open", name+".json")
			if !ok {
				continue
			}
			in, err := unsealed(b)
			if err != nil {
				return err
			}
			if told[in.OpID] == 0 {
				return fmt.Errorf("the intent %s comes back, and history does not know it", in.OpID)
			}
		}
	}
	return nil
}
