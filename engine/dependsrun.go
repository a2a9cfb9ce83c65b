package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// checkDepends says whether what the plan's actions wait for is in it, and
// whether all of them can have their turn: on one cluster they are carried out as
// they stand, and a cluster waits for the whole of those that it depends on.
func (p *Plan) checkDepends() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrNotAPlan, fmt.Sprintf(format, args...))
	}
	place := make(map[string]int, len(p.Actions))
	for i := range p.Actions {
		place[p.Actions[i].ID] = i
	}
	number := make(map[string]int, len(p.Clusters))
	for i := range p.Clusters {
		number[p.Clusters[i].Address] = i
	}
	first := make([][]int, len(p.Clusters))
	for i := range p.Actions {
		a := &p.Actions[i]
		for _, id := range a.DependsOn {
			n, here := place[id]
			switch {
			case !here:
				return wrong("action %s depends on action %q, which is not in it", a.ID, id)
			case p.Actions[n].Cluster != a.Cluster:
				first[number[a.Cluster]] = append(first[number[a.Cluster]], number[p.Actions[n].Cluster])
			case n >= i:
				return wrong("action %s depends on action %s, which comes after it", a.ID, id)
			}
		}
	}
	if _, cyclic := inOrder(first); len(cyclic) > 0 {
		var names []string
		for _, i := range cyclic {
			names = append(names, p.Clusters[i].Address)
		}
		return wrong("its clusters wait for each other: %s", strings.Join(names, ", "))
	}
	return nil
}

// chain tells runs which others they depend on, as the plan's actions say.
func (a *Applier) chain(byCluster map[string]*clusterRun) {
	of := make(map[string]*clusterRun, len(a.Plan.Actions)) // by action
	for i := range a.Plan.Actions {
		of[a.Plan.Actions[i].ID] = byCluster[a.Plan.Actions[i].Cluster]
	}
	for _, run := range byCluster {
		seen := map[*clusterRun]bool{run: true}
		for _, act := range run.actions {
			for _, id := range act.DependsOn {
				if other := of[id]; !seen[other] {
					seen[other] = true
					run.after = append(run.after, other)
				}
			}
		}
	}
}

// inTurn runs once the runs that this one depends on have ended well and one of
// the slots is free. While it waits for others it holds none: they may need it.
func (c *clusterRun) inTurn(ctx context.Context, slots chan struct{}) (outcomes, settled []Outcome) {
	defer close(c.over)
	defer func() {
		if i := slices.IndexFunc(outcomes, func(o Outcome) bool { return o.State != Applied }); i >= 0 {
			c.short = &outcomes[i]
		}
	}()
	for _, other := range c.after {
		if !c.attend(ctx, other) {
			return c.run(ctx) // it says of every action that the run was interrupted
		}
	}
	for _, other := range c.after {
		if other.short != nil && ctx.Err() == nil {
			return c.forgo(other.short), nil
		}
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
	}
	return c.run(ctx)
}

// attend waits until another run has ended. It is false when the run was
// interrupted.
func (c *clusterRun) attend(ctx context.Context, other *clusterRun) bool {
	select {
	case <-other.over:
		return true
	default:
	}
	last := other.actions[len(other.actions)-1]
	c.emit(Event{Action: c.actions[0], State: Waiting, For: last.Address})
	select {
	case <-other.over:
		return true
	case <-ctx.Done():
		return false
	}
}

// forgo ends all actions without sending any, since one that they depend on was
// not applied.
func (c *clusterRun) forgo(short *Outcome) []Outcome {
	var outcomes []Outcome
	words := shortWords[short.State]
	if words == "" { // it was sent, and settled
		words = fellWords[short.Verdict]
	}
	detail := fmt.Sprintf("not sent: it depends on %s, %s", short.Address, words)
	for _, act := range c.actions {
		outcomes = append(outcomes, c.ended(act, c.outcome(act, Skipped, detail)))
	}
	return outcomes
}

var shortWords = map[OutcomeState]string{
	Unsettled: "the outcome of which is not known", Failed: "which was not done",
	Stale: "which is stale", Locked: "which is locked", Refused: "which is denied", Held: "which was not sent",
	Skipped: "which was skipped", Interrupted: "which was interrupted",
}

var fellWords = map[journal.Verdict]string{
	journal.None: "which was not done", journal.Partial: "which was done only in part", journal.Drifted: "which changed in another way",
}
