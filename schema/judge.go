package schema

import (
	"slices"
	"strconv"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
)

// rounds bounds how often a broken cluster is evaluated again.
const rounds = 8

// judge unifies the subject with its definition and tells everything that is
// wrong with it. CUE stops early: one wrong value hides unknown fields and
// further rules of the same cluster. So the reported fields are taken out and
// the rest is judged again, until nothing new appears. Only broken clusters pay
// for this.
func (s *subject) judge() (cue.Value, []Problem) {
	var problems []Problem
	omit := map[string]bool{}
	note := func(found []Problem, keep func(Problem) bool) (fresh int) {
		for _, p := range found {
			if omit[p.Path] || !keep(p) {
				continue
			}
			omit[p.Path] = true
			problems = append(problems, p)
			fresh++
		}
		return fresh
	}
	if err := s.raw.Err(); err == nil {
		if unified, sound := s.plain(); sound {
			return unified, nil
		}
		unified := s.raw.Unify(s.def.value)
		err := unified.Validate(cue.Concrete(true))
		if err == nil {
			return unified, nil
		}
		note(s.explain(err, 2, false), func(Problem) bool { return true })
	} else {
		note(s.explain(s.raw.Validate(), 2, true), func(Problem) bool { return true })
	}
	for round := range rounds {
		err := s.evaluate(omit)
		fresh := note(s.explain(err, 0, false), func(p Problem) bool {
			switch {
			case p.Kind == KindMissingField:
				// Missing because it was taken out, or because something it
				// depends on was.
				return round == 0 && s.raw.Err() != nil && !below(omit, p)
			case p.Kind == KindUnknownField:
				// Allowed perhaps, if a field that was taken out were right.
				return !s.known(p) && !below(omit, p)
			}
			return true
		})
		if fresh == 0 {
			break
		}
	}
	return cue.Value{}, problems
}

// plain judges a subject by its plugin's own definition, which costs much less
// and comes to the same where it says nothing to clusterctl itself: the other
// definition adds fields that nobody has to state. What is not sound by it is
// told by the other.
func (s *subject) plain() (cue.Value, bool) {
	d := s.def
	if !d.apart || d.spoken && statesManaged(s.raw, d.fields.children([]string{"node_groups"})) {
		return cue.Value{}, false
	}
	unified := s.raw.Unify(d.own)
	if unified.Validate(cue.Concrete(true)) == nil {
		return unified, true
	}
	// To look first costs more than a fleet without such fields should pay.
	d.spoken = true
	return cue.Value{}, false
}

// evaluate judges the subject without the fields in omit.
func (s *subject) evaluate(omit map[string]bool) error {
	expr, ok := rebuild(s.raw, nil, omit)
	if !ok {
		return nil
	}
	return s.ctx.BuildExpr(expr).Unify(s.def.value).Validate(cue.Concrete(true))
}

// culprit is the one field of a refused range that is refused by itself: a
// schema that says "a number, or this struct, or else this sentence" refuses the
// struct as a whole. It is empty when the fields are at odds with each other.
func (s *subject) culprit(path []string, at cue.Value, found bool) string {
	if f := s.field(path); !found || f == nil || !f.plain || at.IncompleteKind() != cue.StructKind {
		return ""
	}
	var names []string
	it, err := at.Fields()
	for err == nil && it.Next() {
		names = append(names, it.Selector().Unquoted())
	}
	guilty := ""
	for _, name := range names {
		omit := map[string]bool{}
		for _, other := range names {
			if other != name {
				omit[dotted(append(path[:len(path):len(path)], other))] = true
			}
		}
		refused := slices.ContainsFunc(errors.Errors(s.evaluate(omit)), func(e errors.Error) bool { return slices.Equal(relative(e.Path(), 0), path) })
		switch {
		case refused && guilty != "":
			return ""
		case refused:
			guilty = name
		}
	}
	return guilty
}

// below says whether p's path was taken out, or lies around something that was.
func below(omit map[string]bool, p Problem) bool {
	path := undotted(p.Path)
	for n := range path {
		if omit[dotted(path[:n+1])] { // the paths above it, and itself
			return true
		}
	}
	return false
}

func (s *subject) known(p Problem) bool {
	return s.field(undotted(p.Path)) != nil
}

// rebuild writes the concrete parts of v as a literal, without the paths in
// omit.
func rebuild(v cue.Value, path []string, omit map[string]bool) (ast.Expr, bool) {
	if len(path) > 0 && omit[dotted(path)] {
		return nil, false
	}
	down := func(name string) []string { return append(path[:len(path):len(path)], name) }
	switch v.IncompleteKind() {
	case cue.StructKind, cue.BottomKind: // bottom: a struct with an error below it
		it, err := v.Fields()
		if err != nil {
			return nil, false
		}
		out := &ast.StructLit{}
		for it.Next() {
			name := it.Selector().Unquoted()
			if e, ok := rebuild(it.Value(), down(name), omit); ok {
				out.Elts = append(out.Elts, &ast.Field{Label: ast.NewString(name), Value: e})
			}
		}
		return out, v.IncompleteKind() == cue.StructKind || len(out.Elts) > 0
	case cue.ListKind:
		it, err := v.List()
		if err != nil {
			return nil, false
		}
		out := &ast.ListLit{}
		for i := 0; it.Next(); i++ {
			e, ok := rebuild(it.Value(), down(strconv.Itoa(i)), omit)
			if !ok {
				e = ast.NewIdent("_") // keeps the others' places
			}
			out.Elts = append(out.Elts, e)
		}
		return out, true
	}
	if d, ok := v.Default(); ok {
		v = d
	}
	if !v.IsConcrete() {
		return nil, false
	}
	e, ok := v.Syntax(cue.Final()).(ast.Expr)
	return e, ok
}
