package schema

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/load"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Adoption is the ground on which running clusters are written into a spec:
// the accounts that it names, and the clusters that it has already. Those need
// not be sound: whoever fills in an earlier adoption may look again.
type Adoption struct {
	Package string            // the CUE package of what is written
	Entries map[string]*Entry // every account, with the one that is new
	// Empty says that there is no spec yet: what is written will be one.
	Empty bool

	opts    Options
	l       *loader
	named   []named
	taken   map[string]bool // keys under "clusters"
	entries map[string]bool // keys under "providers"
	added   []byte          // the new entry as CUE; nil without one
}

// named is which live cluster one key of the spec means.
type named struct{ key, entry, kind, id, name string }

// OpenAdoption reads the spec that opts name as far as adoption needs it. With
// added the account is one that the spec does not have, and there may be no
// spec. Problems end the adoption.
func OpenAdoption(opts Options, added *NewEntry) (*Adoption, []Problem) {
	l, fault := newLoader(opts)
	if fault != nil {
		return nil, []Problem{*fault}
	}
	a := &Adoption{
		Package: "fleet", Entries: map[string]*Entry{}, opts: opts, l: l,
		taken: map[string]bool{}, entries: map[string]bool{},
	}
	switch a.Empty = l.specless(); {
	case !a.Empty:
		a.read()
	case added == nil:
		l.report(Problem{Severity: Error, Kind: KindReference, Message: fmt.Sprintf("no spec in %s", l.rel(l.dir)),
			Hint: "name the spec's directory with --dir DIR, or describe an account: --plugin NAME, and --set SETTING=VALUE for each of its settings"})
	}
	if added != nil && len(l.problems) == 0 {
		a.add(*added)
	}
	if len(l.problems) > 0 {
		return nil, sortProblems(l.problems)
	}
	return a, nil
}

// specless says that the directory holds no CUE file of a spec.
func (l *loader) specless() bool {
	if l.args[0] != "." {
		return false
	}
	files, _ := filepath.Glob(filepath.Join(l.dir, "*.cue"))
	return !slices.ContainsFunc(files, func(name string) bool { return filepath.Base(name) != bindFile })
}

// read takes accounts and keys from the spec. Clusters are not judged, and
// there may be none yet.
func (a *Adoption) read() {
	l := a.l
	insts := load.Instances(l.args, l.config())
	if l.report(l.refused...); len(l.problems) > 0 {
		return
	}
	inst, raw := insts[0], cue.Value{}
	if len(insts) > 1 {
		inst, raw = l.pick(insts)
	} else if inst.Err != nil {
		l.unreadable(inst.Err)
	} else if raw = l.ctx.BuildInstance(inst); true {
		if _, err := raw.Fields(); err != nil {
			l.unreadable(err)
		}
	}
	if len(l.problems) > 0 {
		return
	}
	if ast.IsValidIdent(inst.PkgName) {
		a.Package = inst.PkgName
	}
	l.each(raw, "providers", func(name string, v cue.Value) {
		a.entries[name] = true
		if e, _ := l.entry(name, v); e != nil {
			a.Entries[name] = e
		}
	})
	l.each(raw, "clusters", func(key string, v cue.Value) {
		text := func(field string) string {
			s, _ := v.LookupPath(cue.MakePath(cue.Str(field))).String()
			return s
		}
		a.taken[key] = true
		a.named = append(a.named, named{key, text("provider"), text("kind"), text("id"), text("name")})
	})
}

// Live is one cluster as a cloud reports it.
type Live struct {
	// Entries are the accounts that report it; several entries of a spec may
	// lead to one account. The first is the one it is written with.
	Entries []string
	State   *provider.State
}

// Standing is where the spec has a live cluster.
type Standing struct {
	Key  string // empty: nowhere
	Kind string // as the spec says
}

// Standings say which live clusters the spec has: by id, whichever of the
// entries it uses, or by name. Where nothing of the name is of the kind that the
// spec says, it means the one that is of another.
func (a *Adoption) Standings(live []Live) []Standing {
	list, met := make([]Standing, len(live)), map[string]bool{}
	match := func(means func(named, Live) bool) {
		for i, one := range live {
			for _, n := range a.named {
				if list[i].Key == "" && means(n, one) {
					list[i] = Standing{n.key, n.kind}
				}
			}
		}
		for _, s := range list {
			met[s.Key] = true
		}
	}
	byName := func(n named, one Live) bool {
		return n.id == "" && cmp.Or(n.name, n.key) == one.State.Name && slices.Contains(one.Entries, n.entry)
	}
	match(func(n named, one Live) bool {
		e, reads := a.Entries[n.entry], a.Entries[one.Entries[0]]
		return n.id != "" && n.id == one.State.ID && e != nil && e.Plugin == reads.Plugin && e.Endpoint == reads.Endpoint
	})
	match(func(n named, one Live) bool { return byName(n, one) && n.kind == one.State.Kind })
	match(func(n named, one Live) bool { return byName(n, one) && !met[n.key] })
	return list
}

// Content is the CUE file that states those of the adopted that are not
// refused.
func (a *Adoption) Content(adopted []Adopted) ([]byte, error) {
	var w strings.Builder
	accounts := map[string]bool{}
	for _, one := range adopted {
		if one.Refused == "" {
			accounts[one.Entries[0]] = true
		}
	}
	fmt.Fprintf(&w, "// Clusters that ran on %s and stood in no spec, written by clusterctl adopt.\n",
		listed(slices.Sorted(maps.Keys(accounts))))
	w.WriteString("// Stated is what plans compare with what is live; everything else stays as it is. The\n" +
		"// kinds are read, too: look at them where the cloud does not tell its kinds apart.\n")
	fmt.Fprintf(&w, "package %s\n\n", a.Package)
	if a.added != nil {
		fmt.Fprintf(&w, "providers: %s\n\n", a.added)
	}
	w.WriteString("clusters: {\n")
	first := true
	for _, one := range adopted {
		if one.Refused != "" {
			continue
		}
		if !first {
			w.WriteString("\n")
		}
		first = false
		for _, line := range one.comments() {
			w.WriteString("// " + line + "\n")
		}
		fmt.Fprintf(&w, "%s: %s\n", label(one.Key), one.body)
	}
	w.WriteString("}\n")
	return formatted(w.String())
}

// Preview is the spec as it will be with content as one more of its files. The
// problems are all of them, each with its own cluster. Of two clusters that
// contradict each other it is the one in content that is told of.
func (a *Adoption) Preview(content []byte) (*Fleet, []Problem) {
	l, fault := newLoader(a.opts)
	if fault != nil {
		return nil, []Problem{*fault}
	}
	// Files are judged by name, and this one comes last.
	l.overlay[filepath.Join(l.dir, "~adopted.cue")] = load.FromBytes(content)
	fleet := l.load()
	return fleet, l.problems
}

// listed is "a", "a and b", or "a, b and c".
func listed(names []string) string {
	for i, name := range names {
		names[i] = clean(name)
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
