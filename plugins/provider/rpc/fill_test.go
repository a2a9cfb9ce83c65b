package rpc

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// words are the values that an enum may have, other than zero.
var words = map[reflect.Type][]string{
	reflect.TypeFor[provider.ErrorKind]():      values(errorKinds),
	reflect.TypeFor[provider.Level]():          values(levels),
	reflect.TypeFor[provider.Presence]():       values(presences),
	reflect.TypeFor[provider.Status]():         values(statuses),
	reflect.TypeFor[provider.Op]():             values(ops),
	reflect.TypeFor[provider.Outcome]():        values(outcomes),
	reflect.TypeFor[provider.OperationState](): values(operationStates),
}

func values[S ~string, N ~int32](e enum[S, N]) []string {
	var out []string
	for n := N(1); int(n) < len(e.word); n++ {
		out = append(out, string(e.word[n]))
	}
	return out
}

// filler gives every field a value of its own.
type filler struct {
	n    int
	text func(n int) string
}

func (f *filler) fill(t testing.TB, v reflect.Value) {
	t.Helper()
	f.n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000+int64(f.n), int64(f.n)).UTC()))
		return
	case json.RawMessage:
		v.SetBytes(fmt.Appendf(nil, `{"n":%d}`, f.n))
		return
	}
	switch v.Kind() {
	case reflect.String:
		if w, ok := words[v.Type()]; ok {
			v.SetString(w[f.n%len(w)])
			return
		}
		v.SetString(f.text(f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1<<60 + int64(f.n)) // no float64 holds it
	case reflect.Uint8:
		v.SetUint(uint64(1 + f.n%15))
	case reflect.Float64:
		v.SetFloat(float64(f.n) + 0.25)
	case reflect.Interface:
		if v.Type() == reflect.TypeFor[error]() {
			return // Error.Err stays in its process
		}
		v.Set(reflect.ValueOf(f.value()))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(t, v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(fmt.Appendf(nil, "bytes %d \xff", f.n))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(t, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(t, key)
			f.fill(t, value)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(t, v.Field(i))
		}
	default:
		t.Fatalf("the contract has a field of a new kind: %s", v.Type())
	}
}

// value is each of the JSON values a FieldChange may hold, in turn.
func (f *filler) value() any {
	all := []any{
		fmt.Sprintf("text %d", f.n), true, false, int64(1<<62) + int64(f.n), 0.5 + float64(f.n), float64(f.n), -0.25e-9, int64(-f.n),
		[]any{int64(f.n), 2.0, "x", nil, []any{}, map[string]any{"b": int64(1), "a": 1.5, "<": false}},
	}
	return all[f.n%len(all)]
}
