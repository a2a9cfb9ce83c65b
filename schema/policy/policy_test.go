package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// fixtures are the policies and plans of the golden failures.
func fixtures(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	names, err := filepath.Glob("testdata/failures/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	all := map[string]*txtar.Archive{}
	for _, name := range names {
		if all[filepath.Base(name)], err = txtar.ParseFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func file(archive *txtar.Archive, name string) []byte {
	for _, f := range archive.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func plans(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, archive := range fixtures(t) {
		all[name] = file(archive, "plan.json")
	}
	return all
}

// sound loads policies that have nothing wrong.
func sound(t testing.TB, text string) *Set {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, Dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, Dir, "limits.cue"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, problems := Load(Options{Dir: dir, Root: dir})
	if len(problems) > 0 || set == nil {
		t.Fatalf("the policies are not sound: %v", problems)
	}
	return set
}

func check(t testing.TB, set *Set, plan []byte) *Report {
	t.Helper()
	report, err := set.Check(plan)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// edited is a plan with its JSON changed.
func edited(t testing.TB, plan []byte, edit func(object)) []byte {
	t.Helper()
	all, err := decoded(plan)
	if err != nil {
		t.Fatal(err)
	}
	edit(all)
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNoActions: a plan without actions breaks no rule that is about actions.
func TestNoActions(t *testing.T) {
	for name, archive := range fixtures(t) {
		set := sound(t, string(file(archive, "policy/limits.cue")))
		empty := edited(t, file(archive, "plan.json"), func(plan object) { plan["actions"] = []any{} })
		report := check(t, set, empty)
		for _, f := range report.Failures {
			if f.Action != "" {
				t.Errorf("%s: %s is broken by action %s of none", name, f.Rule, f.Action)
			}
		}
		for _, r := range set.rules {
			if r.action.Exists() != slices.Contains(report.Dead, r.name) {
				t.Errorf("%s: rule %s: told as matching nothing: %v", name, r.name, !r.action.Exists())
			}
		}
	}
}

// TestIndependent: a rule says the same alone and beside others, and about an
// action whatever order actions stand in.
func TestIndependent(t *testing.T) {
	for name, archive := range fixtures(t) {
		set := sound(t, string(file(archive, "policy/limits.cue")))
		plan := file(archive, "plan.json")
		whole := check(t, set, plan)
		if again := check(t, set, plan); !cmp.Equal(whole, again, cmp.AllowUnexported(Failure{})) {
			t.Errorf("%s: the second time it is %v", name, again)
		}
		var alone []Failure
		for _, r := range set.rules {
			one := *set
			one.rules = []*rule{r}
			alone = append(alone, check(t, &one, plan).Failures...)
		}
		turned := check(t, set, edited(t, plan, func(plan object) { slices.Reverse(plan["actions"].([]any)) }))
		for what, failures := range map[string][]Failure{"alone": alone, "in another order": turned.Failures} {
			if got, want := reasons(failures), reasons(whole.Failures); !slices.Equal(got, want) && what == "alone" || len(got) != len(want) {
				t.Errorf("%s, rules %s: -together +%s\n%s", name, what, what, cmp.Diff(want, got))
			}
		}
	}
}

func reasons(failures []Failure) []string {
	var all []string
	for _, f := range failures {
		all = append(all, f.Address+" "+f.Reason())
	}
	slices.Sort(all)
	return all
}

// TestPlainParts: a part that is held against only what it names says the same
// as when it is held against everything.
func TestPlainParts(t *testing.T) {
	plain := 0
	for name, archive := range fixtures(t) {
		set := sound(t, string(file(archive, "policy/limits.cue")))
		plan := file(archive, "plan.json")
		short := check(t, set, plan)
		for _, r := range set.rules {
			for _, p := range []*part{&r.when, &r.action, &r.plan} {
				if p.Exists() && !p.whole {
					plain++
				}
				p.whole = true
			}
		}
		if diff := cmp.Diff(short, check(t, set, plan), cmp.AllowUnexported(Failure{})); diff != "" {
			t.Errorf("%s: -what it names +everything\n%s", name, diff)
		}
	}
	if plain < 20 {
		t.Errorf("only %d parts are plain", plain)
	}
}

// TestSealing: what a plan is sealed with changes no verdict, so that a policy
// says the same before and after.
func TestSealing(t *testing.T) {
	for name, archive := range fixtures(t) {
		set := sound(t, string(file(archive, "policy/limits.cue")))
		plan := file(archive, "plan.json")
		sealed := edited(t, plan, func(plan object) {
			plan["digest"], plan["nonce"] = "sha256:sum", "x"
			plan["denied"] = []any{object{"address": "a", "guard": "policy", "reason": "r", "source": "s"}}
		})
		if diff := cmp.Diff(reasons(check(t, set, plan).Failures), reasons(check(t, set, sealed).Failures)); diff != "" {
			t.Errorf("%s: -before +after\n%s", name, diff)
		}
	}
}

// TestNoRequest: rules see neither requests nor the names of secrets.
func TestNoRequest(t *testing.T) {
	for name, plan := range plans(t) {
		all, err := decoded(plan)
		if err != nil {
			t.Fatal(err)
		}
		actions, err := actionsOf(all)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range actions {
			if a["request"] != nil || a["secrets"] != nil || a["accept_window"] != nil {
				t.Errorf("%s: %v", name, slices.Sorted(maps.Keys(a)))
			}
		}
		if _, ok := listOf(all, "actions")[0].(object)["request"]; !ok {
			t.Errorf("%s: the plan itself was changed", name)
		}
	}
}

// TestNone: where there are no policies nothing is wrong, unless they were named.
func TestNone(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"empty", "rego/policy", "file"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"rego/policy/deny.rego", "file/policy", "rego/policy/.limits.cue"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("package other\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		root, from, want string
	}{
		{"empty", "", ""},
		{"rego", "", ""},
		{"", "missing", "no directory missing"},
		{"", "empty", "no CUE files in empty"},
		{"", "file/policy", "file/policy is not a directory; policies are the CUE files of one"},
		{"file", "", "file/policy is not a directory; policies are the CUE files of one"},
	} {
		set, problems := Load(Options{Dir: dir, Root: filepath.Join(dir, tc.root), From: tc.from})
		got := ""
		if len(problems) > 0 {
			got = problems[0].Message
		}
		if got != tc.want || set.Len() != 0 || set.Names() != nil {
			t.Errorf("%+v: %q, %v", tc, got, set)
		}
		if report, err := set.Check([]byte("{}")); err != nil || len(report.Failures) > 0 {
			t.Errorf("%+v: %v %v", tc, report, err)
		}
	}
}

// TestLayers: policies that are named unify with those of the directories above,
// up to the module's root, as specs do.
func TestLayers(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cue.mod/module.cue":        "module: \"corp.example/fleet@v0\"\nlanguage: version: \"v0.17.0\"\n",
		"policy/limits.cue":         "package policy\n\nrules: few: plan: summary: removed: <=2\n",
		"policy/prod/limits.cue":    "package policy\n\nrules: fewer: plan: summary: removed: <=1\n",
		"shared/shared.cue":         "package shared\n\nFew: plan: summary: removed: <=3\n",
		"policy/imports/limits.cue": "package policy\n\nimport \"corp.example/fleet/shared\"\n\nrules: imported: shared.Few\n",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for from, want := range map[string][]string{"": {"few"}, "policy/prod": {"few", "fewer"}, "policy/imports": {"few", "imported"}} {
		set, problems := Load(Options{Dir: dir, Root: dir, From: from})
		if !slices.Equal(set.Names(), want) {
			t.Errorf("%s: %v %v", from, set.Names(), problems)
		}
	}
}

// TestTogether: actions that one line makes break a rule once for people, and
// each for programs.
func TestTogether(t *testing.T) {
	set := sound(t, "package policy\n\nrules: small: action: added: <=20\n")
	plan := edited(t, many(30, func(i int) string { return "fleet.cue:8:10" }), func(object) {})
	report := check(t, set, plan)
	problems := report.Problems(t.TempDir())
	if len(report.Failures) != 30 || len(problems) != 1 {
		t.Fatalf("%d failures, %d problems", len(report.Failures), len(problems))
	}
	want := []string{
		"action a1, c1/core, scale_out 5 → 60",
		"the same in c2/core, c3/core, c4/core, c5/core, c6/core, c7/core, c8/core, c9/core and 21 more",
	}
	if diff := cmp.Diff(want, problems[0].Notes[:2]); diff != "" {
		t.Error(diff)
	}
}

// many is a plan with n actions.
func many(n int, source func(i int) string) []byte {
	var actions, clusters []string
	for i := 1; i <= n; i++ {
		actions = append(actions, fmt.Sprintf(`{"id": "a%d", "address": "c%d/core", "op": "scale_out", "provider": "main", "kind": "mrs", "cluster": "c%d", "cluster_id": "c-%d", "group": "core",
			"from": {"count": 5}, "to": {"count": 60}, "fields": [{"path": "count", "before": 5, "after": 60}], "removes": [], "depends_on": [], "source": %q, "request": "e30="}`, i, i, i, i, source(i)))
		clusters = append(clusters, fmt.Sprintf(`{"address": "c%d", "provider": "main", "desired": {"address": "c%d", "kind": "mrs", "name": "c%d", "spec": {"provider": "main", "kind": "mrs", "id": "c-%d",
			"node_groups": {"core": {"count": 60}, "task": {"count": 10, "node_size": "c3.4xlarge.2.linux.bigdata", "data_volume_type": "SAS", "data_volume_count": 2, "data_volume_size": 200}}}}, "meanings": {}, "sources": {}}`, i, i, i, i))
	}
	return fmt.Appendf(nil, `{"format_version": "1.0", "spec_digest": "s", "summary": {"create": 0, "scale_out": %d, "scale_in": 0, "resize": 0, "removed": 0, "blocked": 0, "unread": 0, "unchanged": 0, "clusters": %d, "cost": [], "unpriced": %d},
		"actions": [%s], "blocked": [], "unread": [], "open_intents": [], "guards": [], "owned": [], "warnings": [], "clusters": [%s],
		"providers": [{"name": "main", "plugin": "huawei", "settings": {"plugin": "huawei", "region": "cn-north-4"}}]}`,
		n, n, n, strings.Join(actions, ","), strings.Join(clusters, ","))
}

// TestExcerpt: a line is shown where it is the spec's and holds no secret, and
// nothing else of this machine is.
func TestExcerpt(t *testing.T) {
	dir := t.TempDir()
	lines := "core: count: 60\nadmin_password: \"hunter2\"\npassword: {env: \"HOME\"}\nadmin_password: {env: \"CCTL_SECRET_X\"}, count: 1\n\"api-token\": #\"hunter2\"#\npassword: {file: \"ehpc\"}\n"
	for name, text := range map[string]string{"fleet.cue": lines, "passwd": "root:x:0\n", "sub/other.cue": lines} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("passwd", filepath.Join(dir, "link.cue")); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		"fleet.cue:1:7":           "core: count: 60",
		"sub/../fleet.cue:1:1":    "core: count: 60",
		"sub/other.cue:1:7":       "core: count: 60",
		dir + "/fleet.cue:1:7":    "core: count: 60",
		"fleet.cue:2:1":           "",
		"fleet.cue:3:1":           "",
		"fleet.cue:4:42":          "admin_password: {env: \"CCTL_SECRET_X\"}, count: 1",
		"fleet.cue:5:1":           "",
		"fleet.cue:6:1":           "password: {file: \"ehpc\"}",
		"fleet.cue:1:70":          "",
		"fleet.cue:9:1":           "",
		"fleet.cue:7:1":           "",
		"passwd:1:1":              "",
		"link.cue:1:1":            "",
		"sub:1:1":                 "",
		"missing.cue:1:1":         "",
		"fleet.cue:analytics:":    "",
		"fleet.cue:-1:1":          "",
		"fleet.cue:0:0":           "",
		"":                        "",
		"fleet.cue:99999999999:1": "",
	} {
		f := &Failure{Rule: "r", Detail: "d", Action: "a1", Source: source}
		p := f.problem(dir)
		if p.Text != want {
			t.Errorf("%s shows %q, want %q", source, p.Text, want)
		}
		if want != "" && (p.EndColumn <= p.Column || p.EndColumn-1 > len(p.Text)) {
			t.Errorf("%s: columns %d to %d", source, p.Column, p.EndColumn)
		}
	}
}

// TestVendor: the files for stock tools are written where there are policies,
// once, and change nothing for clusterctl.
func TestVendor(t *testing.T) {
	dir := t.TempDir()
	if changed, err := Vendor(dir); err != nil || len(changed) > 0 {
		t.Fatalf("without policies: %v %v", changed, err)
	}
	if err := os.Mkdir(filepath.Join(dir, Dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, Dir, "limits.cue"), []byte("package policy\n\nrules: few: plan: summary: removed: <=2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed, err := Vendor(dir)
	want := []string{"cue.mod/pkg/github.com/clusterctl/clusterctl/schema/policy/policy.cue", "policy/clusterctl_bind.cue"}
	if diff := cmp.Diff(want, changed); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if changed, err := Vendor(dir); err != nil || len(changed) > 0 {
		t.Errorf("the second time: %v %v", changed, err)
	}
	// Neither the binding nor an old definition has a say.
	for _, name := range want {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("package policy\n\nrules: [string]: plan: summary: removed: 0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, problems := Load(Options{Dir: dir, Root: dir})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	plan := edited(t, many(1, func(int) string { return "" }), func(p object) { member(p, "summary")["removed"] = 2 })
	if report := check(t, set, plan); len(report.Failures) > 0 {
		t.Errorf("%v", report.Failures)
	}
}

// FuzzCheck: whatever a plan's file holds, judging it ends.
func FuzzCheck(f *testing.F) {
	set := sound(f, "package policy\n\nrules: {\n\tsmall: action: added: <=20\n\tfew: plan: summary: removed: <=2\n\tsize: {when: kind: \"mrs\", action: desired: node_groups?: [string]: count?: <=3}\n}\n")
	f.Add(many(2, func(int) string { return "fleet.cue:1:1" }))
	f.Add([]byte(`{"actions": [{"op": "create", "from": 5, "fields": null, "desired": []}], "summary": []}`))
	f.Add([]byte(`{"actions": [3]}`))
	f.Fuzz(func(t *testing.T, plan []byte) {
		report, err := set.Check(plan)
		if err == nil {
			report.Problems(".")
		}
	})
}

// BenchmarkCheck is 1,000 actions and 20 rules that are about every one of them.
func BenchmarkCheck(b *testing.B) {
	var rules strings.Builder
	rules.WriteString("package policy\n\nrules: {\n")
	for i := range 5 {
		fmt.Fprintf(&rules, "\tsmall%d: {when: op: \"scale_out\", action: added: <=%d}\n", i, 60+i)
		fmt.Fprintf(&rules, "\ttypes%d: {when: address: =~\"^c\", action: desired: node_groups?: [string]: node_size?: \"c3.4xlarge.2.linux.bigdata\" | \"c6.4xlarge.4.linux.bigdata\"}\n", i)
		fmt.Fprintf(&rules, "\twords%d: action: {op: string, added: int, if op == \"create\" {error(\"not \\(added)\")}}\n", i)
		fmt.Fprintf(&rules, "\twhole%d: plan: summary: removed: <=%d\n", i, i)
	}
	rules.WriteString("}\n")
	set := sound(b, rules.String())
	plan := many(1000, func(i int) string { return fmt.Sprintf("fleet.cue:%d:3", i) })
	b.ResetTimer()
	for range b.N {
		if report := check(b, set, plan); len(report.Failures) > 0 {
			b.Fatal(report.Failures[0])
		}
	}
}

// BenchmarkLoad is what policies cost a plan that has nothing to do.
func BenchmarkLoad(b *testing.B) {
	for range b.N {
		sound(b, "package policy\n\nrules: few: plan: summary: removed: <=2\n")
	}
}

// FuzzLoad: whatever policies say, reading them ends with problems or with rules
// that can be asked.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/authors/*.txtar", "testdata/failures/*.txtar"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if text := file(archive, "policy/limits.cue"); text != nil {
				f.Add(string(text))
			}
		}
	}
	f.Add("package policy\n\nrules: x: {when: [...], action: [string]: [...{a: 1}], plan: 1 | *{}}\n")
	plan := many(2, func(int) string { return "fleet.cue:1:1" })
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, Dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, Dir, "limits.cue"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		set, problems := Load(Options{Dir: dir, Root: dir})
		if (set == nil) != (len(problems) > 0) {
			t.Fatalf("%v and %v", set, problems)
		}
		if set != nil {
			check(t, set, plan).Problems(dir)
		}
	})
}
