package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// against is the cluster with what its rules leave to live state: a range of
// counts becomes one number, or nothing where the live count lies in it, and
// fields that somebody else keeps are taken out. The owned ones that differ come
// back. What follows, and what a saved plan keeps, knows plain values only. live
// is nil when the cluster is absent: then it is made with the smallest counts,
// and an owned field says what it begins with.
func (c *Cluster) against(live *provider.State) (*Cluster, []Owned, error) {
	if !slices.ContainsFunc(slices.Collect(maps.Values(c.Rules.Groups)), func(g GroupRules) bool { return g.Count != nil || len(g.OwnedBy) > 0 }) {
		return c, nil, nil
	}
	desired, err := decode(c.Spec)
	if err != nil {
		return nil, nil, fmt.Errorf("spec of %s: %w", c.Address, err)
	}
	observed := Values{}
	if live != nil {
		if observed, err = observedValues(live); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", c.Address, err)
		}
	}
	var owned []Owned
	wanted, _ := desired[groupsKey].(Values)
	there, _ := observed[groupsKey].(Values)
	for _, role := range slices.Sorted(maps.Keys(c.Rules.Groups)) {
		rules := c.Rules.Groups[role]
		want, _ := wanted[role].(Values)
		if want == nil {
			continue // rules alone: nothing is wanted of the group
		}
		have, _ := there[role].(Values)
		if rules.Count != nil {
			rules.Count.choose(want, have, live == nil)
		}
		if live == nil {
			continue
		}
		for _, path := range slices.Sorted(maps.Keys(rules.OwnedBy)) {
			after, stated := want[path]
			if !stated {
				continue
			}
			delete(want, path)
			if before := have[path]; !reflect.DeepEqual(before, after) {
				owned = append(owned, Owned{
					Address: Address(c.Address, role), Provider: c.Entry, Kind: c.Kind, Owner: rules.OwnedBy[path],
					Field: provider.FieldChange{Path: path, Before: before, After: after}, Source: c.Source(groupPath(role, path)),
				})
			}
		}
	}
	out := *c
	if out.Spec, err = json.Marshal(desired); err != nil {
		return nil, nil, fmt.Errorf("spec of %s: %w", c.Address, err)
	}
	return &out, owned, nil
}

// String is the range in words for people: "3–8".
func (b Band) String() string { return fmt.Sprintf("%d–%d", b.Min, b.Max) }

// UnmarshalJSON demands both ends, in order: an end that is not there would read
// as 0 and remove every node. What a plugin's schema takes for a range is its
// author's business.
func (b *Band) UnmarshalJSON(raw []byte) error {
	var ends struct{ Min, Max *int64 }
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&ends); err != nil || ends.Min == nil || ends.Max == nil || *ends.Min < 0 || *ends.Min > *ends.Max {
		return fmt.Errorf("a range of counts has a min and a max that is no less, both whole numbers from 0, not %s", raw)
	}
	b.Min, b.Max = *ends.Min, *ends.Max
	return nil
}

// choose puts the count that a range asks for into the wanted group.
func (b *Band) choose(want, have Values, create bool) {
	live, _ := have["count"].(int64)
	switch {
	case create || live < b.Min:
		want["count"] = b.Min
	case live > b.Max:
		want["count"] = b.Max
	default:
		delete(want, "count")
	}
}
