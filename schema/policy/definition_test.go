package policy

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/schema"
)

func definitions(t *testing.T) (*cue.Context, cue.Value) {
	t.Helper()
	ctx := cuecontext.New()
	v := ctx.CompileBytes(definition, cue.Filename(definitionFile))
	if err := v.Err(); err != nil {
		t.Fatal(err)
	}
	return ctx, v
}

// TestDefinitionKeepsUp: policies know what the published form of a plan has,
// with what is added for them and without what is the engine's own. A member
// that is new in docs/plan.schema.json belongs into policy.cue, or into the list
// of what policies do not see.
func TestDefinitionKeepsUp(t *testing.T) {
	text, err := os.ReadFile("../../docs/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type form struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var published struct {
		form
		Defs map[string]form `json:"$defs"`
	}
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	published.Defs["plan"] = published.form
	_, def := definitions(t)
	for _, tc := range []struct {
		path, def   string
		not, beside []string
	}{
		{"#Action", "action", []string{"request", "secrets", "accept_window"}, []string{"added", "removed", "plugin", "settings", "desired"}},
		{"#Action.fields.[]", "field_change", nil, nil},
		{"#Action.removes.[]", "node_ref", nil, nil},
		{"#Action.cost", "price", nil, nil},
		{"#Plan", "plan", []string{"digest", "nonce", "denied", "clusters", "providers"}, nil},
		{"#Plan.summary", "summary", nil, []string{"added"}},
		{"#Plan.summary.cost.[]", "price", nil, nil},
		{"#Plan.blocked.[]", "blocked", nil, nil},
		{"#Plan.unread.[]", "unread", nil, nil},
		{"#Plan.open_intents.[]", "open_intent", nil, nil},
		{"#Plan.guards.[]", "guard", nil, nil},
		{"#Plan.guards.[].before", "budget", nil, nil},
		{"#Plan.owned.[]", "owned", nil, nil},
		{"#Plan.owned.[].field", "field_change", nil, nil},
	} {
		at := namesOf(def.LookupPath(cue.ParsePath(strings.Split(tc.path, ".")[0])))
		for _, seg := range strings.Split(tc.path, ".")[1:] {
			if seg == "[]" {
				at = at.elem
			} else {
				at = at.of[seg]
			}
		}
		want := slices.DeleteFunc(slices.Sorted(maps.Keys(published.Defs[tc.def].Properties)), func(name string) bool { return slices.Contains(tc.not, name) })
		want = slices.Sorted(slices.Values(append(want, tc.beside...)))
		if diff := cmp.Diff(want, at.known()); diff != "" {
			t.Errorf("%s is not what plans have: -plan.schema.json +policy.cue\n%s", tc.path, diff)
		}
	}
}

// TestDefinitionKnowsClouds: the plugins, kinds and groups that it lists are those that
// clusterctl ships.
func TestDefinitionKnowsClouds(t *testing.T) {
	ctx, def := definitions(t)
	action := def.LookupPath(cue.MakePath(cue.Def("Action")))
	knows := func(field, word string) bool {
		return action.LookupPath(cue.MakePath(cue.Str(field))).Unify(ctx.Encode(word)).Validate() == nil
	}
	words := map[string][]string{}
	for _, src := range schema.Builtin() {
		words["plugin"] = append(words["plugin"], src.Plugin)
		words["kind"] = slices.AppendSeq(words["kind"], maps.Keys(src.Kinds))
	}
	limits, err := schema.Limits(schema.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]bool{"": true}
	for _, l := range limits {
		if path := strings.Split(l.Path, "."); len(path) > 2 && path[0] == "node_groups" {
			roles[path[1]] = true
		}
	}
	words["group"] = slices.Collect(maps.Keys(roles))
	for field, list := range words {
		for _, word := range list {
			if !knows(field, word) {
				t.Errorf("%s %q is not in policy.cue", field, word)
			}
		}
		op, arms := action.LookupPath(cue.MakePath(cue.Str(field))).Expr()
		if n := len(arms) - 1; op != cue.OrOp || n != len(list) { // the last says what is wrong
			t.Errorf("policy.cue lists %d for %s, and there are %v", n, field, list)
		}
		if knows(field, "other") {
			t.Errorf("any %s will do", field)
		}
	}
}

// TestSubjectsFitDefinition: what rules are held against is what the definition
// says, to the last field.
func TestSubjectsFitDefinition(t *testing.T) {
	ctx, def := definitions(t)
	for file, plan := range plans(t) {
		actions, whole, err := subjects(ctx, plan)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range append(actions, whole) {
			name := "Action"
			if i == len(actions) {
				name = "Plan"
			}
			v, err := s.value(part{whole: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := def.LookupPath(cue.MakePath(cue.Def(name))).Unify(v).Validate(cue.Concrete(true)); err != nil {
				t.Errorf("%s: subject %d: %v", file, i, err)
			}
		}
	}
}
