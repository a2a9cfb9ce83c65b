package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// CUE's own words for the faults that the loader tells in its own.
const (
	saysNotAllowed = "field not allowed"
	saysRequired   = "field is required but not present"
	saysIncomplete = "incomplete value %v"
	saysOperand    = "non-concrete value %v in operand to %s"
	saysMismatch   = "conflicting values %s and %s (mismatched types %s and %s)"
	saysConflict   = "conflicting values %s and %s"
	saysBound      = "invalid value %s (out of bound %s)"
	saysValidator  = "invalid value %s (does not satisfy %s)"
	saysDisjuncts  = "%d errors in empty disjunction:"
	saysCycle      = "structural cycle"
)

// subject is one cluster or providers entry that is being judged.
type subject struct {
	*tree
	ctx     *cue.Context
	raw     cue.Value   // as the spec says it, before the schema
	def     *definition // nil while it is not known
	cluster string      // its address; empty for a providers entry
	entry   string      // the entry's name; empty for a cluster
	where   string      // `cluster "a"` or `providers entry "qc"`
}

// explain turns CUE's errors into problems, one for each fault. strip is how
// many elements lead from the errors' paths to the subject's own. ownOnly says
// that the errors come from the spec alone, without a schema.
func (s *subject) explain(err error, strip int, ownOnly bool) []Problem {
	var problems []Problem
	groups, order := map[string][]errors.Error{}, []string{}
	for _, e := range errors.Errors(err) {
		if format, _ := said(e); format == saysDisjuncts {
			continue
		}
		path := relative(e.Path(), strip)
		key := strings.Join(path, "\x00")
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], e)
	}
	for _, key := range order {
		var path []string
		if key != "" {
			path = strings.Split(key, "\x00")
		}
		problems = append(problems, s.explainOne(groups[key], path, ownOnly))
	}
	return foldClosed(problems)
}

func relative(path []string, strip int) []string {
	if len(path) < strip {
		return nil
	}
	out := make([]string, 0, len(path)-strip)
	for _, seg := range path[strip:] {
		out = append(out, unquoted(seg))
	}
	return out
}

// explainOne tells one fault: all that CUE said about one path. An error arm
// of the schema says it best; else the arms of a disjunction are folded.
func (s *subject) explainOne(errs []errors.Error, path []string, ownOnly bool) Problem {
	e := errs[0]
	for _, other := range errs {
		if format, _ := said(other); !cueWords(format) {
			e = other
			break
		}
	}
	format, args := said(e)
	p := Problem{Severity: Error, Kind: KindLimit, Cluster: s.cluster, Entry: s.entry, Path: dotted(path)}
	at, depth := descend(s.raw, path)
	found := depth == len(path)
	pos := token.NoPos
	if found {
		pos = valuePos(at)
	}
	name := s.nameOf(path)
	switch format {
	case saysNotAllowed:
		path = s.outermost(path)
		p.Path = dotted(path)
		s.unknownField(&p, path)
		pos = s.nearestLabel(s.raw, path)
		if _, depth := descend(s.raw, path); p.Hint == closedHint && depth < len(path) {
			pos = s.closedAt(path, pos)
		}
	case saysRequired, saysIncomplete, saysOperand:
		p.Kind = KindMissingField
		p.Message = name + " is required"
		f := s.documented(path)
		if found {
			p.Message = name + " has no concrete value"
		} else {
			pos = s.nearestLabel(s.raw, path)
			if f != nil && f.missing != "" {
				p.Message = f.missing
			}
		}
		if f != nil && f.doc != "" {
			p.Notes = append(p.Notes, name+": "+f.doc)
		}
	case saysMismatch, saysConflict, saysBound, saysValidator:
		s.wrongValue(&p, name, errs, at, found, ownOnly)
	case saysCycle:
		p.Kind, p.Message = KindReference, name+" contains itself"
	default:
		p.Message = fmt.Sprintf(format, quoteArgs(args, at, found)...)
		if ownOnly {
			p.Kind = KindReference
		}
		if stray := s.stray(path, at, found); stray != "" {
			path = append(path[:len(path):len(path)], stray)
			p.Path = dotted(path)
			s.unknownField(&p, path)
			at, found = cue.Value{}, false
			pos = s.nearestLabel(s.raw, path)
		} else if name := s.culprit(path, at, found); name != "" {
			path = append(path[:len(path):len(path)], name)
			p.Path = dotted(path)
			at, _ = descend(s.raw, path)
			pos = valuePos(at)
		}
	}
	documented := p.Kind == KindMissingField || p.Kind == KindLimit && s.schemaSays(errs)
	if f := s.documented(path); f != nil && documented {
		p.Limit = f.source
	}
	s.numberHint(&p, path, at, found)
	if !s.inSpec(pos) || ownOnly {
		pos = s.positionOf(&p, e, path, at, found)
	}
	s.place(&p, pos)
	s.shield(&p, path, at, found)
	return p
}

// schemaSays says whether the schema has a part in the fault: else the team's own
// constraint is at odds with the value, and no document states that.
func (s *subject) schemaSays(errs []errors.Error) bool {
	return slices.ContainsFunc(errs, func(e errors.Error) bool {
		return slices.ContainsFunc(errors.Positions(e), func(pos token.Pos) bool { return pos.IsValid() && !s.inSpec(pos) })
	})
}

// quoteArgs puts the string that a sentence of the schema quotes into quotes:
// "4" is not 4, and an empty one would not show. A struct is quoted as people
// write it.
func quoteArgs(args []any, at cue.Value, found bool) []any {
	if !found {
		return args
	}
	text, err := at.String()
	members := at.IncompleteKind() == cue.StructKind
	out := slices.Clone(args)
	for i, a := range out {
		if s, ok := a.(string); ok && err == nil && s == text {
			out[i] = strconv.Quote(s)
		} else if !ok && members && strings.HasPrefix(fmt.Sprint(a), "{") {
			out[i] = inBraces(at)
		}
	}
	return out
}

// outermost is the first element of path that the schema does not know: what
// stands below it is unknown too, and no news.
func (s *subject) outermost(path []string) []string {
	for n := 1; n < len(path); n++ {
		if s.def != nil && !isIndex(path[n-1]) && s.field(path[:n]) == nil {
			return path[:n]
		}
	}
	return path
}

// stray finds an unknown field in a struct that is refused as a whole: when a
// schema says "this struct, or else this sentence", CUE tells the sentence only.
func (s *subject) stray(path []string, at cue.Value, found bool) string {
	if !found || s.def == nil || at.IncompleteKind() != cue.StructKind {
		return ""
	}
	known := s.def.fields.children(path)
	it, err := at.Fields()
	for err == nil && len(known) > 0 && it.Next() {
		if name := it.Selector().Unquoted(); !slices.Contains(known, name) {
			return name
		}
	}
	return ""
}

// said is what CUE said; it says one thing in two spellings.
func said(e errors.Error) (format string, args []any) {
	format, args = e.Msg()
	return strings.Replace(format, "value %v (out", "value %s (out", 1), args
}

func cueWords(format string) bool {
	switch format {
	case saysNotAllowed, saysRequired, saysIncomplete, saysOperand, saysMismatch, saysConflict, saysBound, saysValidator, saysCycle:
		return true
	}
	return false
}

// positionOf finds a position in the spec for an error whose value has none
// of its own. What else contributed becomes a note.
func (s *subject) positionOf(p *Problem, e errors.Error, path []string, at cue.Value, found bool) token.Pos {
	var all []token.Pos
	if found {
		for _, f := range statements(at) {
			if _, literal := f.Value.(*ast.BasicLit); literal { // the value, not a constraint on it
				all = slices.Insert(all, 0, f.Value.Pos())
			} else {
				all = append(all, f.Value.Pos())
			}
		}
	}
	if p.Kind == KindConflict {
		slices.SortFunc(all, token.Pos.Compare)
	}
	other := map[string]string{KindConflict: "the other is at ", KindLimit: "the limit is at "}[p.Kind]
	if len(all) < 2 {
		all = append(all, errors.Positions(e)...)
	}
	primary := token.NoPos
	for _, pos := range all {
		switch {
		case !s.inSpec(pos):
		case !primary.IsValid():
			primary = pos
		case other != "" && len(p.Notes) < 2 && pos.Position() != primary.Position():
			p.Notes = append(p.Notes, other+s.at(pos))
		}
	}
	if !primary.IsValid() {
		primary = s.nearestLabel(s.raw, path)
	}
	return primary
}

// at prints a position as in "fleet.cue:14:10".
func (t *tree) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d:%d", t.rel(pos.Filename()), pos.Line(), pos.Column())
}

func (s *subject) field(path []string) *field {
	if s.def == nil {
		return nil
	}
	return s.def.fields.find(path)
}

// documented is the field whose comment tells of path: that of the number, for
// the ends of a range.
func (s *subject) documented(path []string) *field {
	if f := s.field(path); f == nil || f.doc != "" || f.source != "" || !s.def.fields.within(f.path) {
		return f
	}
	return s.field(path[:len(path)-1])
}

// nameOf is what a message calls the thing at path.
func (s *subject) nameOf(path []string) string {
	switch {
	case len(path) == 0:
		return s.where
	case s.def != nil && s.def.fields.within(dotted(path)):
		return path[len(path)-2] + "." + path[len(path)-1]
	case isIndex(path[len(path)-1]) && len(path) > 1:
		return fmt.Sprintf("%s[%s]", path[len(path)-2], path[len(path)-1])
	}
	return path[len(path)-1]
}

func (s *subject) unknownField(p *Problem, path []string) {
	p.Kind = KindUnknownField
	if len(path) == 0 || s.def == nil {
		p.Message = "field not allowed"
		return
	}
	parent, name := path[:len(path)-1], path[len(path)-1]
	owner := s.def.title
	if len(parent) > 0 {
		owner = dotted(parent)
	}
	known := s.def.fields.children(parent)
	if slices.Contains(known, name) {
		p.Message = fmt.Sprintf("%q is not allowed here", name)
		p.Hint = fmt.Sprintf("%s has %s only together with other values", owner, name)
		f := s.field(path)
		if v, _ := descend(s.raw, path); v.Err() != nil || f != nil && f.always {
			p.Hint = closedHint
		}
		return
	}
	p.Message = fmt.Sprintf("%q is not a field of %s", name, owner)
	p.Hint = DidYouMean(name, known)
}
