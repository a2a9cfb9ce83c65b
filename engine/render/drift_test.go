package render

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// fullDrift has one of everything.
func fullDrift() *engine.Drift {
	from, to := counts(12, 10)
	done := engine.DriftRun{At: noon, Address: "analytics/task", Op: provider.OpScaleIn, From: from, To: to, Verdict: "done", Who: "ops@host", PlanDigest: "sha256:0123456789abcdef", OpID: "op1"}
	word := done
	word.Address, word.Op, word.By = "analytics/core", provider.OpScaleOut, "eve: 看过了"
	create := engine.DriftRun{At: noon, Address: "simulation", Op: provider.OpCreate, Verdict: "done", PlanDigest: "sha256:ba5e", OpID: "op3"}
	short := engine.DriftRun{At: noon, Address: "login/login", Op: provider.OpResize, From: map[string]int64{"cpu": 1}, To: map[string]int64{"cpu": 2}, Verdict: "partial", Who: "ops@host"}
	lost := engine.DriftRun{At: noon, Address: "login", Verdict: "done", By: "eve: gone"}
	field := func(address, path string, spec, live, applied any, cause engine.DriftCause, last *engine.DriftRun) engine.DriftField {
		return engine.DriftField{Address: address, Path: path, Spec: spec, Live: live, Applied: applied, Cause: cause, Last: last, Source: "fleet.cue:8:3"}
	}
	band := field("analytics/edge", "count", int64(3), int64(9), int64(7), engine.CauseBoth, &done)
	band.Range = &engine.Band{Min: 3, Max: 6}
	zone := field("login", "vxnet", "vxnet-b", "vxnet-a\x1b[1m", nil, engine.CauseUnknown, nil)
	zone.Immutable = true
	d := &engine.Drift{FormatVersion: engine.DriftVersion, SpecDigest: "sha256:5bec", HistoryKnown: true,
		Clusters: []engine.Drifted{
			{Address: "analytics", Provider: "huawei", Kind: "mrs", ClusterID: "c-1", Cause: engine.CauseBoth, Source: "fleet.cue:3:2",
				Fields: []engine.DriftField{
					field("analytics/core", "count", int64(5), int64(3), int64(3), engine.CauseSpec, &word), band,
					field("analytics/task", "count", int64(10), int64(12), int64(10), engine.CauseDrift, &done),
				},
				Nodes: []engine.DriftNodes{{Address: "analytics/task", Since: noon,
					Came: []provider.NodeRef{{ID: "i-1", Created: noon}, {ID: "i-2"}}, Gone: []provider.NodeRef{{ID: "i-3", Name: "node-3"}}}},
				Runs: []engine.DriftRun{done, word}, RunsBefore: 4},
			{Address: "gone", Provider: "qc", Kind: "hpc", Absent: true, Reason: `there is no cluster named "gone"`, Last: &create, Cause: engine.CauseDrift, Source: "fleet.cue:5:2"},
			{Address: "login", Provider: "qc", Kind: "hpc", ClusterID: "hpc-1", Cause: engine.CauseUnknown, Source: "fleet.cue:4:2",
				Fields: []engine.DriftField{
					zone, field("login/alone", "cpu", int64(4), int64(1), nil, engine.CauseUnknown, nil), field("login/apart", "cpu", int64(4), int64(1), nil, engine.CauseUnknown, nil),
					field("login/login", "cpu", int64(4), nil, nil, engine.CauseUnknown, &short), field("login/login", "memory", int64(4096), int64(2048), nil, engine.CauseUnknown, &short),
					field("login/other", "cpu", int64(4), int64(1), nil, engine.CauseUnknown, &lost), field("login/past", "cpu", int64(4), int64(1), nil, engine.CauseUnknown, &create),
					field("login/open", "cpu", int64(4), int64(1), int64(2), engine.CauseUnknown, &done),
				},
				Runs: []engine.DriftRun{short}},
			{Address: "never", Provider: "qc", Kind: "hpc", ClusterID: "hpc-9", Absent: true, Reason: "there is no cluster with id hpc-9", Cause: engine.CauseUnknown, Source: "fleet.cue:6:2"},
		},
		Owned:       []engine.Owned{{Address: "web/worker", Owner: "autoscaler", Field: provider.FieldChange{Path: "count", Before: int64(12), After: int64(10)}, Source: "web.cue:4:2"}},
		Ambiguous:   []engine.Ambiguous{{Address: "twin", Provider: "ali", Kind: "ack_sandbox", IDs: []string{"c-7", "c-8"}, Source: "fleet.cue:9:2"}},
		Unread:      []engine.Unread{{Address: "far", Provider: "ali", Kind: provider.KindUnavailable, Reason: "no route", Source: "fleet.cue:10:2"}},
		OpenIntents: []engine.OpenIntent{{Address: "login/open", Op: provider.OpScaleOut, Since: noon, Reason: "its outcome is not known yet"}},
		Notes:       []string{"history.jsonl:9: the last line was cut and is left out"},
		Summary:     engine.DriftSummary{Clusters: 9, Matching: 3, Differing: 4, Outside: 1, Both: 1, Unknown: 2, Ambiguous: 1, Unread: 1},
	}
	return d
}

func TestDrift(t *testing.T) {
	blind := fullDrift()
	blind.HistoryKnown = false
	blind.Clusters = blind.Clusters[2:]
	for i := range blind.Clusters {
		blind.Clusters[i].Runs = nil
		for j := range blind.Clusters[i].Fields {
			blind.Clusters[i].Fields[j].Last, blind.Clusters[i].Fields[j].Applied = nil, nil
		}
	}
	blind.Unread, blind.Ambiguous, blind.Owned, blind.OpenIntents = nil, nil, nil, nil
	for name, d := range map[string]*engine.Drift{"drift.txt": fullDrift(), "driftblind.txt": blind} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := Drift(&b, d, Look{}); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.String())
		})
	}
}

func TestDriftNarrow(t *testing.T) {
	var b strings.Builder
	if err := Drift(&b, fullDrift(), Look{Width: 60}); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if width(line) > 60 {
			t.Errorf("too wide: %q", line)
		}
	}
}

func TestDriftSummary(t *testing.T) {
	owned := make([]engine.Owned, 2)
	for want, d := range map[string]*engine.Drift{
		"No drift. 1 cluster matches the spec.":                                          {Summary: engine.DriftSummary{Clusters: 1, Matching: 1}},
		"No drift. 43 clusters match the spec.":                                          {Summary: engine.DriftSummary{Clusters: 43, Matching: 43}},
		"No drift. 43 clusters match the spec; 2 fields differ that others keep.":        {Summary: engine.DriftSummary{Clusters: 43, Matching: 43}, Owned: owned},
		"No drift. 43 clusters match the spec; 1 field differs that others keep.":        {Summary: engine.DriftSummary{Clusters: 43, Matching: 43}, Owned: owned[:1]},
		"Drift: 2 clusters differ (1 changed outside, 1 changed in the spec), 41 match.": {Clusters: make([]engine.Drifted, 2), Summary: engine.DriftSummary{Differing: 2, Outside: 1, Spec: 1, Matching: 41}},
		"Drift: 1 cluster differs (1 changed outside and in the spec), 1 matches.":       {Clusters: make([]engine.Drifted, 1), Summary: engine.DriftSummary{Differing: 1, Both: 1, Matching: 1}, Owned: owned},
		"Drift: 3 clusters differ (3 not known why), 1 not compared, 2 not read.":        {Clusters: make([]engine.Drifted, 3), Summary: engine.DriftSummary{Differing: 3, Unknown: 3, Ambiguous: 1, Unread: 2}},
		"Drift: 2 not read, 5 match.":                                                    {Unread: make([]engine.Unread, 2), Summary: engine.DriftSummary{Unread: 2, Matching: 5}},
	} {
		if diff := cmp.Diff(want, DriftSummary(d)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestMarkdownDrift(t *testing.T) {
	text := driftComment(t, fullDrift())
	golden(t, "drift.md", text)
	golden(t, "nodrift.md", driftComment(t, &engine.Drift{Summary: engine.DriftSummary{Clusters: 43, Matching: 43}}))

	// As many as a comment never has room for: all sections are there, cut.
	many := fullDrift()
	for i := range 3000 {
		c := many.Clusters[0]
		c.Address = fmt.Sprintf("cluster-%05d", i)
		many.Clusters = append(many.Clusters, c)
	}
	text = driftComment(t, many)
	for _, want := range []string{"more fields, left out to fit one comment", "more requests, left out to fit one comment", "### Kept by others", "### Not read"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}

// TestMarkdownDriftIsInert: nothing that a cloud or a spec says means anything
// to a forge.
func TestMarkdownDriftIsInert(t *testing.T) {
	d := fullDrift()
	const evil = "@all `x` | <b> [l](http://e) #1 \n## no\u202e"
	for i := range d.Clusters {
		c := &d.Clusters[i]
		c.Address, c.Reason, c.Source = evil, evil, evil
		for j := range c.Fields {
			f := &c.Fields[j]
			f.Address, f.Path, f.Spec, f.Live, f.Source = evil, evil, evil, evil, evil
			if f.Last != nil {
				f.Last.Who, f.Last.By, f.Last.Verdict, f.Last.PlanDigest = evil, evil, evil, evil
			}
		}
		for j := range c.Runs {
			r := &c.Runs[j]
			r.Address, r.Who, r.By, r.Verdict, r.PlanDigest, r.Op = evil, evil, evil, evil, evil, provider.Op(evil)
		}
		for j := range c.Nodes {
			c.Nodes[j].Address = evil
			c.Nodes[j].Came = []provider.NodeRef{{ID: evil, Created: time.Unix(0, 0)}}
		}
	}
	d.Owned[0] = engine.Owned{Address: evil, Owner: evil, Field: provider.FieldChange{Path: evil, Before: evil, After: evil}, Source: evil}
	d.Ambiguous[0].IDs, d.Notes = []string{evil}, []string{evil}
	driftComment(t, d)
	var b strings.Builder
	if err := Drift(&b, d, Look{}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\u202e\x1b") || strings.Contains(b.String(), "\n## no") {
		t.Errorf("not clean:\n%q", b.String())
	}
}

func driftComment(t *testing.T, d *engine.Drift) string {
	t.Helper()
	var b strings.Builder
	if err := MarkdownDrift(&b, d, Comment{Name: "drift .", Command: "clusterctl plan --refresh-only ."}); err != nil {
		t.Fatal(err)
	}
	within(t, b.String(), MarkdownLimit)
	if err := inert(b.String()); err != nil {
		t.Error(err)
	}
	return b.String()
}
