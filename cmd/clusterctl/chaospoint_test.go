//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// What tells a clusterctl of the crash grid where to stop. The names of points:
//
//	disk-fsync-intent:before:2    an operation of the store, and its how manyeth in the process
//	call-start-huawei:after:1     a call of a plugin: before is send, after is receive
//	cloud-ScaleOutCluster:after:1 a changing request, seen from the cloud: arrived, or served but not answered
//
// A stop at "#7" is the seventh point that the process comes to, whatever it is.
const (
	stopVariable   = "CCTL_CHAOS_STOP"
	victimVariable = "CCTL_CHAOS_VICTIM"
	traceVariable  = "CCTL_CHAOS_TRACE" // every point is appended to this file
)

// Who dies at a point.
const (
	killSelf   = "clusterctl"
	killPlugin = "plugin"
)

// clusterctlMain is main with taps where a run of the crash grid asks for them.
func clusterctlMain() {
	trace := os.Getenv(traceVariable)
	if trace == "" {
		main()
		return
	}
	f, err := os.OpenFile(trace, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	s := &stops{at: os.Getenv(stopVariable), victim: os.Getenv(victimVariable), store: os.Getenv("CCTL_STORE"),
		tmp: os.Getenv("TMPDIR"), trace: f, seen: map[string]int{}}
	debug.SetTraceback("crash")
	os.Exit(run(os.Args, taps{disk: s.disk, provider: s.provider}))
}

// stops are the points of one process.
type stops struct {
	at, victim string
	store, tmp string
	trace      *os.File

	mu    sync.Mutex
	seen  map[string]int
	total int
}

// reach is called at every point. plugin is who dies there when it is not us.
func (s *stops) reach(what, when, plugin string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	name := what + ":" + when
	s.seen[name]++
	name = fmt.Sprintf("%s:%d", name, s.seen[name])
	fmt.Fprintln(s.trace, name)
	if s.at != name && s.at != fmt.Sprintf("#%d", s.total) {
		return
	}
	fmt.Fprintln(s.trace, killMark+s.victim+" at "+name)
	if s.victim == killPlugin {
		if err := killPlugins(s.tmp, plugin); err != nil {
			panic(err)
		}
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // nothing more happens here
}

// killMark begins the line in a trace that says who was killed.
const killMark = "KILL "

// disk taps what changes something; before or after a read is where the
// operation beside it was.
func (s *stops) disk(op journal.Op, path string, f func() error) error {
	switch op {
	case journal.OpRead, journal.OpList, journal.OpStat:
		return f()
	}
	what := "disk-" + string(op) + "-" + s.place(path)
	s.reach(what, "before", "")
	err := f()
	s.reach(what, "after", "")
	return err
}

// place names a file of the store without what differs from run to run.
func (s *stops) place(path string) string {
	rel, err := filepath.Rel(s.store, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return "above"
	}
	dir, base := filepath.Split(rel)
	temp := ""
	if name, ok := strings.CutSuffix(base, ".tmp"); ok {
		base, temp = name, "-temp"
	}
	switch {
	case rel == ".":
		return "store"
	case dir == "open/":
		return "intent" + temp
	case dir == "lock/" && strings.HasSuffix(base, ".fence"):
		return "fence"
	case dir == "lock/":
		return "lock"
	case base == "open" || base == "lock":
		return base + "-folder"
	}
	return strings.TrimSuffix(base, filepath.Ext(base)) + temp
}

// provider taps every call of a plugin after Configure.
func (s *stops) provider(name string, next provider.Provider) provider.Provider {
	p := &stoppedProvider{Provider: next, stops: s, name: name}
	if q, ok := next.(provider.Quoter); ok {
		return &stoppedQuoter{p, q}
	}
	return p
}

type stoppedProvider struct {
	provider.Provider
	stops *stops
	name  string
}

type stoppedQuoter struct {
	*stoppedProvider
	quoter provider.Quoter
}

// around stops before a call, and after it.
func (p *stoppedProvider) around(call string) (after func()) {
	what := "call-" + call + "-" + p.name
	p.stops.reach(what, "before", p.name)
	return func() { p.stops.reach(what, "after", p.name) }
}

func (p *stoppedProvider) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	defer p.around("observe")()
	return p.Provider.Observe(ctx, req, yield)
}

func (p *stoppedProvider) Plan(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	defer p.around("plan")()
	return p.Provider.Plan(ctx, req)
}

func (p *stoppedProvider) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	call := "start"
	if req.CheckOnly {
		call = "check"
	}
	defer p.around(call)()
	return p.Provider.Start(ctx, req)
}

func (p *stoppedProvider) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	defer p.around("poll")()
	return p.Provider.Poll(ctx, ops)
}

func (p *stoppedQuoter) Quote(ctx context.Context, request []byte) (provider.Price, error) {
	defer p.around("quote")()
	return p.quoter.Quote(ctx, request)
}
