package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/engine/topology"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// written is what a renderer writes.
func written(t *testing.T, write func(*strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// drawnPlan is fullPlan with the clusters that its actions are about.
func drawnPlan() *engine.Plan {
	p := fullPlan()
	for _, c := range []struct{ address, entry, kind, groups string }{
		{"analytics", "huawei", "mrs", `{"master":{"count":2},"核心":{"count":5},"task":{"count":8}}`}, {"batch", "huawei", "mrs", `{"core":{"count":4}}`},
		{"login", "qc", "hpc", `{"login":{"count":1}}`}, {"simulation", "qc", "ehpc", `{"login":{"count":1}}`},
	} {
		p.Clusters = append(p.Clusters, engine.Planned{Address: c.address, Provider: c.entry, Desired: provider.Desired{Kind: c.kind, Spec: []byte(`{"node_groups":` + c.groups + `}`)}})
	}
	p.Clusters[3].Rules.DependsOn = []string{"login"}
	p.Guards = []engine.Guard{{Address: "login", Guard: "protect", Change: engine.GuardLift, Source: "hpc.cue:3:1"}}
	p.Owned = []engine.Owned{{Address: "stream/task", Owner: "autoscaler", Field: provider.FieldChange{Path: "count", Before: int64(9), After: int64(4)}, Source: "fleet.cue:90:4"}}
	return p
}

// mixedResult is what came of drawnPlan: everything but what it hoped for.
func mixedResult() *engine.Result {
	return &engine.Result{PlanDigest: "sha256:1", Duration: 9*time.Minute + 12*time.Second,
		Guards: []engine.Guard{
			{Address: "analytics", Guard: engine.GuardMaxRemoved, Change: engine.GuardSet, After: &engine.Budget{Count: 3, Per: "24h"}, Source: "fleet.cue:4:2"},
			{Address: "batch/core", Group: "core", Guard: engine.GuardProtect, Change: engine.GuardLift, Source: "fleet.cue:30:3"},
		},
		Outcomes: []engine.Outcome{
			{Action: "a1", Address: "analytics/task", Op: provider.OpScaleIn, State: engine.Applied, Verdict: "done", Detail: "8 nodes; 2 gone", Duration: 4 * time.Minute},
			{Action: "a2", Address: "analytics/核心", Op: provider.OpScaleOut, State: engine.FellShort, Verdict: "partial", Detail: "4 nodes; 1 new", New: []string{"n-1"}, Foreign: []string{"n-x"},
				Differs: []provider.FieldChange{{Path: "count", Before: int64(4), After: int64(5)}}},
			{Action: "a3", Address: "batch/core", Op: provider.OpScaleIn, State: engine.Stale, Detail: "the group has 5 nodes now"},
			{Action: "a4", Address: "login/login", Op: provider.OpResize, State: engine.Failed, Detail: "refused: 余额不足 (1400)"},
			{Action: "a5", Address: "simulation", Op: provider.OpCreate, State: engine.Unsettled, Detail: "the reply was lost"}},
		Settled: []engine.Outcome{{Address: "edge/worker", Op: provider.OpScaleOut, State: engine.Applied, Verdict: "done", Detail: "4 nodes"}},
		Blocked: drawnPlan().Blocked, Unread: drawnPlan().Unread}
}

func wantedFleet() *topology.Topology {
	c := &engine.Cluster{Entry: "huawei", Source: func(string) string { return "fleet.cue:3:2" },
		Desired: provider.Desired{Address: "analytics", Kind: "mrs", Spec: []byte(`{"node_groups":{"core":{"count":5},"task":{}}}`)},
		Rules:   engine.Rules{DependsOn: []string{"batch"}, Groups: map[string]engine.GroupRules{"task": {Protect: true, Count: &engine.Band{Min: 2, Max: 8}}}}}
	other := *c
	other.Address, other.Rules = "batch", engine.Rules{}
	return topology.OfSpec([]*engine.Cluster{c, &other})
}

// pages are one of each kind.
func pages(t *testing.T) map[string]string {
	return map[string]string{
		"plan": written(t, func(b *strings.Builder) error {
			return HTMLPlan(b, drawnPlan(), Comment{Name: "plan envs/prod", Command: "clusterctl plan envs/prod"})
		}),
		"none": written(t, func(b *strings.Builder) error {
			return HTMLPlan(b, &engine.Plan{Summary: engine.Summary{Clusters: 43, Unchanged: 43}}, Comment{Name: "plan ."})
		}),
		"review": written(t, func(b *strings.Builder) error {
			return HTMLReview(b, fullReview(), map[string][]string{"analytics": {"batch"}}, comment())
		}),
		"result": written(t, func(b *strings.Builder) error {
			return HTMLResult(b, mixedResult(), drawnPlan(), Comment{Name: "apply plan.json"})
		}),
		"spec": written(t, func(b *strings.Builder) error { return HTMLSpec(b, wantedFleet(), Comment{Name: "show ."}) }),
		"problems": written(t, func(b *strings.Builder) error {
			return HTMLProblems(b, []Annotation{{Level: LevelError, Rule: "limit", File: "a.cue", Line: 3, Message: "too many\nlimit from the document"}, {Level: LevelWarning, Rule: "provider", Message: "schemas differ"}}, comment())
		}),
	}
}

// TestHTMLPages: what a reader finds on each page and in which order; the same
// value gives the same bytes; nothing on a page is not ours.
func TestHTMLPages(t *testing.T) {
	again := pages(t)
	for name, page := range pages(t) {
		t.Run(name, func(t *testing.T) {
			golden(t, "html-"+name+".txt", outlineOf(t, page))
			if page != again[name] {
				t.Error("the same value gives other bytes")
			}
			if err := inertHTML(page); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHTMLPolicy: a page lets run what stands in it, by its digest, and nothing
// else; it names no place to go to.
func TestHTMLPolicy(t *testing.T) {
	for name, page := range pages(t) {
		doc := parsed(t, page)
		policy := ""
		var style, script string
		walk(doc, func(n *html.Node) {
			switch {
			case n.Data == "meta" && attribute(n, "http-equiv") == "Content-Security-Policy":
				policy = attribute(n, "content")
			case n.Type == html.ElementNode && n.Data == "style":
				style += n.FirstChild.Data
			case n.Type == html.ElementNode && n.Data == "script":
				script += n.FirstChild.Data
			}
		})
		want := "default-src 'none'; img-src data:; style-src '" + digestOf(style) + "'; script-src '" + digestOf(script) + "'; base-uri 'none'; form-action 'none'"
		if policy != want {
			t.Errorf("%s: the policy is %s, want %s", name, policy, want)
		}
		for _, place := range []string{"http://", "https://", "url(", "@import", "fetch(", "XMLHttpRequest", "innerHTML", "eval(", "localStorage"} {
			if strings.Contains(page, place) {
				t.Errorf("%s: has %s", name, place)
			}
		}
	}
}

// TestHTMLSecrets: what goes to the cloud is no part of a page.
func TestHTMLSecrets(t *testing.T) {
	p := drawnPlan()
	for i := range p.Actions {
		p.Actions[i].Request, p.Actions[i].Secrets = []byte("canary"), []string{"canary"}
	}
	page := written(t, func(b *strings.Builder) error { return HTMLPlan(b, p, comment()) })
	if strings.Contains(page, "canary") || strings.Contains(page, "Y2FuYXJ5") {
		t.Error("the request is told")
	}
}

// TestHTMLSize: a page of 1,000 changed clusters is one that browsers open at
// once, and every cluster is on it.
func TestHTMLSize(t *testing.T) {
	page := written(t, func(b *strings.Builder) error { return HTMLReview(b, many(1000), nil, comment()) })
	if len(page) > 3_000_000 {
		t.Errorf("%d bytes", len(page))
	}
	for i := range 1000 {
		if !strings.Contains(page, fmt.Sprintf(">cluster-%05d<", i)) {
			t.Fatalf("cluster %d is missing", i)
		}
	}
}

// TestHTMLKinds: every word that an item has for the filter is a button that it
// may have.
func TestHTMLKinds(t *testing.T) {
	known := map[string]bool{}
	for _, k := range htmlKinds {
		if known[k.Kind] {
			t.Errorf("%s is there twice", k.Kind)
		}
		known[k.Kind] = true
	}
	for name, page := range pages(t) {
		walk(parsed(t, page), func(n *html.Node) {
			for _, k := range strings.Fields(attribute(n, "data-k")) {
				if !known[k] {
					t.Errorf("%s: no button for %s", name, k)
				}
			}
		})
	}
	for _, f := range []review.Field{{Effect: review.EffectAction, Op: provider.OpScaleIn}, {Effect: review.EffectBlocked}, {Effect: review.EffectParameter},
		{Effect: review.EffectStated}, {Effect: review.EffectReleased}, {Effect: review.EffectIdentity}, {Effect: review.EffectGuard}, {Effect: review.EffectOrder}, {}} {
		if k := effectKind(f.Effect, EffectText(&f)); !known[k] {
			t.Errorf("no button for %s", k)
		}
	}
}

func parsed(t *testing.T, page string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func walk(n *html.Node, visit func(*html.Node)) {
	visit(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf is the text of an element as a reader takes it, of a picture what is
// said in its place.
func textOf(n *html.Node) string {
	var b strings.Builder
	var add func(*html.Node)
	add = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data)
		case n.Data == "svg":
			b.WriteString(attribute(n, "aria-label"))
			return
		case n.Data == "td" || n.Data == "details" || n.Data == "li" || n.Data == "p" || n.Data == "div":
			b.WriteString(" ¦ ")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			add(c)
		}
	}
	add(n)
	return strings.Trim(regexp.MustCompile(`(\s*¦)+`).ReplaceAllString(strings.Join(strings.Fields(b.String()), " "), " ¦"), " ¦")
}

// outlineOf is a page as lines of text.
func outlineOf(t *testing.T, page string) string {
	var b strings.Builder
	walk(parsed(t, page), func(n *html.Node) {
		if n.Type != html.ElementNode {
			return
		}
		prefix := ""
		switch {
		case n.Data == "h1":
			prefix = "# "
		case n.Data == "h2":
			prefix = "\n## "
		case n.Data == "li" && attribute(n.Parent, "class") == "tiles":
			prefix = "[tile] "
		case n.Data == "button" && attribute(n, "data-kind") != "":
			prefix = "[filter] "
		case n.Data == "li" && attribute(n.Parent, "class") == "items":
			prefix = "- "
		case n.Data == "tr":
			prefix = "| "
		case n.Data == "svg" && attribute(n, "role") == "img":
			prefix = "[picture] "
		case n.Data == "p" && slices.Contains([]string{"lead", "others", "about"}, attribute(n, "class")), n.Data == "dt", n.Data == "dd":
			prefix = n.Data + " "
		default:
			return
		}
		if k := attribute(n, "data-k"); k != "" {
			prefix += "{" + k + "} "
		}
		b.WriteString(prefix + textOf(n) + "\n")
	})
	return b.String()
}
