package providertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// memory is a sound provider for boxes.
type memory struct {
	cloud *boxes
	cfg   provider.Config
}

func (*memory) Describe(context.Context) (*provider.Description, error) {
	files := map[string][]byte{"box.cue": []byte(boxDefs)}
	return &provider.Description{
		Name: "box", Version: "1.2.3", Identity: []string{"region"},
		Schema:       provider.Schema{Files: files, Digest: provider.SchemaDigest(files)},
		Kinds:        []provider.Kind{{Name: "box", Definition: "#Box", Creates: true, AcceptWindow: time.Minute, ReadLag: time.Second}},
		Capabilities: []string{provider.CapList, provider.CapTasks, provider.CapQuote},
		Credentials:  []provider.Credential{{Name: "key", Env: "BOX_KEY"}},
	}, nil
}

func (m *memory) Configure(_ context.Context, cfg provider.Config) error {
	var settings struct {
		Region string `json:"region"`
	}
	if err := json.Unmarshal(cfg.Settings, &settings); err != nil || settings.Region == "" {
		return provider.Errorf(provider.KindInvalid, "the entry's region cannot be read")
	}
	if !slices.Contains([]string{"up", "down", "cut", "stalled", "garbled"}, cfg.Endpoint) {
		return provider.Errorf(provider.KindInvalid, "there is no such endpoint")
	}
	if cfg.Credentials["key"] == "" {
		return provider.Errorf(provider.KindUnauthenticated, "credential key is missing")
	}
	m.cfg = cfg
	return nil
}

// ask is one exchange with the cloud.
func (m *memory) ask(ctx context.Context) (sent bool, failure *provider.Error) {
	if err := ctx.Err(); err != nil {
		return false, provider.Errorf(provider.KindUnavailable, "not sent: %w", err)
	}
	if m.cfg.Endpoint == "down" {
		return false, provider.Errorf(provider.KindUnavailable, "nobody listens")
	}
	m.cloud.mu.Lock()
	m.cloud.requests[m.cfg.Endpoint]++
	m.cloud.mu.Unlock()
	switch {
	case m.cfg.Endpoint == "cut":
		return true, provider.Errorf(provider.KindUnavailable, "the connection broke")
	case m.cfg.Endpoint == "garbled":
		return true, provider.Errorf(provider.KindUnavailable, "the answer cannot be read")
	case m.cfg.Endpoint == "stalled":
		<-ctx.Done()
		return true, provider.Errorf(provider.KindUnavailable, "no answer: %w", ctx.Err())
	case m.cfg.Credentials["key"] != goodKey:
		return true, provider.Errorf(provider.KindUnauthenticated, "the key is not known")
	}
	return true, nil
}

func (m *memory) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	_, failure := m.ask(ctx)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("read boxes: %w", err)
	}
	if failure != nil {
		return failure
	}
	for _, o := range m.read(req) {
		if err := yield(o); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) read(req provider.ObserveRequest) []provider.Observation {
	m.cloud.mu.Lock()
	defer m.cloud.mu.Unlock()
	at := time.Unix(int64(m.cloud.ticks), 0).UTC()
	observe := func(address string, b *box) provider.Observation {
		if b.denied {
			return provider.Observation{Address: address, Error: provider.Errorf(provider.KindDenied, "box %s is closed", b.id)}
		}
		return provider.Observation{Address: address, Presence: provider.Present, Cluster: m.cloud.state(b, req.Level), At: at}
	}
	var all []provider.Observation
	if len(req.Keys) == 0 {
		for _, b := range m.cloud.clusters {
			all = append(all, observe("", b))
		}
	}
	for _, key := range req.Keys {
		o := provider.Observation{Address: key.Address, Presence: provider.Absent, At: at}
		for _, b := range m.cloud.clusters {
			if key.ID == b.id || key.ID == "" && key.Name == b.name {
				o = observe(key.Address, b)
				if key.ID == "" {
					o.IDs = []string{b.id}
				}
			}
		}
		all = append(all, o)
	}
	return all
}

func (m *memory) Plan(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	var resp provider.PlanResponse
	for _, c := range req.Clusters {
		var p provider.ClusterPlan
		for _, change := range c.Changes {
			if c.Current == nil {
				p.Actions = append(p.Actions, provider.Action{
					Op: provider.OpCreate, Fields: change.Fields, Secrets: []string{secretPath},
					Request: provider.Raw(order{Op: provider.OpCreate, Name: c.Desired.Name, Count: 1, CPU: 2}),
				})
				continue
			}
			for _, f := range change.Fields {
				m.planField(&p, c, change.Group, f)
			}
		}
		resp.Clusters = append(resp.Clusters, p)
	}
	return resp, ctx.Err()
}

func (*memory) planField(p *provider.ClusterPlan, c provider.ClusterChange, group string, f provider.FieldChange) {
	before, _ := f.Before.(int64)
	after, _ := f.After.(int64)
	a := provider.Action{
		Group: group, Fields: []provider.FieldChange{f},
		From: map[string]int64{f.Path: before}, To: map[string]int64{f.Path: after},
	}
	o := order{Box: c.Current.ID}
	switch {
	case f.Path == "count" && after > before:
		o.Op, o.Count = provider.OpScaleOut, int(after-before)
	case f.Path == "count":
		o.Op = provider.OpScaleIn
		for _, n := range c.Current.Groups[0].Nodes[after:] {
			a.Removes = append(a.Removes, provider.NodeRef{ID: n.ID})
			o.Removes = append(o.Removes, n.ID)
		}
	case f.Path == "cpu":
		o.Op, o.CPU = provider.OpResize, after
	default:
		p.Blocked = append(p.Blocked, provider.Blocked{Group: group, Fields: a.Fields, Reason: f.Path + " of a box never changes"})
		return
	}
	a.Op, a.Request = o.Op, provider.Raw(o)
	p.Actions = append(p.Actions, a)
}

func parse(request []byte) (order, error) {
	var o order
	dec := json.NewDecoder(bytes.NewReader(request))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		return o, provider.Errorf(provider.KindInvalid, "the request cannot be read")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || o.Op == "" {
		return o, provider.Errorf(provider.KindInvalid, "the request is none of ours")
	}
	return o, nil
}

func (m *memory) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	o, err := parse(req.Request)
	if secret := req.Secrets[secretPath]; err == nil && o.Op == provider.OpCreate && (secret == "" || bytes.ContainsRune([]byte(secret), '\n')) {
		err = provider.Errorf(provider.KindInvalid, "%s is missing or holds a line break", secretPath)
	}
	switch {
	case err != nil:
		return provider.Answer{Outcome: provider.OutcomeRefused, Error: provider.AsError(err)}
	case req.CheckOnly:
		return provider.Answer{Outcome: provider.OutcomeUnsent}
	}
	sent, failure := m.ask(ctx)
	switch {
	case failure != nil && !sent:
		return provider.Answer{Outcome: provider.OutcomeUnsent, Error: failure}
	case failure != nil && failure.Kind == provider.KindUnauthenticated:
		return provider.Answer{Outcome: provider.OutcomeRefused, Error: failure}
	case failure != nil:
		return provider.Answer{Error: failure}
	}
	m.cloud.mu.Lock()
	defer m.cloud.mu.Unlock()
	return provider.Answer{Outcome: provider.OutcomeAccepted, Operation: provider.Operation{Handle: []byte(m.cloud.start(o))}}
}

func (m *memory) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	_, failure := m.ask(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.cloud.mu.Lock()
	defer m.cloud.mu.Unlock()
	statuses := make([]provider.OperationStatus, len(ops))
	for i, op := range ops {
		statuses[i].Error = failure
		if failure != nil {
			continue
		}
		statuses[i].Error = provider.Errorf(provider.KindNotFound, "there is no such task")
		for _, t := range m.cloud.tasks {
			if t.id == string(op.Handle) {
				statuses[i] = provider.OperationStatus{State: t.state(), ClusterID: t.box}
			}
		}
	}
	return statuses, nil
}

func (*memory) Quote(_ context.Context, request []byte) (provider.Price, error) {
	o, err := parse(request)
	if err != nil {
		return provider.Price{}, err
	}
	return provider.Price{Amount: float64(o.Count), Currency: "CNY"}, nil
}

// config is an entry of the account at one endpoint.
func config(endpoint, key string) provider.Config {
	return provider.Config{
		Entry: "b", Endpoint: endpoint, Settings: json.RawMessage(`{"plugin":"box","region":"here"}`),
		Credentials: map[string]string{"key": key},
	}
}
