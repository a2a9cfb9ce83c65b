package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// jsonSchema is a document of JSON Schema, draft 2020-12: the words that ours
// use.
type jsonSchema struct {
	root map[string]any
}

func readSchema(t *testing.T, name string) *jsonSchema {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal([]byte(read(t, name)), &root); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if root["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("%s is of %v", name, root["$schema"])
	}
	return &jsonSchema{root}
}

// deref follows $ref; words beside it add to what it leads to.
func (s *jsonSchema) deref(at map[string]any) (map[string]any, error) {
	ref, ok := at["$ref"].(string)
	if !ok {
		return at, nil
	}
	name, ok := strings.CutPrefix(ref, "#/$defs/")
	defs, _ := s.root["$defs"].(map[string]any)
	found, known := defs[name].(map[string]any)
	if !ok || !known {
		return nil, fmt.Errorf("$ref %s leads nowhere", ref)
	}
	return found, nil
}

// covers lists what a schema lacks, has too much or has otherwise than a type.
func (s *jsonSchema) covers(typ reflect.Type, at map[string]any, path string, seen map[reflect.Type]bool) []string {
	at, err := s.deref(at)
	if err != nil {
		return []string{path + ": " + err.Error()}
	}
	wrong := func(format string, args ...any) []string { return []string{path + ": " + fmt.Sprintf(format, args...)} }
	is := func(want string) []string {
		_, enum := at["enum"]
		_, constant := at["const"]
		if want == "string" && (enum || constant) || allows(at["type"], want) {
			return nil
		}
		return wrong("%s is of type %v in the schema", typ, at["type"])
	}
	switch {
	case typ == reflect.TypeFor[time.Time](), typ == reflect.TypeFor[[]byte]():
		return is("string")
	case typ == reflect.TypeFor[json.RawMessage]():
		return is("object")
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return s.covers(typ.Elem(), at, path, seen)
	case reflect.Interface:
		if at["type"] != nil {
			return wrong("any value is possible, the schema says %v", at["type"])
		}
		return nil
	case reflect.Slice:
		items, _ := at["items"].(map[string]any)
		if items == nil {
			return wrong("no items")
		}
		return append(is("array"), s.covers(typ.Elem(), items, path+"[]", seen)...)
	case reflect.Map:
		values, _ := at["additionalProperties"].(map[string]any)
		if values == nil {
			return wrong("no additionalProperties")
		}
		return append(is("object"), s.covers(typ.Elem(), values, path+"{}", seen)...)
	case reflect.Struct:
		if seen[typ] {
			return nil
		}
		seen[typ] = true
		return append(is("object"), s.coversStruct(typ, at, path, seen)...)
	case reflect.String:
		return is("string")
	case reflect.Bool:
		return is("boolean")
	case reflect.Float64:
		return is("number")
	}
	return is("integer")
}

func (s *jsonSchema) coversStruct(typ reflect.Type, at map[string]any, path string, seen map[reflect.Type]bool) []string {
	var faults []string
	properties, _ := at["properties"].(map[string]any)
	required, _ := at["required"].([]any)
	left := map[string]bool{}
	for name := range properties {
		left[name] = true
	}
	for f := range typ.Fields() {
		tag, always := f.Tag.Get("json"), true
		name, options, _ := strings.Cut(tag, ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if strings.Contains(options, "omit") {
			always = false
		}
		property, ok := properties[name].(map[string]any)
		delete(left, name)
		if !ok {
			faults = append(faults, fmt.Sprintf("%s.%s (%s.%s) is missing", path, name, typ, f.Name))
			continue
		}
		if slices.Contains(required, any(name)) != always {
			faults = append(faults, fmt.Sprintf("%s.%s: required is %v, always written is %v", path, name, !always, always))
		}
		target, _ := s.deref(property)
		if property["description"] == nil && target["description"] == nil {
			faults = append(faults, path+"."+name+" has no description")
		}
		faults = append(faults, s.covers(f.Type, property, path+"."+name, seen)...)
	}
	for name := range left {
		faults = append(faults, path+"."+name+" is no member of "+typ.String())
	}
	return faults
}

// allows reports that a schema's type, a word or several, has want among it.
func allows(typ any, want string) bool {
	if list, ok := typ.([]any); ok {
		return slices.Contains(list, any(want))
	}
	return typ == any(want)
}

// check is the part of a validator that our schemas need, and stricter: what
// the schema does not name is an error too.
func (s *jsonSchema) check(v any, at map[string]any, path string) error {
	at, err := s.deref(at)
	if err != nil {
		return err
	}
	if at["const"] != nil && at["const"] != v {
		return fmt.Errorf("%s is %v, not %v", path, v, at["const"])
	}
	if enum, ok := at["enum"].([]any); ok && !slices.Contains(enum, v) {
		return fmt.Errorf("%s is %v, none of %v", path, v, enum)
	}
	kind := kindOf(v)
	if at["type"] != nil && !allows(at["type"], kind) && (kind != "integer" || !allows(at["type"], "number")) {
		return fmt.Errorf("%s is of type %s, not %v", path, kind, at["type"])
	}
	switch v := v.(type) {
	case []any:
		items, _ := at["items"].(map[string]any)
		for i, item := range v {
			if err := s.check(item, items, fmt.Sprintf("%s[%d]", path, i)); err != nil && items != nil {
				return err
			}
		}
	case map[string]any:
		return s.checkObject(v, at, path)
	}
	return nil
}

func (s *jsonSchema) checkObject(v, at map[string]any, path string) error {
	if at["type"] == nil || at["properties"] == nil && at["additionalProperties"] == nil {
		return nil // any value, or any object
	}
	properties, _ := at["properties"].(map[string]any)
	required, _ := at["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			return fmt.Errorf("%s.%s is missing", path, name)
		}
	}
	others, _ := at["additionalProperties"].(map[string]any)
	for name, member := range v {
		property, ok := properties[name].(map[string]any)
		if !ok {
			property = others
		}
		if property == nil {
			return fmt.Errorf("%s.%s is not in the schema", path, name)
		}
		if err := s.check(member, property, path+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "number"
		}
		return "integer"
	case []any:
		return "array"
	}
	return "object"
}

func (s *jsonSchema) checkText(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return err
	}
	return s.check(v, s.root, "")
}
