package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// server is the plugin's end: it answers the wire's calls with a provider.
type server struct {
	wire.UnimplementedProviderServer
	provider provider.Provider
}

// asData makes err travel in a response, so that its kind survives.
func asData(err error) *wire.Error { return toError(provider.AsError(err)) }

// broken is the answer to a caller or a provider that breaks the contract.
func broken(kind provider.ErrorKind, err error) *wire.Error {
	return toError(provider.Errorf(kind, "the contract is broken: %w", err))
}

func (s *server) Describe(ctx context.Context, _ *wire.DescribeRequest) (*wire.DescribeResponse, error) {
	d, err := s.provider.Describe(ctx)
	if err != nil {
		return &wire.DescribeResponse{Error: asData(err)}, nil
	}
	out := &wire.DescribeResponse{Description: toDescription(d)}
	if err := checkSize("the description", out); err != nil {
		return &wire.DescribeResponse{Error: broken(provider.KindInternal, err)}, nil
	}
	return out, nil
}

func (s *server) Configure(ctx context.Context, req *wire.ConfigureRequest) (*wire.ConfigureResponse, error) {
	return &wire.ConfigureResponse{Error: asData(s.provider.Configure(ctx, fromConfig(req)))}, nil
}

func (s *server) Observe(req *wire.ObserveRequest, stream wire.Provider_ObserveServer) error {
	out := newOutbox(func(batch []*wire.Observation) error {
		return stream.Send(&wire.ObserveResponse{Observations: batch})
	})
	// Also when the provider panics: the goroutine must not outlive the call.
	defer out.close()
	err := s.provider.Observe(stream.Context(), fromObserve(req), func(o provider.Observation) error {
		message, err := toObservation(o)
		if err == nil {
			err = checkSize("the observation", message)
		}
		if err != nil {
			// One cluster's fault must not leave the others unread.
			message = &wire.Observation{Address: text(o.Address), Error: broken(provider.KindInternal, err), At: toTime(o.At)}
		}
		return out.put(message)
	})
	if lost := out.close(); lost != nil {
		return lost
	}
	if err != nil {
		return stream.Send(&wire.ObserveResponse{Error: asData(err)})
	}
	return nil
}

func (s *server) Plan(stream wire.Provider_PlanServer) error {
	refuse := func(kind provider.ErrorKind, err error) error {
		return stream.Send(&wire.PlanResponse{Error: broken(kind, err)})
	}
	var req provider.PlanRequest
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for _, c := range part.GetClusters() {
			cluster, err := fromClusterChange(c)
			if err != nil {
				return refuse(provider.KindInvalid, fmt.Errorf("cluster %s: %w", c.GetDesired().GetAddress(), err))
			}
			req.Clusters = append(req.Clusters, cluster)
		}
	}
	plan, err := s.provider.Plan(stream.Context(), req)
	if err != nil {
		return stream.Send(&wire.PlanResponse{Error: asData(err)})
	}
	clusters, err := listErr(plan.Clusters, toClusterPlan)
	if err != nil {
		return refuse(provider.KindInternal, err)
	}
	for _, c := range clusters {
		if err := checkSize("the plan of one cluster", c); err != nil {
			return refuse(provider.KindInternal, err)
		}
	}
	return inBatches(clusters, func(batch []*wire.ClusterPlan) error {
		return stream.Send(&wire.PlanResponse{Clusters: batch})
	})
}

func (s *server) Start(ctx context.Context, req *wire.StartRequest) (*wire.StartResponse, error) {
	answer := s.provider.Start(ctx, fromStart(req))
	out := toAnswer(answer)
	if err := checkSize("the answer", out); err != nil {
		return &wire.StartResponse{Error: broken(provider.KindInternal, err), At: out.GetAt()}, nil
	}
	return out, nil
}

func (s *server) Poll(ctx context.Context, req *wire.PollRequest) (*wire.PollResponse, error) {
	operations, err := listErr(req.GetOperations(), fromOperation)
	if err != nil {
		return &wire.PollResponse{Error: broken(provider.KindInvalid, err)}, nil
	}
	found, err := s.provider.Poll(ctx, operations)
	if err != nil {
		return &wire.PollResponse{Error: asData(err)}, nil
	}
	out := &wire.PollResponse{Statuses: list(found, toOperationStatus)}
	if err := checkSize("the operations' status", out); err != nil {
		return &wire.PollResponse{Error: broken(provider.KindInternal, err)}, nil
	}
	return out, nil
}

func (s *server) Quote(ctx context.Context, req *wire.QuoteRequest) (*wire.QuoteResponse, error) {
	quoter, ok := s.provider.(provider.Quoter)
	if !ok {
		return &wire.QuoteResponse{Error: asData(provider.Errorf(provider.KindUnsupported, "no prices are known here"))}, nil
	}
	price, err := quoter.Quote(ctx, opaque(req.GetRequest()))
	if err != nil {
		return &wire.QuoteResponse{Error: asData(err)}, nil
	}
	return &wire.QuoteResponse{Price: toPrice(price)}, nil
}
