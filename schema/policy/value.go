package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
)

// object is a JSON object.
type object = map[string]any

// subject is what a rule is held against: an action, or the plan.
type subject struct {
	ctx    *cue.Context
	about  object
	closed map[string]cue.Value // by what is left of it
}

// subjects reads a plan's JSON and makes of it what rules see: its actions, and
// the whole.
func subjects(ctx *cue.Context, plan []byte) (actions []*subject, whole *subject, err error) {
	all, err := decoded(plan)
	if err != nil {
		return nil, nil, fmt.Errorf("read the plan: %w", err)
	}
	list, err := actionsOf(all)
	if err != nil {
		return nil, nil, fmt.Errorf("read the plan: %w", err)
	}
	for _, a := range list {
		actions = append(actions, &subject{ctx, a, map[string]cue.Value{}})
	}
	return actions, &subject{ctx, planOf(all, list), map[string]cue.Value{}}, nil
}

func decoded(text []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // whole numbers stay whole
	var all object
	return all, dec.Decode(&all)
}

// value is the subject for CUE, as far as part concerns itself with it. It is
// closed: a part that names a field which is not there does not add it.
func (s *subject) value(p part) (cue.Value, error) {
	key, about := strings.Join(p.fields, " "), s.about
	if p.whole {
		key = "."
	} else {
		about = object{}
		for _, name := range p.fields {
			if v, known := s.about[name]; known {
				about[name] = v
			}
		}
	}
	if v, known := s.closed[key]; known {
		return v, nil
	}
	text, err := json.Marshal(about)
	if err != nil {
		return cue.Value{}, err
	}
	v := s.ctx.CompileBytes(slices.Concat([]byte("#Closed: "), text), cue.Filename("plan.json"))
	if err := v.Err(); err != nil {
		return cue.Value{}, fmt.Errorf("read the plan: %w", err)
	}
	v = v.LookupPath(cue.MakePath(cue.Def("Closed")))
	s.closed[key] = v
	return v, nil
}

// actionsOf is the plan's actions as rules see them: with what follows from
// the rest of the plan, and without what is the engine's own.
func actionsOf(plan object) ([]object, error) {
	desired, entries := byName(plan, "clusters", "address"), byName(plan, "providers", "name")
	var all []object
	for i, item := range listOf(plan, "actions") {
		raw, ok := item.(object)
		if !ok {
			return nil, fmt.Errorf("action %d is not an object", i+1)
		}
		a := maps.Clone(raw)
		for _, name := range []string{"request", "secrets", "accept_window"} {
			delete(a, name)
		}
		for _, name := range []string{"group", "cluster_id", "reason", "risk"} {
			fill(a, name, "")
		}
		for _, name := range []string{"from", "to"} {
			fill(a, name, object{})
		}
		for _, name := range []string{"fields", "removes", "depends_on"} {
			fill(a, name, []any{})
		}
		fill(a, "cloud_chooses", false)
		entry := entries[text(a, "provider")]
		a["plugin"] = text(entry, "plugin")
		a["settings"] = member(entry, "settings")
		spec := wanted(desired[text(a, "cluster")])
		a["desired"] = spec
		a["added"], a["removed"] = moved(a, spec)
		all = append(all, a)
	}
	return all, nil
}

// planOf is the plan as rules see it: the same before and after it is sealed.
func planOf(plan object, actions []object) object {
	p := maps.Clone(plan)
	for _, name := range []string{"digest", "nonce", "denied", "clusters", "providers"} {
		delete(p, name)
	}
	list := make([]any, len(actions))
	added := int64(0)
	for i, a := range actions {
		list[i] = a
		added += a["added"].(int64)
	}
	summary := maps.Clone(member(plan, "summary"))
	summary["added"] = added
	fill(summary, "cost", []any{})
	p["actions"], p["summary"] = list, summary
	return p
}

// wanted is a cluster as its spec says it, with what the spec says to clusterctl
// itself.
func wanted(planned object) object {
	spec := maps.Clone(member(member(planned, "desired"), "spec"))
	merge(spec, member(planned, "rules"))
	return spec
}

// merge adds to spec what it does not have. Structs on the way are copied.
func merge(spec, more object) {
	for name, v := range more {
		have, known := spec[name]
		inner, isObject := have.(object)
		add, alsoObject := v.(object)
		switch {
		case isObject && alsoObject:
			inner = maps.Clone(inner)
			merge(inner, add)
			spec[name] = inner
		case !known:
			spec[name] = v
		}
	}
}

// moved counts the nodes that an action adds and removes.
func moved(action, desired object) (added, removed int64) {
	from, to := member(action, "from"), member(action, "to")
	switch text(action, "op") {
	case "create":
		for _, g := range member(desired, "node_groups") {
			group, _ := g.(object)
			added += count(group)
		}
	case "scale_out":
		added = max(0, count(to)-count(from))
	case "scale_in":
		removed = max(0, count(from)-count(to))
	}
	return added, removed
}

// change words what an action does: "scale_out 5 → 60".
func change(action object) string {
	op, from, to := text(action, "op"), member(action, "from"), member(action, "to")
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(to)) {
		part := fmt.Sprint(to[name])
		if before, known := from[name]; known {
			part = fmt.Sprint(before, " → ", part)
		}
		if name != "count" {
			part = name + " " + part
		}
		parts = append(parts, part)
	}
	return strings.TrimSpace(op + " " + strings.Join(parts, ", "))
}

func count(of object) int64 {
	n, _ := of["count"].(json.Number)
	whole, err := n.Int64()
	if err != nil {
		return 0
	}
	return whole
}

// fill gives a field that is not there, or null, its empty value.
func fill(o object, name string, empty any) {
	if o[name] == nil {
		o[name] = empty
	}
}

func text(o object, name string) string {
	s, _ := o[name].(string)
	return s
}

// member is a field that is an object; an empty one where it is none.
func member(o object, name string) object {
	if m, ok := o[name].(object); ok {
		return m
	}
	return object{}
}

func listOf(o object, name string) []any {
	list, _ := o[name].([]any)
	return list
}

// byName finds the objects of a list by the text in one of their fields.
func byName(o object, list, field string) map[string]object {
	all := map[string]object{}
	for _, item := range listOf(o, list) {
		if m, ok := item.(object); ok {
			all[text(m, field)] = m
		}
	}
	return all
}
