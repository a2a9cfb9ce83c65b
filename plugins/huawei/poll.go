package huawei

import (
	"context"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Poll implements provider.Provider. MRS gives a resize no handle, so no handle
// is one of ours: each is answered with an error of its own, and the state
// stays unknown. What a resize does shows in State.StatusText.
func (p *Provider) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	statuses := make([]provider.OperationStatus, len(ops))
	for i, op := range ops {
		e := provider.Errorf(provider.KindUnsupported, "MRS gives a resize no handle to ask for; its progress shows in the cluster's state")
		if len(op.Handle) > 0 {
			e = provider.Errorf(provider.KindInvalid, "the handle is not one of the huawei provider's, which gives none")
		}
		statuses[i] = provider.OperationStatus{Error: e, At: p.opts.Now()}
	}
	return statuses, nil
}
