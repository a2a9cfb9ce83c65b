package schema

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

const (
	// schemaImport is where specs import the clouds' definitions from.
	schemaImport = "github.com/clusterctl/clusterctl/schema"
	// bindFile binds a fleet to the definitions for stock CUE tools. The
	// loader drops it, because it picks definitions itself.
	bindFile = "clusterctl_bind.cue"
	// languageVersion is what a module of ours asks of CUE.
	languageVersion = "v0.17.0"
)

// tree is the spec's files as one Load sees them.
type tree struct {
	snapshot *Snapshot // nil: the disk
	cwd      string    // what problems' names are relative to
	dir      string    // the package, or the top of a "..." pattern
	root     string    // the module root, or dir where there is none
	args     []string
	vendor   string // where the clouds' definitions are overlaid
	overlay  map[string]load.Source
	secrets  *regexp.Regexp // what place hides in a line

	mu       sync.Mutex
	files    map[string][]byte // every spec file read, by absolute name
	refused  []Problem
	lstats   map[string]error
	reported map[string]bool
}

// openTree finds the package that pattern names.
func openTree(cwd, pattern string, snapshot *Snapshot, sources []Source) (*tree, *Problem) {
	t := &tree{snapshot: snapshot, cwd: cwd, overlay: map[string]load.Source{}, files: map[string][]byte{}, lstats: map[string]error{}, reported: map[string]bool{}}
	dir, arg := split(pattern)
	t.dir = dir
	if !filepath.IsAbs(dir) {
		t.dir = filepath.Join(cwd, dir)
	}
	t.dir = filepath.Clean(t.dir)
	t.args = []string{arg}
	if snapshot != nil {
		t.dir = snapshot.within(t.dir)
		snapshot.overlay(t.overlay)
	}
	fail := func(message, hint string) *Problem {
		return &Problem{Severity: Error, Kind: KindReference, Message: message, Hint: hint}
	}
	isDir, err := t.isDir(t.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fail(fmt.Sprintf("no directory %s", dir), siblingHint(t.dir))
	case err != nil:
		return nil, fail(fmt.Sprintf("read %s: %v", dir, err), "")
	case !isDir:
		return nil, fail(fmt.Sprintf("%s is a file; a spec is a directory of CUE files", dir),
			"name the directory: "+filepath.Dir(dir))
	}
	t.root = t.moduleRoot()
	hasModule := t.root != ""
	if !hasModule {
		// A lone directory is a spec too; it only has no parents to unify
		// with and no imports but the clouds' definitions.
		t.root = t.dir
	}
	t.vendor = filepath.Join(t.root, "cue.mod", "pkg", filepath.FromSlash(schemaImport))
	for _, src := range sources {
		for name, content := range src.Files {
			t.overlay[filepath.Join(t.vendor, src.Plugin, name)] = load.FromBytes(content)
		}
	}
	if module := filepath.Join(t.root, "cue.mod", "module.cue"); !t.exists(module) {
		t.overlay[module] = load.FromBytes(moduleFile("fleet.local@v0"))
	}
	return t, nil
}

// split cuts "dir/...:pkg" into the directory and CUE's argument inside it.
func split(pattern string) (dir, arg string) {
	arg = "."
	dir = pattern
	if i := strings.LastIndex(dir, ":"); i >= 0 && ast.IsValidIdent(dir[i+1:]) && filepath.VolumeName(dir) != dir[:i+1] {
		dir, arg = dir[:i], arg+dir[i:]
	}
	if rest, ok := strings.CutSuffix(filepath.ToSlash(dir), "..."); ok && (rest == "" || strings.HasSuffix(rest, "/")) {
		dir, arg = filepath.FromSlash(rest), "./..."+strings.TrimPrefix(arg, ".")
	}
	if dir == "" {
		dir = "."
	}
	return filepath.Clean(dir), arg
}

// moduleRoot is the nearest directory at or above the spec's with a cue.mod, or "".
func (t *tree) moduleRoot() string {
	dir := t.dir
	for {
		if isDir, err := t.isDir(filepath.Join(dir, "cue.mod")); err == nil && isDir {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

func siblingHint(dir string) string {
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "cue.mod" {
			names = append(names, e.Name())
		}
	}
	if near := nearest(filepath.Base(dir), names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func moduleFile(module string) []byte {
	return fmt.Appendf(nil, "module: %q\nlanguage: version: %q\n", module, languageVersion)
}

// config is how CUE loads the tree: no registry, hence no network; our own
// definitions in place of vendored ones; every file through parse.
func (t *tree) config() *load.Config {
	return &load.Config{
		Dir: t.dir, ModuleRoot: t.root, Overlay: t.overlay, ParseFile: t.parse,
		Env: []string{"CUE_REGISTRY=none"},
	}
}

// parse reads one file for CUE. Specs are data under review: what would read
// other files or change what a field means to the engine is refused here,
// where its position is known.
func (t *tree) parse(name string, src any, cfg parser.Config) (*ast.File, error) {
	if strings.HasPrefix(name, t.vendor+string(filepath.Separator)) {
		if _, ours := t.overlay[name]; ours {
			return parser.ParseFile(name, src, cfg)
		}
		// Left behind by an older schema sync: not part of today's schema.
		return packageClause(name, src, cfg)
	}
	if filepath.Base(name) == bindFile {
		return packageClause(name, src, cfg)
	}
	content, err := bytesOf(name, src)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.files[name] = content
	if err := t.plainPath(name); err != nil {
		t.refuse(token.NewFile(name, -1, len(content)).Pos(0, token.NoRelPos), KindSyntax, err.Error(),
			"copy the file into the spec, or import it as a package")
		return packageClause(name, content, cfg)
	}
	f, err := parser.ParseFile(name, content, cfg)
	if f == nil || err != nil {
		return f, err
	}
	attributes(f, func(a *ast.Attribute, attr string) {
		switch {
		case attr == "extern" || attr == "embed":
			t.refuse(a.Pos(), KindSyntax, "a spec may not embed other files", "write the data as CUE, in a file of the package")
		case ofSchemas(attr):
			t.refuse(a.Pos(), KindSyntax, fmt.Sprintf("@%s belongs to the schemas; a spec may not say what a field means to the engine", attr), "")
		}
	})
	return f, nil
}

// refuse records a problem; CUE asks for a file more than once.
func (t *tree) refuse(pos token.Pos, kind, message, hint string) {
	key := fmt.Sprint(pos.Position(), message)
	if t.reported[key] {
		return
	}
	t.reported[key] = true
	p := Problem{Severity: Error, Kind: kind, Message: message, Hint: hint}
	t.place(&p, pos)
	t.refused = append(t.refused, p)
}

// plainPath refuses links and devices between the root and name: a pull
// request could point them at files outside the spec.
func (t *tree) plainPath(name string) error {
	if !strings.HasPrefix(name, t.root+string(filepath.Separator)) {
		return nil
	}
	for at := name; at != t.root && len(at) > len(t.root); at = filepath.Dir(at) {
		err, known := t.lstats[at]
		if !known {
			switch mode := t.mode(at); {
			case mode&fs.ModeSymlink != 0:
				err = fmt.Errorf("%s is a symbolic link; a spec may not have any", t.rel(at))
			case !mode.IsDir() && !mode.IsRegular():
				err = fmt.Errorf("%s is not a regular file", t.rel(at))
			}
			t.lstats[at] = err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// packageClause is the file reduced to its package name.
func packageClause(name string, src any, cfg parser.Config) (*ast.File, error) {
	content, err := bytesOf(name, src)
	if err != nil {
		return nil, err
	}
	f, err := parser.ParseFile(name, content, parser.PackageClauseOnly)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func bytesOf(name string, src any) ([]byte, error) {
	switch src := src.(type) {
	case []byte:
		return src, nil
	case string:
		return []byte(src), nil
	case io.Reader:
		return io.ReadAll(src)
	case nil:
		return os.ReadFile(name)
	}
	return nil, fmt.Errorf("read %s: unexpected source %T", path.Base(name), src)
}

// rel is name as people in the working directory write it.
func (t *tree) rel(name string) string {
	if t.snapshot != nil {
		name = t.snapshot.outside(name)
	}
	if r, err := filepath.Rel(t.cwd, name); err == nil {
		return filepath.ToSlash(r)
	}
	return filepath.ToSlash(name)
}
