package main

import (
	"slices"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
)

// settleOpen watches what earlier runs left unsettled in these accounts: of the
// clusters that this run is about, and of others where no run is at it.
func (r *applyRun) settleOpen(s *session, about map[string]bool) ([]engine.Outcome, error) {
	intents, _, err := r.store.Open()
	if err != nil || len(intents) == 0 {
		return nil, err
	}
	a := r.applier(s, nil)
	a.Mine = func(in *journal.Intent) bool { return about[in.Cluster] }
	progress, done := r.show(len(intents))
	progress.Expect(r.expecting(s, intents))
	a.Report = func(e engine.Event) {
		r.following(e)
		progress.Event(e)
	}
	outcomes := a.SettleOpen(r.ctx, intents)
	done()
	return outcomes, nil
}

// outranked gives an error the code of what it comes after: a request that is
// not settled is worse than anything but a crash.
func outranked(err error, settled []engine.Outcome) error {
	if err != nil && (&engine.Result{Settled: settled}).Has(engine.Unsettled) {
		return &exitCode{exitUnknown, err.Error()}
	}
	return err
}

// unreadable are the clusters that the plan leaves out because the record of a
// request to them cannot be trusted.
func (r *applyRun) unreadable(plan *engine.Plan) ([]engine.Outcome, error) {
	_, corrupt, err := r.store.Open()
	var left []engine.Outcome
	for _, o := range plan.OpenIntents {
		if slices.ContainsFunc(corrupt, func(bad *journal.CorruptError) bool { return bad.Error() == o.Reason }) {
			left = append(left, engine.Outcome{Address: o.Address, Op: o.Op, State: engine.Unsettled, Detail: o.Reason})
		}
	}
	return left, err
}
