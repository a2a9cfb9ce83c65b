package journaltest

import (
	"fmt"

	"github.com/clusterctl/clusterctl/engine/journal"
)

func putIsDurable(b *bench) {
	s := b.store()
	b.wantIntent(s, "c1", nil)
	lease := b.lock(s, Key("c1"))
	want := Intent("c1", "op1")
	b.must(lease.Put(want))
	for _, s := range []journal.Store{s, b.store()} {
		b.wantIntent(s, "c1", &want)
		b.wantIntent(s, "c2", nil)
	}
	b.must(lease.Unlock())
	b.wantIntent(b.store(), "c1", &want)
}

func putReplacesOwn(b *bench) {
	s := b.store()
	lease := b.lock(s, Key("c1"))
	want := Intent("c1", "op1")
	want.Answer, want.Inferred = nil, nil
	b.refuse("put without op id", lease.Put(Intent("c1", "")))
	b.wantIntent(s, "c1", nil)
	b.must(lease.Put(want))
	b.refuse("put of another op", lease.Put(Intent("c1", "op2")))
	b.wantIntent(s, "c1", &want)
	b.must(lease.Unlock())

	s = b.store()
	lease = b.lock(s, Key("c1"))
	b.refuse("put of another op after reopening", lease.Put(Intent("c1", "op2")))
	b.wantIntent(s, "c1", &want)
	want = Intent("c1", "op1")
	b.must(lease.Put(want))
	b.wantIntent(b.store(), "c1", &want)
	b.must(lease.Close(Record(want)))
	want = Intent("c1", "op2")
	b.must(lease.Put(want)) // once the first is closed
	b.wantIntent(b.store(), "c1", &want)
	b.must(lease.Unlock())
}

func wrongKey(b *bench) {
	s := b.store()
	other := b.lock(s, Key("c2"))
	want := Intent("c2", "op2")
	b.must(other.Put(want))
	b.must(other.Unlock())
	lease := b.lock(s, Key("c1"))
	b.refuse("put under another key", lease.Put(Intent("c3", "op3")))
	b.refuse("put over another's intent", lease.Put(Intent("c2", "op2")))
	b.refuse("close of another's intent", lease.Close(Record(want)))
	b.must(lease.Unlock())
	b.wantIntent(s, "c1", nil)
	b.wantIntent(s, "c2", &want)
	b.wantIntent(s, "c3", nil)
	b.wantHistory(s)
}

func closeAppendsOnce(b *bench) {
	s := b.store()
	lease := b.lock(s, Key("c1"))
	r := Record(Intent("c1", "op1"))
	b.must(lease.Put(r.Intent))
	b.must(lease.Close(r))
	b.wantIntent(s, "c1", nil)
	b.must(lease.Close(r))
	b.must(lease.Unlock())
	b.settled(s, "c2", "op2")
	s = b.store()
	lease = b.lock(s, Key("c1"))
	b.must(lease.Close(r)) // also when it is not the last line
	b.must(lease.Unlock())
	b.wantHistory(s, "op1", "op2")
	b.wantHistory(b.store(), "op1", "op2")
}

func closeOfOther(b *bench) {
	s := b.store()
	lease := b.lock(s, Key("c1"))
	b.refuse("close of what was never put", lease.Close(Record(Intent("c1", "op1"))))
	b.must(lease.Put(Intent("c1", "op1")))
	b.refuse("close of another op", lease.Close(Record(Intent("c1", "op2"))))
	b.must(lease.Close(Record(Intent("c1", "op1"))))
	want := Intent("c1", "op2")
	b.must(lease.Put(want))
	// A late repetition must not take away the newer intent.
	b.refuse("close of an earlier op", lease.Close(Record(Intent("c1", "op1"))))
	b.wantIntent(s, "c1", &want)
	b.must(lease.Close(Record(want)))
	b.refuse("close of an earlier op, when none is open", lease.Close(Record(Intent("c1", "op1"))))
	b.must(lease.Unlock())
	b.wantHistory(b.store(), "op1", "op2")
}

func openIsSorted(b *bench) {
	s := b.store()
	want := []journal.Intent{}
	for _, cluster := range []string{"a", "b", "c", "d", "e", "f"} {
		want = append(want, Intent(cluster, "op-"+cluster))
	}
	for _, i := range []int{3, 0, 5, 1, 4, 2} {
		lease := b.lock(s, Key(want[i].ClusterID))
		b.must(lease.Put(want[i]))
		b.must(lease.Unlock())
	}
	for _, s := range []journal.Store{s, b.store()} {
		got, corrupt, err := s.Open()
		b.must(err)
		b.same("open", got, want)
		b.same("corrupt", len(corrupt), 0)
	}
	lease := b.lock(s, Key("c"))
	b.must(lease.Close(Record(want[2])))
	b.must(lease.Unlock())
	got, _, err := s.Open()
	b.must(err)
	b.same("open after a close", got, append(want[:2:2], want[3:]...))
}

func lastIsPerKey(b *bench) {
	s, other := b.store(), b.store()
	last := func(s journal.Store, cluster string, want *journal.Record) {
		b.Helper()
		got, err := s.Last(Key(cluster))
		b.must(err)
		b.same("last of "+cluster, got, want)
	}
	last(s, "c1", nil)
	var newest [2]journal.Record
	for i := range 3 {
		for k, cluster := range []string{"c1", "c2"} {
			newest[k] = b.settled(s, cluster, fmt.Sprint("op", i))
			last(s, cluster, &newest[k])
			last(other, cluster, &newest[k]) // a store that was open before
		}
	}
	for _, s := range []journal.Store{s, other, b.store()} {
		last(s, "c1", &newest[0])
		last(s, "c2", &newest[1])
		last(s, "c3", nil)
	}
}

func historyIsInOrder(b *bench) {
	s := b.store()
	b.wantHistory(s)
	var want []journal.Record
	for i, cluster := range []string{"c2", "c1", "c2", "c3"} {
		want = append(want, b.settled(s, cluster, fmt.Sprint("op", i)))
	}
	for _, s := range []journal.Store{s, b.store()} {
		var got []journal.Record
		b.must(s.History(func(r journal.Record) bool {
			got = append(got, r)
			return true
		}))
		b.same("history", got, want)
	}
	calls := 0
	b.must(s.History(func(journal.Record) bool {
		calls++
		return calls < 2
	}))
	b.same("calls until f says stop", calls, 2)

	// f may use the store.
	b.must(s.History(func(r journal.Record) bool {
		if r.Intent.OpID == "op0" {
			b.settled(s, "c4", "op4")
			_, err := s.Last(r.Intent.Identity.Key())
			b.must(err)
		}
		return true
	}))
	b.wantHistory(s, "op0", "op1", "op2", "op3", "op4")
}

func resultsAreCopies(b *bench) {
	s := b.store()
	want := b.settled(s, "c1", "op1")
	for range 2 {
		got, err := s.Last(Key("c1"))
		b.must(err)
		b.same("last", got, &want)
		got.Intent.From["count"] = 99
		got.Intent.Base[0] = "changed"
	}
	lease := b.lock(s, Key("c1"))
	in := Intent("c1", "op2")
	b.must(lease.Put(in))
	in.From["count"] = 99
	want.Intent = Intent("c1", "op2")
	b.wantIntent(s, "c1", &want.Intent)
	b.must(lease.Unlock())
}
