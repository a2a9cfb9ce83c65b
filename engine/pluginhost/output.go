package pluginhost

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// What is kept of a plugin's output. A flood costs this much and no more.
const (
	keptLines  = 20
	keptBytes  = 1 << 10 // of a line, when shown
	lineLimit  = 4 << 10 // of a line, when read; the rest is dropped
	firstLimit = 64 << 10
	// minSecret is the length from which a value is worth hiding: shorter
	// ones would blank ordinary words.
	minSecret = 8
)

// output keeps the last lines of a plugin.
type output struct {
	log     func(line string)
	secrets *secrets

	mu    sync.Mutex
	lines []string
}

// add takes one raw line.
func (o *output) add(line string) {
	line = o.secrets.hide(clean(line))
	if len(line) > keptBytes {
		line = strings.ToValidUTF8(line[:keptBytes], "") + "…"
	}
	if strings.TrimSpace(line) == "" {
		return
	}
	o.mu.Lock()
	if len(o.lines) == keptLines {
		o.lines = slices.Delete(o.lines, 0, 1)
	}
	o.lines = append(o.lines, line)
	o.mu.Unlock()
	if o.log != nil {
		o.log(line)
	}
}

// last is the kept lines, oldest first.
func (o *output) last() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lines)
}

// lineWriter cuts what one stream writes into lines. exec's goroutine for the
// stream is its only caller until the process has ended.
type lineWriter struct {
	add  func(line string)
	line []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part, after, whole := bytes.Cut(rest, []byte("\n"))
		w.line = append(w.line, part[:min(len(part), lineLimit-len(w.line))]...)
		rest = after
		if whole {
			w.flush()
		}
	}
	return len(p), nil
}

// flush takes what stands there as a line.
func (w *lineWriter) flush() {
	if len(w.line) > 0 {
		w.add(string(w.line))
		w.line = w.line[:0]
	}
}

// firstLine is a plugin's stdout: the first line is the handshake, whatever
// follows is output like any other.
type firstLine struct {
	rest  *lineWriter
	line  []byte
	done  bool
	ready chan struct{} // closed when line is complete
}

func (f *firstLine) Write(p []byte) (int, error) {
	if f.done {
		return f.rest.Write(p)
	}
	part, after, whole := bytes.Cut(p, []byte("\n"))
	f.line = append(f.line, part[:min(len(part), firstLimit-len(f.line))]...)
	if whole || len(f.line) == firstLimit {
		f.end()
		if _, err := f.rest.Write(after); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// end lets readers have what there is.
func (f *firstLine) end() {
	if !f.done {
		f.done = true
		close(f.ready)
	}
}

// escapes are terminal control sequences: a plugin must not recolour, retitle
// or rewrite the screen of whoever reads its error.
var escapes = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])`)

// clean leaves printable text of a line.
func clean(line string) string {
	line = escapes.ReplaceAllString(strings.ToValidUTF8(line, "\uFFFD"), "")
	return strings.TrimRight(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return -1
	}, line), " ")
}

// secrets are the values that a plugin was given and that must not come back
// in anything it prints or answers.
type secrets struct {
	mu    sync.RWMutex
	forms []string // longest first, so that no part of one is left over
}

// know adds values, in the forms in which they turn up in URLs and JSON.
func (s *secrets) know(values map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, value := range values {
		for line := range strings.Lines(value) {
			line = strings.TrimSpace(line)
			if len(line) < minSecret {
				continue
			}
			quoted, err := json.Marshal(line)
			if err != nil {
				quoted = nil
			}
			for _, form := range []string{line, url.QueryEscape(line), url.PathEscape(line), strings.Trim(string(quoted), `"`)} {
				if form != "" && !slices.Contains(s.forms, form) {
					s.forms = append(s.forms, form)
				}
			}
		}
	}
	slices.SortFunc(s.forms, func(a, b string) int { return len(b) - len(a) })
}

func (s *secrets) hide(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, form := range s.forms {
		text = strings.ReplaceAll(text, form, "[secret]")
	}
	return text
}
