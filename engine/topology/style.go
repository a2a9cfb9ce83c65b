package topology

import "strings"

// palette are the colours, on light and on dark ground.
var palette = []struct{ name, light, dark string }{
	{"page", "#ffffff", "#14171c"},
	{"ground", "#f5f6f8", "#14171c"}, // of a page around the pictures
	{"focus", "#0b66d8", "#6cb0ff"},
	{"box", "#ffffff", "#1c2027"},
	{"line", "#d5d9e0", "#363c47"},
	{"text", "#1b1f26", "#e6e9ee"},
	{"dim", "#5b6472", "#9aa4b2"},
	{"kept", "#aab2bf", "#596273"},
	{"green", "#1a7f37", "#57ab5a"},
	{"greenpale", "#dafbe1", "#1f3a27"},
	{"amber", "#9a6700", "#d4a72c"},
	{"red", "#c62828", "#ff7b72"},
	{"redpale", "#ffebe9", "#46211f"},
}

// rules are the style; $name is a colour.
const rules = `.t{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","PingFang SC","Microsoft YaHei",sans-serif}
.t text{fill:$text;font-size:11px}
.t-page{fill:$page}
.t .t-title{font-size:18px;font-weight:600}
.t-box{fill:$box;stroke:$line}
.t-bar{fill:$kept}
.t-bar.t-created{fill:$green}.t-bar.t-changed{fill:$amber}.t-bar.t-removed,.t-bar.t-blocked,.t-bar.t-denied{fill:$red}
.t-box.t-blocked,.t-box.t-denied,.t-box.t-removed{stroke:$red}
.t-box.t-unread{stroke-dasharray:4 3}
.t .t-name{font-size:13px;font-weight:600;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.t .t-sub,.t .t-note,.t .t-many{fill:$dim}
.t .t-role{font-size:12px;font-weight:600}
.t .t-count{font-size:12px;text-anchor:end}
.t-created .t-mark,.t-name.t-created .t-mark{fill:$green}
.t-changed .t-mark{fill:$amber}
.t-removed .t-mark,.t-blocked .t-mark,.t-denied .t-mark{fill:$red}
.t-unread .t-mark{fill:$dim}
.t-created .t-now,.t-removed .t-now{font-weight:700}
.t-kept{fill:$kept}
.t-add{fill:$greenpale;stroke:$green}
.t-gone{fill:$redpale;stroke:$red}
.t .t-no{fill:$red}
.t-edge{fill:none;stroke:$dim;stroke-width:1.5}
.t-head{fill:$dim}
`

// StandaloneStyle is the style of a picture by itself. It names colours and no
// variables, which many programs that draw SVG do not know.
func StandaloneStyle() string {
	return fill(func(i int) string { return palette[i].light }) +
		"@media (prefers-color-scheme:dark){\n" + fill(func(i int) string { return palette[i].dark }) + "}\n"
}

// PageStyle is the style of pictures in a page. The page may choose the colours
// by the variables of LightColours and DarkColours.
func PageStyle() string {
	return fill(func(i int) string { return "var(--t-" + palette[i].name + ")" })
}

// LightColours and DarkColours set the variables of PageStyle.
func LightColours() string { return colours(func(i int) string { return palette[i].light }) }

// DarkColours are those for dark ground.
func DarkColours() string { return colours(func(i int) string { return palette[i].dark }) }

func colours(of func(int) string) string {
	var b strings.Builder
	for i, p := range palette {
		b.WriteString("--t-" + p.name + ":" + of(i) + ";")
	}
	return b.String()
}

func fill(colour func(int) string) string {
	var pairs []string
	for i := range palette {
		pairs = append(pairs, "$"+palette[i].name+";", colour(i)+";", "$"+palette[i].name+"}", colour(i)+"}")
	}
	return strings.NewReplacer(pairs...).Replace(rules)
}
