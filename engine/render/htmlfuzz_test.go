package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/review"
	"github.com/clusterctl/clusterctl/engine/topology"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// ourElements are the elements of pages with the attributes that they may have.
var ourElements = map[string]string{
	"html": "lang", "head": "", "meta": "charset http-equiv content name", "link": "rel href", "title": "id", "style": "", "body": "", "script": "",
	"header": "", "main": "", "footer": "", "section": "class id", "nav": "aria-label", "a": "href", "div": "class data-k", "p": "class id role aria-label hidden",
	"h1": "class", "h2": "", "ul": "class", "li": "class data-k", "b": "class", "span": "class", "strong": "class", "code": "class", "dl": "", "dt": "", "dd": "",
	"form": "class role hidden", "label": "for", "input": "id type autocomplete spellcheck placeholder aria-describedby", "button": "type id class hidden title data-kind data-view aria-pressed",
	"table": "role", "thead": "role", "tbody": "role", "tr": "role data-k", "th": "scope role", "td": "role class data-label", "details": "", "summary": "",
	"svg": "class role aria-label aria-hidden width height viewBox", "g": "class transform data-k", "rect": "class x y width height rx", "path": "class d", "text": "class x y", "tspan": "class",
}

// ourValue is what attributes may hold but for the picture's words.
var ourValue = regexp.MustCompile(`^[\w .,:;/'+=…#()-]*$`)

// inertHTML says what on a page is not ours. It reads the page as browsers do.
func inertHTML(page string) error {
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return err
	}
	scripts, styles := 0, 0
	walk(doc, func(n *html.Node) {
		fail := func(format string, args ...any) {
			if err == nil {
				err = fmt.Errorf(format, args...)
			}
		}
		switch n.Type {
		case html.CommentNode:
			fail("a comment %.80q", n.Data)
		case html.TextNode:
			if parent := n.Parent.Data; parent == "script" || parent == "style" {
				return
			}
			for _, r := range n.Data {
				if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
					fail("%U in %.80q", r, n.Data)
				}
			}
		case html.ElementNode:
			allowed, ok := ourElements[n.Data]
			if !ok {
				fail("an element %s", n.Data)
			}
			for _, a := range n.Attr {
				if !slices.Contains(strings.Fields(allowed), a.Key) {
					fail("%s has an attribute %s", n.Data, a.Key)
				}
				if a.Key == "href" && a.Val != "data:," && !strings.HasPrefix(a.Val, "#") {
					fail("%s leads to %q", n.Data, a.Val)
				}
				if a.Key != "aria-label" && !ourValue.MatchString(a.Val) {
					fail("%s=%.80q of %s", a.Key, a.Val, n.Data)
				}
			}
			switch n.Data {
			case "script":
				scripts++
			case "style":
				styles++
			}
		}
	})
	if err == nil && (scripts != 1 || styles != 1) {
		err = fmt.Errorf("%d scripts and %d styles", scripts, styles)
	}
	return err
}

// hostileHTML are texts that would like to be markup; those for Markdown are
// tried as well.
var hostileHTML = []string{
	`</script><script>alert(1)</script>`, `<!--<script>`, `]]>`, `"><img src=x onerror=alert(1)>`, `' onload='alert(1)`, `<svg/onload=alert(1)>`, `</style><style>*{}`, `</title><b>`, `</textarea>`, `</svg><a href=javascript:alert(1)>`,
	"{{.}}", "{{define `x`}}", "${1}", "`", `\u003cscript\u003e`, "&lt;script&gt;", "&#60;script&#62;", "\x00<script>", "<\x00script>", "+ADw-script+AD4-", "javascript:alert(1)", "<plaintext>", "<template>", "<math><mi><mglyph><style><img>", "</td></tr></table>", "</details>",
}

func FuzzHTML(f *testing.F) {
	all := slices.Concat(hostileHTML, hostile)
	for i, h := range all {
		f.Add(h, all[(i*7+3)%len(all)], all[(i*13+5)%len(all)])
	}
	f.Fuzz(func(t *testing.T, name, value, reason string) {
		for form, page := range everyPage(t, name, value, reason) {
			if err := inertHTML(page); err != nil {
				t.Errorf("%s: %v", form, err)
			}
		}
	})
}

// TestHostileHTML puts hostile texts, alone and glued, everywhere.
func TestHostileHTML(t *testing.T) {
	all := slices.Concat(hostileHTML, hostile)
	for i, x := range all {
		y := all[(i*5+1)%len(all)]
		if len(x)+len(y) > 1000 {
			continue // long and harmless; see the fuzzer's seeds
		}
		for form, page := range everyPage(t, x+y, y+" "+x, x+" word "+y) {
			if err := inertHTML(page); err != nil {
				t.Errorf("%q, %q: %s: %v", x, y, form, err)
			}
		}
	}
}

// everyPage is each kind of page with the texts in all places that take any.
func everyPage(t *testing.T, name, value, reason string) map[string]string {
	t.Helper()
	born := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	from, to := counts(9, 2)
	fields := []provider.FieldChange{{Path: name, Before: value, After: []any{reason, map[string]any{name: value}}}}
	action := engine.Action{ID: name, Address: name, Op: provider.OpScaleIn, Provider: name, Kind: value, Cluster: value, ClusterID: reason, Group: name, From: from, To: to, Fields: fields,
		Removes: []provider.NodeRef{{ID: name, Created: born}, {ID: value, Name: reason}}, DependsOn: []string{reason, name}, Reason: reason, Risk: value,
		Cost: &provider.Price{Amount: 1, Currency: value, Per: reason}, Source: value}
	resize, create, odd := action, action, action
	resize.Op, resize.From, resize.To = provider.OpResize, map[string]int64{name: 2}, map[string]int64{name: 1}
	create.Op, create.Cluster, create.ID = provider.OpCreate, name, value
	odd.Op = provider.Op(value)
	blocked := []engine.Blocked{{Address: name + "/" + value, Provider: value, Kind: reason, Reason: reason, Source: value, Fields: fields}}
	unread := []engine.Unread{{Address: name, Provider: value, Kind: provider.KindDenied, Reason: reason, Source: name}}
	for i := range 5 {
		unread = append(unread, engine.Unread{Address: value + fmt.Sprint(i), Provider: name, Kind: provider.KindDenied, Reason: reason})
	}
	p := &engine.Plan{SpecDigest: value, Digest: name, Actions: []engine.Action{action, resize, create, odd}, Blocked: blocked, Unread: unread,
		OpenIntents: []engine.OpenIntent{{Address: name, Op: provider.Op(value), Since: born, Reason: reason}},
		Denied:      []engine.Denied{{Address: name, Guard: value, Reason: reason, Source: value}}, Warnings: []string{reason},
		Guards:   []engine.Guard{{Address: name, Guard: value, Change: reason, Source: value}},
		Owned:    []engine.Owned{{Address: name, Owner: value, Field: fields[0], Source: reason}},
		Clusters: []engine.Planned{{Address: value, Provider: name, Desired: provider.Desired{Kind: reason}, Rules: engine.Rules{DependsOn: []string{name, reason}}, Waits: provider.Status(reason)}}}
	result := &engine.Result{PlanDigest: value, Blocked: blocked, Unread: unread}
	for _, s := range append([]engine.OutcomeState{engine.Applied}, badStates()...) {
		o := engine.Outcome{Action: name, Address: name, Op: provider.Op(value), State: s, Detail: reason, New: []string{name, value}, Foreign: []string{reason}, Differs: fields}
		result.Outcomes, result.Settled = append(result.Outcomes, o), append(result.Settled, o)
	}
	place := review.Place{File: value, Line: 3}
	change := review.Change{Address: name, Was: value, Kind: review.Changed, Provider: value, Type: name, Place: place,
		Fields:  []review.Field{{Path: "node_groups." + name, Before: value, After: reason, Effect: review.EffectBlocked, Reason: reason, Cause: place}, {Path: name, Before: value, After: []any{value}, Effect: review.EffectAction, Op: provider.OpResize, Cause: place, InBase: true}},
		Actions: []review.Action{{Group: value, Op: provider.OpScaleIn, From: from, To: to, Reason: reason}},
		Blocked: []review.Refusal{{Group: name, Reason: reason}}, Denied: []review.Refusal{{Group: name, Guard: value, Reason: reason}}}
	r := &review.Review{Base: review.Revision{Name: value, Commit: name}, Head: review.Revision{Name: reason}, Unknown: []string{name, value}, Notes: []string{reason}}
	for i, kind := range []review.Kind{review.Changed, review.Renamed, review.Removed, review.Added, review.Changed, review.Changed, review.Changed, review.Changed} {
		c := change
		c.Kind = kind
		if i > 3 {
			c.Address += fmt.Sprint(i)
		}
		r.Clusters = append(r.Clusters, c)
	}
	fleet := &topology.Topology{Title: name, Clusters: []topology.Cluster{{Address: name, Provider: value, Kind: reason, DependsOn: []string{value}, Source: reason,
		Groups: []topology.Group{{Role: name, Band: value, Note: reason}}}, {Address: value}}}
	c := Comment{Name: name, Command: value}
	all := map[string]string{}
	for form, write := range map[string]func(*strings.Builder) error{
		"plan":   func(b *strings.Builder) error { return HTMLPlan(b, p, c) },
		"result": func(b *strings.Builder) error { return HTMLResult(b, result, p, c) },
		"review": func(b *strings.Builder) error { return HTMLReview(b, r, map[string][]string{name: {value}}, c) },
		"spec":   func(b *strings.Builder) error { return HTMLSpec(b, fleet, c) },
		"problems": func(b *strings.Builder) error {
			return HTMLProblems(b, []Annotation{{Level: LevelError, Rule: name, File: value, Line: 2, Message: reason + "\n" + value}}, c)
		},
	} {
		all[form] = written(t, write)
	}
	return all
}
