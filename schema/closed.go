package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// probeName is a field that no schema can have.
const probeName = "clusterctl-probe"

// Check says whether src can be trusted to find mistakes: it builds, imports
// nothing but the standard library, and refuses unknown fields at every depth.
// The last is tried and not asked, because a definition can be open without
// looking so (a matchN inside is enough), and an open one lets every typo pass.
func Check(src Source) error {
	_, err := checked(newContext(), src)
	return err
}

func checked(ctx *cue.Context, src Source) (*compiled, error) {
	c, err := compile(ctx, src)
	if err != nil {
		return nil, err
	}
	if err := probe(ctx, src.Plugin, src.Provider, c.entry); err != nil {
		return nil, err
	}
	for _, kind := range slices.Sorted(maps.Keys(c.kinds)) {
		if err := probe(ctx, src.Plugin, src.Kinds[kind], c.kinds[kind]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// probe puts an unknown field into every struct of the plugin's definition, one
// at a time. What is added to it for clusterctl itself leaves it closed.
func probe(ctx *cue.Context, plugin, name string, def *definition) error {
	for _, path := range append([]string{""}, def.ownFields.order...) {
		if path != "" && !def.ownFields.byPath[path].structs {
			continue
		}
		err := ctx.BuildExpr(nest(path, true)).Unify(def.own).Validate()
		if refusesProbe(err) {
			continue
		}
		// A struct that is one arm of several refuses with other words, but
		// then only when the probe is in it.
		if err != nil && ctx.BuildExpr(nest(path, false)).Unify(def.own).Validate() == nil {
			continue
		}
		at := name
		if path != "" {
			at += "." + path
		}
		return fmt.Errorf("schema of plugin %s: %s is open: it accepts unknown fields, so typos would pass", plugin, at)
	}
	return nil
}

func refusesProbe(err error) bool {
	for _, e := range errors.Errors(err) {
		path := e.Path()
		if n := len(path); n > 0 && strings.Trim(path[n-1], `"`) == probeName {
			return true
		}
	}
	return false
}

// nest makes {a: {b: {probe: 1}}} for the path "a.b".
func nest(path string, with bool) ast.Expr {
	inner := &ast.StructLit{}
	if with {
		inner.Elts = []ast.Decl{&ast.Field{Label: ast.NewString(probeName), Value: ast.NewLit(token.INT, "1")}}
	}
	var e ast.Expr = inner
	if path == "" {
		return e
	}
	segs := strings.Split(path, ".")
	for i := len(segs) - 1; i >= 0; i-- {
		if segs[i] == "[]" {
			e = ast.NewList(e)
			continue
		}
		label := segs[i]
		if label == "*" {
			label = "any"
		}
		e = &ast.StructLit{Elts: []ast.Decl{&ast.Field{Label: ast.NewString(label), Value: e}}}
	}
	return e
}
