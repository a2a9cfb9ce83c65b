package docs_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/engine/topology"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// published are the JSON forms with their schemas.
var published = map[string]reflect.Type{
	"diff.schema.json":     reflect.TypeFor[review.Review](),
	"drift.schema.json":    reflect.TypeFor[engine.Drift](),
	"history.schema.json":  reflect.TypeFor[render.History](),
	"plan.schema.json":     reflect.TypeFor[engine.Plan](),
	"result.schema.json":   reflect.TypeFor[engine.Result](),
	"topology.schema.json": reflect.TypeFor[topology.Outline](),
}

// TestSchemasCoverTypes: each member of each type stands in the schema, with its
// type, and is required exactly when it is always written; nothing else stands
// there.
func TestSchemasCoverTypes(t *testing.T) {
	for name, typ := range published {
		s := readSchema(t, name)
		seen := map[reflect.Type]bool{}
		for _, fault := range s.covers(typ, s.root, "", seen) {
			t.Errorf("%s: %s", name, fault)
		}
		defs, _ := s.root["$defs"].(map[string]any)
		text := read(t, name)
		for def := range defs {
			if !strings.Contains(text, `"#/$defs/`+def+`"`) {
				t.Errorf("%s: nothing uses %s", name, def)
			}
		}
	}
}

// TestGoldenPlansFitSchema: the plans of the engine's tests are what the schema
// describes.
func TestGoldenPlansFitSchema(t *testing.T) {
	s := readSchema(t, "plan.schema.json")
	names, err := filepath.Glob("../engine/testdata/plans/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no plans: %v", err)
	}
	plans := 0
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if !bytes.Contains(f.Data, []byte(`"format_version"`)) {
				continue
			}
			plans++
			if err := s.checkText(f.Data); err != nil {
				t.Errorf("%s: %s: %v", name, f.Name, err)
			}
		}
	}
	if plans == 0 {
		t.Error("no file is a plan")
	}
}

// full fills every member of a type, so that each is written.
func full(v reflect.Value) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)))
		return
	case reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(`{"count": 1}`))
		return
	}
	// The words that an enum takes.
	for _, word := range []any{provider.OpScaleIn, engine.Applied, journal.Done, provider.StatusBusy, review.Changed, review.EffectAction, provider.KindDenied, provider.OutcomeAccepted, engine.CauseDrift, render.ClosedByRun, render.FaultLine} {
		if reflect.TypeOf(word) == v.Type() {
			v.Set(reflect.ValueOf(word))
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		full(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "FormatVersion" {
				v.Field(i).SetString("1.0")
				continue
			}
			full(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			full(v.Index(i))
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		full(key)
		full(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Interface:
		v.Set(reflect.ValueOf([]any{"a", 1, nil}))
	case reflect.Uint8:
		v.SetUint(3)
	default:
		v.SetInt(4)
	}
}

// TestFullAndEmptyFitSchemas: a value with every member, and the emptiest that
// commands write, are what the schemas describe; a member that they do not name,
// a missing one and a word outside an enum are found.
func TestFullAndEmptyFitSchemas(t *testing.T) {
	empty := map[string]any{
		"drift.schema.json":    &engine.Drift{FormatVersion: engine.DriftVersion, Clusters: []engine.Drifted{}, Owned: []engine.Owned{}, Ambiguous: []engine.Ambiguous{}, Unread: []engine.Unread{}, OpenIntents: []engine.OpenIntent{}, Notes: []string{}},
		"history.schema.json":  &render.History{FormatVersion: render.HistoryVersion, Requests: []render.Request{}, Faults: []render.Fault{}},
		"diff.schema.json":     &review.Review{FormatVersion: review.FormatVersion, Clusters: []review.Change{}, Unknown: []string{}, Causes: []review.Cause{}, Notes: []string{}},
		"plan.schema.json":     &engine.Plan{FormatVersion: engine.FormatVersion, Summary: engine.Summary{Cost: []provider.Price{}}, Actions: []engine.Action{}, Blocked: []engine.Blocked{}, Unread: []engine.Unread{}, OpenIntents: []engine.OpenIntent{}, Denied: []engine.Denied{}, Guards: []engine.Guard{}, Owned: []engine.Owned{}, Warnings: []string{}, Clusters: []engine.Planned{}, Providers: []engine.PlanProvider{}},
		"topology.schema.json": &topology.Outline{FormatVersion: "1.0", Clusters: []topology.OutlineCluster{}},
		"result.schema.json":   &engine.Result{FormatVersion: engine.FormatVersion, Outcomes: []engine.Outcome{}, Settled: []engine.Outcome{}, Blocked: []engine.Blocked{}, Unread: []engine.Unread{}, Guards: []engine.Guard{}},
	}
	for name, typ := range published {
		s := readSchema(t, name)
		whole := reflect.New(typ)
		full(whole.Elem())
		for _, v := range []any{whole.Interface(), empty[name]} {
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.checkText(text); err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
			}
		}
		text, _ := json.Marshal(whole.Interface())
		for old, bad := range map[string]string{
			`{"format_version":"1.0",`: `{"format_version":"1.0","surprise":1,`, `"format_version":"1.0",`: ``,
			`"op":"scale_in"`: `"op":"explode"`, `"reason":"text"`: `"reason":4`, `"format_version":"1.0"`: `"format_version":"2.0"`,
		} {
			if broken := bytes.Replace(text, []byte(old), []byte(bad), 1); !bytes.Equal(broken, text) && s.checkText(broken) == nil {
				t.Errorf("%s: %s in place of %s is not found", name, bad, old)
			}
		}
	}
}

// TestSchemaWords: the words of each enum are those of the code.
func TestSchemaWords(t *testing.T) {
	const history = "../engine/render/history.go"
	const all, event, model, errors, verdicts = "../plugins/provider/plan.go", "../engine/event.go", "../plugins/provider/model.go", "../plugins/provider/errors.go", "../engine/journal/intent.go"
	for _, tc := range []struct {
		schema, def, member string
		file, typ           string
		zero                bool // is written
	}{
		{"diff.schema.json", "change", "kind", "../engine/review/review.go", "Kind", false},
		{"diff.schema.json", "field", "effect", "../engine/review/review.go", "Effect", true},
		{"diff.schema.json", "action", "op", all, "Op", false},
		{"drift.schema.json", "cluster", "cause", "../engine/drift.go", "DriftCause", false},
		{"drift.schema.json", "field", "cause", "../engine/drift.go", "DriftCause", false},
		{"drift.schema.json", "run", "op", all, "Op", true},
		{"drift.schema.json", "run", "verdict", verdicts, "Verdict", false},
		{"drift.schema.json", "open_intent", "op", all, "Op", true},
		{"drift.schema.json", "unread", "kind", errors, "ErrorKind", true},
		{"history.schema.json", "request", "outcome", all, "Outcome", true},
		{"history.schema.json", "request", "verdict", verdicts, "Verdict", false},
		{"history.schema.json", "closing", "by", history, "ClosedBy", false},
		{"history.schema.json", "fault", "kind", history, "FaultKind", false},
		{"plan.schema.json", "action", "op", all, "Op", false},
		{"plan.schema.json", "open_intent", "op", all, "Op", true},
		{"plan.schema.json", "unread", "kind", errors, "ErrorKind", true},
		{"plan.schema.json", "planned", "waits", model, "Status", false},
		{"result.schema.json", "outcome", "op", all, "Op", true},
		{"result.schema.json", "outcome", "state", event, "OutcomeState", false},
		{"result.schema.json", "outcome", "verdict", verdicts, "Verdict", false},
		{"result.schema.json", "unread", "kind", errors, "ErrorKind", true},
	} {
		s := readSchema(t, tc.schema)
		var got, want []string
		for _, word := range s.root["$defs"].(map[string]any)[tc.def].(map[string]any)["properties"].(map[string]any)[tc.member].(map[string]any)["enum"].([]any) {
			got = append(got, word.(string))
		}
		source, err := os.ReadFile(tc.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\s+\w+\s+`+tc.typ+`\s+= "(\w*)"`).FindAllStringSubmatch(string(source), -1) {
			if m[1] != "" || tc.zero {
				want = append(want, m[1])
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s: %s.%s (-code +schema):\n%s", tc.schema, tc.def, tc.member, diff)
		}
	}
}

// TestRulesDocumented: formats.md has each rule of a review, and no other.
func TestRulesDocumented(t *testing.T) {
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\| (?:error|warning|notice) \\|").FindAllStringSubmatch(read(t, "formats.md"), -1) {
		got = append(got, m[1])
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(render.Rules)), got); diff != "" {
		t.Errorf("(-code +document):\n%s", diff)
	}
}
