package policy

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/schema"
)

// walk looks up every name that a part states: CUE takes one that is not there
// for another field, and an optional one for a field that happens to be absent.
func (j *judgment) walk(v cue.Value, known *names, path []string) {
	if known == nil || known.free || len(path) > 32 {
		return
	}
	switch op, args := v.Expr(); op {
	case cue.OrOp:
		for _, arm := range args {
			j.walk(arm, known, path)
		}
		return
	case cue.AndOp: // with one of several among them
		for _, a := range args {
			if op, _ := a.Expr(); op == cue.OrOp {
				j.walk(a, known, path)
			}
		}
	}
	switch v.IncompleteKind() {
	case cue.ListKind:
		if known.elem == nil {
			return // another type, which is told as such
		}
		j.walk(v.LookupPath(cue.MakePath(cue.AnyIndex)), known.elem, append(path[:len(path):len(path)], "[]"))
		for i, err := v.List(); err == nil && i.Next(); {
			j.walk(i.Value(), known.elem, append(path[:len(path):len(path)], "[]"))
		}
	case cue.StructKind, cue.BottomKind:
		it, err := v.Fields(cue.Optional(true), cue.Patterns(true))
		for err == nil && it.Next() {
			j.field(it, known, path)
		}
		j.undecided(v, known, path, 0)
		if len(path) == 1 && !v.Allows(cue.Str("clusterctl-probe")) && v.IncompleteKind() == cue.StructKind {
			j.tell(schema.KindConflict, v.Pos(), fmt.Sprintf("%s is a closed definition, which %s never fits", path[0], subjectWord(path[0])), "add ... to the definition, or make it a hidden field")
		}
	}
}

// field looks up one name, or a pattern.
func (j *judgment) field(it *cue.Iterator, known *names, path []string) {
	sel, v := it.Selector(), it.Value()
	var below *names
	name := ""
	if sel.ConstraintType() == cue.PatternConstraint {
		pattern := sel.Pattern()
		name = "*"
		below = known.under(func(name string) bool {
			return pattern.Unify(j.ctx.Encode(name)).Validate() == nil
		})
	} else {
		name = nameOf(sel)
		below = known.below(name)
	}
	if below != nil {
		j.walk(v, below, append(path[:len(path):len(path)], name))
		return
	}
	if sel.ConstraintType() == cue.PatternConstraint && len(known.of) > 0 {
		j.tell(schema.KindUnknownField, v.Pos(), fmt.Sprintf("no field of %s matches %v", owner(path), sel.Pattern()), known.didYouMean(name))
		return
	}
	j.unknown(v.Pos(), name, known, path)
}

// unknown tells of a name that is not known at path.
func (j *judgment) unknown(pos token.Pos, name string, known *names, path []string) {
	message := fmt.Sprintf("%q is not a field of %s", name, owner(path))
	if len(known.of) == 0 {
		message = fmt.Sprintf("%s is not a struct and has no field %q", owner(path), name)
	}
	j.tell(schema.KindUnknownField, pos, message, known.didYouMean(name))
}

func owner(path []string) string {
	if len(path) > 1 {
		return dotted(path[1:])
	}
	return subjectWord(path[0])
}

// undecided looks up the names in what stands under an if or a for of v: CUE
// shows them only once there is an action.
func (j *judgment) undecided(v cue.Value, known *names, path []string, depth int) {
	if op, args := v.Expr(); op == cue.AndOp && depth < 8 {
		for _, a := range args {
			j.undecided(a, known, path, depth+1)
		}
		return
	}
	node := v.Source()
	if f, ok := node.(*ast.Field); ok {
		node = f.Value
	}
	if s, ok := node.(*ast.StructLit); ok && j.tree.ours(s.Pos()) {
		for _, d := range s.Elts {
			if c, ok := d.(*ast.Comprehension); ok {
				j.expr(c.Value, known, path)
			}
		}
	}
}

// expr looks up the names that are written in an expression.
func (j *judgment) expr(e ast.Expr, known *names, path []string) {
	if known.free {
		return
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		j.expr(e.X, known, path)
	case *ast.UnaryExpr:
		j.expr(e.X, known, path) // the default of several
	case *ast.BinaryExpr:
		if e.Op == token.AND || e.Op == token.OR {
			j.expr(e.X, known, path)
			j.expr(e.Y, known, path)
		}
	case *ast.ListLit:
		for _, elem := range e.Elts {
			if dots, ok := elem.(*ast.Ellipsis); ok {
				elem = dots.Type
			}
			if elem != nil && known.elem != nil {
				j.expr(elem, known.elem, append(path[:len(path):len(path)], "[]"))
			}
		}
	case *ast.StructLit:
		for _, d := range e.Elts {
			j.decl(d, known, path)
		}
	}
}

func (j *judgment) decl(d ast.Decl, known *names, path []string) {
	switch d := d.(type) {
	case *ast.EmbedDecl:
		j.expr(d.Expr, known, path)
	case *ast.Comprehension:
		j.expr(d.Value, known, path)
	case *ast.Field:
		name, below := "*", known.under(func(string) bool { return true })
		if _, pattern := d.Label.(*ast.ListLit); !pattern {
			label, _, err := ast.LabelName(d.Label)
			if err != nil || strings.HasPrefix(label, "_") || strings.HasPrefix(label, "#") {
				return // computed, or nothing that is held against an action
			}
			if name, below = label, known.below(label); below == nil {
				j.unknown(d.Label.Pos(), name, known, path)
				return
			}
		}
		if below != nil {
			j.expr(d.Value, below, append(path[:len(path):len(path)], name))
		}
	}
}

func subjectWord(part string) string {
	if part == partPlan {
		return "the plan"
	}
	return "an action"
}
