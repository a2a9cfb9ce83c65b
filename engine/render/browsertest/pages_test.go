//go:build browser

package browsertest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/render"
	"github.com/clusterctl/clusterctl/engine/topology"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

func planPage(t *testing.T, p *engine.Plan) string {
	return page(t, func(b *strings.Builder) error { return render.HTMLPlan(b, p, about) })
}

const pressed = `Array.from(document.querySelectorAll(".chip[aria-pressed=true]")).map(c => c.dataset.kind).join(" ")`

// TestFilter: by text and by kind of change, with the mouse and with the
// keyboard.
func TestFilter(t *testing.T) {
	p := open(t, "plan.html", planPage(t, prodPlan()))
	is(p, seen("#actions tbody tr"), 7)
	is(p, seen("#removals li"), 2)
	is(p, `document.getElementById("found").textContent`, "")

	p.do(click(`[data-kind=scale_in]`))
	is(p, pressed, "scale_in")
	is(p, seen("#actions tbody tr"), 2)
	is(p, seen("#denied"), 0)
	is(p, `document.querySelectorAll(".order:not(.slim) g.off").length`, 3) // the picture stays whole and shows what fits
	is(p, seen(".box"), 0)
	is(p, `document.getElementById("found").textContent`, "Found 2 in “Nodes removed”, 2 in “Actions”, 2 in “Clusters before and after”.")
	p.do(click(`[data-kind=blocked]`))
	is(p, seen("#actions tbody tr"), 2)
	is(p, seen("#blocked li"), 1)
	is(p, seen(".box"), 1)
	p.do(click(`#clear`))
	is(p, pressed, "")
	is(p, seen("#actions tbody tr"), 7)

	// A slash leads to the filter; it looks into what is folded; Escape empties it.
	p.do(chromedp.KeyEvent("/"))
	is(p, `document.activeElement.id`, "q")
	p.do(script(`document.activeElement.value = ""`)) // the protocol types a character that a person's key would not
	p.do(chromedp.KeyEvent("ORDERADD-wq81x"))
	is(p, seen("#actions tbody tr"), 1)
	is(p, `document.querySelector("#actions .n").textContent`, "1 of 7")
	p.do(chromedp.KeyEvent(" nowhere"))
	is(p, `document.getElementById("found").textContent`, "Nothing matches.")
	is(p, seen("section"), 3) // guards, warnings and what others keep are not filtered
	p.do(chromedp.KeyEvent(kb.Escape))
	is(p, seen("#actions tbody tr"), 7)

	// From the filter on with the tabulator; a button takes the space bar.
	p.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(" "))
	is(p, pressed, "scale_in")
	is(p, `getComputedStyle(document.activeElement).outlineStyle`, "solid")
}

// TestDetails: closed at first; all at once, one by one, and for printing.
func TestDetails(t *testing.T) {
	p := open(t, "plan.html", planPage(t, prodPlan()))
	is(p, `document.querySelectorAll("details[open]").length`, 0)
	is(p, seen("#actions .fields li"), 0)
	p.do(click(`#actions tbody tr summary`))
	is(p, `document.querySelectorAll("details[open]").length`, 1)
	p.do(click(`#unfold`))
	is(p, `document.querySelectorAll("details:not([open])").length`, 0)
	is(p, `document.getElementById("unfold").textContent`, "Close all details")
	p.do(click(`#unfold`))
	is(p, `document.querySelectorAll("details[open]").length`, 0)
	p.do(script(`dispatchEvent(new Event("beforeprint"))`), paper())
	is(p, `document.querySelectorAll("details:not([open])").length`, 0)
	is(p, seen(".filter, #theme, .views"), 0)
	p.shot("print", true)
	p.do(script(`dispatchEvent(new Event("afterprint"))`))
	is(p, `document.querySelectorAll("details[open]").length`, 0)
}

// TestBeforeAndAfter: the picture shows the nodes of either.
func TestBeforeAndAfter(t *testing.T) {
	p := open(t, "plan.html", planPage(t, prodPlan()))
	for _, v := range []struct {
		view        string
		added, gone bool
	}{{"before", false, true}, {"after", true, false}, {"both", true, true}} {
		p.do(click(`button[data-view=` + v.view + `]`))
		is(p, seen("#picture section, #picture .boxes .t-add, #picture .order .t-add")+" > 0", v.added)
		is(p, seen("#picture .boxes .t-gone, #picture .order .t-gone")+" > 0", v.gone)
		is(p, `document.querySelector("button[data-view=`+v.view+`]").getAttribute("aria-pressed")`, "true")
	}
}

// TestThemes: as the system prefers, and as the reader says; every text has
// enough contrast.
func TestThemes(t *testing.T) {
	const ground = `getComputedStyle(document.body).backgroundColor`
	const light, dark = "rgb(245, 246, 248)", "rgb(20, 23, 28)"
	p := open(t, "plan.html", planPage(t, prodPlan()), scheme("light"))
	is(p, ground, light)
	is(p, faint, "")
	p.shot("plan-light", true)
	p.do(scheme("dark"))
	is(p, ground, dark)
	is(p, faint, "")
	p.shot("plan-dark", true)
	p.do(click("#theme"))
	is(p, ground, dark)
	p.do(click("#theme"))
	is(p, ground, light)
	is(p, `document.getElementById("theme").textContent`, "Theme: light")
	p.do(scheme("light"), click("#theme"))
	is(p, ground, light)
	p.do(click("#theme"))
	is(p, ground, dark)
}

// faint names texts whose contrast is below 4.5, the least that WCAG 2 asks for
// (success criterion 1.4.3).
const faint = `(() => {
	const rgb = (c) => c.match(/[\d.]+/g).map(Number);
	const lum = (c) => { const [r, g, b] = rgb(c).slice(0, 3).map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
	const below = (e) => { for (; e; e = e.parentElement) { const svg = e.tagName === "g" && e.querySelector(":scope > .t-box"); if (svg) return getComputedStyle(svg).fill; const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] !== 0) return c; } return "rgb(255,255,255)"; };
	const bad = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; (n = walk.nextNode());) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.checkVisibility() || ["SCRIPT", "STYLE", "title"].includes(e.tagName)) continue;
		const style = getComputedStyle(e), text = e.namespaceURI.endsWith("svg") ? style.fill : style.color;
		const [a, b] = [lum(text), lum(below(e))].sort((x, y) => y - x);
		if ((a + .05) / (b + .05) < 4.5) bad.push(n.data.trim() + " " + ((a + .05) / (b + .05)).toFixed(2));
	}
	return bad.join("; ");
})()`

// TestNarrow: on a telephone nothing has to be scrolled sideways, and every
// cell says what it is.
func TestNarrow(t *testing.T) {
	for name, content := range map[string]string{
		"plan": planPage(t, prodPlan()),
		"diff": page(t, func(b *strings.Builder) error { return render.HTMLReview(b, template(40), nil, about) }),
		"apply": page(t, func(b *strings.Builder) error {
			return render.HTMLResult(b, prodResult(), prodPlan(), render.Comment{Name: "apply plan.json"})
		}),
		"spec":    page(t, func(b *strings.Builder) error { return render.HTMLSpec(b, topology.OfSpec(spec(12)), about) }),
		"hostile": planPage(t, hostilePlan()),
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, name+".html", content, window(400, 800))
			is(p, `document.documentElement.scrollWidth`, 400)
			is(p, `Math.max(...Array.from(document.querySelectorAll("section, .tiles li, td, button, svg")).filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect().right)) <= 400`, true)
			p.do(script(`document.querySelectorAll("details").forEach(d => { d.open = true; })`))
			is(p, `document.documentElement.scrollWidth`, 400)
			p.do(script(`document.querySelectorAll("details").forEach(d => { d.open = false; })`))
			p.shot(name+"-narrow", true)
		})
	}
}

// TestThousand: what is shown at first is what one can look at; the filter finds
// each cluster, and all of them show on demand and on paper.
func TestThousand(t *testing.T) {
	content := planPage(t, manyActions(1000))
	t.Logf("a plan of 1,000 clusters: %d bytes", len(content))
	p := open(t, "thousand.html", content)
	is(p, `document.querySelectorAll("#actions tbody tr").length`, 1000)
	is(p, seen("#actions tbody tr"), 100)
	is(p, seen(".box"), 60)
	is(p, `document.querySelector("#actions .rest").textContent`, "Show all 1,000")
	p.shot("thousand", false)
	p.do(write("cluster-0777"))
	is(p, seen("#actions tbody tr"), 1)
	is(p, seen(".box"), 1)
	is(p, `document.querySelector("#actions .n").textContent`, "1 of 1,000")
	p.shot("thousand-filtered", false)
	p.do(click("#clear"), click("[data-kind=scale_in]"))
	is(p, seen("#actions tbody tr"), 100)
	is(p, `document.querySelector("#actions .n").textContent`, "100 of 1,000")
	p.do(click("#clear"), click("#actions .rest"))
	is(p, seen("#actions tbody tr"), 1000)
	is(p, seen("#actions .rest"), 0)
	is(p, seen(".box"), 60)
	p.do(paper())
	is(p, seen(".box"), 1000)
}

// TestDiff: a line of a template that reaches 1,000 clusters is one row, which
// the filter finds by any of them.
func TestDiff(t *testing.T) {
	content := page(t, func(b *strings.Builder) error { return render.HTMLReview(b, template(1000), nil, about) })
	t.Logf("a review of 1,000 clusters: %d bytes", len(content))
	p := open(t, "diff.html", content)
	is(p, seen("#lines tbody tr"), 3)
	is(p, `document.querySelector("#lines tbody tr:nth-child(3) strong").textContent`, "1,000 clusters")
	p.shot("diff", false)
	p.do(write("cluster-0999"))
	is(p, seen("#lines tbody tr"), 1)
	is(p, seen("#clusters tbody tr"), 1)
	is(p, seen(".box"), 1)
	p.do(click("#clear"), click("[data-kind=blocked]"))
	is(p, seen(".box"), 1)
	is(p, `document.querySelector(".box:not([hidden]) svg").getAttribute("aria-label")`, "stuck (qc/hpc), blocked; vxnet vxnet-1 → vxnet-2")
}

// TestOutcomes: a result tells first what did not go well.
func TestOutcomes(t *testing.T) {
	content := page(t, func(b *strings.Builder) error {
		return render.HTMLResult(b, prodResult(), prodPlan(), render.Comment{Name: "apply plan.json"})
	})
	p := open(t, "apply.html", content, scheme("dark"))
	is(p, `document.querySelector("main section h2").firstChild.data.trim()`, "Outcome unknown: sent, and not settled")
	is(p, faint, "")
	p.shot("apply-dark", true)
	p.do(click("[data-kind=unknown]"))
	is(p, seen("#actions tbody tr"), 1)
}

// TestSpecPage: the fleet and what comes first.
func TestSpecPage(t *testing.T) {
	p := open(t, "spec.html", page(t, func(b *strings.Builder) error { return render.HTMLSpec(b, topology.OfSpec(spec(40)), about) }), scheme("light"))
	is(p, seen("#clusters tbody tr"), 40)
	is(p, seen(".order g[data-k]"), 12)
	is(p, seen(".box"), 28)
	is(p, faint, "")
	p.shot("spec", true)
	p.do(write("cluster-0003"))
	is(p, `document.querySelectorAll(".order:not(.slim) g.off").length`, 11)
}

// TestPictures: the pictures by themselves, as a browser shows them.
func TestPictures(t *testing.T) {
	plan := topology.OfPlan(prodPlan())
	plan.Title = "Plan: 2 removals (26 nodes), 1 create, 2 scale-outs, 2 resizes"
	for name, picture := range map[string]*topology.Topology{"plan": plan, "one": topology.OfSpec(spec(1)), "forty": topology.OfSpec(spec(40)), "thousand": topology.OfSpec(spec(1000)), "none": topology.OfSpec(nil)} {
		t.Run(name, func(t *testing.T) {
			p := open(t, name+".svg", page(t, func(b *strings.Builder) error { return picture.SVG(b) }), scheme("light"))
			is(p, `document.documentElement.getAttribute("role")`, "img")
			is(p, `document.querySelectorAll("rect.t-box").length`, len(picture.Clusters))
			// No text leaves its box.
			is(p, `Array.from(document.querySelectorAll("g")).filter(g => g.querySelector(":scope > .t-box")).filter(g => { const b = g.querySelector(".t-box").getBoundingClientRect(); return Array.from(g.querySelectorAll("text")).some(t => { const r = t.getBoundingClientRect(); return r.right > b.right || r.bottom > b.bottom; }); }).length`, 0)
			if name == "thousand" {
				p.do(window(2800, 1600))
			}
			p.shot("svg-"+name, name != "thousand")
			p.do(scheme("dark"))
			is(p, `getComputedStyle(document.querySelector(".t-page")).fill`, "rgb(20, 23, 28)")
			p.shot("svg-"+name+"-dark", name != "thousand")
		})
	}
}

// TestWithoutScript: the page is whole, and offers nothing that would not work.
func TestWithoutScript(t *testing.T) {
	p := open(t, "plan.html", planPage(t, manyActions(200)), call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	is(p, seen("#actions tbody tr"), 200)
	is(p, seen(".box"), 200)
	is(p, seen("button, input"), 0)
}

func hostilePlan() *engine.Plan {
	p := prodPlan()
	a := &p.Actions[0]
	a.Address, a.Cluster, a.Group, a.Risk, a.Reason, a.Source = hostile, hostile, hostile, hostile, hostile, hostile
	a.Removes = []provider.NodeRef{{ID: hostile, Name: hostile}}
	a.Fields = append(a.Fields, provider.FieldChange{Path: hostile, Before: hostile, After: []any{hostile}})
	p.Denied[0].Reason, p.Warnings[0], p.Unread[0].Reason, p.Blocked[0].Address = hostile, hostile, hostile, hostile
	p.Digest, p.OpenIntents[0].Reason = hostile, strings.Repeat("x", 3000)
	name, _ := json.Marshal(hostile)
	p.Clusters[0] = planned(hostile, hostile, `{`+string(name)+`:{"count":3}}`, "login")
	return p
}

// TestHostile: what stands in names stays text.
func TestHostile(t *testing.T) {
	content := page(t, func(b *strings.Builder) error {
		return render.HTMLPlan(b, hostilePlan(), render.Comment{Name: hostile, Command: hostile})
	})
	p := open(t, "hostile.html", content)
	is(p, `document.title.startsWith("Plan: 2 removals")`, true)
	is(p, `document.querySelectorAll("img, a:not([href^='#']), iframe, object, embed, link:not([rel=icon]), script:not(:last-of-type)").length`, 0)
	is(p, `document.scripts.length`, 1)
	is(p, `Array.from(document.querySelectorAll("*")).filter(e => e.getAttributeNames().some(n => n.startsWith("on") || n === "style" || n === "src")).length`, 0)
	is(p, `Array.from(document.querySelectorAll("#actions tbody code")).some(c => c.textContent.startsWith("</script><script>"))`, true)
	p.do(write("</script>"))
	is(p, seen("#actions tbody tr")+" > 0", true)
	svg := open(t, "hostile.svg", page(t, func(b *strings.Builder) error { return topology.OfPlan(hostilePlan()).SVG(b) }))
	is(svg, `document.querySelectorAll("script, image, a, foreignObject").length`, 0)
}

// TestPolicy: even what got into the page as markup could run nothing and ask
// nobody.
func TestPolicy(t *testing.T) {
	asked := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer server.Close()
	content := strings.Replace(planPage(t, prodPlan()), "<main>", `<main><script>document.title="owned"</script><img src="`+server.URL+`/img" onerror="document.title='owned'"><link rel="stylesheet" href="`+server.URL+`/css"><script src="`+server.URL+`/js"></script><style>h1{display:none}</style>`, 1)
	p := raw(t, "broken.html", content)
	is(p, `document.title.startsWith("Plan")`, true)
	is(p, seen("h1"), 1)
	is(p, seen("#actions tbody tr"), 7) // our own script ran
	select {
	case path := <-asked:
		t.Errorf("the page asked for %s", path)
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.said) < 4 {
		t.Errorf("the browser reported %v", p.said)
	}
}
