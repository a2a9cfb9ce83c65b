package topology

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func svgOf(t *testing.T, topo *Topology) string {
	t.Helper()
	var b strings.Builder
	if err := topo.SVG(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func dotOf(t *testing.T, topo *Topology) string {
	t.Helper()
	var b strings.Builder
	if err := topo.DOT(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func titled(topo *Topology, title string) *Topology {
	topo.Title = title
	return topo
}

// TestGolden: the pictures, byte by byte, whatever the order of what is given.
func TestGolden(t *testing.T) {
	for name, make := range map[string]func() *Topology{
		"plan": func() *Topology { return titled(OfPlan(aPlan()), "Plan: 2 removals (32 nodes)") },
		"review": func() *Topology {
			return titled(OfReview(aReview(), map[string][]string{"a": {"b"}}), "6 clusters differ")
		},
		"spec": func() *Topology { return OfSpec(aFleet(14)) },
		"none": func() *Topology { return OfSpec(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			svg, dot := svgOf(t, make()), dotOf(t, make())
			golden(t, name+".svg", svg)
			golden(t, name+".dot", dot)
			for range 3 {
				if svgOf(t, make()) != svg || dotOf(t, make()) != dot {
					t.Fatal("the same input gives other bytes")
				}
			}
			if err := soundSVG(svg); err != nil {
				t.Error(err)
			}
			if err := soundDOT(dot); err != nil {
				t.Error(err)
			}
		})
	}
	turned := aFleet(14)
	slices.Reverse(turned)
	if diff := cmp.Diff(svgOf(t, OfSpec(aFleet(14))), svgOf(t, OfSpec(turned))); diff != "" {
		t.Error(diff)
	}
}

// TestSizes: pictures are no wider than a screen or two, and hold every cluster
// inside.
func TestSizes(t *testing.T) {
	for _, n := range []int{1, 40, 1000} {
		svg := svgOf(t, OfSpec(aFleet(n)))
		var wide, high int
		if _, err := fmt.Sscanf(regexp.MustCompile(`viewBox="0 0 (\d+ \d+)"`).FindStringSubmatch(svg)[1], "%d %d", &wide, &high); err != nil {
			t.Fatal(err)
		}
		if wide > margin*2+mostWide*(boxWide+gapX) || n == 1 && high > 250 {
			t.Errorf("%d clusters: %d × %d", n, wide, high)
		}
		boxes := regexp.MustCompile(`<g transform="translate\((\d+) (\d+)\)"><title>.*?<rect class="t-box t-unchanged" width="248" height="(\d+)"`).FindAllStringSubmatch(svg, -1)
		if len(boxes) != n {
			t.Errorf("%d boxes of %d", len(boxes), n)
		}
		type at struct{ x, y int }
		seen := map[at]bool{}
		for _, b := range boxes {
			var x, y, h int
			if _, err := fmt.Sscan(b[1], &x); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Sscan(b[2]+" "+b[3], &y, &h); err != nil {
				t.Fatal(err)
			}
			if x+boxWide > wide || y+h > high || seen[at{x, y}] {
				t.Errorf("a box at %d, %d is outside of %d × %d, or covers another", x, y, wide, high)
			}
			seen[at{x, y}] = true
		}
		t.Logf("%d clusters: %d × %d, %d bytes of SVG", n, wide, high, len(svg))
	}
}

// TestNodes: nodes one by one up to forty, then as numbers; never by colour
// alone.
func TestNodes(t *testing.T) {
	num := func(n int64) *int64 { return &n }
	for name, tc := range map[string]struct {
		group            Group
		kept, plus, gone int // squares
		text             string
	}{
		"grows":       {Group{Role: "core", Change: Changed, Before: num(3), After: num(5)}, 3, 2, 0, "+ core3 → 5 nodes"},
		"shrinks":     {Group{Role: "core", Change: Changed, Before: num(10), After: num(8)}, 8, 0, 2, "− core10 → 8 nodes"},
		"as it was":   {Group{Role: "core", Change: Unchanged, Before: num(4), After: num(4)}, 4, 0, 0, "core4 nodes"},
		"forty":       {Group{Role: "core", Change: Changed, Before: num(39), After: num(40)}, 39, 1, 0, "+ core39 → 40 nodes"},
		"more":        {Group{Role: "core", Change: Changed, Before: num(41), After: num(40)}, 0, 0, 0, "− core41 → 40 nodes−1 removed · 40 kept"},
		"many":        {Group{Role: "core", Change: Unchanged, After: num(900)}, 0, 0, 0, "core900 nodes"},
		"new":         {Group{Role: "core", Change: Created, Before: num(0), After: num(2)}, 0, 2, 0, "+ core2 nodes"},
		"none":        {Group{Role: "core", Change: Unchanged, After: num(0)}, 0, 0, 0, "core0 nodes"},
		"not counted": {Group{Role: "core", Change: Unchanged}, 0, 0, 0, "core"},
		"a band":      {Group{Role: "core", Change: Unchanged, Band: "2 to 8"}, 0, 0, 0, "core2 to 8 nodes"},
		"blocked":     {Group{Role: "core", Change: Blocked, Before: num(6), After: num(4), Refused: "blocked: it only grows"}, 4, 0, 2, "! core6 → 4 nodesblocked: it only grows"},
		"negative":    {Group{Role: "core", Change: Changed, Before: num(-5), After: num(3)}, 0, 0, 0, "+ core-5 → 3 nodes"},
	} {
		var b strings.Builder
		tc.group.draw(&b, 0)
		kept, plus, gone := strings.Count(b.String(), "h9v9h-9z"), strings.Count(b.String(), "m-2 -2v4"), strings.Count(b.String(), "m0 -4l-4 4")
		if kept -= plus + gone; kept != tc.kept || plus != tc.plus || gone != tc.gone {
			t.Errorf("%s: %d kept, %d added, %d gone", name, kept, plus, gone)
		}
		text := regexp.MustCompile(`<title>.*?</title>|<[^>]*>`).ReplaceAllString(b.String(), "")
		if text != tc.text {
			t.Errorf("%s: %q, want %q", name, text, tc.text)
		}
	}
}

// TestInline: parts of pages hold the clusters once each, and bring no style.
func TestInline(t *testing.T) {
	topo := OfPlan(aPlan())
	var b strings.Builder
	drawn, err := topo.Inline(&b, 4, func(c *Cluster) string { return "kind-of-" + c.Address })
	if err != nil || !drawn || strings.Contains(b.String(), "<style") {
		t.Fatalf("drawn %v, %v: %s", drawn, err, b.String())
	}
	linked, alone := topo.Split()
	if len(linked)+len(alone) != len(topo.Clusters) || len(linked) != 4 {
		t.Errorf("%d linked, %d alone", len(linked), len(alone))
	}
	for _, c := range linked {
		if strings.Count(b.String(), `data-k="kind-of-`+c.Address+`"`) != 1 {
			t.Errorf("%s is not there once", c.Address)
		}
	}
	if n := strings.Count(b.String(), `class="t-edge"`); n != 2 {
		t.Errorf("%d arrows", n)
	}
	if drawn, err := OfSpec(aFleet(2)).Inline(io.Discard, 4, nil); drawn || err != nil {
		t.Errorf("drawn %v, %v", drawn, err)
	}
	b.Reset()
	if err := alone[0].Inline(&b); err != nil {
		t.Fatal(err)
	}
	if err := soundSVG(b.String()); err != nil {
		t.Error(err)
	}
}

// TestColours: every colour that the rules name is in the palette, and every one
// of the palette is used by them or by pages.
func TestColours(t *testing.T) {
	for name, style := range map[string]string{"alone": StandaloneStyle(), "page": PageStyle()} {
		if i := strings.IndexByte(style, '$'); i >= 0 {
			t.Errorf("%s: no colour for %.20s", name, style[i:])
		}
	}
	if n := strings.Count(StandaloneStyle(), "var("); n != 0 {
		t.Errorf("%d variables, which many programs do not know", n)
	}
	seen := map[string]bool{}
	for _, p := range palette {
		seen[p.name] = true
		for _, colour := range []string{p.light, p.dark} {
			if !regexp.MustCompile(`^#[0-9a-f]{6}$`).MatchString(colour) {
				t.Errorf("%s is %s", p.name, colour)
			}
		}
	}
	if len(seen) != len(palette) {
		t.Errorf("names twice: %v", slices.Sorted(maps.Keys(seen)))
	}
}
