package topology

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// soundSVG says what in a picture is not ours.
func soundSVG(text string) error {
	allowed := map[string]string{
		"svg": "xmlns class role aria-labelledby aria-label width height viewBox", "title": "id", "desc": "id", "style": "", "rect": "class width height rx y",
		"g": "class transform data-k", "text": "class x y", "tspan": "class", "path": "class d",
	}
	plain := regexp.MustCompile(`^[\w .,()-]*$`)
	dec := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			attributes, ok := allowed[token.Name.Local]
			if !ok {
				return fmt.Errorf("an element %s", token.Name.Local)
			}
			for _, a := range token.Attr {
				if !slices.Contains(strings.Fields(attributes), a.Name.Local) {
					return fmt.Errorf("%s has an attribute %s", token.Name.Local, a.Name.Local)
				}
				switch a.Name.Local {
				case "aria-label", "data-k", "xmlns":
				default:
					if !plain.MatchString(a.Value) {
						return fmt.Errorf("%s=%q of %s", a.Name.Local, a.Value, token.Name.Local)
					}
				}
			}
		case xml.Comment, xml.ProcInst, xml.Directive:
			return fmt.Errorf("%T", token)
		case xml.CharData:
			if err := shows(string(token)); err != nil {
				return err
			}
		}
	}
	return nil
}

// shows says which character of a text does not show.
func shows(text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%q is not UTF-8", text)
	}
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			return fmt.Errorf("%U in %.80q", r, text)
		}
	}
	return nil
}

// ours is what a file of DOT consists of when its quoted strings are empty.
var ours = regexp.MustCompile(`^digraph topology \{
  graph \[label="", labelloc=t, fontname="", rankdir=TB, pack=16, packmode=""\];
  node \[shape=record, style=rounded, fontname="", fontsize=11\];
  edge \[color=gray40\];
(  c\d+ \[color=[a-z0-9]+, label="", tooltip=""\];
)*(  c\d+ -> c\d+;
)*\}
$`)

// soundDOT reads a file as Graphviz does (The DOT Language, "ID"; Node Shapes,
// "Record-based Nodes") and says what names have added to its structure.
func soundDOT(text string) error {
	if err := shows(text); err != nil {
		return err
	}
	var rest, quoted strings.Builder
	inside := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inside && c == '\\':
			quoted.WriteString(text[i : i+2])
			i++
		case c == '"':
			if inside {
				if err := soundLabel(quoted.String(), strings.HasSuffix(strings.TrimSuffix(rest.String(), `"`), ", label=")); err != nil {
					return err
				}
			}
			inside = !inside
			quoted.Reset()
			rest.WriteByte(c)
		case inside:
			quoted.WriteByte(c)
		default:
			rest.WriteByte(c)
		}
	}
	if inside || !ours.MatchString(rest.String()) {
		return fmt.Errorf("the structure is\n%s", rest.String())
	}
	return nil
}

// soundLabel: the entities of a string are ours, and a record consists of a head
// and of fields with ports.
func soundLabel(label string, record bool) error {
	if regexp.MustCompile(`&(#|[^a]|a[^m]|am[^p]|amp[^;]|$)`).MatchString(label) {
		return fmt.Errorf("an entity in %q", label)
	}
	if !record {
		return nil
	}
	bare := regexp.MustCompile(`\\.`).ReplaceAllString(label, "")
	if strings.Count(bare, "{") != 1 || !strings.HasPrefix(bare, "{") || !strings.HasSuffix(bare, "}") || strings.Count(bare, "}") != 1 {
		return fmt.Errorf("braces in %q", label)
	}
	for n, field := range strings.Split(bare[1:len(bare)-1], "|") {
		if n > 0 {
			port := fmt.Sprintf("<g%d>", n-1)
			if !strings.HasPrefix(field, port) {
				return fmt.Errorf("field %d of %q", n, label)
			}
			field = strings.TrimPrefix(field, port)
		}
		if strings.ContainsAny(field, "<>") {
			return fmt.Errorf("a port in %q", label)
		}
	}
	return nil
}

// hostile are texts that would like to be more than text.
var hostile = []string{
	`"`, `\`, `\"`, `\\"`, `"];}`, `\N`, `\l`, `{`, `}`, `|`, `<g0>`, `a|<b>{c}`, `&`, `&amp;`, `&#64;`, `<`, `>`, `]]>`, `<!--`, `-->`, `<![CDATA[`, `<script>`, `</svg>`, `</text><script>`,
	`'`, `"onload="x`, "\n", "\r", "\t", "\x00", "\x1b[31m", "\xff", "\u202e", "\u200b", "\u2028", "\ufeff", "\ufffe", "\U000e0041", "分析", "ﷺ", "e\u0301", "", " ", strings.Repeat("W", 500), strings.Repeat("\\", 99), "digraph", "->", ";", "%s", "//", "/*", "#",
}

func named(name, value string) *Topology {
	count := int64(3)
	c := Cluster{Address: name, Provider: value, Kind: name, Change: Changed, Note: value, Refused: name, DependsOn: []string{value, name}, Waits: name, Source: value, Fields: []Field{{name, value, []any{name}}},
		Groups: []Group{{Role: name, Change: Changed, Before: &count, After: &count, Band: value, Added: []string{value}, Removed: []string{name}, Fields: []Field{{value, map[string]any{name: 1}, name}}, WaitsFor: []string{name + "/" + value}, Note: name, Refused: value}, {Role: value, Change: Change(value), Band: name}}}
	other := c
	other.Address, other.DependsOn, other.Change = value, []string{name}, Change(strings.ToLower(string(Created)))
	return &Topology{Title: name + value, Clusters: []Cluster{c, other}}
}

func judge(t *testing.T, name, value string) {
	t.Helper()
	topo := named(name, value)
	for i := range topo.Clusters {
		topo.Clusters[i].Groups[1].Change = Blocked // ours: no text of others
	}
	var parts strings.Builder
	if _, err := topo.Inline(&parts, 2, func(c *Cluster) string { return c.Address }); err != nil {
		t.Fatal(err)
	}
	for i := range topo.Clusters {
		if err := topo.Clusters[i].Inline(&parts); err != nil {
			t.Fatal(err)
		}
	}
	if err := soundSVG(parts.String()); err != nil {
		t.Errorf("%q, %q: parts: %v", name, value, err)
	}
	if err := soundSVG(svgOf(t, topo)); err != nil {
		t.Errorf("%q, %q: SVG: %v", name, value, err)
	}
	if err := soundDOT(dotOf(t, topo)); err != nil {
		t.Errorf("%q, %q: DOT: %v", name, value, err)
	}
}

func TestHostile(t *testing.T) {
	for i, x := range hostile {
		for _, y := range []string{hostile[(i*7+3)%len(hostile)], hostile[(i*13+5)%len(hostile)]} {
			judge(t, x, y)
			judge(t, x+y, y+" "+x)
		}
	}
}

func FuzzNames(f *testing.F) {
	for i, h := range hostile {
		f.Add(h, hostile[(i*7+3)%len(hostile)])
	}
	f.Fuzz(judge)
}
