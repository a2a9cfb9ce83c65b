package aliyunsim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// fields reads a request body member by member, names exact to the letter, and
// keeps the first problem. Refused values never appear in it: one of them may
// be a password.
type fields struct {
	all     map[string]json.RawMessage
	known   map[string]bool
	problem string
}

func readFields(body []byte) *fields {
	f := &fields{known: map[string]bool{}}
	if err := json.Unmarshal(body, &f.all); err != nil || f.all == nil {
		f.fail("the body is not a JSON object")
	}
	return f
}

func (f *fields) fail(format string, args ...any) {
	if f.problem == "" {
		f.problem = fmt.Sprintf(format, args...)
	}
}

func (f *fields) require(ok bool, format string, args ...any) {
	if !ok {
		f.fail(format, args...)
	}
}

// has reports whether a member is there and not null.
func (f *fields) has(name string) bool {
	f.known[name] = true
	raw, ok := f.all[name]
	return ok && string(raw) != "null"
}

// read decodes a member that is there.
func (f *fields) read(name, what string, into any) bool {
	if !f.has(name) {
		return false
	}
	if json.Unmarshal(f.all[name], into) != nil {
		f.fail("%s must be %s", name, what)
		return false
	}
	return true
}

// need decodes a member that must be there.
func (f *fields) need(name, what string, into any) bool {
	f.require(f.has(name), "%s is missing", name)
	return f.read(name, what, into)
}

// text is a required string with something in it.
func (f *fields) text(name string) string {
	var s string
	if f.need(name, "a string", &s) {
		f.require(s != "", "%s must not be empty", name)
	}
	return s
}

// number is a required whole number from low to high.
func (f *fields) number(name string, low, high int64) int64 {
	var n int64
	if f.need(name, "a whole number", &n) {
		f.require(n >= low && n <= high, "%s must be from %d to %d", name, low, high)
	}
	return n
}

// flag is a boolean that may be absent.
func (f *fields) flag(name string) bool {
	var b bool
	f.read(name, "true or false", &b)
	return b
}

// close refuses members that nobody asked for. Choice: the cloud may well
// ignore them, but a client that misspells a name should learn of it here.
func (f *fields) close() {
	for _, name := range slices.Sorted(maps.Keys(f.all)) {
		f.require(f.known[name], "%s is no parameter of this action for this cluster", name)
	}
}
