package schema_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/clusterctl/clusterctl/schema"
)

// The tables of limits in the READMEs and docs/limits.md stand between these two
// lines and are made from the schemas; -update rewrites them.
const (
	beginLimits = "<!-- limits:begin -->\n"
	endLimits   = "<!-- limits:end -->"
)

func TestDocumentedLimits(t *testing.T) {
	limits, err := schema.Limits(schema.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range map[string]string{
		"../README.md":       shortTables(t, limits),
		"../README.zh-CN.md": shortTables(t, limits),
		"../docs/limits.md":  fullTables(t, limits),
	} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, begins := strings.Cut(string(content), beginLimits)
		_, after, ends := strings.Cut(rest, endLimits)
		if !begins || !ends {
			t.Errorf("%s has no lines %q and %q around its limits", name, strings.TrimSpace(beginLimits), endLimits)
			continue
		}
		want := before + beginLimits + table + endLimits + after
		if want == string(content) {
			continue
		}
		if flag.Lookup("update").Value.String() != "true" { // declared beside the goldens
			t.Errorf("the limits in %s are not those of the schemas: run go test ./schema -update", name)
			continue
		}
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shortRow is one line of the README's tables: fields that have one rule from
// one document share it.
type shortRow struct {
	where  []string // "hpc", "ehpc: login"
	fields []string
	rule   string
	source string
}

// shortTables has the limits that a document states, those alike in one row.
func shortTables(t *testing.T, limits []schema.Limit) string {
	var b strings.Builder
	for _, plugin := range plugins(limits) {
		var rows []*shortRow
		for _, l := range limits {
			if l.Plugin != plugin || l.Source == "" {
				continue
			}
			where, field := placeOf(l)
			rule := must(t, l)
			same := func(r *shortRow) bool {
				return r.rule == rule && r.source == l.Source && slices.Equal(r.fields, []string{field})
			}
			if i := slices.IndexFunc(rows, same); i >= 0 {
				rows[i].where = append(rows[i].where, where)
				continue
			}
			rows = append(rows, &shortRow{where: []string{where}, fields: []string{field}, rule: rule, source: l.Source})
		}
		fmt.Fprintf(&b, "\n### %s\n\n| where | field | must be | documented in |\n|---|---|---|---|\n", plugin)
		for _, r := range joined(rows) {
			fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", strings.Join(r.where, "; "), strings.Join(r.fields, "`, `"), r.rule, r.source)
		}
	}
	return b.String() + "\n"
}

// joined merges rows that differ in the field's name only, where the document
// calls the parameter by that name.
func joined(rows []*shortRow) []*shortRow {
	var out []*shortRow
	for _, r := range rows {
		i := slices.IndexFunc(out, func(o *shortRow) bool {
			return o.rule == r.rule && slices.Equal(o.where, r.where) && namedAfter(o.source, o.fields[0]) != "" &&
				namedAfter(o.source, o.fields[0]) == namedAfter(r.source, r.fields[0])
		})
		if i < 0 {
			out = append(out, r)
			continue
		}
		out[i].fields = append(out[i].fields, r.fields...)
	}
	for _, r := range out {
		if len(r.fields) > 1 {
			r.source = namedAfter(r.source, r.fields[0]) + " of the same name"
		}
	}
	return out
}

// namedAfter is the document and section of a source that ends with the
// field's own name, and empty for others.
func namedAfter(source, field string) string {
	field = field[strings.LastIndex(field, ".")+1:]
	if s, ok := strings.CutSuffix(source, ", "+field); ok {
		return s + ", item"
	}
	if s, ok := strings.CutSuffix(source, " "+field); ok {
		return s
	}
	return ""
}

// placeOf says where a field stands, and its name there.
func placeOf(l schema.Limit) (where, field string) {
	kind := l.Kind
	if kind == "" {
		return "providers entry", l.Path
	}
	if rest, ok := strings.CutPrefix(l.Path, "node_groups."); ok {
		role, field, _ := strings.Cut(rest, ".")
		return kind + " " + role, field
	}
	return kind, l.Path
}

// fullTables has every field with its meaning, and every tested edge with what
// a spec on its wrong side is told.
func fullTables(t *testing.T, limits []schema.Limit) string {
	var b strings.Builder
	for _, plugin := range plugins(limits) {
		edges := readEdges(t, plugin)
		accepted, refused := countCases(t, plugin)
		fmt.Fprintf(&b, "\n## %s\n\n%d specs just inside a limit are accepted and %d just outside one are refused by the tests.\n", plugin, accepted, refused)
		for _, kind := range kinds(limits, plugin) {
			title := kind
			if kind == "" {
				title = "providers entry"
			}
			fmt.Fprintf(&b, "\n### %s, %s: fields\n\n| field | must be | meaning | documented in |\n|---|---|---|---|\n", plugin, title)
			for _, l := range limits {
				if l.Plugin == plugin && l.Kind == kind {
					fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", l.Path, must(t, l), cell(l.Doc), orDash(l.Source))
				}
			}
			fmt.Fprintf(&b, "\n### %s, %s: tested edges\n\n| limit | what a spec beyond it is told | documented in |\n|---|---|---|\n", plugin, title)
			for _, e := range edges {
				if e.of == title {
					fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(e.limit), cell(e.told), orDash(e.source))
				}
			}
		}
	}
	return b.String() + "\n"
}

// edge is one refused case of testdata/limits, from its golden file.
type edge struct{ of, limit, told, source string }

func readEdges(t *testing.T, plugin string) []edge {
	content, err := os.ReadFile(filepath.Join("testdata", "limits", plugin+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	var edges []edge
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, " ") {
			of, limit, _ := strings.Cut(line, ": ")
			edges = append(edges, edge{of: of, limit: limit})
			continue
		}
		last := &edges[len(edges)-1]
		if source, ok := strings.CutPrefix(line, "    limit from "); ok && last.source == "" {
			last.source = source
		} else if !strings.HasPrefix(line, "    ") && last.told == "" {
			_, last.told, _ = strings.Cut(line, ": ")
		}
	}
	return edges
}

// countCases counts the values that a plugin's cases accept and refuse.
func countCases(t *testing.T, plugin string) (accepted, refused int) {
	content, err := os.ReadFile(filepath.Join("testdata", "limits", plugin+".cue"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct{ Accept, Refuse any }
		Typos []any
	}
	if err := cuecontext.New().CompileBytes(content).Decode(&file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		if c.Accept != nil {
			accepted++
		}
		if c.Refuse != nil {
			refused++
		}
	}
	return accepted, refused + len(file.Typos)
}

// must is what a field must be, and of how many clusters.
func must(t *testing.T, l schema.Limit) string {
	rule := words(t, l.Rule)
	for _, a := range l.Attributes {
		if per, ok := strings.CutPrefix(a, "@single("); ok {
			rule += ", one cluster for each `" + strings.TrimSuffix(per, ")") + "`"
		}
	}
	return rule
}

// words says a rule of a schema in English.
func words(t *testing.T, rule string) string {
	e, err := parser.ParseExpr("rule", rule)
	if err != nil {
		t.Fatalf("rule %s: %v", rule, err)
	}
	return inWords(e)
}

func inWords(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return inWords(e.X)
	case *ast.Ident:
		switch e.Name {
		case "bool":
			return "true or false"
		case "string":
			return "a string"
		}
	case *ast.UnaryExpr:
		if e.Op == token.MUL {
			return inWords(e.X)
		}
		if said, ok := phrase[source(e)]; ok {
			return said
		}
		if before, ok := comparison[e.Op]; ok {
			return before + pattern(e.X)
		}
	case *ast.BinaryExpr:
		if e.Op == token.OR {
			return choice(flat(e, token.OR))
		}
		return all(flat(e, token.AND))
	case *ast.StructLit:
		return "`{min, max}` of such" // a range beside the number
	case *ast.ListLit:
		if dots, ok := e.Elts[0].(*ast.Ellipsis); ok && len(e.Elts) == 1 {
			return "a list, each " + inWords(dots.Type)
		}
	case *ast.CallExpr:
		if said, ok := phrase[source(e)]; ok {
			return said
		}
		switch source(e.Fun) {
		case "math.MultipleOf":
			return "a multiple of " + source(e.Args[0])
		case "list.MinItems":
			return "at least " + source(e.Args[0])
		case "list.MaxItems":
			return "at most " + source(e.Args[0])
		}
	}
	return code(e)
}

// phrase has what is clearer in other words.
var phrase = map[string]string{
	"strings.MinRunes(1)": "not empty", `=~"[^[:space:]]"`: "not blank", "list.UniqueItems()": "each once",
	"<=_room": "at most what Core leaves of 500", ">image": "larger than the image",
}

var comparison = map[token.Token]string{
	token.GEQ: "at least ", token.LEQ: "at most ", token.GTR: "more than ", token.LSS: "less than ",
	token.MAT: "of the form ", token.NMAT: "not of the form ",
}

// choice joins alternatives; the marked one is the default.
func choice(arms []ast.Expr) string {
	var said []string
	preset := ""
	for _, arm := range arms {
		if star, ok := arm.(*ast.UnaryExpr); ok && star.Op == token.MUL {
			preset = ", default " + code(star.X)
			if _, literal := arms[len(arms)-1].(*ast.BasicLit); !literal {
				continue // one of many values: the other arm says which
			}
		}
		said = append(said, inWords(arm))
	}
	last := len(said) - 1
	switch {
	case last == 0:
		return said[0] + preset
	case strings.Contains(said[last], ", "): // conditions of its own
		return strings.Join(said, "; or ") + preset
	}
	return strings.Join(said[:last], ", ") + " or " + said[last] + preset
}

// all joins conditions that hold together.
func all(parts []ast.Expr) string {
	var said []string
	for _, p := range parts {
		if source(p) == "int" {
			said = append(said, "a whole number")
			continue
		}
		said = append(said, inWords(p))
	}
	return strings.ReplaceAll(strings.Join(said, ", "), "a whole number, ", "a whole number ")
}

func flat(e ast.Expr, op token.Token) []ast.Expr {
	if bin, ok := e.(*ast.BinaryExpr); ok && bin.Op == op {
		return append(flat(bin.X, op), flat(bin.Y, op)...)
	}
	return []ast.Expr{e}
}

// source is e as CUE writes it.
func source(e ast.Expr) string {
	b, err := format.Node(e)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(b)
}

// code is e in a cell of a Markdown table.
func code(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind != token.STRING {
		return source(e)
	}
	return "`" + strings.ReplaceAll(source(e), "|", `\|`) + "`"
}

// pattern is code for what a value is compared with; a regular expression
// stands without the quotes of CUE.
func pattern(e ast.Expr) string {
	text, err := strconv.Unquote(source(e))
	if err != nil {
		return code(e)
	}
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}

// cell escapes what would end a cell or be taken for markup.
func cell(text string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text) }

func orDash(source string) string {
	if source == "" {
		return "–"
	}
	return source
}

func plugins(limits []schema.Limit) (names []string) {
	for _, l := range limits {
		if !slices.Contains(names, l.Plugin) {
			names = append(names, l.Plugin)
		}
	}
	return names
}

func kinds(limits []schema.Limit, plugin string) (names []string) {
	for _, l := range limits {
		if l.Plugin == plugin && !slices.Contains(names, l.Kind) {
			names = append(names, l.Kind)
		}
	}
	return names
}
