package simulation

import (
	"context"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// plugin is the cloud's provider as one process has it, with the network
// between.
type plugin struct {
	w  *world
	by *process
}

// pluginName is also the providers entry.
const pluginName = "m"

func (p *plugin) Describe(context.Context) (*provider.Description, error) {
	d := &provider.Description{
		Name: pluginName, Version: "1.0.0", Identity: []string{"region"}, Capabilities: []string{provider.CapTasks},
	}
	for _, t := range p.w.faults.kinds {
		d.Kinds = append(d.Kinds, provider.Kind{Name: t.kind, Definition: "#K", Creates: true, AcceptWindow: t.window, ReadLag: t.lag})
	}
	return d, nil
}

func (p *plugin) Configure(context.Context, provider.Config) error { return nil }

var (
	errThrottled = &provider.Error{Kind: provider.KindThrottled, Code: "Throttling", Message: "too many requests", RetryAfter: 3 * time.Second}
	errDown      = &provider.Error{Kind: provider.KindUnavailable, Code: "503", Message: "service unavailable"}
	errReset     = &provider.Error{Kind: provider.KindUnavailable, Message: "connection reset by peer"}
	errTimeout   = &provider.Error{Kind: provider.KindUnavailable, Message: "no answer in time"}
	errPlugin    = &provider.Error{Kind: provider.KindUnavailable, Message: "the plugin died"}
	errDenied    = &provider.Error{Kind: provider.KindDenied, Code: "403", Message: "not allowed"}
)

// readFails is why a read or a poll gets no answer, nil when it gets one.
func (w *world) readFails() *provider.Error {
	if !w.rolls(w.faults.reads) {
		return nil
	}
	w.fault("read fails")
	return []*provider.Error{errThrottled, errDown, errReset, errTimeout, errPlugin, errPlugin}[w.luck.IntN(6)]
}

// trip is how long a message takes; most take no time worth telling.
func (w *world) trip() time.Duration {
	if !w.rolls(w.faults.slow) {
		return time.Duration(1+w.luck.IntN(200)) * time.Millisecond
	}
	w.fault("slow message")
	return w.between(200*time.Millisecond, 8*time.Second)
}

func (p *plugin) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var text strings.Builder
	text.WriteString("observe " + string(req.Level))
	for _, k := range req.Keys {
		text.WriteString(" " + k.Address + "=" + k.ID + "?" + k.Name)
	}
	var answers []provider.Observation
	var failed error
	p.over(ctx, text.String(), func() string {
		if err := p.w.readFails(); err != nil && p.w.rolls(0.7) {
			failed = err
			p.w.tell(p.by.name, "cannot read: %s", err.Message)
			return err.Message
		}
		for _, i := range p.w.luck.Perm(len(req.Keys)) {
			k := req.Keys[i]
			if err := p.w.readFails(); err != nil {
				if err == errPlugin { // the rest is unread
					failed = err
					break
				}
				answers = append(answers, provider.Observation{Address: k.Address, Error: err})
				continue
			}
			answers = append(answers, p.w.cloud.read(k))
		}
		p.w.tell(p.by.name, "reads: %s", asRead(answers))
		return p.w.describe(answers)
	})
	if p.by.dead.Load() {
		return errDead
	}
	for _, o := range answers {
		if err := yield(o); err != nil {
			return err
		}
	}
	if failed != nil {
		return failed
	}
	return ctx.Err() // what was not yielded is unread
}

// over carries a question to the cloud and its answer back.
func (p *plugin) over(ctx context.Context, label string, ask func() string) {
	p.w.park(p.by, label, func() bool {
		if p.w.crashes(p.by, "before a read") {
			return true
		}
		t := p.w.current
		if until, ok := ctx.Deadline(); ok && p.w.rolls(p.w.faults.reads/20) {
			p.w.fault("plugin hangs")
			p.w.at(until, p.by.name+" gives up", func() { p.w.finish(t) })
			return false
		}
		p.w.in(p.w.trip(), p.by.name+" asks", func() {
			if t.over {
				return
			}
			p.w.note(t.label, ask())
			p.w.in(p.w.trip()/4, p.by.name+" hears", func() {
				if !t.over && !p.w.crashes(p.by, "after a read") {
					p.w.finish(t)
				}
			})
		})
		return false
	})
}

func (p *plugin) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var out []provider.OperationStatus
	var failed error
	label := "poll"
	for _, op := range ops {
		label += " " + string(op.Handle)
	}
	p.over(ctx, label, func() string {
		if err := p.w.readFails(); err != nil {
			failed = err
			return err.Message
		}
		text := ""
		for _, op := range ops {
			st := p.w.cloud.poll(string(op.Handle))
			out = append(out, st)
			text += " " + string(st.State) + " " + strings.Join(st.Nodes, ",")
		}
		return text
	})
	if p.by.dead.Load() {
		return nil, errDead
	}
	if failed != nil {
		return nil, failed
	}
	if len(out) < len(ops) {
		return nil, errTimeout
	}
	return out, nil
}

// describe puts observations into the trace.
func (w *world) describe(answers []provider.Observation) string {
	var text strings.Builder
	for _, o := range answers {
		text.WriteString(o.Address + " ")
		switch {
		case o.Cluster != nil:
			text.WriteString(string(o.Cluster.Status))
			for _, g := range o.Cluster.Groups {
				text.WriteString(" " + g.Role + "=")
				if g.Count != len(g.Nodes) {
					text.WriteString("(miscounted)")
				}
				for _, n := range g.Nodes {
					text.WriteString(n.ID + ",")
				}
			}
		case o.Error != nil:
			text.WriteString(o.Error.Message)
		default:
			text.WriteString(string(o.Presence) + strings.Join(o.IDs, ","))
		}
		text.WriteString("; ")
	}
	return text.String()
}
