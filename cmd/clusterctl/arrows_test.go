package main

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/clusterctl/clusterctl/"

// TestArrows keeps who may import whom:
//
//	cmd → schema, engine → plugins/provider ← plugins/<cloud> → schema/<cloud>
func TestArrows(t *testing.T) {
	for _, rule := range []struct {
		pkg   string
		never []string // prefixes, of our own packages or of modules
	}{
		{"plugins/provider", []string{module + "engine", module + "schema", module + "plugins/provider/", "google.golang.org/", "github.com/hashicorp/", "cuelang.org/"}},
		{"engine", []string{module + "schema", module + "cmd", module + "plugins/provider/", module + "engine/pluginhost", module + "engine/render", "cuelang.org/", "github.com/hashicorp/", "google.golang.org/grpc", "net/http/httptest"}},
		{"engine/journal", []string{module + "engine/pluginhost", module + "schema", "cuelang.org/", "google.golang.org/"}},
		{"engine/review", []string{module + "schema", module + "engine/pluginhost", "cuelang.org/", "google.golang.org/"}},
		{"engine/render", []string{module + "schema", module + "engine/pluginhost", "cuelang.org/", "google.golang.org/"}},
		{"engine/pluginhost", []string{module + "schema", module + "engine/journal", "cuelang.org/"}},
		{"schema", []string{module + "engine", module + "cmd", module + "plugins/provider/", "github.com/hashicorp/", "google.golang.org/grpc"}},
		{"schema/policy", []string{module + "engine", module + "cmd", module + "plugins/provider/", "github.com/hashicorp/", "google.golang.org/grpc"}},
		{"plugins/huawei", []string{module + "engine", "cuelang.org/", "github.com/huaweicloud"}},
		{"plugins/qingcloud", []string{module + "engine", "cuelang.org/"}},
		{"plugins/aliyun", []string{module + "engine", "cuelang.org/"}},
		{"plugins/huawei/cluster-provider-huawei", []string{module + "engine", "cuelang.org/"}},
		{"schema/huawei", []string{module + "p", "cuelang.org/"}},
		{"schema/qingcloud", []string{module + "p", "cuelang.org/"}},
		{"schema/aliyun", []string{module + "p", "cuelang.org/"}},
	} {
		out, err := exec.Command("go", "list", "-deps", module+rule.pkg).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", rule.pkg, err, out)
		}
		for _, dep := range strings.Fields(string(out)) {
			for _, prefix := range rule.never {
				if strings.HasPrefix(dep, prefix) && dep != module+rule.pkg {
					t.Errorf("%s must not depend on %s", rule.pkg, dep)
				}
			}
		}
	}
}

// TestOneImporterOfCUE: the loaders of specs and of policies alone know CUE.
func TestOneImporterOfCUE(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(line, " ")
		if strings.Contains(imports, "cuelang.org/") && pkg != module+"schema" && pkg != module+"schema/policy" {
			t.Errorf("%s imports CUE", pkg)
		}
	}
}
