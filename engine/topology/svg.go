package topology

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/mattn/go-runewidth"
)

const (
	margin   = 24
	gapX     = 16
	gapY     = 16
	rankGap  = 48 // between ranks, where arrows run
	mostWide = 10 // boxes side by side
	aside    = 32 // room of arrows beside boxes

	titleCell = 11  // room of a character of the title
	mostTitle = 960 // a longer title is cut
)

// SVG writes the topology as one picture that needs nothing else. Clusters that
// wait for others stand below them; all others follow as a grid.
func (t *Topology) SVG(w io.Writer) error {
	linked, alone := t.Split()
	d := &drawing{margin: margin, columns: mostWide, y: margin + 26}
	if t.changes() {
		d.y += 18
	}
	d.linked(sets(linked))
	if len(linked) > 0 && len(alone) > 0 {
		d.y += rankGap
	}
	d.grid(alone)
	if len(t.Clusters) == 0 {
		d.wide = margin + boxWide
		fmt.Fprintf(&d.b, `<text class="t-sub" x="%d" y="%d">Nothing to show.</text>`, margin, d.y+12)
		d.y += 18
	}
	if t.Others > 0 {
		d.y += 28
	}
	wide, high := max(d.wide+margin, 420, min(2*margin+titleCell*runewidth.StringWidth(Visible(t.Title)), mostTitle)), d.y+margin
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" class="t" role="img" aria-labelledby="t-title t-desc" width="%d" height="%d" viewBox="0 0 %d %d">`, wide, high, wide, high)
	fmt.Fprintf(out, "\n<title id=\"t-title\">%s</title>\n<desc id=\"t-desc\">%s</desc>\n<style>%s</style>\n", xmlText(t.Title), xmlText(t.description()), StandaloneStyle())
	fmt.Fprintf(out, `<rect class="t-page" width="%d" height="%d"/>`, wide, high)
	fmt.Fprintf(out, `<text class="t-title" x="%d" y="%d">%s</text>`+"\n", margin, margin+8, xmlText(fit(Visible(t.Title), (wide-2*margin)/titleCell)))
	if t.changes() {
		fmt.Fprintf(out, `<g transform="translate(%d %d)">%s</g>`+"\n", margin, margin+18, legendMarks())
	}
	out.WriteString(d.edges.String())
	out.WriteString(d.b.String())
	if others := t.others(); others != "" {
		fmt.Fprintf(out, `<text class="t-sub" x="%d" y="%d">%s</text>`+"\n", margin, high-margin, strings.TrimPrefix(others, "; "))
	}
	fmt.Fprintln(out, "</svg>")
	return out.Flush()
}

// Inline writes the clusters that wait for others, and those that they wait
// for, as a picture for a page that has the style, so many boxes wide at most; false: there are
// none. kinds are words by which the page finds a cluster's part: they stand in
// its attribute data-k.
func (t *Topology) Inline(w io.Writer, columns int, kinds func(*Cluster) string) (drawn bool, err error) {
	linked, _ := t.Split()
	if len(linked) == 0 {
		return false, nil
	}
	only := &Topology{Clusters: linked}
	d := &drawing{margin: 1, columns: columns, y: 1, kinds: kinds}
	d.linked(sets(linked))
	if t.Others > 0 {
		d.y += 28
	}
	wide, high := d.wide+1, d.y+1
	_, err = fmt.Fprintf(w, `<svg class="t t-order" role="img" aria-label="%s" width="%d" height="%d" viewBox="0 0 %d %d">%s%s</svg>`,
		xmlText("what waits for what: "+only.order()+". "+only.description()), wide, high, wide, high, d.edges.String(), d.b.String())
	return true, err
}

// Inline writes the cluster as a picture for a page that has the style.
func (c *Cluster) Inline(w io.Writer) error {
	body, high := c.box()
	_, err := fmt.Fprintf(w, `<svg class="t" role="img" aria-label="%s" width="%d" height="%d" viewBox="0 0 %d %d">%s</svg>`,
		xmlText(c.Sentence()), boxWide+2, high+2, boxWide+2, high+2, fmt.Sprintf(`<g transform="translate(1 1)">%s</g>`, body))
	return err
}

// description is what the picture shows, for those who do not see it; of many
// clusters it counts.
func (t *Topology) description() string {
	var parts []string
	for i := range t.Clusters[:min(len(t.Clusters), 20)] {
		parts = append(parts, t.Clusters[i].Sentence())
	}
	if more := len(t.Clusters) - 20; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more clusters", more))
	}
	return strings.Join(parts, ". ") + t.others()
}

// changes reports nodes that come or go.
func (t *Topology) changes() bool {
	for i := range t.Clusters {
		for _, g := range t.Clusters[i].Groups {
			if g.Before != nil && g.After != nil && *g.Before != *g.After {
				return true
			}
		}
	}
	return false
}

// order words the dependencies.
func (t *Topology) order() string {
	var parts []string
	for i := range t.Clusters {
		if c := &t.Clusters[i]; len(c.DependsOn) > 0 {
			parts = append(parts, c.Address+" after "+strings.Join(c.DependsOn, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// drawing is a picture that grows downwards.
type drawing struct {
	b, edges strings.Builder
	margin   int
	columns  int // at most
	kinds    func(*Cluster) string
	wide, y  int
}

// place is where a box stands.
type place struct{ x, y, high int }

// row draws boxes side by side and returns where they stand.
func (d *drawing) row(clusters []*Cluster, left int) []place {
	var places []place
	tallest := 0
	for n, c := range clusters {
		body, high := c.box()
		p := place{d.margin + left + n*(boxWide+gapX), d.y, high}
		kinds := ""
		if d.kinds != nil {
			kinds = ` data-k="` + xmlText(d.kinds(c)) + `"`
		}
		fmt.Fprintf(&d.b, `<g%s transform="translate(%d %d)"><title>%s</title>%s</g>`+"\n", kinds, p.x, p.y, xmlText(c.Sentence()), body)
		places = append(places, p)
		tallest = max(tallest, high)
		d.wide = max(d.wide, p.x+boxWide)
	}
	d.y += tallest
	return places
}

// grid draws clusters in rows, as wide as is good to look at.
func (d *drawing) grid(clusters []Cluster) {
	columns := int(math.Ceil(math.Sqrt(float64(len(clusters)))))
	columns = min(max(columns, 4), d.columns)
	for first := 0; first < len(clusters); first += columns {
		if first > 0 {
			d.y += gapY
		}
		var row []*Cluster
		for i := first; i < min(first+columns, len(clusters)); i++ {
			row = append(row, &clusters[i])
		}
		d.row(row, 0)
	}
}

// linked draws clusters that hang together, each such set by itself: sets side
// by side as far as there is room.
func (d *drawing) linked(sets [][]Cluster) {
	x, top, lowest := 0, d.y, d.y
	for _, set := range sets {
		ranks := layers(set)
		columns := 0
		for _, rank := range ranks {
			columns = max(columns, min(len(rank), d.columns))
		}
		if x > 0 && x+columns > d.columns {
			x, top = 0, lowest+rankGap
		}
		d.y = top
		d.ranks(ranks, x, columns)
		lowest = max(lowest, d.y)
		x += columns
	}
	d.y = lowest
}

// ranks draws clusters below those that they wait for, and the arrows.
func (d *drawing) ranks(ranks [][]*Cluster, column, columns int) {
	where := map[string]place{}
	for n, rank := range ranks {
		if n > 0 {
			d.y += rankGap
		}
		for first := 0; first < len(rank); first += columns {
			if first > 0 {
				d.y += gapY
			}
			row := rank[first:min(first+columns, len(rank))]
			left := column*(boxWide+gapX) + (columns-len(row))*(boxWide+gapX)/2
			for i, p := range d.row(row, left) {
				where[row[i].Address] = p
			}
		}
	}
	for _, rank := range ranks {
		for _, c := range rank {
			for _, first := range c.DependsOn {
				if from, ok := where[first]; ok && first != c.Address {
					d.arrow(from, where[c.Address])
				}
			}
		}
	}
}

// arrow leads from the lower edge of a box to the upper edge of another; boxes
// are drawn over it. Where all boxes stand in one column it goes around them.
func (d *drawing) arrow(from, to place) {
	if d.columns == 1 {
		x, y1, y2 := from.x+boxWide, from.y+from.high-22, to.y+22
		fmt.Fprintf(&d.edges, `<path class="t-edge" d="M%d %dC%d %d %d %d %d %d"/><path class="t-head" d="M%d %dl8 -5v10z"/>`+"\n",
			x, y1, x+aside, y1, x+aside, y2, x+6, y2, x, y2)
		d.wide = max(d.wide, x+aside)
		return
	}
	x1, y1 := from.x+boxWide/2, from.y+from.high
	x2, y2 := to.x+boxWide/2, to.y
	bend := max((y2-y1)/2, 20)
	fmt.Fprintf(&d.edges, `<path class="t-edge" d="M%d %dC%d %d %d %d %d %d"/><path class="t-head" d="M%d %dl-5 -8h10z"/>`+"\n",
		x1, y1, x1, y1+bend, x2, y2-bend, x2, y2-6, x2, y2)
}
