package simulation

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// leases is a store whose leases put and close as told; nil leaves them alone.
func leases(put func(journal.Lease, journal.Intent) error, end func(journal.Lease, journal.Record) error) func(journal.Store) journal.Store {
	return func(s journal.Store) journal.Store { return leasing{s, put, end} }
}

type leasing struct {
	journal.Store
	put func(journal.Lease, journal.Intent) error
	end func(journal.Lease, journal.Record) error
}

func (s leasing) Lock(ctx context.Context, key string, holder journal.Holder) (journal.Lease, error) {
	l, err := s.Store.Lock(ctx, key, holder)
	if err != nil {
		return nil, err
	}
	return leased{l, s}, nil
}

type leased struct {
	journal.Lease
	by leasing
}

func (l leased) Put(in journal.Intent) error {
	if l.by.put == nil {
		return l.Lease.Put(in)
	}
	return l.by.put(l.Lease, in)
}

func (l leased) Close(r journal.Record) error {
	if l.by.end == nil {
		return l.Lease.Close(r)
	}
	return l.by.end(l.Lease, r)
}

// blind finds no intents.
type blind struct{ journal.Store }

func (blind) Intent(string) (*journal.Intent, error) { return nil, nil }
func (blind) Open() ([]journal.Intent, []*journal.CorruptError, error) {
	return nil, nil, nil
}

// ageless says that nothing was under way before it.
type ageless struct{ journal.Store }

func (ageless) Since() time.Time { return time.Time{} }

// forgetful has no history to tell.
type forgetful struct{ journal.Store }

func (forgetful) History(func(journal.Record) bool) error { return nil }

func kinds(change func(*provider.Kind)) func(*provider.Description) {
	return func(d *provider.Description) {
		for i := range d.Kinds {
			change(&d.Kinds[i])
		}
	}
}

type startFunc func(provider.Provider, context.Context, provider.StartRequest) provider.Answer

func starts(f startFunc) func(provider.Provider) provider.Provider {
	return func(p provider.Provider) provider.Provider { return starting{p, f} }
}

type starting struct {
	provider.Provider
	start startFunc
}

func (s starting) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	if req.CheckOnly {
		return s.Provider.Start(ctx, req)
	}
	return s.start(s.Provider, ctx, req)
}

func unknownIs(o provider.Outcome) startFunc {
	return func(p provider.Provider, ctx context.Context, req provider.StartRequest) provider.Answer {
		answer := p.Start(ctx, req)
		if answer.Outcome == provider.OutcomeUnknown {
			answer.Outcome = o
		}
		return answer
	}
}

func seen(change func(*provider.Observation)) func(provider.Provider) provider.Provider {
	return func(p provider.Provider) provider.Provider { return seeing{p, change} }
}

// seeing changes what is read of a cluster.
type seeing struct {
	provider.Provider
	change func(*provider.Observation)
}

func (p seeing) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	return p.Provider.Observe(ctx, req, func(o provider.Observation) error {
		if o.Cluster != nil {
			s := *o.Cluster
			s.Groups = slices.Clone(s.Groups)
			for i := range s.Groups {
				s.Groups[i].Nodes = slices.Clone(s.Groups[i].Nodes)
			}
			o.Cluster = &s
			p.change(&o)
		}
		return yield(o)
	})
}

// timeless never tells the cloud's time.
type timeless struct{ provider.Provider }

func (p timeless) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	return p.Provider.Observe(ctx, req, func(o provider.Observation) error {
		o.At = time.Time{}
		return yield(o)
	})
}

func (p timeless) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	answer := p.Provider.Start(ctx, req)
	answer.At = time.Time{}
	return answer
}

// hasty takes every operation for ended.
type hasty struct{ provider.Provider }

func (p hasty) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	all, err := p.Provider.Poll(ctx, ops)
	for i := range all {
		all[i].State = provider.OperationSucceeded
	}
	return all, err
}

// crossed now and then answers with another cluster than it was asked for.
type crossed struct{ *plugin }

func (p crossed) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	ids := map[string]string{}
	for _, k := range req.Keys {
		ids[k.Address] = k.ID
	}
	return p.plugin.Observe(ctx, req, func(o provider.Observation) error {
		for _, other := range p.w.cloud.clusters {
			s := other.as(time.Now())
			if o.Cluster != nil && ids[o.Address] != "" && s != nil && p.w.faults.reads > 0 && p.w.steps%3 == 0 {
				o.Cluster, o.IDs = s, []string{s.ID}
			}
		}
		return yield(o)
	})
}

func unreads(instead func(provider.Key) provider.Observation) func(provider.Provider) provider.Provider {
	return func(p provider.Provider) provider.Provider { return unread{p, instead} }
}

// unread answers something where it should say that it could not read.
type unread struct {
	provider.Provider
	instead func(provider.Key) provider.Observation
}

func (p unread) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	told := map[string]bool{}
	err := p.Provider.Observe(ctx, req, func(o provider.Observation) error {
		if o.Presence != provider.Unread {
			told[o.Address] = true
			return yield(o)
		}
		return nil
	})
	if ctx.Err() != nil {
		return err
	}
	for _, k := range req.Keys {
		if !told[k.Address] {
			if err := yield(p.instead(k)); err != nil {
				return err
			}
		}
	}
	return nil
}

// requests changes what Plan's requests say, and not what its actions say.
func requests(change func(*body)) func(provider.Provider) provider.Provider {
	return func(p provider.Provider) provider.Provider { return scheming{p, change} }
}

type scheming struct {
	provider.Provider
	change func(*body)
}

func (p scheming) Plan(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	resp, err := p.Provider.Plan(ctx, req)
	for _, c := range resp.Clusters {
		for i := range c.Actions {
			var b body
			if json.Unmarshal(c.Actions[i].Request, &b) == nil {
				p.change(&b)
				c.Actions[i].Request = []byte(b.String())
			}
		}
	}
	return resp, err
}
