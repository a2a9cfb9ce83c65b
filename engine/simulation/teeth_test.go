package simulation

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// bug is one planted on purpose, around the engine or under it.
type bug struct {
	name string
	rule string // the invariant that must catch it

	lazy     bool // the disk syncs nothing
	unlocked bool // everybody gets every lock
	store    func(journal.Store) journal.Store
	provider func(provider.Provider) provider.Provider
	describe func(*provider.Description)
	planner  func(*engine.Planner)
}

var bugs = []bug{
	{name: "the disk syncs nothing", rule: ruleDurable, lazy: true},
	{name: "the intent is not written", rule: ruleDurable,
		store: leases(func(l journal.Lease, in journal.Intent) error {
			if in.Answer == nil {
				return nil
			}
			return l.Put(in)
		}, nil)},
	{name: "the lock is given back before the send", rule: ruleDurable,
		store: leases(func(l journal.Lease, in journal.Intent) error {
			err := l.Put(in)
			_ = l.Unlock()
			return err
		}, nil)},
	{name: "locks keep nobody out", rule: ruleDurable, unlocked: true},
	{name: "an accepted request counts as done", rule: ruleClosed,
		store: leases(func(l journal.Lease, in journal.Intent) error {
			err := l.Put(in)
			if err == nil && in.Answer != nil && in.Answer.Outcome == provider.OutcomeAccepted {
				_ = l.Close(journal.Record{Intent: in, Verdict: journal.Done, At: in.Answer.At})
			}
			return err
		}, nil)},
	{name: "the quiet time is forgotten", rule: ruleClosed,
		store: leases(nil, func(l journal.Lease, r journal.Record) error {
			r.QuietUntil = r.At
			return l.Close(r)
		})},
	{name: "open intents are not looked for", rule: ruleEnds,
		store: func(s journal.Store) journal.Store { return blind{s} }},
	{name: "a lost store counts as no requests", rule: ruleAlone,
		store: func(s journal.Store) journal.Store { return ageless{s} }},
	{name: "a saved plan is not held to its history", rule: ruleApproval,
		store:   func(s journal.Store) journal.Store { return forgetful{s} },
		planner: func(p *engine.Planner) { p.Last = nil }},
	{name: "unknown is sent again by the client", rule: ruleOnce,
		provider: starts(func(p provider.Provider, ctx context.Context, req provider.StartRequest) provider.Answer {
			answer := p.Start(ctx, req)
			if answer.Outcome == provider.OutcomeUnknown {
				answer = p.Start(ctx, req)
			}
			return answer
		})},
	{name: "a 5xx counts as a refusal", rule: ruleClosed, provider: starts(unknownIs(provider.OutcomeRefused))},
	{name: "a lost answer counts as unsent", rule: ruleClosed, provider: starts(unknownIs(provider.OutcomeUnsent))},
	{name: "a used nonce counts as a refusal", rule: ruleClosed,
		provider: starts(func(p provider.Provider, ctx context.Context, req provider.StartRequest) provider.Answer {
			answer := p.Start(ctx, req)
			if answer.Error != nil && answer.Error.Code == nonceUsed {
				answer.Outcome = provider.OutcomeRefused
			}
			return answer
		})},
	{name: "a lost answer counts as accepted", rule: ruleClosed, provider: starts(unknownIs(provider.OutcomeAccepted))},
	{name: "the accept window is ignored", rule: ruleClosed,
		describe: kinds(func(k *provider.Kind) { k.AcceptWindow = time.Millisecond })},
	{name: "the read lag is ignored", rule: ruleTruth,
		describe: kinds(func(k *provider.Kind) { k.ReadLag = time.Second })},
	{name: "a busy cluster counts as ready", rule: ruleTruth,
		provider: seen(func(o *provider.Observation) {
			o.Cluster.Status = provider.StatusReady
			o.Cluster.Tasks = nil
		})},
	{name: "nodes are known by their place", rule: ruleTruth,
		provider: seen(func(o *provider.Observation) {
			for _, g := range o.Cluster.Groups {
				for i := range g.Nodes {
					g.Nodes[i].ID = fmt.Sprintf("%s-%d", g.Role, i)
				}
			}
		})},
	{name: "the cloud's clock is ignored", rule: ruleClosed,
		provider: func(p provider.Provider) provider.Provider { return timeless{p} }},
	{name: "what cannot be read counts as absent", rule: ruleAbsent,
		provider: unreads(func(k provider.Key) provider.Observation {
			return provider.Observation{Address: k.Address, Presence: provider.Absent}
		})},
	{name: "what cannot be read counts as empty", rule: ruleTruth,
		provider: unreads(func(k provider.Key) provider.Observation {
			if k.ID == "" {
				return provider.Observation{Address: k.Address, Error: errDown}
			}
			s := &provider.State{ID: k.ID, Name: k.Name, Kind: k.Kind, Status: provider.StatusReady, Groups: []provider.Group{{Role: "core"}, {Role: "task"}}}
			return provider.Observation{Address: k.Address, Presence: provider.Present, Cluster: s, IDs: []string{k.ID}}
		})},
	{name: "another node goes than was named", rule: ruleNamed, provider: requests(func(b *body) {
		if b.Op == provider.OpScaleIn && len(b.Victims) > 0 && b.Group == "core" {
			b.Victims[0] = "n2"
		}
	})},
	{name: "the wrong group grows", rule: rulePlanned, provider: requests(func(b *body) {
		if b.Op == provider.OpScaleOut {
			b.Group = roles[1-slices.Index(roles, b.Group)]
		}
	})},
	{name: "one node too many is bought", rule: rulePlanned, provider: requests(func(b *body) {
		if b.Op == provider.OpScaleOut {
			b.Count++
		}
	})},
}

// lies are what a plugin may say wrongly and the engine bears, because it takes
// no single word for proof.
var lies = []bug{
	{name: "a running operation counts as ended", provider: func(p provider.Provider) provider.Provider { return hasty{p} }},
	{name: "another cluster's state is told", provider: func(p provider.Provider) provider.Provider { return crossed{p.(*plugin)} }},
}

func TestLiesThatAreBorne(t *testing.T) {
	for _, lie := range lies {
		t.Run(lie.name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= 300; seed++ {
				for _, v := range runSeed(t, seed, options{bug: lie}).violations {
					t.Fatalf("violation: %s, seed %d: %s", v.rule, seed, v.text)
				}
			}
		})
	}
}

// found is what became of the planted bugs.
type found struct {
	Bugs    []foundBug `json:"bugs"`
	Planted int        `json:"planted"`
	Caught  int        `json:"caught"`
}

type foundBug struct {
	Bug    string   `json:"bug"`
	Caught []string `json:"caught_by"`
}

// TestTeeth shows that each invariant catches what it is for.
func TestTeeth(t *testing.T) {
	if raceDetector {
		t.Log("a wrapped engine races no more than the engine: left to the run without the detector")
		return
	}
	const most = 6000
	all := found{Bugs: make([]foundBug, len(bugs)), Planted: len(bugs)}
	t.Run("bugs", func(t *testing.T) {
		for i, b := range bugs {
			all.Bugs[i] = foundBug{Bug: b.name, Caught: []string{}}
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				for seed := uint64(1); seed <= most; seed++ {
					for _, v := range runSeed(t, seed, options{bug: b}).violations {
						if v.rule == b.rule {
							t.Logf("caught by %q at seed %d: %s", v.rule, seed, v.text)
							all.Bugs[i].Caught = append(all.Bugs[i].Caught, fmt.Sprintf("simulation: %s, seed %d", v.rule, seed))
							return
						}
					}
				}
				t.Errorf("not caught by %q in %d seeds", b.rule, most)
			})
		}
	})
	for _, b := range all.Bugs {
		if len(b.Caught) > 0 {
			all.Caught++
		}
	}
	save(t, all)
}
