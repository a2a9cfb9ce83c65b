package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var applyChecks = []check{
	{Rule{ID: "start-applied", Text: "An action that is sent is accepted, runs to its end, and leaves the cluster as it says and nothing else changed."}, startApplied},
	{Rule{ID: "tasks-followed", Text: "At LevelNodes the cloud's tasks are listed, newest first, and Poll follows each by its handle.", Needs: provider.CapTasks}, tasksFollowed},
}

// applied is an action that was sent and has ended.
type applied struct {
	Scenario
	action provider.Action
	handle []byte // empty where the cloud gives none
}

func startApplied(ctx context.Context, b *bench) error {
	if _, err := b.actions(ctx); err != nil {
		return err
	}
	for _, s := range b.opts.Scenarios {
		if err := b.apply(ctx, s); err != nil {
			return fmt.Errorf("scenario %s: %w", s.Name, err)
		}
	}
	return nil
}

// apply sends a scenario's actions one by one, each planned afresh as the
// engine does, until nothing is left that can be done.
func (b *bench) apply(ctx context.Context, s Scenario) error {
	p, err := b.working(ctx)
	if err != nil {
		return err
	}
	changes := s.Changes
	for range s.Actions {
		asked, err := ask(ctx, p, s, changes)
		if err != nil {
			return err
		}
		plans, err := plan(ctx, p, asked)
		if err != nil {
			return err
		}
		if len(plans[0].Actions) == 0 {
			return fmt.Errorf("planned again, nothing is left to do of %s", text(changes))
		}
		a := plans[0].Actions[0]
		if err := b.send(ctx, p, s, asked, a); err != nil {
			return fmt.Errorf("%s of %q: %w", a.Op, a.Group, err)
		}
		if a.Op == provider.OpCreate {
			return nil // what may follow it differs from a cluster that was not there
		}
		changes = without(changes, a)
	}
	return nil
}

// without is changes but for the fields that a settles.
func without(changes []provider.Change, a provider.Action) []provider.Change {
	var left []provider.Change
	for _, c := range changes {
		c.Fields = slices.DeleteFunc(slices.Clone(c.Fields), func(f provider.FieldChange) bool {
			return slices.ContainsFunc(a.Fields, func(g provider.FieldChange) bool {
				return path(c.Group, f.Path) == path(a.Group, g.Path)
			})
		})
		if len(c.Fields) > 0 {
			left = append(left, c)
		}
	}
	return left
}

// send sends one action and follows it to its end.
func (b *bench) send(ctx context.Context, p provider.Provider, s Scenario, asked provider.ClusterChange, a provider.Action) error {
	answer := p.Start(ctx, ready{s, a}.request())
	if err := outcome(answer, provider.OutcomeAccepted); err != nil {
		return err
	}
	handle := answer.Operation.Handle
	if answer.Error != nil || len(handle) > provider.MaxHandle {
		return fmt.Errorf("it is accepted with a handle of %d bytes and the error: %v", len(handle), answer.Error)
	}
	var made []string
	if len(handle) > 0 {
		end, err := b.follow(ctx, p, handle)
		if err != nil {
			return err
		}
		made = end.Nodes
	}
	after, err := b.settle(ctx, p, s, asked.Current, a)
	if err != nil {
		return err
	}
	if err := news(asked.Current, after, a, made); err != nil {
		return err
	}
	if answer.ClusterID != "" && answer.ClusterID != after.ID {
		return fmt.Errorf("it answered with cluster %s, live is %s", answer.ClusterID, after.ID)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.applied = append(b.applied, applied{s, a, handle})
	return nil
}

// follow polls an operation to its end.
func (b *bench) follow(ctx context.Context, p provider.Provider, handle []byte) (provider.OperationStatus, error) {
	for {
		status, err := pollOne(ctx, p, handle)
		if err != nil {
			return status, err
		}
		switch status.State {
		case provider.OperationSucceeded:
			return status, nil
		case provider.OperationFailed:
			return status, fmt.Errorf("the operation failed: %v", status.Error)
		}
		if err := b.opts.Wait(ctx); err != nil {
			return status, fmt.Errorf("the operation does not end, it is %q (%s): %w", status.State, status.Progress, err)
		}
		if err := ctx.Err(); err != nil {
			return status, fmt.Errorf("the operation does not end, it is %q (%s): %w", status.State, status.Progress, err)
		}
	}
}

// settle reads until the cluster is ready and as the action says.
func (b *bench) settle(ctx context.Context, p provider.Provider, s Scenario, before *provider.State, a provider.Action) (*provider.State, error) {
	for {
		now, err := ask(ctx, p, s, nil)
		if err != nil {
			return nil, err
		}
		err = reached(before, now.Current, a)
		if err == nil {
			return now.Current, nil
		}
		if waited := errors.Join(b.opts.Wait(ctx), ctx.Err()); waited != nil {
			return nil, fmt.Errorf("the cluster does not get there: %w (%w)", err, waited)
		}
	}
}

// reached says what the action's cluster still lacks.
func reached(before, now *provider.State, a provider.Action) error {
	if now == nil || now.Status != provider.StatusReady {
		return fmt.Errorf("it is not ready")
	}
	if before != nil && before.ID != now.ID {
		return fmt.Errorf("it is another cluster, %s", now.ID)
	}
	if a.Op == provider.OpCreate {
		return nil
	}
	for _, g := range now.Groups {
		want := liveCount(before, g.Role)
		if to, ok := a.To[count]; ok && g.Role == a.Group {
			want = to
		}
		if int64(g.Count) != want {
			return fmt.Errorf("group %s has %d nodes and not %d", g.Role, g.Count, want)
		}
	}
	if a.Op != provider.OpResize {
		if got := liveCount(now, a.Group); got != a.To[count] {
			return fmt.Errorf("group %s has %d nodes and not %d", a.Group, got, a.To[count])
		}
		return nil
	}
	g := groupOf(now, a.Group)
	if g == nil {
		return fmt.Errorf("group %s is gone", a.Group)
	}
	for name, to := range a.To {
		if n, ok := number(g.Attributes, name); ok && n == to {
			continue
		}
		for _, node := range g.Nodes {
			if n, ok := number(node.Attributes, name); !ok || n != to {
				return fmt.Errorf("node %s has not %s %d", node.ID, name, to)
			}
		}
		if len(g.Nodes) == 0 {
			return fmt.Errorf("group %s has not %s %d", a.Group, name, to)
		}
	}
	return nil
}

// number is one number among attributes.
func number(attributes json.RawMessage, name string) (int64, bool) {
	var members map[string]any
	_ = json.Unmarshal(attributes, &members) // judged when it was read
	return whole(members[name])
}

// news judges which nodes came and went.
func news(before, after *provider.State, a provider.Action, made []string) error {
	was, is := nodes(before, a.Group), nodes(after, a.Group)
	var victims []string
	for _, v := range a.Removes {
		victims = append(victims, v.ID)
	}
	for _, id := range was {
		switch named := slices.Contains(victims, id); {
		case named && slices.Contains(is, id):
			return fmt.Errorf("node %s was to go and is there", id)
		case !named && !slices.Contains(is, id) && (a.Op != provider.OpScaleIn || len(victims) > 0):
			return fmt.Errorf("node %s is gone, which the action did not name", id)
		}
	}
	for _, id := range made {
		if a.Op == provider.OpScaleOut && (slices.Contains(was, id) || !slices.Contains(is, id)) {
			return fmt.Errorf("the operation says that it made node %s, which is not new", id)
		}
	}
	return nil
}

func nodes(s *provider.State, role string) []string {
	var ids []string
	if g := groupOf(s, role); g != nil {
		for _, n := range g.Nodes {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// done are the actions that start-applied has carried out.
func (b *bench) done() []applied {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.applied)
}

func tasksFollowed(ctx context.Context, b *bench) error {
	done := b.done()
	if len(done) == 0 {
		return skip("nothing was applied")
	}
	p, err := b.working(ctx)
	if err != nil {
		return err
	}
	for _, d := range done {
		now, err := ask(ctx, p, d.Scenario, nil)
		if err != nil {
			return err
		}
		if now.Current == nil || len(now.Current.Tasks) == 0 {
			return fmt.Errorf("scenario %s: no task is listed", d.Name)
		}
		tasks := now.Current.Tasks
		for i, t := range tasks {
			switch {
			case t.ID == "" || len(t.Handle) == 0 || len(t.Handle) > provider.MaxHandle:
				return fmt.Errorf("scenario %s: task %q has a handle of %d bytes", d.Name, t.ID, len(t.Handle))
			case i > 0 && t.Created.After(tasks[i-1].Created):
				return fmt.Errorf("scenario %s: task %s stands behind an older one", d.Name, t.ID)
			}
			status, err := pollOne(ctx, p, t.Handle)
			if err != nil {
				return fmt.Errorf("scenario %s: task %s: %w", d.Name, t.ID, err)
			}
			if status.State != t.State {
				return fmt.Errorf("scenario %s: task %s is %q in the list, and polled %q", d.Name, t.ID, t.State, status.State)
			}
		}
	}
	return nil
}
