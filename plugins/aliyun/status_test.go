package aliyun

import (
	"testing"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

func TestStatusWords(t *testing.T) {
	for state, want := range map[string]provider.Status{
		"running": provider.StatusReady, "scaling": provider.StatusBusy, "initial": provider.StatusBusy, "deleting": provider.StatusBusy,
		"failed": provider.StatusBroken, "delete_failed": provider.StatusBroken, "deleteFailed": provider.StatusBroken,
		"updating_failed": provider.StatusBroken, "": provider.StatusUnknown, "Running": provider.StatusUnknown, "new word": provider.StatusUnknown,
	} {
		if got := clusterStatus(state); got != want {
			t.Errorf("cluster %q: %q, want %q", state, got, want)
		}
	}
	for _, tt := range []struct {
		state, status string
		want          provider.Status
		text          string
	}{
		{"running", "Ready", provider.StatusReady, "running, Ready"},
		{"running", "NotReady", provider.StatusBroken, "running, NotReady"},
		{"running", "Unknown", provider.StatusUnknown, "running, Unknown"},
		{"initial", "", provider.StatusBusy, "initial"},
		{"removing", "Ready", provider.StatusBusy, "removing, Ready"},
		{"failed", "", provider.StatusBroken, "failed"},
		{"", "Ready", provider.StatusUnknown, "Ready"},
	} {
		got, text := nodeStatus(clusterNode{State: tt.state, Status: tt.status})
		if got != tt.want || text != tt.text {
			t.Errorf("node %q %q: %q %q", tt.state, tt.status, got, text)
		}
	}
	for state, want := range map[string]provider.OperationState{
		"running": provider.OperationRunning, "success": provider.OperationSucceeded, "failed": provider.OperationFailed,
		"fail": provider.OperationFailed, "": provider.OperationUnknown, "paused": provider.OperationUnknown,
	} {
		if got := taskState(state); got != want {
			t.Errorf("task %q: %q, want %q", state, got, want)
		}
	}
}
