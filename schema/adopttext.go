package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
)

// wanted is the value of a field that a person has to state: an expression
// without a concrete value, which validate refuses, and what to say beside it.
type wanted struct{ expr, why string }

// printer writes values as CUE. Strings are quoted so that nothing in them is
// read as CUE, nor hidden by signs that show nothing.
type printer struct {
	rank map[string]int // of a field's path in the schema; nil: by name
}

// printerOf writes fields in the order of a definition.
func printerOf(def *definition) printer {
	p := printer{rank: map[string]int{}}
	for i, path := range def.fields.order {
		p.rank[path] = i
	}
	return p
}

// wide is how long a struct on one line may be.
const wide = 100

// structure prints a struct: on one line where it is short and wants nothing.
func (p printer) structure(path []string, m map[string]any) string {
	if flat, ok := p.flat(path, m); ok && len(path) > 0 && len(flat) <= wide {
		return flat
	}
	var b strings.Builder
	b.WriteString("{\n")
	for _, name := range p.names(path, m) {
		b.WriteString(label(name))
		at := append(path[:len(path):len(path)], name)
		switch v := m[name].(type) {
		case wanted:
			fmt.Fprintf(&b, ": %s // %s\n", v.expr, v.why)
		case map[string]any:
			fmt.Fprintf(&b, ": %s\n", p.chain(at, v))
		default:
			text, _ := p.scalar(v)
			fmt.Fprintf(&b, ": %s\n", text)
		}
	}
	b.WriteString("}")
	return b.String()
}

// chain prints a struct of one plain value or one struct without braces of its
// own, as in core: count: 3.
func (p printer) chain(path []string, m map[string]any) string {
	if names := p.names(path, m); len(names) == 1 {
		below, isStruct := m[names[0]].(map[string]any)
		if isStruct {
			return label(names[0]) + ": " + p.chain(append(path[:len(path):len(path)], names[0]), below)
		}
		if text, ok := p.scalar(m[names[0]]); ok {
			return label(names[0]) + ": " + text
		}
	}
	return p.structure(path, m)
}

// flat prints a struct of plain values on one line.
func (p printer) flat(path []string, m map[string]any) (string, bool) {
	var fields []string
	for _, name := range p.names(path, m) {
		text, ok := p.scalar(m[name])
		if !ok {
			return "", false
		}
		fields = append(fields, label(name)+": "+text)
	}
	return "{" + strings.Join(fields, ", ") + "}", true
}

// scalar prints what is no struct.
func (p printer) scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil: // of a list; in a struct it is left out
		return "null", true
	case string:
		return literal.String.Quote(v), true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case []any:
		var items []string
		for _, item := range v {
			text, ok := p.scalar(item)
			if m, isStruct := item.(map[string]any); isStruct {
				text, ok = printer{}.inline(m), true
			}
			if !ok {
				return "", false
			}
			items = append(items, text)
		}
		return "[" + strings.Join(items, ", ") + "]", true
	}
	return "", false
}

// inline prints a struct inside a list.
func (p printer) inline(m map[string]any) string {
	var fields []string
	for _, name := range p.names(nil, m) {
		text, ok := p.scalar(m[name])
		if below, isStruct := m[name].(map[string]any); isStruct && !ok {
			text = p.inline(below)
		}
		fields = append(fields, label(name)+": "+text)
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// names are a struct's fields in the order of the schema.
func (p printer) names(path []string, m map[string]any) []string {
	place := func(name string) int {
		if n, ok := p.rank[strings.Join(append(path[:len(path):len(path)], name), ".")]; ok {
			return n
		}
		return math.MaxInt
	}
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b))
	})
}

var bareLabel = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// predeclared are the words that must keep their meaning: a field of that name,
// if it were not quoted, would be what they refer to.
var predeclared = []string{
	"string", "bytes", "bool", "int", "uint", "float", "number", "rune", "error", "len", "close", "and", "or", "div", "mod", "quo", "rem", "self",
	"int8", "int16", "int32", "int64", "int128", "uint8", "uint16", "uint32", "uint64", "uint128", "float32", "float64",
	"true", "false", "null", "if", "for", "in", "let", "import", "package", "try", "else", "fallback", "func", "matchN", "matchIf",
}

// label prints a field's name, quoted unless it is a plain word.
func label(name string) string {
	if bareLabel.MatchString(name) && !slices.Contains(predeclared, name) {
		return name
	}
	return literal.String.Quote(name)
}

// formatted is text as cue fmt would write it.
func formatted(text string) ([]byte, error) {
	b, err := format.Source([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("write CUE: %s", details(err))
	}
	return b, nil
}

// normal brings a decoded JSON value to the form that is printed: whole numbers
// as such, and no nulls.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if v[name] = normal(member); v[name] == nil {
				delete(v, name)
			}
		}
		return v
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return nil
		}
		if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
			return int64(f)
		}
		return f
	}
	return v
}
