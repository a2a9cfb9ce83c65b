package schema

import (
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// ask puts a field into the statement that the schema wants and that cannot be
// read: its value where the schema leaves no choice, else a gap for a person.
func (j *judgement) ask(path []string) {
	around := j.values
	for _, name := range path[:len(path)-1] {
		below, ok := around[name].(map[string]any)
		if !ok {
			below = map[string]any{}
			around[name] = below
		}
		around = below
	}
	name := path[len(path)-1]
	f := j.field(path)
	gap := wanted{shapeOf(f), "required: cannot be read back" + hint(f)}
	if j.meaning(path)&provider.Secret != 0 {
		gap.expr = "{env: string}"
	} else if f != nil && f.structs {
		around[name] = map[string]any{} // its own fields are asked for next
		return
	}
	around[name] = wanted{expr: "_"}
	unified := j.ctx.CompileString(j.print.structure(nil, j.values)).Unify(j.def.value)
	if v, depth := descend(unified, path); depth == len(path) {
		if only, ok := onlyValue(v); ok {
			around[name] = only
			return
		}
	}
	around[name] = gap
	j.adopted.Required = append(j.adopted.Required, dotted(path))
}

// onlyValue is the plain value that is all a schema takes, as worker_data_disk
// must be true.
func onlyValue(v cue.Value) (any, bool) {
	if _, chosen := v.Default(); chosen || v.Err() != nil || !v.IsConcrete() {
		return nil, false
	}
	switch v.Kind() {
	case cue.StringKind:
		s, err := v.String()
		return s, err == nil
	case cue.BoolKind:
		b, err := v.Bool()
		return b, err == nil
	case cue.IntKind:
		n, err := v.Int64()
		return n, err == nil
	}
	return nil, false
}

// hint says in a few words what to put into a gap.
func hint(f *field) string {
	switch {
	case f == nil:
		return ""
	case f.missing != "":
		return "; " + oneLine(f.missing)
	case f.doc == "":
		return ""
	}
	words := f.doc
	for _, end := range []string{". ", "; ", ": "} {
		words, _, _ = strings.Cut(words, end)
	}
	words = strings.TrimSuffix(words, ".")
	if first, rest := words[:1], words[1:]; rest != "" && strings.ToUpper(rest[:1]) != rest[:1] { // no abbreviation
		words = strings.ToLower(first) + rest
	}
	return "; " + words
}

// shapeOf is a field's type as an expression that has no value: its choices
// where they are few words, else its kind.
func shapeOf(f *field) string {
	if f == nil {
		return "_"
	}
	e, err := parser.ParseExpr("", f.rule)
	if err != nil {
		return "_"
	}
	if n := choices(e); n > 1 && n <= 4 {
		return f.rule
	}
	return shape(e)
}

// choices counts the literals of which e is one; 0 when it is something else.
func choices(e ast.Expr) int {
	switch e := e.(type) {
	case *ast.BasicLit:
		return 1
	case *ast.ParenExpr:
		return choices(e.X)
	case *ast.BinaryExpr:
		if x, y := choices(e.X), choices(e.Y); e.Op == token.OR && x > 0 && y > 0 {
			return x + y
		}
	}
	return 0
}

// shape is the kind of values that e describes.
func shape(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return shape(e.X)
	case *ast.ListLit:
		if len(e.Elts) == 0 {
			return "[_, ...]"
		}
		elem := e.Elts[0]
		if dots, ok := elem.(*ast.Ellipsis); ok {
			elem = dots.Type
		}
		if inner := shape(elem); inner != "_" {
			return "[" + inner + ", ..." + inner + "]"
		}
		return "[_, ...]"
	case *ast.BasicLit:
		switch e.Kind {
		case token.STRING:
			return "string"
		case token.INT:
			return "int"
		case token.FLOAT:
			return "number"
		case token.TRUE, token.FALSE:
			return "bool"
		}
	case *ast.UnaryExpr:
		switch e.Op {
		case token.MAT, token.NMAT:
			return "string"
		}
		return shape(e.X) // >=1, *1
	case *ast.Ident:
		switch e.Name {
		case "string", "int", "number", "bool", "bytes", "float":
			return e.Name
		}
	case *ast.BinaryExpr:
		x, y := shape(e.X), shape(e.Y)
		switch {
		case x == y, e.Op == token.AND && y == "_":
			return x
		case e.Op == token.AND && x == "_":
			return y
		case e.Op == token.AND && (x == "int" || y == "int"):
			return "int"
		}
	}
	return "_"
}
