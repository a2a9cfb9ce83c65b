package review

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

func compare(a, b string) int { return strings.Compare(a, b) }

// leaf is one value of a spec.
type leaf struct {
	path  string
	value any
}

// leaves are a spec's values by path; lists count as one value.
func leaves(spec json.RawMessage) []leaf {
	dec := json.NewDecoder(bytes.NewReader(spec))
	dec.UseNumber()
	var top map[string]any
	if dec.Decode(&top) != nil {
		return nil // the loader made it
	}
	var all []leaf
	var walk func(path string, members map[string]any)
	walk = func(path string, members map[string]any) {
		for key, v := range members {
			at := join(path, key)
			if inner, ok := v.(map[string]any); ok {
				walk(at, inner)
				continue
			}
			all = append(all, leaf{at, v})
		}
	}
	walk("", top)
	slices.SortFunc(all, func(a, b leaf) int { return compare(a.path, b.path) })
	return all
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// first is where the value at path stands.
func first(c *Cluster, path string) Place {
	if all := c.Origins(path); len(all) > 0 {
		return all[0]
	}
	return Place{}
}

// cause is the line behind the value at path: of the places that have a part in
// it, or in a struct around it, the nearest that was written since the base.
func cause(h *Cluster, path string, changed func(Place) bool) Place {
	for at := path; ; at = parent(at) {
		for _, p := range h.Origins(at) {
			if changed(p) {
				return p
			}
		}
		if at == "" {
			return first(h, path)
		}
	}
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[:i]
	}
	return ""
}

// causes gathers clusters by the line that changes them.
func causes(clusters []Change) []Cause {
	type key struct {
		place Place
		base  bool
	}
	index := map[key]int{}
	all := []Cause{}
	for _, c := range clusters {
		if c.Kind == Added || c.Kind == Removed {
			continue
		}
		for _, f := range c.Fields {
			k := key{Place{f.Cause.File, f.Cause.Line, 0}, f.InBase}
			i, ok := index[k]
			if !ok {
				i = len(all)
				index[k] = i
				all = append(all, Cause{Place: f.Cause, InBase: f.InBase, Clusters: []string{}, Paths: []string{}})
			}
			if n := len(all[i].Clusters); n == 0 || all[i].Clusters[n-1] != c.Address {
				all[i].Clusters = append(all[i].Clusters, c.Address)
			}
			if !slices.Contains(all[i].Paths, f.Path) {
				all[i].Paths = append(all[i].Paths, f.Path)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(len(b.Clusters), len(a.Clusters)), compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line))
	})
	return all
}
