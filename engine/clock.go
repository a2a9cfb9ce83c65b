package engine

import (
	"context"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
)

// past reports that t is over by the wall clock and, where both moments are of
// this process, by the monotonic one: neither a step of the clock nor a
// suspended machine may end a wait early.
func past(now, t time.Time) bool {
	return now.After(t) && now.Round(0).After(t.Round(0))
}

// remaining is how long until t is past; more than zero while it is not.
func remaining(t time.Time) time.Duration {
	now := time.Now()
	if past(now, t) {
		return 0
	}
	return max(t.Sub(now), t.Round(0).Sub(now.Round(0))) + time.Millisecond
}

// skew bounds how far our clock is ahead of the cloud's: a signature made with
// it stays good for as much longer. More than the window itself the cloud
// would not take. The bound is raised by what the answer took to arrive.
func skew(local, cloud time.Time, window time.Duration) time.Duration {
	if cloud.IsZero() {
		return 0
	}
	return min(max(local.Sub(cloud), 0), window)
}

// pause is the time between two reads of one cluster: short only where a
// simulator's clocks are.
func (e *Entry) pause(lag time.Duration) time.Duration {
	if e.Timing != nil {
		return min(10*time.Second, max(lag, 10*time.Millisecond))
	}
	if lag <= 0 {
		return 10 * time.Second
	}
	return min(10*time.Second, max(lag, time.Second))
}

// sleep waits and reports whether it slept to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// durable is the intent as it is written: in memory times keep the monotonic
// clock, on disk they are UTC.
func durable(in *journal.Intent) journal.Intent {
	out := *in
	out.ReadAt, out.SignedAt = in.ReadAt.UTC(), in.SignedAt.UTC()
	out.Expires, out.Deadline = in.Expires.UTC(), in.Deadline.UTC()
	if in.Answer != nil {
		answer := *in.Answer
		answer.At = answer.At.UTC()
		out.Answer = &answer
	}
	return out
}
