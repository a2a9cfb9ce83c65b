package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
	"github.com/google/go-cmp/cmp"
)

func TestVendor(t *testing.T) {
	root := spec(t, map[string]string{
		LockFile: `{"version": 1, "endpoints": ["proxy.corp.example"], "store": "shared"}`,
		"cue.mod/pkg/github.com/clusterctl/clusterctl/schema/huawei/gone.cue": "package huawei\n",
	})
	changed, err := Vendor(root, Builtin(), "fleet")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{LockFile, bindFile, "cue.mod/module.cue", "cue.mod/pkg/github.com/clusterctl/clusterctl/schema/huawei/mrs.cue"} {
		if !strings.Contains(strings.Join(changed, "\n")+"\n", name+"\n") {
			t.Errorf("%s is not among %q", name, changed)
		}
	}
	if exists(filepath.Join(root, "cue.mod/pkg/github.com/clusterctl/clusterctl/schema/huawei/gone.cue")) {
		t.Error("a file of an older schema is still there")
	}
	if again, err := Vendor(root, Builtin(), "fleet"); err != nil || len(again) > 0 {
		t.Errorf("the second time: %v, %v", again, err)
	}
	content, err := os.ReadFile(filepath.Join(root, LockFile))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"version": 1.0, "endpoints": []any{"proxy.corp.example"}, "store": "shared", "schemas": map[string]any{}}
	for _, src := range Builtin() {
		want["schemas"].(map[string]any)[src.Plugin] = src.Digest
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lock (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(root, "fleet.cue"), []byte(accounts+`clusters: a: {provider: "hw", kind: "mrs"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, problems := Load(Options{Dir: root}); len(problems) > 0 {
		t.Errorf("a fresh copy is not accepted:\n%s", text(problems))
	}
	if _, err := Vendor(root, Builtin(), "not a name"); err == nil {
		t.Error("a package name with spaces is accepted")
	}
}

// What Vendor writes is enough for the stock cue command, which knows nothing
// of this loader: same files, no hook, no overlay, no registry.
func TestStockVet(t *testing.T) {
	const ok = `clusters: a: {provider: "hw", kind: "mrs", node_groups: core: count: 5}` + "\n"
	good, err := os.ReadFile("testdata/good/fleet.cue")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ spec, refused string }{
		"sound":           {accounts + ok, ""},
		"the whole fleet": {string(good), ""},
		"limit":           {accounts + strings.Replace(ok, "5", "501", 1), "the number of Core nodes is a whole number from 1 to 500, or {min, max} within it (min at most max), not 501"},
		"typo":            {accounts + strings.Replace(ok, "count:", "cuont:", 1), "cuont: field not allowed"},
		"typo on top":     {accounts + strings.Replace(ok, "node_groups", "node_gruops", 1), "node_gruops: field not allowed"},
		"unknown kind":    {accounts + strings.Replace(ok, `"mrs"`, `"mrz"`, 1), "huawei has no kind mrz"},
		"unknown entry":   {accounts + strings.Replace(ok, `"hw"`, `"hx"`, 1), "hx"},
		"unknown plugin":  {strings.Replace(accounts, `"huawei"`, `"hauwei"`, 1) + ok, "no plugin hauwei"},
		"entry typo":      {strings.Replace(accounts, "region", "regoin", 1) + ok, "regoin: field not allowed"},
		"missing field":   {accounts + strings.Replace(ok, `kind: "mrs", `, "", 1), "kind"},
		"unmanaged":       {accounts + strings.Replace(ok, "count: 5", "{}", 1), ""},
		"range":           {accounts + strings.Replace(ok, "5", "{min: 3, max: 8}", 1), ""},
		"range of one":    {accounts + strings.Replace(ok, "5", "{min: 3, max: 3}", 1), ""},
		"range too large": {accounts + strings.Replace(ok, "5", "{min: 3, max: 501}", 1), "the number of Core nodes is a whole number from 1 to 500, or {min, max} within it (min at most max), not {min:3,max:501}"},
		"range reversed":  {accounts + strings.Replace(ok, "5", "{min: 8, max: 3}", 1), "(min at most max), not {min:8,max:3}"},
		"range typo":      {accounts + strings.Replace(ok, "5", "{min: 3, maxx: 8}", 1), "or {min, max} within it (min at most max), not {min:3,maxx:8}"},
		"range and more":  {accounts + strings.Replace(ok, "5", "{min: 3, max: 8, step: 1}", 1), "or {min, max} within it (min at most max), not {min:3,max:8,step:1}"},
		"range no max":    {accounts + strings.Replace(ok, "5", "{min: 3}", 1), "count.max: field is required but not present"},
		"range no min":    {accounts + strings.Replace(ok, "5", "{max: 3}", 1), "count.min: field is required but not present"},
	} {
		t.Run(name, func(t *testing.T) {
			root := spec(t, map[string]string{"fleet.cue": tc.spec})
			if _, err := Vendor(root, Builtin(), "fleet"); err != nil {
				t.Fatal(err)
			}
			got := vet(root)
			if tc.refused == "" && got != "" {
				t.Errorf("refused: %s", got)
			}
			if !strings.Contains(got, tc.refused) || tc.refused != "" && got == "" {
				t.Errorf("got %q, want %q", got, tc.refused)
			}
		})
	}
}

func vet(root string) string {
	var all []string
	note := func(err error) bool {
		for _, e := range errors.Errors(err) {
			all = append(all, e.Error())
		}
		return err != nil
	}
	for _, inst := range load.Instances([]string{"./..."}, &load.Config{Dir: root, Env: []string{"CUE_REGISTRY=none"}}) {
		if !note(inst.Err) {
			note(cuecontext.New().BuildInstance(inst).Validate(cue.Concrete(true)))
		}
	}
	return strings.Join(all, "\n")
}
