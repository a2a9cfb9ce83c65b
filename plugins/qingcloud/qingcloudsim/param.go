package qingcloudsim

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"
)

// object reads one JSON object, or one query, by its documented names. The
// first problem is kept in *bad, which nested objects share; what is missing or
// malformed reads as a zero value. Callers read all they want, then look at bad.
type object struct {
	at   string // "cluster_conf.cluster." in messages
	all  map[string]any
	seen map[string]bool
	bad  **refusal
}

func newObject(all map[string]any) *object {
	return &object{all: all, seen: map[string]bool{}, bad: new(*refusal)}
}

// bodyObject reads a request's body: one JSON object, and nothing after it.
func bodyObject(q request) (*object, *refusal) {
	if kind, _, err := mime.ParseMediaType(q.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, refuse(codeMalformed, "the content type must be application/json")
	}
	// The business parameters of a POST belong in its body; zone may be in both.
	for _, name := range slices.Sorted(maps.Keys(q.query)) {
		if name != "zone" {
			return nil, refuse(codeMalformed, "parameter [%s] belongs in the body", name)
		}
	}
	dec := json.NewDecoder(bytes.NewReader(q.body))
	dec.UseNumber()
	var all map[string]any
	if err := dec.Decode(&all); err != nil || all == nil {
		return nil, refuse(codeMalformed, "the body is not a JSON object")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, refuse(codeMalformed, "the body is more than one JSON object")
	}
	return newObject(all), nil
}

func (o *object) fail(code int, format string, args ...any) {
	if *o.bad == nil {
		*o.bad = refuse(code, format, args...)
	}
}

func (o *object) missing(name string) {
	o.fail(codeMalformed, "parameter [%s%s] is missing", o.at, name)
}

func (o *object) malformed(name string) {
	o.fail(codeMalformed, "parameter [%s%s] is malformed", o.at, name)
}

func (o *object) wrong(name, want string) {
	o.fail(codeBadValue, "parameter [%s%s] must be %s", o.at, name, want)
}

// value is a parameter as it came; null counts as absent.
func (o *object) value(name string) any {
	o.seen[name] = true
	return o.all[name]
}

func (o *object) has(name string) bool { return o.value(name) != nil }

// text reads an optional string.
func (o *object) text(name string) string {
	v := o.value(name)
	s, ok := v.(string)
	if v != nil && !ok {
		o.malformed(name)
	}
	return s
}

// mustText reads a required string; an empty one is missing.
func (o *object) mustText(name string) string {
	s := o.text(name)
	if s == "" {
		o.missing(name)
	}
	return s
}

// mustBegin reads a required id with its documented prefix ("usr-xxxx").
func (o *object) mustBegin(name, prefix string) string {
	s := o.mustText(name)
	if rest, ok := strings.CutPrefix(s, prefix); !ok || rest == "" {
		o.wrong(name, "of the form "+prefix+"xxxx")
	}
	return s
}

// oneOf reads an optional string out of a closed list.
func (o *object) oneOf(name string, list ...string) string {
	s := o.text(name)
	if o.has(name) && !slices.Contains(list, s) {
		o.wrong(name, "one of "+strings.Join(list, ", "))
	}
	return s
}

// whole reads an optional whole number: a JSON number.
func (o *object) whole(name string) int {
	v := o.value(name)
	if v == nil {
		return 0
	}
	number, ok := v.(json.Number)
	n, err := strconv.Atoi(number.String())
	if !ok || err != nil {
		o.malformed(name)
	}
	return n
}

// mustWhole reads a required JSON number.
func (o *object) mustWhole(name string) int {
	if !o.has(name) {
		o.missing(name)
	}
	return o.whole(name)
}

// digits reads a required whole number, as a JSON number or as a string of
// digits: resizeCluster's table says int, its example sends strings.
func (o *object) digits(name string) int {
	switch v := o.value(name).(type) {
	case nil:
		o.missing(name)
	case json.Number:
		return o.whole(name)
	case string:
		if n, err := strconv.ParseUint(v, 10, 31); err == nil {
			return int(n)
		}
		o.malformed(name)
	default:
		o.malformed(name)
	}
	return 0
}

// flag checks a number that was read: 0 or 1.
func (o *object) flag(name string, n int) {
	if n != 0 && n != 1 {
		o.wrong(name, "0 or 1")
	}
}

// size checks a number that was read against a closed list.
func (o *object) size(name string, n int, list []int) {
	if !slices.Contains(list, n) {
		words := make([]string, len(list))
		for i, v := range list {
			words[i] = strconv.Itoa(v)
		}
		o.wrong(name, "one of "+strings.Join(words, ", "))
	}
}

// object reads a nested object, an empty one when it is absent.
func (o *object) object(name string) *object {
	v := o.value(name)
	all, ok := v.(map[string]any)
	if v != nil && !ok {
		o.malformed(name)
	}
	return &object{at: o.at + name + ".", all: all, seen: map[string]bool{}, bad: o.bad}
}

// mustObject reads a required nested object.
func (o *object) mustObject(name string) *object {
	if !o.has(name) {
		o.missing(name)
	}
	return o.object(name)
}

// done refuses the parameters that no table lists. Assumption: the cloud's own
// answer to those is unpublished, and silence would hide a misspelt name.
func (o *object) done(ignored ...string) {
	for _, name := range slices.Sorted(maps.Keys(o.all)) {
		if !o.seen[name] && !slices.Contains(ignored, name) {
			o.fail(codeBadValue, "parameter [%s%s] is unknown", o.at, name)
			return
		}
	}
}
