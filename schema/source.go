package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Source is one plugin's schema as the loader uses it: CUE files that form one
// package, and which definition of it checks what.
type Source struct {
	Plugin   string            // "huawei"
	Files    map[string][]byte // base name to content
	Digest   string            // provider.SchemaDigest(Files)
	Kinds    map[string]string // kind to definition: "mrs" to "#MRS"
	Provider string            // definition of a providers entry: "#Provider"
	Domains  []string          // host suffixes that belong to the cloud
}

// FromDescription is the schema that a plugin describes.
func FromDescription(d *provider.Description) Source {
	kinds := make(map[string]string, len(d.Kinds))
	for _, k := range d.Kinds {
		kinds[k.Name] = k.Definition
	}
	return source(d.Name, d.Schema.Files, kinds, "#Provider", d.Domains)
}

func source(plugin string, files map[string][]byte, kinds map[string]string, entry string, domains []string) Source {
	return Source{
		Plugin: plugin, Files: files, Digest: provider.SchemaDigest(files),
		Kinds: kinds, Provider: entry, Domains: domains,
	}
}

// compiled is a Source in one cue.Context.
type compiled struct {
	Source
	ours  []byte // managedFile
	entry *definition
	kinds map[string]*definition
}

// definition is one CUE definition with what its files say of each field.
type definition struct {
	title string // for messages: `kind "mrs"`
	value cue.Value
	// own is the plugin's definition without the fields that concern clusterctl
	// itself, and apart says that it refuses all of them.
	own       cue.Value
	ownFields *fields
	apart     bool
	spoken    bool // a cluster that own refuses was seen
	fields    *fields
	meanings  provider.Meanings
}

// compile builds src. File names in positions read "huawei/mrs.cue".
func compile(ctx *cue.Context, src Source) (*compiled, error) {
	files, err := parseSource(src)
	if err != nil {
		return nil, err
	}
	ours, text, err := manage(src, files)
	if err != nil {
		return nil, err
	}
	files = append(files, ours)
	inst := build.NewContext().NewInstance(src.Plugin, nil)
	for _, f := range files {
		if err := inst.AddSyntax(f); err != nil {
			return nil, fmt.Errorf("schema of plugin %s: %s", src.Plugin, details(err))
		}
	}
	pkg := ctx.BuildInstance(inst)
	if err := pkg.Err(); err != nil {
		return nil, fmt.Errorf("schema of plugin %s: %s", src.Plugin, details(err))
	}
	c := &compiled{Source: src, ours: text, kinds: make(map[string]*definition, len(src.Kinds))}
	define := func(name, title string) (*definition, error) {
		v := pkg.LookupPath(cue.ParsePath(managed(name)))
		if err := v.Validate(); err != nil {
			return nil, fmt.Errorf("schema of plugin %s: %s: %s", src.Plugin, name, details(err))
		}
		fs := fieldsOf(files, managed(name))
		d := &definition{title: title, value: v, fields: fs, meanings: fs.meanings()}
		d.own, d.ownFields = pkg.LookupPath(cue.ParsePath(name)), fieldsOf(files, name)
		d.apart = !slices.ContainsFunc(d.ownFields.order, mayBeManaged)
		return d, nil
	}
	if c.entry, err = define(src.Provider, "an entry of plugin "+src.Plugin); err != nil {
		return nil, err
	}
	for _, kind := range slices.Sorted(maps.Keys(src.Kinds)) {
		if c.kinds[kind], err = define(src.Kinds[kind], fmt.Sprintf("kind %q", kind)); err != nil {
			return nil, err
		}
		for path, f := range c.kinds[kind].fields.byPath {
			if f.single != "" && (path != "kind" || c.entry.fields.byPath[f.single] == nil) {
				return nil, fmt.Errorf("schema of plugin %s: %s.%s: @single(%s) belongs at kind and names a setting of %s", src.Plugin, src.Kinds[kind], path, f.single, src.Provider)
			}
		}
	}
	return c, nil
}

// single is the setting of the entry that allows one cluster of this kind for
// each of its values; empty when there is no such limit.
func (d *definition) single() string {
	if f := d.fields.byPath["kind"]; f != nil {
		return f.single
	}
	return ""
}

// parseSource parses the files of src in the order of their names. A schema
// must mean the same everywhere, so it may import the standard library only
// and read no other files.
func parseSource(src Source) ([]*ast.File, error) {
	var files []*ast.File
	for _, name := range slices.Sorted(maps.Keys(src.Files)) {
		f, err := parser.ParseFile(src.Plugin+"/"+name, src.Files[name], parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("schema of plugin %s: %s", src.Plugin, details(err))
		}
		for spec := range f.ImportSpecs() {
			path := strings.Trim(spec.Path.Value, `"#`)
			first, _, _ := strings.Cut(path, "/")
			if strings.Contains(first, ".") || first == "tool" {
				return nil, fmt.Errorf("schema of plugin %s: %s imports %q; only the standard library may be imported",
					src.Plugin, spec.Pos(), path)
			}
		}
		var refused *ast.Attribute
		attributes(f, func(a *ast.Attribute, name string) {
			if name == "extern" || name == "embed" {
				refused = a
			}
		})
		if refused != nil {
			return nil, fmt.Errorf("schema of plugin %s: %s: %s would read other files", src.Plugin, refused.Pos(), refused.Text)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("schema of plugin %s: no files", src.Plugin)
	}
	return files, nil
}

// attributes calls visit for every attribute in f.
func attributes(f *ast.File, visit func(a *ast.Attribute, name string)) {
	ast.Walk(f, func(n ast.Node) bool {
		if a, ok := n.(*ast.Attribute); ok {
			name, _, _ := strings.Cut(strings.TrimPrefix(a.Text, "@"), "(")
			visit(a, name)
		}
		return true
	}, nil)
}

// details puts CUE's errors on one line with their positions.
func details(err error) string {
	var all []string
	for _, e := range errors.Errors(err) {
		msg := e.Error()
		if at := errors.Positions(e); len(at) > 0 {
			msg = at[0].String() + ": " + msg
		}
		all = append(all, msg)
	}
	return strings.Join(all, "; ")
}
