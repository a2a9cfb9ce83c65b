package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Applier carries out one plan.
type Applier struct {
	Plan    *Plan
	Entries map[string]*Entry
	Store   journal.Store
	Holder  journal.Holder
	// Secret resolves a reference of the spec ({"env": …} or {"file": …}).
	Secret func(reference Values) (string, error)
	Report func(Event) // called from one goroutine at a time; may be nil

	Parallelism int           // clusters at a time; 0: 10
	Wait        time.Duration // for a busy cluster; 0: 30 min
	LockTimeout time.Duration // for another run's lock; 0: none
	Deadline    time.Duration // for an operation, after its signature's expiry; 0: 2 h

	// Mine says which open requests are of clusters that the run is about; nil:
	// all. SettleOpen leaves another, when it is locked, to who has locked it.
	Mine func(*journal.Intent) bool

	report  sync.Mutex               // one report at a time
	mu      sync.Mutex               // for turns, before and guards
	guards  []Guard                  // written by this run
	turns   map[string]chan struct{} // by lock: this run's own clusters, one at a time
	budgets map[string]chan struct{} // by entry: calls in flight
}

// A CheckError lists secrets and requests that the providers refuse before
// anything is sent.
type CheckError struct{ Errs []error }

func (e *CheckError) Error() string   { return errors.Join(e.Errs...).Error() }
func (e *CheckError) Unwrap() []error { return e.Errs }

// Apply sends every action of the plan at most once and waits for each to
// settle. The first interrupt of ctx stops new sends; what is under way is
// recorded. An error means that nothing was sent.
func (a *Applier) Apply(ctx context.Context) (*Result, error) {
	begun := time.Now()
	a.defaults()
	if err := a.fit(); err != nil {
		return nil, err
	}
	runs := a.runs()
	secrets, err := a.check(ctx, runs)
	if err != nil {
		return nil, err
	}
	if err := a.writeGuards(ctx); err != nil {
		return nil, err
	}
	outcomes := make([][]Outcome, len(runs))
	settled := make([][]Outcome, len(runs))
	slots := make(chan struct{}, a.Parallelism)
	var wait sync.WaitGroup
	for i, run := range runs {
		run.secrets = secrets
		wait.Add(1)
		go func() {
			defer wait.Done()
			outcomes[i], settled[i] = run.inTurn(ctx, slots)
		}()
	}
	wait.Wait()
	byAction := map[string]Outcome{}
	for _, o := range slices.Concat(outcomes...) {
		byAction[o.Action] = o
	}
	sortGuards(a.guards)
	result := &Result{
		FormatVersion: FormatVersion, PlanDigest: a.Plan.Digest, Blocked: orEmpty(a.Plan.Blocked), Unread: orEmpty(a.Plan.Unread),
		Guards: orEmpty(a.guards), Outcomes: []Outcome{}, Settled: orEmpty(slices.Concat(settled...)), Duration: time.Since(begun),
	}
	for i := range a.Plan.Actions {
		result.Outcomes = append(result.Outcomes, byAction[a.Plan.Actions[i].ID])
	}
	return result, nil
}

// fit refuses a plan that does not hang together, that a guard denies, or
// whose plugins this run does not have.
func (a *Applier) fit() error {
	if err := a.Plan.check(); err != nil {
		return err
	}
	for i := range a.Plan.Guards {
		if g := &a.Plan.Guards[i]; a.Entries[g.Provider] == nil {
			return fmt.Errorf("%w: no plugin runs for its providers entry %q", ErrNotAPlan, g.Provider)
		}
	}
	if len(a.Plan.Denied) > 0 {
		return fmt.Errorf("%w: guard %s denies %s", ErrNotAPlan, a.Plan.Denied[0].Guard, a.Plan.Denied[0].Address)
	}
	for i := range a.Plan.Clusters {
		if c := &a.Plan.Clusters[i]; a.Entries[c.Provider] == nil {
			return fmt.Errorf("%w: no plugin runs for its providers entry %q", ErrNotAPlan, c.Provider)
		}
	}
	return nil
}

// runs gathers the actions by cluster, in the plan's order.
func (a *Applier) runs() []*clusterRun {
	byCluster := make(map[string]*clusterRun, len(a.Plan.Clusters))
	var runs []*clusterRun
	for i := range a.Plan.Clusters {
		c := &a.Plan.Clusters[i]
		run := &clusterRun{Applier: a, planned: c, entry: a.Entries[c.Provider], locks: map[string]held{}, over: make(chan struct{})}
		byCluster[c.Address] = run
		runs = append(runs, run)
	}
	for i := range a.Plan.Actions {
		act := &a.Plan.Actions[i]
		run := byCluster[act.Cluster]
		run.actions = append(run.actions, act)
	}
	a.chain(byCluster)
	return runs
}

func (a *Applier) defaults() {
	if a.Parallelism <= 0 {
		a.Parallelism = 10
	}
	if a.Wait <= 0 {
		a.Wait = 30 * time.Minute
	}
	if a.Deadline <= 0 {
		a.Deadline = 2 * time.Hour
	}
	a.turns = map[string]chan struct{}{}
	a.budgets = budgets(a.Entries, a.Parallelism)
}

// check resolves every secret and lets the providers judge requests and
// secrets, all before the first send and all at once.
func (a *Applier) check(ctx context.Context, runs []*clusterRun) (map[string]map[string]string, error) {
	secrets := map[string]map[string]string{}
	var errs []error
	for _, run := range runs {
		spec, err := decode(run.planned.Desired.Spec)
		if err != nil {
			return nil, fmt.Errorf("spec of %s: %w", run.planned.Address, err)
		}
		for _, act := range run.actions {
			if err := ctx.Err(); err != nil {
				return nil, context.Cause(ctx)
			}
			values, faults := a.resolve(spec, act)
			secrets[act.ID] = values
			errs = append(errs, faults...)
			if len(faults) > 0 || act.follows() {
				continue
			}
			answer := start(ctx, run.entry, provider.StartRequest{Request: act.Request, Secrets: values, CheckOnly: true})
			if answer.Outcome != provider.OutcomeUnsent || answer.Error != nil {
				reason := error(answer.Error)
				if answer.Error == nil {
					reason = fmt.Errorf("the plugin answered %q to a check", answer.Outcome)
				}
				errs = append(errs, fmt.Errorf("%s: %w", act.Address, reason))
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if len(errs) > 0 {
		return nil, &CheckError{errs}
	}
	return secrets, nil
}

// resolve reads the secrets that an action's request needs.
func (a *Applier) resolve(spec Values, act *Action) (values map[string]string, errs []error) {
	values = map[string]string{}
	for _, path := range act.Secrets {
		value, err := a.secret(spec, path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", act.Address, path, err))
			continue
		}
		values[path] = value
	}
	return values, errs
}

// follows reports that the action needs the id of a cluster that an action
// before it creates; its request is made anew when the cluster exists.
func (a *Action) follows() bool { return a.ClusterID == "" && a.Op != provider.OpCreate }

func (a *Applier) secret(spec Values, path string) (string, error) {
	var v any = spec
	for _, name := range strings.Split(path, ".") {
		members, _ := v.(Values)
		v = members[name]
	}
	reference, ok := v.(Values)
	if !ok {
		return "", errors.New("the spec holds no secret reference there")
	}
	return a.Secret(reference)
}

// call runs f within the entry's budget of calls in flight.
func (a *Applier) call(entry string) func(context.Context, func()) error {
	budget := a.budgets[entry]
	return func(ctx context.Context, f func()) error {
		select {
		case budget <- struct{}{}:
			defer func() { <-budget }()
			f()
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (a *Applier) emit(e Event) {
	if a.Report == nil {
		return
	}
	a.report.Lock()
	defer a.report.Unlock()
	e.At = time.Now()
	a.Report(e)
}
