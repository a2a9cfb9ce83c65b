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

// quote asks what the actions cost, and holds the sums against the limits. A
// price that cannot be had is a warning: without limits it decides nothing.
func (p *Planner) quote(ctx context.Context, plan *Plan) {
	all := make([]int, len(plan.Actions))
	for i := range all {
		all[i] = i
	}
	prices, failures := quoteAll(ctx, p.Entries, plan.Actions, all)
	for i := range plan.Actions {
		a := &plan.Actions[i]
		if a.Cost = prices[i]; failures[i] != nil {
			plan.Warnings = append(plan.Warnings, fmt.Sprintf("%s: its price is not known: %v", a.Address, failures[i]))
		}
	}
	denied, warnings := limitCost(plan.Actions, failures, p.MaxCost)
	plan.Denied = append(plan.Denied, denied...)
	plan.Warnings = append(plan.Warnings, warnings...)
}

// quoteAll asks the prices of some of the actions, by their numbers, as many at
// a time as the entries bear. Neither a price nor an error: the cloud tells none.
func quoteAll(ctx context.Context, entries map[string]*Entry, actions []Action, which []int) (prices []*provider.Price, failures []error) {
	budgets := budgets(entries, 10)
	prices, failures = make([]*provider.Price, len(actions)), make([]error, len(actions))
	var wait sync.WaitGroup
	for _, i := range which {
		a := &actions[i]
		entry := entries[a.Provider]
		quoter, ok := entry.Provider.(provider.Quoter)
		if !ok || a.ClusterID == "" || !slices.Contains(entry.Description.Capabilities, provider.CapQuote) {
			continue
		}
		budgets[a.Provider] <- struct{}{}
		wait.Go(func() {
			defer func() { <-budgets[a.Provider] }()
			prices[i], failures[i] = ask(ctx, entry, quoter, a)
		})
	}
	wait.Wait()
	return prices, failures
}

func ask(ctx context.Context, entry *Entry, quoter provider.Quoter, a *Action) (*provider.Price, error) {
	price, err := quoter.Quote(ctx, a.Request)
	var no *provider.Error
	switch {
	case errors.As(err, &no) && no.Kind == provider.KindUnsupported: // no price for this op
		return nil, nil
	case err != nil:
		return nil, err
	case math.IsNaN(price.Amount) || math.IsInf(price.Amount, 0):
		return nil, fmt.Errorf("plugin %s gave no number", entry.Description.Name)
	}
	return &price, nil
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
