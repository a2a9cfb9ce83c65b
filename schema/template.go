package schema

import (
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/token"
)

// closedHint helps with a field that the schema always has and a definition of
// the spec's own excludes: often one that the schema gives a default.
const closedHint = "a definition that the cluster is made of is closed without it: add ... there, or make it a hidden field (_name)"

// closedAt is where the definition is named that the struct around path is made
// of, so that a mistake in it is one for all its clusters; otherwise fallback.
func (s *subject) closedAt(path []string, fallback token.Pos) token.Pos {
	around, depth := descend(s.raw, path[:len(path)-1])
	if depth != len(path)-1 {
		return fallback
	}
	var named []token.Pos
	var collect func(v cue.Value, depth int)
	collect = func(v cue.Value, depth int) {
		if root, to := v.ReferencePath(); len(to.Selectors()) > 0 {
			if pos := labelPos(root.LookupPath(to)); s.inSpec(pos) {
				named = append(named, pos)
			}
			return
		}
		if op, args := v.Expr(); op == cue.AndOp && depth < 8 {
			for _, a := range args {
				collect(a, depth+1)
			}
		}
	}
	collect(around, 0)
	if len(named) != 1 { // of several, any may be the closed one
		return fallback
	}
	return named[0]
}

// foldClosed makes one problem of all the fields that one definition excludes.
func foldClosed(problems []Problem) []Problem {
	type place struct {
		file, parent string
		line, column int
	}
	var out []Problem
	first, excluded := map[place]int{}, map[place][]string{}
	for _, p := range problems {
		if p.Hint != closedHint {
			out = append(out, p)
			continue
		}
		path := undotted(p.Path)
		last := len(path) - 1
		at := place{p.File, dotted(path[:last]), p.Line, p.Column}
		if excluded[at] == nil {
			first[at] = len(out)
			out = append(out, p)
		}
		excluded[at] = append(excluded[at], path[last])
	}
	for at, names := range excluded {
		if len(names) == 1 {
			continue
		}
		slices.Sort(names)
		p := &out[first[at]]
		p.Path = dotted(append(undotted(at.parent), names[0]))
		for i, name := range names {
			names[i] = strconv.Quote(name)
		}
		p.Message = strings.Join(names, ", ") + " are not allowed here"
		p.Hint = strings.Replace(closedHint, "without it", "without them", 1)
	}
	return out
}
