package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

	mu      sync.Mutex
	budgets map[string]chan struct{} // by entry: calls in flight
}

// sendDeadline is how long one send may take. The user's interrupt does not
// cut it.
func (e *Entry) sendDeadline() time.Duration {
	if e.Timing != nil {
		return min(90*time.Second, 5*e.Timing.AcceptWindow)
	}
	return 90 * time.Second
}

// resends bounds how often one action is sent again after an answer that
// proves that nothing was done. Each time starts from a fresh read.
const resends = 4

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
	secrets, err := a.check(ctx)
	if err != nil {
		return nil, err
	}
	result := &Result{FormatVersion: FormatVersion, PlanDigest: a.Plan.Digest, Blocked: a.Plan.Blocked, Unread: a.Plan.Unread}
	outcomes := make([]Outcome, len(a.Plan.Actions))
	settled := make([][]Outcome, len(a.Plan.Clusters))
	slots := make(chan struct{}, a.Parallelism)
	var wait sync.WaitGroup
	for i := range a.Plan.Clusters {
		run := &clusterRun{Applier: a, planned: &a.Plan.Clusters[i], secrets: secrets}
		run.entry = a.Entries[run.planned.Provider]
		var at []int
		for n := range a.Plan.Actions {
			if a.Plan.Actions[n].Cluster == run.planned.Address {
				at = append(at, n)
				run.actions = append(run.actions, &a.Plan.Actions[n])
			}
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
			}
			var mine []Outcome
			mine, settled[i] = run.run(ctx)
			for k, n := range at {
				outcomes[n] = mine[k]
			}
		}()
	}
	wait.Wait()
	result.Outcomes = outcomes
	result.Settled = slices.Concat(settled...)
	result.Duration = time.Since(begun)
	return result, nil
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
	a.budgets = map[string]chan struct{}{}
	for name, e := range a.Entries {
		n := e.Description.Rate.Concurrency
		if n <= 0 {
			n = a.Parallelism
		}
		a.budgets[name] = make(chan struct{}, n)
	}
}

// check resolves every secret and lets the providers judge requests and
// secrets, all before the first send and all at once.
func (a *Applier) check(ctx context.Context) (map[string]map[string]string, error) {
	secrets := map[string]map[string]string{}
	var errs []error
	for i := range a.Plan.Actions {
		act := &a.Plan.Actions[i]
		desired := a.desired(act.Cluster)
		spec, err := decode(desired.Desired.Spec)
		if err != nil {
			return nil, err
		}
		values := map[string]string{}
		for _, path := range act.Secrets {
			value, err := a.secret(spec, path)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %s: %w", act.Address, path, err))
				continue
			}
			values[path] = value
		}
		secrets[act.ID] = values
		if len(values) < len(act.Secrets) || act.follows() {
			continue
		}
		answer := a.Entries[act.Provider].Provider.Start(ctx, provider.StartRequest{Request: act.Request, Secrets: values, CheckOnly: true})
		if answer.Outcome != provider.OutcomeUnsent || answer.Error != nil {
			reason := error(answer.Error)
			if answer.Error == nil {
				reason = fmt.Errorf("the plugin answered %q to a check", answer.Outcome)
			}
			errs = append(errs, fmt.Errorf("%s: %w", act.Address, reason))
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

// follows reports that the action needs the id of a cluster that an action
// before it creates; its request is made anew when the cluster exists.
func (a *Action) follows() bool { return a.ClusterID == "" && a.Op != provider.OpCreate }

func (a *Applier) secret(spec Values, path string) (string, error) {
	var v any = spec
	for _, name := range splitDots(path) {
		members, _ := v.(Values)
		v = members[name]
	}
	reference, ok := v.(Values)
	if !ok {
		return "", errors.New("the spec holds no secret reference there")
	}
	return a.Secret(reference)
}

func (a *Applier) desired(address string) *Planned {
	for i := range a.Plan.Clusters {
		if a.Plan.Clusters[i].Address == address {
			return &a.Plan.Clusters[i]
		}
	}
	return &Planned{}
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
	a.mu.Lock()
	defer a.mu.Unlock()
	e.At = time.Now()
	a.Report(e)
}
