package rpc

import (
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

func toStart(r provider.StartRequest) *wire.StartRequest {
	return &wire.StartRequest{Request: opaque(r.Request), Secrets: table(r.Secrets, toBytes), CheckOnly: r.CheckOnly}
}

func fromStart(r *wire.StartRequest) provider.StartRequest {
	return provider.StartRequest{
		Request:   opaque(r.GetRequest()),
		Secrets:   table(r.GetSecrets(), fromBytes),
		CheckOnly: r.GetCheckOnly(),
	}
}

// toAnswer keeps everything of an answer but a handle that is too long: an
// accepted change must not be lost over it, and without the handle all that is
// left to do is what an unknown outcome asks for.
func toAnswer(a provider.Answer) *wire.StartResponse {
	if err := checkHandle(a.Operation.Handle); err != nil {
		a.Outcome, a.Operation.Handle = provider.OutcomeUnknown, nil
		a.Error = provider.Errorf(provider.KindInternal, "the plugin broke the contract: %w", err)
	}
	return &wire.StartResponse{
		Outcome:   outcomes.to(a.Outcome),
		Operation: &wire.Operation{Handle: opaque(a.Operation.Handle)},
		ClusterId: text(a.ClusterID),
		RequestId: text(a.RequestID),
		Error:     toError(a.Error),
		At:        toTime(a.At),
	}
}

func fromAnswer(a *wire.StartResponse) provider.Answer {
	out := provider.Answer{
		Outcome:   outcomes.from(a.GetOutcome()),
		Operation: provider.Operation{Handle: opaque(a.GetOperation().GetHandle())},
		ClusterID: a.GetClusterId(),
		RequestID: a.GetRequestId(),
		Error:     fromError(a.GetError()),
		At:        fromTime(a.GetAt()),
	}
	if err := checkHandle(out.Operation.Handle); err != nil {
		out.Outcome, out.Operation.Handle = provider.OutcomeUnknown, nil
		out.Error = provider.Errorf(provider.KindInternal, "the plugin broke the contract: %w", err)
	}
	return out
}

func toOperation(o provider.Operation) (*wire.Operation, error) {
	return &wire.Operation{Handle: opaque(o.Handle)}, checkHandle(o.Handle)
}

func fromOperation(o *wire.Operation) (provider.Operation, error) {
	return provider.Operation{Handle: opaque(o.GetHandle())}, checkHandle(o.GetHandle())
}

func toOperationStatus(s provider.OperationStatus) *wire.OperationStatus {
	return &wire.OperationStatus{
		State:     operationStates.to(s.State),
		Progress:  text(s.Progress),
		Nodes:     texts(s.Nodes),
		ClusterId: text(s.ClusterID),
		Error:     toError(s.Error),
		At:        toTime(s.At),
	}
}

func fromOperationStatus(s *wire.OperationStatus) provider.OperationStatus {
	return provider.OperationStatus{
		State:     operationStates.from(s.GetState()),
		Progress:  s.GetProgress(),
		Nodes:     texts(s.GetNodes()),
		ClusterID: s.GetClusterId(),
		Error:     fromError(s.GetError()),
		At:        fromTime(s.GetAt()),
	}
}

func toPrice(p provider.Price) *wire.Price {
	return &wire.Price{Amount: p.Amount, Currency: text(p.Currency), Per: text(p.Per)}
}

func fromPrice(p *wire.Price) provider.Price {
	return provider.Price{Amount: p.GetAmount(), Currency: p.GetCurrency(), Per: p.GetPer()}
}
