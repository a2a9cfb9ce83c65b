package schema

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// field is one field as the schema's files state it.
type field struct {
	path    string // "node_groups.core.count"; an element of a list is "[]"
	rule    string // the constraint as written, without its message; empty for a struct
	doc     string // the comment above it, without its Source line
	source  string // that line: where the limit is documented
	attrs   []string
	meaning provider.Meaning
	missing string // what to say when it has no value and needs one
	single  string // the setting of the entry for each value of which there is one cluster of the kind
	structs bool   // has fields of its own
	plain   bool   // may be one value too: the fields are those of another form of it, such as a range
	always  bool   // allowed whatever the other fields say
}

// fields is every field of one definition. It is read from the syntax and not
// from the value, because a value shows only the branches of an if that hold.
type fields struct {
	byPath map[string]*field
	order  []string
}

var meaningOf = map[string]provider.Meaning{
	"immutable": provider.Immutable, "param": provider.Param, "secret": provider.Secret, "set": provider.Set,
}

// ofSchemas says whether an attribute is a word of the schemas, which a spec
// may not use.
func ofSchemas(name string) bool {
	return meaningOf[name] != 0 || name == "endpoint" || name == "missing" || name == "single"
}

// fieldsOf walks the definition called name in the files of one package.
func fieldsOf(files []*ast.File, name string) *fields {
	w := fieldWalk{top: map[string][]ast.Expr{}, out: &fields{byPath: map[string]*field{}}}
	for _, f := range files {
		for _, d := range f.Decls {
			if f, ok := d.(*ast.Field); ok {
				if label, _, err := ast.LabelName(f.Label); err == nil {
					w.top[label] = append(w.top[label], f.Value)
				}
			}
		}
	}
	w.named("", name)
	return w.out
}

type fieldWalk struct {
	top   map[string][]ast.Expr
	stack []string
	ifs   int // how many conditions and alternatives stand around
	out   *fields
}

func (w *fieldWalk) named(path, name string) {
	if slices.Contains(w.stack, name) {
		return
	}
	w.stack = append(w.stack, name)
	for _, e := range w.top[name] {
		w.expr(path, e)
	}
	w.stack = w.stack[:len(w.stack)-1]
}

func (w *fieldWalk) expr(path string, e ast.Expr) {
	switch e := e.(type) {
	case *ast.StructLit:
		if f := w.out.byPath[path]; f != nil {
			f.structs = true
		}
		for _, d := range e.Elts {
			w.decl(path, d)
		}
	case *ast.ParenExpr:
		w.expr(path, e.X)
	case *ast.UnaryExpr:
		w.expr(path, e.X)
	case *ast.BinaryExpr:
		if e.Op == token.OR {
			w.ifs++
			defer func() { w.ifs-- }()
		}
		w.expr(path, e.X)
		w.expr(path, e.Y)
	case *ast.ListLit:
		for _, elem := range e.Elts {
			if dots, ok := elem.(*ast.Ellipsis); ok {
				elem = dots.Type
			}
			if elem != nil {
				w.out.at(join(path, "[]"))
				w.expr(join(path, "[]"), elem)
			}
		}
	case *ast.Ident:
		w.named(path, e.Name)
	}
}

func (w *fieldWalk) decl(path string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.EmbedDecl:
		w.expr(path, d.Expr)
	case *ast.Comprehension:
		w.ifs++
		w.expr(path, d.Value)
		w.ifs--
	case *ast.Attribute:
		w.attribute(w.out.at(path), d)
	case *ast.Field:
		name, _, err := ast.LabelName(d.Label)
		if err != nil { // a pattern: [string]: …
			name = "*"
		} else if strings.HasPrefix(name, "_") || strings.HasPrefix(name, "#") {
			return
		}
		f := w.out.at(join(path, name))
		f.always = f.always || w.ifs == 0
		f.plain = f.plain || single(d.Value)
		doc, source := comment(d)
		if f.doc == "" {
			f.doc = doc
		}
		if f.source == "" {
			f.source = source
		}
		if rule := ruleOf(d.Value); f.rule == "" || f.rule == "_" {
			f.rule = rule
		}
		for _, a := range d.Attrs {
			w.attribute(f, a)
		}
		w.expr(f.path, d.Value)
	}
}

func (w *fieldWalk) attribute(f *field, a *ast.Attribute) {
	name, body := a.Split()
	f.meaning |= meaningOf[name]
	switch name {
	case "missing":
		f.missing = unquoted(body)
	case "single":
		f.single = body
	}
	if !slices.Contains(f.attrs, a.Text) {
		f.attrs = append(f.attrs, a.Text)
	}
}

// at returns the field at path, made when it is new.
func (fs *fields) at(path string) *field {
	f := fs.byPath[path]
	if f == nil {
		f = &field{path: path}
		fs.byPath[path] = f
		fs.order = append(fs.order, path)
	}
	return f
}

// find returns the field that a path in a spec belongs to, nil when there is
// none.
func (fs *fields) find(path []string) *field {
	at := ""
	for _, seg := range path {
		if isIndex(seg) {
			seg = "[]"
		}
		next := join(at, seg)
		if fs.byPath[next] == nil && fs.byPath[join(at, "*")] != nil {
			next = join(at, "*")
		}
		at = next
	}
	return fs.byPath[at]
}

// children lists the names of the fields directly below a path in a spec.
func (fs *fields) children(path []string) []string {
	prefix := ""
	if len(path) > 0 {
		for _, seg := range path {
			if isIndex(seg) {
				seg = "[]"
			}
			prefix = join(prefix, seg)
		}
		prefix += "."
	}
	var names []string
	for _, p := range fs.order {
		if name, ok := strings.CutPrefix(p, prefix); ok && name != "" && !strings.ContainsAny(name, ".*[") {
			names = append(names, name)
		}
	}
	return names
}

func (fs *fields) meanings() provider.Meanings {
	m := provider.Meanings{}
	for path, f := range fs.byPath {
		if f.meaning != 0 {
			m[path] |= f.meaning
		}
	}
	return m
}

// comment splits the comment above f into text and source.
func comment(f *ast.Field) (doc, source string) {
	var lines []string
	for _, group := range ast.Comments(f) {
		if group.Doc {
			for _, c := range group.List {
				lines = append(lines, strings.TrimSpace(strings.TrimPrefix(c.Text, "//")))
			}
		}
	}
	text := strings.Join(lines, "\n")
	if i := strings.LastIndex("\n"+text, "\nSource:"); i >= 0 {
		source = strings.TrimSuffix(oneLine(text[i+len("Source:"):]), ".")
		text = text[:max(i-1, 0)]
	}
	return oneLine(text), source
}

// ruleOf prints a constraint without the error arm that words its message.
func ruleOf(e ast.Expr) string {
	if bin, ok := e.(*ast.BinaryExpr); ok && bin.Op == token.OR {
		if call, ok := bin.Y.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "error" {
				return ruleOf(bin.X)
			}
		}
	}
	switch x := e.(type) {
	case *ast.ParenExpr:
		return ruleOf(x.X)
	case *ast.StructLit:
		return ""
	}
	b, err := format.Node(e)
	if err != nil {
		return ""
	}
	return oneLine(string(b))
}

// single says whether e allows a value that is no struct.
func single(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return single(e.X)
	case *ast.UnaryExpr:
		return e.Op != token.MUL || single(e.X)
	case *ast.BinaryExpr:
		if e.Op == token.OR {
			return single(e.X) || single(e.Y)
		}
		return single(e.X) && single(e.Y)
	case *ast.Ident:
		return e.Name != "_" && !strings.HasPrefix(e.Name, "#") && !strings.HasPrefix(e.Name, "_")
	case *ast.BasicLit:
		return true
	}
	return false
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func isIndex(seg string) bool {
	return seg != "" && strings.Trim(seg, "0123456789") == ""
}

// within says whether path is part of another form of a plain value: the ends
// of a range are told with the number that it stands for.
func (fs *fields) within(path string) bool {
	i := strings.LastIndexByte(path, '.')
	return i > 0 && fs.byPath[path[:i]] != nil && fs.byPath[path[:i]].plain
}
