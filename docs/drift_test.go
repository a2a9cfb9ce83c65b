package docs_test

import (
	"encoding/json"
	"iter"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// TestDriftFitsSchema: what the engine makes of clusters and their history, with
// one of everything, is what the schema describes, and the same every time.
func TestDriftFitsSchema(t *testing.T) {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	entry := &engine.Entry{Name: "main", Description: &provider.Description{Name: "fixed", Identity: []string{"region"}}, Settings: json.RawMessage(`{"region":"r1"}`)}
	identity := journal.Identity{Plugin: "fixed", Account: "region=r1", ID: "c1"}
	var clusters []*engine.Cluster
	for _, name := range []string{"a", "gone", "twin", "unread"} {
		clusters = append(clusters, &engine.Cluster{Entry: "main", Source: func(path string) string { return "fleet.cue:" + path },
			Desired:  provider.Desired{Address: name, Kind: "k", Name: name, Spec: json.RawMessage(`{"zone":"z2","list":["y"],"node_groups":{"core":{"cpu":4,"disk":9,"count":3}}}`)},
			Meanings: provider.Meanings{"zone": provider.Immutable},
			Rules:    engine.Rules{Groups: map[string]engine.GroupRules{"core": {Count: &engine.Band{Min: 2, Max: 3}, OwnedBy: map[string]string{"disk": "ops"}}}}})
	}
	nodes := []provider.Node{{ID: "n1"}, {ID: "n2", Name: "node-2", Created: noon}, {ID: "n3"}, {ID: "n4"}}
	seen := map[string]provider.Observation{
		"a": {Presence: provider.Present, Cluster: &provider.State{ID: "c1", Name: "a", Attributes: json.RawMessage(`{"zone":"z1","list":["x"]}`),
			Groups: []provider.Group{{Role: "core", Count: 4, Nodes: nodes, Attributes: json.RawMessage(`{"disk":1}`)}}}},
		"gone":   {Presence: provider.Absent},
		"twin":   {Presence: provider.Ambiguous, IDs: []string{"c7", "c8"}},
		"unread": {Error: provider.Errorf(provider.KindDenied, "no right")},
	}
	record := func(id, name string, op provider.Op, verdict journal.Verdict) journal.Record {
		in := journal.Intent{OpID: "op", PlanDigest: "sha256:plan", Who: "ops@host", Identity: identity, Kind: "k", Cluster: name, Name: name, ClusterID: id, Group: "core", Op: op,
			From: map[string]int64{"count": 1}, To: map[string]int64{"count": 2}, Base: []string{"n0", "n1"}}
		in.Identity.ID = id
		return journal.Record{Intent: in, Verdict: verdict, At: noon, Detail: "seen", By: map[bool]string{true: "eve: seen"}[verdict == journal.None], Added: []journal.Node{{ID: "n9", Name: "node-9"}}}
	}
	var history iter.Seq2[journal.Record, error] = func(yield func(journal.Record, error) bool) {
		for _, r := range []journal.Record{record("c1", "a", provider.OpResize, journal.None), record("c2", "gone", provider.OpScaleIn, journal.Partial), record("c1", "a", provider.OpScaleOut, journal.Done)} {
			if !yield(r, nil) {
				return
			}
		}
		yield(journal.Record{}, &journal.TornError{Path: "history.jsonl", Line: 4})
	}
	open := journal.Intent{Identity: identity, Cluster: "a", Group: "task", Op: provider.OpResize, SignedAt: noon}
	s := readSchema(t, "drift.schema.json")
	first := ""
	for range 20 {
		d := engine.DriftOf(map[string]*engine.Entry{"main": entry}, clusters, seen, engine.Memory{History: history, Intents: []journal.Intent{open}})
		text, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		}
		if string(text) != first {
			t.Fatalf("it differs from time to time:\n%s\n%s", first, text)
		}
		if err := s.checkText(text); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		a := d.Clusters[0]
		if len(d.Clusters) != 2 || len(a.Fields) != 4 || len(a.Nodes) != 1 || len(a.Nodes[0].Came) == 0 || len(a.Nodes[0].Gone) == 0 || len(a.Runs) != 2 || len(d.Owned)*len(d.Ambiguous)*len(d.Unread)*len(d.OpenIntents)*len(d.Notes) != 1 {
			t.Fatalf("not one of everything:\n%s", text)
		}
	}
}
