package policy

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/scanner"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/schema"
)

// tree is the policies' files as one Load sees them.
type tree struct {
	cwd     string // what problems' names are relative to
	dir     string // the policies
	root    string // the module around them, or dir where there is none
	shipped string // where our definition is overlaid
	overlay map[string]load.Source

	mu      sync.Mutex
	files   map[string][]byte // every policy file read, by absolute name
	refused []schema.Problem
	told    map[string]bool
}

func newTree(cwd, dir string) *tree {
	t := &tree{cwd: cwd, dir: dir, root: ModuleRoot(dir), overlay: map[string]load.Source{}, files: map[string][]byte{}, told: map[string]bool{}}
	t.shipped = filepath.Join(t.root, filepath.FromSlash(vendorDir))
	t.overlay[filepath.Join(t.shipped, definitionFile)] = load.FromBytes(definition)
	if module := filepath.Join(t.root, "cue.mod", "module.cue"); !exists(module) {
		t.overlay[module] = load.FromString("module: \"policy.local@v0\"\nlanguage: version: \"v0.17.0\"\n")
	}
	return t
}

// ModuleRoot is the nearest directory at or above dir with a cue.mod, or dir.
func ModuleRoot(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Stat(filepath.Join(at, "cue.mod")); err == nil && info.IsDir() {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// config is how CUE loads the tree: no registry, hence no network, and every
// file through parse.
func (t *tree) config() *load.Config {
	return &load.Config{Dir: t.dir, ModuleRoot: t.root, Overlay: t.overlay, ParseFile: t.parse, Env: []string{"CUE_REGISTRY=none"}}
}

// parse reads one file for CUE. Policies are code under review, as specs are: what
// would read other files is refused here, where its position is known.
func (t *tree) parse(name string, src any, cfg parser.Config) (*ast.File, error) {
	content, err := contentOf(name, src)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, t.shipped+string(filepath.Separator)) {
		if filepath.Base(name) == definitionFile {
			return parser.ParseFile(name, content, cfg)
		}
		return parser.ParseFile(name, content, parser.PackageClauseOnly)
	}
	if filepath.Base(name) == bindFile {
		return parser.ParseFile(name, content, parser.PackageClauseOnly)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.files[name] = content
	if err := t.plain(name); err != nil {
		t.refuse(token.NewFile(name, -1, len(content)).Pos(0, token.NoRelPos), err.Error(), "copy the file into the policies, or import it as a package")
		return parser.ParseFile(name, content, parser.PackageClauseOnly)
	}
	f, err := parser.ParseFile(name, content, cfg)
	if f == nil || err != nil {
		return f, err
	}
	t.inspect(f)
	return f, nil
}

// inspect refuses what a policy may not use.
func (t *tree) inspect(f *ast.File) {
	vendored := strings.HasPrefix(f.Filename, filepath.Join(t.root, "cue.mod")+string(filepath.Separator))
	ast.Walk(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Attribute:
			if name, _, _ := strings.Cut(strings.TrimPrefix(n.Text, "@"), "("); name == "extern" || name == "embed" {
				t.refuse(n.Pos(), "a policy may not embed other files", "write the data as CUE, in a file of the package")
			}
		case *ast.CallExpr:
			// CUE lets every name pass inside of them, so a typo would switch
			// the rule off.
			if fun, ok := n.Fun.(*ast.Ident); ok && (fun.Name == "matchN" || fun.Name == "matchIf") && !vendored {
				t.refuse(n.Pos(), fmt.Sprintf("a policy may not use %s: CUE finds no misspelt name inside of it", fun.Name),
					`write alternatives with |, and what is forbidden as: if CONDITION {error("why")}`)
			}
		}
		return true
	}, nil)
}

// refuse records a problem; CUE asks for a file more than once.
func (t *tree) refuse(pos token.Pos, message, hint string) {
	if key := fmt.Sprint(pos.Position(), message); !t.told[key] {
		t.told[key] = true
		t.refused = append(t.refused, t.problem(schema.KindSyntax, pos, message, hint))
	}
}

// plain refuses links and devices between the root and name: a pull request
// could point them at files of this machine.
func (t *tree) plain(name string) error {
	inside := string(filepath.Separator)
	for at := name; strings.HasPrefix(at, strings.TrimSuffix(t.root, inside)+inside) && at != t.root; at = filepath.Dir(at) {
		switch info, err := os.Lstat(at); {
		case err != nil: // overlaid
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a symbolic link; policies may not have any", t.rel(at))
		case !info.IsDir() && !info.Mode().IsRegular():
			return fmt.Errorf("%s is not a regular file", t.rel(at))
		}
	}
	return nil
}

func contentOf(name string, src any) ([]byte, error) {
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
	return nil, fmt.Errorf("read %s: unexpected source %T", filepath.Base(name), src)
}

// rel is name as people in the working directory write it.
func (t *tree) rel(name string) string {
	if r, err := filepath.Rel(t.cwd, name); err == nil {
		name = r
	}
	return filepath.ToSlash(name)
}

// at prints a position as in "policy/limits.cue:7:18".
func (t *tree) at(pos token.Pos) string {
	if !pos.IsValid() {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", t.rel(pos.Filename()), pos.Line(), pos.Column())
}

// ours says whether pos lies in a file of the policies.
func (t *tree) ours(pos token.Pos) bool { return pos.IsValid() && t.files[pos.Filename()] != nil }

// first is the first of the positions that lies in a file of the policies.
func (t *tree) first(all []token.Pos) token.Pos {
	for _, pos := range all {
		if t.ours(pos) {
			return pos
		}
	}
	return token.NoPos
}

// problem is one with its line.
func (t *tree) problem(kind string, pos token.Pos, message, hint string) schema.Problem {
	p := schema.Problem{Severity: schema.Error, Kind: kind, Message: message, Hint: hint}
	if !pos.IsValid() {
		return p
	}
	at := pos.Position()
	p.File, p.Line, p.Column = t.rel(at.Filename), at.Line, at.Column
	show(&p, t.files[at.Filename], at.Offset)
	return p
}

// show gives p the line of src around offset, and the end of the token there.
func show(p *schema.Problem, src []byte, offset int) {
	p.EndColumn = p.Column + 1
	if offset > len(src) {
		return
	}
	if offset == len(src) && offset > 0 && src[offset-1] == '\n' {
		offset-- // the end of the file belongs to its last line
	}
	start := bytes.LastIndexByte(src[:offset], '\n') + 1
	end := len(src)
	if n := bytes.IndexByte(src[offset:], '\n'); n >= 0 {
		end = offset + n
	}
	p.Text = strings.TrimRight(string(src[start:end]), "\r")
	p.EndColumn = p.Column + tokenLength(src[offset:end])
}

// tokenLength measures the token at the start of line, with the sign or the
// comparison before a value.
func tokenLength(line []byte) int {
	var s scanner.Scanner
	s.Init(token.NewFile("", -1, len(line)), line, func(token.Pos, string, []any) {}, 0)
	pos, tok, lit := s.Scan()
	switch tok {
	case token.EOF:
		return 1
	case token.SUB, token.LSS, token.LEQ, token.GTR, token.GEQ, token.NEQ, token.MAT, token.NMAT:
		pos, tok, lit = s.Scan()
	}
	if lit == "" || lit == "\n" {
		lit = tok.String()
	}
	return max(1, min(pos.Offset()+len(lit), len(line)))
}
