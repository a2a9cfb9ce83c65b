package aliyun

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Poll implements provider.Provider. A handle is the cloud's task id.
func (p *plugin) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	if p.session == nil {
		return nil, errNotConfigured
	}
	out := make([]provider.OperationStatus, len(ops))
	limit := make(chan struct{}, budget.Concurrency)
	var all sync.WaitGroup
	for i, op := range ops {
		limit <- struct{}{}
		all.Go(func() {
			defer func() { <-limit }()
			out[i] = p.status(ctx, op)
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

func (s *session) status(ctx context.Context, op provider.Operation) provider.OperationStatus {
	if !validHandle(op.Handle) {
		return provider.OperationStatus{Error: provider.Errorf(provider.KindInvalid, "the handle is not a task id")}
	}
	t, at, err := s.taskInfo(ctx, string(op.Handle))
	if err != nil {
		return provider.OperationStatus{Error: provider.AsError(err), At: at}
	}
	status := provider.OperationStatus{State: taskState(t.State), Progress: t.State, Nodes: resultNodes(t.Result), At: at}
	if t.Stage != "" {
		status.Progress += ": " + t.Stage
	}
	if status.State == provider.OperationFailed {
		status.Error = taskError(t)
	}
	return status
}

// resultNodes are the instances of a scale-out (DescribeTaskInfo, task_result:
// data is the instance id). All are named, whatever their own status: the
// document prints the same word for success and failure, and only the node
// list shows what came of each.
func resultNodes(raw json.RawMessage) []string {
	var results []struct {
		Data string `json:"data"`
	}
	if json.Unmarshal(raw, &results) != nil {
		return nil // other tasks have other shapes
	}
	var ids []string
	for _, r := range results {
		if r.Data != "" && !slices.Contains(ids, r.Data) {
			ids = append(ids, r.Data)
		}
	}
	return ids
}

func taskError(t task) *provider.Error {
	var cause struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(t.Error, &cause) != nil || cause.Code == "" && cause.Message == "" {
		return provider.Errorf(provider.KindInternal, "task %s %s without saying why", t.ID, t.State)
	}
	// There is no status here; a code that no rule knows stays internal.
	e := &provider.Error{Code: cause.Code, Message: cause.Message}
	if kind, known := classify(cause.Code, 400); known {
		e.Kind = kind
	}
	return e
}

// validHandle says whether a handle can be a task id.
func validHandle(handle []byte) bool {
	return len(handle) <= 256 && pathID.Match(handle)
}
