package topology

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/clusterctl/clusterctl/engine"
)

// Visible is text on one line in which every character shows: line ends, other
// controls, and what turns or hides characters are written out, as in \u202e.
func Visible(text string) string {
	clean := true
	for _, r := range text {
		if r < ' ' || r > '~' {
			clean = false
			break
		}
	}
	if clean {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// value prints a value of a spec; what is not stated is a dash.
func value(v any) string {
	switch v := v.(type) {
	case nil:
		return "–"
	case string:
		return v
	case engine.Band:
		return bandText(v)
	case engine.Budget:
		return v.String()
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(b)
}

// bandText is a range of counts: "2 to 8".
func bandText(b engine.Band) string { return fmt.Sprintf("%d to %d", b.Min, b.Max) }

// xmlText is text inside an element or a quoted attribute.
func xmlText(text string) string { return xmlReplacer.Replace(Visible(text)) }

var xmlReplacer = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")
