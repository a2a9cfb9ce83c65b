package engine

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// A ContractError says that a plugin broke the provider contract. Nothing is
// sent on the word of a plan that does.
type ContractError struct {
	Plugin  string
	Call    string
	Address string
	Detail  string
}

func (e *ContractError) Error() string {
	return fmt.Sprintf("plugin %s broke the contract of %s for %s: %s; nothing was sent. Please report it to the plugin's author",
		e.Plugin, e.Call, e.Address, e.Detail)
}

// checkCoverage demands that a provider's plan for one cluster settles every
// field of every change exactly once and touches nothing else. live is nil for
// a cluster that is to be created.
func checkCoverage(live *provider.State, changes []provider.Change, p provider.ClusterPlan) error {
	wanted := map[string]provider.FieldChange{}
	for _, c := range changes {
		for _, f := range c.Fields {
			wanted[groupPath(c.Group, f.Path)] = f
		}
	}
	settled := map[string]bool{}
	settle := func(group string, fields []provider.FieldChange, by string) error {
		for _, f := range fields {
			path := groupPath(group, f.Path)
			want, ok := wanted[path]
			switch {
			case !ok:
				return fmt.Errorf("%s covers %s, which does not differ", by, path)
			case settled[path]:
				return fmt.Errorf("%s is covered twice", path)
			case !reflect.DeepEqual(normalise(f.Before), normalise(want.Before)) || !reflect.DeepEqual(normalise(f.After), normalise(want.After)):
				return fmt.Errorf("%s changes %s from %s to %s, asked was from %s to %s",
					by, path, show(f.Before), show(f.After), show(want.Before), show(want.After))
			}
			settled[path] = true
		}
		return nil
	}
	for i, a := range p.Actions {
		by := fmt.Sprintf("action %d (%s)", i+1, a.Op)
		err := checkAction(a)
		if err == nil {
			err = checkPlace(live, i, a)
		}
		if err != nil {
			return fmt.Errorf("%s %w", by, err)
		}
		if err := settle(a.Group, a.Fields, by); err != nil {
			return err
		}
	}
	for _, b := range p.Blocked {
		if b.Reason == "" {
			return fmt.Errorf("a blocked change has no reason")
		}
		if err := settle(b.Group, b.Fields, "a blocked change"); err != nil {
			return err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		if !settled[path] {
			return fmt.Errorf("%s differs and is neither planned nor blocked", path)
		}
	}
	return nil
}

// checkPlace judges the i-th action against the live cluster: a cluster is
// created once, before all else and only when there is none, and nodes are
// removed only where they are.
func checkPlace(live *provider.State, i int, a provider.Action) error {
	first := live == nil && i == 0
	switch {
	case a.Op == provider.OpCreate && !first:
		return fmt.Errorf("creates a cluster that is there, or creates it late")
	case a.Op != provider.OpCreate && first:
		return fmt.Errorf("changes a cluster that is not there")
	case a.Op == provider.OpScaleIn && live == nil:
		return fmt.Errorf("removes nodes of a cluster that is yet to be created")
	}
	if live == nil {
		return nil
	}
	there := map[string]bool{}
	for _, g := range live.Groups {
		for _, n := range g.Nodes {
			if g.Role == a.Group {
				there[n.ID] = true
			}
		}
	}
	for _, n := range a.Removes {
		if !there[n.ID] {
			return fmt.Errorf("removes %q, which is not a node of the group, or is named twice", n.ID)
		}
		delete(there, n.ID)
	}
	return nil
}

// checkAction judges one action by itself.
func checkAction(a provider.Action) error {
	before, after := a.From["count"], a.To["count"]
	switch {
	case len(a.Request) == 0:
		return fmt.Errorf("has no request")
	case len(a.Fields) == 0 && a.Op != provider.OpCreate:
		return fmt.Errorf("covers no field")
	case a.Group == "" && a.Op != provider.OpCreate:
		return fmt.Errorf("is about no group")
	case a.AcceptWindow < 0:
		return fmt.Errorf("has a negative accept window")
	}
	named := int64(len(a.Removes))
	switch a.Op {
	case provider.OpCreate:
		if a.Group != "" {
			return fmt.Errorf("creates a group")
		}
	case provider.OpResize:
		if len(a.To) == 0 {
			return fmt.Errorf("does not say to what size")
		}
	case provider.OpScaleOut:
		if after <= before || before < 0 {
			return fmt.Errorf("goes from %d to %s", before, plural(after, "node"))
		}
	case provider.OpScaleIn:
		if after >= before || after < 0 {
			return fmt.Errorf("goes from %d to %s", before, plural(after, "node"))
		}
		if named > 0 && named != before-after {
			return fmt.Errorf("names %s and removes %d", plural(named, "node"), before-after)
		}
	default:
		return fmt.Errorf("has an unknown op %q", a.Op)
	}
	if named > 0 && a.Op != provider.OpScaleIn {
		return fmt.Errorf("removes nodes")
	}
	return checkCount(a, before, after)
}

// checkCount demands that a scaling settles its group's count, as the change
// asks, and that nothing else does.
func checkCount(a provider.Action, before, after int64) error {
	if a.Op == provider.OpCreate {
		return nil
	}
	counted := false
	for _, f := range a.Fields {
		group, path := splitPath(groupPath(a.Group, f.Path))
		b, w, ok := counts(group, provider.FieldChange{Path: path, Before: normalise(f.Before), After: normalise(f.After)})
		switch {
		case !ok:
			continue
		case group != a.Group:
			return fmt.Errorf("covers the count of another group, %s", group)
		case a.Op == provider.OpResize:
			return fmt.Errorf("changes a number of nodes")
		case b != before || w != after:
			return fmt.Errorf("goes from %d to %s where the change is from %d to %d", before, plural(after, "node"), b, w)
		}
		counted = true
	}
	if a.Op != provider.OpResize && !counted {
		return fmt.Errorf("changes a number of nodes that no change asks for")
	}
	return nil
}
