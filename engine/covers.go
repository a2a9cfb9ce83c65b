package engine

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// covers reports whether a live cluster is all that the spec states. It is the
// cheap question, asked of every cluster: it copies nothing. The few that
// differ are pruned, cut and compared by go-cmp in Diff; both must agree.
func covers(want, have Values, meanings provider.Meanings) bool {
	c := coverer{meanings: meanings}
	for key, member := range want {
		if identityFields[key] {
			continue
		}
		if groups, ok := member.(Values); ok && key == groupsKey {
			if !c.skips(key) && !c.groups(groups, have[key]) {
				return false
			}
			continue
		}
		if !c.member(0, key, member, have[key]) {
			return false
		}
	}
	return true
}

// coverer walks a spec. path holds the names above, joined by dots, in one
// buffer, so that a look into meanings makes no string.
type coverer struct {
	meanings provider.Meanings
	path     []byte
}

// groups compares node groups. A group that has or shall have no nodes
// compares by its count alone.
func (c *coverer) groups(want Values, have any) bool {
	live, _ := have.(Values)
	for role, group := range want {
		w, ok := group.(Values)
		if !ok {
			return false
		}
		h, _ := live[role].(Values)
		if w["count"] == int64(0) || h == nil || h["count"] == int64(0) {
			wanted, stated := w["count"]
			n, _ := h["count"].(int64)
			if stated && wanted != n && !c.skips(groupsKey+"."+role+".count") {
				return false
			}
			continue
		}
		c.path = append(c.path[:0], groupsKey...)
		if !c.member(len(groupsKey), role, w, h) {
			return false
		}
	}
	return true
}

// skips reports that a field is never compared.
func (c *coverer) skips(path string) bool {
	return c.meanings.Of(path)&(provider.Param|provider.Secret) != 0
}

// member compares one member of the struct at path[:above].
func (c *coverer) member(above int, key string, want, have any) bool {
	c.path = c.path[:above]
	if above > 0 {
		c.path = append(c.path, '.')
	}
	c.path = append(c.path, key...)
	// What is above was asked about on the way down.
	meaning := c.meanings[string(c.path)]
	if meaning&(provider.Param|provider.Secret) != 0 {
		return true
	}
	switch w := want.(type) {
	case Values:
		h, ok := have.(Values)
		at := len(c.path)
		for name, m := range w {
			there := any(missing{})
			if ok {
				there = h[name]
			}
			if !c.member(at, name, m, there) {
				return false
			}
		}
		return true
	case []any:
		h, ok := have.([]any)
		if !ok {
			return false
		}
		return reflect.DeepEqual(w, h) || c.meanings.Of(string(c.path))&provider.Set != 0 && reflect.DeepEqual(sorted(w), sorted(h))
	default:
		return want == have
	}
}

// missing is a live value that equals nothing.
type missing struct{}

// sorted is a list in the one order of its set.
func sorted(list []any) []any {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b any) int { return cmp.Compare(fmt.Sprintf("%T %v", a, a), fmt.Sprintf("%T %v", b, b)) })
	return list
}
