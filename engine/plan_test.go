package engine_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

var update = flag.Bool("update", false, "rewrite the golden plans")

// fixed is a provider whose account is a list of observations. It grows,
// shrinks by the newest, resizes whole groups, and blocks masters and what is
// not of a group.
type fixed struct{ live []provider.Observation }

func (f *fixed) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: "fixed", Version: "1.2.3", Identity: []string{"region"}, Schema: provider.Schema{Digest: "sha256:schema"},
		Kinds:        []provider.Kind{{Name: "k", Creates: true}, {Name: "old"}},
		Capabilities: []string{provider.CapQuote},
	}, nil
}

func (f *fixed) Configure(context.Context, provider.Config) error { return nil }

func (f *fixed) Observe(_ context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	for _, k := range req.Keys {
		o := provider.Observation{Presence: provider.Absent}
		for _, live := range f.live {
			if live.Address == k.Address || live.Cluster != nil && (k.ID == live.Cluster.ID || k.ID == "" && k.Name == live.Cluster.Name) {
				o = live
			}
		}
		o.Address = k.Address
		if err := yield(o); err != nil {
			return err
		}
	}
	return nil
}

func (f *fixed) Plan(_ context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	var resp provider.PlanResponse
	for _, c := range req.Clusters {
		var p provider.ClusterPlan
		for _, change := range c.Changes {
			if change.Op != provider.OpCreate && (change.Group == "master" || change.Group == "") {
				p.Blocked = append(p.Blocked, provider.Blocked{Group: change.Group, Fields: change.Fields, Reason: "no call changes this"})
				continue
			}
			p.Actions = append(p.Actions, action(c, change))
		}
		slices.SortStableFunc(p.Actions, func(a, b provider.Action) int { return cmp.Compare(a.Op, b.Op) })
		if len(p.Actions) > 1 {
			p.Warnings = append(p.Warnings, "it takes a while")
		}
		resp.Clusters = append(resp.Clusters, p)
	}
	return resp, nil
}

func action(c provider.ClusterChange, change provider.Change) provider.Action {
	a := provider.Action{Group: change.Group, Op: change.Op, From: map[string]int64{}, To: map[string]int64{}, Fields: change.Fields}
	for _, f := range change.Fields {
		if n, ok := f.Before.(int64); ok {
			a.From[f.Path] = n
		}
		if n, ok := f.After.(int64); ok && change.Op != provider.OpCreate {
			a.To[f.Path] = n
		}
	}
	id := ""
	if c.Current != nil {
		id = c.Current.ID
		for _, g := range c.Current.Groups {
			if g.Role == change.Group && change.Op == provider.OpScaleIn {
				for _, n := range slices.Backward(g.Nodes[a.To["count"]:]) {
					a.Removes = append(a.Removes, provider.NodeRef{ID: n.ID, Name: n.Name, Created: n.Created})
				}
				a.Reason = "the newest go"
			}
		}
	}
	if change.Op == provider.OpResize {
		a.Risk = "may interrupt service"
	}
	a.Request = provider.Raw(map[string]any{"call": change.Op, "cluster": id, "group": change.Group, "to": a.To})
	return a
}

func (f *fixed) Start(context.Context, provider.StartRequest) provider.Answer {
	return provider.Answer{Outcome: provider.OutcomeUnsent}
}

func (f *fixed) Poll(_ context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	return make([]provider.OperationStatus, len(ops)), nil
}

func (f *fixed) Quote(_ context.Context, request []byte) (provider.Price, error) {
	switch {
	case bytes.Contains(request, []byte(`"resize"`)):
		return provider.Price{Amount: 312, Currency: "CNY", Per: "month"}, nil
	case bytes.Contains(request, []byte(`"scale_in"`)):
		return provider.Price{}, provider.Errorf(provider.KindDenied, "no right to see prices")
	}
	return provider.Price{}, provider.Errorf(provider.KindUnsupported, "no price")
}

// planCase is one golden case: spec.json and live.json, and where a case needs
// them, intents.json and options.json.
type planCase struct {
	archive *txtar.Archive
	spec    []struct {
		provider.Desired
		Meanings provider.Meanings
	}
	live    []provider.Observation
	intents []journal.Intent
	options struct{ AllowShrink, Quote bool }
}

func readCase(t testing.TB, path string) *planCase {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &planCase{archive: archive}
	for name, into := range map[string]any{"spec.json": &c.spec, "live.json": &c.live, "intents.json": &c.intents, "options.json": &c.options} {
		if text := c.file(name); text != nil {
			dec := json.NewDecoder(bytes.NewReader(text.Data))
			dec.DisallowUnknownFields()
			if err := dec.Decode(into); err != nil {
				t.Fatalf("%s: %s: %v", path, name, err)
			}
		}
	}
	return c
}

func (c *planCase) file(name string) *txtar.File {
	for i := range c.archive.Files {
		if c.archive.Files[i].Name == name {
			return &c.archive.Files[i]
		}
	}
	return nil
}

func (c *planCase) plan(t testing.TB) *engine.Plan {
	t.Helper()
	cloud := &fixed{c.live}
	d, _ := cloud.Describe(t.Context())
	entry := &engine.Entry{Name: "main", Provider: cloud, Description: d, Settings: json.RawMessage(`{"plugin":"fixed","region":"r1"}`), Hash: "sha256:binary"}
	var clusters []*engine.Cluster
	for _, one := range c.spec {
		if one.Name == "" {
			one.Name = one.Address
		}
		source := func(path string) string { return "fleet.cue:" + one.Address + ":" + path }
		clusters = append(clusters, &engine.Cluster{Desired: one.Desired, Entry: "main", Meanings: one.Meanings, Source: source})
	}
	p := &engine.Planner{Entries: map[string]*engine.Entry{"main": entry}, SpecDigest: "sha256:spec", Intents: c.intents, AllowShrink: c.options.AllowShrink, Quote: c.options.Quote,
		Last: func(string) (*journal.Record, error) { return nil, nil }}
	for _, in := range c.intents {
		if in.Cluster == "broken" {
			p.Corrupt = append(p.Corrupt, &journal.CorruptError{Key: in.Identity.Key(), Path: "open/x.json", Err: errors.New("its checksum does not match")})
		}
	}
	plan, err := p.Plan(t.Context(), clusters)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func cases(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/plans/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden plans: %v", err)
	}
	return paths
}

func TestGoldenPlans(t *testing.T) {
	for _, path := range cases(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			c := readCase(t, path)
			plan := c.plan(t)
			var text bytes.Buffer
			if err := render.Plan(&text, plan, render.Look{}); err != nil {
				t.Fatal(err)
			}
			saved, err := plan.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			for name, got := range map[string][]byte{"want.txt": text.Bytes(), "want.json": saved} {
				golden := c.file(name)
				switch {
				case golden != nil && bytes.Equal(golden.Data, got):
				case *update && golden == nil:
					c.archive.Files = append(c.archive.Files, txtar.File{Name: name, Data: got})
				case *update:
					golden.Data = got
				case golden == nil:
					t.Errorf("%s is missing; go test ./engine -run TestGoldenPlans -update writes it", name)
				default:
					t.Errorf("%s (-want +got; -update rewrites it):\n%s", name, gocmp.Diff(string(golden.Data), string(got)))
				}
			}
			if *update {
				slices.SortStableFunc(c.archive.Files, func(a, b txtar.File) int {
					return cmp.Compare(strings.Index("options.json spec.json live.json intents.json want.txt want.json", a.Name), strings.Index("options.json spec.json live.json intents.json want.txt want.json", b.Name))
				})
				if err := os.WriteFile(path, txtar.Format(c.archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}

			for range 20 { // nothing hangs on the order of maps or goroutines
				again, err := c.plan(t).Marshal()
				if err != nil || !bytes.Equal(again, saved) {
					t.Fatalf("planned again: %v\n%s", err, gocmp.Diff(string(saved), string(again)))
				}
			}
			read, err := engine.ReadPlan(saved)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(plan, read); diff != "" {
				t.Errorf("read back (-made +read):\n%s", diff)
			}
		})
	}
}

// TestEveryEditIsNoticed changes every byte of a saved plan, takes it out, and
// doubles it: the plan is refused, or is what it was.
func TestEveryEditIsNoticed(t *testing.T) {
	t.Parallel()
	plan := readCase(t, "testdata/plans/mixed.txtar").plan(t)
	saved, err := plan.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	try := func(at int, how string, edited []byte) {
		read, err := engine.ReadPlan(edited)
		if err != nil {
			if !errors.Is(err, engine.ErrNotAPlan) {
				t.Fatalf("byte %d %s: %v", at, how, err)
			}
			return
		}
		accepted++
		if diff := gocmp.Diff(plan, read); diff != "" {
			t.Fatalf("byte %d %s is taken for a sound plan:\n%s\nin …%s…", at, how, diff, edited[max(0, at-40):min(len(edited), at+40)])
		}
	}
	for at := range saved {
		for _, b := range []byte{saved[at] ^ 1, ' '} {
			if b == saved[at] {
				continue
			}
			edited := bytes.Clone(saved)
			edited[at] = b
			try(at, fmt.Sprintf("made %q", b), edited)
		}
		try(at, "taken out", slices.Delete(bytes.Clone(saved), at, at+1))
		try(at, "doubled", slices.Insert(bytes.Clone(saved), at, saved[at]))
	}
	if accepted < 100 {
		t.Errorf("only %d edits were harmless: white space is", accepted)
	}
}

func TestReadPlanRefuses(t *testing.T) {
	plan := readCase(t, "testdata/plans/mixed.txtar").plan(t)
	saved, err := plan.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		edit  func(string) string
		words string
	}{
		{"nothing", func(string) string { return "" }, "unexpected end"},
		{"a list", func(string) string { return "[]" }, "cannot unmarshal"},
		{"another version", func(s string) string { return strings.Replace(s, `"1.0"`, `"2.0"`, 1) }, `format version "2.0"`},
		{"no version", func(string) string { return "{}" }, `format version ""`},
		{"an unknown field", func(s string) string { return strings.Replace(s, `"actions"`, `"more": 1, "actions"`, 1) }, "unknown field"},
		{"two plans", func(s string) string { return s + s }, "after top-level value"},
		{"a key twice", func(s string) string { return strings.Replace(s, `"actions": [`, `"actions": [], "actions": [`, 1) }, "it was changed after clusterctl wrote it"},
		{"a key in capitals", func(s string) string { return strings.Replace(s, `"actions"`, `"Actions"`, 1) }, "it was changed after clusterctl wrote it"},
		{"keys in another order", func(s string) string {
			return strings.Replace(strings.Replace(s, `"blocked": 1,`, "", 1), `"unread": 0,`, `"unread": 0, "blocked": 1,`, 1)
		}, "it was changed after clusterctl wrote it"},
		{"another count", func(s string) string { return strings.ReplaceAll(s, `"count": 5`, `"count": 50`) }, "it was changed after clusterctl wrote it"},
		{"an action less", func(s string) string {
			var p engine.Plan
			if err := json.Unmarshal([]byte(s), &p); err != nil {
				t.Fatal(err)
			}
			p.Actions = p.Actions[1:]
			b, _ := p.Marshal()
			return string(b)
		}, "it was changed after clusterctl wrote it"},
		{"sealed, and does not hang together", func(s string) string {
			p := *plan
			p.Clusters = nil
			if err := p.Seal(); err != nil {
				t.Fatal(err)
			}
			b, _ := p.Marshal()
			return string(b)
		}, "which is not in it"},
	} {
		_, err := engine.ReadPlan([]byte(test.edit(string(saved))))
		if !errors.Is(err, engine.ErrNotAPlan) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: got %v, want one that says %q", test.name, err, test.words)
		}
	}
}

// TestReadPlanKeepsLargeNumbers: a plan of ours with a number beyond a
// float64's digits reads back.
func TestReadPlanKeepsLargeNumbers(t *testing.T) {
	c := readCase(t, "testdata/plans/mixed.txtar")
	for i := range c.spec {
		c.spec[i].Spec = json.RawMessage(strings.Replace(string(c.spec[i].Spec), `"tier": "gold"`, `"tier": 9007199254740993, "text": "a<b & c\u2028"`, 1))
	}
	plan := c.plan(t)
	saved, err := plan.Marshal()
	if err != nil || !bytes.Contains(saved, []byte(": 9007199254740993")) {
		t.Fatalf("no large number in the plan: %v", err)
	}
	read, err := engine.ReadPlan(saved)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(plan, read); diff != "" {
		t.Errorf("read back (-made +read):\n%s", diff)
	}
}

func FuzzReadPlan(f *testing.F) {
	for _, path := range cases(f) {
		saved, err := readCase(f, path).plan(f).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(saved)
	}
	f.Add([]byte(`{"format_version":"1.0","actions":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := engine.ReadPlan(b)
		if err != nil {
			return
		}
		saved, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := engine.ReadPlan(saved)
		if err != nil {
			t.Fatalf("a plan that was read is refused when it is written again: %v", err)
		}
		if diff := gocmp.Diff(p, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
