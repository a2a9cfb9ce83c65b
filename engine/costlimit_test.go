package engine_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// quoted answers Quote by the group that a request is about.
type quoted struct {
	fixed
	prices   map[string]provider.Price
	failures map[string]error
	mu       sync.Mutex
	asked    map[string]int
}

func (q *quoted) Quote(_ context.Context, request []byte) (provider.Price, error) {
	for group, price := range q.prices {
		if strings.Contains(string(request), fmt.Sprintf("%q:%q", "group", group)) {
			q.mu.Lock()
			q.asked[group]++
			q.mu.Unlock()
			if err := q.failures[group]; err != nil {
				return provider.Price{}, err
			}
			return price, nil
		}
	}
	return provider.Price{}, provider.Errorf(provider.KindUnsupported, "no price")
}

// costly is a cluster whose groups all want another size.
func costly(t *testing.T, q *quoted, groups ...string) (*engine.Entry, []*engine.Cluster) {
	t.Helper()
	q.asked = map[string]int{}
	live, wanted := []provider.Group{}, []string{}
	for _, g := range groups {
		live = append(live, provider.Group{Role: g, Count: 1, Nodes: []provider.Node{{ID: g + "1", Status: provider.StatusReady}}, Attributes: provider.Raw(map[string]int{"cpu": 2})})
		wanted = append(wanted, fmt.Sprintf("%q: {\"cpu\": 4}", g))
	}
	q.live = []provider.Observation{{Address: "a", Presence: provider.Present, Cluster: &provider.State{ID: "c-1", Name: "a", Kind: "k",
		Status: provider.StatusReady, Attributes: provider.Raw(map[string]any{}), Groups: live}}}
	d, err := q.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entry := &engine.Entry{Name: "main", Provider: q, Description: d, Settings: []byte(`{"region": "r1"}`)}
	c := &engine.Cluster{Entry: "main", Source: func(path string) string { return "fleet.cue:" + path },
		Desired: provider.Desired{Address: "a", Kind: "k", Name: "a", Spec: []byte(`{"node_groups": {` + strings.Join(wanted, ",") + `}}`)}}
	return entry, []*engine.Cluster{c}
}

func limits(t *testing.T, texts ...string) []engine.CostLimit {
	t.Helper()
	var list []engine.CostLimit
	for _, text := range texts {
		l, err := engine.ParseCostLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
	return list
}

// TestMaxCost: a plan whose sum is above its limit is denied, and so is one that
// cannot be compared.
func TestMaxCost(t *testing.T) {
	refused := provider.Errorf(provider.KindUnavailable, "try again later")
	for name, tc := range map[string]struct {
		prices   map[string]provider.Price
		failures map[string]error
		groups   []string
		limits   []string
		want     []string // address: reason
		warns    []string
	}{
		"below":             {prices: map[string]provider.Price{"x": yuan(299.99, "month")}, limits: []string{"300"}},
		"exactly":           {prices: map[string]provider.Price{"x": yuan(0.1, "month"), "y": yuan(0.2, "month")}, limits: []string{"0.3"}},
		"a hair above":      {prices: map[string]provider.Price{"x": yuan(0.1, "month"), "y": yuan(0.2, "month")}, limits: []string{"0.29"}, want: []string{"a/y: the plan costs ¥0.30 a month, more than --max-cost 0.29; the most of it here: +¥0.20 a month"}},
		"no limit":          {prices: map[string]provider.Price{"x": yuan(1e9, "month")}},
		"nothing, of zero":  {prices: map[string]provider.Price{"x": yuan(0, "")}, limits: []string{"0"}},
		"a refund, of zero": {prices: map[string]provider.Price{"x": yuan(-5, "month")}, limits: []string{"0"}},
		"a refund pays":     {prices: map[string]provider.Price{"x": yuan(5, "month"), "y": yuan(-3, "month")}, limits: []string{"2"}},
		"above, with a refund": {prices: map[string]provider.Price{"x": yuan(5, "month"), "y": yuan(-3, "month")}, limits: []string{"1.99CNY/month"},
			want: []string{"a/x: the plan costs ¥2.00 a month, more than --max-cost 1.99CNY/month; the most of it here: +¥5.00 a month"}},
		"period not documented": {prices: map[string]provider.Price{"x": yuan(5, "")}, limits: []string{"4 CNY"}, want: []string{"a/x: the plan costs ¥5.00, more than --max-cost 4 CNY"}},
		"another period": {prices: map[string]provider.Price{"x": yuan(5, "")}, limits: []string{"400CNY/month"},
			want: []string{"a/x: the plan costs ¥5.00, and no --max-cost is about that; add one in CNY"}},
		"another currency": {prices: map[string]provider.Price{"x": yuan(5, "once")}, limits: []string{"400USD"},
			want: []string{"a/x: the plan costs ¥5.00 once, and no --max-cost is about that; add one in CNY/once"}},
		"a refund in another unit": {prices: map[string]provider.Price{"x": yuan(5, "once"), "y": yuan(-1, "month")}, limits: []string{"5CNY/once"}},
		"two periods, one limit": {prices: map[string]provider.Price{"x": yuan(5, "once"), "y": yuan(1, "")}, limits: []string{"300"},
			want: []string{"a/y: --max-cost 300 could be about each of 2 sums: +¥1.00 (period not documented), +¥5.00 once; write one for each, such as --max-cost 300CNY --max-cost 300CNY/once"}},
		"two currencies, one limit": {prices: map[string]provider.Price{"x": yuan(5, "once"), "y": {Amount: 1, Currency: "USD", Per: "once"}}, limits: []string{"300/once"},
			want: []string{"a/x: --max-cost 300/once could be about each of 2 sums: +¥5.00 once, +USD 1.00 once; write one for each, such as --max-cost 300CNY/once --max-cost 300USD/once"}},
		"a limit for each": {prices: map[string]provider.Price{"x": yuan(5, "once"), "y": yuan(1, "")}, limits: []string{"5CNY/once", "1CNY"}},
		"a limit for each, both too low": {prices: map[string]provider.Price{"x": yuan(5, "once"), "y": yuan(1, "")}, limits: []string{"4.99cny/ONCE", "0.99CNY"},
			want: []string{"a/x: the plan costs ¥5.00 once, more than --max-cost 4.99cny/ONCE", "a/y: the plan costs ¥1.00, more than --max-cost 0.99CNY"}},
		"a price that could not be had": {prices: map[string]provider.Price{"x": yuan(5, "once"), "y": yuan(1, "once")}, failures: map[string]error{"y": refused}, limits: []string{"300"},
			want: []string{"a/y: its price is not known, so the plan may cost more than --max-cost: try again later"}, warns: []string{"a/y: its price is not known: try again later"}},
		"no number": {prices: map[string]provider.Price{"x": yuan(math.Inf(-1), "once")}, limits: []string{"300"},
			want: []string{"a/x: its price is not known, so the plan may cost more than --max-cost: plugin fixed gave no number"}, warns: []string{"a/x: its price is not known: plugin fixed gave no number"}},
		"prices that clouds do not tell": {prices: map[string]provider.Price{"x": yuan(5, "once")}, groups: []string{"p", "q", "r", "s"}, limits: []string{"300"},
			warns: []string{"--max-cost does not count 4 actions, for which no cloud tells a price: a/p, a/q, a/r, and 1 more"}},
		"no limit, a price that could not be had": {prices: map[string]provider.Price{"x": yuan(5, "once")}, failures: map[string]error{"x": refused},
			warns: []string{"a/x: its price is not known: try again later"}},
	} {
		t.Run(name, func(t *testing.T) {
			q := &quoted{prices: tc.prices, failures: tc.failures}
			groups := tc.groups
			for _, g := range []string{"x", "y"} {
				if _, ok := tc.prices[g]; ok {
					groups = append(groups, g)
				}
			}
			entry, clusters := costly(t, q, groups...)
			p := &engine.Planner{Entries: map[string]*engine.Entry{"main": entry}, Quote: true, MaxCost: limits(t, tc.limits...)}
			plan, err := p.Plan(t.Context(), clusters)
			if err != nil {
				t.Fatal(err)
			}
			var got, warns []string
			for _, d := range plan.Denied {
				got = append(got, d.Address+": "+d.Reason)
				if d.Guard != engine.GuardMaxCost || !strings.HasPrefix(d.Source, "fleet.cue:node_groups."+strings.TrimPrefix(d.Address, "a/")) {
					t.Errorf("guard %s at %s", d.Guard, d.Source)
				}
			}
			for _, w := range plan.Warnings {
				if w != "a: it takes a while" {
					warns = append(warns, w)
				}
			}
			if diff := gocmp.Diff(tc.want, got); diff != "" {
				t.Errorf("denied (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(tc.warns, warns); diff != "" {
				t.Errorf("warned (-want +got):\n%s", diff)
			}
		})
	}
}
