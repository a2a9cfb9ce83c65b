package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Cluster is one desired cluster that satisfies its schema.
type Cluster struct {
	provider.Desired
	Entry string // key in Fleet.Providers
	// Rules is what the cluster says to clusterctl itself, shaped as in the
	// spec, with counts that are a range; nil when it says nothing. Spec has
	// none of it.
	Rules json.RawMessage
	// Meanings is the table of the cluster's kind, shared by all of them.
	Meanings provider.Meanings

	tree *tree
	raw  cue.Value
	eval *sync.Mutex // CUE computes some values at first sight
}

// Source is where path inside the cluster was written, as in
// "fleet.cue:14:10"; "" is the cluster itself. For a value that the spec does
// not state, such as a default of the schema, it is the nearest struct around it.
func (c *Cluster) Source(path string) string {
	c.eval.Lock()
	defer c.eval.Unlock()
	pos := c.tree.nearestLabel(c.raw, undotted(path))
	if !pos.IsValid() {
		return ""
	}
	return c.tree.at(pos)
}

// cluster judges one cluster; nil when it is not sound.
func (l *loader) cluster(address string, raw cue.Value) *Cluster {
	s := &subject{tree: l.tree, ctx: l.ctx, raw: raw, cluster: address, where: fmt.Sprintf("cluster %q", address)}
	if faults := s.itself(); faults != nil {
		l.report(faults...)
		return nil
	}
	entries := slices.Sorted(maps.Keys(l.entries))
	// Provider and kind come first: against the wrong schema every further
	// message would be wrong too.
	entry, fault := s.word("provider", entries)
	if fault != nil {
		l.report(append(s.own(), *fault)...)
		return nil
	}
	c, ok := l.entries[entry]
	if !ok {
		l.report(s.problem(Problem{Kind: KindProvider, Path: "provider", Message: fmt.Sprintf("no providers entry %q", entry), Hint: DidYouMean(entry, entries)}, "provider"))
		return nil
	}
	if c == nil { // its plugin is not known, which is reported already
		return nil
	}
	kinds := slices.Sorted(maps.Keys(c.kinds))
	kind, fault := s.word("kind", kinds)
	if fault != nil {
		l.report(append(s.own(), *fault)...)
		return nil
	}
	if s.def = c.kinds[kind]; s.def == nil {
		l.report(s.problem(Problem{Kind: KindProvider, Path: "kind", Message: fmt.Sprintf("plugin %s has no kind %q", c.Plugin, kind), Hint: DidYouMean(kind, kinds)}, "kind"))
		return nil
	}
	unified, problems := s.judge()
	if problems != nil {
		l.report(problems...)
		return nil
	}
	return l.desired(s, entry, kind, unified)
}

// desired makes the JSON that engine and plugin see.
func (l *loader) desired(s *subject, entry, kind string, unified cue.Value) *Cluster {
	content, spec, err := canonical(unified)
	if err != nil {
		l.report(s.problem(Problem{Kind: KindLimit, Message: fmt.Sprintf("%s: %v", s.where, err)}))
		return nil
	}
	_, faults := secretsIn(spec, s.def.meanings)
	for _, path := range slices.Sorted(maps.Keys(faults)) {
		p := s.problem(Problem{Kind: KindSecret, Path: path, Message: faults[path].Error()}, undotted(path)...)
		at, depth := descend(s.raw, undotted(path))
		s.shield(&p, undotted(path), at, depth == len(undotted(path)))
		l.report(p)
	}
	if len(faults) > 0 {
		return nil
	}
	rules, err := takeRules(spec)
	if err == nil && rules != nil {
		content, err = marshal(spec)
	}
	if err != nil {
		l.report(s.problem(Problem{Kind: KindLimit, Message: fmt.Sprintf("%s: %v", s.where, err)}))
		return nil
	}
	id, _ := spec["id"].(string)
	name, _ := spec["name"].(string)
	if name == "" {
		name = s.cluster
		if id == "" {
			// The cluster is found, or made, by this name, so it is part of
			// what is wanted and obeys the same limits. With an id it is
			// only a label: a name that the spec does not state is unmanaged.
			if p := l.defaultName(s, name); p != nil {
				l.report(*p)
				return nil
			}
			spec["name"] = name
			if content, err = marshal(spec); err != nil {
				l.report(s.problem(Problem{Kind: KindLimit, Message: fmt.Sprintf("%s: %v", s.where, err)}))
				return nil
			}
		}
	}
	return &Cluster{
		Desired: provider.Desired{Address: s.cluster, Kind: kind, ID: id, Name: name, Spec: content},
		Entry:   entry, Meanings: s.def.meanings, Rules: rules,
		tree: l.tree, raw: s.raw, eval: &l.eval,
	}
}

// defaultName judges the key as the cluster's name.
func (l *loader) defaultName(s *subject, name string) *Problem {
	rule := s.def.value.LookupPath(cue.MakePath(cue.Str("name").Optional()))
	if !rule.Exists() {
		return nil
	}
	if rule.Unify(l.ctx.Encode(name)).Validate(cue.Concrete(true)) == nil {
		return nil
	}
	p := s.problem(Problem{
		Kind: KindLimit, Path: "name", Message: fmt.Sprintf("the key %q cannot be the cluster's name", name),
		Hint: "state a name, or change the key",
	})
	if f := s.def.fields.byPath["name"]; f != nil {
		p.Limit = f.source
		if f.doc != "" {
			p.Notes = append(p.Notes, f.doc)
		}
	}
	return &p
}

// itself tells what is wrong with the subject as a whole: that it is no struct,
// or cannot be one.
func (s *subject) itself() []Problem {
	switch kind := s.raw.IncompleteKind(); kind {
	case cue.StructKind:
		return nil
	case cue.BottomKind:
		for _, e := range errors.Errors(s.raw.Validate()) {
			if len(relative(e.Path(), 2)) == 0 {
				return s.explain(e, 2, true)
			}
		}
		return nil
	}
	return []Problem{s.problem(Problem{Kind: KindLimit, Message: fmt.Sprintf("%s must be a struct, not %s", s.where, describe(s.raw))})}
}

// own tells what the spec itself gets wrong in the subject, whatever its schema.
func (s *subject) own() []Problem {
	if s.raw.Err() == nil {
		return nil
	}
	return s.explain(s.raw.Validate(), 2, true)
}

// word reads a field that chooses the schema, before there is one.
func (s *subject) word(field string, known []string) (string, *Problem) {
	v, depth := descend(s.raw, []string{field})
	if depth == 0 {
		p := s.problem(Problem{Kind: KindMissingField, Path: field, Message: fmt.Sprintf("%s has no %s", s.where, field)})
		if len(known) > 0 {
			p.Hint = "one of " + someOf(known)
		}
		return "", &p
	}
	if err := v.Err(); err != nil {
		all := s.explain(err, 2, true)
		return "", &all[0]
	}
	text, err := v.String()
	if err != nil {
		got := "it has no concrete value"
		if v.IsConcrete() {
			got = "not " + describe(v)
		}
		p := s.problem(Problem{Kind: KindLimit, Path: field, Message: fmt.Sprintf("%s must be a string, %s", field, got)}, field)
		return "", &p
	}
	return text, nil
}

// problem completes p with the subject and the position of path in it.
func (s *subject) problem(p Problem, path ...string) Problem {
	p.Severity, p.Cluster, p.Entry = Error, s.cluster, s.entry
	pos := s.nearestLabel(s.raw, path)
	if at, depth := descend(s.raw, path); depth == len(path) && len(path) > 0 && s.inSpec(valuePos(at)) {
		pos = valuePos(at)
	}
	s.place(&p, pos)
	return p
}

// canonical is v as JSON with sorted keys, and the same decoded.
func canonical(v cue.Value) (json.RawMessage, map[string]any, error) {
	b, err := v.MarshalJSON()
	if err != nil {
		return nil, nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber() // counts stay whole numbers
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, nil, err
	}
	out, err := marshal(m)
	return out, m, err
}

func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
