package schema

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// What a completion reads of a spec at most: nobody waits for more.
const (
	mostFiles = 1000
	mostBytes = 32 << 20
	mostSteps = 8 // from one top-level field to another
)

// Addresses lists the keys of clusters that stand in the files of the spec that
// pattern names, seen from dir; sorted. It is for completion and so never fails:
// it parses, evaluates nothing, and leaves out what cannot be read. Keys that
// only an evaluation makes, such as those of a loop, are not among them.
func Addresses(dir, pattern string) []string {
	at, _ := split(pattern)
	if !filepath.IsAbs(at) {
		at = filepath.Join(dir, at)
	}
	at, err := filepath.Abs(at)
	if err != nil {
		return nil
	}
	found := &keysFound{fields: map[string][]ast.Expr{}, keys: map[string]bool{}}
	files, bytes := 0, int64(0)
	for _, folder := range layers(at) {
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue
		}
		for _, e := range entries {
			info, err := e.Info() // of the entry itself: links and pipes are not opened
			if err != nil || !info.Mode().IsRegular() || !partOfSpec(e.Name()) {
				continue
			}
			if files, bytes = files+1, bytes+info.Size(); files > mostFiles || bytes > mostBytes {
				break
			}
			// A file that is just being written has its sound parts all the same.
			if f, _ := parser.ParseFile(filepath.Join(folder, e.Name()), nil); f != nil {
				found.top(f.Decls)
			}
		}
	}
	for _, value := range found.fields["clusters"] {
		found.add(value, mostSteps)
	}
	return slices.Sorted(maps.Keys(found.keys))
}

// layers are the folders that make up the package in dir: it and those above it
// up to the module's root.
func layers(dir string) []string {
	t := &tree{dir: dir}
	root := t.moduleRoot()
	if root == "" {
		return []string{dir}
	}
	var folders []string
	for at := dir; ; at = filepath.Dir(at) {
		folders = append(folders, at)
		if at == root {
			return folders
		}
	}
}

func partOfSpec(name string) bool {
	return strings.HasSuffix(name, ".cue") && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "_") &&
		!strings.HasSuffix(name, "_test.cue") && name != bindFile
}

// keysFound gathers what the files say of clusters.
type keysFound struct {
	fields map[string][]ast.Expr // top-level fields, for names that lead to another
	keys   map[string]bool
}

// top takes the top-level fields of a file.
func (k *keysFound) top(decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			if name, _, err := ast.LabelName(d.Label); err == nil {
				k.fields[name] = append(k.fields[name], d.Value)
			}
		case *ast.LetClause:
			k.fields[d.Ident.Name] = append(k.fields[d.Ident.Name], d.Expr)
		case *ast.Comprehension:
			if s, ok := d.Value.(*ast.StructLit); ok {
				k.top(s.Elts)
			}
		case *ast.EmbedDecl:
			if s, ok := d.Expr.(*ast.StructLit); ok {
				k.top(s.Elts)
			}
		}
	}
}

// add takes the keys of a value of clusters. A condition may hold or not: what
// stands behind it is offered.
func (k *keysFound) add(value ast.Expr, steps int) {
	switch v := value.(type) {
	case *ast.StructLit:
		for _, d := range v.Elts {
			switch d := d.(type) {
			case *ast.Field:
				name, isIdent, err := ast.LabelName(d.Label)
				hidden := isIdent && (strings.HasPrefix(name, "_") || strings.HasPrefix(name, "#"))
				if err == nil && !hidden && d.Constraint == token.ILLEGAL {
					k.keys[name] = true
				}
			case *ast.EmbedDecl:
				k.add(d.Expr, steps)
			case *ast.Comprehension:
				k.add(d.Value, steps)
			}
		}
	case *ast.Comprehension:
		k.add(v.Value, steps)
	case *ast.ParenExpr:
		k.add(v.X, steps)
	case *ast.BinaryExpr:
		k.add(v.X, steps)
		k.add(v.Y, steps)
	case *ast.Ident:
		if steps > 0 {
			for _, other := range k.fields[v.Name] {
				k.add(other, steps-1)
			}
		}
	}
}
