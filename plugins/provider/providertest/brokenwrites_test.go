package providertest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest"
)

var brokenPlans = []broken{
	{"a plan counts its calls", replanned(func(_ provider.ClusterChange, p *provider.ClusterPlan) {
		p.Warnings = append(p.Warnings, fmt.Sprint(changes.Add(1)))
	}), []string{"plan-pure"}},
	{"a plan asks the cloud", func(f *providertest.Fake, m *memory) {
		f.OnPlan = func(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
			_, _ = m.ask(ctx)
			return m.Plan(ctx, req)
		}
	}, []string{"plan-pure"}},
	{"a field is dropped", replanned(func(_ provider.ClusterChange, p *provider.ClusterPlan) { p.Blocked = nil }), []string{"plan-covers", "plan-order"}},
	{"a field is settled twice", replanned(func(_ provider.ClusterChange, p *provider.ClusterPlan) {
		p.Blocked = append(p.Blocked, p.Blocked...)
	}), []string{"plan-covers", "plan-order"}},
	{"clusters are answered in another order", func(f *providertest.Fake, m *memory) {
		f.OnPlan = func(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
			resp, err := m.Plan(ctx, req)
			slices.Reverse(resp.Clusters)
			return resp, err
		}
	}, []string{"plan-order"}},
	{"something is planned without a change", replanned(func(c provider.ClusterChange, p *provider.ClusterPlan) {
		if len(c.Changes) == 0 {
			p.Actions = []provider.Action{{Op: provider.OpResize}}
		}
	}), []string{"plan-nothing"}},
	{"what is blocked has no reason", replanned(func(_ provider.ClusterChange, p *provider.ClusterPlan) {
		for i := range p.Blocked {
			p.Blocked[i].Reason = ""
		}
	}), []string{"plan-blocked"}},
	{"from and to are a delta", replanned(func(_ provider.ClusterChange, p *provider.ClusterPlan) {
		for i, a := range p.Actions {
			if a.Op == provider.OpScaleOut {
				p.Actions[i].From = map[string]int64{"count": 0}
				p.Actions[i].To = map[string]int64{"count": a.To["count"] - a.From["count"]}
			}
		}
	}), []string{"plan-from-to", "plan-expected", "start-applied"}},
	{"a victim is named that is not there", replanned(func(_ provider.ClusterChange, p *provider.ClusterPlan) {
		for _, a := range p.Actions {
			if len(a.Removes) > 0 {
				a.Removes[0].ID = "node-of-another-group"
			}
		}
	}), []string{"plan-removes", "start-applied"}},
	{"a needed secret is not named in the scenario", replanned(func(_ provider.ClusterChange, p *provider.ClusterPlan) {
		for i := range p.Actions {
			p.Actions[i].Secrets = []string{"another_password"}
		}
	}), []string{"plan-request", "start-bad-secrets"}},
}

var brokenStarts = []broken{
	{"a check sends", func(f *providertest.Fake, m *memory) {
		f.OnStart = func(ctx context.Context, req provider.StartRequest) provider.Answer {
			if req.CheckOnly && m.cfg.Endpoint == "cut" && m.Start(ctx, req).Error == nil {
				_, _ = m.ask(ctx)
			}
			return m.Start(ctx, req)
		}
	}, []string{"start-check-only"}},
	{"every check is sound", answered(func(req provider.StartRequest, a *provider.Answer) {
		if req.CheckOnly {
			*a = provider.Answer{Outcome: provider.OutcomeUnsent}
		}
	}), []string{"start-bad-request", "start-bad-secrets"}},
	{"a bad secret is printed", answered(func(req provider.StartRequest, a *provider.Answer) {
		if a.Outcome == provider.OutcomeRefused && strings.Contains(req.Secrets[secretPath], "\n") {
			a.Error = provider.Errorf(provider.KindInvalid, "%q holds a line break", req.Secrets[secretPath])
		}
	}), []string{"start-bad-secrets", "secrets-hidden"}},
	{"nobody listens, and it is called unknown", answered(func(_ provider.StartRequest, a *provider.Answer) {
		if a.Error != nil && a.Error.Message == "nobody listens" {
			a.Outcome = provider.OutcomeUnknown
		}
	}), []string{"start-unsent"}},
	{"an unreadable answer is called refused", answered(func(_ provider.StartRequest, a *provider.Answer) {
		if a.Error != nil && a.Error.Message == "the answer cannot be read" {
			a.Outcome = provider.OutcomeRefused
		}
	}), []string{"start-garbled"}},
	{"a lost connection is called refused", answered(func(_ provider.StartRequest, a *provider.Answer) {
		if a.Outcome == provider.OutcomeUnknown && a.Error.Message != "the answer cannot be read" {
			a.Outcome = provider.OutcomeRefused
		}
	}), []string{"start-unknown", "start-cancelled"}},
	{"a lost connection is tried again", func(f *providertest.Fake, m *memory) {
		f.OnStart = func(ctx context.Context, req provider.StartRequest) provider.Answer {
			a := m.Start(ctx, req)
			if a.Outcome == provider.OutcomeUnknown && m.cfg.Endpoint != "garbled" {
				a = m.Start(ctx, req)
			}
			return a
		}
	}, []string{"start-unknown", "start-cancelled"}},
	{"wrong credentials are called unsent", answered(func(_ provider.StartRequest, a *provider.Answer) {
		if a.Error != nil && a.Error.Kind == provider.KindUnauthenticated {
			a.Outcome = provider.OutcomeUnsent
		}
	}), []string{"start-unauthenticated"}},
	{"nothing is done and it is called accepted", func(f *providertest.Fake, m *memory) {
		f.OnStart = func(ctx context.Context, req provider.StartRequest) provider.Answer {
			if req.CheckOnly || m.cfg.Endpoint != "up" || m.cfg.Credentials["key"] != goodKey {
				return m.Start(ctx, req)
			}
			return provider.Answer{Outcome: provider.OutcomeAccepted}
		}
	}, []string{"start-applied"}},
	{"another node goes than the one named", func(f *providertest.Fake, m *memory) {
		f.OnStart = func(ctx context.Context, req provider.StartRequest) provider.Answer {
			other := []byte(strings.ReplaceAll(string(req.Request), `"node-4"`, `"node-3"`))
			return m.Start(ctx, provider.StartRequest{Request: other, Secrets: req.Secrets, CheckOnly: req.CheckOnly})
		}
	}, []string{"start-applied"}},
	{"an error has a kind of its own", answered(func(_ provider.StartRequest, a *provider.Answer) {
		if a.Outcome == provider.OutcomeUnknown && a.Error != nil {
			a.Error.Kind = "mysterious"
		}
	}), []string{"errors-typed"}},
}

var brokenPolls = []broken{
	{"a strange handle is a panic", func(f *providertest.Fake, m *memory) {
		f.OnPoll = func(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
			for _, op := range ops {
				if len(op.Handle) == 0 {
					panic("no handle")
				}
			}
			return m.Poll(ctx, ops)
		}
	}, []string{"poll-unknown-handle", "no-panic"}},
	{"a strange handle has succeeded", func(f *providertest.Fake, m *memory) {
		f.OnPoll = func(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
			statuses, err := m.Poll(ctx, ops)
			for i, s := range statuses {
				if s.Error != nil && s.Error.Kind == provider.KindNotFound {
					statuses[i] = provider.OperationStatus{State: provider.OperationSucceeded}
				}
			}
			return statuses, err
		}
	}, []string{"poll-unknown-handle", "poll-later-process"}},
	{"statuses come in another order", func(f *providertest.Fake, m *memory) {
		f.OnPoll = func(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
			statuses, err := m.Poll(ctx, ops)
			slices.Reverse(statuses)
			return statuses, err
		}
	}, []string{"poll-later-process"}},
	{"an unreachable cloud is a failed operation", func(f *providertest.Fake, m *memory) {
		f.OnPoll = func(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
			statuses, err := m.Poll(ctx, ops)
			for i, s := range statuses {
				if s.Error != nil && s.Error.Kind == provider.KindUnavailable {
					statuses[i].State = provider.OperationFailed
				}
			}
			return statuses, err
		}
	}, []string{"poll-unread"}},
	{"a cancelled Poll has answers", func(f *providertest.Fake, m *memory) {
		f.OnPoll = func(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
			return m.Poll(context.WithoutCancel(ctx), ops)
		}
	}, []string{"poll-cancelled"}},
	{"handles live in the process", func(f *providertest.Fake, m *memory) {
		own := map[string]bool{}
		f.OnStart = func(ctx context.Context, req provider.StartRequest) provider.Answer {
			a := m.Start(ctx, req)
			own[string(a.Operation.Handle)] = true
			return a
		}
		f.OnPoll = func(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
			statuses, err := m.Poll(ctx, ops)
			for i, op := range ops[:len(statuses)] {
				if !own[string(op.Handle)] && m.cfg.Endpoint == "up" {
					statuses[i] = provider.OperationStatus{Error: provider.Errorf(provider.KindNotFound, "not mine")}
				}
			}
			return statuses, err
		}
	}, []string{"tasks-followed", "poll-later-process"}},
	{"tasks are not listed", func(f *providertest.Fake, m *memory) {
		f.OnObserve = each(m, func(_ provider.ObserveRequest, o provider.Observation) (provider.Observation, bool) {
			if o.Cluster != nil {
				o.Cluster.Tasks = nil
			}
			return o, true
		})
	}, []string{"tasks-followed"}},
	{"the price changes with every question", func(f *providertest.Fake, _ *memory) {
		f.OnQuote = func(context.Context, []byte) (provider.Price, error) {
			return provider.Price{Amount: float64(changes.Add(1)), Currency: "CNY"}, nil
		}
	}, []string{"quote-price", "quote-bad-request"}},
}
