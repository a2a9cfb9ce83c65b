package qingcloud

import (
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// gone says that a cluster or node exists in the records only.
func gone(status string) bool {
	switch strings.ToLower(status) {
	case "deleted", "ceased":
		return true
	}
	return false
}

// statusOf reads a cluster's or node's status: the list's filter names pending,
// active, stopped and suspended, the console the others; "active is the only
// usable state". What moves says so in transition, whose words are not
// published.
func statusOf(status, transition string) provider.Status {
	if transition != "" {
		return provider.StatusBusy
	}
	switch strings.ToLower(status) {
	case "active":
		return provider.StatusReady
	case "pending", "creating", "installing", "initialising", "initializing", "deleting",
		"starting", "stopping", "suspending", "resizing", "updating", "ceasing":
		return provider.StatusBusy
	case "stopped", "suspended", "abnormal":
		return provider.StatusBroken
	}
	return provider.StatusUnknown
}

// jobState reads a job's status. EHPC publishes pending, successful and failed;
// the vendor's other jobs also know working and "done with failure". What is
// neither success nor failure still runs.
func jobState(status string) provider.OperationState {
	switch strings.ToLower(status) {
	case "successful":
		return provider.OperationSucceeded
	case "failed", "done with failure":
		return provider.OperationFailed
	}
	return provider.OperationRunning
}

// jobOp reads what a job does. The names for create and resize are not
// published; they follow the pattern of those that are.
func jobOp(action string) provider.Op {
	action = strings.ToLower(action)
	for word, op := range map[string]provider.Op{
		"createcluster": provider.OpCreate, "resizecluster": provider.OpResize,
		"addclusternodes": provider.OpScaleOut, "deleteclusternodes": provider.OpScaleIn,
	} {
		if strings.Contains(action, word) {
			return op
		}
	}
	return provider.OpUnknown
}

// paidType brings the payment type to the spelling of the spec: one page of
// the vendor writes PayForUesd, one reserved.
func paidType(s string) string {
	switch strings.ToLower(s) {
	case "reserved":
		return "Reserved"
	case "payforused", "payforuesd":
		return "PayForUsed"
	}
	return s
}

// kindOf is a listed cluster's kind; its id tells it too.
func kindOf(c clusterItem) string {
	if c.Type != "" {
		return strings.ToLower(c.Type)
	}
	prefix, _, _ := strings.Cut(c.ID, "-")
	return prefix
}
