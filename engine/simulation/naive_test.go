package simulation

import (
	"context"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// runNaive is the obvious tool: read, send target minus current, and after an
// answer that did not come read and send again. It shows what the journal, the
// late reads and the locks are for.
func (p *process) runNaive() *report {
	for _, t := range p.spec.clusters {
		p.naiveCluster(t)
	}
	return &report{}
}

func (p *process) naiveCluster(t *target) {
	plug := &plugin{p.w, p}
	for range 12 {
		if p.ctx.Err() != nil {
			return
		}
		var o provider.Observation
		key := provider.Key{Address: t.address, Kind: t.kind, ID: t.id, Name: t.name}
		err := plug.Observe(p.ctx, provider.ObserveRequest{Level: provider.LevelNodes, Keys: []provider.Key{key}}, func(got provider.Observation) error {
			o = got
			return nil
		})
		wait := 5 * time.Second
		b, base := naiveBody(t, o)
		switch {
		case err != nil || o.Presence == provider.Unread || o.Presence == provider.Ambiguous:
		case o.Cluster != nil && o.Cluster.Status != provider.StatusReady:
			wait = 10 * time.Second
		case b == nil:
			return
		default:
			p.base = base
			ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
			if plug.Start(ctx, provider.StartRequest{Request: []byte(b.String())}).Outcome == provider.OutcomeAccepted {
				wait = 20 * time.Second
			}
			cancel()
		}
		time.Sleep(wait)
	}
}

// naiveBody is the request for the first difference, nil when there is none.
func naiveBody(t *target, o provider.Observation) (*body, []string) {
	if o.Cluster == nil {
		if t.id != "" || o.Presence != provider.Absent {
			return nil, nil
		}
		return &body{Op: provider.OpCreate, Name: t.name, Kind: t.kind, Size: defaultSize,
			Groups: map[string]int64{"core": t.core, "task": max(t.task, 0)}}, nil
	}
	for _, g := range o.Cluster.Groups {
		want := t.core
		if g.Role == "task" {
			want = t.task
		}
		var base []string
		for _, n := range g.Nodes {
			base = append(base, n.ID)
		}
		b := &body{Cluster: o.Cluster.ID, Group: g.Role, Size: defaultSize}
		switch have := int64(len(base)); {
		case want < 0 || want == have:
			continue
		case want > have:
			b.Op, b.Count = provider.OpScaleOut, want-have
		default:
			b.Op, b.Count, b.Victims = provider.OpScaleIn, have-want, base[want:]
		}
		return b, base
	}
	return nil, nil
}
