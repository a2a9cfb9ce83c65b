package rpc

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// On the wire nothing distinguishes an empty list, map or byte string from a
// missing one; all of them arrive as nil.

// text makes s fit for a string field. A cloud may answer in another encoding;
// the call that carries its words must not fail over them.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func texts(in []string) []string { return list(in, text) }

// list converts every element of in.
func list[A, B any](in []A, convert func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, v := range in {
		out[i] = convert(v)
	}
	return out
}

// listErr is list for conversions that can go wrong.
func listErr[A, B any](in []A, convert func(A) (B, error)) ([]B, error) {
	if len(in) == 0 {
		return nil, nil
	}
	out := make([]B, len(in))
	for i, v := range in {
		var err error
		if out[i], err = convert(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// table converts the values of a map and makes its keys fit for the wire.
func table[A, B any](in map[string]A, convert func(A) B) map[string]B {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]B, len(in))
	for k, v := range in {
		out[text(k)] = convert(v)
	}
	return out
}

func same[T any](v T) T { return v }

func fromBytes(b []byte) string { return string(b) }

func toBytes(s string) []byte { return []byte(s) }

// opaque gives an empty byte string the one form it has after the wire.
func opaque(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

func toTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func fromTime(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func toDuration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func fromDuration(d *durationpb.Duration) time.Duration { return d.AsDuration() }

func toError(e *provider.Error) *wire.Error {
	if e == nil {
		return nil
	}
	return &wire.Error{
		Kind:       errorKinds.to(e.Kind),
		Code:       text(e.Code),
		RequestId:  text(e.RequestID),
		Message:    text(e.Message),
		RetryAfter: toDuration(e.RetryAfter),
	}
}

func fromError(e *wire.Error) *provider.Error {
	if e == nil {
		return nil
	}
	return &provider.Error{
		Kind:       errorKinds.from(e.GetKind()),
		Code:       e.GetCode(),
		RequestID:  e.GetRequestId(),
		Message:    e.GetMessage(),
		RetryAfter: fromDuration(e.GetRetryAfter()),
	}
}

// checkHandle keeps an operation's handle within what a journal may hold.
func checkHandle(handle []byte) error {
	if len(handle) > provider.MaxHandle {
		return fmt.Errorf("an operation handle of %d bytes is over the limit of %d", len(handle), provider.MaxHandle)
	}
	return nil
}

// toValue writes one JSON value. Unlike encoding/json it keeps a whole float64
// apart from an int64, so that both arrive as what they were.
func toValue(v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	return appendValue(nil, v)
}

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendValue(b, item); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		b = append(b, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, provider.Raw(key)...), ':')
			var err error
			if b, err = appendValue(b, v[key]); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	word, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b = append(b, word...)
	if _, ok := v.(float64); ok && !strings.ContainsAny(string(word), ".e") {
		b = append(b, ".0"...)
	}
	return b, nil
}

func fromValue(b []byte) (any, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var v any
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return numbers(v)
}

// numbers gives every number in v its Go type.
func numbers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			return v.Int64()
		}
		return v.Float64()
	case []any:
		for i := range v {
			if v[i], err = numbers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key := range v {
			if v[key], err = numbers(v[key]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func toField(f provider.FieldChange) (*wire.FieldChange, error) {
	before, err := toValue(f.Before)
	if err != nil {
		return nil, fmt.Errorf("field %s: before: %w", f.Path, err)
	}
	after, err := toValue(f.After)
	if err != nil {
		return nil, fmt.Errorf("field %s: after: %w", f.Path, err)
	}
	return &wire.FieldChange{Path: text(f.Path), Before: before, After: after}, nil
}

func fromField(f *wire.FieldChange) (provider.FieldChange, error) {
	before, err := fromValue(f.GetBefore())
	if err != nil {
		return provider.FieldChange{}, fmt.Errorf("field %s: before: %w", f.GetPath(), err)
	}
	after, err := fromValue(f.GetAfter())
	if err != nil {
		return provider.FieldChange{}, fmt.Errorf("field %s: after: %w", f.GetPath(), err)
	}
	return provider.FieldChange{Path: f.GetPath(), Before: before, After: after}, nil
}
