package pluginhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
)

const madeUp = "made-up/secret+key=="

func configure(t *testing.T, p *Plugin) {
	t.Helper()
	if err := p.Configure(context.Background(), provider.Config{Credentials: map[string]string{"secret_key": madeUp}}); err != nil {
		t.Fatal(err)
	}
}

func poll(ctx context.Context, p *Plugin, what string) error {
	_, err := p.Poll(ctx, []provider.Operation{{Handle: []byte(what)}})
	return err
}

// The error of a call that the plugin does not survive names plugin, call,
// address, how the process ended and its last lines; escapes and secrets are
// gone from them.
func TestDeathInACall(t *testing.T) {
	var lines []string
	p := start(t, Host{Log: func(plugin, line string) { lines = append(lines, plugin+": "+line) }}, "good")
	configure(t, p)
	var read []string
	err := p.Observe(context.Background(), provider.ObserveRequest{Keys: []provider.Key{{Address: "a"}, {Address: "exit"}, {Address: "c"}}},
		func(o provider.Observation) error { read = append(read, o.Address+": "+o.Error.Error()); return nil })
	want := "plugin good: observe of exit, c: the plugin is dead: it exited with code 3; its last lines:\n  | the disk is full [secret]"
	if err == nil || !sameBut(err.Error(), want, "observe of a, exit, c", "observe of exit, c") {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	for _, line := range read {
		if line != "a: key [secret]" {
			t.Errorf("read %q", line)
		}
	}
	if e := provider.AsError(err); e.Kind.Retryable() {
		t.Error("a dead plugin is asked again")
	}
	<-p.Exited()
	if diff := cmp.Diff([]string{"good: the disk is full [secret]"}, lines); diff != "" {
		t.Error(diff)
	}

	t.Run("afterwards", func(t *testing.T) {
		got := p.Start(context.Background(), provider.StartRequest{})
		want := "plugin good: start: the plugin is dead: it exited with code 3; its last lines:\n  | the disk is full [secret]; nothing was sent"
		if got.Outcome != provider.OutcomeUnsent || got.Error.Error() != want {
			t.Errorf("got  %q %s\nwant %s", got.Outcome, got.Error, want)
		}
	})
}

// sameBut compares two texts of which got may have old where want has new: an
// observation can be lost with the connection that carried it.
func sameBut(got, want, old, new string) bool { return strings.Replace(got, old, new, 1) == want }

func TestDeathInStart(t *testing.T) {
	tests := []struct{ request, want string }{
		{"exit", "plugin good: start: the plugin is dead: it exited with code 3; its last lines:\n  | the disk is full [secret]; the request may have reached the cloud"},
		{"crash", "plugin good: start: the plugin is dead: it exited with code 2; its last lines:\n"},
	}
	if runtime.GOOS != "windows" {
		tests = append(tests, struct{ request, want string }{"kill", "plugin good: start: the plugin is dead: it was ended by signal: killed; the request may have reached the cloud"})
	}
	for _, test := range tests {
		t.Run(test.request, func(t *testing.T) {
			t.Parallel()
			p := start(t, Host{}, "good")
			configure(t, p)
			got := p.Start(context.Background(), provider.StartRequest{Request: []byte(test.request)})
			if got.Outcome != provider.OutcomeUnknown {
				t.Errorf("outcome %q", got.Outcome)
			}
			text := got.Error.Error()
			if !strings.HasPrefix(text, test.want) || !strings.HasSuffix(text, "; the request may have reached the cloud") {
				t.Errorf("got  %s\nwant %s", text, test.want)
			}
			if test.request == "crash" && !strings.Contains(text, "main_test.go") {
				t.Errorf("no stack in %s", text)
			}
		})
	}
}

func TestSecretsStayHidden(t *testing.T) {
	p := start(t, Host{}, "good")
	err := p.Configure(context.Background(), provider.Config{Entry: "bad", Credentials: map[string]string{"secret_key": madeUp}})
	if want := "the key [secret] is malformed"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	got := p.Start(context.Background(), provider.StartRequest{Secrets: map[string]string{"login_password": "Pässword-1"}})
	if want := "sent [secret]"; got.Error.Error() != want {
		t.Errorf("got %v, want %s", got.Error, want)
	}
}

func TestHang(t *testing.T) {
	p := start(t, Host{LocalTimeout: 50 * time.Millisecond, CloudTimeout: 60 * time.Millisecond, Grace: 50 * time.Millisecond}, "good")
	key := provider.Key{Address: "hang"}
	calls := []struct {
		name string
		call func(context.Context) error
		want string
	}{
		{"plan", func(ctx context.Context) error {
			_, err := p.Plan(ctx, provider.PlanRequest{Clusters: []provider.ClusterChange{{Desired: provider.Desired{Address: "hang"}}}})
			return err
		}, "plugin good: plan of hang: no answer within 50ms: context deadline exceeded"},
		{"poll", func(ctx context.Context) error { return poll(ctx, p, "hang") }, "plugin good: poll: no answer within 60ms: context deadline exceeded"},
		{"observe", func(ctx context.Context) error {
			return p.Observe(ctx, provider.ObserveRequest{Keys: []provider.Key{key}}, func(provider.Observation) error { return nil })
		}, "plugin good: observe of hang: no answer within 60ms: context deadline exceeded"},
		{"start", func(ctx context.Context) error {
			answer := p.Start(ctx, provider.StartRequest{Request: []byte("hang")})
			if answer.Outcome != provider.OutcomeUnknown {
				t.Errorf("outcome %q", answer.Outcome)
			}
			return answer.Error
		}, "plugin good: start: no answer within 60ms: context deadline exceeded; the request may have reached the cloud"},
	}
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			err := c.call(context.Background())
			if err == nil || err.Error() != c.want || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			// The caller's own, earlier deadline is not called ours.
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
			defer cancel()
			if err := c.call(ctx); err == nil || !strings.Contains(err.Error(), "no answer in time: context deadline exceeded") {
				t.Errorf("with a deadline: %v", err)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := poll(ctx, p, "wait"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// steady is a provider that observes after a pause each, or not at all.
type steady struct {
	provider.Provider
	pause  time.Duration
	silent bool
}

func (s *steady) Observe(ctx context.Context, r provider.ObserveRequest, yield func(provider.Observation) error) error {
	for _, k := range r.Keys {
		time.Sleep(s.pause)
		if err := yield(provider.Observation{Address: k.Address}); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if s.silent {
		<-ctx.Done()
		return (&rpc.CallError{Plugin: "steady", Call: "observe", Reached: true, Err: ctx.Err()}).AsError()
	}
	return nil
}

// Only the plugin's silence counts, not how long the whole takes and not what
// the engine does with an observation.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = time.Minute
		p := &Plugin{host: &Host{CloudTimeout: limit}, secrets: &secrets{}, process: &process{exited: make(chan struct{})}}
		keys := make([]provider.Key, 100)
		slow := func(provider.Observation) error { time.Sleep(time.Hour); return nil }
		next := &steady{pause: limit - time.Second}
		if err := p.supervise(next).Observe(context.Background(), provider.ObserveRequest{Keys: keys}, slow); err != nil {
			t.Error(err)
		}
		next.silent = true
		began := time.Now()
		err := p.supervise(next).Observe(context.Background(), provider.ObserveRequest{}, slow)
		want := "plugin steady: observe: no answer within 1m0s: context deadline exceeded"
		if err == nil || err.Error() != want || time.Since(began) != limit {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestYieldErrorIsTheCallers(t *testing.T) {
	p := start(t, Host{}, "good")
	enough := errors.New("enough")
	err := p.Observe(context.Background(), provider.ObserveRequest{Keys: []provider.Key{{Address: "a"}}}, func(provider.Observation) error { return enough })
	if err != enough {
		t.Errorf("got %v", err)
	}
}

// A flood neither blocks the plugin nor grows what is kept.
func TestFlood(t *testing.T) {
	var mu sync.Mutex
	logged := 0
	p := start(t, Host{Log: func(string, string) { mu.Lock(); logged++; mu.Unlock() }}, "good")
	if err := poll(context.Background(), p, "flood"); err != nil {
		t.Fatal(err)
	}
	// The last lines may still be in the pipe when the answer is here.
	if err := poll(context.Background(), p, "exit"); err == nil {
		t.Fatal("it lives")
	}
	<-p.Exited()
	lines := p.LastLines()
	if len(lines) != keptLines {
		t.Errorf("%d lines are kept", len(lines))
	}
	for _, line := range lines {
		if len(line) > keptBytes+len("…") {
			t.Errorf("a line of %d bytes is kept", len(line))
		}
	}
	if got, want := fmt.Sprint(lines[len(lines)-2], lines[len(lines)-1][:16]), "lastthe disk is full"; got != want {
		t.Errorf("the end is %q, want %q", got, want)
	}
	if logged < 40_000 {
		t.Errorf("only %d lines were passed on", logged)
	}
}

func TestOversizedMessages(t *testing.T) {
	p := start(t, Host{}, "good")
	big := provider.StartRequest{Request: bytes.Repeat([]byte("x"), provider.MaxMessage)}
	got := p.Start(context.Background(), big)
	if want := "plugin good: start: the request has 16777221 bytes, over the limit of 16777216 for one message; nothing was sent"; got.Outcome != provider.OutcomeUnsent || got.Error.Error() != want {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
	if err := poll(context.Background(), p, "big"); err == nil || len(err.Error()) > 1000 || !strings.Contains(err.Error(), "over the limit of 16777216") {
		t.Errorf("got an error of %d bytes", len(fmt.Sprint(err)))
	}
	if err := poll(context.Background(), p, ""); err != nil {
		t.Errorf("the plugin did not survive: %v", err)
	}
}
