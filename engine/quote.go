package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// quote asks what the actions cost, as many at a time as the entries bear. A
// price that cannot be had is a warning: it decides nothing.
func (p *Planner) quote(ctx context.Context, plan *Plan) {
	budgets := budgets(p.Entries, 10)
	warnings := make([]string, len(plan.Actions))
	var wait sync.WaitGroup
	for i := range plan.Actions {
		a := &plan.Actions[i]
		entry := p.Entries[a.Provider]
		quoter, ok := entry.Provider.(provider.Quoter)
		if !ok || a.ClusterID == "" || !slices.Contains(entry.Description.Capabilities, provider.CapQuote) {
			continue
		}
		budgets[a.Provider] <- struct{}{}
		wait.Add(1)
		go func() {
			defer wait.Done()
			defer func() { <-budgets[a.Provider] }()
			price, err := quoter.Quote(ctx, a.Request)
			if err == nil && (math.IsNaN(price.Amount) || math.IsInf(price.Amount, 0)) {
				err = fmt.Errorf("plugin %s gave no number", entry.Description.Name)
			}
			var no *provider.Error
			switch {
			case err == nil:
				a.Cost = &price
			case errors.As(err, &no) && no.Kind == provider.KindUnsupported: // no price for this op
			default:
				warnings[i] = fmt.Sprintf("%s: its price is not known: %v", a.Address, err)
			}
		}()
	}
	wait.Wait()
	for _, w := range warnings {
		if w != "" {
			plan.Warnings = append(plan.Warnings, w)
		}
	}
}

// budgets are the calls that each entry's cloud bears in flight; where it does
// not say, fallback.
func budgets(entries map[string]*Entry, fallback int) map[string]chan struct{} {
	out := map[string]chan struct{}{}
	for name, e := range entries {
		n := e.Description.Rate.Concurrency
		if n <= 0 {
			n = fallback
		}
		out[name] = make(chan struct{}, n)
	}
	return out
}
