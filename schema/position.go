package schema

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/scanner"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// inSpec says whether pos lies in a file that the user wrote.
func (t *tree) inSpec(pos token.Pos) bool {
	return pos.IsValid() && t.files[pos.Filename()] != nil
}

// place gives p its file, line, columns and text.
func (t *tree) place(p *Problem, pos token.Pos) {
	if !pos.IsValid() {
		return
	}
	at := pos.Position()
	p.File, p.Line, p.Column, p.EndColumn = t.rel(at.Filename), at.Line, at.Column, at.Column+1
	src := t.files[at.Filename]
	if at.Offset > len(src) {
		return
	}
	start := bytes.LastIndexByte(src[:at.Offset], '\n') + 1
	end := len(src)
	if n := bytes.IndexByte(src[at.Offset:], '\n'); n >= 0 {
		end = at.Offset + n
	}
	p.Text = t.blot(strings.TrimRight(string(src[start:end]), "\r"))
	p.EndColumn = at.Column + tokenLength(src[at.Offset:end])
}

// tokenLength measures the token at the start of line, a sign included.
func tokenLength(line []byte) int {
	var s scanner.Scanner
	s.Init(token.NewFile("", -1, len(line)), line, func(token.Pos, string, []any) {}, 0)
	pos, tok, lit := s.Scan()
	if tok == token.EOF {
		return 1
	}
	if tok == token.SUB {
		pos, tok, lit = s.Scan()
	}
	if lit == "" || lit == "\n" {
		lit = tok.String()
	}
	return max(1, min(pos.Offset()+len(lit), len(line)))
}

// secretText finds literal strings in fields that hold secrets: those that a
// schema marks so and all that are named alike.
func secretText(plugins map[string]*compiled) *regexp.Regexp {
	names := []string{`\w*(?:password|passwd|secret|token)\w*`}
	for _, c := range plugins {
		for _, def := range c.kinds {
			for path, meaning := range def.meanings {
				if meaning&provider.Secret != 0 {
					names = append(names, regexp.QuoteMeta(path[strings.LastIndexByte(path, '.')+1:]))
				}
			}
		}
	}
	slices.Sort(names)
	return regexp.MustCompile(`(?i)((?:` + strings.Join(slices.Compact(names), "|") +
		`)"?[ \t]*[?!]?:[ \t]*(?:\{?[ \t]*env[ \t]*:[ \t]*)?)(#*"(?:[^"\\]|\\.)*"?)`)
}

// blot hides passwords that somebody wrote into the spec by mistake: problems
// end up in CI logs, which more people read than the repository.
func (t *tree) blot(line string) string {
	if t.secrets == nil {
		return line
	}
	return t.secrets.ReplaceAllStringFunc(line, func(s string) string {
		m := t.secrets.FindStringSubmatchIndex(s)
		if literal := s[m[4]:]; !secretVariable.MatchString(strings.Trim(literal, `"`)) {
			return s[:m[4]] + blotted(literal)
		}
		return s
	})
}

// blotted keeps the length of s, so that columns stay true.
func blotted(s string) string {
	if len(s) < 2 {
		return s
	}
	return `"` + strings.Repeat("*", len(s)-2) + `"`
}

// statement is the field of the spec that gives v its value: of several that
// say something about v, the one CUE took it from, else one that names it and is
// not a pattern over all names.
func statement(v cue.Value) *ast.Field {
	all := statements(v)
	if len(all) == 0 {
		return nil
	}
	name := ""
	if sels := v.Path().Selectors(); len(sels) > 0 {
		name = sels[len(sels)-1].String()
	}
	var named *ast.Field
	for _, f := range all {
		if label, _, err := ast.LabelName(f.Label); err != nil || label != unquoted(name) {
			continue
		}
		if pos := v.Pos(); pos == f.Pos() || pos == f.Value.Pos() {
			return f
		}
		if named == nil {
			named = f
		}
	}
	if named == nil {
		named = all[0]
	}
	return named
}

// statements are all the fields that say something about v.
func statements(v cue.Value) []*ast.Field {
	var all []*ast.Field
	var add func(v cue.Value, depth int)
	add = func(v cue.Value, depth int) {
		if f, ok := v.Source().(*ast.Field); ok {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
			return
		}
		if op, args := v.Expr(); op == cue.AndOp && depth < 8 {
			for _, a := range args {
				add(a, depth+1)
			}
		}
	}
	add(v, 0)
	return all
}

// labelPos is where the field that holds v is named, valuePos where its value
// stands. Both fall back to the position of the value as CUE tells it.
func labelPos(v cue.Value) token.Pos {
	if f := statement(v); f != nil {
		return f.Label.Pos()
	}
	return v.Pos()
}

func valuePos(v cue.Value) token.Pos {
	if f := statement(v); f != nil {
		return f.Value.Pos()
	}
	return v.Pos()
}

// descend follows path in v as far as it exists.
func descend(v cue.Value, path []string) (deepest cue.Value, depth int) {
	for i, seg := range path {
		sel := cue.Str(seg)
		if isIndex(seg) && v.IncompleteKind() == cue.ListKind {
			n := 0
			if _, err := fmt.Sscan(seg, &n); err == nil {
				sel = cue.Index(n)
			}
		}
		next := v.LookupPath(cue.MakePath(sel))
		if !next.Exists() && !isPresent(v, seg) {
			return v, i
		}
		v = next
	}
	return v, len(path)
}

// isPresent finds fields whose value is an error: Exists denies those.
func isPresent(v cue.Value, name string) bool {
	it, err := v.Fields()
	if err != nil {
		return false
	}
	for it.Next() {
		if it.Selector().Unquoted() == name {
			return true
		}
	}
	return false
}

// nearestLabel is the label of the deepest part of path that stands in the
// spec: what is missing has no position of its own.
func (t *tree) nearestLabel(v cue.Value, path []string) token.Pos {
	for n := len(path); n >= 0; n-- {
		if at, depth := descend(v, path[:n]); depth == n {
			if pos := labelPos(at); t.inSpec(pos) {
				return pos
			}
		}
	}
	return token.NoPos
}

// dotted writes path as people do: node_groups.core.count.
func dotted(path []string) string {
	var b strings.Builder
	for i, seg := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		if ast.IsValidIdent(seg) || isIndex(seg) {
			b.WriteString(seg)
		} else {
			fmt.Fprintf(&b, "%q", seg)
		}
	}
	return b.String()
}

var segment = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[^."]+`)

// undotted is the reverse.
func undotted(path string) []string {
	segs := segment.FindAllString(path, -1)
	for i, s := range segs {
		segs[i] = unquoted(s)
	}
	return segs
}

func unquoted(s string) string {
	if len(s) >= 2 && s[0] == '"' {
		var name string
		if _, err := fmt.Sscanf(s, "%q", &name); err == nil {
			return name
		}
	}
	return s
}
