package providertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/providertest"
)

// broken is the sound provider with one fault, put in after it was wrapped.
type broken struct {
	name string
	// fault changes f, which passes all calls on to m.
	fault func(f *providertest.Fake, m *memory)
	// rules are those that must say so, and no other.
	rules []string
}

// each passes observations on through change.
func each(m *memory, change func(req provider.ObserveRequest, o provider.Observation) (provider.Observation, bool)) func(context.Context, provider.ObserveRequest, func(provider.Observation) error) error {
	return func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
		return m.Observe(ctx, req, func(o provider.Observation) error {
			o, keep := change(req, o)
			if !keep {
				return nil
			}
			return yield(o)
		})
	}
}

// described changes the description.
func described(change func(*provider.Description)) func(*providertest.Fake, *memory) {
	return func(f *providertest.Fake, m *memory) {
		f.OnDescribe = func(ctx context.Context) (*provider.Description, error) {
			d, err := m.Describe(ctx)
			change(d)
			return d, err
		}
	}
}

// replanned changes every cluster's plan.
func replanned(change func(provider.ClusterChange, *provider.ClusterPlan)) func(*providertest.Fake, *memory) {
	return func(f *providertest.Fake, m *memory) {
		f.OnPlan = func(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
			resp, err := m.Plan(ctx, req)
			for i := range resp.Clusters {
				change(req.Clusters[i], &resp.Clusters[i])
			}
			return resp, err
		}
	}
}

// answered changes every answer of Start.
func answered(change func(provider.StartRequest, *provider.Answer)) func(*providertest.Fake, *memory) {
	return func(f *providertest.Fake, m *memory) {
		f.OnStart = func(ctx context.Context, req provider.StartRequest) provider.Answer {
			a := m.Start(ctx, req)
			change(req, &a)
			return a
		}
	}
}

var changes atomic.Int64

var brokenReads = []broken{
	{"the digest is not that of the files", described(func(d *provider.Description) { d.Schema.Digest = "sha256:00" }), []string{"describe-schema"}},
	{"the schema imports a module", described(func(d *provider.Description) {
		d.Schema.Files["box.cue"] = append(d.Schema.Files["box.cue"], "import \"example.org/x\"\n"...)
		d.Schema.Digest = provider.SchemaDigest(d.Schema.Files)
	}), []string{"describe-schema"}},
	{"the description changes", described(func(d *provider.Description) { d.Version = fmt.Sprintf("1.0.%d", changes.Add(1)) }), []string{"describe-same"}},
	{"a kind has no read lag", described(func(d *provider.Description) { d.Kinds[0].ReadLag = 0 }), []string{"describe-kinds"}},
	{"a kind has no definition", described(func(d *provider.Description) { d.Kinds[0].Definition = "#Bax" }), []string{"describe-kinds"}},
	{"a credential has no variable", described(func(d *provider.Description) { d.Credentials[0].Env = "" }), []string{"describe-credentials"}},
	{"no setting says which account it is", described(func(d *provider.Description) { d.Identity = nil }), []string{"describe-identity"}},
	{"Configure takes everything", func(f *providertest.Fake, m *memory) {
		f.OnConfigure = func(_ context.Context, cfg provider.Config) error { m.cfg = cfg; return nil }
	}, []string{"configure-credentials", "configure-settings", "configure-endpoint"}},
	{"a missing credential is called invalid", func(f *providertest.Fake, m *memory) {
		f.OnConfigure = func(ctx context.Context, cfg provider.Config) error {
			if err := m.Configure(ctx, cfg); err != nil {
				return provider.Errorf(provider.KindInvalid, "something is wrong")
			}
			return nil
		}
	}, []string{"configure-credentials"}},
	{"Configure prints the endpoint it refuses", func(f *providertest.Fake, m *memory) {
		f.OnConfigure = func(ctx context.Context, cfg provider.Config) error {
			if err := m.Configure(ctx, cfg); err != nil {
				return fmt.Errorf("endpoint %s: %w", cfg.Endpoint, err)
			}
			return nil
		}
	}, []string{"configure-endpoint"}},
	{"an unreadable cluster is called absent", func(f *providertest.Fake, m *memory) {
		f.OnObserve = each(m, func(_ provider.ObserveRequest, o provider.Observation) (provider.Observation, bool) {
			if o.Error != nil {
				o = provider.Observation{Address: o.Address, Presence: provider.Absent, At: time.Unix(1, 0)}
			}
			return o, true
		})
	}, []string{"observe-partial", "observe-account"}},
	{"one unreadable cluster stops the others", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			return m.Observe(ctx, req, func(o provider.Observation) error {
				if o.Error != nil {
					return o.Error
				}
				return yield(o)
			})
		}
	}, []string{"observe-partial", "observe-account"}},
	{"an absent cluster is called an error", func(f *providertest.Fake, m *memory) {
		f.OnObserve = each(m, func(req provider.ObserveRequest, o provider.Observation) (provider.Observation, bool) {
			if o.Presence == provider.Absent && !strings.HasPrefix(o.Address, "new") {
				o = provider.Observation{Address: o.Address, Error: provider.Errorf(provider.KindNotFound, "no such box")}
			}
			return o, true
		})
	}, []string{"observe-absent", "observe-partial"}},
	{"the second key for a cluster is forgotten", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			seen := map[string]bool{}
			return m.Observe(ctx, req, func(o provider.Observation) error {
				if o.Cluster != nil && seen[o.Cluster.ID] {
					return nil
				}
				if o.Cluster != nil {
					seen[o.Cluster.ID] = true
				}
				return yield(o)
			})
		}
	}, []string{"observe-every-key"}},
	{"an absent key is answered twice", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			return m.Observe(ctx, req, func(o provider.Observation) error {
				if o.Presence == provider.Absent && len(req.Keys) > 1 {
					return errors.Join(yield(o), yield(o))
				}
				return yield(o)
			})
		}
	}, []string{"observe-absent", "observe-partial", "observe-repeat"}},
	{"wrong credentials read as an empty account", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			err := m.Observe(ctx, req, yield)
			if e := provider.AsError(err); e != nil && e.Kind == provider.KindUnauthenticated {
				return new(providertest.Fake).Observe(ctx, req, yield)
			}
			return err
		}
	}, []string{"observe-unauthenticated"}},
	{"an unreadable answer reads as an empty account", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			if m.cfg.Endpoint == "garbled" {
				return new(providertest.Fake).Observe(ctx, req, yield)
			}
			return m.Observe(ctx, req, yield)
		}
	}, []string{"observe-garbled"}},
	{"a lost connection reads as an empty account", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			err := m.Observe(ctx, req, yield)
			if e := provider.AsError(err); e != nil && e.Kind == provider.KindUnavailable && ctx.Err() == nil && m.cfg.Endpoint != "garbled" {
				return new(providertest.Fake).Observe(ctx, req, yield)
			}
			return err
		}
	}, []string{"observe-unread"}},
	{"cancellation reads as an empty account", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			err := m.Observe(ctx, req, yield)
			if ctx.Err() != nil {
				return new(providertest.Fake).Observe(context.WithoutCancel(ctx), req, yield)
			}
			return err
		}
	}, []string{"observe-cancelled", "observe-deadline"}},
	{"clusters are called absent on the way out", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			err := m.Observe(ctx, req, yield)
			if ctx.Err() != nil {
				return errors.Join(err, new(providertest.Fake).Observe(context.WithoutCancel(ctx), req, yield))
			}
			return err
		}
	}, []string{"observe-cancelled", "observe-deadline"}},
	{"cancellation is forgotten in the error", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			err := m.Observe(ctx, req, yield)
			if ctx.Err() != nil {
				return errors.New("it took too long")
			}
			return err
		}
	}, []string{"observe-cancelled", "observe-deadline"}},
	{"cancellation is not noticed", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			return m.Observe(context.WithoutCancel(ctx), req, yield)
		}
	}, []string{"observe-cancelled", "observe-deadline"}},
	{"yield's error is lost", func(f *providertest.Fake, m *memory) {
		f.OnObserve = func(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
			return m.Observe(ctx, req, func(o provider.Observation) error {
				_ = yield(o)
				return nil
			})
		}
	}, []string{"observe-yield"}},
	{"the summary counts other nodes", func(f *providertest.Fake, m *memory) {
		f.OnObserve = each(m, func(req provider.ObserveRequest, o provider.Observation) (provider.Observation, bool) {
			if o.Cluster != nil && req.Level == provider.LevelSummary {
				o.Cluster.Groups[0].Count++
			}
			return o, true
		})
	}, []string{"observe-levels"}},
	{"answers change with every read", func(f *providertest.Fake, m *memory) {
		f.OnObserve = each(m, func(_ provider.ObserveRequest, o provider.Observation) (provider.Observation, bool) {
			if o.Cluster != nil {
				o.Cluster.StatusText = fmt.Sprint(changes.Add(1))
			}
			return o, true
		})
	}, []string{"observe-repeat"}},
	{"the account lacks a cluster", func(f *providertest.Fake, m *memory) {
		f.OnObserve = each(m, func(req provider.ObserveRequest, o provider.Observation) (provider.Observation, bool) {
			return o, len(req.Keys) > 0 || o.Cluster == nil || o.Cluster.ID != "box-1"
		})
	}, []string{"observe-account"}},
}
