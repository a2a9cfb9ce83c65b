package policy

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/schema"
)

// Options say which policies to load.
type Options struct {
	// Dir is the working directory; file names in problems are relative to it.
	Dir string
	// Root is the root of the spec's module, below which policies stand in Dir.
	// A module without that directory has none.
	Root string
	// From is another directory of policies, in place of the one in Root. There
	// must be some in it.
	From string
	// Sources are the schemas of the clusters that rules may name fields of;
	// default schema.Builtin().
	Sources []schema.Source
}

// Set is the policies of a team, sound and ready to be asked, by one goroutine at
// a time. A nil Set has none.
type Set struct {
	tree  *tree
	ctx   *cue.Context
	rules []*rule // by name
}

// rule is one rule. Parts that it does not have do not exist.
type rule struct {
	name, message      string
	pos                token.Pos
	when, action, plan part
}

// Load reads policies and tells everything that is wrong with them, sorted by
// file and line. The set is nil when there is a problem, and when there are no
// policies.
func Load(opts Options) (*Set, []schema.Problem) {
	cwd, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, []schema.Problem{reference(err.Error())}
	}
	dir := opts.From
	if dir == "" {
		dir = filepath.Join(opts.Root, Dir)
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(cwd, dir)
	}
	t := newTree(cwd, filepath.Clean(dir))
	names, problem := t.list(opts.From != "")
	if problem != nil {
		return nil, []schema.Problem{*problem}
	}
	if len(names) == 0 {
		return nil, nil
	}
	sources := opts.Sources
	if sources == nil {
		sources = schema.Builtin()
	}
	s := &Set{tree: t, ctx: cuecontext.New(cuecontext.CUE_DEBUG(""))}
	problems := s.load(names, sources)
	if len(problems) > 0 {
		return nil, sorted(problems)
	}
	return s, nil
}

// Len is how many rules there are.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.rules)
}

// Names are the rules' names, sorted.
func (s *Set) Names() []string {
	var names []string
	if s != nil {
		for _, r := range s.rules {
			names = append(names, r.name)
		}
	}
	return names
}

func reference(message string) schema.Problem {
	return schema.Problem{Severity: schema.Error, Kind: schema.KindReference, Message: message}
}

// list names the files that hold policies. must says that the directory was
// named and so has to have some.
func (t *tree) list(must bool) ([]string, *schema.Problem) {
	fail := func(message, hint string) ([]string, *schema.Problem) {
		p := reference(message)
		p.Hint = hint
		return nil, &p
	}
	entries, err := os.ReadDir(t.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must && !exists(t.dir):
		return nil, nil
	case errors.Is(err, fs.ErrNotExist) && exists(t.dir):
		return fail(t.rel(t.dir)+" is a symbolic link that leads nowhere", "policies are the CUE files of a directory")
	case errors.Is(err, fs.ErrNotExist):
		return fail("no directory "+t.rel(t.dir), "name the directory that holds the policies")
	case err != nil:
		if info, statErr := os.Stat(t.dir); statErr == nil && !info.IsDir() {
			return fail(t.rel(t.dir)+" is not a directory; policies are the CUE files of one", "")
		}
		return fail(fmt.Sprintf("read %s: %v", t.rel(t.dir), cause(err)), "")
	}
	var names []string
	for _, e := range entries {
		// What begins with a dot is an editor's.
		if name := e.Name(); strings.EqualFold(filepath.Ext(name), ".cue") && !strings.HasPrefix(name, ".") && name != bindFile {
			names = append(names, filepath.Join(t.dir, name))
		}
	}
	if len(names) == 0 && must {
		return fail("no CUE files in "+t.rel(t.dir), "a policy is a CUE file that begins with: package "+packageName)
	}
	return names, nil
}

func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// load evaluates the files and judges what they say.
func (s *Set) load(names []string, sources []schema.Source) []schema.Problem {
	t := s.tree
	if problems := t.left(names); len(problems) > 0 {
		return problems
	}
	insts := load.Instances([]string{".:" + packageName}, t.config())
	if len(t.refused) > 0 {
		return t.refused
	}
	if err := insts[0].Err; err != nil {
		return s.unreadable(err)
	}
	if problems := t.conditional(names, insts[0]); len(problems) > 0 {
		return problems
	}
	pkg := s.ctx.BuildInstance(insts[0])
	// Without fields nothing was compiled: names or imports lead nowhere.
	if _, err := pkg.Fields(); err != nil {
		return s.unreadable(err)
	}
	return s.judge(pkg, sources)
}

// left tells of files that CUE would leave out without a word.
func (t *tree) left(names []string) []schema.Problem {
	var problems []schema.Problem
	for _, name := range names {
		base := filepath.Base(name)
		stem := strings.TrimSuffix(base, ".cue")
		if stem == base || strings.HasPrefix(base, "_") || strings.HasSuffix(stem, "_test") || strings.HasSuffix(stem, "_tool") {
			p := reference(fmt.Sprintf("CUE leaves out %s because of its name", t.rel(name)))
			p.File, p.Hint = t.rel(name), "rename it: a name may not begin with _ or end in _test or _tool, and ends in .cue"
			problems = append(problems, p)
			continue
		}
		if err := t.plain(name); err != nil {
			continue // told when it is read
		}
		f, err := parser.ParseFile(name, nil, parser.PackageClauseOnly)
		if err != nil {
			continue // told with its syntax errors
		}
		if pkg := f.PackageName(); pkg != packageName {
			is := "package " + pkg
			if pkg == "" {
				is = "of no package"
			}
			p := reference(fmt.Sprintf("%s is %s; policies are package %s", t.rel(name), is, packageName))
			p.File, p.Hint = t.rel(name), "begin the file with: package "+packageName
			problems = append(problems, p)
		}
	}
	return problems
}

// conditional tells of files that an attribute keeps out.
func (t *tree) conditional(names []string, inst *build.Instance) []schema.Problem {
	var problems []schema.Problem
	for _, name := range names {
		if !slices.ContainsFunc(inst.BuildFiles, func(f *build.File) bool { return f.Filename == name }) {
			p := reference(fmt.Sprintf("%s is left out by an attribute above its package clause", t.rel(name)))
			p.File, p.Hint = t.rel(name), "policies always hold: take @if or @ignore away"
			problems = append(problems, p)
		}
	}
	return problems
}

// unreadable tells errors of reading, parsing and compiling.
func (s *Set) unreadable(err error) []schema.Problem {
	var problems []schema.Problem
	for _, e := range errors.Errors(err) {
		format, args := e.Msg()
		kind, message, hint := schema.KindSyntax, fmt.Sprintf(format, args...), ""
		switch {
		case strings.HasPrefix(format, "reference %q not found"), strings.HasPrefix(format, "undefined field"), strings.HasPrefix(format, "imported and not used"):
			kind = schema.KindReference
		case strings.HasPrefix(format, "import failed"):
			kind, message = schema.KindReference, "import failed: "+lastPart(e.Error())
			hint = "imports come from this module or from cue.mod/pkg; nothing is fetched"
		}
		all := errors.Positions(e)
		pos := s.tree.first(all)
		if !pos.IsValid() && len(all) > 0 {
			pos = all[0]
		}
		problems = append(problems, s.tree.problem(kind, pos, message, hint))
	}
	return problems
}

// lastPart is the innermost reason of a chain "a: b: c".
func lastPart(s string) string {
	if i := strings.LastIndex(s, ": "); i >= 0 && !strings.Contains(s[i:], "\"") {
		return s[i+2:]
	}
	return strings.TrimPrefix(s, "import failed: ")
}
