package qingcloud

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// The roles of nodes, in the order in which they are planned.
var roles = []string{"login", "controller", "compute"}

// spec is a cluster as the spec wants it.
type spec struct {
	fields object // the whole cluster
	groups map[string]object
}

// object is a decoded JSON object; whole numbers are json.Number.
type object map[string]any

func decodeObject(raw []byte) (object, error) {
	o := object{}
	if len(raw) == 0 {
		return o, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&o); err != nil {
		return nil, err
	}
	return o, nil
}

func parseSpec(d provider.Desired) (spec, error) {
	fields, err := decodeObject(d.Spec)
	if err != nil {
		return spec{}, fmt.Errorf("spec of %s: %w", d.Address, err)
	}
	s := spec{fields: fields, groups: map[string]object{}}
	for role := range fields.object("node_groups") {
		s.groups[role] = fields.object("node_groups").object(role)
	}
	return s, nil
}

// object is the member of that name, empty when there is none.
func (o object) object(name string) object {
	m, _ := o[name].(map[string]any)
	return m
}

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// whole is the whole number of that name.
func (o object) whole(name string) (int64, bool) {
	n, ok := o[name].(json.Number)
	if !ok {
		return 0, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := n.Float64() // 2.0 and 2e0 are whole numbers too
	if i := int64(f); err == nil && float64(i) == f {
		return i, true
	}
	return 0, false
}
