package schema

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// limitCases is one file of testdata/limits: every documented limit of one
// cloud with a value that it just accepts and one that it just refuses.
type limitCases struct {
	Providers map[string]map[string]any `json:"providers"`
	Base      map[string]map[string]any `json:"base"`
	Cases     []limitCase               `json:"cases"`
	Typos     []struct {
		Kind     string `json:"kind"`
		Provider bool   `json:"provider"`
		At       string `json:"at"`
	} `json:"typos"`
}

type limitCase struct {
	Kind     string         `json:"kind"`
	Provider bool           `json:"provider"`
	Limit    string         `json:"limit"`
	Accept   map[string]any `json:"accept"`
	Refuse   map[string]any `json:"refuse"`
	Problems int            `json:"problems"`
}

func TestLimits(t *testing.T) {
	for _, src := range Builtin() {
		t.Run(src.Plugin, func(t *testing.T) {
			cases := readLimitCases(t, src.Plugin)
			accepted, refused, golden := 0, 0, &strings.Builder{}
			for i, c := range cases.Cases {
				name := fmt.Sprintf("case %d, %s, %s", i, what(c.Kind, c.Provider), c.Limit)
				if c.Accept != nil {
					accepted++
					if problems := cases.load(t, src, c, c.Accept); len(problems) > 0 {
						t.Errorf("%s: accept is refused:\n%s", name, text(problems))
					}
				}
				if c.Refuse == nil {
					continue
				}
				refused++
				problems := cases.load(t, src, c, c.Refuse)
				if got, want := faults(problems), max(c.Problems, 1); got != want {
					t.Errorf("%s: %d problems, want %d:\n%s", name, got, want, text(problems))
				}
				fmt.Fprintf(golden, "%s: %s\n", what(c.Kind, c.Provider), c.Limit)
				writeBrief(golden, problems)
			}
			for _, typo := range cases.Typos {
				name := fmt.Sprintf("typo in %s at %q", what(typo.Kind, typo.Provider), typo.At)
				refused++
				change := map[string]any{"clusterctl_typo": int64(1)}
				segs := strings.Split(typo.At, ".")
				for i := len(segs) - 1; i >= 0 && typo.At != ""; i-- {
					change = map[string]any{segs[i]: change}
				}
				problems := cases.load(t, src, limitCase{Kind: typo.Kind, Provider: typo.Provider}, change)
				if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Kind == KindUnknownField && p.Hint != "" && p.Line > 0 }) {
					t.Errorf("%s: no unknown-field with a hint:\n%s", name, text(problems))
				}
				fmt.Fprintf(golden, "%s\n", name)
				writeBrief(golden, problems)
			}
			t.Logf("%d accepted, %d refused", accepted, refused)
			compareGolden(t, filepath.Join("testdata", "limits", src.Plugin+".golden"), golden.String())
		})
	}
}

// faults counts problems; fields that one struct lacks count as one.
func faults(problems []Problem) int {
	n, lacking := 0, map[int]bool{}
	for _, p := range problems {
		if p.Kind != KindMissingField || !lacking[p.Line] {
			n++
		}
		lacking[p.Line] = lacking[p.Line] || p.Kind == KindMissingField
	}
	return n
}

func what(kind string, entry bool) string {
	if entry {
		return "providers entry"
	}
	return kind
}

func writeBrief(b *strings.Builder, problems []Problem) {
	for _, p := range problems {
		fmt.Fprintf(b, "  %s %s: %s\n", p.Kind, p.Path, p.Message)
		if p.Limit != "" {
			fmt.Fprintf(b, "    limit from %s\n", p.Limit)
		}
		if p.Hint != "" {
			fmt.Fprintf(b, "    %s\n", p.Hint)
		}
	}
}

func readLimitCases(t *testing.T, plugin string) limitCases {
	t.Helper()
	name := filepath.Join("testdata", "limits", plugin+".cue")
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	v := cuecontext.New().CompileBytes(content, cue.Filename(name))
	if err := v.Validate(cue.Concrete(true)); err != nil {
		t.Fatal(err)
	}
	var cases limitCases
	if err := v.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// load writes one case as a spec with one field on each line and loads it.
func (cases limitCases) load(t *testing.T, src Source, c limitCase, change map[string]any) []Problem {
	t.Helper()
	providers := map[string]any{}
	for name, entry := range cases.Providers {
		if c.Provider {
			entry = merged(entry, change)
			// The loader takes timing only with an endpoint on this machine;
			// that rule has tests of its own.
			if timing, set := entry["timing"]; set && timing != nil {
				if _, said := change["endpoint"]; said {
					delete(entry, "timing")
				} else {
					entry["endpoint"] = "http://127.0.0.1:8080"
				}
			}
		}
		providers[name] = entry
	}
	clusters := map[string]any{}
	if !c.Provider {
		base, ok := cases.Base[c.Kind]
		if !ok {
			t.Fatalf("no base for kind %q", c.Kind)
		}
		clusters["subject"] = merged(base, change)
	}
	var b strings.Builder
	b.WriteString("package fleet\n")
	writeFields(&b, map[string]any{"providers": providers, "clusters": clusters}, "")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fleet.cue"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	_, problems := Load(Options{Dir: dir, Sources: []Source{src}})
	return problems
}

// merged is base with change laid deeply over it; null deletes.
func merged(base, change map[string]any) map[string]any {
	out := maps.Clone(base)
	for name, v := range change {
		if list, ok := out[name].([]any); ok {
			if over, ok := v.(map[string]any); ok { // "tags.0" in a typo's place
				out[name] = []any{merged(list[0].(map[string]any), over["0"].(map[string]any))}
				continue
			}
		}
		under, isStruct := out[name].(map[string]any)
		over, overStruct := v.(map[string]any)
		switch {
		case v == nil:
			delete(out, name)
		case isStruct && overStruct:
			out[name] = merged(under, over)
		case overStruct:
			out[name] = merged(map[string]any{}, over)
		default:
			out[name] = v
		}
	}
	return out
}

func writeFields(b *strings.Builder, fields map[string]any, indent string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		label := name
		if !ast.IsValidIdent(name) {
			label = fmt.Sprintf("%q", name)
		}
		fmt.Fprintf(b, "%s%s: ", indent, label)
		writeValue(b, fields[name], indent)
		b.WriteByte('\n')
	}
}

func writeValue(b *strings.Builder, v any, indent string) {
	switch v := v.(type) {
	case map[string]any:
		b.WriteString("{\n")
		writeFields(b, v, indent+"\t")
		b.WriteString(indent + "}")
	case []any:
		b.WriteString("[\n")
		for _, elem := range v {
			b.WriteString(indent + "\t")
			writeValue(b, elem, indent+"\t")
			b.WriteString(",\n")
		}
		b.WriteString(indent + "]")
	case string:
		fmt.Fprintf(b, "%q", v)
	default:
		fmt.Fprint(b, v)
	}
}

func text(problems []Problem) string {
	var b strings.Builder
	if err := WriteText(&b, problems, false); err != nil {
		return err.Error()
	}
	return b.String()
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got, -update rewrites):\n%s", name, diff)
	}
}
