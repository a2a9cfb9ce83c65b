package schema

import (
	"fmt"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/errors"
)

// pick builds the package that holds the fleet.
func (l *loader) pick(insts []*build.Instance) (*build.Instance, cue.Value) {
	type built struct {
		inst *build.Instance
		raw  cue.Value
	}
	var all, fleets []built
	for _, inst := range insts {
		if inst.Err != nil {
			l.unreadable(inst.Err)
			continue
		}
		raw := l.ctx.BuildInstance(inst)
		// Without fields nothing was compiled: names or imports lead nowhere.
		if _, err := raw.Fields(); err != nil {
			l.unreadable(err)
			continue
		}
		all = append(all, built{inst, raw})
		if v, depth := descend(raw, []string{"clusters"}); depth == 1 {
			if it, err := v.Fields(); len(insts) == 1 || err != nil || it.Next() {
				fleets = append(fleets, built{inst, raw})
			}
		}
	}
	if len(l.problems) > 0 {
		return nil, cue.Value{}
	}
	switch len(fleets) {
	case 1:
		return fleets[0].inst, fleets[0].raw
	case 0:
		p := Problem{Severity: Error, Kind: KindMissingField, Message: "the spec has no clusters", Hint: "a spec has two top-level fields, providers and clusters"}
		if len(all) == 1 && len(all[0].inst.Files) > 0 {
			p.File = l.rel(all[0].inst.Files[0].Filename)
		}
		l.report(p)
	default:
		var dirs []string
		for _, f := range fleets {
			dirs = append(dirs, l.rel(f.inst.Dir))
		}
		l.report(Problem{Severity: Error, Kind: KindConflict, Message: fmt.Sprintf("%d packages have clusters: %s", len(dirs), someOf(dirs)), Hint: "name one of them; each is a fleet of its own"})
	}
	return nil, cue.Value{}
}

// unreadable tells errors of reading, parsing and compiling.
func (l *loader) unreadable(err error) {
	for _, e := range errors.Errors(err) {
		p := Problem{Severity: Error, Kind: KindSyntax}
		format, args := e.Msg()
		p.Message = fmt.Sprintf(format, args...)
		switch {
		case strings.HasPrefix(format, "reference %q not found"), strings.HasPrefix(format, "undefined field"), strings.HasPrefix(format, "imported and not used"):
			p.Kind = KindReference
		case strings.HasPrefix(format, "import failed"):
			p.Kind = KindReference
			p.Message = "import failed: " + lastPart(e.Error())
			p.Hint = "imports come from this module or from cue.mod/pkg; nothing is fetched"
		case strings.HasPrefix(format, "cue: %q matched no packages"), strings.HasPrefix(format, "build constraints exclude"), strings.HasPrefix(format, "cannot find package"), strings.HasPrefix(format, "no CUE files"), strings.HasPrefix(format, "no files"):
			p.Kind = KindReference
			p.Message = fmt.Sprintf("no spec in %s", l.rel(l.dir))
			p.Hint = "a spec is CUE files that begin with a package clause, such as: package fleet"
		case format == saysCycle:
			p.Kind = KindReference
			p.Message = dotted(relative(e.Path(), 0)) + " contains itself"
		}
		if path := relative(e.Path(), 0); len(path) > 1 && path[0] == "clusters" {
			p.Cluster, p.Path = path[1], dotted(path[2:])
		}
		for _, pos := range errors.Positions(e) {
			if l.inSpec(pos) {
				l.place(&p, pos)
				break
			}
		}
		if p.File == "" {
			if pos := errors.Positions(e); len(pos) > 0 && pos[0].Filename() != "" {
				p.File, p.Line, p.Column, p.EndColumn = l.rel(pos[0].Filename()), pos[0].Line(), pos[0].Column(), pos[0].Column()+1
			}
		}
		l.report(p)
	}
}

// lastPart is the innermost reason of a chain "a: b: c".
func lastPart(s string) string {
	if i := strings.LastIndex(s, ": "); i >= 0 && !strings.Contains(s[i:], "\"") {
		return s[i+2:]
	}
	return strings.TrimPrefix(s, "import failed: ")
}
