package providertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var startChecks = []check{
	{Rule{ID: "start-check-only", Text: "A check of a sound request sends nothing and answers unsent without an error."}, startCheckOnly},
	{Rule{ID: "start-bad-request", Text: "A request that Plan did not make is refused as invalid and never sent."}, startBadRequest},
	{Rule{ID: "start-bad-secrets", Text: "Missing and unfit secrets are refused as invalid, without being shown, and never sent."}, startBadSecrets},
	{Rule{ID: "start-unsent", Text: "When nothing listens the answer is unsent, with an error."}, startUnsent},
	{Rule{ID: "start-unknown", Text: "When the connection breaks after the request was read the answer is unknown, and it was sent once."}, startUnknown},
	{Rule{ID: "start-garbled", Text: "When the answer is not the cloud's the outcome is unknown, and the request was sent once."}, startGarbled},
	{Rule{ID: "start-cancelled", Text: "A Start that is cancelled before it sends is unsent, one that is cancelled after is unknown and returns soon."}, startCancelled},
	{Rule{ID: "start-unauthenticated", Text: "With credentials that the cloud does not take, Start is refused or unknown, as unauthenticated."}, startUnauthenticated},
}

// ready is one action with what Start needs.
type ready struct {
	Scenario
	action provider.Action
}

func (r ready) request() provider.StartRequest {
	return provider.StartRequest{Request: slices.Clone(r.action.Request), Secrets: maps.Clone(r.Secrets)}
}

// actions are the first actions of all scenarios: later ones may depend on
// what those make.
func (b *bench) actions(ctx context.Context) ([]ready, error) {
	_, all, err := b.scenarios(ctx)
	if err != nil {
		return nil, err
	}
	var found []ready
	for _, s := range all {
		if len(s.plan.Actions) > 0 {
			found = append(found, ready{s.Scenario, s.plan.Actions[0]})
		}
	}
	if len(found) == 0 {
		return nil, skip("no scenario has an action")
	}
	return found, nil
}

// eachStart judges every action at an endpoint that misbehaves. sent is how
// many requests have come in since the call before.
func eachStart(sort int, judge func(ctx context.Context, b *bench, p provider.Provider, r ready, sent func() int) error) func(context.Context, *bench) error {
	return func(ctx context.Context, b *bench) error {
		actions, err := b.actions(ctx)
		if err != nil {
			return err
		}
		e, err := b.endpoint(sort)
		if err != nil {
			return err
		}
		p, err := b.at(ctx, e.Config)
		if err != nil {
			return err
		}
		last := e.Requests()
		sent := func() int {
			now := e.Requests()
			n := now - last
			last = now
			return n
		}
		for _, r := range actions {
			if err := judge(ctx, b, p, r, sent); err != nil {
				return fmt.Errorf("scenario %s: %w", r.Name, err)
			}
		}
		return nil
	}
}

// outcome demands one of several outcomes.
func outcome(a provider.Answer, want ...provider.Outcome) error {
	if slices.Contains(want, a.Outcome) {
		return nil
	}
	names := map[provider.Outcome]string{provider.OutcomeUnknown: "unknown"}
	name := func(o provider.Outcome) string {
		if names[o] != "" {
			return names[o]
		}
		return string(o)
	}
	return fmt.Errorf("the answer is %s and not %s: %v", name(a.Outcome), name(want[0]), a.Error)
}

// refusal demands that nothing was sent because the request is invalid.
func refusal(a provider.Answer, checkOnly bool, sent int) error {
	want := []provider.Outcome{provider.OutcomeRefused}
	if !checkOnly {
		want = append(want, provider.OutcomeUnsent)
	}
	if err := outcome(a, want...); err != nil {
		return err
	}
	if a.Error == nil || a.Error.Kind != provider.KindInvalid {
		return fmt.Errorf("the error is not of kind invalid: %v", a.Error)
	}
	return nothing(sent)
}

func nothing(sent int) error {
	if sent > 0 {
		return fmt.Errorf("%d requests were sent", sent)
	}
	return nil
}

var startCheckOnly = eachStart(cut, func(ctx context.Context, b *bench, p provider.Provider, r ready, sent func() int) error {
	return b.times(func() error {
		req := r.request()
		req.CheckOnly = true
		a := p.Start(ctx, req)
		if err := outcome(a, provider.OutcomeUnsent); err != nil {
			return err
		}
		if a.Error != nil {
			return fmt.Errorf("a sound request has the error: %w", a.Error)
		}
		return nothing(sent())
	})
})

var startBadRequest = eachStart(cut, func(ctx context.Context, _ *bench, p provider.Provider, r ready, sent func() int) error {
	whole := r.action.Request
	for what, request := range map[string][]byte{
		"no request": nil, "no request of any plugin": []byte("\x00nonsense"), "an empty object": []byte("{}"), "null": []byte("null"),
		"half a request": whole[:len(whole)/2], "a request and more": append(slices.Clone(whole), "{}"...),
	} {
		for _, checkOnly := range []bool{true, false} {
			a := p.Start(ctx, provider.StartRequest{Request: request, Secrets: r.Secrets, CheckOnly: checkOnly})
			if err := refusal(a, checkOnly, sent()); err != nil {
				return fmt.Errorf("%s, check only: %t: %w", what, checkOnly, err)
			}
		}
	}
	return nil
})

func startBadSecrets(ctx context.Context, b *bench) error {
	tested := 0
	err := eachStart(cut, func(ctx context.Context, _ *bench, p provider.Provider, r ready, sent func() int) error {
		bad := r.BadSecrets
		for _, path := range r.action.Secrets {
			rest := maps.Clone(r.Secrets)
			delete(rest, path)
			bad = append(slices.Clone(bad), rest)
		}
		for i, secrets := range bad {
			for _, checkOnly := range []bool{true, false} {
				tested++
				a := p.Start(ctx, provider.StartRequest{Request: r.action.Request, Secrets: secrets, CheckOnly: checkOnly})
				if err := refusal(a, checkOnly, sent()); err != nil {
					return fmt.Errorf("bad secrets %d, check only: %t: %w", i+1, checkOnly, err)
				}
				for path, value := range secrets {
					rec := &record{secrets: map[string][]string{path: forms(value)}}
					if len(value) < shortSecret {
						continue
					}
					if rec.error("Start", a.Error); len(rec.shown) > 0 {
						return errors.New(rec.shown[0])
					}
				}
			}
		}
		return nil
	})(ctx, b)
	if err == nil && tested == 0 {
		return skip("no action of a scenario needs a secret, and Scenario.BadSecrets is empty")
	}
	return err
}

var startUnsent = eachStart(down, func(ctx context.Context, _ *bench, p provider.Provider, r ready, sent func() int) error {
	a := p.Start(ctx, r.request())
	if err := outcome(a, provider.OutcomeUnsent); err != nil {
		return err
	}
	if a.Error == nil || a.Error.Kind != provider.KindUnavailable {
		return fmt.Errorf("the error is not of kind unavailable: %v", a.Error)
	}
	return nothing(sent())
})

var startUnknown = eachStart(cut, func(ctx context.Context, _ *bench, p provider.Provider, r ready, sent func() int) error {
	return unknown(p.Start(ctx, r.request()), sent())
})

// unknown demands that a request was sent once and what became of it is open.
func unknown(a provider.Answer, sent int) error {
	if sent != 1 {
		return fmt.Errorf("%d requests were sent", sent)
	}
	if err := outcome(a, provider.OutcomeUnknown); err != nil {
		return err
	}
	if a.Error == nil {
		return errors.New("the answer does not say why")
	}
	return nil
}

func startGarbled(ctx context.Context, b *bench) error {
	actions, err := b.actions(ctx)
	if err != nil {
		return err
	}
	endpoints, err := b.garbled()
	if err != nil {
		return err
	}
	var faults []error
	for _, e := range endpoints {
		p, err := b.at(ctx, e.Config)
		if err != nil {
			return err
		}
		for _, r := range actions {
			before := e.Requests()
			a := p.Start(ctx, r.request())
			if err := unknown(a, e.Requests()-before); err != nil {
				faults = append(faults, fmt.Errorf("%s, scenario %s: %w", e.Name, r.Name, err))
			}
		}
	}
	return errors.Join(faults...)
}

func startCancelled(ctx context.Context, b *bench) error {
	early := eachStart(cut, func(ctx context.Context, _ *bench, p provider.Provider, r ready, sent func() int) error {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		a := p.Start(ended, r.request())
		if err := nothing(sent()); err != nil {
			return err
		}
		return errors.Join(outcome(a, provider.OutcomeUnsent), why(a))
	})
	if err := early(ctx, b); err != nil {
		return fmt.Errorf("cancelled before the call: %w", err)
	}
	actions, err := b.actions(ctx)
	if err != nil {
		return err
	}
	e, err := b.endpoint(stalled)
	if err != nil {
		return err
	}
	for _, r := range actions {
		p, err := b.at(ctx, e.Config)
		if err != nil {
			return err
		}
		during, cancel := context.WithCancel(ctx)
		before := e.Requests()
		err = together(
			func() error {
				err, ok := within(during, b.opts.Soon, func() error {
					a := p.Start(during, r.request())
					return errors.Join(outcome(a, provider.OutcomeUnknown), why(a))
				})
				if !ok {
					return fmt.Errorf("Start is not back within %v", b.opts.Soon)
				}
				return err
			},
			func() error {
				defer cancel()
				return e.arrives(ctx, before)
			})
		if err != nil {
			return fmt.Errorf("scenario %s: cancelled during the call: %w", r.Name, err)
		}
	}
	return nil
}

// why demands that an answer's error holds the context's.
func why(a provider.Answer) error {
	if a.Error == nil || !errors.Is(a.Error, context.Canceled) {
		return fmt.Errorf("the error has not %q in its chain: %v", context.Canceled, a.Error)
	}
	return nil
}

func startUnauthenticated(ctx context.Context, b *bench) error {
	if b.opts.Unauthorized == nil {
		return skip("Options.Unauthorized is not set")
	}
	actions, err := b.actions(ctx)
	if err != nil {
		return err
	}
	p, err := b.at(ctx, *b.opts.Unauthorized)
	if err != nil {
		return err
	}
	for _, r := range actions {
		a := p.Start(ctx, r.request())
		if err := outcome(a, provider.OutcomeRefused, provider.OutcomeUnknown); err != nil {
			return fmt.Errorf("scenario %s: %w", r.Name, err)
		}
		if a.Error == nil || a.Error.Kind != provider.KindUnauthenticated {
			return fmt.Errorf("scenario %s: the error is not of kind unauthenticated: %v", r.Name, a.Error)
		}
	}
	return nil
}
