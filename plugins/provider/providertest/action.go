package providertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const count = "count"

// groupOf is a live cluster's group of that role; nil when there is none.
func groupOf(s *provider.State, role string) *provider.Group {
	if s == nil {
		return nil
	}
	for i := range s.Groups {
		if s.Groups[i].Role == role {
			return &s.Groups[i]
		}
	}
	return nil
}

// liveCount is how many nodes a group has; a group that is not there has none.
func liveCount(s *provider.State, role string) int64 {
	if g := groupOf(s, role); g != nil {
		return int64(g.Count)
	}
	return 0
}

// whole reads a number as a plan may hold it.
func whole(v any) (int64, bool) {
	var n *int64
	b, err := json.Marshal(v)
	if err != nil || json.Unmarshal(b, &n) != nil || n == nil {
		return 0, false
	}
	return *n, true
}

var planFromTo = eachAction(func(s planned, a provider.Action) error {
	switch a.Op {
	case provider.OpCreate:
		if len(a.From) > 0 || len(a.To) > 0 {
			return fmt.Errorf("from %v to %v: both are empty for a create", a.From, a.To)
		}
		return nil
	case provider.OpScaleOut, provider.OpScaleIn:
		from, to := a.From[count], a.To[count]
		switch {
		case from != liveCount(s.asked.Current, a.Group):
			return fmt.Errorf("it goes from %v nodes, and %d are live", a.From, liveCount(s.asked.Current, a.Group))
		case (a.Op == provider.OpScaleOut) != (to > from) || to == from || to < 0:
			return fmt.Errorf("it goes from %d to %d nodes", from, to)
		}
	case provider.OpResize:
		if len(a.To) == 0 {
			return errors.New("it does not say to what")
		}
	}
	for _, f := range a.Fields {
		if after, ok := whole(f.After); ok {
			if to, said := a.To[f.Path]; said && to != after {
				return fmt.Errorf("%s goes to %d, wanted is %d", f.Path, to, after)
			} else if !said && (f.Path == count || a.Op == provider.OpResize) {
				return fmt.Errorf("it settles %s and does not say to what", f.Path)
			}
		}
		if before, ok := whole(f.Before); ok {
			if from, said := a.From[f.Path]; said && from != before {
				return fmt.Errorf("%s goes from %d, live is %d", f.Path, from, before)
			}
		}
	}
	return nil
})

var planRemoves = eachAction(func(s planned, a provider.Action) error {
	if len(a.Removes) == 0 {
		return nil
	}
	if a.Op != provider.OpScaleIn {
		return fmt.Errorf("it removes %d nodes", len(a.Removes))
	}
	if goes := a.From[count] - a.To[count]; int64(len(a.Removes)) != goes {
		return fmt.Errorf("it names %d nodes, and %d go", len(a.Removes), goes)
	}
	seen := map[string]bool{}
	for _, victim := range a.Removes {
		g := groupOf(s.asked.Current, a.Group)
		if g == nil || seen[victim.ID] || !slices.ContainsFunc(g.Nodes, func(n provider.Node) bool { return n.ID == victim.ID }) {
			return fmt.Errorf("it names %q, which is not live in group %q or named twice", victim.ID, a.Group)
		}
		seen[victim.ID] = true
	}
	return nil
})

var planRequest = eachAction(func(s planned, a provider.Action) error {
	if !slices.Contains([]provider.Op{provider.OpCreate, provider.OpScaleOut, provider.OpScaleIn, provider.OpResize}, a.Op) {
		return fmt.Errorf("op %q is not known to the contract", a.Op)
	}
	if len(a.Request) == 0 {
		return errors.New("it has no request")
	}
	if a.AcceptWindow < 0 {
		return fmt.Errorf("its accept window is %v", a.AcceptWindow)
	}
	for _, path := range a.Secrets {
		if _, ok := s.Secrets[path]; !ok {
			return fmt.Errorf("it needs secret %q, which is not in the scenario's Secrets", path)
		}
	}
	r := &record{secrets: map[string][]string{}}
	for path, value := range s.Secrets {
		if len(value) >= shortSecret {
			r.secrets[path] = forms(value)
		}
	}
	if r.text("the request", string(a.Request)); len(r.shown) > 0 {
		return errors.New(r.shown[0])
	}
	return nil
})
