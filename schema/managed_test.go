package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a spec says to clusterctl itself reaches the engine and no plugin.
func TestRulesAreTaken(t *testing.T) {
	fleet, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": `package fleet
providers: hw: {plugin: "huawei", region: "cn-north-4", project_id: "p1", max_removed: {count: 9, per: "7d"}}
clusters: a: {
	provider: "hw", kind: "mrs", id: "i"
	protect: true, max_removed: {count: 4, per: "24h"}, depends_on: ["b"]
	node_groups: {
		core: {count: 3, protect: true}
		task: {count: 2, max_removed: {count: 0, per: "90m"}, owned_by: count: "autoscaler"}
	}
}
clusters: b: {provider: "hw", kind: "mrs", id: "j"}
`})})
	if len(problems) > 0 {
		t.Fatalf("problems:\n%s", text(problems))
	}
	a, b, hw := fleet.Clusters[0], fleet.Clusters[1], fleet.Providers["hw"]
	for _, tc := range [][2]string{
		{string(a.Spec), `{"id":"i","kind":"mrs","node_groups":{"core":{"count":3},"task":{"count":2}},"provider":"hw"}`},
		{string(a.Rules), `{"depends_on":["b"],"max_removed":{"count":4,"per":"24h"},"node_groups":{"core":{"protect":true},"task":{"max_removed":{"count":0,"per":"90m"},"owned_by":{"count":"autoscaler"}}},"protect":true}`},
		{string(b.Rules), ""},
		{string(hw.Settings), `{"plugin":"huawei","project_id":"p1","region":"cn-north-4"}`},
		{string(hw.Rules), `{"max_removed":{"count":9,"per":"7d"}}`},
	} {
		if diff := cmp.Diff(tc[1], tc[0]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if got := a.Source("node_groups.core.protect"); got != "a.cue:7:20" {
		t.Errorf("core is protected at %s", got)
	}
	for _, other := range []string{"protect: true", "protect: false"} {
		again, _ := Load(Options{Dir: spec(t, map[string]string{"a.cue": "package fleet\n" + `providers: hw: {plugin: "huawei", region: "cn-north-4", project_id: "p1"}
clusters: a: {provider: "hw", kind: "mrs", id: "i", ` + other + "}\n"})})
		if again.Digest == fleet.Digest {
			t.Error("the digest does not tell rules apart")
		}
		fleet = again
	}
}

// A plugin's schema cannot take the names that are clusterctl's.
func TestManagedNamesAreReserved(t *testing.T) {
	src := Builtin()[1]
	src.Files = map[string][]byte{"x.cue": []byte("package huawei\n#MRS: {provider!: string, kind!: \"mrs\"}\n#Provider: {plugin!: string}\n#ManagedGroup: {}\n")}
	if err := Check(src); err == nil || !strings.Contains(err.Error(), "#ManagedGroup") {
		t.Errorf("got %v", err)
	}
}

// What stands in the user's module beside the plugin's files is watched too.
func TestStaleRulesAreTold(t *testing.T) {
	dir := spec(t, map[string]string{"a.cue": accounts + "clusters: {}\n"})
	if _, err := Vendor(dir, Builtin(), "fleet"); err != nil {
		t.Fatal(err)
	}
	if _, problems := Load(Options{Dir: dir}); len(problems) > 0 {
		t.Fatalf("problems:\n%s", text(problems))
	}
	name := filepath.Join(dir, "cue.mod", "pkg", filepath.FromSlash(schemaImport), "huawei", managedFile)
	if err := os.WriteFile(name, []byte("package huawei\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, problems := Load(Options{Dir: dir})
	if got := text(problems); !strings.Contains(got, "the vendored schema of huawei is not the one of this clusterctl") {
		t.Errorf("problems:\n%s", got)
	}
}
