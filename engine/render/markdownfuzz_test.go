package render

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// What is ours in a comment: its first line, tags, stress, and beginnings of
// lines. Everything else must be words.
var (
	ourMarker = regexp.MustCompile(`^<!-- clusterctl [A-Za-z0-9 ./_?]* -->$`)
	ourTags   = regexp.MustCompile(`<br>|</?details>|</?summary>|\*\*`)
	ourStart  = regexp.MustCompile(`^(?:##{1,2} |> |- |\| )`)
	tableLine = regexp.MustCompile(`^\|(?: --- \|)+$`)
	ourWords  = regexp.MustCompile(`^[\p{L}\p{N} .,:;()"'’!?%¥€→–—…·×+∣ˋ*-]*$`)
	hexWord   = regexp.MustCompile(`\b[0-9a-fA-F]{7,}\b`)
	trackers  = regexp.MustCompile(`\b[A-Za-z]+-?[0-9]+\b`)
)

// inert says what in a comment a forge might take for more than text. It reads
// code spans as CommonMark does (section 6.1): a run of backticks up to the next
// run of the same length.
func inert(text string) error {
	lines := strings.Split(text, "\n")
	if !ourMarker.MatchString(lines[0]) {
		return fmt.Errorf("no marker: %q", lines[0])
	}
	columns := 0
	open := 0
	for n, line := range lines[1:] {
		fail := func(what string) error { return fmt.Errorf("line %d: %s: %.300q", n+2, what, line) }
		for _, r := range line {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
				return fail("an invisible character")
			}
		}
		if strings.HasPrefix(line, "|") {
			cells := strings.Count(line, "|") // a bar in a code span counts as well
			if columns > 0 && cells != columns {
				return fail("a broken row")
			}
			columns = cells
		} else {
			columns = 0
		}
		if line == "---" || tableLine.MatchString(line) {
			continue
		}
		rest, err := withoutSpans(line)
		if err != nil {
			return fail(err.Error())
		}
		if strings.HasPrefix(strings.TrimLeft(line, " "), "`") {
			return fail("a line that begins with foreign text")
		}
		open += strings.Count(rest, "<details>") - strings.Count(rest, "</details>")
		rest = ourStart.ReplaceAllString(rest, "")
		rest = ourTags.ReplaceAllString(rest, " ")
		if strings.HasPrefix(line, "|") {
			rest = strings.ReplaceAll(rest, "|", " ")
		}
		switch {
		case !ourWords.MatchString(rest):
			return fail("markup in " + fmt.Sprintf("%.80q", rest))
		case hexWord.MatchString(rest):
			return fail("a commit")
		case strings.Count(rest, "*")%2 != 0:
			return fail("stress without end")
		}
		if found := trackers.FindString(rest); found != "" && found != "UTF-16" {
			return fail("a reference " + found)
		}
	}
	if open != 0 {
		return fmt.Errorf("%d details without end", open)
	}
	return nil
}

func withoutSpans(line string) (string, error) {
	var b strings.Builder
	for line != "" {
		i := strings.IndexByte(line, '`')
		if i < 0 {
			b.WriteString(line)
			break
		}
		b.WriteString(line[:i])
		run := len(line[i:]) - len(strings.TrimLeft(line[i:], "`"))
		if run != 1 {
			return "", fmt.Errorf("%d backticks in a row", run)
		}
		end := strings.IndexByte(line[i+1:], '`')
		if end <= 0 {
			return "", fmt.Errorf("a code span without end")
		}
		b.WriteByte(' ')
		line = line[i+1+end+1:]
	}
	return b.String(), nil
}

// hostile are texts that mean something to a forge.
var hostile = []string{
	"@team", "@org/team", "#12", "org/repo#1", "GH-12", "JIRA-77", "1e9b4363c07f", "user@1e9b4363c07f", "https://evil.example", "www.evil.example", "a@b.example",
	"[x](http://evil.example)", "![x](y)", "<img src=x onerror=alert(1)>", "<!-- x", "-->", "</details>", "<details>", "<script>", "&lt;b&gt;", "&#64;team",
	"`", "``", "```", "~~~", "a`b", "|", "a|b", `\|`, `\`, "\\`", "*x*", "__x__", "~~x~~", "# x", "> x", "- x", "1. x", "---", "===", "\n", "\r\n", "\n\n/close\n", "\n```\n",
	"\u202e", "\u2066x\u2069", "\u200b", "\u2028", "\ufeff", "\x00", "\x1b[31m", "\xff\xfe", "$x$", "$`x`$", "!1", "%2", "~label", ":smile:", "&1", "[[_TOC_]]", "[^1]", "::error::x", "{{x}}",
	"", " ", "  a  ", strings.Repeat("@x", 4000), strings.Repeat("`", 300), "分析", "ﷺ", "e\u0301", "\U000e0041", "a\u00a0b",
}

func FuzzMarkdown(f *testing.F) {
	for i, h := range hostile {
		f.Add(h, hostile[(i*7+3)%len(hostile)], hostile[(i*13+5)%len(hostile)])
	}
	f.Fuzz(func(t *testing.T, name, value, reason string) {
		for form, text := range everywhere(t, name, value, reason) {
			within(t, text, MarkdownLimit)
			if err := inert(text); err != nil {
				t.Errorf("%s: %v", form, err)
			}
		}
	})
}

// TestHostile puts every pair of hostile texts, glued and apart, everywhere.
func TestHostile(t *testing.T) {
	for i, x := range hostile {
		y := hostile[(i*5+1)%len(hostile)]
		for form, text := range everywhere(t, x+y, y+" "+x, x+" word "+y) {
			if err := inert(text); err != nil {
				t.Errorf("%q, %q: %s: %v", x, y, form, err)
			}
		}
	}
}

// everywhere is every comment with the texts in all places that take any.
func everywhere(t *testing.T, name, value, reason string) map[string]string {
	t.Helper()
	place := review.Place{File: value, Line: 3}
	from, to := counts(9, 2)
	field := review.Field{Path: name, Before: value, After: []any{value, map[string]any{name: reason}}, Effect: review.EffectBlocked, Reason: reason, Cause: place}
	change := review.Change{Address: name, Was: value, Kind: review.Changed, Provider: value, Type: name, Place: place, Fields: []review.Field{field},
		Actions: []review.Action{{Group: value, Op: provider.OpScaleIn, From: from, To: to, Reason: reason}},
		Blocked: []review.Refusal{{Group: name, Reason: reason}}, Denied: []review.Refusal{{Group: name, Guard: value, Reason: reason}}}
	r := &review.Review{Base: review.Revision{Name: value, Commit: name}, Head: review.Revision{Name: reason}, Unknown: []string{name}, Notes: []string{reason}}
	for _, kind := range []review.Kind{review.Changed, review.Renamed, review.Removed, review.Added} {
		c := change
		c.Kind = kind
		r.Clusters = append(r.Clusters, c)
	}
	for i := range 4 {
		c := change
		c.Address += fmt.Sprint(i)
		r.Clusters = append(r.Clusters, c)
	}
	born := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	action := engine.Action{ID: "a1", Address: name, Op: provider.Op(value), Provider: name, Kind: value, Group: name, From: from, To: map[string]int64{name: 1},
		Removes: []provider.NodeRef{{ID: name, Created: born}, {Name: value}}, DependsOn: []string{reason}, Reason: reason, Risk: value,
		Cost: &provider.Price{Amount: 1, Currency: value, Per: reason}, Source: value, Fields: []provider.FieldChange{{Path: "node_groups." + name + ".x", After: int64(1)}}}
	in, smaller, create := action, action, action
	in.Op, in.To = provider.OpScaleIn, to
	smaller.Op, smaller.From, smaller.To = provider.OpResize, map[string]int64{name: 2}, map[string]int64{name: 1}
	create.Op = provider.OpCreate
	blocked := []engine.Blocked{{Address: name, Provider: value, Kind: reason, Reason: reason, Source: value}}
	unread := []engine.Unread{{Address: name, Provider: value, Kind: provider.KindDenied, Reason: reason}, {Address: value, Provider: value, Kind: provider.KindDenied, Reason: reason}}
	p := &engine.Plan{SpecDigest: value, Digest: name, Actions: []engine.Action{in, smaller, create, action}, Blocked: blocked, Unread: unread,
		OpenIntents: []engine.OpenIntent{{Address: name, Op: provider.Op(value), Since: born, Reason: reason}},
		Denied:      []engine.Denied{{Address: name, Guard: value, Reason: reason, Source: value}}, Warnings: []string{reason}}
	result := &engine.Result{PlanDigest: value, Blocked: blocked, Unread: unread}
	for _, s := range append([]engine.OutcomeState{engine.Applied}, badStates()...) {
		o := engine.Outcome{Address: name, Op: provider.Op(value), State: s, Detail: reason, New: []string{name, value}, Foreign: []string{reason},
			Differs: []provider.FieldChange{{Path: name, Before: value, After: reason}}}
		result.Outcomes, result.Settled = append(result.Outcomes, o), append(result.Settled, o)
	}
	problems := []Annotation{{Level: LevelError, Rule: name, File: value, Line: 2, Message: reason + "\n" + value}, {Level: LevelWarning, Message: value}}
	c := Comment{Name: name, Command: value}
	all := map[string]string{}
	for form, write := range map[string]func(*strings.Builder) error{
		"review":   func(b *strings.Builder) error { return MarkdownReview(b, r, c) },
		"plan":     func(b *strings.Builder) error { return MarkdownPlan(b, p, c) },
		"result":   func(b *strings.Builder) error { return MarkdownResult(b, result, c) },
		"problems": func(b *strings.Builder) error { return MarkdownProblems(b, problems, c) },
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		all[form] = b.String()
	}
	return all
}

func badStates() []engine.OutcomeState {
	var all []engine.OutcomeState
	for _, e := range endings {
		all = append(all, e.state)
	}
	return all
}
