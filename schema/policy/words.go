package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// detail is one thing that does not hold.
type detail struct {
	text string
	pos  token.Pos // in the policies
}

// detail words what CUE said about one constraint. An error(…) says it best. got
// is the value that was judged; it does not exist before there is one.
func (t *tree) detail(g []errors.Error, got cue.Value) detail {
	d := detail{pos: t.constraint(positions(g))}
	for _, e := range g {
		if t.worded(e) {
			format, args := e.Msg()
			d.text, d.pos = fmt.Sprintf(format, args...), t.constraint(errors.Positions(e))
			return d
		}
	}
	var faults []fault
	for _, e := range g {
		if f := t.fault(e, got); !slices.Contains(faults, f) {
			faults = append(faults, f)
		}
	}
	d.text = sentence(faults)
	return d
}

// fault is one thing that CUE said: name must want, not got. Without want the
// name says it all.
type fault struct{ name, want, got string }

func (t *tree) fault(e errors.Error, got cue.Value) fault {
	path := inside(e.Path())
	name := dotted(path)
	switch format, args := said(e); format {
	case saysNotAllowed:
		if got.Exists() && lookup(got, path).Exists() {
			return fault{name: name + " is not allowed by a closed struct of the rule"}
		}
		return fault{name, "be present", ""}
	case saysRequired, saysIncomplete:
		return fault{name, "be present", ""}
	case saysMismatch, saysConflict:
		want, is := t.sides(e, args, got)
		return fault{name, want, is}
	case saysBound:
		return fault{name, bound(brief(args[1])), brief(args[0])}
	case saysValidator:
		is := brief(args[0])
		if is == "a list" || is == "a struct" {
			is = ""
		}
		return fault{name, "satisfy " + brief(args[1]), is}
	case saysLengths:
		return fault{name, fmt.Sprintf("have %v elements", args[0]), fmt.Sprint(args[1])}
	case saysIntegers, saysNumbers:
		return fault{name: fmt.Sprintf("%s cannot be %v and %v", name, args[0], args[1])}
	default:
		return fault{name: strings.TrimSpace(name + " cannot be worked out: " + fmt.Sprintf(format, args...))}
	}
}

// sentence joins what does not hold; a value that fits none of several is told
// once.
func sentence(faults []fault) string {
	var parts []string
	for i := 0; i < len(faults); i++ {
		f := faults[i]
		for i+1 < len(faults) && faults[i+1].name == f.name && faults[i+1].got == f.got && strings.HasPrefix(f.want, "be ") {
			i++
			f.want += " or " + strings.TrimPrefix(faults[i].want, "be ")
		}
		part := f.name
		if f.want != "" {
			part += " must " + f.want
		}
		if f.got != "" {
			part += ", not " + f.got
		}
		parts = append(parts, strings.TrimSpace(part))
	}
	return strings.Join(parts, ", or ")
}

// bound words a comparison.
func bound(text string) string {
	if pattern, ok := strings.CutPrefix(text, "=~"); ok {
		return "match " + pattern
	}
	if pattern, ok := strings.CutPrefix(text, "!~"); ok {
		return "not match " + pattern
	}
	return "be " + text
}

// constraint is the position of what does not hold: CUE names the conditions and
// structs around it too.
func (t *tree) constraint(all []token.Pos) token.Pos {
	for _, pos := range all {
		if !t.ours(pos) || pos.Offset() >= len(t.files[pos.Filename()]) {
			continue
		}
		src := t.files[pos.Filename()][pos.Offset():]
		if !slices.ContainsFunc([]string{"{", "if ", "for ", "let "}, func(s string) bool { return bytes.HasPrefix(src, []byte(s)) }) {
			return pos
		}
	}
	return t.first(all)
}

// sides tells the two values of a conflict apart, which CUE names in either
// order: what must be, and what there is. Held against a plan, the plan's value
// is what there is; before there is a plan, it is what the rule says.
func (t *tree) sides(e errors.Error, args []any, got cue.Value) (want, is string) {
	a, b := brief(args[0]), brief(args[1])
	swap := false
	if got.Exists() {
		swap = a == describe(lookup(got, inside(e.Path())))
	} else if pos := t.first(errors.Positions(e)); pos.IsValid() && pos.Offset() < len(t.files[pos.Filename()]) {
		swap = bytes.HasPrefix(t.files[pos.Filename()][pos.Offset():], []byte(a))
	}
	kind := 2
	if swap {
		a, b, kind = b, a, 3
	}
	if len(args) == 4 {
		a = inWords(a, fmt.Sprint(args[kind]))
	}
	return "be " + a, b
}

// inWords names a CUE type for people who do not write CUE every day.
func inWords(value, kind string) string {
	if value != kind {
		return value
	}
	switch kind {
	case "int":
		return "a whole number"
	case "string", "struct", "list", "number":
		return "a " + kind
	case "bool":
		return "true or false"
	}
	return kind
}

// lookup follows path in v.
func lookup(v cue.Value, path []string) cue.Value {
	for _, seg := range path {
		sel := cue.Str(seg)
		if v.IncompleteKind() == cue.ListKind {
			n := 0
			if _, err := fmt.Sscan(seg, &n); err == nil {
				sel = cue.Index(n)
			}
		}
		v = v.LookupPath(cue.MakePath(sel))
	}
	return v
}

// describe prints a value in a message: scalars as they are.
func describe(v cue.Value) string {
	switch v.IncompleteKind() {
	case cue.StructKind:
		return "a struct"
	case cue.ListKind:
		return "a list"
	case cue.TopKind, cue.BottomKind:
		return "a value that is open"
	}
	return brief(v)
}

func brief(v any) string {
	const most = 60
	text := strings.Join(strings.Fields(fmt.Sprint(v)), " ")
	switch {
	case strings.HasPrefix(text, "{"):
		return "a struct"
	case strings.HasPrefix(text, "["):
		return "a list"
	}
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// dotted writes path as people do: node_groups.core.count.
func dotted(path []string) string {
	var b strings.Builder
	for i, seg := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		if ast.IsValidIdent(seg) || seg == "[]" || seg == "*" || strings.Trim(seg, "0123456789") == "" {
			b.WriteString(seg)
		} else {
			fmt.Fprintf(&b, "%q", seg)
		}
	}
	return b.String()
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
