package journaltest

import (
	"github.com/clusterctl/clusterctl/engine/journal"
)

// guards is a record about a cluster's guards.
func guards(cluster, op string) journal.Record {
	identity := Intent(cluster, op).Identity
	identity.Scope = journal.Guarded
	return journal.Record{
		Intent:  journal.Intent{OpID: op, Identity: identity, Cluster: cluster, Op: journal.OpGuard},
		Verdict: journal.Done,
		Guards:  &journal.Guards{Protected: map[string]journal.Protection{"": {Source: "fleet.cue:3:2"}}},
	}
}

// Guards stand in history beside the requests to their cluster: neither hides
// the other, and nothing else gets there without an intent.
func guardsAreApart(b *bench) {
	s := b.store()
	request := b.settled(s, "c1", "op1")
	r := guards("c1", "g1")
	key := r.Intent.Identity.Key()
	lease := b.lock(s, key)
	b.must(lease.Append(r))
	b.must(lease.Append(r)) // once
	stray := Record(Intent("c1", "op2"))
	b.refuse("a request without an intent", lease.Append(stray))
	b.refuse("guards of another cluster", lease.Append(guards("c2", "g2")))
	unsaid := guards("c1", "g3")
	unsaid.Guards = nil
	b.refuse("a record that says nothing", lease.Append(unsaid))
	b.must(lease.Unlock())
	b.refuse("guards after the lock was given back", lease.Append(guards("c1", "g4")))
	for _, s := range []journal.Store{s, b.store()} {
		got, err := s.Last(Key("c1"))
		b.must(err)
		b.same("last of the requests", got, &request)
		got, err = s.Last(key)
		b.must(err)
		b.same("last of the guards", got, &r)
		b.wantHistory(s, "op1", "g1")
		open, _, err := s.Open()
		b.must(err)
		b.same("open", open, []journal.Intent{})
	}
}
