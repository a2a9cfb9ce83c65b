package providertest

import (
	"context"
	"fmt"
	"time"
)

// within calls f in a goroutine and reports whether it came back before ctx
// ended, or soon after.
func within(ctx context.Context, soon time.Duration, f func() error) (err error, ok bool) {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("it panicked: %v", v)
			}
		}()
		done <- f()
	}()
	select {
	case err := <-done:
		return err, true
	case <-ctx.Done():
	}
	late := time.NewTimer(soon)
	defer late.Stop()
	select {
	case err := <-done:
		return err, true
	case <-late.C:
		return nil, false
	}
}

// arrives waits until the endpoint has had more than before requests.
func (e *Endpoint) arrives(ctx context.Context, before int) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for e.Requests() <= before {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("no request came to %s: %w", e.Name, ctx.Err())
		}
	}
	return nil
}
