package render

import (
	"io"
	"slices"
)

// MarkdownHistory writes requests as one comment. The newest stand first: they
// are what is kept where not all fit into MarkdownLimit bytes.
func MarkdownHistory(w io.Writer, h *History, c Comment) error {
	return markdownHistory(w, h, c, MarkdownLimit)
}

func markdownHistory(w io.Writer, h *History, c Comment, limit int) error {
	title := "No requests"
	if len(h.Requests) > 0 {
		title = count(len(h.Requests), "request") + ", the newest first"
	}
	out := &page{head: top(c, title), foot: bottom("", c.Command)}
	out.add(list("Not to be trusted", "fault", faultItems(h.Faults)))
	var rows [][]string
	for i := range slices.Backward(h.Requests) {
		r := &h.Requests[i]
		rows = append(rows, []string{code(stamp(r.When())), code(r.Address), code(r.deed()), code(r.ending()), codeOr(short(r.OpID)),
			codeOr(r.Who), codeOr(shortDigest(r.PlanDigest)), codeOr(r.RequestID), codeCommand(r.said())})
	}
	out.add(tableOf("Requests", "request", []string{"time", "address", "action", "verdict", "op", "who", "plan", "request", "detail"}, rows))
	return out.write(w, limit)
}

// MarkdownRequest writes everything that is known of one request.
func MarkdownRequest(w io.Writer, r *Request, c Comment) error {
	out := &page{head: top(c, "One request: "+code(r.Address)+", "+code(r.ending())), foot: bottom("", c.Command)}
	rows := [][]string{{"action", code(r.deed())}}
	for _, f := range r.facts() {
		rows = append(rows, []string{f.name, codeCommand(f.text)})
	}
	out.add(tableOf("Details", "fact", []string{"what", "is"}, rows))
	return out.write(w, MarkdownLimit)
}

func faultItems(faults []Fault) []string {
	var items []string
	for _, f := range faults {
		items = append(items, codeCommand(f.Message))
	}
	return items
}

func codeOr(text string) string {
	if text == "" {
		return "–"
	}
	return code(text)
}
