package main

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// What a run has just closed, or had closed when it died before it took the
// intent away, is told once; what is open comes last, the newest last.
func TestRecallTellsEachRequestOnce(t *testing.T) {
	store, err := journal.OpenFile(filepath.Join(t.TempDir(), "store"), journal.CreateNow, filterNow)
	if err != nil {
		t.Fatal(err)
	}
	put := func(cluster, op string, minute int, thenClose bool) {
		t.Helper()
		in := journal.Intent{OpID: op, Identity: journal.Identity{Plugin: "huawei", ID: cluster}, Cluster: cluster, Op: provider.OpScaleOut,
			SignedAt: filterNow.Add(time.Duration(minute) * time.Minute)}
		lease, err := store.Lock(t.Context(), in.Identity.Key(), journal.Holder{})
		if err != nil {
			t.Fatal(err)
		}
		defer lease.Unlock()
		if err := lease.Put(in); err != nil {
			t.Fatal(err)
		}
		if thenClose {
			if err := lease.Close(journal.Record{Intent: in, Verdict: journal.Done, At: in.SignedAt}); err != nil {
				t.Fatal(err)
			}
		}
	}
	put("a", "op1", 9, true)
	put("a", "op1", 9, false)
	put("a-later", "op3", 8, false)
	put("b-sooner", "op2", 7, false)
	h, err := recall(store)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range h.Requests {
		got = append(got, fmt.Sprint(r.OpID, " ", r.Closed == nil))
	}
	if diff := cmp.Diff([]string{"op1 false", "op2 true", "op3 true"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
