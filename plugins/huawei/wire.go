package huawei

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// number is a whole number that the service writes as a number in one answer
// and as a string in the next.
type number struct {
	value int
	known bool // false: absent, null, or no whole number
}

// UnmarshalJSON never fails: one odd value must not hide a page of clusters.
func (n *number) UnmarshalJSON(b []byte) error {
	value, err := strconv.Atoi(strings.TrimSpace(strings.Trim(string(b), `"`)))
	*n = number{value, err == nil}
	return nil
}

// word is a string that may come as a number.
type word string

// UnmarshalJSON takes any JSON value; what is no string is kept as written.
func (w *word) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(b, []byte(`"`)) {
		*w = word(strings.TrimPrefix(string(b), "null"))
		return nil
	}
	return json.Unmarshal(b, (*string)(w))
}

// cluster is one entry of the list and the body of the detail (MRS API,
// cluster list and cluster details). encoding/json ignores the case of keys,
// which the documents do not agree on for groups.
type cluster struct {
	ID             string      `json:"clusterId"`
	Name           string      `json:"clusterName"`
	State          string      `json:"clusterState"`
	Scale          word        `json:"scale"`
	StageDesc      word        `json:"stageDesc"`
	ErrorInfo      word        `json:"errorInfo"`
	Version        word        `json:"clusterVersion"`
	Type           number      `json:"clusterType"`
	BillingType    word        `json:"billingType"`
	PeriodType     number      `json:"periodType"`
	Duration       word        `json:"duration"`
	MasterNodeNum  number      `json:"masterNodeNum"`
	CoreNodeNum    number      `json:"coreNodeNum"`
	TotalNodeNum   number      `json:"totalNodeNum"`
	NodeGroups     []nodeGroup `json:"nodeGroups"`
	TaskNodeGroups []nodeGroup `json:"taskNodeGroups"`
}

// nodeGroup is one group of nodes of a cluster. Its name when read is not the
// one to write in a resize: core_node_analysis_group against
// core_node_default_group.
type nodeGroup struct {
	Name            string `json:"groupName"`
	NodeNum         number `json:"nodeNum"`
	NodeSize        string `json:"nodeSize"`
	DataVolumeType  string `json:"dataVolumeType"`
	DataVolumeCount number `json:"dataVolumeCount"`
	DataVolumeSize  number `json:"dataVolumeSize"`
}

// host is one machine (MRS API, host list). ID is what server_ids takes.
type host struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Status          string `json:"status"`
	Type            string `json:"type"`
	Group           string `json:"node_group_name"`
	Flavor          string `json:"flavor"`
	DataVolumeType  string `json:"data_volume_type"`
	DataVolumeCount number `json:"data_volume_count"`
	DataVolumeSize  number `json:"data_volume_size"`
}

// role sorts a host by the words in its type, which is written MasterNode,
// Master or Analysis_Core in different documents, else by its group's prefix.
func (h host) role() string {
	for _, text := range []string{h.Type, h.Group} {
		text = strings.ToLower(text)
		for _, role := range []string{roleMaster, roleCore, roleTask} {
			if strings.Contains(text, role) {
				return role
			}
		}
	}
	return ""
}
