package schema

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// spec writes files below a new directory; names end in .cue or are paths.
func spec(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const module = "module: \"corp.example/fleet@v0\"\nlanguage: version: \"v0.17.0\"\n"

const accounts = `package fleet
providers: {
	hw: {plugin: "huawei", region: "cn-north-4", project_id: "p1"}
	qc: {plugin: "qingcloud", zone: "jn1a", owner: "usr-8rhqe0n7", uid_number: 11017754, gid_number: 11017754}
}
`

func TestLoadFleet(t *testing.T) {
	fleet, problems := Load(Options{Dir: "testdata/good"})
	if len(problems) > 0 {
		t.Fatalf("problems:\n%s", text(problems))
	}
	if fleet.Total != 5 || len(fleet.Clusters) != 5 || len(fleet.Providers) != 3 {
		t.Fatalf("%d clusters of %d, %d providers", len(fleet.Clusters), fleet.Total, len(fleet.Providers))
	}
	byAddress := map[string]*Cluster{}
	var addresses []string
	for _, c := range fleet.Clusters {
		byAddress[c.Address] = c
		addresses = append(addresses, c.Address)
	}
	if diff := cmp.Diff([]string{"analytics", "edge", "login", "secure", "simulation"}, addresses); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	analytics := byAddress["analytics"]
	want := provider.Desired{
		Address: "analytics", Kind: "mrs", ID: "00000000-0000-4000-8000-000000000001", Name: "analytics",
		Spec: []byte(`{"id":"00000000-0000-4000-8000-000000000001","kind":"mrs","node_groups":{"core":{"count":5},"task":{"count":10,"data_volume_count":2,"data_volume_size":200,"data_volume_type":"SAS","node_size":"c3.4xlarge.2.linux.bigdata"}},"provider":"huawei"}`),
	}
	if diff := cmp.Diff(want, analytics.Desired); diff != "" {
		t.Errorf("analytics (-want +got):\n%s", diff)
	}
	for path, where := range map[string]string{
		"":                                  "fleet.cue:10:2",
		"node_groups.core.count":            "fleet.cue:14:10",
		"node_groups.task.data_volume_size": "fleet.cue:15:110",
		"node_groups.core.scale_in":         "fleet.cue:14:4",
		"nothing.at.all":                    "fleet.cue:10:2",
	} {
		if got := analytics.Source(path); got != where {
			t.Errorf("Source(%q) = %s, want %s", path, got, where)
		}
	}
	// Found by name, so the name is part of what is wanted.
	if login := byAddress["login"]; login.Name != "login" || !strings.Contains(string(login.Spec), `"name":"login"`) {
		t.Errorf("login: name %q in %s", login.Name, login.Spec)
	}
	if diff := cmp.Diff(map[string]SecretRef{"admin_password": {Env: "CCTL_SECRET_EHPC"}}, secretsOf(t, byAddress["login"])); diff != "" {
		t.Errorf("secrets of login (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]SecretRef{"node_groups.worker.login_password": {File: "ack/edge"}}, secretsOf(t, byAddress["edge"])); diff != "" {
		t.Errorf("secrets of edge (-want +got):\n%s", diff)
	}
	m := byAddress["edge"].Meanings
	if m.Of("node_groups.worker.count") != 0 || m.Of("node_groups.worker.login_password.env")&provider.Secret == 0 || m.Of("node_groups.worker.worker_period")&provider.Param == 0 {
		t.Errorf("meanings of edge: %v", m)
	}
	entry := fleet.Providers["huawei"]
	if entry.Plugin != "huawei" || entry.Source != "fleet.cue:4:2" || entry.Endpoint != "" || !strings.HasPrefix(entry.SchemaDigest, "sha256:") {
		t.Errorf("entry %+v", entry)
	}
	again, _ := Load(Options{Dir: "testdata/good"})
	if again.Digest != fleet.Digest || !strings.HasPrefix(fleet.Digest, "sha256:") {
		t.Errorf("digests %s and %s", fleet.Digest, again.Digest)
	}
}

// The digest is of what is meant: layout and comments do not count, values do.
func TestDigest(t *testing.T) {
	load := func(clusters string) string {
		t.Helper()
		fleet, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": accounts, "b.cue": "package fleet\n" + clusters})})
		if len(problems) > 0 {
			t.Fatal(text(problems))
		}
		return fleet.Digest
	}
	one := load(`clusters: a: {provider: "hw", kind: "mrs", node_groups: core: count: 3}`)
	same := load("// moved\nclusters: a: {\n\tkind: \"mrs\"\n\tnode_groups: core: count: 1 + 2\n\tprovider: \"hw\"\n}")
	other := load(`clusters: a: {provider: "hw", kind: "mrs", node_groups: core: count: 4}`)
	if one != same || one == other {
		t.Errorf("digests: %s, same %s, other %s", one, same, other)
	}
}

// Everything that is wrong with a large bad spec is told at once.
func TestBadSpec(t *testing.T) {
	fleet, problems := Load(Options{Dir: "testdata/bad", Pattern: "./envs/prod"})
	if fleet == nil || len(fleet.Clusters) == 0 {
		t.Error("the sound clusters are missing")
	}
	compareGolden(t, "testdata/bad.golden", text(problems))
	if strings.Contains(text(problems), "unter2") || strings.Contains(text(problems), "HOME_SWEET") {
		t.Error("a secret is printed")
	}
	for _, p := range problems {
		for _, s := range append(p.Notes, p.Text, p.Message, p.Hint) {
			if strings.Contains(s, "unter2") {
				t.Errorf("a secret is in %+v", p)
			}
		}
	}
}

func TestPatterns(t *testing.T) {
	const one = `clusters: a: {provider: "hw", kind: "mrs"}`
	overlay := spec(t, map[string]string{
		"cue.mod/module.cue": module,
		"fleet.cue":          accounts + "_env: string\nclusters: [N=string]: {provider: *\"hw\" | string, kind: *\"mrs\" | string, name: \"\\(N)-\\(_env)\"}\n",
		"envs/prod/a.cue":    "package fleet\n_env: \"prod\"\nclusters: a: node_groups: core: count: 4\n",
		"envs/dev/a.cue":     "package fleet\n_env: \"dev\"\nclusters: a: {}\n",
		"only/x/a.cue":       "package other\nimport \"corp.example/fleet/lib\"\nproviders: lib.accounts\nclusters: lib.clusters\n",
		"lib/lib.cue":        "package lib\naccounts: hw: {plugin: \"huawei\", region: \"cn-north-4\", project_id: \"p1\"}\nclusters: z: {provider: \"hw\", kind: \"mrs\"}\n",
	})
	lone := spec(t, map[string]string{"fleet.cue": accounts + one})
	for name, tc := range map[string]struct {
		dir, pattern string
		want         []string // addresses and names, or the beginning of a message
		source       string
	}{
		"directory below the root": {overlay, "./envs/prod", []string{"a a-prod"}, "envs/prod/a.cue:3:11"},
		"the other one":            {overlay, "envs/dev", []string{"a a-dev"}, "envs/dev/a.cue:3:11"},
		"from inside":              {filepath.Join(overlay, "envs/dev"), ".", []string{"a a-dev"}, "a.cue:3:11"},
		"absolute":                 {lone, filepath.Join(overlay, "envs/prod"), []string{"a a-prod"}, ""},
		"a package of the module":  {overlay, "only/x", []string{"z z"}, "lib/lib.cue:3:11"},
		"with package name":        {overlay, "envs/prod:fleet", []string{"a a-prod"}, "envs/prod/a.cue:3:11"},
		"no cue.mod":               {lone, "", []string{"a a"}, "fleet.cue:6:11"},
		"everything, one fleet":    {lone, "./...", []string{"a a"}, "fleet.cue:6:11"},
		"everything below":         {overlay, "./only/...", []string{"z z"}, "lib/lib.cue:3:11"},
		"everything, several":      {overlay, "./...", []string{"packages have clusters: "}, ""},
		"no directory":             {overlay, "./envs/prdo", []string{"no directory envs/prdo"}, ""},
		"a file":                   {lone, "fleet.cue", []string{"fleet.cue is a file; "}, ""},
		"no spec in it":            {overlay, "envs", []string{"no spec in envs"}, ""},
		"an empty directory":       {t.TempDir(), ".", []string{"no spec in ."}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fleet, problems := Load(Options{Dir: tc.dir, Pattern: tc.pattern})
			var got []string
			if fleet != nil {
				for _, c := range fleet.Clusters {
					got = append(got, c.Address+" "+c.Name)
					if source := c.Source(""); tc.source != "" && source != tc.source {
						t.Errorf("source %s, want %s", source, tc.source)
					}
				}
			}
			if len(problems) == 1 && len(got) == 0 {
				if !strings.Contains(problems[0].Message, tc.want[0]) {
					t.Errorf("got %q, want %q", problems[0].Message, tc.want[0])
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || len(problems) > 0 {
				t.Errorf("(-want +got):\n%s%s", diff, text(problems))
			}
		})
	}
}

// Of several layers that speak of one value, the one it comes from is told.
func TestLayeredSource(t *testing.T) {
	dir := spec(t, map[string]string{
		"cue.mod/module.cue": module,
		"fleet.cue": accounts + `
_core: {count: *3 | int}
clusters: [string]: {provider: *"hw" | string, kind: "mrs", node_groups: core: _core}
clusters: b: node_groups: task: count: 1
clusters: a: node_groups: core: count: >=2
`,
		"envs/prod/a.cue": "package fleet\nclusters: a: node_groups: core: count: 4\nclusters: b: {}\n",
	})
	fleet, problems := Load(Options{Dir: dir, Pattern: "./envs/prod"})
	if len(problems) > 0 {
		t.Fatal(text(problems))
	}
	var got []string
	for _, c := range fleet.Clusters {
		for _, path := range []string{"", "node_groups.core.count", "kind", "node_groups.task.count"} {
			got = append(got, c.Address+" "+path+" "+c.Source(path))
		}
	}
	want := []string{
		"a  fleet.cue:10:11", "a node_groups.core.count envs/prod/a.cue:2:33", "a kind fleet.cue:8:48", "a node_groups.task.count fleet.cue:8:61",
		"b  fleet.cue:9:11", "b node_groups.core.count fleet.cue:7:9", "b kind fleet.cue:8:48", "b node_groups.task.count fleet.cue:9:33",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A spec may import the clouds' definitions; it gets those of this binary and
// not what an older one left in cue.mod/pkg.
func TestImportedSchema(t *testing.T) {
	dir := spec(t, map[string]string{
		"cue.mod/module.cue": module,
		"cue.mod/pkg/github.com/clusterctl/clusterctl/schema/huawei/mrs.cue":  "package huawei\n#MRS: {old: 1}\n",
		"cue.mod/pkg/github.com/clusterctl/clusterctl/schema/huawei/gone.cue": "package huawei\n#MRS: {gone!: 1}\n",
		"fleet.cue": accounts + "", "clusters.cue": `package fleet
import "github.com/clusterctl/clusterctl/schema/huawei"
clusters: a: huawei.#MRS & {provider: "hw", kind: "mrs", node_groups: core: count: 4}
`, "clusterctl_bind.cue": "package fleet\nclusters: a: node_groups: core: count: 5\n",
	})
	fleet, problems := Load(Options{Dir: dir})
	if len(fleet.Clusters) != 1 || Failed(problems) {
		t.Fatalf("%d clusters\n%s", len(fleet.Clusters), text(problems))
	}
	if len(problems) != 1 || problems[0].Severity != Warning || !strings.Contains(problems[0].Hint, "clusterctl schema sync") {
		t.Errorf("no warning of the stale copy:\n%s", text(problems))
	}
}

func TestOverrides(t *testing.T) {
	dir := spec(t, map[string]string{"a.cue": accounts + `clusters: a: {provider: "hw", kind: "mrs"}
providers: hw: credentials: access_key_id: env: "CCTL_CRED_OPS"
`})
	for name, tc := range map[string]struct {
		env     map[string]string
		want    Entry
		refused string
	}{
		"none":     {nil, Entry{}, ""},
		"endpoint": {map[string]string{"CCTL_ENDPOINT_HUAWEI": "http://127.0.0.1:9"}, Entry{Endpoint: "http://127.0.0.1:9"}, ""},
		"both": {map[string]string{"CCTL_ENDPOINT_HUAWEI": "http://[::1]:9", "CCTL_ENDPOINT_QINGCLOUD": "http://localhost:8", "CCTL_TIMING": "accept_window=2s,read_lag=200ms"},
			Entry{Endpoint: "http://[::1]:9", Timing: &provider.Timing{AcceptWindow: 2 * time.Second, ReadLag: 200 * time.Millisecond}}, ""},
		"elsewhere":      {map[string]string{"CCTL_ENDPOINT_HUAWEI": "https://evil.example"}, Entry{}, "CCTL_ENDPOINT_HUAWEI: endpoint host evil.example"},
		"timing alone":   {map[string]string{"CCTL_TIMING": "accept_window=2s,read_lag=200ms"}, Entry{}, "timing is accepted only with an endpoint on this machine"},
		"timing unclear": {map[string]string{"CCTL_ENDPOINT_HUAWEI": "http://127.0.0.1:9", "CCTL_TIMING": "fast"}, Entry{}, "CCTL_TIMING: want accept_window"},
	} {
		t.Run(name, func(t *testing.T) {
			fleet, problems := Load(Options{Dir: dir, Getenv: func(name string) string { return tc.env[name] }})
			if tc.refused != "" {
				if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Kind == KindProvider && strings.HasPrefix(p.Message, tc.refused) }) {
					t.Errorf("not refused:\n%s", text(problems))
				}
				if fleet.Providers["hw"] != nil || len(fleet.Clusters) > 0 {
					t.Error("the entry is used all the same")
				}
				return
			}
			if len(problems) > 0 {
				t.Fatal(text(problems))
			}
			tc.want.Name, tc.want.Plugin, tc.want.Credentials = "hw", "huawei", map[string]string{"access_key_id": "CCTL_CRED_OPS"}
			if diff := cmp.Diff(tc.want, *fleet.Providers["hw"], cmpopts.IgnoreFields(Entry{}, "Settings", "Source", "SchemaDigest")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What CUE's own developers switch by variables must not change a spec. CUE
// reads them once in a process, so the tests run in another.
func TestEnvironmentIsIgnored(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, experiment := range []string{"nonsense=maybe", "evalv3=0,toposort=0,keepvalidators=0,formatv2"} {
		cmd := exec.Command(self, "-test.run=^(TestLoadFleet|TestRules|TestBadSpec|TestCheck)$")
		cmd.Env = append(os.Environ(), "CUE_EXPERIMENT="+experiment, "CUE_DEBUG=opendef,sortfields,sharing=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func TestConcurrentLoads(t *testing.T) {
	done := make(chan string)
	for range 4 {
		go func() {
			fleet, _ := Load(Options{Dir: "testdata/good"})
			_, bad := Load(Options{Dir: "testdata/bad", Pattern: "envs/prod"})
			inner := make(chan string)
			for _, c := range fleet.Clusters {
				go func() { inner <- c.Source("node_groups.worker.count") }()
			}
			for range fleet.Clusters {
				<-inner
			}
			done <- fleet.Digest + text(bad)
		}()
	}
	results := map[string]int{}
	for range 4 {
		results[<-done]++
	}
	if len(results) != 1 {
		t.Errorf("%d different results", len(slices.Collect(maps.Keys(results))))
	}
}

// secretsOf finds the references in a cluster, by path.
func secretsOf(t *testing.T, c *Cluster) map[string]SecretRef {
	t.Helper()
	var spec map[string]any
	if err := json.Unmarshal(c.Spec, &spec); err != nil {
		t.Fatal(err)
	}
	refs, faults := secretsIn(spec, c.Meanings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return refs
}
