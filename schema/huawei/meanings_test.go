package huawei_test

import (
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/schema/huawei"
)

// definition returns the definition of a kind.
func definition(t *testing.T, ctx *cue.Context, kind string) cue.Value {
	t.Helper()
	inst := build.NewContext().NewInstance("", nil)
	for name, src := range huawei.Files() {
		file, err := parser.ParseFile(name, src, parser.ParseComments)
		if err == nil {
			err = inst.AddSyntax(file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	def := ctx.BuildInstance(inst).LookupPath(cue.ParsePath(huawei.Kinds[kind]))
	if err := def.Err(); err != nil {
		t.Fatal(errors.Details(err, nil))
	}
	return def
}

// TestMeanings: what each field of a cluster means to the engine, and that
// every limit names its document in the last line of its comment.
func TestMeanings(t *testing.T) {
	got := map[string][]string{}
	var walk func(path string, v cue.Value)
	walk = func(path string, v cue.Value) {
		fields, err := v.Fields(cue.Optional(true), cue.Attributes(true))
		if err != nil {
			t.Fatal(err)
		}
		for fields.Next() {
			at := strings.TrimPrefix(path+"."+fields.Selector().Unquoted(), ".")
			names := []string{}
			for _, a := range fields.Value().Attributes(cue.FieldAttr) {
				names = append(names, a.Name())
			}
			got[at] = names
			if fields.Value().IncompleteKind() == cue.StructKind {
				walk(at, fields.Value())
				continue
			}
			if at == "provider" || at == "kind" {
				continue
			}
			var lines []string
			for _, doc := range fields.Value().Doc() {
				lines = append(lines, strings.Split(strings.TrimSpace(doc.Text()), "\n")...)
			}
			if !slices.ContainsFunc(lines, func(line string) bool {
				return strings.HasPrefix(line, "Source: ") && strings.HasSuffix(line, ".")
			}) {
				t.Errorf("%s names no source: %q", at, lines)
			}
		}
	}
	walk("", definition(t, cuecontext.New(), "mrs"))
	none, param := []string{}, []string{"param"}
	want := map[string][]string{
		"provider": none, "kind": none, "id": none, "name": none, "node_groups": none,
		"node_groups.master": none, "node_groups.master.count": none,
		"node_groups.core": none, "node_groups.core.count": none, "node_groups.core.scale_in": param,
		"node_groups.core.skip_bootstrap_scripts": param, "node_groups.core.scale_without_start": param,
		"node_groups.task": none, "node_groups.task.count": none, "node_groups.task.node_size": none,
		"node_groups.task.data_volume_type": none, "node_groups.task.data_volume_count": none, "node_groups.task.data_volume_size": none,
		"node_groups.task.server_ids":             {"param", "set"},
		"node_groups.task.skip_bootstrap_scripts": param, "node_groups.task.scale_without_start": param,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
