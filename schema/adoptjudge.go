package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Adopted is one live cluster as a spec states it.
type Adopted struct {
	Live
	Key string
	// Required are the paths that the schema wants and no read tells; in the
	// file they have no value, so that validate refuses it until they do.
	Required []string
	// LeftOut says which live values the spec cannot state, and why.
	LeftOut []string
	// Refused says why the cluster is not written; empty when it is.
	Refused string

	body string // the cluster as CUE
}

// Judge works out what a spec would state of each live cluster.
func (a *Adoption) Judge(live []Live) []Adopted {
	list := make([]Adopted, len(live))
	for i, key := range keys(live, a.taken) {
		list[i] = a.judge(live[i], key)
	}
	return list
}

// comments stand above the cluster in the file.
func (one *Adopted) comments() []string {
	var lines []string
	if one.State.Name != one.Key {
		lines = append(lines, "named "+strconv.Quote(one.State.Name))
	}
	for _, left := range one.LeftOut {
		lines = append(lines, "not stated: "+clean(left))
	}
	return lines
}

func (a *Adoption) judge(live Live, key string) Adopted {
	one := Adopted{Live: live, Key: key}
	c := a.l.plugins[a.Entries[live.Entries[0]].Plugin]
	def := c.kinds[live.State.Kind]
	if def == nil {
		one.Refused = fmt.Sprintf("plugin %s has no schema for clusters of kind %q", c.Plugin, live.State.Kind)
		return one
	}
	if !utf8.ValidString(live.State.ID) {
		one.Refused = fmt.Sprintf("its id %q is not UTF-8 and cannot be stated", live.State.ID)
		return one
	}
	j := &judgement{
		subject: &subject{tree: a.l.tree, ctx: a.l.ctx, def: def, cluster: key, where: fmt.Sprintf("cluster %q", key)},
		print:   printerOf(def), dropped: map[string]string{}, adopted: &one,
	}
	for i, name := range []string{"provider", "kind", "id"} {
		j.print.rank[name] = i - 3
	}
	if err := j.state(live); err != nil {
		one.Refused = err.Error()
		return one
	}
	if one.Refused = j.settle(); one.Refused != "" {
		one.Required, one.LeftOut = nil, nil // of what is not written there is no more to say
		return one
	}
	one.body = j.print.structure(nil, j.values)
	slices.Sort(one.Required)
	return one
}

// judgement is the statement of one cluster in the making.
type judgement struct {
	*subject
	print   printer
	values  map[string]any
	dropped map[string]string // path to why
	adopted *Adopted
}

// state takes from a live cluster what its schema has a field for and what the
// engine compares. The rest a plan would not look at.
func (j *judgement) state(live Live) error {
	read := func(raw json.RawMessage, at ...string) (map[string]any, error) {
		var values map[string]any
		if len(raw) > 0 {
			dec := json.NewDecoder(bytes.NewReader(raw))
			dec.UseNumber()
			if err := dec.Decode(&values); err != nil {
				return nil, fmt.Errorf("the plugin's account of it is not readable: %w", err)
			}
		}
		kept, _ := j.comparable(at, normal(values)).(map[string]any)
		return kept, nil
	}
	var err error
	if j.values, err = read(live.State.Attributes); err != nil {
		return err
	}
	if j.values == nil {
		j.values = map[string]any{}
	}
	groups := map[string]any{}
	for _, g := range live.State.Groups {
		path := []string{"node_groups", g.Role}
		if j.field(path) == nil {
			j.leaveOut(path, fmt.Sprintf("%s has no such group", j.def.title))
			continue
		}
		group, err := read(g.Attributes, path...)
		if err != nil {
			return err
		}
		if group == nil {
			group = map[string]any{}
		}
		group["count"] = int64(g.Count)
		groups[g.Role] = group
	}
	j.values["node_groups"] = groups
	j.values["provider"], j.values["kind"], j.values["id"] = live.Entries[0], live.State.Kind, live.State.ID
	return nil
}

// comparable is v without what the schema has no field for, and without
// parameters and secrets.
func (j *judgement) comparable(path []string, v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	kept := map[string]any{}
	for name, member := range m {
		at := append(path[:len(path):len(path)], name)
		own := len(path) == 0 && slices.Contains([]string{"provider", "kind", "id", "name", "node_groups"}, name) // never attributes
		if own || j.field(at) == nil || j.meaning(at)&(provider.Param|provider.Secret) != 0 {
			continue
		}
		kept[name] = j.comparable(at, member)
	}
	return kept
}

func (j *judgement) meaning(path []string) provider.Meaning {
	return j.def.meanings.Of(strings.Join(path, "."))
}

func (j *judgement) leaveOut(path []string, why string) {
	j.dropped[dotted(path)] = why
	j.adopted.LeftOut = append(j.adopted.LeftOut, dotted(path)+": "+why)
}

// settle brings the statement into a form that the schema accepts: what it
// refuses is left out, what it wants beside is asked for. It returns why there
// is no such form.
func (j *judgement) settle() string {
	for range mostMends {
		problems := slices.DeleteFunc(j.evaluate(), j.awaited)
		if len(problems) == 0 {
			return ""
		}
		// A wrong value hides what is missing, so those go first.
		wrong := slices.IndexFunc(problems, func(p Problem) bool { return p.Kind != KindMissingField })
		if why := j.mend(problems[max(wrong, 0)]); why != "" {
			return why
		}
	}
	return "its schema asks for ever more"
}

// mostMends bounds settle against a schema that no statement satisfies.
const mostMends = 1000

// evaluate holds the statement against the schema.
func (j *judgement) evaluate() []Problem {
	j.raw = j.ctx.CompileString(j.print.structure(nil, j.values))
	err := j.raw.Unify(j.def.value).Validate(cue.Concrete(true))
	if err == nil {
		return nil
	}
	return j.explain(err, 0, false)
}

// awaited says that p is about a field that a person is to fill in.
func (j *judgement) awaited(p Problem) bool {
	path := undotted(p.Path)
	for n := range path {
		if _, ok := find(j.values, path[:n+1]).(wanted); ok {
			return true
		}
	}
	return false
}

// mend answers one problem. Every answer takes something out of the statement
// or asks for something new, so they come to an end. It returns why there is no
// answer.
func (j *judgement) mend(p Problem) string {
	path := undotted(p.Path)
	if len(path) == 0 {
		return p.Message
	}
	if p.Kind != KindMissingField {
		for len(path) > 0 && find(j.values, path) == nil {
			path = path[:len(path)-1] // an element of a list, say
		}
		return j.drop(path, p.Message)
	}
	if why, again := j.dropped[dotted(path)]; again { // what it belongs to goes, too
		return j.drop(path[:len(path)-1], why)
	}
	if j.meaning(path)&(provider.Param|provider.Secret) != 0 {
		j.ask(path)
		return ""
	}
	// It is compared, so that no value but the live one would do, and that was
	// not read. Perhaps it is wanted for the sake of something else.
	if j.without(path, p.Path) {
		return ""
	}
	return j.drop(path[:len(path)-1], p.Message+", and was not read")
}

// drop takes path out of the statement; what says which cluster is meant cannot
// be.
func (j *judgement) drop(path []string, why string) string {
	if len(path) == 0 || len(path) == 1 && slices.Contains(staying, path[0]) {
		return why
	}
	around, _ := find(j.values, path[:len(path)-1]).(map[string]any)
	delete(around, path[len(path)-1])
	// Of a struct that goes as a whole its parts need not be told.
	j.adopted.LeftOut = slices.DeleteFunc(j.adopted.LeftOut, func(s string) bool { return strings.HasPrefix(s, dotted(path)+".") })
	j.adopted.Required = slices.DeleteFunc(j.adopted.Required, func(s string) bool { return strings.HasPrefix(s, dotted(path)+".") })
	j.leaveOut(path, why)
	return ""
}

// without drops those fields beside path without which nothing is missing
// there; false when there are none.
func (j *judgement) without(path []string, missing string) bool {
	beside := path[:len(path)-1]
	around, _ := find(j.values, beside).(map[string]any)
	lacking := func() bool {
		return slices.ContainsFunc(j.evaluate(), func(p Problem) bool { return p.Kind == KindMissingField && p.Path == missing })
	}
	taken := map[string]any{}
	for name, value := range around {
		if len(beside) > 0 || !slices.Contains(staying, name) {
			taken[name] = value
			delete(around, name)
		}
	}
	helps := !lacking()
	var gone []string
	for _, name := range j.print.names(beside, taken) {
		around[name] = taken[name]
		if helps && lacking() { // each comes back that does not ask for it again
			delete(around, name)
			gone = append(gone, name)
		}
	}
	for _, name := range gone {
		j.leaveOut(append(beside[:len(beside):len(beside)], name), fmt.Sprintf("it needs %s beside it, which was not read", path[len(path)-1]))
	}
	return len(gone) > 0
}

// staying are the fields of a cluster that no statement can do without.
var staying = []string{"provider", "kind", "id", "node_groups"}

// find is what stands at path; nil for nothing.
func find(values map[string]any, path []string) any {
	var at any = values
	for _, name := range path {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[name]
	}
	return at
}
