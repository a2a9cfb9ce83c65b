package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// TestSettledMeanwhile: of a request that another run closed while this one
// waited for the lock, what that run found is told.
func TestSettledMeanwhile(t *testing.T) {
	for _, test := range []struct {
		verdict journal.Verdict
		want    string
	}{
		{journal.Done, "a/core scale_out applied done"},
		{journal.None, "a/core scale_out fell_short none"},
		{"", "a/core scale_out unknown"}, // history was lost with it
	} {
		t.Run(string(test.verdict), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.cloud.add("c1", "a", map[string]int{"core": 3})
				in := journal.Intent{OpID: "op1", Identity: b.entry.identity("c1", ""), Entry: "m", Kind: "k", Cluster: "a", Group: "core", Op: "scale_out"}
				lease, err := b.store.Lock(t.Context(), in.Identity.Key(), journal.Holder{})
				if err != nil {
					t.Fatal(err)
				}
				for _, next := range []journal.Intent{in, {OpID: "op2", Identity: in.Identity}} {
					if test.verdict == "" && next.OpID == in.OpID {
						continue
					}
					if err := lease.Put(next); err != nil {
						t.Fatal(err)
					}
					if err := lease.Close(journal.Record{Intent: next, Verdict: test.verdict, At: time.Now()}); err != nil {
						t.Fatal(err)
					}
				}
				if err := lease.Unlock(); err != nil {
					t.Fatal(err)
				}
				a := &Applier{Entries: b.entries(), Store: b.store}
				check(t, "outcomes", states(a.SettleOpen(t.Context(), []journal.Intent{in})), []string{test.want})
			})
		})
	}
}
