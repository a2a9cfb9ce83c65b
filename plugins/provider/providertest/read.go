package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var levels = []provider.Level{provider.LevelSummary, provider.LevelNodes}

// addressed gives keys addresses of the suite's own.
func addressed(keys ...provider.Key) []provider.Key {
	keys = slices.Clone(keys)
	for i := range keys {
		keys[i].Address = fmt.Sprintf("cluster-%d", i+1)
	}
	return keys
}

// look reads keys and demands one answer for each; it returns them in the
// order of keys.
func look(ctx context.Context, p provider.Provider, level provider.Level, keys []provider.Key) ([]provider.Observation, error) {
	answers := map[string]provider.Observation{}
	err := p.Observe(ctx, provider.ObserveRequest{Level: level, Keys: keys}, func(o provider.Observation) error {
		if _, twice := answers[o.Address]; twice {
			return fmt.Errorf("%q is answered twice", o.Address)
		}
		answers[o.Address] = o
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("Observe at level %s: %w", level, err)
	}
	ordered := make([]provider.Observation, len(keys))
	for i, key := range keys {
		o, ok := answers[key.Address]
		if !ok {
			return nil, fmt.Errorf("Observe at level %s: %s is not answered", level, describeKey(key))
		}
		delete(answers, key.Address)
		if err := sound(o, key); err != nil {
			return nil, fmt.Errorf("Observe at level %s: the answer for %s %w", level, describeKey(key), err)
		}
		ordered[i] = o
	}
	for address := range answers {
		return nil, fmt.Errorf("Observe at level %s: %q is answered and was not asked for", level, address)
	}
	return ordered, nil
}

func describeKey(k provider.Key) string {
	if k.ID != "" {
		return "id " + k.ID
	}
	return "name " + k.Name
}

// sound judges one answer by itself.
func sound(o provider.Observation, key provider.Key) error {
	if (o.Presence == provider.Present) != (o.Cluster != nil) {
		return fmt.Errorf("says %q, with cluster: %t", o.Presence, o.Cluster != nil)
	}
	if (o.Presence == provider.Unread) != (o.Error != nil) {
		return fmt.Errorf("says %q, with error: %t", o.Presence, o.Error != nil)
	}
	if o.Presence != provider.Unread && o.At.IsZero() {
		return errors.New("does not say when it was read")
	}
	switch o.Presence {
	case provider.Unread:
		return nil
	case provider.Absent:
		if len(o.IDs) > 0 {
			return fmt.Errorf("says absent and lists %v", o.IDs)
		}
		return nil
	case provider.Ambiguous:
		if len(o.IDs) < 2 || key.ID != "" {
			return errors.New("says ambiguous, without two ids or for an id")
		}
		return nil
	case provider.Present:
		return soundState(o, key)
	}
	return fmt.Errorf("has presence %q, which the contract does not know", o.Presence)
}

func soundState(o provider.Observation, key provider.Key) error {
	s := o.Cluster
	switch {
	case s.ID == "" || key.ID != "" && s.ID != key.ID:
		return fmt.Errorf("is cluster %q", s.ID)
	case key.ID == "" && key.Name != "" && (s.Name != key.Name || !slices.Equal(o.IDs, []string{s.ID})):
		return fmt.Errorf("is named %q, with ids %v", s.Name, o.IDs)
	case s.Kind == "" || key.Kind != "" && s.Kind != key.Kind:
		return fmt.Errorf("is of kind %q, asked was %q", s.Kind, key.Kind)
	case !slices.Contains([]provider.Status{provider.StatusUnknown, provider.StatusReady, provider.StatusBusy, provider.StatusBroken}, s.Status):
		return fmt.Errorf("has status %q, which the contract does not know", s.Status)
	}
	if err := object(s.Attributes, "node_groups"); err != nil {
		return err
	}
	roles, nodes := map[string]bool{}, map[string]bool{}
	for _, g := range s.Groups {
		if g.Role == "" || roles[g.Role] || g.Count < 0 {
			return fmt.Errorf("has group %q twice, or without a name, or with %d nodes", g.Role, g.Count)
		}
		roles[g.Role] = true
		if err := object(g.Attributes, "count"); err != nil {
			return fmt.Errorf("in group %s %w", g.Role, err)
		}
		for _, n := range g.Nodes {
			if n.ID == "" || nodes[n.ID] {
				return fmt.Errorf("has node %q twice, or without an id", n.ID)
			}
			nodes[n.ID] = true
		}
	}
	return nil
}

// object demands attributes as a JSON object without one member.
func object(attributes json.RawMessage, without string) error {
	if len(attributes) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(attributes, &members); err != nil {
		return fmt.Errorf("has attributes that are no JSON object: %w", err)
	}
	if _, ok := members[without]; ok {
		return fmt.Errorf("has %s among the attributes", without)
	}
	return nil
}
