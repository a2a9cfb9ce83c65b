package schema

import (
	"encoding/json"
	"fmt"
	"slices"

	"cuelang.org/go/cue/token"
)

// twins refuses two clusters of the spec that would be one cluster live.
func (l *loader) twins(fleet *Fleet) {
	first := map[[4]string]*Cluster{}
	for _, c := range fleet.Clusters {
		key := [4]string{c.Entry, "id", c.ID}
		what, field := fmt.Sprintf("id %q", c.ID), "id"
		if c.ID == "" {
			key = [4]string{c.Entry, "name", c.Kind, c.Name}
			what, field = fmt.Sprintf("name %q", c.Name), "name"
		}
		a := first[key]
		if a == nil {
			first[key] = c
			continue
		}
		b := c
		posA, posB := l.identity(a, field), l.identity(b, field)
		if posB.Compare(posA) < 0 {
			a, b, posA, posB = b, a, posB, posA
		}
		p := Problem{
			Severity: Error, Kind: KindConflict, Cluster: b.Address, Path: field,
			Message: fmt.Sprintf("clusters %s and %s of entry %s have the same %s", a.Address, b.Address, b.Entry, what),
			Notes:   []string{fmt.Sprintf("%s is at %s", a.Address, l.at(posA))},
		}
		l.place(&p, posB)
		l.report(p)
	}
}

// identity is where a cluster's id or name stands; the cluster itself when the
// name is its key.
func (l *loader) identity(c *Cluster, field string) token.Pos {
	if v, depth := descend(c.raw, []string{field}); depth == 1 && l.inSpec(valuePos(v)) {
		return valuePos(v)
	}
	return l.nearestLabel(c.raw, nil)
}

// single refuses a second cluster of a kind of which the cloud gives one to each
// value of an entry's setting: the schema says so with @single(setting). Entries
// that agree in the setting share the one cluster.
func (l *loader) single(fleet *Fleet) {
	type key struct{ plugin, kind, setting string }
	all := map[key][]*Cluster{}
	for _, c := range fleet.Clusters {
		e := fleet.Providers[c.Entry]
		if per := l.plugins[e.Plugin].kinds[c.Kind].single(); per != "" {
			k := key{e.Plugin, c.Kind, e.setting(per)}
			all[k] = append(all[k], c)
		}
	}
	for k, clusters := range all {
		slices.SortStableFunc(clusters, func(a, b *Cluster) int {
			return l.nearestLabel(a.raw, nil).Compare(l.nearestLabel(b.raw, nil))
		})
		first := clusters[0]
		limit := l.plugins[k.plugin].kinds[k.kind].fields.byPath["kind"]
		for _, c := range clusters[1:] {
			p := Problem{
				Severity: Error, Kind: KindConflict, Cluster: c.Address, Path: "kind", Limit: limit.source,
				Message: fmt.Sprintf("%s %s has the %s cluster %s already, and may have one only", limit.single, k.setting, k.kind, first.Address),
				Notes:   []string{fmt.Sprintf("%s is at %s", first.Address, l.at(l.nearestLabel(first.raw, nil)))},
			}
			l.place(&p, l.nearestLabel(c.raw, nil))
			l.report(p)
		}
	}
}

// setting is the value of one of the entry's settings, as in a message.
func (e *Entry) setting(name string) string {
	var settings map[string]json.RawMessage
	if json.Unmarshal(e.Settings, &settings) != nil {
		return ""
	}
	var text string
	if json.Unmarshal(settings[name], &text) == nil {
		return text
	}
	return string(settings[name])
}
