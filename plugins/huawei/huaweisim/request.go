package huaweisim

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
)

// The names of node groups in a request (MRS API, resizing a cluster, table 2,
// node_group). Reads show others.
const (
	coreGroup = "core_node_default_group"
	taskGroup = "task_node_default_group"
)

// TaskNodeInfo is the specification of a Task group's nodes (MRS API, resizing
// a cluster, table 3).
type TaskNodeInfo struct {
	NodeSize        string `json:"node_size"`
	DataVolumeType  string `json:"data_volume_type,omitempty"`
	DataVolumeCount int    `json:"data_volume_count,omitempty"`
	DataVolumeSize  int    `json:"data_volume_size,omitempty"`
}

// resize is a checked request body.
type resize struct {
	scaleType string // scale_out or scale_in
	out       bool
	group     string // coreGroup or taskGroup
	instances int
	task      *TaskNodeInfo
	skipBoot  bool
	noStart   bool
	serverIDs []string
}

// object reads members of a JSON object by their exact names (encoding/json
// alone would take any case) and keeps the first refusal.
type object struct {
	members map[string]json.RawMessage
	no      *refusal
}

func (o *object) refuse(code, detail string) {
	if o.no == nil {
		o.no = refuse(code, detail)
	}
}

// get decodes a member into v and reports whether it was there. A wrong type is
// 12000009 ("method parameter invalid"), a wrong value 12000002: taken, as the
// table of codes does not tell them apart.
func (o *object) get(name string, v any) bool {
	raw, ok := o.members[name]
	if !ok || string(raw) == "null" {
		return false
	}
	if err := json.Unmarshal(raw, v); err != nil {
		o.refuse("12000009", name+" has the wrong type.")
		return false
	}
	return true
}

func (o *object) child(name string) *object {
	child := &object{}
	o.get(name, &child.members)
	return child
}

// flag reads a Boolean. Newer pages type skip_bootstrap_scripts as a string, so
// "true" and "false" are taken as well.
func (o *object) flag(name string) bool {
	if s := string(o.members[name]); s == `"true"` || s == `"false"` {
		return s == `"true"`
	}
	var v bool
	o.get(name, &v)
	return v
}

// reserved checks a member that users do not set; the examples send "".
func (o *object) reserved(name string) {
	var v string
	if o.get(name, &v); v != "" {
		o.refuse("12000002", name+" is reserved.")
	}
}

var digits = regexp.MustCompile(`^[0-9]{1,9}$`)

// number reads a count that may come as a string or an integer.
func (o *object) number(name string) int {
	raw := o.members[name]
	text := string(raw)
	if len(raw) > 0 && raw[0] == '"' {
		o.get(name, &text)
	} else if len(raw) > 0 && (raw[0] == '{' || raw[0] == '[' || raw[0] == 't' || raw[0] == 'f') {
		o.refuse("12000009", name+" has the wrong type.")
		return 0
	}
	n := 0
	if digits.MatchString(text) {
		n, _ = strconv.Atoi(text)
	}
	// Zero is refused: taken, no document says.
	if n < 1 {
		o.refuse("12000002", name+" must be a whole number of 1 or more.")
	}
	return n
}

// parseResize reads a request body and checks what needs no live state. Beside
// a refusal it returns what could be read, for the audit log.
func parseResize(body []byte) (resize, *refusal) {
	q := resize{group: coreGroup}
	top := &object{}
	if err := json.Unmarshal(body, &top.members); err != nil || top.members == nil {
		return q, refuse("12000009", "The body is no JSON object.")
	}
	top.reserved("service_id")
	top.reserved("plan_id")
	previous := top.child("previous_values")
	previous.reserved("plan_id")

	p := top.child("parameters")
	if p.members == nil {
		top.refuse("12000002", "parameters is required.")
		return q, top.no
	}
	p.reserved("order_id")
	var nodeID, group string
	p.get("scale_type", &q.scaleType)
	q.out = q.scaleType == "scale_out"
	if !q.out && q.scaleType != "scale_in" {
		p.refuse("12000002", "scale_type must be scale_in or scale_out.")
	}
	if p.get("node_id", &nodeID); nodeID != "node_orderadd" {
		p.refuse("12000002", "node_id must be node_orderadd.")
	}
	// Empty or absent means Core.
	if p.get("node_group", &group); group != "" {
		q.group = group
	}
	if q.group != coreGroup && q.group != taskGroup {
		p.refuse("12000002", "node_group must be "+coreGroup+" or "+taskGroup+".")
	}
	q.instances = p.number("instances")
	q.skipBoot = p.flag("skip_bootstrap_scripts")
	q.noStart = p.flag("scale_without_start")
	p.get("server_ids", &q.serverIDs)
	if task := p.child("task_node_info"); task.members != nil {
		q.task = parseTask(task)
		p.no = firstOf(p.no, task.no)
	}
	no := firstOf(top.no, previous.no, p.no)
	if no == nil {
		no = q.check()
	}
	return q, no
}

// parseTask checks task_node_info (table 3). The data volume's members are
// optional, each for itself.
func parseTask(o *object) *TaskNodeInfo {
	var t TaskNodeInfo
	o.get("node_size", &t.NodeSize)
	if _, _, ok := capacity(t.NodeSize); !ok {
		o.refuse("12000002", "node_size is required and must be a node specification.")
	}
	if o.get("data_volume_type", &t.DataVolumeType) && !slices.Contains([]string{"SATA", "SAS", "SSD"}, t.DataVolumeType) {
		o.refuse("12000002", "data_volume_type must be SATA, SAS or SSD.")
	}
	if o.get("data_volume_count", &t.DataVolumeCount) && (t.DataVolumeCount < 1 || t.DataVolumeCount > 10) {
		o.refuse("12000002", "data_volume_count must be 1 to 10.")
	}
	if o.get("data_volume_size", &t.DataVolumeSize) && (t.DataVolumeSize < 100 || t.DataVolumeSize > 32000) {
		o.refuse("12000002", "data_volume_size must be 100 to 32000 GB.")
	}
	return &t
}

// check holds the rules between members.
func (q resize) check() *refusal {
	if q.task != nil && (!q.out || q.group != taskGroup) {
		return refuse("12000002", "task_node_info is for adding Task nodes only.")
	}
	if q.out || len(q.serverIDs) == 0 {
		return nil // server_ids has no effect on a scale-out
	}
	if q.group != taskGroup {
		return refuse("12000002", "server_ids is for Task nodes only.")
	}
	// Taken: no document says what a difference in length does.
	if len(q.serverIDs) != q.instances {
		return refuse("12000002", "server_ids and instances differ.")
	}
	if len(slices.Compact(slices.Sorted(slices.Values(q.serverIDs)))) != len(q.serverIDs) {
		return refuse("12000002", "server_ids names a node twice.")
	}
	return nil
}

func firstOf(refusals ...*refusal) *refusal {
	for _, no := range refusals {
		if no != nil {
			return no
		}
	}
	return nil
}
