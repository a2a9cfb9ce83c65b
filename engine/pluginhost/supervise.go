package pluginhost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc"
)

// supervised adds to a plugin's provider what only the host can: deadlines
// where the caller set none, the process's end in errors, and secrets out of
// whatever comes back.
type supervised struct {
	plugin *Plugin
	next   provider.Provider
}

// supervisedQuoter is supervised for a plugin that declares CapQuote.
type supervisedQuoter struct {
	*supervised
	quoter provider.Quoter
}

func (p *Plugin) supervise(next provider.Provider) provider.Provider {
	s := &supervised{plugin: p, next: next}
	if q, ok := next.(provider.Quoter); ok {
		return &supervisedQuoter{supervised: s, quoter: q}
	}
	return s
}

// limit is one call's time.
type limit struct {
	ctx    context.Context
	cancel func()
	parent context.Context
	time   time.Duration
	timer  *time.Timer // of a pause; nil: time is for the whole call
	own    bool        // ends before the caller's deadline does
}

// errSilent is the cause of a pause that lasted too long.
var errSilent = errors.New("silent")

// within limits a whole call, in a form that travels to the plugin.
func within(parent context.Context, d time.Duration) *limit {
	theirs, has := parent.Deadline()
	ctx, cancel := context.WithTimeout(parent, d)
	return &limit{ctx: ctx, cancel: cancel, parent: parent, time: d, own: !has || time.Until(theirs) > d}
}

// pausing limits the time between two signs of life.
func pausing(parent context.Context, d time.Duration) *limit {
	ctx, cancel := context.WithCancelCause(parent)
	return &limit{
		ctx: ctx, cancel: func() { cancel(nil) }, parent: parent, time: d,
		timer: time.AfterFunc(d, func() { cancel(errSilent) }),
	}
}

func (l *limit) end() {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.cancel()
}

// ranOut says that err comes from this limit and not from the caller's.
func (l *limit) ranOut(err error) bool {
	if l.timer != nil {
		return l.parent.Err() == nil && errors.Is(context.Cause(l.ctx), errSilent)
	}
	return l.own && errors.Is(err, context.DeadlineExceeded)
}

func (s *supervised) local(ctx context.Context) *limit {
	return within(ctx, cmp.Or(s.plugin.host.LocalTimeout, time.Minute))
}

func (s *supervised) cloud() time.Duration {
	return cmp.Or(s.plugin.host.CloudTimeout, 5*time.Minute)
}

// gone refuses a call to a process that is known to be dead: it cannot have
// been received, which for Start is worth knowing.
func (s *supervised) gone(call string) error {
	if !s.plugin.exitedNow() {
		return nil
	}
	return (&rpc.CallError{Plugin: s.plugin.Binary.Name, Call: call, Lost: true, Err: s.exit()}).AsError()
}

func (s *supervised) exit() error {
	return fmt.Errorf("the plugin is dead: %w%s", s.plugin.process.gone(), s.plugin.lastLines())
}

// explain adds to an error what is known of the process.
func (s *supervised) explain(l *limit, err error) error {
	if err == nil {
		return nil
	}
	var call *rpc.CallError
	if !errors.As(err, &call) {
		var told *provider.Error
		if errors.As(err, &told) {
			return s.hide(told)
		}
		return err
	}
	c := *call
	switch {
	case l.ranOut(c.Err):
		c.Err = fmt.Errorf("no answer within %s: %w", l.time, context.DeadlineExceeded)
	case l.parent.Err() == nil && (c.Lost && s.plugin.exitedSoon() || s.plugin.exitedNow()):
		c.Lost = true
		c.Err = s.exit()
	}
	return s.hide(c.AsError())
}

// hide removes what the plugin was given in confidence.
func (s *supervised) hide(e *provider.Error) *provider.Error {
	if e == nil {
		return nil
	}
	c := *e
	c.Message = s.plugin.secrets.hide(e.Message)
	c.Code = s.plugin.secrets.hide(e.Code)
	return &c
}

// Describe implements provider.Provider.
func (s *supervised) Describe(ctx context.Context) (*provider.Description, error) {
	if err := s.gone("describe"); err != nil {
		return nil, err
	}
	l := s.local(ctx)
	defer l.end()
	d, err := s.next.Describe(l.ctx)
	return d, s.explain(l, err)
}

// Configure implements provider.Provider.
func (s *supervised) Configure(ctx context.Context, cfg provider.Config) error {
	if err := s.gone("configure"); err != nil {
		return err
	}
	s.plugin.secrets.know(cfg.Credentials)
	l := s.local(ctx)
	defer l.end()
	return s.explain(l, s.next.Configure(l.ctx, cfg))
}

// Observe implements provider.Provider. Its time is that between two
// observations: a large account may take long, a silent plugin may not.
func (s *supervised) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	if err := s.gone("observe"); err != nil {
		return err
	}
	l := pausing(ctx, s.cloud())
	defer l.end()
	var refused error
	err := s.next.Observe(l.ctx, req, func(o provider.Observation) error {
		// The engine's own work is not the plugin's silence.
		l.timer.Stop()
		defer l.timer.Reset(l.time)
		o.Error = s.hide(o.Error)
		refused = yield(o)
		return refused
	})
	if refused != nil {
		return refused
	}
	return s.explain(l, err)
}

// Plan implements provider.Provider.
func (s *supervised) Plan(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	if err := s.gone("plan"); err != nil {
		return provider.PlanResponse{}, err
	}
	l := s.local(ctx)
	defer l.end()
	plan, err := s.next.Plan(l.ctx, req)
	return plan, s.explain(l, err)
}

// Start implements provider.Provider.
func (s *supervised) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	if err := s.gone("start"); err != nil {
		return provider.Answer{Outcome: provider.OutcomeUnsent, Error: provider.AsError(err)}
	}
	s.plugin.secrets.know(req.Secrets)
	l := within(ctx, s.cloud())
	defer l.end()
	answer := s.next.Start(l.ctx, req)
	if answer.Error != nil {
		answer.Error = provider.AsError(s.explain(l, answer.Error))
	}
	return answer
}

// Poll implements provider.Provider.
func (s *supervised) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	if err := s.gone("poll"); err != nil {
		return nil, err
	}
	l := within(ctx, s.cloud())
	defer l.end()
	found, err := s.next.Poll(l.ctx, ops)
	for i := range found {
		found[i].Error = s.hide(found[i].Error)
	}
	return found, s.explain(l, err)
}

// Quote implements provider.Quoter.
func (s *supervisedQuoter) Quote(ctx context.Context, request []byte) (provider.Price, error) {
	if err := s.gone("quote"); err != nil {
		return provider.Price{}, err
	}
	l := within(ctx, s.cloud())
	defer l.end()
	price, err := s.quoter.Quote(l.ctx, request)
	return price, s.explain(l, err)
}
