package schema

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// one is a small schema of a plugin that does not exist.
func one(files map[string]string) Source {
	content := map[string][]byte{}
	for name, text := range files {
		content[name] = []byte(text)
	}
	return FromDescription(&provider.Description{
		Name: "demo", Schema: provider.Schema{Files: content}, Kinds: []provider.Kind{{Name: "box", Definition: "#Box"}}, Domains: []string{"demo.example"},
	})
}

const demoBox = `package demo
import "strings"
#Provider: {plugin!: "demo", endpoint?: string, timing?: {...}, credentials?: [string]: {env!: string}}
#Box: {
	provider!: string
	kind!: "box"
	name?: strings.MaxRunes(8)
	mode: *"a" | "b"
	// How many, 1 to 9.
	// Source: Demo API, box, size.
	size!: (int & >=1 & <=9) | error("size must be 1 to 9, not \(size)")
	if mode == "b" {months!: int @param()}
	key?: _ @secret()
	tags?: [...{k!: string, v?: string}] @set()
	node_groups!: w!: {count!: int, #Flags}
}
#Flags: fast?: bool @immutable()
`

func TestCheck(t *testing.T) {
	closed := strings.Replace(demoBox, "timing?: {...}", "timing?: {accept_window!: string, read_lag!: string}", 1)
	edit := func(old, new string) string {
		if !strings.Contains(closed, old) {
			t.Fatalf("%q is not in the schema", old)
		}
		return strings.Replace(closed, old, new, 1)
	}
	for name, tc := range map[string]struct{ schema, want string }{
		"sound":              {closed, ""},
		"not CUE":            {"package demo\n#Box: {", "expected '}'"},
		"unknown name":       {edit("strings.MaxRunes(8)", "foo"), `reference "foo" not found`},
		"foreign import":     {edit(`import "strings"`, "import (\"strings\"\n\"corp.example/x\")"), "only the standard library may be imported"},
		"embedded file":      {edit(`kind!: "box"`, `kind!: "box"`+"\n_f: _ @embed(file=x.json)"), "would read other files"},
		"no such kind":       {edit("#Box: {", "#Bex: {"), "#Box is not a definition of it"},
		"no entry":           {edit("#Provider:", "#Account:"), "#Provider is not a definition of it"},
		"open on top":        {edit("mode: *", "...\n\tmode: *"), "#Box is open"},
		"open in a group":    {edit("w!: {count!: int,", "w!: {count!: int, ...,"), "#Box.node_groups.w is open"},
		"open in a list":     {edit("v?: string}", "v?: string, ...}"), "#Box.tags.[] is open"},
		"open by a matchN":   {edit("mode: *", "matchN(1, [{size!: _}, {x!: _}])\n\tmode: *"), "#Box is open"},
		"single":             {edit(`kind!: "box"`, `kind!: "box" @single(endpoint)`), ""},
		"single of nothing":  {edit(`kind!: "box"`, `kind!: "box" @single(ownr)`), "#Box.kind: @single(ownr) belongs at kind and names a setting of #Provider"},
		"single elsewhere":   {edit(`mode: *"a" | "b"`, `mode: *"a" | "b" @single(endpoint)`), "#Box.mode: @single(endpoint) belongs at kind"},
		"open entry":         {strings.Replace(closed, `plugin!: "demo",`, `plugin!: "demo", ...,`, 1), "#Provider is open"},
		"open part of entry": {demoBox, "#Provider.timing is open"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := Check(one(map[string]string{"demo.cue": tc.schema})); err != nil {
				got = err.Error()
			}
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	for _, src := range Builtin() {
		if err := Check(src); err != nil {
			t.Error(err)
		}
	}
}

// A plugin of others brings its schema; the loader keeps its own rules even
// where that schema forgets them.
func TestForeignSchema(t *testing.T) {
	demo := one(map[string]string{"demo.cue": strings.Replace(demoBox, "timing?: {...}", "timing?: {accept_window!: string, read_lag!: string}", 1)})
	const head = "package fleet\nproviders: d: plugin: \"demo\"\n"
	const box = "clusters: b: {provider: \"d\", kind: \"box\", size: 3, node_groups: w: count: 2}\n"
	for name, tc := range map[string]struct {
		spec string
		want []string
	}{
		"sound":              {head + box, nil},
		"env of others":      {head + box + "clusters: b: key: env: \"HOME\"\n", []string{"secret key may name only a variable that begins with CCTL_SECRET_"}},
		"no reference":       {head + box + "clusters: b: key: \"open sesame\"\n", []string{"secret key must be a reference to a secret, not the secret itself"}},
		"file above":         {head + box + "clusters: b: key: file: \"../x\"\n", []string{"secret a secret's file is a plain relative path below CCTL_SECRETS_DIR"}},
		"credential":         {head + box + "providers: d: credentials: k: env: \"HOME\"\n", []string{"secret a credential is read from a variable whose name starts with CCTL_CRED_"}},
		"endpoint with user": {head + box + "providers: d: endpoint: \"https://u:p@demo.example\"\n", []string{"provider endpoint must not hold a user or password"}},
		"timing":             {head + box + "providers: d: {endpoint: \"http://127.0.0.1:1\", timing: {accept_window: \"soon\", read_lag: \"1s\"}}\n", []string{`provider timing.accept_window must be a duration such as 2s or 500ms, not "soon"`}},
		"bare bound":         {head + box + "clusters: b: name: \"much too long\"\n", []string{`limit name must be strings.MaxRunes(8), not "much too long"`}},
		"bare enum":          {head + box + "clusters: b: mode: \"c\"\n", []string{`limit mode must be "a" or "b", not "c"`}},
		"bare type":          {head + box + "clusters: b: tags: [{k: 5}]\n", []string{"limit k must be a string, not 5"}},
		"conditional field":  {head + box + "clusters: b: months: 3\n", []string{`unknown-field "months" is not allowed here`}},
		// Whether months may stand there depends on the mode that was meant.
		"condition in doubt": {head + box + "clusters: b: {mode: \"c\", months: 3}\n", []string{`limit mode must be "a" or "b", not "c"`}},
		"typo in a list":     {head + box + "clusters: b: tags: [{k: \"a\", vv: \"b\"}]\n", []string{`unknown-field "vv" is not a field of tags.0`}},
		"long default name":  {head + strings.Replace(box, "b:", "\"much-too-long\":", 1), []string{`limit the key "much-too-long" cannot be the cluster's name`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Load(Options{Dir: spec(t, map[string]string{"a.cue": tc.spec}), Sources: []Source{demo}})
			var got []string
			for _, p := range problems {
				got = append(got, p.Kind+" "+p.Message)
				if conditional := `kind "box" has months only together with other values`; p.Kind == KindUnknownField && p.Path == "months" && p.Hint != conditional {
					t.Errorf("help: %s", p.Hint)
				}
				if p.Line == 0 || strings.Contains(text(problems), "sesame") {
					t.Errorf("no line, or too much said: %+v", p)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLimitsTable(t *testing.T) {
	limits, err := Limits([]Source{one(map[string]string{"demo.cue": demoBox})})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(limits, func(l Limit) bool { return l.Path == "size" })
	if at < 0 {
		t.Fatalf("no size in %+v", limits)
	}
	want := Limit{Plugin: "demo", Kind: "box", Path: "size", Rule: "int & >=1 & <=9", Doc: "How many, 1 to 9.", Source: "Demo API, box, size"}
	if diff := cmp.Diff(want, limits[at]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var paths []string
	for _, l := range limits {
		paths = append(paths, l.Kind+" "+l.Path)
	}
	for _, path := range []string{" endpoint", "box months", "box node_groups.w.fast", "box tags.[].v"} {
		if !slices.Contains(paths, path) {
			t.Errorf("%q is not in %q", path, paths)
		}
	}
	all, err := Limits(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"ack_edge", "ack_sandbox", "ehpc", "hpc", "mrs"} {
		if !slices.ContainsFunc(all, func(l Limit) bool { return l.Kind == kind && l.Source != "" }) {
			t.Errorf("no limits of %s", kind)
		}
	}
}

// Meanings come from branches that do not hold for the bare definition too.
func TestMeaningsOfConditionalFields(t *testing.T) {
	demo := one(map[string]string{"demo.cue": strings.Replace(demoBox, "timing?: {...}", "timing?: {accept_window!: string, read_lag!: string}", 1)})
	fleet, problems := Load(Options{Sources: []Source{demo}, Dir: spec(t, map[string]string{
		"a.cue": "package fleet\nproviders: d: plugin: \"demo\"\nclusters: b: {provider: \"d\", kind: \"box\", size: 3, node_groups: w: count: 2}\n",
	})})
	if len(problems) > 0 {
		t.Fatal(text(problems))
	}
	want := provider.Meanings{"months": provider.Param, "key": provider.Secret, "tags": provider.Set, "node_groups.w.fast": provider.Immutable}
	if diff := cmp.Diff(want, fleet.Clusters[0].Meanings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
