package qingcloud

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// sizeFields are what resizeCluster changes.
var sizeFields = []string{"cpu", "memory", "storage_size"}

// The sizes that resizeCluster takes (EHPC API, resizeCluster, parameters cpu
// and memory), and the pairs that the vendor's size table lists. Other pairs
// are not refused by any document.
var (
	cpus     = []int64{1, 2, 4, 8, 12, 26}
	memories = []int64{2048, 4096, 12288, 24576, 40960, 81920}
)

// The least that compute nodes have (EHPC API, createCluster, parameter
// cluster_conf). The resize document names a lower floor for all roles; a node
// that could not be created is not made by a resize either.
const (
	computeCPU    = 2
	computeMemory = 4096
)

const riskResize = "a resize may interrupt service on these nodes"

// resize is a planned resize with what people should know of it.
type resize struct {
	action   provider.Action
	warnings []string
}

// resizeOf plans the resize of one role of a live cluster, or says why not.
func (a *account) resizeOf(c provider.ClusterChange, s spec, role string, fields []provider.FieldChange) (resize, string) {
	if !slices.Contains(roles, role) {
		return resize{}, fmt.Sprintf("resizeCluster knows no role %q", role)
	}
	if c.Desired.Kind == kindHPC && role != "login" {
		return resize{}, "resizeCluster takes login nodes only of an hpc cluster"
	}
	live, nodes, ok := liveGroup(c.Current, role)
	if !ok {
		return resize{}, fmt.Sprintf("there are no %s nodes to resize; addNodes could add them, but it is not offered yet", role)
	}
	var kept []string
	from, to := map[string]int64{}, map[string]int64{}
	for _, name := range sizeFields {
		was, known := live.whole(name)
		want, stated := s.groups[role].whole(name)
		changes := slices.ContainsFunc(fields, func(f provider.FieldChange) bool { return f.Path == name })
		switch {
		case name == "storage_size" && !changes:
			continue // optional: left out, it stays
		case !stated && known:
			want = was
			kept = append(kept, fmt.Sprintf("%s stays %d", name, was))
		case !stated:
			return resize{}, fmt.Sprintf("resizeCluster needs cpu and memory, and %s nodes differ in %s (%s): state it in the spec", role, name, distinct(nodes, name))
		}
		to[name] = want
		if known {
			from[name] = was
		}
	}
	if reason := checkSize(role, to); reason != "" {
		return resize{}, reason
	}
	r := resize{action: provider.Action{
		Group: role, Op: provider.OpResize, From: from, To: to, Fields: fields, Removes: []provider.NodeRef{},
		Request: a.resizeRequest(c.Current.ID, role, to, s.groups[role].text("instance_class")),
		Risk:    riskResize,
	}}
	if len(kept) > 0 {
		r.action.Reason = "resizeCluster takes cpu and memory together; " + strings.Join(kept, ", ")
	}
	if from["storage_size"] > to["storage_size"] && to["storage_size"] > 0 {
		r.warnings = append(r.warnings, fmt.Sprintf("storage_size of %s nodes goes from %d to %d GB; the documents do not say whether storage can shrink",
			role, from["storage_size"], to["storage_size"]))
	}
	r.warnings = append(r.warnings, pairWarning(role, to)...)
	return r, ""
}

// resizeRequest is the body of resizeCluster. Numbers go as strings, as in the
// document's example.
func (a *account) resizeRequest(cluster, role string, to map[string]int64, instanceClass string) []byte {
	body := map[string]any{"cluster_id": cluster, "node_role": role, "zone": a.Zone}
	for name, value := range to {
		body[name] = strconv.FormatInt(value, 10)
	}
	if instanceClass != "" {
		body["instance_class"] = instanceClass
	}
	return request{Call: resizeCluster, Body: body}.bytes()
}

// liveGroup is the live group of that role, with what its nodes share.
func liveGroup(current *provider.State, role string) (object, []provider.Node, bool) {
	for _, g := range current.Groups {
		if g.Role != role || g.Count == 0 {
			continue
		}
		attributes, err := decodeObject(g.Attributes)
		if err != nil {
			attributes = object{} // nothing readable: what is missing is asked of the spec
		}
		return attributes, g.Nodes, true
	}
	return nil, nil, false
}

// distinct lists the values of a field over nodes, for people.
func distinct(nodes []provider.Node, name string) string {
	var values []int64
	for _, n := range nodes {
		attributes, _ := decodeObject(n.Attributes)
		if v, ok := attributes.whole(name); ok {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	var texts []string
	for _, v := range slices.Compact(values) {
		texts = append(texts, strconv.FormatInt(v, 10))
	}
	if len(texts) == 0 {
		return "not readable"
	}
	return strings.Join(texts, ", ")
}

// checkSize judges a whole size, of which live nodes may have supplied a part.
func checkSize(role string, to map[string]int64) string {
	switch cpu, memory := to["cpu"], to["memory"]; {
	case !slices.Contains(cpus, cpu):
		return fmt.Sprintf("resizeCluster takes cpu 1, 2, 4, 8, 12 or 26, not %d: state cpu in the spec", cpu)
	case !slices.Contains(memories, memory):
		return fmt.Sprintf("resizeCluster takes memory 2048, 4096, 12288, 24576, 40960 or 81920, not %d: state memory in the spec", memory)
	case role == "compute" && (cpu < computeCPU || memory < computeMemory):
		return fmt.Sprintf("compute nodes have at least cpu %d and memory %d, not %d and %d: state both in the spec",
			computeCPU, computeMemory, cpu, memory)
	}
	return ""
}

// pairWarning tells of a size that the vendor's table does not list.
func pairWarning(role string, to map[string]int64) []string {
	if i := slices.Index(cpus, to["cpu"]); i < 0 || memories[i] != to["memory"] {
		return []string{fmt.Sprintf("%s nodes of cpu %d with memory %d are not in the vendor's table of sizes; the cloud may refuse them",
			role, to["cpu"], to["memory"])}
	}
	return nil
}
