package engine

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// rendered is a difference as lines: "core scale_out count 3 -> 5".
func rendered(d Difference) []string {
	lines := []string{}
	line := func(group, op string, fields []provider.FieldChange) {
		for _, f := range fields {
			lines = append(lines, fmt.Sprintf("%s %s %s %s -> %s", group, op, f.Path, show(f.Before), show(f.After)))
		}
	}
	for _, c := range d.Changes {
		line(c.Group, string(c.Op), c.Fields)
	}
	for _, b := range d.Blocked {
		line(b.Group, "blocked", b.Fields)
	}
	return lines
}

// live shapes a spec-like JSON object as an observed cluster: the inverse of
// observedValues.
func live(t testing.TB, values string) *provider.State {
	t.Helper()
	var v map[string]json.RawMessage
	if err := json.Unmarshal([]byte(values), &v); err != nil {
		t.Fatal(err)
	}
	s := &provider.State{ID: "c1", Name: "a", Status: provider.StatusReady}
	var groups map[string]map[string]json.RawMessage
	if err := json.Unmarshal(append([]byte(nil), v[groupsKey]...), &groups); err != nil && v[groupsKey] != nil {
		t.Fatal(err)
	}
	delete(v, groupsKey)
	s.Attributes, _ = json.Marshal(v)
	for role, g := range groups {
		one := provider.Group{Role: role}
		_ = json.Unmarshal(g["count"], &one.Count)
		delete(g, "count")
		one.Attributes, _ = json.Marshal(g)
		s.Groups = append(s.Groups, one)
	}
	return s
}

func TestDiff(t *testing.T) {
	for _, test := range []struct {
		name       string
		want, live string
		meanings   provider.Meanings
		diff       []string
	}{
		{"equal", `{"zone":"z1","node_groups":{"core":{"count":3}}}`, `{"zone":"z1","node_groups":{"core":{"count":3}}}`, nil, []string{}},
		{"unset is unmanaged", `{"node_groups":{"core":{"count":3}}}`, `{"zone":"z9","node_groups":{"core":{"count":3,"cpu":4},"task":{"count":9}}}`, nil, []string{}},
		{"what names the cluster is not compared", `{"provider":"m","kind":"k","id":"c1","name":"b"}`, `{"kind":"other","name":"a"}`, nil, []string{}},
		{"grow", `{"node_groups":{"core":{"count":5}}}`, `{"node_groups":{"core":{"count":3}}}`, nil, []string{"core scale_out count 3 -> 5"}},
		{"shrink", `{"node_groups":{"core":{"count":1}}}`, `{"node_groups":{"core":{"count":3}}}`, nil, []string{"core scale_in count 3 -> 1"}},
		{"resize and grow", `{"node_groups":{"core":{"count":5,"cpu":4,"memory":8}}}`, `{"node_groups":{"core":{"count":3,"cpu":2,"memory":4}}}`, nil,
			[]string{"core scale_out count 3 -> 5", "core resize cpu 2 -> 4", "core resize memory 4 -> 8"}},
		{"a field of the cluster", `{"tier":"gold"}`, `{"tier":"tin"}`, nil, []string{` resize tier "tin" -> "gold"`}},
		{"a field that cannot be read", `{"tier":"gold"}`, `{}`, nil, []string{` resize tier unset -> "gold"`}},
		{"params are never compared", `{"note":"x","node_groups":{"core":{"count":3,"boot":{"skip":true}}}}`, `{"note":"y","node_groups":{"core":{"count":3}}}`,
			provider.Meanings{"note": provider.Param, "node_groups.core.boot": provider.Param}, []string{}},
		{"secrets are never compared", `{"password":{"env":"CCTL_SECRET_X"}}`, `{"password":"?"}`, provider.Meanings{"password": provider.Secret}, []string{}},
		{"immutable is blocked", `{"zone":"z2","node_groups":{"core":{"count":5}}}`, `{"zone":"z1","node_groups":{"core":{"count":3}}}`,
			provider.Meanings{"zone": provider.Immutable}, []string{"core scale_out count 3 -> 5", ` blocked zone "z1" -> "z2"`}},
		{"immutable in a group", `{"node_groups":{"core":{"disk":{"type":"SSD"}}}}`, `{"node_groups":{"core":{"count":3,"disk":{"type":"SAS"}}}}`,
			provider.Meanings{"node_groups.core.disk": provider.Immutable}, []string{`core blocked disk.type "SAS" -> "SSD"`}},
		{"a set in another order", `{"ids":["b","a","c"]}`, `{"ids":["c","b","a"]}`, provider.Meanings{"ids": provider.Set}, []string{}},
		{"a set of other things", `{"ids":["b","a"]}`, `{"ids":["c","a"]}`, provider.Meanings{"ids": provider.Set}, []string{" resize ids [a c] -> [a b]"}},
		{"a set under a struct that is one", `{"net":{"ids":["b","a"]}}`, `{"net":{"ids":["a","b"]}}`, provider.Meanings{"net": provider.Set}, []string{}},
		{"a list in another order", `{"ids":["b","a"]}`, `{"ids":["a","b"]}`, nil, []string{" resize ids [a b] -> [b a]"}},
		{"a list is one leaf", `{"disks":[{"size":5}]}`, `{"disks":[{"size":5,"type":"SAS"}]}`, nil, []string{" resize disks [map[size:5 type:SAS]] -> [map[size:5]]"}},
		{"a list beside another difference", `{"disks":[{"size":5}],"tier":"gold"}`, `{"disks":[{"size":5}],"tier":"tin"}`, nil, []string{` resize tier "tin" -> "gold"`}},
		{"a list that cannot be read", `{"ids":["a"]}`, `{}`, nil, []string{" resize ids unset -> [a]"}},
		{"a missing subtree, leaf by leaf", `{"net":{"a":1,"b":{"c":"x","d":[1]}}}`, `{}`, nil,
			[]string{" resize net.a unset -> 1", ` resize net.b.c unset -> "x"`, " resize net.b.d unset -> [1]"}},
		{"a missing subtree of params", `{"net":{"a":1,"b":{}}}`, `{}`, provider.Meanings{"net.a": provider.Param}, []string{}},
		{"a missing subtree that is a param", `{"net":{"a":1}}`, `{}`, provider.Meanings{"net": provider.Param}, []string{}},
		{"a struct where a value is", `{"net":{"a":1}}`, `{"net":"x"}`, nil, []string{" resize net.a unset -> 1"}},
		{"a value where a struct is", `{"net":"x"}`, `{"net":{"a":1}}`, nil, []string{` resize net map[a:1] -> "x"`}},
		{"five is five", `{"a":5,"b":5.0,"c":5e0,"d":0.5,"e":50e-2}`, `{"a":5.0,"b":5,"c":5,"d":5e-1,"e":0.5}`, nil, []string{}},
		{"a number is not its text", `{"a":5}`, `{"a":"5"}`, nil, []string{` resize a "5" -> 5`}},
		{"large numbers are not rounded", `{"a":9007199254740993}`, `{"a":9007199254740992}`, nil, []string{" resize a 9007199254740992 -> 9007199254740993"}},
		{"large numbers in two spellings", `{"a":1e16,"b":10000000000000000}`, `{"a":10000000000000000,"b":1e16}`, nil, []string{}},
		{"null is dropped", `{"a":null,"net":{"b":null}}`, `{}`, nil, []string{}},
		{"null is dropped on the live side", `{"a":1}`, `{"a":null}`, nil, []string{" resize a unset -> 1"}},
		{"zero is no null", `{"a":0,"b":false,"c":""}`, `{}`, nil, []string{" resize a unset -> 0", " resize b unset -> false", ` resize c unset -> ""`}},
		{"a group without nodes compares by its count", `{"node_groups":{"task":{"count":2,"cpu":4}}}`, `{"node_groups":{"task":{"count":0,"cpu":2}}}`, nil, []string{"task scale_out count 0 -> 2"}},
		{"a group that is not there", `{"node_groups":{"task":{"count":2,"cpu":4}}}`, `{}`, nil, []string{"task scale_out count 0 -> 2"}},
		{"a group that is not there and shall not be", `{"node_groups":{"task":{"count":0,"cpu":4}}}`, `{}`, nil, []string{}},
		{"a group without a count that is not there", `{"node_groups":{"task":{"cpu":4}}}`, `{}`, nil, []string{}},
		{"a group to be emptied compares by its count", `{"node_groups":{"task":{"count":0,"cpu":4}}}`, `{"node_groups":{"task":{"count":2,"cpu":2}}}`, nil, []string{"task scale_in count 2 -> 0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			wanted := want("a", test.want)
			wanted.Meanings = test.meanings
			d, err := Diff(wanted, live(t, test.live))
			if err != nil {
				t.Fatal(err)
			}
			check(t, "difference", rendered(d), test.diff)
			check(t, "empty", d.Empty(), len(test.diff) == 0)
		})
	}
}

func TestDiffOfAnAbsentCluster(t *testing.T) {
	wanted := want("a", `{"name":"a","kind":"k","zone":"z1","note":"x","password":{"env":"X"},"net":{"b":[1],"a":2},"node_groups":{"core":{"count":2,"cpu":4}}}`)
	wanted.Meanings = provider.Meanings{"note": provider.Param, "password": provider.Secret, "zone": provider.Immutable}
	d, err := Diff(wanted, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "difference", rendered(d), []string{
		" create net.a unset -> 2", " create net.b unset -> [1]", " create node_groups.core.count unset -> 2", " create node_groups.core.cpu unset -> 4", ` create zone unset -> "z1"`,
	})
}

func TestDiffErrors(t *testing.T) {
	for _, test := range []struct{ spec, attributes, words string }{
		{`{`, `{}`, "spec of a: unexpected"},
		{`{} {}`, `{}`, "spec of a"},
		{`[]`, `{}`, "spec of a"},
		{`{"a":1234567890123456} {}`, `{}`, "more than one JSON value"},
		{`{"a":1}`, `nonsense`, "a: attributes: invalid"},
	} {
		_, err := Diff(want("a", test.spec), &provider.State{ID: "c1", Attributes: json.RawMessage(test.attributes)})
		if err == nil || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s against %s: got %v, want one that says %q", test.spec, test.attributes, err, test.words)
		}
	}
	if d, err := Diff(want("a", ``), &provider.State{ID: "c1"}); err != nil || !d.Empty() {
		t.Errorf("nothing against nothing: %v, %v", d, err)
	}
}

// tree makes random values: structs of few names, lists, numbers, texts.
func tree(r *rand.Rand, depth int) any {
	switch n := r.IntN(8); {
	case depth > 0 && n < 4:
		v := map[string]any{}
		for range r.IntN(4) {
			v[string(rune('a'+r.IntN(4)))] = tree(r, depth-1)
		}
		return v
	case n == 4:
		list := []any{}
		for range r.IntN(3) {
			list = append(list, tree(r, 0))
		}
		return list
	case n == 5:
		return []any{"x", "y", ""}[r.IntN(3)]
	case n == 6:
		return []any{nil, true, false}[r.IntN(3)]
	}
	return []any{0, 1, 1.5, 2.0, -3}[r.IntN(5)]
}

func randomSpec(r *rand.Rand) map[string]any {
	v, _ := tree(r, 3).(map[string]any)
	if v == nil {
		v = map[string]any{}
	}
	groups := map[string]any{}
	for _, role := range []string{"core", "task"} {
		if r.IntN(3) == 0 {
			continue
		}
		g, ok := tree(r, 2).(map[string]any)
		if !ok {
			g = map[string]any{}
		}
		if r.IntN(4) > 0 {
			g["count"] = r.IntN(4)
		}
		groups[role] = g
	}
	v[groupsKey] = groups
	return v
}

var randomMeanings = []provider.Meanings{
	nil,
	{"a": provider.Param, "b.a": provider.Immutable, "node_groups.core.a": provider.Set, "node_groups.task.b": provider.Secret},
	{"a": provider.Set, "b": provider.Param, "c.c": provider.Param, "d": provider.Immutable, "node_groups.core": provider.Param},
}

// naive lists the leaves that differ, without go-cmp and without short cuts.
func naive(want, have Values, path string, m provider.Meanings, out *[]string) {
	for _, key := range slices.Sorted(keysOf(want)) {
		at := join(path, key)
		if path == "" && identityFields[key] || m.Of(at)&(provider.Param|provider.Secret) != 0 {
			continue
		}
		w, h := want[key], have[key]
		if members, ok := w.(Values); ok {
			below, _ := h.(Values)
			naive(members, below, at, m, out)
			continue
		}
		if m.Of(at)&provider.Set != 0 {
			if list, ok := w.([]any); ok {
				w = sorted(list)
			}
			if list, ok := h.([]any); ok {
				h = sorted(list)
			}
		}
		if !reflect.DeepEqual(w, h) {
			*out = append(*out, at)
		}
	}
}

func keysOf(v Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range v {
			if !yield(k) {
				return
			}
		}
	}
}

// TestDiffProperties on random values: x against x is empty; what the spec
// does not state plays no part; the result is what a naive walk finds; and the
// order is the same every time.
func TestDiffProperties(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		specified, observed := randomSpec(r), randomSpec(r)
		meanings := randomMeanings[r.IntN(len(randomMeanings))]
		wanted := want("a", string(provider.Raw(specified)))
		wanted.Meanings = meanings
		diff := func(observed any) Difference {
			d, err := Diff(wanted, live(t, string(provider.Raw(observed))))
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			return d
		}
		if d := diff(specified); !d.Empty() {
			t.Fatalf("seed %d: x against x: %v", seed, rendered(d))
		}
		d := diff(observed)
		first := rendered(d)

		// The same again, and with more that nobody asked for.
		observed["unmanaged"] = tree(r, 2)
		observed[groupsKey].(map[string]any)["unmanaged"] = map[string]any{"count": 3}
		for range 5 {
			if again := rendered(diff(observed)); !slices.Equal(again, first) {
				t.Fatalf("seed %d: %v, then %v", seed, first, again)
			}
		}

		var expected, got []string
		w, _ := decode(wanted.Spec)
		h, _ := observedValues(live(t, string(provider.Raw(observed))))
		emptied(w, h, meanings)
		naive(w, h, "", meanings, &expected)
		for _, c := range d.Changes {
			for _, f := range c.Fields {
				got = append(got, groupPath(c.Group, f.Path))
			}
		}
		for _, b := range d.Blocked {
			for _, f := range b.Fields {
				got = append(got, groupPath(b.Group, f.Path))
			}
		}
		slices.Sort(got)
		slices.Sort(expected)
		if !slices.Equal(got, expected) {
			t.Fatalf("seed %d: go-cmp finds %v, a naive walk %v\nwant %s\nlive %s", seed, got, expected, wanted.Spec, provider.Raw(observed))
		}
	}
}

// emptied cuts groups that have or shall have no nodes to their counts, in the
// naive walk's own way.
func emptied(want, have Values, m provider.Meanings) {
	groups, _ := want[groupsKey].(Values)
	live := have[groupsKey].(Values)
	for role, g := range groups {
		group := g.(Values)
		is, _ := live[role].(Values)
		var n any = int64(0)
		if is != nil {
			n = is["count"]
		}
		if group["count"] != int64(0) && n != int64(0) || m.Of(groupsKey+"."+role)&provider.Param != 0 {
			continue
		}
		live[role] = Values{"count": n}
		groups[role] = Values{}
		if c, ok := group["count"]; ok {
			groups[role] = Values{"count": c}
		}
	}
}

// TestDiffOrder: the same difference a hundred times gives the same bytes.
func TestDiffOrder(t *testing.T) {
	wanted := want("a", `{"b":{"z":1,"y":2,"x":[1,2]},"a":1,"c":"x","node_groups":{"task":{"count":4,"cpu":4},"core":{"count":1,"cpu":4,"memory":8},"edge":{"count":3}}}`)
	observed := live(t, `{"a":2,"b":{"x":[2]},"node_groups":{"task":{"count":2,"cpu":2},"core":{"count":3,"cpu":2,"memory":2}}}`)
	var first string
	for range 100 {
		d, err := Diff(wanted, observed)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(b)
		}
		check(t, "difference", string(b), first)
	}
}

func TestNormalise(t *testing.T) {
	for _, test := range []struct{ in, want any }{
		{5, int64(5)}, {5.0, int64(5)}, {json.Number("5"), int64(5)}, {json.Number("5.0"), int64(5)}, {json.Number("5e1"), int64(50)},
		{5.5, 5.5}, {json.Number("5.5"), 5.5}, {json.Number("9223372036854775807"), int64(9223372036854775807)},
		{json.Number("1e300"), 1e300}, {1e18, int64(1e18)}, {"5", "5"}, {true, true}, {nil, nil},
		{map[string]any{"a": nil, "b": 1.0, "c": map[string]any{"d": nil}}, map[string]any{"b": int64(1), "c": map[string]any{}}},
		{[]any{1.0, nil, map[string]any{"a": nil}}, []any{int64(1), nil, map[string]any{}}},
	} {
		check(t, fmt.Sprint(test.in), normalise(test.in), test.want)
	}
}

func FuzzDiff(f *testing.F) {
	f.Add([]byte(`{"a":1,"node_groups":{"core":{"count":3}}}`), []byte(`{"a":2}`), []byte(`{"cpu":1}`), 3)
	f.Add([]byte(`{"a":{"b":[1,{"c":null}]}}`), []byte(`{"a":{"b":[1]}}`), []byte(`null`), 0)
	f.Fuzz(func(t *testing.T, spec, attributes, group []byte, count int) {
		wanted := want("a", string(spec))
		wanted.Meanings = randomMeanings[1]
		s := &provider.State{ID: "c1", Attributes: attributes, Groups: []provider.Group{{Role: "core", Count: count, Attributes: group}}}
		d, err := Diff(wanted, s)
		if err != nil {
			return
		}
		again, err := Diff(wanted, s)
		if err != nil || !reflect.DeepEqual(rendered(d), rendered(again)) {
			t.Fatalf("%v, then %v, %v", rendered(d), rendered(again), err)
		}
		if _, err := Diff(wanted, nil); err != nil {
			t.Fatal(err)
		}
	})
}
