package docs_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/aliyun"
	"github.com/clusterctl/clusterctl/plugins/huawei"
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/qingcloud"
)

var update = flag.Bool("update", false, "rewrite what documents derive from code")

func describe(t *testing.T) []*provider.Description {
	t.Helper()
	var all []*provider.Description
	for _, p := range []provider.Provider{huawei.New(), qingcloud.New(), aliyun.New()} {
		d, err := p.Describe(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// TestCapabilityTable makes the table of writing-a-provider.md from Describe.
func TestCapabilityTable(t *testing.T) {
	const name, begin, end = "writing-a-provider.md", "<!-- capabilities:begin -->\n", "<!-- capabilities:end -->"
	table := "| plugin | kind | creates | takes a request for | reads may lag by | capabilities | rate |\n|---|---|---|---|---|---|---|\n"
	for _, d := range describe(t) {
		for _, k := range d.Kinds {
			creates := "no"
			if k.Creates {
				creates = "yes"
			}
			table += fmt.Sprintf("| `%s` | `%s` | %s | %v | %v | %s | %d in %v, %d at a time |\n", d.Name, k.Name, creates,
				k.AcceptWindow, k.ReadLag, strings.Join(slices.Sorted(slices.Values(d.Capabilities)), ", "),
				d.Rate.Requests, d.Rate.Per, d.Rate.Concurrency)
		}
	}
	content := read(t, name)
	before, rest, begins := strings.Cut(content, begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no lines %q and %q", name, strings.TrimSpace(begin), end)
	}
	want := before + begin + table + end + after
	if want == content {
		return
	}
	if !*update {
		t.Fatalf("%s does not say what the plugins describe: run go test ./docs -update", name)
	}
	if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCredentialTable: the README names every variable that a plugin wants,
// in the plugin's row.
func TestCredentialTable(t *testing.T) {
	readme := read(t, "../README.md")
	for _, d := range describe(t) {
		row := ""
		for line := range strings.Lines(readme) {
			if strings.HasPrefix(line, "| `"+d.Name+"` | `") {
				row = line
			}
		}
		for _, c := range d.Credentials {
			if !strings.Contains(row, "`"+c.Env+"`") {
				t.Errorf("the README's row of %s lacks %s: %q", d.Name, c.Env, row)
			}
			if optional := strings.Contains(row, "optional `"+c.Env+"`"); optional != c.Optional {
				t.Errorf("the README says optional %v of %s", optional, c.Env)
			}
		}
	}
}
