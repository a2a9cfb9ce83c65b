package schema

import (
	"maps"
	"slices"
)

// Limit is one field of a schema for people: what a spec may say there and
// which document says so. The README's table of limits is made of them.
type Limit struct {
	Plugin     string
	Kind       string // empty: the providers entry
	Path       string // "node_groups.core.count"
	Rule       string // as the schema writes it, without its message
	Doc        string
	Source     string // the document and its section
	Attributes []string
}

// Limits lists every leaf field of every kind and of the providers entries that
// the plugins' own files state, in the files' order. Sources that do not compile are an error.
func Limits(sources []Source) ([]Limit, error) {
	ctx := newContext()
	var all []Limit
	for _, src := range sources {
		c, err := compile(ctx, src)
		if err != nil {
			return nil, err
		}
		add := func(kind string, def *definition) {
			for _, path := range def.fields.order {
				f := def.fields.byPath[path]
				if path == "" || f.structs && !f.plain || f.rule == "" || ofManaged(path) || def.fields.within(path) {
					continue
				}
				all = append(all, Limit{
					Plugin: src.Plugin, Kind: kind, Path: path, Rule: f.rule,
					Doc: f.doc, Source: f.source, Attributes: f.attrs,
				})
			}
		}
		add("", c.entry)
		for _, kind := range slices.Sorted(maps.Keys(c.kinds)) {
			add(kind, c.kinds[kind])
		}
	}
	return all, nil
}
