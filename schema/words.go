package schema

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"
)

// wrongValue words a value that the schema, or another line of the spec, does
// not accept.
func (s *subject) wrongValue(p *Problem, name string, errs []errors.Error, at cue.Value, found, ownOnly bool) {
	got := ""
	if found {
		got = describe(at)
	}
	if ownOnly {
		format, args := said(errs[0])
		if format == saysMismatch || format == saysConflict {
			p.Kind = KindConflict
			p.Message = fmt.Sprintf("%s has two values, %s and %s", name, briefly(args[1]), briefly(args[0]))
			return
		}
	}
	var wanted []string
	for _, e := range errs {
		format, args := said(e)
		want := ""
		switch format {
		case saysMismatch:
			want = inWords(args[3])
			if fmt.Sprint(args[1]) == got || fmt.Sprint(args[2]) != kindOf(at) && fmt.Sprint(args[3]) == kindOf(at) {
				want = inWords(args[2])
			}
		case saysConflict:
			want = brief(args[0])
			if want == got {
				want = brief(args[1])
			}
		case saysBound, saysValidator:
			want = brief(args[1])
			if got == "" {
				got = brief(args[0])
			}
		}
		if want != "" && !slices.Contains(wanted, want) {
			wanted = append(wanted, want)
		}
	}
	p.Message = fmt.Sprintf("%s must be %s", name, strings.Join(wanted, " or "))
	if got != "" {
		p.Message += ", not " + got
	}
}

func kindOf(v cue.Value) string { return v.IncompleteKind().String() }

// describe prints a value of the spec in a message: scalars as they are.
func describe(v cue.Value) string {
	switch v.IncompleteKind() {
	case cue.StructKind:
		return "a struct"
	case cue.ListKind:
		return "a list"
	case cue.BottomKind:
		return ""
	}
	return brief(v)
}

// briefly is brief without the insides of structs and lists.
func briefly(v any) string {
	switch text := brief(v); text[:min(1, len(text))] {
	case "{":
		return "a struct"
	case "[":
		return "a list"
	default:
		return text
	}
}

// inBraces prints a struct on one line: {min: 5, max: 1}.
func inBraces(v cue.Value) string {
	var members []string
	it, err := v.Fields()
	for err == nil && it.Next() {
		members = append(members, it.Selector().String()+": "+brief(it.Value()))
	}
	return brief("{" + strings.Join(members, ", ") + "}")
}

func brief(v any) string {
	const most = 60
	text := oneLine(fmt.Sprint(v))
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// inWords names CUE's types for people who do not write CUE every day.
func inWords(kind any) string {
	switch k := fmt.Sprint(kind); k {
	case "int":
		return "a whole number"
	case "string", "struct", "list", "number":
		return "a " + k
	case "bool":
		return "true or false"
	default:
		return k
	}
}

// numberHint catches the commonest slip: "4" for 4.
func (s *subject) numberHint(p *Problem, path []string, at cue.Value, found bool) {
	if p.Kind != KindLimit || !found || s.def == nil || at.IncompleteKind() != cue.StringKind {
		return
	}
	f := s.field(path)
	text, err := at.String()
	if f == nil || err != nil || text == "" || strings.Trim(text, "0123456789") != "" || strings.Contains(f.rule, `"`) {
		return
	}
	p.Hint = fmt.Sprintf("%q is a string; write %s without quotes", text, text)
}
