package providertest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// faultChecks are reads from endpoints and with credentials that do not work.
var faultChecks = []check{
	{Rule{ID: "observe-unauthenticated", Text: "Credentials that the cloud does not take are an error of that kind, and no cluster is absent."}, observeUnauthenticated},
	{Rule{ID: "observe-unread", Text: "When the cloud cannot be reached or breaks off, clusters are unread as unavailable and never absent."}, observeUnread},
	{Rule{ID: "observe-garbled", Text: "An answer that is not the cloud's, whatever its status, leaves clusters unread and never absent."}, observeGarbled},
	{Rule{ID: "observe-cancelled", Text: "A cancelled Observe returns soon with the context's error, and calls no cluster absent."}, observeCancelled},
	{Rule{ID: "observe-deadline", Text: "Observe returns soon after its deadline with the context's error."}, observeDeadline},
}

// patience bounds reads that a provider may try again for long.
const patience = time.Second

// unread reads keys that cannot be read, and demands that none was found or
// called absent and that none was left without an answer or an error. It
// returns the errors of the keys and of Observe itself.
func unread(ctx context.Context, p provider.Provider, level provider.Level, keys []provider.Key) (errs []error, broken error) {
	err := p.Observe(ctx, provider.ObserveRequest{Level: level, Keys: keys}, func(o provider.Observation) error {
		if o.Presence != provider.Unread || o.Error == nil {
			broken = fmt.Errorf("%s is called %q at level %s, error: %v", o.Address, o.Presence, level, o.Error)
			return broken
		}
		errs = append(errs, o.Error)
		return nil
	})
	switch {
	case broken != nil:
		return nil, broken
	case err != nil:
		return append(errs, err), nil
	case len(errs) != len(keys):
		return nil, fmt.Errorf("%d of %d keys are answered at level %s, and Observe returns no error", len(errs), len(keys), level)
	}
	return errs, nil
}

// kindsOf demands one kind of all errors.
func kindsOf(errs []error, want provider.ErrorKind) error {
	for _, err := range errs {
		if kind := provider.AsError(err).Kind; kind != want {
			return fmt.Errorf("an error is of kind %s and not %s: %w", kind, want, err)
		}
	}
	return nil
}

func observeUnauthenticated(ctx context.Context, b *bench) error {
	if b.opts.Unauthorized == nil {
		return skip("Options.Unauthorized is not set")
	}
	_, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	p, err := b.at(ctx, *b.opts.Unauthorized)
	if err != nil {
		return err
	}
	for _, level := range levels {
		for _, asked := range [][]provider.Key{keys, keys[:1], addressed(append(keys, b.opts.Absent...)...)} {
			errs, err := unread(ctx, p, level, asked)
			if err != nil {
				return err
			}
			if err := kindsOf(errs, provider.KindUnauthenticated); err != nil {
				return fmt.Errorf("level %s: %w", level, err)
			}
		}
	}
	return nil
}

func observeUnread(ctx context.Context, b *bench) error {
	_, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	lost, err := b.lost()
	if err != nil {
		return err
	}
	return atEach(lost, func(e *Endpoint) error {
		p, err := b.at(ctx, e.Config)
		if err != nil {
			return err
		}
		for _, level := range levels {
			short, cancel := context.WithTimeout(ctx, patience)
			errs, err := unread(short, p, level, keys)
			cancel()
			if err != nil {
				return err
			}
			if err := kindsOf(errs, provider.KindUnavailable); err != nil {
				return fmt.Errorf("level %s: %w", level, err)
			}
		}
		return nil
	})
}

func observeGarbled(ctx context.Context, b *bench) error {
	_, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	endpoints, err := b.garbled()
	if err != nil {
		return err
	}
	return atEach(endpoints, func(e *Endpoint) error {
		p, err := b.at(ctx, e.Config)
		if err != nil {
			return err
		}
		var faults []error
		for _, level := range levels {
			for _, key := range keys {
				short, cancel := context.WithTimeout(ctx, patience/4)
				_, err := unread(short, p, level, []provider.Key{key})
				cancel()
				faults = append(faults, wrap(describeKey(key), err))
			}
		}
		return errors.Join(faults...)
	})
}

// atEach does the same at every endpoint, side by side: a provider may try
// again for long.
func atEach(endpoints []*Endpoint, do func(*Endpoint) error) error {
	var each []func() error
	for _, e := range endpoints {
		each = append(each, func() error { return wrap(e.Name, do(e)) })
	}
	return together(each...)
}

func observeCancelled(ctx context.Context, b *bench) error {
	working, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	for _, level := range levels {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if err := b.ends(ended, working, level, keys, context.Canceled); err != nil {
			return fmt.Errorf("cancelled before the call: %w", err)
		}
	}
	e, err := b.endpoint(stalled)
	if err != nil {
		return err
	}
	p, err := b.at(ctx, e.Config)
	if err != nil {
		return err
	}
	for _, level := range levels {
		during, cancel := context.WithCancel(ctx)
		before := e.Requests()
		err := together(
			func() error { return b.ends(during, p, level, keys, context.Canceled) },
			func() error {
				defer cancel()
				return e.arrives(ctx, before)
			})
		if err != nil {
			return fmt.Errorf("cancelled during the call: %w", err)
		}
	}
	return nil
}

func observeDeadline(ctx context.Context, b *bench) error {
	_, keys, err := b.present(ctx)
	if err != nil {
		return err
	}
	e, err := b.endpoint(stalled)
	if err != nil {
		return err
	}
	p, err := b.at(ctx, e.Config)
	if err != nil {
		return err
	}
	// A plugin's process has a clock of its own: its word that time is up can
	// be back a moment before ours is, and then names no context's error. That
	// happens now and then, and never time after time.
	for range 10 {
		short, cancel := context.WithTimeout(ctx, patience/10)
		err = b.ends(short, p, provider.LevelNodes, keys, context.DeadlineExceeded)
		cancel()
		if !errors.As(err, new(chainless)) {
			return err
		}
	}
	return err
}

// chainless tells of an error that lacks the context's.
type chainless string

func (e chainless) Error() string { return string(e) }

// ends demands that Observe returns soon after ctx has ended, with its error.
func (b *bench) ends(ctx context.Context, p provider.Provider, level provider.Level, keys []provider.Key, want error) error {
	absent := make(chan string, len(keys)) // also read when Observe is not back
	err, ok := within(ctx, b.opts.Soon, func() error {
		return p.Observe(ctx, provider.ObserveRequest{Level: level, Keys: keys}, func(o provider.Observation) error {
			if o.Presence == provider.Absent {
				select {
				case absent <- o.Address:
				default: // enough are known
				}
			}
			return nil
		})
	})
	switch {
	case len(absent) > 0:
		return fmt.Errorf("Observe at level %s calls %s absent", level, <-absent)
	case !ok:
		return fmt.Errorf("Observe at level %s is not back within %v", level, b.opts.Soon)
	case !errors.Is(err, want):
		return chainless(fmt.Sprintf("Observe at level %s returns an error without %q in its chain: %v", level, want, err))
	}
	return nil
}
