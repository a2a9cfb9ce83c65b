package engine

import (
	"fmt"
	"maps"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"

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
// field of every change exactly once and touches nothing else.
func checkCoverage(changes []provider.Change, p provider.ClusterPlan) error {
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
			case !gocmp.Equal(normalise(f.Before), normalise(want.Before)) || !gocmp.Equal(normalise(f.After), normalise(want.After)):
				return fmt.Errorf("%s changes %s from %s to %s, asked was from %s to %s",
					by, path, show(f.Before), show(f.After), show(want.Before), show(want.After))
			}
			settled[path] = true
		}
		return nil
	}
	for i, a := range p.Actions {
		by := fmt.Sprintf("action %d (%s)", i+1, a.Op)
		if err := checkAction(a); err != nil {
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

// checkAction judges one action by itself.
func checkAction(a provider.Action) error {
	before, after := a.From["count"], a.To["count"]
	switch {
	case len(a.Request) == 0:
		return fmt.Errorf("has no request")
	case len(a.Fields) == 0 && a.Op != provider.OpCreate:
		return fmt.Errorf("covers no field")
	}
	switch a.Op {
	case provider.OpCreate, provider.OpResize:
		if len(a.Removes) > 0 {
			return fmt.Errorf("removes nodes")
		}
	case provider.OpScaleOut:
		if after <= before {
			return fmt.Errorf("goes from %d to %d nodes", before, after)
		}
		if len(a.Removes) > 0 {
			return fmt.Errorf("removes nodes")
		}
	case provider.OpScaleIn:
		if after >= before || after < 0 {
			return fmt.Errorf("goes from %d to %d nodes", before, after)
		}
		if n := int64(len(a.Removes)); n > 0 && n != before-after {
			return fmt.Errorf("names %d nodes and removes %d", n, before-after)
		}
	default:
		return fmt.Errorf("has an unknown op %q", a.Op)
	}
	if a.Op == provider.OpScaleOut || a.Op == provider.OpScaleIn {
		for _, f := range a.Fields {
			b, w, ok := counts(a.Group, provider.FieldChange{Path: f.Path, Before: normalise(f.Before), After: normalise(f.After)})
			if ok && (b != before || w != after) {
				return fmt.Errorf("goes from %d to %d nodes where the change is from %d to %d", before, after, b, w)
			}
		}
	}
	return nil
}
