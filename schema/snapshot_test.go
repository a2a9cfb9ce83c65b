package schema_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/schema"
)

const snapshotFleet = `package fleet

_count: 5
providers: huawei: {plugin: "huawei", region: "cn-north-4", project_id: "0123456789abcdef0123456789abcdef"}
clusters: analytics: {
	provider: "huawei", kind: "mrs"
	node_groups: core: count: _count
}
`

func TestSnapshot(t *testing.T) {
	top := t.TempDir() // empty: nothing of a snapshot is on the disk
	load := func(pattern string, s *schema.Snapshot) (*schema.Fleet, string) {
		s.Top, s.Name = top, "0123abcd"
		fleet, problems := schema.Load(schema.Options{Dir: filepath.Join(top, "envs"), Pattern: pattern, Snapshot: s})
		var text []string
		for _, p := range problems {
			text = append(text, strings.TrimSpace(p.File+" "+p.Message))
		}
		return fleet, strings.Join(text, "; ")
	}
	files := map[string][]byte{
		"cue.mod/module.cue": []byte("module: \"x.local/y@v0\"\nlanguage: version: \"v0.17.0\"\n"),
		"envs/prod/a.cue":    []byte(snapshotFleet),
		"parent.cue":         []byte("package fleet\n\nclusters: analytics: name: \"above\"\n"),
	}
	fleet, problems := load("prod", &schema.Snapshot{Files: files})
	if problems != "" || len(fleet.Clusters) != 1 || fleet.Clusters[0].Name != "above" {
		t.Fatalf("problems %q, fleet %+v", problems, fleet)
	}
	c := fleet.Clusters[0]
	if got := c.Source("node_groups.core.count"); got != "prod/a.cue:7:21" {
		t.Errorf("the count stands in %s", got)
	}
	// Where the value and its label stand, and those of what it refers to.
	want := []schema.Position{
		{File: "prod/a.cue", Line: 7, Column: 28}, {File: "prod/a.cue", Line: 7, Column: 21},
		{File: "prod/a.cue", Line: 3, Column: 9}, {File: "prod/a.cue", Line: 3, Column: 1},
	}
	if diff := cmp.Diff(want, c.Origins("node_groups.core.count")); diff != "" {
		t.Error(diff)
	}
	if got := c.Origins("node_groups.task.count"); got != nil {
		t.Errorf("what is not there stands in %v", got)
	}
	for name, test := range map[string]struct {
		pattern string
		s       schema.Snapshot
		want    string
	}{
		"no directory": {"dev", schema.Snapshot{Files: files}, "no directory dev"},
		"a file":       {"prod/a.cue", schema.Snapshot{Files: files}, "prod/a.cue is a file; a spec is a directory of CUE files"},
		"a link":       {"prod", schema.Snapshot{Files: files, Links: map[string]bool{"envs/prod/a.cue": true}}, "prod/a.cue prod/a.cue is a symbolic link; a spec may not have any"},
		"a mistake":    {"prod", schema.Snapshot{Files: map[string][]byte{"envs/prod/a.cue": []byte(strings.Replace(snapshotFleet, "5", "501", 1))}}, "prod/a.cue the number of Core nodes is a whole number from 1 to 500, or {min, max} within it (min at most max), not 501"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, problems := load(test.pattern, &test.s); problems != test.want {
				t.Errorf("problems %q, want %q", problems, test.want)
			}
		})
	}
	for pattern, want := range map[string]bool{"prod": false, "./...": false, "dev": true, "..": false, filepath.Join(top, "envs", "prod"): false} {
		s := &schema.Snapshot{Top: top, Name: "0123abcd", Files: files}
		if got := s.Lacks(filepath.Join(top, "envs"), pattern); got != want {
			t.Errorf("Lacks(%s) = %v", pattern, got)
		}
	}
}
