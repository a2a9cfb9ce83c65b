package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
)

// NewEntry describes an account that no spec names yet.
type NewEntry struct {
	Name   string
	Plugin string
	// Settings by path, as in "region" or "credentials.access_key_id.env",
	// and as typed: whether a value is a number or text is the schema's to say.
	Settings map[string]string
}

// add judges a new entry and gives it to the adoption.
func (a *Adoption) add(n NewEntry) {
	l := a.l
	if a.entries[n.Name] {
		l.report(Problem{Severity: Error, Kind: KindConflict, Entry: n.Name, Message: fmt.Sprintf("the spec has a providers entry %q already", n.Name),
			Hint: "to use it, name it without --plugin and --set; to add another account, give that another name"})
		return
	}
	settings, print := map[string]any{"plugin": n.Plugin}, printer{}
	def := l.plugins[n.Plugin]
	if def != nil {
		print = printerOf(def.entry)
	}
	for _, path := range slices.Sorted(maps.Keys(n.Settings)) {
		var value any = n.Settings[path]
		if def != nil {
			value = l.typed(def.entry, path, n.Settings[path])
		}
		if !placed(settings, strings.Split(path, "."), value) {
			l.report(Problem{Severity: Error, Kind: KindConflict, Entry: n.Name, Path: path, Message: fmt.Sprintf("%s is set twice", path)})
			return
		}
	}
	a.added = []byte(label(n.Name) + ": " + print.structure(nil, settings))
	before := len(l.problems)
	raw := l.ctx.CompileString("providers: " + string(a.added))
	e, _ := l.entry(n.Name, raw.LookupPath(cue.MakePath(cue.Str("providers"), cue.Str(n.Name))))
	for i := before; i < len(l.problems); i++ {
		p := &l.problems[i]
		p.File, p.Line, p.Column, p.EndColumn, p.Text = "", 0, 0, 0, "" // it stands in no file
		if p.Kind == KindMissingField && p.Hint == "" {
			p.Hint = "add --set " + p.Path + "=VALUE"
		}
	}
	a.entries[n.Name], a.Entries[n.Name] = true, e
}

// typed reads a setting's text as the schema wants it: as text where it may be
// text, else as a number, or true or false.
func (l *loader) typed(def *definition, path, text string) any {
	fits := func(value any) bool {
		alone := map[string]any{}
		placed(alone, strings.Split(path, "."), value)
		return l.ctx.CompileString(printer{}.structure(nil, alone)).Unify(def.value).Validate() == nil
	}
	if fits(text) {
		return text
	}
	var plain any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if dec.Decode(&plain) == nil && !dec.More() {
		switch plain.(type) {
		case json.Number, bool:
			if value := normal(plain); fits(value) {
				return value
			}
		}
	}
	return text
}

// place puts value at path; false when something is in the way.
func placed(into map[string]any, path []string, value any) bool {
	for _, name := range path[:len(path)-1] {
		below, ok := into[name].(map[string]any)
		if !ok {
			if into[name] != nil {
				return false
			}
			below = map[string]any{}
			into[name] = below
		}
		into = below
	}
	last := path[len(path)-1]
	if into[last] != nil {
		return false
	}
	into[last] = value
	return true
}
