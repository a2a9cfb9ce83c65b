package render

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func at(file string, line int) review.Place { return review.Place{File: file, Line: line, Column: 4} }

// fullReview has one of everything.
func fullReview() *review.Review {
	count := func(group string, from, to int, effect review.Effect, op provider.Op, line int) review.Field {
		return review.Field{Path: "node_groups." + group + ".count", Before: from, After: to, Effect: effect, Op: op, Cause: at("fleet.cue", line)}
	}
	act := func(group string, op provider.Op, from, to int64) review.Action {
		f, t := counts(from, to)
		return review.Action{Group: group, Op: op, From: f, To: t}
	}
	const only = "3 workers are wanted and 4 are live: ScaleOutCluster only adds nodes"
	blocked := count("worker", 4, 3, review.EffectBlocked, "", 11)
	blocked.Reason = only
	zone := review.Field{Path: "zone", Before: "jn1a", After: "jn1b", Effect: review.EffectBlocked, Reason: "zone cannot be changed in place", Cause: at("qc.cue", 3)}
	key := review.Field{Path: "node_groups.worker.key_pair", Before: "ops", After: "dev", Effect: review.EffectParameter, Cause: at("template.cue", 12)}
	gone := review.Field{Path: "release", Before: "3.1", Effect: review.EffectReleased, Cause: at("old.cue", 7), InBase: true}
	another := review.Field{Path: "id", Before: "1", After: "2", Effect: review.EffectIdentity, Cause: at("fleet.cue", 40)}
	changed := func(address string, fields ...review.Field) review.Change {
		return review.Change{Address: address, Kind: review.Changed, Provider: "ali", Type: "ack_sandbox", Place: at("fleet.cue", 2), Fields: fields}
	}
	a := changed("a", blocked, key)
	a.Blocked = []review.Refusal{{Group: "worker", Reason: only}}
	b := changed("b", blocked, key)
	b.Blocked = a.Blocked
	in := changed("analytics", count("core", 5, 6, review.EffectAction, provider.OpScaleOut, 7), count("task", 20, 14, review.EffectAction, provider.OpScaleIn, 8))
	in.Actions = []review.Action{act("core", provider.OpScaleOut, 5, 6), act("task", provider.OpScaleIn, 20, 14)}
	in.Actions[1].Reason = "MRS removes the newest nodes first; see decommissioning"
	batch := changed("batch", count("task", 20, 2, review.EffectAction, provider.OpScaleIn, 9))
	batch.Actions = []review.Action{act("task", provider.OpScaleIn, 20, 2)}
	batch.Denied = []review.Refusal{{Group: "task", Guard: "shrink", Reason: "removes 18 of 20 nodes, more than 30 %"}}
	renamed := changed("edge", key)
	renamed.Kind, renamed.Was = review.Renamed, "edge-old"
	r := &review.Review{
		FormatVersion: review.FormatVersion, Base: review.Revision{Name: "origin/main", Commit: "1e9b4363c07f1e9b4363c07f1e9b4363c07f0000"},
		Head: review.Revision{Name: "working tree"}, Unchanged: 38,
		Clusters: []review.Change{a, in, b, batch, changed("c", key, zone), changed("d", key, gone, another),
			{Address: "leaves", Kind: review.Removed, Provider: "ali", Type: "ack_edge", Place: at("fleet.cue", 13), Fields: []review.Field{}},
			{Address: "new", Kind: review.Added, Provider: "ali", Type: "ack_edge", Place: at("fleet.cue", 14), Fields: []review.Field{{Path: "x", After: 1, Effect: review.EffectStated, Cause: at("fleet.cue", 14)}}},
			renamed},
		Unknown: []string{"murky"}, Notes: []string{"the base does not evaluate with the schemas of this clusterctl: x.y is not a field"},
	}
	return r
}

func comment() Comment {
	return Comment{Name: "diff envs/prod", Command: "clusterctl diff --spec envs/prod 1e9b4363c07f"}
}

// many is a review of n clusters: a line of a template that reaches all of them,
// and for every tenth a removal by a line of its own.
func many(n int) *review.Review {
	r := &review.Review{Base: review.Revision{Name: "main", Commit: strings.Repeat("ab", 20)}, Head: review.Revision{Name: "topic", Commit: strings.Repeat("cd", 20)}}
	for i := range n {
		c := review.Change{Address: fmt.Sprintf("cluster-%05d", i), Kind: review.Changed, Provider: "huawei", Type: "mrs", Place: at("fleet.cue", i+1),
			Fields: []review.Field{{Path: "node_groups.core.count", Before: 3, After: 5, Effect: review.EffectAction, Op: provider.OpScaleOut, Cause: at("template.cue", 12)}}}
		if i%10 == 0 {
			from, to := counts(int64(20+i), 8)
			c.Actions = []review.Action{{Group: "task", Op: provider.OpScaleIn, From: from, To: to}}
			c.Fields = append(c.Fields, review.Field{Path: "node_groups.task.count", Before: 20 + i, After: 8, Effect: review.EffectAction, Op: provider.OpScaleIn, Cause: at("fleet.cue", i+1)})
		}
		r.Clusters = append(r.Clusters, c)
	}
	return r
}

func TestMarkdownReview(t *testing.T) {
	for name, r := range map[string]*review.Review{
		"review.md":     fullReview(),
		"nothing.md":    {Unchanged: 4, Base: review.Revision{Name: "HEAD", Commit: strings.Repeat("ab", 20)}, Head: review.Revision{Name: "working tree"}},
		"review300.md":  many(300),
		"review5000.md": nil,
	} {
		t.Run(name, func(t *testing.T) {
			big := r == nil
			if big {
				r = many(5000)
			}
			var b strings.Builder
			if err := MarkdownReview(&b, r, comment()); err != nil {
				t.Fatal(err)
			}
			within(t, b.String(), MarkdownLimit)
			if err := inert(b.String()); err != nil {
				t.Error(err)
			}
			if !big {
				golden(t, name, b.String())
			}
		})
	}
}

// within counts as forges do: bytes, and UTF-16 units.
func within(t *testing.T, text string, limit int) {
	t.Helper()
	if len(text) > limit || len(utf16.Encode([]rune(text))) > limit {
		t.Errorf("%d bytes, %d UTF-16 units; the limit is %d", len(text), len(utf16.Encode([]rune(text))), limit)
	}
}

// Of what does not fit every section keeps its first items, the important ones
// the rest of the room, and each says how much is left out.
func TestMarkdownLeftOut(t *testing.T) {
	r := many(5000)
	for i := range r.Clusters {
		if i%3 == 0 {
			r.Clusters[i].Blocked = []review.Refusal{{Reason: fmt.Sprintf("reason %d 分析 is %s", i, strings.Repeat("long ", 30))}}
		}
	}
	var b strings.Builder
	if err := MarkdownReview(&b, r, comment()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	within(t, text, MarkdownLimit)
	if len(text) < MarkdownLimit-3000 {
		t.Errorf("only %d bytes are used", len(text))
	}
	// What is shown and what is said to be left out is all there is.
	parts := strings.Split(text, "\n### ")
	counted := map[string]int{}
	for _, part := range parts[1:] {
		title, body, _ := strings.Cut(part, "\n")
		items := strings.Count(body, "\n- ") + strings.Count(body, "\n| ") + strings.Count(body, "<details>")
		if strings.HasPrefix(body, "\n| No. ") {
			items -= 2
		}
		if i := strings.Index(body, "*and "); i >= 0 {
			items-- // this line itself
			items += number(t, body[i+len("*and "):])
		} else if i := strings.Index(body, "*… and "); i >= 0 {
			items += number(t, body[i+len("*… and "):])
		}
		counted[title] = items
	}
	want := map[string]int{"Nodes removed": 500, "Blocked: no call of the cloud can do this": 1667, "Changed lines": 501, "Clusters of these lines": 1}
	if diff := cmp.Diff(want, counted); diff != "" {
		t.Error(diff)
	}
	if first, second := strings.Index(text, "5010 → 8"), strings.Index(text, "5000 → 8"); first < 0 || second < first {
		t.Errorf("the largest removal does not stand first: %d, %d", first, second)
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	var n int
	digits, _, _ := strings.Cut(text, " ")
	if _, err := fmt.Sscan(strings.ReplaceAll(digits, ",", ""), &n); err != nil {
		t.Fatalf("%q: %v", text[:30], err)
	}
	return n
}

// A page keeps to any limit that holds its heads.
func TestPageLimits(t *testing.T) {
	for limit := 2000; limit < 20_000; limit += 371 {
		var b strings.Builder
		if err := markdownReview(&b, many(500), comment(), limit); err != nil {
			t.Fatal(err)
		}
		within(t, b.String(), limit)
		if err := inert(b.String()); err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func TestMarker(t *testing.T) {
	for name, want := range map[string]string{
		"diff envs/prod":   "<!-- clusterctl diff envs/prod -->",
		"diff a--> <b>`\n": "<!-- clusterctl diff a__? ?b??? -->",
		"diff 规格":          "<!-- clusterctl diff ?? -->",
	} {
		if got := (Comment{Name: name}).Marker(); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"4 workers wanted, 6 live; only adds nodes":          "4 workers wanted, 6 live; only adds nodes",
		"ScaleOutCluster (as documented) adds.":              "ScaleOutCluster (as documented) adds.",
		"ask @team or #12, see org/repo#1":                   "ask `@team` or `#12`, see `org/repo#1`",
		"commit 1e9b4363 or defaced":                         "commit `1e9b4363` or `defaced`",
		"GH-12 and https://evil.example/x":                   "`GH-12` and `https://evil.example/x`",
		"a `b` | <c> *d* _e_ [f](g)":                         "a `ˋbˋ ∣ <c> *d* _e_ [f](g)`",
		"\u202egnp.exe \u200b":                               "`\\u202egnp.exe \\u200b`",
		"库存不足 (code 1)\n/close":                              "库存不足 (code 1) `/close`",
		"+¥312.00 a month, -XTS 1.00":                        "+¥312.00 a month, `-XTS` 1.00",
		"request r-1, (code 12000003, request r-2) x_y: ::)": "request `r-1`, (code `12000003`, request `r-2`) `x_y`: `::`)",
		"$`x`$ ~label :smile: !1 %2 v1.2":                    "`$ˋxˋ$ ~label :smile`: `!1 %2 v1.2`",
	} {
		if got := prose(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "`\"\"`",
		" a":                     "`\" a\"`",
		"a|b`c\nd":               "`a∣bˋc\\nd`",
		"a\u2066b\U000e0041":     "`a\\u2066b\\U000e0041`",
		strings.Repeat("x", 125): "`" + strings.Repeat("x", 120) + "… (5 characters more)`",
		"\xff":                   "`\ufffd`",
	} {
		if got := code(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
