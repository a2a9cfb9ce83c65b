package render

import (
	"io"
	"strings"
)

// MarkdownLimit is how long a comment gets at most, in bytes of UTF-8. Forges
// count characters, code points or UTF-16 units, of which a text never has more
// than bytes; GitHub's limit of 65,536 is the lowest and leaves room for a line
// that a workflow adds.
const MarkdownLimit = 60_000

// keepFirst is how much of every section stands before the important ones
// get all the room there is.
const keepFirst = 10

// page is a comment: sections in the order of their importance.
type page struct {
	head, foot string
	sections   []*section
}

// section is a part of a page that may have to be cut.
type section struct {
	head, foot string
	items      []string // the most important first
	noun       string   // what an item is, for counting what is left out
	table      bool
	keep       int
}

// add puts a section to the page, unless it is empty.
func (p *page) add(s *section) {
	if len(s.items) > 0 {
		p.sections = append(p.sections, s)
	}
}

// write cuts what does not fit into limit and says so in its place.
func (p *page) write(w io.Writer, limit int) error {
	left := limit - len(p.head) - len(p.foot)
	for _, s := range p.sections {
		left -= len(s.head) + len(s.foot) + len(s.leftOut(len(s.items)))
	}
	for _, most := range []int{keepFirst, int(^uint(0) >> 1)} {
		for _, s := range p.sections {
			for s.keep < min(most, len(s.items)) && len(s.items[s.keep]) <= left {
				left -= len(s.items[s.keep])
				s.keep++
			}
		}
	}
	var b strings.Builder
	b.WriteString(p.head)
	for _, s := range p.sections {
		b.WriteString(s.head)
		for _, item := range s.items[:s.keep] {
			b.WriteString(item)
		}
		if more := len(s.items) - s.keep; more > 0 {
			b.WriteString(s.leftOut(more))
		}
		b.WriteString(s.foot)
	}
	b.WriteString(p.foot)
	_, err := io.WriteString(w, b.String())
	return err
}

// leftOut says how much of a section is missing.
func (s *section) leftOut(n int) string {
	text := "and " + count(n, "more "+s.noun) + ", left out to fit one comment"
	if s.table {
		return "\n*… " + text + ".*\n"
	}
	return "- *" + text + "*\n"
}

// list makes a section of bullet points.
func list(title, noun string, items []string) *section {
	s := &section{head: "\n### " + title + "\n\n", noun: noun}
	for _, item := range items {
		s.items = append(s.items, "- "+item+"\n")
	}
	return s
}

// tableOf makes a section of rows.
func tableOf(title, noun string, columns []string, rows [][]string) *section {
	s := &section{noun: noun, table: true}
	s.head = "\n### " + title + "\n\n| " + strings.Join(columns, " | ") + " |\n|" + strings.Repeat(" --- |", len(columns)) + "\n"
	for _, row := range rows {
		s.items = append(s.items, "| "+strings.Join(row, " | ")+" |\n")
	}
	return s
}

// folded makes a section of lists that readers open one by one. Together they
// get room bytes.
func folded(title, noun string, lists []fold, room int) *section {
	s := &section{head: "\n### " + title + "\n\n", noun: noun, table: true}
	for _, l := range lists {
		most, size := 0, 0
		for most < len(l.names) {
			if size += len(code(l.names[most])) + 2; size > room/len(lists) && most > 0 {
				break
			}
			most++
		}
		s.items = append(s.items, "<details><summary>"+l.summary+"</summary>\n\n"+l.lead+": "+codes(l.names, most)+"\n\n</details>\n")
	}
	return s
}

// fold is a list of names behind a line.
type fold struct {
	summary string // words and numbers of ours only: HTML
	lead    string // the text before the names: Markdown
	names   []string
}

// top is the beginning of every comment.
func top(c Comment, title string) string {
	return c.Marker() + "\n## " + title + "\n"
}

// bottom says how to see the same again.
func bottom(text, command string) string {
	if command != "" {
		text = strings.TrimSpace(text + " Reproduce with " + codeCommand(command))
	}
	if text == "" {
		return ""
	}
	return "\n---\n\n" + text + "\n"
}

// codeCommand is a command as a code span; it is not cut as early as names are.
func codeCommand(command string) string { return "`" + cut(visible(command), maxSentence) + "`" }
