package rpc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// TestEnums holds every table against both sides: each word that the contract
// declares has the wire's number of that name, and the zeros meet.
func TestEnums(t *testing.T) {
	declared := declaredWords(t)
	tests := []struct {
		name   string
		wire   protoreflect.EnumDescriptor
		number func(word string) protoreflect.EnumNumber
		word   func(protoreflect.EnumNumber) string
	}{
		{"ErrorKind", wire.ErrorKind(0).Descriptor(),
			func(w string) protoreflect.EnumNumber { return errorKinds.to(provider.ErrorKind(w)).Number() },
			func(n protoreflect.EnumNumber) string { return string(errorKinds.from(wire.ErrorKind(n))) }},
		{"Level", wire.Level(0).Descriptor(),
			func(w string) protoreflect.EnumNumber { return levels.to(provider.Level(w)).Number() },
			func(n protoreflect.EnumNumber) string { return string(levels.from(wire.Level(n))) }},
		{"Presence", wire.Presence(0).Descriptor(),
			func(w string) protoreflect.EnumNumber { return presences.to(provider.Presence(w)).Number() },
			func(n protoreflect.EnumNumber) string { return string(presences.from(wire.Presence(n))) }},
		{"Status", wire.Status(0).Descriptor(),
			func(w string) protoreflect.EnumNumber { return statuses.to(provider.Status(w)).Number() },
			func(n protoreflect.EnumNumber) string { return string(statuses.from(wire.Status(n))) }},
		{"Op", wire.Op(0).Descriptor(),
			func(w string) protoreflect.EnumNumber { return ops.to(provider.Op(w)).Number() },
			func(n protoreflect.EnumNumber) string { return string(ops.from(wire.Op(n))) }},
		{"Outcome", wire.Outcome(0).Descriptor(),
			func(w string) protoreflect.EnumNumber { return outcomes.to(provider.Outcome(w)).Number() },
			func(n protoreflect.EnumNumber) string { return string(outcomes.from(wire.Outcome(n))) }},
		{"OperationState", wire.OperationState(0).Descriptor(),
			func(w string) protoreflect.EnumNumber { return operationStates.to(provider.OperationState(w)).Number() },
			func(n protoreflect.EnumNumber) string { return string(operationStates.from(wire.OperationState(n))) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			words := declared[test.name]
			if len(words) == 0 {
				t.Fatal("the contract declares no such words")
			}
			for _, word := range words {
				n := test.number(word)
				name := string(test.wire.Values().ByNumber(n).Name())
				if word != "" && !strings.HasSuffix(name, "_"+strings.ToUpper(word)) || (word == "") != (n == 0) {
					t.Errorf("%q is %s on the wire", word, name)
				}
				if back := test.word(n); back != word {
					t.Errorf("%q comes back as %q", word, back)
				}
			}
			values := test.wire.Values()
			for i := range values.Len() {
				if word := test.word(values.Get(i).Number()); word != "" && !slices.Contains(words, word) {
					t.Errorf("%s means %q, which the contract does not know", values.Get(i).Name(), word)
				} else if word == "" && values.Get(i).Number() != 0 {
					t.Errorf("%s means nothing", values.Get(i).Name())
				}
			}
			if test.number("a later word") != 0 || test.word(99) != "" {
				t.Error("an unknown value is not read as zero")
			}
		})
	}
}

// declaredWords reads the constants of the contract's string types, so that
// one added there and forgotten here is found.
func declaredWords(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../*.go")
	noError(t, err)
	out := map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		noError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typ, isIdent := spec.Type.(*ast.Ident)
			value, isLiteral := spec.Values[0].(*ast.BasicLit)
			if isIdent && isLiteral && value.Kind == token.STRING {
				word, err := strconv.Unquote(value.Value)
				noError(t, err)
				out[typ.Name] = append(out[typ.Name], word)
			}
			return true
		})
	}
	return out
}
