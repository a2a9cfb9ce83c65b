package schema

import (
	"strconv"
	"strings"

	"cuelang.org/go/cue"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// shield keeps what may be a password out of a problem, and says what to write
// instead of one.
func (s *subject) shield(p *Problem, path []string, at cue.Value, found bool) {
	if s.def == nil || s.def.meanings.Of(strings.Join(path, "."))&provider.Secret == 0 {
		return
	}
	if p.Kind == KindUnknownField || p.Kind == KindMissingField && s.def.meanings[strings.Join(path, ".")]&provider.Secret != 0 {
		return
	}
	p.Kind = KindSecret
	if p.Hint == "" {
		p.Hint = `write {env: "CCTL_SECRET_…"} or {file: "…"}; the value itself never stands in a spec`
	}
	if !found {
		return
	}
	if variable, err := at.LookupPath(cue.MakePath(cue.Str("env"))).String(); err == nil && !secretVariable.MatchString(variable) {
		p.Message = s.nameOf(path) + " may name only a variable that begins with CCTL_SECRET_"
		p.Hint = "name one of those; otherwise a change to a spec could send any variable of this machine away"
	}
	if at.IncompleteKind() == cue.StringKind && s.def.meanings[strings.Join(path, ".")]&provider.Secret != 0 {
		// Whatever was said before could repeat it.
		p.Message = s.nameOf(path) + " must be a reference to a secret, not the secret itself"
	}
	for _, literal := range literals(at) {
		for _, form := range []string{strconv.Quote(literal), literal} {
			p.Message = strings.ReplaceAll(p.Message, form, "…")
		}
	}
}

// literals is every string in v that is long enough to be a secret and is not
// a variable's name.
func literals(v cue.Value) []string {
	var all []string
	v.Walk(func(v cue.Value) bool {
		if text, err := v.String(); err == nil && len(text) > 2 && !secretVariable.MatchString(text) {
			all = append(all, text)
		}
		return true
	}, nil)
	return all
}
