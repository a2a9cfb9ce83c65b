package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Planner makes plans.
type Planner struct {
	Entries    map[string]*Entry
	SpecDigest string
	// Intents are the requests that are not settled; their clusters get no
	// new action.
	Intents []journal.Intent
	Corrupt []*journal.CorruptError
	// Last finds the newest closed request of a journal key, nil where there
	// is none. With it a plan is good for one apply only; nil: it is not known.
	Last func(key string) (*journal.Record, error)
	// History calls f with every record, oldest first; nil: it is not known.
	History func(f func(journal.Record) bool) error
	// AllowShrink lets large removals pass.
	AllowShrink bool
	// Quote asks for prices where the provider can.
	Quote bool
	// MaxCost limits what the plan may cost; it needs Quote.
	MaxCost []CostLimit
	// Judge says what policies deny in a plan that is complete but for the seal;
	// nil: there are none.
	Judge func(*Plan) []Denied
	// Read hears of every cluster as it is read.
	Read func(provider.Observation)
}

// item is one cluster that differs, on its way through the planner.
type item struct {
	cluster *Cluster
	live    *provider.State // nil: to be created
	diff    Difference
}

// planned is what came of an item.
type planned struct {
	actions  []Action
	blocked  []Blocked
	warnings []string
}

// Plan reads every cluster and says what would be changed. The clusters must be
// sorted by address.
func (p *Planner) Plan(ctx context.Context, clusters []*Cluster) (*Plan, error) {
	for _, c := range clusters {
		if p.Entries[c.Entry] == nil {
			return nil, fmt.Errorf("%s: no plugin runs for its providers entry %q", c.Address, c.Entry)
		}
	}
	plan := &Plan{FormatVersion: FormatVersion, SpecDigest: p.SpecDigest}
	plan.Summary.Clusters = len(clusters)
	live := map[string]string{}
	items, err := p.differing(ctx, plan, clusters, live)
	if err != nil {
		return nil, err
	}
	guards, err := p.guardian(plan, clusters, live)
	if err != nil {
		return nil, err
	}
	results, err := p.planAll(ctx, items)
	if err != nil {
		return nil, err
	}
	for i, it := range items {
		if err := p.add(plan, it, results[i], guards); err != nil {
			return nil, err
		}
	}
	if err := p.await(plan, clusters); err != nil {
		return nil, err
	}
	if p.Quote {
		p.quote(ctx, plan)
	}
	p.finish(plan, clusters)
	if p.Judge != nil {
		plan.Denied = append(plan.Denied, p.Judge(plan)...)
	}
	return plan, plan.Seal()
}

func cannotCreate(entry *Entry, c *Cluster) string {
	kind, err := entry.kind(c.Kind)
	switch {
	case err != nil:
		return err.Error()
	case c.ID != "":
		return fmt.Sprintf("there is no cluster with id %s; check id, account and region", c.ID)
	case !kind.Creates:
		return fmt.Sprintf("there is no cluster named %q, and clusters of kind %s cannot be created by the calls that %s offers; create it first, or name an existing one by id", c.Name, c.Kind, entry.Description.Name)
	}
	return ""
}

func (p *Plan) block(c *Cluster, group string, fields []provider.FieldChange, reason string) {
	source := c.Source("")
	if len(fields) > 0 {
		source = c.Source(groupPath(group, fields[0].Path))
	} else if group != "" {
		source = c.Source(groupPath(group, ""))
	}
	p.Blocked = append(p.Blocked, Blocked{Address: Address(c.Address, group), Provider: c.Entry, Kind: c.Kind, Fields: orEmpty(fields), Reason: reason, Source: source})
}

// planAll asks each entry's provider once for all its items. Results are in
// the order of items.
func (p *Planner) planAll(ctx context.Context, items []item) ([]planned, error) {
	byEntry := map[string][]int{}
	for i, it := range items {
		byEntry[it.cluster.Entry] = append(byEntry[it.cluster.Entry], i)
	}
	results := make([]planned, len(items))
	names := slices.Sorted(maps.Keys(byEntry))
	errs := make([]error, len(names))
	var wait sync.WaitGroup
	for n, name := range names {
		wait.Add(1)
		go func() {
			defer wait.Done()
			var batch []item
			for _, i := range byEntry[name] {
				batch = append(batch, items[i])
			}
			var answers []planned
			answers, errs[n] = planItems(ctx, p.Entries[name], batch)
			for k, answer := range answers {
				results[byEntry[name][k]] = answer
			}
		}()
	}
	wait.Wait()
	return results, errors.Join(errs...)
}

// planItems asks one provider and checks its answer against the contract.
func planItems(ctx context.Context, entry *Entry, items []item) ([]planned, error) {
	req := provider.PlanRequest{}
	for _, it := range items {
		req.Clusters = append(req.Clusters, provider.ClusterChange{
			Desired: it.cluster.Desired, Current: it.live, Changes: it.diff.Changes, Meanings: it.cluster.Meanings,
		})
	}
	resp, err := entry.Provider.Plan(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("plan with plugin %s: %w", entry.Description.Name, err)
	}
	if len(resp.Clusters) != len(items) {
		return nil, &ContractError{Plugin: entry.Description.Name, Call: "Plan", Address: entry.Name,
			Detail: fmt.Sprintf("%s to %s", plural(len(resp.Clusters), "answer"), plural(len(items), "cluster"))}
	}
	var errs error
	results := make([]planned, len(items))
	for i, it := range items {
		answer := resp.Clusters[i]
		if err := checkCoverage(it.live, it.diff.Changes, answer); err != nil {
			errs = errors.Join(errs, &ContractError{Plugin: entry.Description.Name, Call: "Plan", Address: it.cluster.Address, Detail: err.Error()})
			continue
		}
		results[i] = gather(entry, it, answer)
	}
	return results, errs
}

// gather gives a provider's answer the plan's form.
func gather(entry *Entry, it item, answer provider.ClusterPlan) planned {
	c := it.cluster
	out := planned{warnings: answer.Warnings}
	for _, a := range answer.Actions {
		action := Action{
			Address: Address(c.Address, a.Group), Op: a.Op, Provider: entry.Name, Kind: c.Kind,
			Cluster: c.Address, Group: a.Group, From: a.From, To: a.To,
			Fields: orEmpty(a.Fields), Removes: orEmpty(a.Removes),
			CloudChooses: a.Op == provider.OpScaleIn && len(a.Removes) == 0,
			Reason:       a.Reason, Risk: a.Risk, Request: a.Request, Secrets: a.Secrets, AcceptWindow: a.AcceptWindow,
			Source: c.Source(""),
		}
		if a.Op != provider.OpCreate {
			action.Source = c.Source(groupPath(a.Group, a.Fields[0].Path))
		}
		if it.live != nil {
			action.ClusterID = it.live.ID
		}
		if action.From == nil {
			action.From = map[string]int64{}
		}
		if action.To == nil {
			action.To = map[string]int64{}
		}
		fixFields(action.Fields)
		out.actions = append(out.actions, action)
	}
	for _, b := range slices.Concat(it.diff.Blocked, answer.Blocked) {
		source := c.Source(groupPath(b.Group, ""))
		if len(b.Fields) > 0 {
			source = c.Source(groupPath(b.Group, b.Fields[0].Path))
		}
		out.blocked = append(out.blocked, Blocked{Address: Address(c.Address, b.Group), Provider: c.Entry, Kind: c.Kind, Fields: orEmpty(b.Fields), Reason: b.Reason, Source: source})
	}
	return out
}

// add puts one cluster's part into the plan, its actions in a chain.
func (p *Planner) add(plan *Plan, it item, result planned, guards *guardian) error {
	previous := ""
	sources := map[string]string{"": it.cluster.Source("")}
	for _, a := range result.actions {
		a.ID = fmt.Sprintf("a%d", len(plan.Actions)+1)
		a.DependsOn = []string{}
		if previous != "" {
			a.DependsOn = []string{previous}
		}
		previous = a.ID
		for _, f := range a.Fields {
			path := groupPath(a.Group, f.Path)
			sources[path] = it.cluster.Source(path)
		}
		if denied := guardShrink(&a); denied != nil && !p.AllowShrink {
			plan.Denied = append(plan.Denied, *denied)
		}
		denied, err := guards.judge(it.cluster, &a)
		if err != nil {
			return err
		}
		plan.Denied = append(plan.Denied, denied...)
		plan.Actions = append(plan.Actions, a)
	}
	plan.Blocked = append(plan.Blocked, result.blocked...)
	for _, w := range result.warnings {
		plan.Warnings = append(plan.Warnings, it.cluster.Address+": "+w)
	}
	if len(result.actions) == 0 {
		return nil
	}
	stated := it.cluster.Rules.guards(it.cluster.Source)
	for group, g := range stated.Protected {
		sources[groupPath(group, GuardProtect)] = g.Source
	}
	for group, g := range stated.MaxRemoved {
		sources[groupPath(group, GuardMaxRemoved)] = g.Source
	}
	c := Planned{Address: it.cluster.Address, Provider: it.cluster.Entry, Desired: it.cluster.Desired, Meanings: it.cluster.Meanings, Sources: sources, Rules: it.cluster.Rules}
	if it.live != nil && it.live.Status != provider.StatusReady {
		c.Waits = it.live.Status
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("%s is %s now"+untilReady, it.cluster.Address, statusWord(it.live)))
	}
	id := ""
	if it.live != nil {
		id = it.live.ID
		if it.live.Name != c.Desired.Name {
			c.LiveName = it.live.Name
		}
	}
	if p.Last != nil {
		last, err := lastRecord(p.Last, identitiesOf(p.Entries[c.Provider], id, c.LiveName, c.Desired.Name))
		if err != nil {
			return fmt.Errorf("%s: %w", c.Address, err)
		}
		c.LastOp = opOf(last)
	}
	plan.Clusters = append(plan.Clusters, c)
	return nil
}

const untilReady = "; apply waits until it is ready"

// statusWord is the cloud's word for a state, or ours.
func statusWord(s *provider.State) string {
	switch {
	case s.StatusText != "":
		return s.StatusText
	case s.Status == provider.StatusUnknown:
		return "in an unknown state"
	}
	return string(s.Status)
}

// finish counts, pins the providers and gives empty lists a value.
func (p *Planner) finish(plan *Plan, clusters []*Cluster) {
	s := &plan.Summary
	used := map[string]bool{}
	for _, c := range clusters {
		used[c.Entry] = true
	}
	for i := range plan.Actions {
		a := &plan.Actions[i]
		switch a.Op {
		case provider.OpCreate:
			s.Create++
		case provider.OpScaleOut:
			s.ScaleOut++
		case provider.OpScaleIn:
			s.ScaleIn++
		case provider.OpResize:
			s.Resize++
		}
		s.Removed += a.Removed()
	}
	s.Blocked, s.Unread = len(plan.Blocked), len(plan.Unread)
	s.Cost, s.Unpriced = Costs(plan.Actions)
	for _, name := range slices.Sorted(maps.Keys(used)) {
		plan.Providers = append(plan.Providers, pin(p.Entries[name]))
	}
	slices.SortStableFunc(plan.Blocked, func(a, b Blocked) int { return strings.Compare(a.Address, b.Address) })
	slices.SortStableFunc(plan.Unread, func(a, b Unread) int { return strings.Compare(a.Address, b.Address) })
	plan.Actions, plan.Blocked, plan.Unread = orEmpty(plan.Actions), orEmpty(plan.Blocked), orEmpty(plan.Unread)
	plan.Guards, plan.Owned = orEmpty(plan.Guards), orEmpty(plan.Owned)
	plan.OpenIntents, plan.Denied, plan.Warnings = orEmpty(plan.OpenIntents), orEmpty(plan.Denied), orEmpty(plan.Warnings)
	plan.Clusters, plan.Providers = orEmpty(plan.Clusters), orEmpty(plan.Providers)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func pin(e *Entry) PlanProvider {
	source := ""
	if e.MaxRemoved != nil {
		source = e.Source
	}
	return PlanProvider{
		Name: e.Name, Plugin: e.Description.Name, Version: e.Description.Version, Hash: e.Hash,
		SchemaDigest: e.Description.Schema.Digest, Settings: canonical(e.Settings), Credentials: e.Credentials,
		Endpoint: e.Endpoint, Timing: e.Timing, MaxRemoved: e.MaxRemoved, Source: source,
	}
}
