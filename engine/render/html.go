package render

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine/topology"
)

// A page of HTML is one file: it asks nothing of anybody. Its policy lets
// browsers run and apply only the script and the style that stand in it here,
// by their digests, whatever else got into it.
var (
	//go:embed html/page.tmpl
	htmlTemplate string
	//go:embed html/page.css
	htmlStyle string
	//go:embed html/page.js
	htmlScript string

	htmlPages = template.Must(template.New("page").Parse(htmlTemplate))
)

// htmlPage is what every page is made of, the important things first.
type htmlPage struct {
	Title   string // with the verdict in it
	Tone    string // "bad", "warn", "good" or nothing
	About   string
	Lead    []string
	Tiles   []htmlTile
	Kinds   []htmlKind
	Lists   []htmlList
	Tables  []htmlTable
	Picture *htmlPicture
	Facts   []htmlFact

	Policy string
	Style  template.CSS
	Script template.JS
}

// htmlTile is a number that one sees first.
type htmlTile struct{ Number, Word, Tone string }

// htmlKind is a button of the filter.
type htmlKind struct {
	Kind, Word, Symbol, Tone string
	Count                    int
}

// Number is the count with commas.
func (k htmlKind) Number() string { return grouped(k.Count) }

// htmlList is a section of sentences.
type htmlList struct {
	ID, Title, Tone string
	Items           []htmlItem
}

// htmlItem is one of them. Kinds are words for the filter; without one the item
// always shows.
type htmlItem struct {
	Kinds                         string
	Names                         []string
	Strong, Text, Command, Source string
	More                          *htmlMore
}

// htmlTable is a section of rows, with as many cells as there are columns.
type htmlTable struct {
	ID, Title, Tone string
	Columns         []string
	Rows            []htmlRow
}

type htmlRow struct {
	Kinds string
	Cells []htmlCell
}

type htmlCell struct {
	Symbol, Tone         string
	Names                []string
	Strong, Text, Source string
	Lines                []string
	More                 *htmlMore
}

// Empty reports a cell that is left out where there is little room.
func (c htmlCell) Empty() bool {
	return c.Symbol+c.Strong+c.Text+c.Source == "" && len(c.Names)+len(c.Lines) == 0 && c.More == nil
}

// htmlMore is what a reader opens.
type htmlMore struct {
	Summary string
	Facts   []htmlFact
	Names   []string
	Fields  []htmlField
}

type htmlFact struct {
	Name, Value string
	Code        bool
}

type htmlField struct{ Path, Before, After, Effect, Source string }

// htmlPicture is the topology.
type htmlPicture struct {
	Title  string
	Count  int
	Moves  bool          // nodes come or go
	Order  template.HTML // what waits for what
	Slim   template.HTML // the same for narrow windows
	Boxes  []htmlBox
	Others string
}

type htmlBox struct {
	Kinds string
	SVG   template.HTML
}

// htmlJump leads to a section.
type htmlJump struct{ ID, Title string }

// Jumps are the sections, when there are so many that one has to look for them.
func (p *htmlPage) Jumps() []htmlJump {
	var all []htmlJump
	for _, l := range p.Lists {
		title, _, _ := strings.Cut(l.Title, ":")
		all = append(all, htmlJump{l.ID, title})
	}
	for _, t := range p.Tables {
		all = append(all, htmlJump{t.ID, t.Title})
	}
	if p.Picture != nil {
		all = append(all, htmlJump{"picture", p.Picture.Title})
	}
	if len(all) < 3 {
		return nil
	}
	return all
}

// Filter reports that there is something to filter.
func (p *htmlPage) Filter() bool { return len(p.Tables) > 0 || p.Picture != nil }

// write fills the page's frame. Texts of others are shown character by
// character, and escaped by the template for where they stand.
func (p *htmlPage) write(w io.Writer) error {
	style := strings.NewReplacer("@light", topology.LightColours(), "@dark", topology.DarkColours()).Replace(htmlStyle) + topology.PageStyle()
	p.Style, p.Script = template.CSS(style), template.JS(htmlScript)
	p.Policy = fmt.Sprintf("default-src 'none'; img-src data:; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digestOf(style), digestOf(htmlScript))
	out := bufio.NewWriter(w)
	if err := htmlPages.Execute(out, p); err != nil {
		return fmt.Errorf("write a page of HTML: %w", err)
	}
	return out.Flush()
}

// digestOf is how a policy names a script or style.
func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// list adds a section, unless it is empty.
func (p *htmlPage) list(id, title, tone string, items []htmlItem) {
	if len(items) > 0 {
		p.Lists = append(p.Lists, htmlList{id, title, tone, items})
	}
}

// table adds a section of rows, unless it is empty.
func (p *htmlPage) table(id, title, tone string, columns []string, rows []htmlRow) {
	if len(rows) > 0 {
		p.Tables = append(p.Tables, withoutEmpty(htmlTable{id, title, tone, columns, rows}))
	}
}

// withoutEmpty leaves out columns that no row has anything for.
func withoutEmpty(t htmlTable) htmlTable {
	for n := len(t.Columns) - 1; n >= 0; n-- {
		if slices.ContainsFunc(t.Rows, func(r htmlRow) bool { return !r.Cells[n].Empty() }) {
			continue
		}
		t.Columns = slices.Delete(slices.Clone(t.Columns), n, n+1)
		for i := range t.Rows {
			t.Rows[i].Cells = slices.Delete(t.Rows[i].Cells, n, n+1)
		}
	}
	return t
}

// tile adds a number, unless it is zero.
func (p *htmlPage) tile(n int, sign, one, many, tone string) {
	if n == 0 {
		return
	}
	word := many
	if n == 1 {
		word = one
	}
	p.Tiles = append(p.Tiles, htmlTile{sign + grouped(n), word, tone})
}

// fact adds a line to the foot, unless it is empty.
func (p *htmlPage) fact(name, value string) {
	if value != "" {
		p.Facts = append(p.Facts, htmlFact{Name: name, Value: visibleText(value)})
	}
}

// draw adds the picture. kinds are words for the filter, by cluster.
func (p *htmlPage) draw(title string, t *topology.Topology, kinds func(*topology.Cluster) string) error {
	if len(t.Clusters) == 0 {
		return nil
	}
	pic := &htmlPicture{Title: title, Count: len(t.Clusters)}
	for i := range t.Clusters {
		for _, g := range t.Clusters[i].Groups {
			pic.Moves = pic.Moves || g.Before != nil && g.After != nil && *g.Before != *g.After
		}
	}
	var b bytes.Buffer
	for columns, into := range map[int]*template.HTML{4: &pic.Order, 1: &pic.Slim} {
		b.Reset()
		drawn, err := t.Inline(&b, columns, kinds)
		if err != nil {
			return err
		}
		if drawn {
			*into = template.HTML(b.String()) // escaped by package topology
		}
	}
	_, alone := t.Split()
	for i := range alone {
		b.Reset()
		if err := alone[i].Inline(&b); err != nil {
			return err
		}
		pic.Boxes = append(pic.Boxes, htmlBox{kinds(&alone[i]), template.HTML(b.String())})
	}
	p.Picture = pic
	p.others(t.Others, "is as it should be", "are as they should be")
	return nil
}

// others counts the clusters that the picture leaves out, and says why.
func (p *htmlPage) others(n int, one, many string) {
	switch {
	case p.Picture == nil || n == 0:
	case n == 1:
		p.Picture.Others = "1 more cluster " + one + ", and is not shown."
	default:
		p.Picture.Others = grouped(n) + " more clusters " + many + ", and are not shown."
	}
}

// visibleText is text in which every character shows; the template escapes it.
func visibleText(text string) string { return topology.Visible(text) }

func visibleTexts(texts []string) []string {
	var all []string
	for _, t := range texts {
		all = append(all, shownName(t))
	}
	return all
}

// shownName is a name; of an empty one there would be nothing to see.
func shownName(text string) string {
	if strings.TrimSpace(text) == "" {
		text = `"` + text + `"`
	}
	return visibleText(text)
}
