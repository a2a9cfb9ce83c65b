package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// boxes is a schema that asks for everything that a schema can ask for.
const boxes = `package acme

#Provider: {
	plugin!: "acme"
	account!: string | error("account must be text, not \(account)")
	port?: int
	nested?: deep!: bool
}

#Ref: env!: =~"^CCTL_SECRET_[A-Z]+$"

#Box: {
	provider!: string
	kind!:     "box"
	id?:       =~"^b-" | error("id must begin with b-, not \(id)")
	name?:     string
	zone?:     string @immutable()
	labels?: [...string] @set()
	ratio?: number
	// The key of the boxes.
	token!: #Ref @param() @secret()
	// How they run; slow is cheaper.
	mode!: "fast" | "slow" | error("mode must be fast or slow") @param()
	always!: true @param()
	// The API's ids. There are more.
	ids!: [...=~"^x"] @param()
	hidden?: string @param()
	options!: {
		depth!: int & >=1
		// URL of the place: any.
		deep!: {level!: bool, any!: _}
	} @param()
	node_groups!: {
		main!: #Group
		side?: #Group
	}
}

#Group: {
	count!: (int & >=1 & <=9) | error("count must be 1 to 9, not \(count)")
	size?: string
	disk?: int
	if disk != _|_ {size!: string}
	type?: "a" | "b" | error("type must be a or b, not \(type)")
}

#Odd: {
	provider!: string
	kind!:     "odd"
	id?:       string
	unread!:   string
	node_groups?: {}
}
`

func acme(t *testing.T, text string) *Adoption {
	t.Helper()
	src := source("acme", map[string][]byte{"acme.cue": []byte(boxes)}, map[string]string{"box": "#Box", "odd": "#Odd"}, "#Provider", nil)
	a, problems := OpenAdoption(Options{Dir: spec(t, map[string]string{"fleet.cue": text}), Sources: []Source{src}}, nil)
	if len(problems) > 0 {
		t.Fatalf("problems:\n%v", problems)
	}
	return a
}

const acmeSpec = "package boxes\nproviders: one: {plugin: \"acme\", account: \"a\"}\n"

func TestAdoptJudges(t *testing.T) {
	main := provider.Group{Role: "main", Count: 3}
	group := func(role string, count int, attributes string) provider.Group {
		return provider.Group{Role: role, Count: count, Attributes: []byte(attributes)}
	}
	gaps := []string{"ids", "mode", "options.deep.any", "options.deep.level", "options.depth", "token"}
	for _, test := range []struct {
		name  string
		state provider.State
		want  Adopted
		has   []string // lines of the file
		hasNo []string
	}{
		{
			name: "gaps", state: provider.State{Groups: []provider.Group{main}},
			want: Adopted{Required: gaps},
			has: []string{
				"always: true",
				`token: {env: string} // required: cannot be read back; the key of the boxes`,
				`mode: "fast" | "slow" // required: cannot be read back; how they run`,
				`ids: [string, ...string] // required: cannot be read back; the API's ids`,
				`depth: int // required: cannot be read back`,
				`level: bool // required: cannot be read back`,
				`any: _ // required: cannot be read back`,
				"node_groups: main: count: 3",
			},
		},
		{
			name: "named like a type", state: provider.State{Name: "string", Groups: []provider.Group{main}},
			want: Adopted{Required: gaps}, has: []string{`"string": {`},
		},
		{
			name: "what is read",
			state: provider.State{Groups: []provider.Group{group("main", 3, `{"size": "l", "disk": 7.0, "type": null, "count": 99}`)},
				Attributes: []byte(`{"zone": "z\\(x)", "labels": ["b", "a"], "ratio": 1e21, "hidden": "h", "mode": "fast", "other": 1, "id": "b-2", "name": "n", "node_groups": {}}`)},
			want:  Adopted{Required: gaps},
			has:   []string{`zone: "z\\(x)"`, `labels: ["b", "a"]`, `ratio: 1e+21`, `node_groups: main: {count: 3, size: "l", disk: 7}`, `id: "b-1"`},
			hasNo: []string{"hidden", `mode: "fast"` + "\n", "other", "b-2", "99", "name:", "null"},
		},
		{
			name:  "values outside the schema",
			state: provider.State{Groups: []provider.Group{group("main", 3, `{"type": "c"}`), group("side", 10, `{"size": "l"}`), group("third", 1, "")}, Attributes: []byte(`{"labels": ["a", 1], "ratio": "x"}`)},
			want: Adopted{Required: gaps, LeftOut: []string{
				`node_groups.third: kind "box" has no such group`,
				"labels: labels[1] must be a string, not 1",
				"ratio: ratio must be a number, not \"x\"",
				"node_groups.main.type: type must be a or b, not \"c\"",
				"node_groups.side: count must be 1 to 9, not 10",
			}},
			has: []string{"node_groups: main: count: 3", "// not stated: node_groups.side: count must be 1 to 9, not 10"},
		},
		{
			name:  "what cannot stand alone",
			state: provider.State{Groups: []provider.Group{group("main", 3, `{"disk": 7, "type": "a"}`)}},
			want:  Adopted{Required: gaps, LeftOut: []string{"node_groups.main.disk: it needs size beside it, which was not read"}},
			has:   []string{`node_groups: main: {count: 3, type: "a"}`},
		},
		{name: "required group outside", state: provider.State{Groups: []provider.Group{group("main", 0, "")}}, want: Adopted{Refused: "count must be 1 to 9, not 0"}},
		{name: "required group not read", state: provider.State{}, want: Adopted{Refused: "main is required, and was not read"}},
		{name: "id", state: provider.State{ID: "x", Groups: []provider.Group{main}}, want: Adopted{Refused: `id must begin with b-, not "x"`}},
		{name: "compared, required and not read", state: provider.State{Kind: "odd"}, want: Adopted{Refused: "unread is required, and was not read"}},
		{name: "no schema", state: provider.State{Kind: "crate"}, want: Adopted{Refused: `plugin acme has no schema for clusters of kind "crate"`}},
		{
			name: "garbage", state: provider.State{Attributes: []byte(`[]`), Groups: []provider.Group{main}},
			want: Adopted{Refused: "the plugin's account of it is not readable: json: cannot unmarshal array into Go value of type map[string]interface {}"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := acme(t, acmeSpec)
			state := test.state
			if state.ID == "" {
				state.ID = "b-1"
			}
			if state.Kind == "" {
				state.Kind = "box"
			}
			if state.Name == "" {
				state.Name = "n"
			}
			got := a.Judge([]Live{{Entries: []string{"one"}, State: &state}})
			if diff := cmp.Diff(Adopted{Required: test.want.Required, LeftOut: test.want.LeftOut, Refused: test.want.Refused},
				Adopted{Required: got[0].Required, LeftOut: got[0].LeftOut, Refused: got[0].Refused}, cmp.AllowUnexported(Adopted{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			content, err := a.Content(got)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := formatted(string(content)); err != nil || string(again) != string(content) {
				t.Errorf("not as cue fmt writes it: %v\n%s", err, content)
			}
			plain := collapse(string(content))
			for _, line := range test.has {
				if !strings.Contains(plain, collapse(line)) {
					t.Errorf("no %q in\n%s", line, content)
				}
			}
			for _, text := range append(test.hasNo, "\x00") {
				if strings.Contains(plain, text) {
					t.Errorf("%q stands in\n%s", text, content)
				}
			}
			if test.want.Refused != "" {
				return
			}
			// Every gap, and nothing else, keeps the spec from being sound.
			_, problems := a.Preview(content)
			open := map[string]bool{}
			for _, p := range problems {
				if p.Kind != KindMissingField && p.Path != "token.env" { // of a secret its own sentence is told
					t.Errorf("unexpected: %+v", p)
				}
				for _, path := range got[0].Required {
					if p.Path == path || strings.HasPrefix(p.Path, path+".") {
						open[path] = true
					}
				}
			}
			if len(open) != len(gaps) || len(problems) != len(gaps) {
				t.Errorf("%d problems for %d gaps: %+v", len(problems), len(gaps), problems)
			}
		})
	}
}

// collapse takes out what only aligns.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestAdoptKeys(t *testing.T) {
	live := func(pairs ...string) (list []Live) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, Live{State: &provider.State{Name: pairs[i], ID: pairs[i+1]}})
		}
		return list
	}
	long := strings.Repeat("x", 300)
	for _, test := range []struct {
		name  string
		live  []Live
		taken []string
		want  []string
	}{
		{"as they are", live("a", "1", "b.c_d-e", "2", "数据", "3", "_h", "4"), nil, []string{"a", "b.c_d-e", "数据", "_h"}},
		{"signs that no key has", live("a/b", "1", "*x?", "2", " sp  ace ", "3", "#d", "4", "a\"\\(x)\n", "5"), nil, []string{"a-b", "x", "sp-ace", "d", "a-x"}},
		{"nothing left", live("", "id-1", "///", "id-2", "", ""), nil, []string{"id-1", "id-2", "cluster"}},
		{"twins", live("t", "c0000001", "t", "c0000002"), nil, []string{"t-000001", "t-000002"}},
		{"twins with like ends", live("t", "ab-123456", "t", "cd-123456"), nil, []string{"t-123456", "t-d-123456"}},
		{"twins of one id", live("t", "1", "t", "1", "t", "1"), nil, []string{"t-1", "t-2", "t-3"}},
		{"taken", live("t", "c0000001", "u", "2"), []string{"t", "u-2"}, []string{"t-000001", "u"}},
		{"taken by a clean name", live("t", "000001", "t", "000002", "t-000001", "3"), nil, []string{"t-000001-2", "t-000002", "t-000001"}},
		{"alike to people", live("e\u0301", "000001", "\u00e9", "000002"), []string{"e\u0301-000001"}, []string{"é-000001-2", "é-000002"}},
		{"long", live(long, "1"), nil, []string{long[:60]}},
	} {
		t.Run(test.name, func(t *testing.T) {
			taken := map[string]bool{}
			for _, key := range test.taken {
				taken[key] = true
			}
			got := keys(test.live, taken)
			taken = map[string]bool{}
			for _, key := range test.taken {
				taken[norm.NFC.String(key)] = true
			}
			for _, key := range got {
				if taken[norm.NFC.String(key)] {
					t.Errorf("%q is taken", key)
				}
				taken[norm.NFC.String(key)] = true
			}
			if test.name == "alike to people" || test.name == "taken by a clean name" {
				return // unique is all that counts
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A spec has a cluster by id whichever entry it uses, or by name.
func TestStandings(t *testing.T) {
	a := acme(t, acmeSpec+`
providers: two: {plugin: "acme", account: "b"}
clusters: {
	byid: {provider: "two", kind: "box", id: "b-1"}
	byname: {provider: "one", kind: "box"}
	renamed: {provider: "one", kind: "box", name: "given"}
	odd: {provider: "one", kind: "odd"}
	unsound: {provider: "one", kind: "box", id: "b-9", node_groups: 7}
	stranger: {provider: "none", kind: "box", id: "b-8"}
}
`)
	live := func(id, name, kind string) Live {
		return Live{Entries: []string{"one"}, State: &provider.State{ID: id, Name: name, Kind: kind}}
	}
	var got []string
	for _, s := range a.Standings([]Live{
		live("b-1", "x", "box"), live("b-2", "byname", "box"), live("b-3", "byname", "odd"), live("b-4", "given", "box"), live("b-5", "renamed", "box"),
		live("b-6", "odd", "box"), live("b-9", "y", "box"), live("b-8", "z", "box"), {Entries: []string{"two"}, State: &provider.State{ID: "b-7", Name: "byname", Kind: "box"}},
	}) {
		got = append(got, fmt.Sprint(s.Key, "/", s.Kind))
	}
	want := []string{"byid/box", "byname/box", "/", "renamed/box", "/", "odd/odd", "unsound/box", "/", "/"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A setting is text where the schema takes text, else what it looks like.
func TestAdoptNewEntry(t *testing.T) {
	src := source("acme", map[string][]byte{"acme.cue": []byte(boxes)}, map[string]string{"box": "#Box"}, "#Provider", nil)
	for _, test := range []struct {
		name     string
		settings map[string]string
		want     string
		faults   []string
	}{
		{"typed", map[string]string{"account": "007", "port": "80", "nested.deep": "true"}, "providers: \"1 a\": {\n\tplugin:  \"acme\"\n\taccount: \"007\"\n\tport:    80\n\tnested: deep: true\n}\n", nil},
		{"quoted", map[string]string{"account": "\"\\(x)\n"}, "providers: \"1 a\": {\n\tplugin:  \"acme\"\n\taccount: \"\\\"\\\\(x)\\n\"\n}\n", nil},
		{"missing", nil, "", []string{"account is required"}},
		{"wrong", map[string]string{"account": "a", "port": "many", "nested.deep": "1"}, "", []string{"deep must be true or false, not \"1\"", "port must be a whole number, not \"many\""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, problems := OpenAdoption(Options{Dir: t.TempDir(), Sources: []Source{src}}, &NewEntry{Name: "1 a", Plugin: "acme", Settings: test.settings})
			var faults []string
			for _, p := range problems {
				faults = append(faults, p.Message)
				if p.File != "" {
					t.Errorf("%q is said to stand in %s", p.Message, p.File)
				}
			}
			if diff := cmp.Diff(test.faults, faults); diff != "" {
				t.Fatalf("faults (-want +got):\n%s", diff)
			}
			if a == nil {
				return
			}
			content, err := a.Content(nil)
			if err != nil {
				t.Fatal(err)
			}
			_, text, _ := strings.Cut(string(content), "package fleet\n\n")
			if diff := cmp.Diff(test.want+"\nclusters: {}\n", text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
