package qingcloud

import (
	"context"
	"sync"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Poll implements provider.Provider. The document shows one job id per
// question and no separator for several, so each job is asked for alone.
func (p *plugin) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	a, err := p.configured()
	if err != nil {
		return nil, err
	}
	statuses := make([]provider.OperationStatus, len(ops))
	var wg sync.WaitGroup
	for i, op := range ops { // the client's slots bound how many ask at once
		wg.Go(func() { statuses[i] = a.poll(ctx, op) })
	}
	wg.Wait()
	return statuses, ctx.Err()
}

func (a *account) poll(ctx context.Context, op provider.Operation) provider.OperationStatus {
	h, err := parseHandle(op.Handle)
	if err != nil {
		return provider.OperationStatus{Error: provider.Errorf(provider.KindInvalid, "%w", err)}
	}
	jobs, at, err := a.listJobs(ctx, map[string]string{"job_ids": h.Job})
	if err != nil {
		return provider.OperationStatus{Error: provider.AsError(err)}
	}
	status := provider.OperationStatus{At: at, ClusterID: h.Cluster}
	j, ok := h.find(jobs)
	if !ok {
		// The log may lag behind the answer that named the job.
		status.Error = provider.Errorf(provider.KindNotFound, "job %s is not in the operation log", h.Job)
		return status
	}
	status.State = jobState(j.Status)
	status.Progress = progress(j)
	if status.ClusterID == "" && jobOp(j.Action) == provider.OpCreate {
		status.ClusterID = first(j.Resources)
	}
	if status.State == provider.OperationFailed {
		status.Error = &provider.Error{
			Kind: provider.KindInternal, Code: clip(readable(j.Errors)),
			Message: "job " + j.ID + " (" + status.Progress + ") did not succeed",
		}
	}
	return status
}

// progress is what the cloud says of a job.
func progress(j jobItem) string {
	what := j.Describe
	if what == "" {
		what = j.Action
	}
	return clip(what + ": " + j.Status)
}
