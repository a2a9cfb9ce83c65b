package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Rules are what the spec says to the engine itself about a cluster. Providers
// never see them.
type Rules struct {
	// Protect: no node of the cluster is removed and none made smaller.
	Protect bool `json:"protect,omitempty"`
	// MaxRemoved limits the nodes removed from the cluster over time; nil: it
	// does not.
	MaxRemoved *Budget `json:"max_removed,omitempty"`
	// DependsOn are the clusters of the spec whose changes come first.
	DependsOn []string              `json:"depends_on,omitempty"`
	Groups    map[string]GroupRules `json:"node_groups,omitempty"`
}

// GroupRules are the rules of one node group.
type GroupRules struct {
	Protect    bool    `json:"protect,omitempty"`
	MaxRemoved *Budget `json:"max_removed,omitempty"`
	// OwnedBy says who keeps a field of the group in place of the spec, by the
	// field's path in the group: a difference is shown and never changed.
	OwnedBy map[string]string `json:"owned_by,omitempty"`
	// Count is the range in which the count may be; nil: the spec states a
	// number, or nothing.
	Count *Band `json:"count,omitempty"`
}

// Band is a range of counts, both ends in it.
type Band struct {
	Min int64 `json:"min"`
	Max int64 `json:"max"`
}

// Budget is how many nodes may be removed within a time.
type Budget struct {
	Count int64 `json:"count"`
	Per   Span  `json:"per"`
}

// Span is a time as the spec writes it: "90m", "24h", "7d", "2w".
type Span string

var spanUnits = map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// Duration is how long s lasts; the schema lets nothing else through than what
// it can tell.
func (s Span) Duration() (time.Duration, error) {
	if len(s) > 1 {
		n, err := strconv.ParseInt(string(s[:len(s)-1]), 10, 32)
		if unit, ok := spanUnits[s[len(s)-1]]; ok && err == nil && n > 0 {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, fmt.Errorf("%q is no time such as 90m, 24h, 7d or 2w", string(s))
}

// length is the Duration of a span that was read before.
func (s Span) length() time.Duration {
	d, _ := s.Duration()
	return d
}

// ReadRules reads rules as the loader gives them; nil: there are none.
func ReadRules(raw json.RawMessage) (Rules, error) {
	var r Rules
	if len(raw) == 0 {
		return r, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return r, fmt.Errorf("rules: %w", err)
	}
	if len(r.DependsOn) == 0 {
		r.DependsOn = nil // a plan writes an empty list as none
	}
	budgets := []*Budget{r.MaxRemoved}
	for _, g := range r.Groups {
		budgets = append(budgets, g.MaxRemoved)
	}
	for _, b := range budgets {
		if b != nil {
			if _, err := b.Per.Duration(); err != nil {
				return r, fmt.Errorf("rules: %w", err)
			}
		}
	}
	return r, nil
}
