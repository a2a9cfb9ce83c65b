package schema

import (
	"slices"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// Position is a place in a file of the spec. Lines and columns count from 1,
// columns in bytes; File is relative to the working directory.
type Position struct {
	File         string
	Line, Column int
}

// Origins are the places in the spec that have a part in the value at path: the
// one that it was taken from first, then what that one refers to, and the other
// statements about it. A path that the spec does not have has none.
func (c *Cluster) Origins(path string) []Position {
	c.eval.Lock()
	defer c.eval.Unlock()
	segs := undotted(path)
	v, depth := descend(c.raw, segs)
	if depth < len(segs) {
		return nil
	}
	var all []Position
	for _, pos := range c.tree.origins(v) {
		all = append(all, Position{c.tree.rel(pos.Filename()), pos.Line(), pos.Column()})
	}
	return all
}

// deepOrigin bounds how far a chain of references is followed.
const deepOrigin = 8

// origins follows a value through operators and references to every field of
// the spec behind it.
func (t *tree) origins(v cue.Value) []token.Pos {
	var all []token.Pos
	add := func(pos token.Pos) {
		if t.inSpec(pos) && !slices.Contains(all, pos) {
			all = append(all, pos)
		}
	}
	add(valuePos(v))
	var walk func(v cue.Value, depth int)
	walk = func(v cue.Value, depth int) {
		if depth > deepOrigin {
			return
		}
		if f, ok := v.Source().(*ast.Field); ok {
			add(f.Value.Pos())
		}
		add(v.Pos())
		if root, to := v.ReferencePath(); len(to.Selectors()) > 0 {
			walk(root.LookupPath(to), depth+1)
		}
		if op, args := v.Expr(); op != cue.NoOp {
			for _, a := range args {
				walk(a, depth+1)
			}
		}
	}
	walk(v, 0)
	return all
}
