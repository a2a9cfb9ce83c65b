package engine_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// remembers is a store that knows one thing about every cluster.
type remembers struct {
	journal.Store
	open    *journal.Intent
	corrupt error
	last    *journal.Record
}

func (r *remembers) Intent(string) (*journal.Intent, error) { return r.open, r.corrupt }
func (r *remembers) Last(string) (*journal.Record, error)   { return r.last, nil }

// TestAskCost: a saved plan approves the prices it names. One that rose makes it
// stale before anything is sent; one that cannot be had again is told.
func TestAskCost(t *testing.T) {
	down := provider.Errorf(provider.KindUnavailable, "try again later")
	record := &journal.Record{Intent: journal.Intent{OpID: "op-1"}}
	for name, tc := range map[string]struct {
		was, now map[string]provider.Price
		failed   map[string]error // the second time
		store    remembers
		last     bool // the plan knew of no history
		moved    bool // the cluster is another by now
		limits   []string
		asked    []string
		denied   []string
		notes    []string
		stale    string
	}{
		"as it was": {was: map[string]provider.Price{"x": yuan(5, "month")}, asked: []string{"x"}},
		"it fell":   {was: map[string]provider.Price{"x": yuan(5, "month")}, now: map[string]provider.Price{"x": yuan(4, "month")}, asked: []string{"x"}},
		"it rose": {was: map[string]provider.Price{"x": yuan(5, "month")}, now: map[string]provider.Price{"x": yuan(5.01, "month")}, asked: []string{"x"},
			stale: "the plan is stale: resize of a/x was planned at +¥5.00 a month and is now at +¥5.01 a month; plan again"},
		"one rose and one fell as much": {was: map[string]provider.Price{"x": yuan(5, ""), "y": yuan(5, "")}, now: map[string]provider.Price{"x": yuan(6, ""), "y": yuan(4, "")}, asked: []string{"x", "y"},
			stale: "the plan is stale: resize of a/x was planned at +¥5.00 and is now at +¥6.00; plan again"},
		"a refund got smaller": {was: map[string]provider.Price{"x": yuan(-5, "once")}, now: map[string]provider.Price{"x": yuan(-4, "once")}, asked: []string{"x"},
			stale: "the plan is stale: resize of a/x was planned at refund ¥5.00 once and is now at refund ¥4.00 once; plan again"},
		"another period": {was: map[string]provider.Price{"x": yuan(5, "month")}, now: map[string]provider.Price{"x": yuan(4, "hour")}, asked: []string{"x"},
			stale: "the plan is stale: resize of a/x was planned at +¥5.00 a month and is now at +¥4.00 an hour; plan again"},
		"it cannot be had": {was: map[string]provider.Price{"x": yuan(5, "month")}, failed: map[string]error{"x": down}, asked: []string{"x"},
			notes: []string{"a/x: its price could not be asked again: try again later; approved is +¥5.00 a month"}},
		"it cannot be had, with a limit": {was: map[string]provider.Price{"x": yuan(5, "month")}, failed: map[string]error{"x": down}, asked: []string{"x"}, limits: []string{"10"},
			denied: []string{"a/x: its price is not known, so the plan may cost more than --max-cost: try again later"},
			notes:  []string{"a/x: its price could not be asked again: try again later; approved is +¥5.00 a month"}},
		"the cloud tells none now": {was: map[string]provider.Price{"x": yuan(5, "month")}, failed: map[string]error{"x": provider.Errorf(provider.KindUnsupported, "no")}, asked: []string{"x"},
			notes: []string{"a/x: its price could not be asked again: the cloud tells none any more; approved is +¥5.00 a month"}},
		"above the limit": {was: map[string]provider.Price{"x": yuan(5, "month")}, asked: []string{"x"}, limits: []string{"4"},
			denied: []string{"a/x: the plan costs ¥5.00 a month, more than --max-cost 4"}},
		"a limit on what was unknown": {was: map[string]provider.Price{}, now: map[string]provider.Price{"x": yuan(9, "month")}, asked: []string{"x"}, limits: []string{"4"},
			denied: []string{"a/x: the plan costs ¥9.00 a month, more than --max-cost 4"}},
		"what was unknown and has no limit": {was: map[string]provider.Price{}, now: map[string]provider.Price{"x": yuan(9, "month")}},
		"the cluster moved":                 {was: map[string]provider.Price{"x": yuan(5, "")}, now: map[string]provider.Price{"x": yuan(9, "")}, moved: true, asked: []string{"x"}},
		"a request is open":                 {was: map[string]provider.Price{"x": yuan(5, "")}, now: map[string]provider.Price{"x": yuan(9, "")}, store: remembers{open: &journal.Intent{}}},
		"a record cannot be read":           {was: map[string]provider.Price{"x": yuan(5, "")}, now: map[string]provider.Price{"x": yuan(9, "")}, store: remembers{corrupt: errors.New("torn")}},
		"another request was sent":          {was: map[string]provider.Price{"x": yuan(5, "")}, now: map[string]provider.Price{"x": yuan(9, "")}, store: remembers{last: record}, last: true},
		"a request before the plan": {was: map[string]provider.Price{"x": yuan(5, "")}, now: map[string]provider.Price{"x": yuan(9, "")}, store: remembers{last: record}, asked: []string{"x"},
			stale: "the plan is stale: resize of a/x was planned at +¥5.00 and is now at +¥9.00; plan again"},
	} {
		t.Run(name, func(t *testing.T) {
			q := &quoted{prices: maps.Clone(tc.was)}
			if len(tc.was) == 0 {
				q.failures = map[string]error{"x": down}
				q.prices = tc.now
			}
			groups := slices.Sorted(maps.Keys(q.prices))
			entry, clusters := costly(t, q, groups...)
			p := &engine.Planner{Entries: map[string]*engine.Entry{"main": entry}, Quote: true, Last: tc.store.Last}
			if tc.last {
				p.Last = (&remembers{}).Last
			}
			plan, err := p.Plan(t.Context(), clusters)
			if err != nil {
				t.Fatal(err)
			}
			before := gocmp.Diff(nil, plan.Actions)
			q.failures, q.asked = tc.failed, map[string]int{}
			maps.Copy(q.prices, tc.now)
			if tc.moved {
				q.live[0].Cluster.Groups[0].Attributes = provider.Raw(map[string]int{"cpu": 1})
			}
			a := &engine.Applier{Plan: plan, Entries: p.Entries, Store: &tc.store}
			again, err := a.AskCost(t.Context(), limits(t, tc.limits...))
			if got := slices.Sorted(maps.Keys(q.asked)); !slices.Equal(got, tc.asked) {
				t.Errorf("asked %q, want %q", got, tc.asked)
			}
			if gocmp.Diff(nil, plan.Actions) != before {
				t.Error("asking changed the plan")
			}
			var stale *engine.StaleError
			if tc.stale != "" || err != nil {
				if !errors.As(err, &stale) || err.Error() != tc.stale {
					t.Errorf("got %v, want %s", err, tc.stale)
				}
				return
			}
			var denied []string
			for _, d := range again.Denied {
				denied = append(denied, d.Address+": "+d.Reason)
			}
			if diff := gocmp.Diff(tc.denied, denied); diff != "" {
				t.Errorf("denied (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(tc.notes, again.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAskCostInterrupted(t *testing.T) {
	q := &quoted{prices: map[string]provider.Price{"x": yuan(5, "")}}
	entry, clusters := costly(t, q, "x")
	p := &engine.Planner{Entries: map[string]*engine.Entry{"main": entry}, Quote: true}
	plan, err := p.Plan(t.Context(), clusters)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := &engine.Applier{Plan: plan, Entries: p.Entries, Store: &remembers{}}
	if again, err := a.AskCost(ctx, nil); again != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", again, err)
	}
}
