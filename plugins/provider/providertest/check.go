package providertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Rule is one sentence of the contract that can be tested.
type Rule struct {
	ID    string // "observe-partial"
	Text  string
	Needs string // the capability without which the rule does not apply
}

// Result is what became of one rule: kept when neither Skipped nor Err is set.
type Result struct {
	Rule
	Skipped string // why the rule was not tested
	Err     error  // how it was broken
}

// check tests one rule. It returns a skip when it has nothing to test with.
type check struct {
	Rule
	run func(context.Context, *bench) error
}

// skip is a check's reason not to be run.
type skip string

func (s skip) Error() string { return string(s) }

// checks are all rules in the order in which they are tested: what changes the
// cloud comes late, and what is judged over the whole run last.
func checks() []check {
	return slices.Concat(describeChecks, configureChecks, observeChecks, faultChecks, planChecks,
		startChecks, quoteChecks, applyChecks, pollChecks, outputChecks)
}

// Rules lists every rule in the order of Check.
func Rules() []Rule {
	var rules []Rule
	for _, c := range checks() {
		rules = append(rules, c.Rule)
	}
	return rules
}

// Check tests every rule on providers that newProvider makes: each time a new
// one, not yet configured, as in a process of its own. It returns one result
// for each of Rules, in that order. When ctx ends the remaining rules are
// skipped.
func Check(ctx context.Context, newProvider func() provider.Provider, opts Options) []Result {
	b := &bench{opts: opts.withDefaults(), make: newProvider}
	b.record = newRecord(b.opts)
	defer b.close()
	description, err := b.fresh().Describe(ctx)
	if err == nil && description == nil {
		err = errors.New("neither a description nor an error")
	}
	b.description = description
	var results []Result
	for i, c := range checks() {
		r := Result{Rule: c.Rule}
		switch {
		case err != nil && i == 0:
			r.Err = fmt.Errorf("Describe: %w", err)
		case err != nil:
			r.Skipped = "Describe has no answer"
		case ctx.Err() != nil:
			r.Skipped = ctx.Err().Error()
		case c.Needs != "" && !slices.Contains(description.Capabilities, c.Needs):
			r.Skipped = "the provider does not declare it"
		default:
			r.Skipped, r.Err = b.run(ctx, c)
		}
		results = append(results, r)
	}
	return results
}

// bench is one run of the suite.
type bench struct {
	opts        Options
	make        func() provider.Provider
	description *provider.Description
	record      *record

	mu      sync.Mutex
	applied []applied    // by start-applied, for the rules after it
	closers []func()     // of the suite's own endpoints
	bad     [3]*Endpoint // down, cut, stalled, once made
	odd     []*Endpoint  // garbled, once made
}

// run tests one rule within its time. A provider that never comes back must not
// hold up the rest.
func (b *bench) run(ctx context.Context, c check) (skipped string, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.opts.Timeout)
	defer cancel()
	err, ok := within(ctx, b.opts.Soon, func() error { return c.run(ctx, b) })
	if !ok {
		return "", fmt.Errorf("it did not come back within %v", b.opts.Timeout)
	}
	var s skip
	if errors.As(err, &s) {
		return string(s), nil
	}
	return "", err
}

// fresh is a new provider under watch, not yet configured.
func (b *bench) fresh() *recorded { return &recorded{to: b.make(), record: b.record} }

// at is a new provider, configured.
func (b *bench) at(ctx context.Context, cfg provider.Config) (*recorded, error) {
	p := b.fresh()
	if err := p.Configure(ctx, cfg); err != nil {
		return nil, fmt.Errorf("Configure: %w", err)
	}
	return p, nil
}

// working is a new provider at the working endpoint.
func (b *bench) working(ctx context.Context) (*recorded, error) { return b.at(ctx, b.opts.Config) }

// times calls f Options.Repeat times.
func (b *bench) times(f func() error) error {
	for n := range b.opts.Repeat {
		if err := f(); err != nil {
			return fmt.Errorf("call %d of %d: %w", n+1, b.opts.Repeat, err)
		}
	}
	return nil
}
