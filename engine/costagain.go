package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// CostAgain is what came of asking the prices of a saved plan again.
type CostAgain struct {
	Denied []Denied
	Notes  []string // for people
}

// AskCost asks the prices of a saved plan again, a call for each action that
// has one and a read where it rose, before anything is sent. The plan approves what it names: a price
// that rose makes it stale, which is the error. Without limits, a price that
// cannot be had again decides nothing, as when the plan was made.
func (a *Applier) AskCost(ctx context.Context, limits []CostLimit) (*CostAgain, error) {
	actions := slices.Clone(a.Plan.Actions)
	var asked []int
	for i := range actions {
		if actions[i].Cost == nil && len(limits) == 0 {
			continue
		}
		if !a.sentBefore(&actions[i]) {
			asked = append(asked, i)
		}
	}
	prices, failures := quoteAll(ctx, a.Entries, actions, asked)
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	again := &CostAgain{}
	var rose []string
	for _, i := range asked {
		act, was := &actions[i], actions[i].Cost
		if prices[i] == nil && was != nil && failures[i] == nil {
			failures[i] = errors.New("the cloud tells none any more")
		}
		switch {
		case failures[i] != nil:
			note := fmt.Sprintf("%s: its price could not be asked again: %v", act.Address, failures[i])
			if was != nil {
				note += "; approved is " + Money(*was, false)
			}
			again.Notes = append(again.Notes, note)
		case was != nil && costsMore(*was, *prices[i]) && a.asPlanned(ctx, act):
			rose = append(rose, fmt.Sprintf("%s was planned at %s and is now at %s", opWords(act), Money(*was, false), Money(*prices[i], false)))
		}
		if prices[i] != nil || len(limits) > 0 {
			act.Cost = prices[i]
		}
	}
	if len(rose) > 0 {
		return nil, &StaleError{strings.Join(rose, "; ")}
	}
	var warnings []string
	again.Denied, warnings = limitCost(actions, failures, limits)
	again.Notes = append(again.Notes, warnings...)
	return again, nil
}

// costsMore compares prices as exactly as they are told. In another unit a
// price is another price.
func costsMore(was, now provider.Price) bool {
	return unitOf(was) != unitOf(now) || exact(now.Amount).Cmp(exact(was.Amount)) > 0
}

// asPlanned reports that the action is still the one that was planned. Where it
// is not, Apply refuses it and says what moved, which is why the price did.
func (a *Applier) asPlanned(ctx context.Context, act *Action) bool {
	i := slices.IndexFunc(a.Plan.Clusters, func(c Planned) bool { return c.Address == act.Cluster })
	run := &clusterRun{Applier: a, planned: &a.Plan.Clusters[i], entry: a.Entries[act.Provider], id: act.ClusterID}
	o := observeOne(ctx, run.entry, run.cluster().key(run.id))
	if o.Presence != provider.Present {
		return false
	}
	_, err := run.replan(ctx, act, o.Cluster)
	return err == nil
}

// sentBefore reports that the action's cluster has a request that the plan did
// not know: it is watched first, or refused as stale, and what the cloud asks
// for the rest says nothing about the plan.
func (a *Applier) sentBefore(act *Action) bool {
	i := slices.IndexFunc(a.Plan.Clusters, func(c Planned) bool { return c.Address == act.Cluster })
	entry := a.Entries[act.Provider]
	if i < 0 || entry == nil {
		return true // Apply refuses such a plan
	}
	c := &a.Plan.Clusters[i]
	identities := identitiesOf(entry, act.ClusterID, c.LiveName, c.Desired.Name)
	for _, identity := range identities {
		// A record that cannot be read holds its cluster, which Apply says.
		if in, err := a.Store.Intent(identity.Key()); in != nil || err != nil {
			return true
		}
	}
	if c.LastOp == "" {
		return false
	}
	last, err := lastRecord(a.Store.Last, identities)
	return err != nil || opOf(last) != c.LastOp
}
