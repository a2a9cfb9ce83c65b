package qingcloud

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// clusterItem is one cluster of GET /api/cluster/list.
type clusterItem struct {
	ID        string `json:"cluster_id"` // ehpc-… or hpc-…
	Name      string `json:"cluster_name"`
	Type      string `json:"cluster_type"`
	Status    string `json:"cluster_status"`
	Transit   string `json:"transition_status"`
	NasID     string `json:"nas_id"`
	NasPath   string `json:"nas_path"`
	PaidType  string `json:"paid_type"`
	Scheduler string `json:"scheduler_type"`
}

// UnmarshalJSON reads the item. The document's example can be read as if all
// fields stood inside app_cluster, so both places are looked at.
func (c *clusterItem) UnmarshalJSON(b []byte) error {
	type plain clusterItem
	item := struct {
		plain
		Inner plain `json:"app_cluster"`
	}{}
	if err := json.Unmarshal(b, &item); err != nil {
		return err
	}
	*c = clusterItem(item.plain)
	if c.ID == "" {
		*c = clusterItem(item.Inner)
	}
	if c.ID == "" {
		return fmt.Errorf("a cluster without cluster_id")
	}
	return nil
}

// nodeItem is one node of GET /api/cluster/listNodes. Its cluster_id is the
// cl-… id of the application, not the one asked for, and is not read.
type nodeItem struct {
	ID      string `json:"node_id"`
	Name    string `json:"name"`
	Role    string `json:"role"`
	CPU     number `json:"cpu"`
	Memory  number `json:"memory"` // MB
	Storage number `json:"storage_size"`
	Status  string `json:"status"`
	Transit string `json:"transition_status"`
	Version string `json:"app_version"`
	VxNet   string `json:"vxnet_id"`
	Mount   string `json:"nas_mount_point"`
	Created string `json:"create_time"`
}

// jobItem is one job of GET /api/operation.
type jobItem struct {
	ID        string          `json:"job_id"`
	Action    string          `json:"job_action"`
	Describe  string          `json:"action_describe"`
	Resources words           `json:"resource_ids"`
	Status    string          `json:"status"`
	Errors    json.RawMessage `json:"error_codes"`
	Created   string          `json:"create_time"`
}

// number is a whole number that may come as a string: the documents' tables
// and examples disagree. Null and "" leave it unset.
type number struct {
	n   int64
	set bool
}

func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "" || text == "null" {
		return nil
	}
	whole, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(text, 64)
		if whole = int64(f); ferr != nil || float64(whole) != f {
			return fmt.Errorf("%s is not a whole number", b)
		}
	}
	n.n, n.set = whole, true
	return nil
}

// words are ids, as a list or separated by spaces or commas.
type words []string

func (w *words) UnmarshalJSON(b []byte) error {
	var list []string
	if json.Unmarshal(b, &list) == nil {
		*w = list
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*w = strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
	return nil
}

// parseTime reads the forms of time seen in the documents; zero when unknown.
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// readable is JSON text as people read it: a string without its quotes.
func readable(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if text := string(raw); text != "null" && text != "[]" {
		return text
	}
	return ""
}
