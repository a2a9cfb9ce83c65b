package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var planChecks = []check{
	{Rule{ID: "plan-pure", Text: "The same input gives the same bytes: again, side by side, in another process, and without the cloud."}, planPure},
	{Rule{ID: "plan-covers", Text: "Every field of every change is settled by exactly one action or blocked entry, unchanged, and nothing else is."}, planCovers},
	{Rule{ID: "plan-order", Text: "Plan answers every cluster of a request, in its order."}, planOrder},
	{Rule{ID: "plan-nothing", Text: "Without a change there is neither an action nor anything blocked."}, planNothing},
	{Rule{ID: "plan-blocked", Text: "Whatever is blocked says why."}, planBlocked},
	{Rule{ID: "plan-from-to", Text: "From is what is live and to is what is wanted, both absolute, and both empty for a create."}, planFromTo},
	{Rule{ID: "plan-removes", Text: "Only a scale-in removes, and the nodes that it names are live and as many as go."}, planRemoves},
	{Rule{ID: "plan-request", Text: "Every action has a known op, a request without secrets, and the paths of the secrets it needs."}, planRequest},
	{Rule{ID: "plan-expected", Text: "The actions are those that the provider's author expects."}, planExpected},
}

// planned is a scenario with what was live when it was planned.
type planned struct {
	Scenario
	asked provider.ClusterChange
	plan  provider.ClusterPlan
}

func keyOf(d provider.Desired) provider.Key {
	return provider.Key{Address: d.Address, Kind: d.Kind, ID: d.ID, Name: d.Name}
}

// ask reads the live cluster of a scenario.
func ask(ctx context.Context, p provider.Provider, s Scenario, changes []provider.Change) (provider.ClusterChange, error) {
	c := provider.ClusterChange{Desired: s.Desired, Changes: changes, Meanings: s.Meanings}
	answers, err := look(ctx, p, provider.LevelNodes, []provider.Key{keyOf(s.Desired)})
	if err != nil {
		return c, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	switch o := answers[0]; o.Presence {
	case provider.Present:
		c.Current = o.Cluster
	case provider.Absent:
	default:
		return c, fmt.Errorf("scenario %s: the cluster is %q: %v", s.Name, o.Presence, o.Error)
	}
	return c, nil
}

// plan plans clusters and demands an answer for each.
func plan(ctx context.Context, p provider.Provider, clusters ...provider.ClusterChange) ([]provider.ClusterPlan, error) {
	resp, err := p.Plan(ctx, provider.PlanRequest{Clusters: clusters})
	if err != nil {
		return nil, fmt.Errorf("Plan: %w", err)
	}
	if len(resp.Clusters) != len(clusters) {
		return nil, fmt.Errorf("Plan answers %d of %d clusters", len(resp.Clusters), len(clusters))
	}
	return resp.Clusters, nil
}

// scenarios plans each scenario by itself.
func (b *bench) scenarios(ctx context.Context) (*recorded, []planned, error) {
	if len(b.opts.Scenarios) == 0 {
		return nil, nil, skip("Options.Scenarios is empty")
	}
	p, err := b.working(ctx)
	if err != nil {
		return nil, nil, err
	}
	var all []planned
	for _, s := range b.opts.Scenarios {
		asked, err := ask(ctx, p, s, s.Changes)
		if err != nil {
			return nil, nil, err
		}
		plans, err := plan(ctx, p, asked)
		if err != nil {
			return nil, nil, fmt.Errorf("scenario %s: %w", s.Name, err)
		}
		all = append(all, planned{s, asked, plans[0]})
	}
	return p, all, nil
}

// each judges every scenario's plan.
func each(judge func(planned) error) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error {
		_, all, err := b.scenarios(ctx)
		if err != nil {
			return err
		}
		for _, s := range all {
			if err := judge(s); err != nil {
				return fmt.Errorf("scenario %s: %w", s.Name, err)
			}
		}
		return nil
	}
}

// eachAction judges every action of every scenario.
func eachAction(judge func(planned, provider.Action) error) func(context.Context, *bench) error {
	return each(func(s planned) error {
		for i, a := range s.plan.Actions {
			if err := judge(s, a); err != nil {
				return fmt.Errorf("action %d (%s): %w", i+1, a.Op, err)
			}
		}
		return nil
	})
}

func planPure(ctx context.Context, b *bench) error {
	p, all, err := b.scenarios(ctx)
	if err != nil {
		return err
	}
	e, err := b.endpoint(cut)
	if err != nil {
		return err
	}
	other, err := b.working(ctx)
	if err != nil {
		return err
	}
	offline, err := b.at(ctx, e.Config)
	if err != nil {
		return err
	}
	for _, s := range all {
		first, given := text(s.plan), text(s.asked)
		again := func(p provider.Provider) func() error {
			return func() error {
				plans, err := plan(ctx, p, s.asked)
				if err == nil && text(plans[0]) != first {
					err = fmt.Errorf("it differs from the first: %s and %s", first, text(plans[0]))
				}
				return err
			}
		}
		before := e.Requests()
		err := errors.Join(
			wrap("again", b.times(again(p))),
			wrap("side by side", together(again(p), again(p), again(p), again(p))),
			wrap("by another provider", again(other)()),
			wrap("without the cloud", again(offline)()))
		switch {
		case err != nil:
			return fmt.Errorf("scenario %s: %w", s.Name, err)
		case e.Requests() != before:
			return fmt.Errorf("scenario %s: the cloud was asked", s.Name)
		case text(s.asked) != given:
			return fmt.Errorf("scenario %s: Plan changes what it is given", s.Name)
		}
	}
	return nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// text is a value as JSON. An error takes its place: nothing that a plan holds
// may be unwritable.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// path is a field's path in the cluster.
func path(group, field string) string {
	if group == "" {
		return field
	}
	return "node_groups." + group + "." + field
}

var planCovers = each(func(s planned) error { return covers(s.asked.Changes, s.plan) })

func covers(changes []provider.Change, p provider.ClusterPlan) error {
	wanted := map[string]string{}
	for _, c := range changes {
		for _, f := range c.Fields {
			wanted[path(c.Group, f.Path)] = text([]any{f.Before, f.After})
		}
	}
	settle := func(group string, fields []provider.FieldChange) error {
		for _, f := range fields {
			at := path(group, f.Path)
			want, ok := wanted[at]
			switch have := text([]any{f.Before, f.After}); {
			case !ok:
				return fmt.Errorf("%s is settled twice, or differs in nothing", at)
			case have != want:
				return fmt.Errorf("%s is settled as %s, asked was %s", at, have, want)
			}
			delete(wanted, at)
		}
		return nil
	}
	for _, a := range p.Actions {
		if len(a.Fields) == 0 && a.Op != provider.OpCreate {
			return fmt.Errorf("an action (%s of %q) settles nothing", a.Op, a.Group)
		}
		if err := settle(a.Group, a.Fields); err != nil {
			return err
		}
	}
	for _, blocked := range p.Blocked {
		if err := settle(blocked.Group, blocked.Fields); err != nil {
			return err
		}
	}
	for at := range wanted {
		return fmt.Errorf("%s differs and is neither planned nor blocked", at)
	}
	return nil
}

func planOrder(ctx context.Context, b *bench) error {
	p, all, err := b.scenarios(ctx)
	if err != nil {
		return err
	}
	var asked []provider.ClusterChange
	for _, s := range all {
		asked = append(asked, s.asked)
	}
	for range asked {
		plans, err := plan(ctx, p, asked...)
		if err != nil {
			return err
		}
		for i, c := range asked {
			if err := covers(c.Changes, plans[i]); err != nil {
				return fmt.Errorf("cluster %d of %d: %w", i+1, len(asked), err)
			}
		}
		asked = append(asked[1:], asked[0])
	}
	return nil
}

func planNothing(ctx context.Context, b *bench) error {
	p, all, err := b.scenarios(ctx)
	if err != nil {
		return err
	}
	live := 0
	for _, s := range all {
		if s.asked.Current == nil {
			continue
		}
		live++
		s.asked.Changes = nil
		plans, err := plan(ctx, p, s.asked)
		if err != nil {
			return fmt.Errorf("scenario %s: %w", s.Name, err)
		}
		if got := plans[0]; len(got.Actions)+len(got.Blocked) > 0 {
			return fmt.Errorf("scenario %s: there are %d actions and %d blocked entries", s.Name, len(got.Actions), len(got.Blocked))
		}
	}
	if live == 0 {
		return skip("no scenario is of a live cluster")
	}
	return nil
}

var planBlocked = each(func(s planned) error {
	for _, blocked := range s.plan.Blocked {
		if blocked.Reason == "" || len(blocked.Fields) == 0 {
			return fmt.Errorf("a blocked entry of group %q has %d fields and the reason %q", blocked.Group, len(blocked.Fields), blocked.Reason)
		}
	}
	return nil
})

var planExpected = each(func(s planned) error {
	var got []Expected
	for _, a := range s.plan.Actions {
		got = append(got, Expected{a.Group, a.Op, a.From, a.To, len(a.Removes)})
	}
	if !slices.EqualFunc(got, s.Actions, func(a, b Expected) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		return fmt.Errorf("the actions are %v and not %v; blocked: %s", got, s.Actions, text(s.plan.Blocked))
	}
	return nil
})
