package engine

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Difference is how one cluster differs from the spec.
type Difference struct {
	Changes []provider.Change
	// Blocked are differences in fields that cannot be changed in place.
	Blocked []provider.Blocked
}

// Empty reports that nothing differs.
func (d Difference) Empty() bool { return len(d.Changes) == 0 && len(d.Blocked) == 0 }

// identityFields say which cluster is meant; they are never compared.
var identityFields = map[string]bool{"provider": true, "kind": true, "id": true, "name": true}

// Diff compares a desired with a live cluster; live is nil when it is absent.
// Only what the spec states is compared, and never a parameter or a secret.
func Diff(want *Cluster, live *provider.State) (Difference, error) {
	desired, err := decode(want.Spec)
	if err != nil {
		return Difference{}, fmt.Errorf("spec of %s: %w", want.Address, err)
	}
	if live == nil {
		comparable := prune(desired, "", want.Meanings).(Values)
		return Difference{Changes: []provider.Change{{Op: provider.OpCreate, Fields: leaves(comparable)}}}, nil
	}
	observed, err := observedValues(live)
	if err != nil {
		return Difference{}, fmt.Errorf("%s: %w", want.Address, err)
	}
	if covers(desired, observed, want.Meanings) {
		return Difference{}, nil
	}
	comparable := prune(desired, "", want.Meanings).(Values)
	dropEmptied(comparable)
	fillEmptyGroups(comparable, observed)
	sortSets(comparable, "", want.Meanings)
	sortSets(observed, "", want.Meanings)
	return classify(report(comparable, observed), want.Meanings), nil
}

// prune copies v without the fields that are not compared.
func prune(v any, path string, meanings provider.Meanings) any {
	members, ok := v.(Values)
	if !ok {
		return v
	}
	kept := make(Values, len(members))
	for key, member := range members {
		at := join(path, key)
		if path == "" && identityFields[key] || meanings.Of(at)&(provider.Param|provider.Secret) != 0 {
			continue
		}
		kept[key] = prune(member, at, meanings)
	}
	return kept
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// dropEmptied leaves of a group that shall have no nodes only its count: no
// node will be left whose size could differ.
func dropEmptied(desired Values) {
	groups, _ := desired[groupsKey].(Values)
	for role, group := range groups {
		if want, ok := group.(Values); ok && want["count"] == int64(0) {
			groups[role] = Values{"count": int64(0)}
		}
	}
}

// fillEmptyGroups lets a group without live nodes compare by its count alone:
// there is nothing whose size could differ, and the spec's sizes are for the
// nodes to come.
func fillEmptyGroups(desired, observed Values) {
	wanted, _ := desired[groupsKey].(Values)
	live, _ := observed[groupsKey].(Values)
	for role, group := range wanted {
		want, ok := group.(Values)
		if !ok {
			continue
		}
		have, ok := live[role].(Values)
		if ok && have["count"] != int64(0) {
			continue
		}
		filled := Values{"count": int64(0)}
		for key, member := range want {
			if key != "count" {
				filled[key] = member
			}
		}
		live[role] = filled
	}
}

// sortSets brings lists whose order has no meaning into one order.
func sortSets(v any, path string, meanings provider.Meanings) {
	members, _ := v.(Values)
	for key, member := range members {
		at := join(path, key)
		if list, ok := member.([]any); ok && meanings.Of(at)&provider.Set != 0 {
			members[key] = sorted(list)
			continue
		}
		sortSets(member, at, meanings)
	}
}

// report lists the leaves that differ, by path. The live side is cut to the
// paths that the spec states first, so that go-cmp sees nothing unmanaged.
func report(want, have Values) []provider.FieldChange {
	var r reporter
	gocmp.Equal(cut(want, have), want, gocmp.Reporter(&r),
		gocmp.Comparer(func(a, b []any) bool { return reflect.DeepEqual(a, b) }))
	slices.SortFunc(r.fields, func(a, b provider.FieldChange) int { return cmp.Compare(a.Path, b.Path) })
	return r.fields
}

// cut keeps of have what want states.
func cut(want, have Values) Values {
	kept := Values{}
	for key, w := range want {
		h, ok := have[key]
		if !ok {
			continue
		}
		wm, wok := w.(Values)
		hm, hok := h.(Values)
		if wok && hok {
			h = cut(wm, hm)
		}
		kept[key] = h
	}
	return kept
}

// reporter collects unequal leaves from go-cmp; x is live, y is wanted.
type reporter struct {
	path   gocmp.Path
	fields []provider.FieldChange
}

func (r *reporter) PushStep(s gocmp.PathStep) { r.path = append(r.path, s) }
func (r *reporter) PopStep()                  { r.path = r.path[:len(r.path)-1] }

func (r *reporter) Report(result gocmp.Result) {
	if result.Equal() {
		return
	}
	var names []string
	for _, step := range r.path {
		if index, ok := step.(gocmp.MapIndex); ok {
			names = append(names, index.Key().String())
		}
	}
	path := strings.Join(names, ".")
	x, y := r.path.Last().Values()
	var before, after any
	if x.IsValid() {
		before = x.Interface()
	}
	if y.IsValid() {
		after = y.Interface()
	}
	members, ok := after.(Values)
	if !ok {
		r.fields = append(r.fields, provider.FieldChange{Path: path, Before: before, After: after})
		return
	}
	// The whole subtree is missing: one change per leaf.
	for _, leaf := range leaves(members) {
		leaf.Path = join(path, leaf.Path)
		r.fields = append(r.fields, leaf)
	}
}

// leaves lists every leaf as a change from nothing, by path.
func leaves(v Values) []provider.FieldChange {
	var fields []provider.FieldChange
	var walk func(path string, v Values)
	walk = func(path string, v Values) {
		for key, member := range v {
			if m, ok := member.(Values); ok {
				walk(join(path, key), m)
				continue
			}
			fields = append(fields, provider.FieldChange{Path: join(path, key), After: member})
		}
	}
	walk("", v)
	slices.SortFunc(fields, func(a, b provider.FieldChange) int { return cmp.Compare(a.Path, b.Path) })
	return fields
}

// classify sorts differing leaves into changes by group and op.
func classify(fields []provider.FieldChange, meanings provider.Meanings) Difference {
	var d Difference
	index := map[string]int{}
	for _, f := range fields {
		group, rest := splitPath(f.Path)
		meaning := meanings.Of(f.Path)
		f.Path = rest
		if meaning&provider.Immutable != 0 {
			d.Blocked = append(d.Blocked, provider.Blocked{
				Group: group, Fields: []provider.FieldChange{f},
				Reason: fmt.Sprintf("%s is %s and cannot be changed in place to %s", rest, show(f.Before), show(f.After)),
			})
			continue
		}
		op := provider.OpResize
		if before, after, ok := counts(group, f); ok {
			op = provider.OpScaleOut
			if after < before {
				op = provider.OpScaleIn
			}
		}
		key := group + "\x00" + string(op)
		at, ok := index[key]
		if !ok {
			at = len(d.Changes)
			index[key] = at
			d.Changes = append(d.Changes, provider.Change{Group: group, Op: op})
		}
		d.Changes[at].Fields = append(d.Changes[at].Fields, f)
	}
	return d
}

// counts reads a change of a group's count.
func counts(group string, f provider.FieldChange) (before, after int64, ok bool) {
	if group == "" || f.Path != "count" {
		return 0, 0, false
	}
	before, _ = f.Before.(int64)
	after, ok = f.After.(int64)
	return before, after, ok
}

// show prints a value for people.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "unset"
	case string:
		return fmt.Sprintf("%q", v)
	default:
		return fmt.Sprint(v)
	}
}
