package policy

import (
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
)

// part is the when, action or plan of a rule.
type part struct {
	cue.Value
	// fields are those of the subject that the part concerns itself with. With
	// whole it may be about any of them.
	fields []string
	whole  bool
}

// partOf finds out what a part is about. One that is nothing but named fields
// can refer to no other: what it says of a plan with a thousand actions takes a
// number to judge, and not the plan.
func (t *tree) partOf(v cue.Value) part {
	names := map[string]bool{}
	plain := t.plainly(v, names, 0)
	if !plain || v.IncompleteKind() != cue.StructKind && v.IncompleteKind() != cue.BottomKind {
		return part{Value: v, whole: true}
	}
	it, err := v.Fields(cue.Optional(true), cue.Patterns(true))
	for err == nil && it.Next() {
		if it.Selector().ConstraintType() == cue.PatternConstraint || !names[nameOf(it.Selector())] {
			return part{Value: v, whole: true} // written in a way that was not seen
		}
	}
	return part{Value: v, fields: slices.Sorted(maps.Keys(names)), whole: err != nil}
}

// plainly collects the names of the fields that v is written with. It is false
// where it is written in another way.
func (t *tree) plainly(v cue.Value, names map[string]bool, depth int) bool {
	if op, args := v.Expr(); op == cue.AndOp && depth < 8 {
		for _, a := range args {
			if !t.plainly(a, names, depth+1) {
				return false
			}
		}
		return true
	} else if op != cue.NoOp {
		return false
	}
	node := v.Source()
	if f, ok := node.(*ast.Field); ok {
		node = f.Value
	}
	s, ok := node.(*ast.StructLit)
	return ok && t.ours(s.Pos()) && named(s, names)
}

// named collects the names of the fields of a literal, with those under a
// condition.
func named(s *ast.StructLit, names map[string]bool) bool {
	for _, d := range s.Elts {
		switch d := d.(type) {
		case *ast.Ellipsis, *ast.CommentGroup:
		case *ast.Field:
			label, isIdent, err := ast.LabelName(d.Label)
			if err != nil {
				return false
			}
			if hidden := isIdent && (strings.HasPrefix(label, "_") || strings.HasPrefix(label, "#")); !hidden {
				names[label] = true
			}
		case *ast.Comprehension:
			body, ok := d.Value.(*ast.StructLit)
			if !ok || slices.ContainsFunc(d.Clauses, func(c ast.Clause) bool { _, isIf := c.(*ast.IfClause); return !isIf }) || !named(body, names) {
				return false
			}
		case *ast.EmbedDecl:
			call, ok := d.Expr.(*ast.CallExpr)
			if !ok {
				return false
			}
			if fun, ok := call.Fun.(*ast.Ident); !ok || fun.Name != "error" {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// nameOf is the name that a selector stands for; lists have numbers.
func nameOf(sel cue.Selector) string {
	if sel.LabelType() == cue.StringLabel {
		return sel.Unquoted()
	}
	return sel.String()
}
