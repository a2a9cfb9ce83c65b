package render

import (
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
)

// screen is a small terminal: it wraps lines at its width, wraps them anew when
// the width changes, and knows the escapes that this package writes.
type screen struct {
	width   int
	lines   []string // as written, wrapped only when shown
	row     int      // of the cursor, counted in shown rows from the top
	written []string
}

func (s *screen) Write(b []byte) (int, error) {
	s.written = append(s.written, string(b))
	for text := string(b); text != ""; {
		if strings.HasPrefix(text, "\x1b[") {
			end := strings.IndexAny(text, "AJKm")
			switch n, _ := strconv.Atoi(text[2:end]); text[end] {
			case 'A':
				s.row -= n
			case 'J':
				s.erase()
			}
			text = text[end+1:]
			continue
		}
		end := strings.IndexAny(text+"\x1b", "\n\r\x1b")
		s.put(text[:end])
		if end < len(text) && text[end] == '\n' {
			s.lines = append(s.lines, "")
			s.row = len(s.rows()) - 1
		}
		if end < len(text) && text[end] != '\x1b' {
			end++
		}
		text = text[end:]
	}
	return len(b), nil
}

// put writes at the end: nothing of ours writes into the middle.
func (s *screen) put(text string) {
	if text == "" {
		return
	}
	if len(s.lines) == 0 {
		s.lines = []string{""}
	}
	s.lines[len(s.lines)-1] += text
	s.row = len(s.rows()) - 1
}

// erase takes everything from the cursor's row on.
func (s *screen) erase() {
	rows := 0
	for i, line := range s.lines {
		if rows == s.row {
			s.lines = append(s.lines[:i], "")
			return
		}
		rows += len(s.wrapped(line))
	}
}

func (s *screen) resize(width int) {
	s.width = width
	s.row = len(s.rows()) - 1
}

func (s *screen) wrapped(line string) []string {
	return strings.Split(runewidth.Wrap(line, s.width), "\n")
}

// rows is what the terminal shows.
func (s *screen) rows() []string {
	var rows []string
	for _, line := range s.lines {
		rows = append(rows, s.wrapped(line)...)
	}
	return rows
}

func (s *screen) String() string {
	return strings.TrimRight(strings.Join(s.rows(), "\n"), "\n")
}
