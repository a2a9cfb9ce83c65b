package journal_test

import (
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

var sent = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// took is a record of a scale-out of huawei/mrs in cluster c1 that was done
// after so many minutes, and then changed.
func took(minutes int, change func(*journal.Record)) journal.Record {
	r := journal.Record{Verdict: journal.Done, At: sent.Add(time.Duration(minutes) * time.Minute)}
	r.Intent = journal.Intent{Kind: "mrs", Op: provider.OpScaleOut, ClusterID: "c1", SignedAt: sent,
		Identity: journal.Identity{Plugin: "huawei", ID: "c1"}, Answer: &journal.Answer{Outcome: provider.OutcomeAccepted}}
	if change != nil {
		change(&r)
	}
	return r
}

func TestUsual(t *testing.T) {
	elsewhere := func(r *journal.Record) { r.Intent.ClusterID, r.Intent.Identity.ID = "c2", "c2" }
	repeat := func(minutes int, change func(*journal.Record)) []journal.Record {
		return []journal.Record{took(minutes, change), took(minutes, change), took(minutes, change)}
	}
	for _, test := range []struct {
		name    string
		records []journal.Record
		cluster string
		want    time.Duration // 0: no guess
	}{
		{"nothing", nil, "c1", 0},
		{"two", []journal.Record{took(9, nil), took(9, nil)}, "c1", 0},
		{"three", []journal.Record{took(8, nil), took(90, nil), took(9, nil)}, "c1", 9 * time.Minute},
		{"four", []journal.Record{took(8, nil), took(10, nil), took(9, nil), took(90, nil)}, "c1", 9*time.Minute + 30*time.Second},
		{"three elsewhere", repeat(5, elsewhere), "c1", 5 * time.Minute},
		{"its own before others", append(repeat(5, elsewhere), repeat(9, nil)...), "c1", 9 * time.Minute},
		{"others before two of its own", append(repeat(5, elsewhere), took(9, nil), took(9, nil)), "c1", 5 * time.Minute},
		{"all together", []journal.Record{took(5, elsewhere), took(7, nil), took(9, nil)}, "c1", 7 * time.Minute},
		{"of a new cluster", repeat(5, nil), "", 5 * time.Minute},
		{"another op", repeat(5, func(r *journal.Record) { r.Intent.Op = provider.OpScaleIn }), "c1", 0},
		{"another kind", repeat(5, func(r *journal.Record) { r.Intent.Kind = "dws" }), "c1", 0},
		{"another plugin", repeat(5, func(r *journal.Record) { r.Intent.Identity.Plugin = "aliyun" }), "c1", 0},
		{"not done", repeat(5, func(r *journal.Record) { r.Verdict = journal.Partial }), "c1", 0},
		{"not settled", repeat(5, func(r *journal.Record) { r.Verdict = journal.Unknown }), "c1", 0},
		{"declared by a person", repeat(5, func(r *journal.Record) { r.By = "ops: seen" }), "c1", 0},
		{"the reply was lost", repeat(5, func(r *journal.Record) { r.Intent.Answer.Outcome = provider.OutcomeUnknown }), "c1", 0},
		{"no answer was recorded", repeat(5, func(r *journal.Record) { r.Intent.Answer = nil }), "c1", 0},
		{"a clock that went back", repeat(-5, nil), "c1", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var u journal.Usual
			for _, r := range test.records {
				u.Add(r)
			}
			got, ok := u.Of("huawei", "mrs", provider.OpScaleOut, test.cluster)
			if got != test.want || ok != (test.want != 0) {
				t.Errorf("got %s, %v, want %s", got, ok, test.want)
			}
		})
	}
}
