package aliyun

import (
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// stateDeleted is the state of a cluster that is no more.
const stateDeleted = "deleted"

// clusterStatus reads a cluster's state (DescribeClusterDetail and "Cluster
// lifecycle", state). Only running takes a scale-out; a word that neither
// document knows stays unknown.
func clusterStatus(state string) provider.Status {
	switch state {
	case "running":
		return provider.StatusReady
	case "initial", "updating", "upgrading", "scaling", "removing", "draining", "waiting", "deleting":
		return provider.StatusBusy
	case "failed", "updating_failed", "disconnected", "inactive", "unavailable", "stopped", "delete_failed", "deleteFailed":
		return provider.StatusBroken
	}
	return provider.StatusUnknown
}

// nodeStatus reads a node's two words: the machine's state, which the document
// gives in one vocabulary as a field and in another as a filter, and the status
// that Kubernetes gives the node.
func nodeStatus(n clusterNode) (provider.Status, string) {
	text := n.State
	if n.Status != "" {
		text = strings.TrimPrefix(text+", "+n.Status, ", ")
	}
	switch n.State {
	case "pending", "starting", "stopping", "initial", "removing":
		return provider.StatusBusy, text
	case "stopped", "failed":
		return provider.StatusBroken, text
	case "running":
		switch n.Status {
		case "Ready":
			return provider.StatusReady, text
		case "NotReady", "Offline":
			return provider.StatusBroken, text
		}
	}
	return provider.StatusUnknown, text
}

// taskState reads a task's state (DescribeTaskInfo, state).
func taskState(state string) provider.OperationState {
	switch state {
	case "running":
		return provider.OperationRunning
	case "success":
		return provider.OperationSucceeded
	case "failed", "fail":
		return provider.OperationFailed
	}
	return provider.OperationUnknown
}
