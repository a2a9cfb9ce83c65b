package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// differing reads summaries of all clusters, and those that differ again with
// their nodes. What needs no provider to say that it cannot be done is blocked
// here.
// live gets the ids of the clusters that are there, empty for one that is absent.
func (p *Planner) differing(ctx context.Context, plan *Plan, clusters []*Cluster, live map[string]string) ([]item, error) {
	keys := map[string][]provider.Key{}
	for _, c := range clusters {
		keys[c.Entry] = append(keys[c.Entry], c.key(""))
	}
	answers := observe(ctx, p.Entries, keys, provider.LevelSummary, p.Read)
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	items, again := p.compare(plan, clusters, answers, live, true)
	if len(again) == 0 {
		return p.apart(plan, items), nil
	}
	keys = map[string][]provider.Key{}
	for _, c := range again {
		keys[c.Entry] = append(keys[c.Entry], c.key(answers[c.Address].Cluster.ID))
	}
	answers = observe(ctx, p.Entries, keys, provider.LevelNodes, nil)
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	more, _ := p.compare(plan, again, answers, live, false)
	items = append(items, more...)
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.cluster.Address, b.cluster.Address) })
	return p.apart(plan, items), nil
}

// apart blocks changes that two keys of the spec want of one live cluster, or
// two new clusters of one name: one would be planned on a state that the other
// is about to change. The others come back.
func (p *Planner) apart(plan *Plan, items []item) []item {
	type place struct {
		journal.Identity
		kind string // of a cluster to be created: kinds have names of their own
	}
	places := make([]place, len(items))
	sharing := make(map[place][]string, len(items))
	for i, it := range items {
		entry := p.Entries[it.cluster.Entry]
		if it.live != nil {
			places[i].Identity = entry.identity(it.live.ID, "")
		} else {
			places[i] = place{entry.identity("", it.cluster.Name), it.cluster.Kind}
		}
		sharing[places[i]] = append(sharing[places[i]], it.cluster.Address)
	}
	if len(sharing) == len(items) {
		return items
	}
	var rest []item
	for i, it := range items {
		keys := sharing[places[i]]
		if len(keys) == 1 {
			rest = append(rest, it)
			continue
		}
		what := "the live cluster " + places[i].ID
		if it.live == nil {
			what = fmt.Sprintf("a new cluster named %q", it.cluster.Name)
		}
		plan.block(it.cluster, "", nil, fmt.Sprintf("%s want changes of %s; state them under one key", strings.Join(keys, " and "), what))
	}
	return rest
}

// compare sorts answers into the plan's unread, blocked and unchanged, and the
// items that differ. With summary set, those to be read with their nodes come
// back in again instead.
func (p *Planner) compare(plan *Plan, clusters []*Cluster, answers map[string]provider.Observation, live map[string]string, summary bool) (items []item, again []*Cluster) {
	unsettled := p.unsettled()
	for _, c := range clusters {
		o := answers[c.Address]
		entry := p.Entries[c.Entry]
		if !summary && o.Presence == provider.Absent {
			o.Presence = provider.Unread
			o.Error = provider.Errorf(provider.KindConflict, "it was live a moment ago and is gone now; plan again")
		}
		if o.Presence == provider.Unread {
			plan.unread(c, o.Error)
			continue
		}
		if open := unsettled(entry, c, o); open != nil {
			plan.OpenIntents = append(plan.OpenIntents, *open)
			continue
		}
		switch o.Presence {
		case provider.Ambiguous:
			plan.block(c, "", nil, ambiguous(c.Name, o.IDs))
			continue
		case provider.Absent:
			if reason := cannotCreate(entry, c); reason != "" {
				plan.block(c, "", nil, reason)
				continue
			}
		}
		fit, owned, diff, err := diffAgainst(c, o.Cluster)
		switch {
		case err != nil:
			plan.unread(c, provider.Errorf(provider.KindInternal, "plugin %s: %w", entry.Description.Name, err))
			continue
		case !diff.Empty() && summary && o.Presence == provider.Present:
			again = append(again, c)
			continue
		case diff.Empty():
			plan.Summary.Unchanged++
		default:
			items = append(items, item{fit.canonical(), o.Cluster, diff})
		}
		plan.Owned = append(plan.Owned, owned...)
		if live[c.Address] = ""; o.Cluster != nil {
			live[c.Address] = o.Cluster.ID
		}
	}
	return items, again
}

// diffAgainst is Diff of what the cluster's rules leave to be compared.
func diffAgainst(c *Cluster, live *provider.State) (*Cluster, []Owned, Difference, error) {
	fit, owned, err := c.against(live)
	if err != nil {
		return nil, nil, Difference{}, err
	}
	diff, err := Diff(fit, live)
	return fit, owned, diff, err
}

// canonical is the cluster with its spec in the form in which a plan keeps it:
// the provider must get the same bytes when the saved plan is applied.
func (c *Cluster) canonical() *Cluster {
	out := *c
	out.Spec = canonical(c.Spec)
	return &out
}

// unsettled finds the open intent of a cluster, by id or, before it had one, by
// a name: the one that the spec looks for or the one it bears.
func (p *Planner) unsettled() func(*Entry, *Cluster, provider.Observation) *OpenIntent {
	type intent struct {
		OpenIntent
		cluster string // the key it was sent for
	}
	open := map[string]intent{}
	for _, in := range p.Intents {
		open[in.Identity.Key()] = intent{OpenIntent{
			Address: Address(in.Cluster, in.Group), Op: in.Op, Since: in.SignedAt,
			Reason: "its outcome is not known yet; apply watches it first, resolve shows the evidence",
		}, in.Cluster}
	}
	for _, bad := range p.Corrupt {
		open[bad.Key] = intent{OpenIntent: OpenIntent{Reason: bad.Error()}}
	}
	return func(entry *Entry, c *Cluster, o provider.Observation) *OpenIntent {
		if len(open) == 0 {
			return nil
		}
		id, live := c.ID, ""
		if o.Cluster != nil {
			id, live = o.Cluster.ID, o.Cluster.Name
		}
		for _, identity := range identitiesOf(entry, id, live, c.Name) {
			if found, ok := open[identity.Key()]; ok {
				if found.cluster != c.Address {
					if found.Address != "" {
						found.Reason = "it was sent for " + found.Address + ": " + found.Reason
					}
					found.Address = c.Address
				}
				return &found.OpenIntent
			}
		}
		return nil
	}
}

func (p *Plan) unread(c *Cluster, why *provider.Error) {
	p.Unread = append(p.Unread, Unread{Address: c.Address, Provider: c.Entry, Kind: why.Kind, Reason: why.Error(), Source: c.Source("")})
}
