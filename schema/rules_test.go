package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every rule of the loader's own: what a spec says, and the problems as
// "file:line kind message".
func TestRules(t *testing.T) {
	const ok = `clusters: a: {provider: "hw", kind: "mrs"}` + "\n"
	cluster := func(fields string) string { return "clusters: a: {" + fields + "}\n" }
	entry := func(fields string) string {
		return "clusters: {}\nproviders: x: {plugin: \"aliyun\", region: \"cn-beijing\", " + fields + "}\n"
	}
	for name, tc := range map[string]struct {
		spec string
		want []string
	}{
		"nothing wrong":            {ok, nil},
		"no cluster yet":           {"clusters: {}\n", nil},
		"no clusters field":        {"_x: 1\n", []string{"a.cue:0 missing-field the spec has no clusters"}},
		"clusters is a list":       {"clusters: [1]\n", []string{`b.cue:2 limit clusters must be a struct with one field for each, not a list`}},
		"top-level typo":           {ok + "clutsers: {}\n", []string{`b.cue:3 unknown-field "clutsers" is not a top-level field of a spec`}},
		"top-level template":       {ok + "#T: {x: 1}\n_t: 2\n", nil},
		"conflict in a template":   {ok + "_t: 2\n_t: 3\n", []string{"b.cue:3 conflict _t has two values, 2 and 3"}},
		"not CUE":                  {"clusters: a: {\nx: 1 2\n", []string{"b.cue:3 syntax missing ',' in struct literal"}},
		"unknown name":             {cluster(`provider: hw, kind: "mrs"`), []string{`b.cue:2 reference reference "hw" not found`}},
		"unused import":            {"import \"strings\"\n" + ok, []string{`b.cue:2 reference imported and not used: "strings"`}},
		"unknown entry":            {cluster(`provider: "hv", kind: "mrs"`), []string{`b.cue:2 provider no providers entry "hv"`}},
		"unknown kind":             {cluster(`provider: "hw", kind: "msr", typo: 1`), []string{`b.cue:2 provider plugin huawei has no kind "msr"`}},
		"no kind":                  {cluster(`provider: "hw"`), []string{`b.cue:2 missing-field cluster "a" has no kind`}},
		"kind is a number":         {cluster(`provider: "hw", kind: 5`), []string{"b.cue:2 limit kind must be a string, not 5"}},
		"kind is open":             {cluster(`provider: "hw", kind: string`), []string{"b.cue:2 limit kind must be a string, it has no concrete value"}},
		"cluster is a number":      {"clusters: a: 5\n", []string{`b.cue:2 limit cluster "a" must be a struct, not 5`}},
		"meaning in a spec":        {cluster(`provider: "hw", kind: "mrs", node_groups: core: count: 5 @param()`), []string{"b.cue:2 syntax @param belongs to the schemas; a spec may not say what a field means to the engine"}},
		"every meaning":            {"_a: 1 @immutable()\n_b: 1 @secret()\n_c: 1 @set()\n_d: 1 @endpoint()\n_e: 1 @single(owner)\n_f: 1 @missing(\"x\")\n" + ok, []string{"b.cue:2 syntax @immutable belongs", "b.cue:3 syntax @secret belongs", "b.cue:4 syntax @set belongs", "b.cue:5 syntax @endpoint belongs", "b.cue:6 syntax @single belongs", "b.cue:7 syntax @missing belongs"}},
		"meaning of a struct":      {cluster(`provider: "hw", kind: "mrs", @param()`), []string{"b.cue:2 syntax @param belongs"}},
		"embedding":                {"x: _ @embed(file=\"x.json\")\n" + ok, []string{"b.cue:2 syntax a spec may not embed other files"}},
		"other attributes":         {cluster(`provider: "hw", kind: "mrs" @note(of ours)`), nil},
		"typo below a known field": {cluster(`provider: "hw", kind: "mrs", node_groups: core: {count: 3, cuont: 4}`), []string{`b.cue:2 unknown-field "cuont" is not a field of node_groups.core`}},
		"typos and a limit": {cluster(`provider: "hw", kind: "mrs", nmae: "x", node_groups: core: {count: 0, cuont: 4}`),
			[]string{`b.cue:2 unknown-field "nmae" is not a field of kind "mrs"`, "b.cue:2 limit the number of Core nodes is a whole number from 1 to 500, or {min, max} within it (min at most max), not 0", `b.cue:2 unknown-field "cuont" is not a field of node_groups.core`}},
		"a limit of the team's own": {"clusters: [string]: node_groups: core: count: <=5\n" + cluster(`provider: "hw", kind: "mrs", node_groups: core: count: 9`), []string{"b.cue:3 limit count must be <=5, not 9"}},
		"two values":                {cluster(`provider: "hw", kind: "mrs", node_groups: core: count: 4`) + "clusters: a: node_groups: core: count: 5\n", []string{"b.cue:2 conflict count has two values, 4 and 5"}},
		"not concrete":              {cluster(`provider: "hw", kind: "mrs", node_groups: core: count: int`), []string{"b.cue:2 missing-field count has no concrete value"}},
		"missing in a group":        {cluster(`provider: "hw", kind: "mrs", node_groups: core: count: min: 3`), []string{"b.cue:2 missing-field count.max is required"}},
		"a number in quotes":        {cluster(`provider: "hw", kind: "mrs", node_groups: core: count: "4"`), []string{`b.cue:2 limit the number of Core nodes is a whole number from 1 to 500, or {min, max} within it (min at most max), not "4"`}},
		"typo in a budget":          {cluster(`provider: "hw", kind: "mrs", max_removed: {count: 1, pre: "7d"}`), []string{`b.cue:2 unknown-field "pre" is not a field of max_removed`}},
		"a budget's time":           {cluster(`provider: "hw", kind: "mrs", max_removed: {count: 1, per: "1 day"}`), []string{`b.cue:2 limit per must be a time such as 90m, 24h, 7d or 2w, not "1 day"`}},
		"protect is a word":         {cluster(`provider: "hw", kind: "mrs", node_groups: core: {count: 3, protect: "yes"}`), []string{`b.cue:2 limit protect must be true or false, not "yes"`}},
		"typo in a rule":            {cluster(`provider: "hw", kind: "mrs", node_groups: core: {count: 3, protekt: true}`), []string{`b.cue:2 unknown-field "protekt" is not a field of node_groups.core`}},
		"an owner of no field":      {cluster(`provider: "hw", kind: "mrs", node_groups: core: {count: 3, owned_by: coutn: "x"}`), []string{`b.cue:2 unknown-field "coutn" is not a field of node_groups.core.owned_by`}},
		"an owner of a parameter":   {cluster(`provider: "hw", kind: "mrs", node_groups: core: {count: 3, owned_by: scale_in: "x"}`), []string{`b.cue:2 unknown-field "scale_in" is not a field of node_groups.core.owned_by`}},
		"budget of an account":      {entry(`max_removed: {count: -1, per: "7d"}`), []string{`b.cue:3 limit count must be a whole number from 0 to 1000000, not -1`}},
		"key that is no name":       {"clusters: \"分析\": {provider: \"hw\", kind: \"mrs\"}\n", []string{`b.cue:2 limit the key "分析" cannot be the cluster's name`}},
		"key with an id":            {"clusters: \"分析\": {provider: \"hw\", kind: \"mrs\", id: \"i\"}\n", nil},
		"same id":                   {cluster(`provider: "hw", kind: "mrs", id: "i"`) + "clusters: b: {provider: \"hw\", kind: \"mrs\", id: \"i\"}\n", []string{`b.cue:3 conflict clusters a and b of entry hw have the same id "i"`}},
		"same id, written first":    {"clusters: b: {provider: \"hw\", kind: \"mrs\", id: \"i\"}\n" + cluster(`provider: "hw", kind: "mrs", id: "i"`), []string{`b.cue:3 conflict clusters b and a of entry hw have the same id "i"`}},
		"same name as a key":        {cluster(`provider: "hw", kind: "mrs", name: "b"`) + "clusters: b: {provider: \"hw\", kind: \"mrs\"}\n", []string{`b.cue:3 conflict clusters a and b of entry hw have the same name "b"`}},
		"same name with an id":      {cluster(`provider: "hw", kind: "mrs", name: "b", id: "i"`) + "clusters: b: {provider: \"hw\", kind: \"mrs\"}\n", nil},
		"no plugin":                 {"clusters: {}\nproviders: x: {}\n", []string{`b.cue:3 missing-field providers entry "x" has no plugin`}},
		"unknown plugin":            {"clusters: c: {provider: \"x\", kind: \"y\"}\nproviders: x: {plugin: \"qingclod\"}\n", []string{`b.cue:3 provider no plugin "qingclod"`}},
		"entry typo":                {entry(`regoin: "x"`), []string{`b.cue:3 unknown-field "regoin" is not a field of an entry of plugin aliyun`}},
		"own endpoint":              {entry(`endpoint: "https://cs.cn-beijing.aliyuncs.com"`), nil},
		"loopback endpoint":         {entry(`endpoint: "http://127.0.0.1:8080", timing: {accept_window: "2s", read_lag: "500ms"}`), nil},
		"plain endpoint":            {entry(`endpoint: "http://cs.aliyuncs.com"`), []string{"b.cue:3 provider endpoint cs.aliyuncs.com must use https"}},
		"endpoint of another":       {entry(`endpoint: "https://aliyuncs.com.evil.example"`), []string{"b.cue:3 provider endpoint host aliyuncs.com.evil.example is neither"}},
		"endpoint that looks alike": {entry(`endpoint: "https://evilaliyuncs.com"`), []string{"b.cue:3 provider endpoint host evilaliyuncs.com is neither"}},
		"endpoint in the lock":      {entry(`endpoint: "https://gate.corp.example"`), nil},
		"timing of a cloud":         {entry(`timing: {accept_window: "2s", read_lag: "500ms"}`), []string{"b.cue:3 provider timing is accepted only with an endpoint on this machine"}},
		"credential variable":       {entry(`credentials: access_key_id: env: "HOME"`), []string{"b.cue:3 limit a credential is read from a variable"}},
		"secret in the open":        {secretSpec(`"hunter2 hunter2"`), []string{"b.cue:2 secret admin_password must be a reference to a secret, not the secret itself"}},
		"secret from elsewhere":     {secretSpec(`{env: "AWS_SECRET_ACCESS_KEY"}`), []string{"b.cue:2 secret admin_password may name only a variable that begins with CCTL_SECRET_"}},
		"closed template":           {"#T: {provider: \"hw\", kind: \"mrs\", node_groups: core: count: 3}\nclusters: a: #T & {id: \"x\"}\n", []string{`b.cue:3 unknown-field "id" is not allowed here`}},
		"secret file outside":       {secretSpec(`{file: "../x"}`), []string{"b.cue:2 secret admin_password must be"}},
		"secret by both":            {secretSpec(`{file: "x", env: "CCTL_SECRET_X"}`), []string{"b.cue:2 secret "}},
		"secret with a typo":        {secretSpec(`{env: "CCTL_SECRET_X", evn: "x"}`), []string{`b.cue:2 unknown-field "evn" is not a field of admin_password`}},
		"secret":                    {secretSpec(`{file: "a/b"}`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := spec(t, map[string]string{
				"a.cue": accounts, "b.cue": "package fleet\n" + tc.spec, LockFile: `{"version": 1, "endpoints": ["gate.corp.example"], "store": "x"}`,
			})
			_, problems := Load(Options{Dir: dir})
			if len(problems) != len(tc.want) {
				t.Fatalf("%d problems, want %d:\n%s", len(problems), len(tc.want), text(problems))
			}
			for i, p := range problems {
				got := fmt.Sprintf("%s:%d %s %s", p.File, p.Line, p.Kind, p.Message)
				if !strings.HasPrefix(got, tc.want[i]) {
					t.Errorf("got  %s\nwant %s", got, tc.want[i])
				}
				if strings.Contains(text(problems), "hunter2") {
					t.Errorf("a secret is printed:\n%s", text(problems))
				}
			}
		})
	}
}

func secretSpec(password string) string {
	return `clusters: a: {provider: "qc", kind: "hpc", version_id: "v", vxnet: "vxnet-1", nas_id: "n", nas_path: "p", ` +
		`node_groups: login: {count: 1, cpu: 2, memory: 4096, nas_mount_point: "/home"}, admin_password: ` + password + "}\n"
}

// Input that is made to harm is refused, soon and with a message.
func TestHostileSpecs(t *testing.T) {
	const ok = "clusters: a: {provider: \"hw\", kind: \"mrs\"}\n"
	for name, tc := range map[string]struct{ spec, kind, message string }{
		"struct cycle":     {"clusters: a: {b: b: clusters.a}\n", KindReference, "contains itself"},
		"list cycle":       {ok + "_l: [_l]\n", KindReference, "contains itself"},
		"deep nesting":     {ok + "_n: " + strings.Repeat("[", 200_000), KindSyntax, "nest"},
		"endless string":   {"import \"strings\"\n" + ok + "_s: strings.Repeat(\"x\", 3000000000)\n", "", ""},
		"endless number":   {"import \"math\"\n" + ok + "_s: math.Pow(10, 1000000)\n", "", ""},
		"foreign import":   {"import \"corp.example/other\"\n" + ok, KindReference, "import failed: "},
		"extern":           {"@extern(embed)\n\npackage fleet\n" + ok, KindSyntax, "a spec may not embed other files"},
		"tool":             {"import \"tool/exec\"\n" + ok + "_c: exec.Run & {cmd: \"true\"}\n", "", ""},
		"escape sequences": {"clusters: \"a\\u001b[2J\": {provider: \"hw\", kind: \"mrs\"}\n", KindLimit, "cannot be the cluster's name"},
	} {
		t.Run(name, func(t *testing.T) {
			content := tc.spec
			if !strings.Contains(content, "package fleet") {
				content = "package fleet\n" + content
			}
			_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": accounts, "b.cue": content})})
			out := text(problems)
			if strings.ContainsRune(out, '\x1b') {
				t.Errorf("control characters reach the terminal: %q", out)
			}
			if tc.kind == "" {
				if len(out) > 4000 {
					t.Errorf("%d bytes of messages", len(out))
				}
				return
			}
			if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Kind == tc.kind && strings.Contains(p.Message, tc.message) }) {
				t.Errorf("not refused:\n%.2000s", out)
			}
		})
	}
}

func TestLinksAreRefused(t *testing.T) {
	outside := spec(t, map[string]string{"x.cue": "package fleet\n_x: 1\n", "lib/lib.cue": "package lib\nx: 1\n"})
	dir := spec(t, map[string]string{
		"cue.mod/module.cue": module, "a.cue": accounts + `clusters: a: {provider: "hw", kind: "mrs"}`,
		"sub/b.cue": "package sub\nimport \"corp.example/fleet/lib\"\nclusters: {}\n_y: lib.x\n",
	})
	for link, target := range map[string]string{"x.cue": "x.cue", "lib": "lib"} {
		if err := os.Symlink(filepath.Join(outside, target), filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string]string{".": "x.cue is a symbolic link", "./sub": "lib is a symbolic link"} {
		fleet, problems := Load(Options{Dir: dir, Pattern: pattern})
		if fleet != nil || !slices.ContainsFunc(problems, func(p Problem) bool { return strings.HasPrefix(p.Message, want) }) {
			t.Errorf("%s: want %q, got:\n%s", pattern, want, text(problems))
		}
	}
}

// A mistake in a template is one mistake, however many clusters are made of it.
func TestTemplateMistakeIsToldOnce(t *testing.T) {
	_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": accounts, "b.cue": `package fleet
#T: {provider: "hw", kind: "mrs", node_groups: core: count: 0, ...}
for n in ["a", "b", "c"] {clusters: (n): #T}
`})})
	if len(problems) != 1 || problems[0].Line != 2 || problems[0].Cluster != "a" {
		t.Fatalf("want one problem at line 2:\n%s", text(problems))
	}
	if diff := cmp.Diff([]string{"the same in b, c"}, problems[0].Notes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSyntaxOfEveryFile(t *testing.T) {
	_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": "package fleet\nx: ]\n", "b.cue": "package fleet\ny: \"abc\n"})})
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%s:%d:%d %s %s", p.File, p.Line, p.Column, p.Kind, p.Message))
	}
	want := []string{"a.cue:2:4 syntax expected operand, found ']'", "b.cue:2:4 syntax string literal not terminated"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBrokenLock(t *testing.T) {
	for content, want := range map[string]string{
		"{":              "read clusterctl.lock: unexpected end of JSON input",
		`{"version": 2}`: "read clusterctl.lock: version 2 is not known to this clusterctl",
	} {
		_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": accounts + "clusters: {}", LockFile: content})})
		var got []string
		for _, p := range problems {
			got = append(got, p.File+" "+p.Message)
		}
		if diff := cmp.Diff([]string{"clusterctl.lock " + want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", content, diff)
		}
	}
}

// The limit of a problem is the document that states it: none states what the
// team's own constraint, or a fault of the spec's arithmetic, refuses.
func TestLimitIsTheSchemas(t *testing.T) {
	const own = "clusters: [=~\"^a\"]: node_groups: core: count: <=4\n"
	cluster := func(count string) string {
		return `clusters: a: {provider: "hw", kind: "mrs", node_groups: core: count: ` + count + "}\n"
	}
	const source = "MRS API, cluster resize, table 2, instances"
	for name, tc := range map[string]struct{ spec, message, limit string }{
		"the schema's":        {cluster("501"), "the number of Core nodes is a whole number from 1 to 500, or {min, max} within it (min at most max), not 501", source},
		"the schema's, typed": {cluster("1.5"), "the number of Core nodes is a whole number from 1 to 500, or {min, max} within it (min at most max), not 1.5", source},
		"no value":            {cluster("int"), "count has no concrete value", source},
		"the team's":          {own + cluster("5"), "count must be <=4, not 5", ""},
		"the team's, of both": {own + cluster("501"), "count must be <=4, not 501", ""},
		"arithmetic":          {cluster("1/0"), "failed arithmetic: division by zero", ""},
		"two values":          {cluster("4") + "clusters: a: node_groups: core: count: 5\n", "count has two values, 4 and 5", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": accounts, "b.cue": "package fleet\n" + tc.spec})})
			if len(problems) != 1 || problems[0].Message != tc.message || problems[0].Limit != tc.limit {
				t.Errorf("want %q with limit %q:\n%s", tc.message, tc.limit, text(problems))
			}
		})
	}
}

// A definition that is closed without what the schema adds is told once, where
// it stands, however many fields it lacks and clusters it makes.
func TestClosedTemplateIsToldOnce(t *testing.T) {
	const body = `{provider: "qc", kind: "ehpc", id: "ehpc-1", node_groups: login: count: 1}` + "\n"
	const lacks = `"admin_user", "deploy_mode", "software_library" are not allowed here`
	for name, tc := range map[string]struct {
		spec string
		want []string
	}{
		"open":          {"#H: {provider: \"qc\", kind: \"ehpc\", id: \"ehpc-1\", node_groups: login: count: 1, ...}\nclusters: a: #H\n", nil},
		"hidden":        {"_h: " + body + "clusters: a: _h\n", nil},
		"closed":        {"#H: " + body + "clusters: a: #H\n", []string{"b.cue:2:1 a.admin_user " + lacks}},
		"unified":       {"#H: " + body + "clusters: a: #H & {name: string | *\"a\"}\n", []string{`b.cue:3:26 a.name "name" is not allowed here`}},
		"with a struct": {"#H: " + body + "clusters: a: #H & {kind: \"ehpc\"}\n", []string{"b.cue:2:1 a.admin_user " + lacks}},
		"of two":        {"#H: " + body + "#G: " + body + "clusters: a: #H & #G\n", []string{"b.cue:4:11 a.admin_user " + lacks}},
		"a group's":     {"#L: {nfs_need: 1, nfs_dns: \"x\", start_hook_on: 1, nfs_export: \"e\"}\n_h: " + body + "clusters: a: _h & {software_library: #L}\n", []string{`b.cue:2:1 a.software_library.nfs_local "nfs_local", "nfs_network" are not allowed here`}},
		"one field":     {"#L: {nfs_need: 1, nfs_dns: \"x\", start_hook_on: 1, nfs_export: \"e\", nfs_local: \"l\"}\n_h: " + body + "clusters: a: _h & {software_library: #L}\n", []string{`b.cue:2:1 a.software_library.nfs_network "nfs_network" is not allowed here`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": accounts, "b.cue": "package fleet\n" + tc.spec})})
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s:%d:%d %s.%s %s", p.File, p.Line, p.Column, p.Cluster, p.Path, p.Message))
				if p.Kind != KindUnknownField || !strings.HasPrefix(p.Hint, "a definition that the cluster is made of is closed without") {
					t.Errorf("%s, help: %s", p.Kind, p.Hint)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, text(problems))
			}
		})
	}
	_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": accounts, "b.cue": "package fleet\n#H: " + body + "clusters: a: #H\nclusters: b: #H\n"})})
	if len(problems) != 1 || !slices.Equal(problems[0].Notes, []string{"the same in b"}) {
		t.Errorf("two clusters:\n%s", text(problems))
	}
}

// Of some kinds a user may have one cluster only, whichever entry it is in.
func TestSingle(t *testing.T) {
	const more = `providers: {
	zone2: {plugin: "qingcloud", zone: "pek3", owner: "usr-8rhqe0n7", uid_number: 1, gid_number: 1}
	other: {plugin: "qingcloud", zone: "jn1a", owner: "usr-other", uid_number: 1, gid_number: 1}
}
`
	cluster := func(key, entry, kind string) string {
		return fmt.Sprintf("clusters: %s: {provider: %q, kind: %q, id: \"%s-%s\", node_groups: {}}\n", key, entry, kind, kind, key)
	}
	for name, tc := range map[string]struct {
		spec string
		want []string
	}{
		"one":                   {cluster("a", "qc", "hpc"), nil},
		"one of each kind":      {cluster("a", "qc", "hpc") + cluster("b", "qc", "ehpc"), nil},
		"many of the other":     {cluster("a", "qc", "ehpc") + cluster("b", "qc", "ehpc"), nil},
		"of two owners":         {cluster("a", "qc", "hpc") + cluster("b", "other", "hpc"), nil},
		"two of one entry":      {cluster("a", "qc", "hpc") + cluster("b", "qc", "hpc"), []string{"b.cue:7:11 b: a is at b.cue:6:11"}},
		"two zones of one user": {cluster("b", "qc", "hpc") + cluster("a", "zone2", "hpc"), []string{"b.cue:7:11 a: b is at b.cue:6:11"}},
		"a third":               {cluster("a", "qc", "hpc") + cluster("b", "zone2", "hpc") + cluster("c", "qc", "hpc"), []string{"b.cue:7:11 b: a is at b.cue:6:11", "b.cue:8:11 c: a is at b.cue:6:11"}},
		"of one template":       {"#T: {provider: \"qc\", kind: \"hpc\", node_groups: {}, ...}\nclusters: a: #T & {id: \"hpc-a\"}\nclusters: b: #T & {id: \"hpc-b\"}\n", []string{"b.cue:8:11 b: a is at b.cue:7:11"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": accounts, "b.cue": "package fleet\n" + more + tc.spec})})
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s:%d:%d %s: %s", p.File, p.Line, p.Column, p.Cluster, strings.Join(p.Notes, "; ")))
				if p.Kind != KindConflict || !strings.HasPrefix(p.Message, "owner usr-8rhqe0n7 has the hpc cluster ") || p.Limit != "QingCloud EHPC quick start, creating a cluster" {
					t.Errorf("%s %s (%s)", p.Kind, p.Message, p.Limit)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, text(problems))
			}
		})
	}
}
