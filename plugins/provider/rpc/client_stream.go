package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// Observe passes observations on as they arrive. However the stream ends, the
// keys that were not yielded are unread, and the error names them.
func (c *client) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	call := c.begin(ctx, callObserve)
	waiting := newWaiting(req.Keys)
	call.left = waiting.left
	message := toObserve(req)
	if err := call.ready(message); err != nil {
		return err
	}
	stream, err := c.rpc.Observe(call.ctx, message)
	if err != nil {
		return call.failed(err)
	}
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if n := len(waiting.left()); n > 0 {
				return call.violated("it left out %d of %d keys", n, len(req.Keys))
			}
			return nil
		}
		if err != nil {
			return call.failed(err)
		}
		for _, message := range part.GetObservations() {
			o, err := fromObservation(message)
			if err != nil {
				// As on the other end: one cluster's fault is its own.
				o = provider.Observation{Address: message.GetAddress(), Error: call.violated("%w", err)}
			}
			if err := waiting.take(o); err != nil {
				return call.violated("%w", err)
			}
			if err := yield(o); err != nil {
				return err
			}
		}
		if err := call.told(part.GetError()); err != nil {
			return err
		}
	}
}

// Plan sends the request in parts, so that no number of clusters is too many
// for one message, and puts the answer's parts together.
func (c *client) Plan(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	call := c.begin(ctx, callPlan)
	none := provider.PlanResponse{}
	clusters, err := listErr(req.Clusters, toClusterChange)
	if err != nil {
		return none, call.unsent(err)
	}
	for i, m := range clusters {
		call.left = func() []string { return []string{req.Clusters[i].Desired.Address} }
		if err := call.ready(m); err != nil {
			return none, err
		}
	}
	call.left = func() []string {
		return list(req.Clusters, func(c provider.ClusterChange) string { return c.Desired.Address })
	}
	stream, err := c.rpc.Plan(call.ctx)
	if err != nil {
		return none, call.failed(err)
	}
	err = inBatches(clusters, func(batch []*wire.ClusterChange) error {
		return stream.Send(&wire.PlanRequest{Clusters: batch})
	})
	// EOF from Send means that the plugin answered early; Recv says what.
	if err != nil && !errors.Is(err, io.EOF) {
		return none, call.failed(err)
	}
	if err := stream.CloseSend(); err != nil {
		return none, call.failed(err)
	}
	var out provider.PlanResponse
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return none, call.failed(err)
		}
		if err := call.told(part.GetError()); err != nil {
			return none, err
		}
		plans, err := listErr(part.GetClusters(), fromClusterPlan)
		if err != nil {
			return none, call.violated("%w", err)
		}
		out.Clusters = append(out.Clusters, plans...)
	}
	if got, want := len(out.Clusters), len(req.Clusters); got != want {
		return none, call.violated("%d plans for %d clusters", got, want)
	}
	return out, nil
}

// waiting is the keys of one Observe that have no answer yet.
type waiting struct {
	all   bool // no keys: the whole account
	order []string
	open  map[string]int // by address; two keys may share one
}

func newWaiting(keys []provider.Key) *waiting {
	w := &waiting{all: len(keys) == 0, open: make(map[string]int, len(keys))}
	for _, k := range keys {
		if w.open[k.Address] == 0 {
			w.order = append(w.order, k.Address)
		}
		w.open[k.Address]++
	}
	return w
}

// take checks one answer and strikes out its key.
func (w *waiting) take(o provider.Observation) error {
	switch {
	case w.all && o.Address != "":
		return fmt.Errorf("it answered for %q, but nothing was asked by address", o.Address)
	case !w.all && w.open[o.Address] == 0:
		return fmt.Errorf("it answered for %q, which was not asked or already answered", o.Address)
	case (o.Presence == provider.Present) != (o.Cluster != nil):
		return fmt.Errorf("its answer for %q says %q but has cluster: %t", o.Address, o.Presence, o.Cluster != nil)
	}
	w.open[o.Address]--
	return nil
}

func (w *waiting) left() []string {
	var out []string
	for _, address := range w.order {
		if w.open[address] > 0 {
			out = append(out, address)
		}
	}
	return out
}
