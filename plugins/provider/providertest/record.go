package providertest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// shortSecret is how long a word must be to be looked for: shorter ones occur
// by chance.
const shortSecret = 6

// record is what is seen of every answer of every provider in a run: secrets
// shown, errors of no known kind, panics. It keeps findings, not answers.
type record struct {
	secrets map[string][]string // what it is → the forms to look for

	mu                   sync.Mutex
	shown, kinds, panics []string
}

func newRecord(opts Options) *record {
	r := &record{secrets: map[string][]string{}}
	add := func(what, value string) {
		if len(value) >= shortSecret {
			r.secrets[what] = append(r.secrets[what], forms(value)...)
		}
	}
	configs := []provider.Config{opts.Config}
	if opts.Unauthorized != nil {
		configs = append(configs, *opts.Unauthorized)
	}
	for _, cfg := range configs {
		for name, value := range cfg.Credentials {
			add("credential "+name, value)
		}
	}
	for _, s := range opts.Scenarios {
		for _, set := range append([]map[string]string{s.Secrets}, s.BadSecrets...) {
			for path, value := range set {
				add("secret "+path, value)
			}
		}
	}
	return r
}

// forms are the ways in which a text may hold a word.
func forms(value string) []string {
	quoted, _ := json.Marshal(value) // a string always encodes
	goQuoted := strconv.Quote(value)
	all := []string{
		value, string(quoted[1 : len(quoted)-1]), goQuoted[1 : len(goQuoted)-1],
		url.QueryEscape(value), url.PathEscape(value), base64.StdEncoding.EncodeToString([]byte(value)),
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *record) note(list *[]string, finding string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(*list, finding) {
		*list = append(*list, finding)
	}
}

// text looks for secrets in what came from where.
func (r *record) text(where, text string) {
	for _, what := range slices.Sorted(maps.Keys(r.secrets)) {
		if slices.ContainsFunc(r.secrets[what], func(form string) bool { return strings.Contains(text, form) }) {
			r.note(&r.shown, where+" shows "+what)
		}
	}
}

// value looks through a value with JSON's eyes.
func (r *record) value(where string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		r.note(&r.kinds, fmt.Sprintf("%s answers with what JSON cannot hold: %v", where, err))
	}
	r.text(where, string(b))
}

var errorKinds = []provider.ErrorKind{
	provider.KindInternal, provider.KindInvalid, provider.KindUnauthenticated, provider.KindDenied, provider.KindNotFound,
	provider.KindConflict, provider.KindQuota, provider.KindThrottled, provider.KindUnavailable, provider.KindUnsupported,
}

// error looks through an error and its causes. It takes a *provider.Error as
// such, because a nil one is no nil error.
func (r *record) error(where string, err error) {
	if e, ok := err.(*provider.Error); err == nil || ok && e == nil {
		return
	}
	for e := range chain(err) {
		r.text("an error of "+where, fmt.Sprintf("%v %+v", e, e))
	}
	e := provider.AsError(err)
	if !slices.Contains(errorKinds, e.Kind) {
		r.note(&r.kinds, fmt.Sprintf("%s answers with an error of kind %q, which the contract does not know", where, e.Kind))
	}
	if err.Error() == "" {
		r.note(&r.kinds, where+" answers with an error without a word")
	}
	if e.RetryAfter < 0 {
		r.note(&r.kinds, where+" answers with an error to be tried again in the past")
	}
}

// chain is err and everything that it wraps.
func chain(err error) func(func(error) bool) {
	return func(yield func(error) bool) {
		var walk func(error) bool
		walk = func(err error) bool {
			if err == nil {
				return true
			}
			if !yield(err) {
				return false
			}
			if many, ok := err.(interface{ Unwrap() []error }); ok {
				return !slices.ContainsFunc(many.Unwrap(), func(e error) bool { return !walk(e) })
			}
			return walk(errors.Unwrap(err))
		}
		walk(err)
	}
}

// recorded is a provider under watch.
type recorded struct {
	to     provider.Provider
	record *record
}

// rescue turns a panic into an error and a finding.
func (p *recorded) rescue(where string, err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("%s panicked: %v", where, v)
		p.record.note(&p.record.panics, (*err).Error())
	}
	p.record.error(where, *err)
}

func (p *recorded) Describe(ctx context.Context) (d *provider.Description, err error) {
	defer p.rescue("Describe", &err)
	d, err = p.to.Describe(ctx)
	p.record.value("Describe", d)
	return d, err
}

func (p *recorded) Configure(ctx context.Context, cfg provider.Config) (err error) {
	defer p.rescue("Configure", &err)
	cfg.Credentials = maps.Clone(cfg.Credentials)
	return p.to.Configure(ctx, cfg)
}

func (p *recorded) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) (err error) {
	defer p.rescue("Observe", &err)
	req.Keys = slices.Clone(req.Keys)
	return p.to.Observe(ctx, req, func(o provider.Observation) error {
		p.record.error("Observe", o.Error)
		p.record.value("Observe", o.Cluster)
		return yield(o)
	})
}

func (p *recorded) Plan(ctx context.Context, req provider.PlanRequest) (resp provider.PlanResponse, err error) {
	defer p.rescue("Plan", &err)
	resp, err = p.to.Plan(ctx, req)
	p.record.value("Plan", resp)
	for _, c := range resp.Clusters {
		for _, a := range c.Actions {
			p.record.text("a request of Plan", string(a.Request))
		}
	}
	return resp, err
}

func (p *recorded) Start(ctx context.Context, req provider.StartRequest) (a provider.Answer) {
	var err error
	defer func() {
		if err != nil {
			a = provider.Answer{Outcome: "panicked", Error: provider.AsError(err)}
		}
	}()
	defer p.rescue("Start", &err)
	req.Request, req.Secrets = slices.Clone(req.Request), maps.Clone(req.Secrets)
	a = p.to.Start(ctx, req)
	p.record.error("Start", a.Error)
	p.record.text("Start", fmt.Sprintf("%s %s %s", a.Operation.Handle, a.ClusterID, a.RequestID))
	return a
}

func (p *recorded) Poll(ctx context.Context, ops []provider.Operation) (statuses []provider.OperationStatus, err error) {
	defer p.rescue("Poll", &err)
	statuses, err = p.to.Poll(ctx, ops)
	for _, s := range statuses {
		p.record.error("Poll", s.Error)
		p.record.text("Poll", fmt.Sprintf("%s %v %s", s.Progress, s.Nodes, s.ClusterID))
	}
	return statuses, err
}

// Quote implements provider.Quoter when the provider does.
func (p *recorded) Quote(ctx context.Context, request []byte) (price provider.Price, err error) {
	defer p.rescue("Quote", &err)
	q, ok := p.to.(provider.Quoter)
	if !ok {
		return price, errors.New("the provider declares quote and is no provider.Quoter")
	}
	return q.Quote(ctx, request)
}

// outputChecks judge what was seen over the whole run.
var outputChecks = []check{
	{Rule{ID: "errors-typed", Text: "Every error has a kind that the contract knows and says something."},
		func(_ context.Context, b *bench) error { return found(b, &b.record.kinds) }},
	{Rule{ID: "no-panic", Text: "No call panics, whatever it is given."},
		func(_ context.Context, b *bench) error { return found(b, &b.record.panics) }},
	{Rule{ID: "secrets-hidden", Text: "No credential and no secret stands in an answer, an error or anything printed."},
		func(_ context.Context, b *bench) error {
			if len(b.record.secrets) == 0 {
				return skip(fmt.Sprintf("no credential or secret in Options has %d characters", shortSecret))
			}
			if b.opts.Output != nil {
				b.record.text("what was printed", b.opts.Output())
			}
			return found(b, &b.record.shown)
		}},
}

func found(b *bench, list *[]string) error {
	b.record.mu.Lock()
	defer b.record.mu.Unlock()
	if len(*list) == 0 {
		return nil
	}
	return errors.New(strings.Join(*list, "; "))
}
