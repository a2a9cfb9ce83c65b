package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var pollChecks = []check{
	{Rule{ID: "poll-unknown-handle", Text: "A handle that no provider gave has a status of its own with an error, and does not stop the others."}, pollUnknownHandle},
	{Rule{ID: "poll-cancelled", Text: "A cancelled Poll returns the context's error."}, pollCancelled},
	{Rule{ID: "poll-later-process", Text: "A handle is good in a provider made anew, and Poll answers in the order asked, the same each time."}, pollLaterProcess},
	{Rule{ID: "poll-unread", Text: "When the cloud cannot be reached or read an operation is unknown, neither failed nor done."}, pollUnread},
}

// poll asks for operations and demands a sound status for each.
func poll(ctx context.Context, p provider.Provider, handles ...[]byte) ([]provider.OperationStatus, error) {
	ops := make([]provider.Operation, len(handles))
	for i, h := range handles {
		ops[i].Handle = slices.Clone(h)
	}
	statuses, err := p.Poll(ctx, ops)
	if err != nil {
		return nil, fmt.Errorf("Poll: %w", err)
	}
	if len(statuses) != len(ops) {
		return nil, fmt.Errorf("Poll has %d statuses for %d operations", len(statuses), len(ops))
	}
	for i, s := range statuses {
		switch s.State {
		case provider.OperationUnknown, provider.OperationRunning, provider.OperationSucceeded:
		case provider.OperationFailed:
			if s.Error == nil {
				return nil, fmt.Errorf("Poll says of operation %d that it failed, and not why", i+1)
			}
		default:
			return nil, fmt.Errorf("Poll has state %q, which the contract does not know", s.State)
		}
	}
	return statuses, nil
}

func pollOne(ctx context.Context, p provider.Provider, handle []byte) (provider.OperationStatus, error) {
	statuses, err := poll(ctx, p, handle)
	if err != nil {
		return provider.OperationStatus{}, err
	}
	return statuses[0], nil
}

// strange are handles that no provider gives.
func strange() [][]byte {
	return [][]byte{
		nil, []byte("../no such operation?"), {0, 1, 0xff}, []byte("{}"), []byte("null"),
		bytes.Repeat([]byte("x"), provider.MaxHandle),
	}
}

func pollUnknownHandle(ctx context.Context, b *bench) error {
	p, err := b.working(ctx)
	if err != nil {
		return err
	}
	if _, err := poll(ctx, p); err != nil {
		return fmt.Errorf("of no operation: %w", err)
	}
	handles := strange()
	statuses, err := poll(ctx, p, handles...)
	if err != nil {
		return err
	}
	for i, s := range statuses {
		if s.Error == nil || s.State == provider.OperationRunning || s.State == provider.OperationSucceeded {
			return fmt.Errorf("handle %d (%d bytes) is %q, with error: %v", i+1, len(handles[i]), s.State, s.Error)
		}
	}
	return nil
}

func pollCancelled(ctx context.Context, b *bench) error {
	p, err := b.working(ctx)
	if err != nil {
		return err
	}
	handles := [][]byte{[]byte("operation")}
	for _, d := range b.done() {
		handles = append(handles, d.handle)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := poll(ended, p, handles...); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the error has not %q in its chain: %v", context.Canceled, err)
	}
	return nil
}

// handles are those of operations that have succeeded.
func (b *bench) handles() ([][]byte, error) {
	var handles [][]byte
	for _, d := range b.done() {
		if len(d.handle) > 0 {
			handles = append(handles, d.handle)
		}
	}
	if len(handles) == 0 {
		return nil, skip("nothing was applied, or the cloud gives no handles")
	}
	return handles, nil
}

func pollLaterProcess(ctx context.Context, b *bench) error {
	handles, err := b.handles()
	if err != nil {
		return err
	}
	var mixed [][]byte
	for _, h := range handles {
		mixed = append(mixed, []byte("../no such operation?"), h)
	}
	later, err := b.working(ctx)
	if err != nil {
		return err
	}
	again := func() error {
		statuses, err := poll(ctx, later, mixed...)
		if err != nil {
			return err
		}
		for i, s := range statuses {
			ours := i%2 == 1
			if ours != (s.State == provider.OperationSucceeded) {
				return fmt.Errorf("operation %d of %d, one of ours: %t, is %q: %v", i+1, len(statuses), ours, s.State, s.Error)
			}
		}
		return nil
	}
	return errors.Join(b.times(again), wrap("side by side", together(again, again, again)))
}

func pollUnread(ctx context.Context, b *bench) error {
	handles, err := b.handles()
	if err != nil {
		return err
	}
	lost, err := b.lost()
	if err != nil {
		return err
	}
	garbled, err := b.garbled()
	if err != nil {
		return err
	}
	return errors.Join(
		atEach(lost, func(e *Endpoint) error {
			errs, err := b.unpolled(ctx, e, handles)
			if err == nil && len(errs) == 0 {
				err = errors.New("there is no error")
			}
			return errors.Join(err, kindsOf(errs, provider.KindUnavailable))
		}),
		// Strange answers may say nothing of an operation, or be an error of
		// any kind.
		atEach(garbled, func(e *Endpoint) error {
			_, err := b.unpolled(ctx, e, handles)
			return err
		}))
}

// unpolled polls operations that cannot be asked for, and demands that none
// has a state. It returns their errors and that of Poll itself.
func (b *bench) unpolled(ctx context.Context, e *Endpoint, handles [][]byte) ([]error, error) {
	p, err := b.at(ctx, e.Config)
	if err != nil {
		return nil, err
	}
	short, cancel := context.WithTimeout(ctx, patience/4)
	defer cancel()
	var errs []error
	ops := make([]provider.Operation, len(handles))
	for i, h := range handles {
		ops[i].Handle = h
	}
	statuses, err := p.Poll(short, ops)
	if err != nil {
		errs = append(errs, err)
	}
	for _, s := range statuses {
		if s.State != provider.OperationUnknown {
			return nil, fmt.Errorf("an operation is %q, with error: %v", s.State, s.Error)
		}
		if s.Error != nil {
			errs = append(errs, s.Error)
		}
	}
	return errs, nil
}
