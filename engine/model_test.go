package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// model is a small cloud with its provider in one: jobs take time, reads may
// lag, and replies may be lost. It counts what it was asked.
type model struct {
	mu       sync.Mutex
	clusters map[string]*modelCluster
	serial   int
	jobTime  time.Duration
	disk     int64 // of new nodes; 0: disks are not told

	sends   []string // what Start carried out, in order
	started int      // calls of Start that were no checks
	reads   int

	// answer, when set, replaces what Start says after the change was taken.
	answer func(n int, given provider.Answer) provider.Answer
	// take, when set and false, lets the n-th Start have no effect.
	take func(n int) bool
	// late, when set and positive, holds the n-th Start back for so long and
	// carries it out then; the caller hears nothing.
	late func(n int) time.Duration
	// observe, when set, may replace an observation.
	observe func(o provider.Observation) provider.Observation
	// plan, when set, may replace a plan.
	plan     func(provider.PlanResponse) provider.PlanResponse
	noHandle bool
	noTasks  bool
	// fails, when set, is what a job does before it fails.
	fails func(*model, *modelCluster) []string
}

// foreign lets somebody else grow a group of c1 a while after the first Start.
func (m *model) foreign(after time.Duration, group string, n int64) {
	answer := m.answer
	started := false
	begin := func() {
		if started {
			return
		}
		started = true
		time.AfterFunc(after, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			c := m.clusters["c1"]
			c.status = provider.StatusBusy
			c.tasks = append(c.tasks, &modelTask{id: "theirs", op: provider.OpScaleOut, group: group, ends: time.Now().Add(m.jobTime),
				work: func() []string { return m.grow(c, group, n, 2) }})
		})
	}
	m.answer = func(n int, given provider.Answer) provider.Answer {
		begin()
		if answer != nil {
			return answer(n, given)
		}
		return given
	}
	if late := m.late; late != nil {
		m.late = func(n int) time.Duration { begin(); return late(n) }
	}
}

type modelCluster struct {
	id, name string
	status   provider.Status
	attrs    map[string]any
	groups   map[string][]modelNode
	tasks    []*modelTask
}

type modelNode struct {
	ID   string
	Size int64
	Disk int64 // 0: not told
	Born time.Time
}

type modelTask struct {
	id    string
	op    provider.Op
	group string
	ends  time.Time
	fails bool
	work  func() []string
	made  []string
	done  bool
}

type modelRequest struct {
	Op      provider.Op
	Cluster string
	Name    string
	Group   string
	Count   int64 // how many more or fewer
	Victims []string
	Size    int64
	Disk    int64
	Groups  map[string]int64
}

func newModel() *model {
	return &model{clusters: map[string]*modelCluster{}, jobTime: 20 * time.Second}
}

// add puts a cluster with groups of nodes of size 2.
func (m *model) add(id, name string, groups map[string]int) *modelCluster {
	c := &modelCluster{id: id, name: name, status: provider.StatusReady, attrs: map[string]any{"zone": "z1"}, groups: map[string][]modelNode{}}
	for role, n := range groups {
		c.groups[role] = nil
		m.grow(c, role, int64(n), 2)
	}
	m.clusters[id] = c
	return c
}

func (m *model) grow(c *modelCluster, role string, n, size int64) []string {
	var ids []string
	for range n {
		m.serial++
		id := fmt.Sprintf("n%03d", m.serial)
		c.groups[role] = append(c.groups[role], modelNode{ID: id, Size: size, Disk: m.disk, Born: time.Unix(int64(m.serial), 0).UTC()})
		ids = append(ids, id)
	}
	return ids
}

// advance ends the jobs that are due.
func (m *model) advance() {
	for _, c := range m.clusters {
		busy := false
		for _, t := range c.tasks {
			if !t.done && !time.Now().Before(t.ends) {
				t.done = true
				t.made = t.work()
			}
			busy = busy || !t.done
		}
		if c.status == provider.StatusBusy && !busy {
			c.status = provider.StatusReady
		}
	}
}

func (m *model) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: "model", Version: "1.0.0", Identity: []string{"region"},
		Kinds:        []provider.Kind{{Name: "k", Definition: "#K", Creates: true, AcceptWindow: time.Minute, ReadLag: 10 * time.Second}},
		Capabilities: []string{provider.CapTasks},
	}, nil
}

func (m *model) Configure(context.Context, provider.Config) error { return nil }

func (m *model) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	m.mu.Lock()
	m.reads++
	m.advance()
	var answers []provider.Observation
	for _, k := range req.Keys {
		o := m.read(k)
		if m.observe != nil {
			o = m.observe(o)
		}
		answers = append(answers, o)
	}
	m.mu.Unlock()
	for _, o := range answers {
		if err := yield(o); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (m *model) read(k provider.Key) provider.Observation {
	o := provider.Observation{Address: k.Address, At: time.Now(), Presence: provider.Absent}
	for id, c := range m.clusters {
		if k.ID == id || k.ID == "" && c.name == k.Name {
			o.IDs = append(o.IDs, id)
			o.Presence, o.Cluster = provider.Present, m.state(c, k.Kind)
		}
	}
	slices.Sort(o.IDs)
	if len(o.IDs) > 1 {
		o.Presence, o.Cluster = provider.Ambiguous, nil
	}
	return o
}

func (m *model) state(c *modelCluster, kind string) *provider.State {
	s := &provider.State{ID: c.id, Name: c.name, Kind: kind, Status: c.status, Attributes: provider.Raw(c.attrs)}
	for _, role := range []string{"core", "task"} {
		nodes, ok := c.groups[role]
		if !ok {
			continue
		}
		g := provider.Group{Role: role, Count: len(nodes)}
		same := true
		for _, n := range nodes {
			g.Nodes = append(g.Nodes, provider.Node{ID: n.ID, Created: n.Born, Status: provider.StatusReady, Attributes: provider.Raw(n.attrs())})
			same = same && n.Size == nodes[0].Size && n.Disk == nodes[0].Disk
		}
		if same && len(nodes) > 0 {
			g.Attributes = provider.Raw(nodes[0].attrs())
		}
		s.Groups = append(s.Groups, g)
	}
	if m.noTasks {
		return s
	}
	for _, t := range slices.Backward(c.tasks) {
		state := provider.OperationRunning
		switch {
		case t.done && t.fails:
			state = provider.OperationFailed
		case t.done:
			state = provider.OperationSucceeded
		}
		s.Tasks = append(s.Tasks, provider.Task{ID: t.id, Op: t.op, Group: t.group, State: state, Handle: []byte(t.id)})
	}
	return s
}

func (n modelNode) attrs() map[string]any {
	if n.Disk == 0 {
		return map[string]any{"cpu": n.Size}
	}
	return map[string]any{"cpu": n.Size, "disk": n.Disk}
}

func (m *model) Plan(_ context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	var resp provider.PlanResponse
	for _, c := range req.Clusters {
		var p provider.ClusterPlan
		for _, ch := range c.Changes {
			p.Actions = append(p.Actions, m.action(c, ch))
			if ch.Op == provider.OpCreate {
				m.follow(&p)
			}
		}
		slices.SortStableFunc(p.Actions, func(a, b provider.Action) int { // shrink first
			return int(b.From["count"]-b.To["count"]) - int(a.From["count"]-a.To["count"])
		})
		resp.Clusters = append(resp.Clusters, p)
	}
	if m.plan != nil {
		resp = m.plan(resp)
	}
	return resp, nil
}

// follow gives every group's disk to a resize of its own: create has no such
// parameter, as with QingCloud's storage_size.
func (m *model) follow(p *provider.ClusterPlan) {
	create := &p.Actions[0]
	var rest, disks []provider.FieldChange
	for _, f := range create.Fields {
		if _, path := splitPath(f.Path); path == "disk" {
			disks = append(disks, f)
			continue
		}
		rest = append(rest, f)
	}
	create.Fields = rest
	for _, f := range disks {
		group, _ := splitPath(f.Path)
		f.Path = "disk"
		p.Actions = append(p.Actions, resizeDisk("", group, f))
	}
}

func resizeDisk(cluster, group string, f provider.FieldChange) provider.Action {
	disk := f.After.(int64)
	request, _ := json.Marshal(modelRequest{Op: provider.OpResize, Cluster: cluster, Group: group, Disk: disk})
	return provider.Action{
		Group: group, Op: provider.OpResize, To: map[string]int64{"disk": disk},
		Fields: []provider.FieldChange{f}, Request: request,
	}
}

func (m *model) action(c provider.ClusterChange, ch provider.Change) provider.Action {
	a := provider.Action{Group: ch.Group, Op: ch.Op, Fields: ch.Fields}
	r := modelRequest{Op: ch.Op, Group: ch.Group, Name: c.Desired.Name}
	if c.Current != nil {
		r.Cluster = c.Current.ID
	}
	first := append(ch.Fields, provider.FieldChange{})[0]
	before, _ := first.Before.(int64)
	after, _ := first.After.(int64)
	switch ch.Op {
	case provider.OpCreate:
		r.Groups = map[string]int64{}
		for _, f := range ch.Fields {
			if group, rest := splitPath(f.Path); rest == "count" {
				r.Groups[group] = f.After.(int64)
			}
		}
	case provider.OpResize:
		if first.Path == "disk" {
			return resizeDisk(c.Current.ID, ch.Group, first)
		}
		a.From, a.To = map[string]int64{"cpu": before}, map[string]int64{"cpu": after}
		r.Size = after
	default:
		a.From, a.To = map[string]int64{"count": before}, map[string]int64{"count": after}
		r.Count, r.Size = after-before, 2
		var spec struct {
			Groups map[string]struct{ CPU int64 } `json:"node_groups"`
		}
		_ = json.Unmarshal(c.Desired.Spec, &spec)
		if size := spec.Groups[ch.Group].CPU; size > 0 {
			r.Size = size
		}
		for _, g := range c.Current.Groups {
			if g.Role == ch.Group && ch.Op == provider.OpScaleIn {
				for _, n := range g.Nodes[after:] {
					a.Removes = append(a.Removes, provider.NodeRef{ID: n.ID, Created: n.Created})
					r.Victims = append(r.Victims, n.ID)
				}
			}
		}
	}
	a.Request, _ = json.Marshal(r)
	return a
}

func (m *model) Start(_ context.Context, req provider.StartRequest) provider.Answer {
	if req.CheckOnly {
		return provider.Answer{Outcome: provider.OutcomeUnsent}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	n := m.started
	m.started++
	if m.late != nil && m.late(n) > 0 {
		time.AfterFunc(m.late(n), func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.advance()
			m.carryOut(req.Request)
		})
		return provider.Answer{}
	}
	answer := provider.Answer{Outcome: provider.OutcomeAccepted, At: time.Now()}
	if m.take == nil || m.take(n) {
		answer = m.carryOut(req.Request)
	}
	if m.answer != nil {
		answer = m.answer(n, answer)
	}
	return answer
}

func (m *model) carryOut(request []byte) provider.Answer {
	var r modelRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return provider.Answer{Outcome: provider.OutcomeRefused, Error: provider.Errorf(provider.KindInvalid, "%w", err)}
	}
	m.sends = append(m.sends, fmt.Sprintf("%s %s%s %s %+d", r.Op, r.Cluster, r.Name, r.Group, r.Count))
	c := m.clusters[r.Cluster]
	if r.Op == provider.OpCreate {
		m.serial++
		c = m.add(fmt.Sprintf("id-%d", m.serial), r.Name, map[string]int{})
		c.status = provider.StatusBusy
	}
	t := &modelTask{id: fmt.Sprintf("t%d", len(m.sends)), op: r.Op, group: r.Group, ends: time.Now().Add(m.jobTime)}
	t.work = func() []string {
		switch r.Op {
		case provider.OpCreate:
			for _, role := range []string{"core", "task"} {
				m.grow(c, role, r.Groups[role], 2)
			}
		case provider.OpScaleOut:
			return m.grow(c, r.Group, r.Count, r.Size)
		case provider.OpScaleIn:
			c.groups[r.Group] = slices.DeleteFunc(c.groups[r.Group], func(n modelNode) bool { return slices.Contains(r.Victims, n.ID) })
		case provider.OpResize:
			for i := range c.groups[r.Group] {
				if r.Disk > 0 {
					c.groups[r.Group][i].Disk = r.Disk
					continue
				}
				c.groups[r.Group][i].Size = r.Size
			}
		}
		return nil
	}
	if m.fails != nil {
		t.fails, t.work = true, func() []string { return m.fails(m, c) }
	}
	c.status = provider.StatusBusy
	c.tasks = append(c.tasks, t)
	a := provider.Answer{Outcome: provider.OutcomeAccepted, At: time.Now()}
	if !m.noHandle {
		a.Operation.Handle = []byte(t.id)
	}
	return a
}

func (m *model) Poll(_ context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	var out []provider.OperationStatus
	for _, op := range ops {
		st := provider.OperationStatus{}
		for _, c := range m.clusters {
			for _, t := range c.tasks {
				if t.id != string(op.Handle) {
					continue
				}
				st = provider.OperationStatus{State: provider.OperationRunning, Progress: "working"}
				if t.done {
					st = provider.OperationStatus{State: provider.OperationSucceeded, Nodes: t.made}
				}
				if t.done && t.fails {
					st = provider.OperationStatus{State: provider.OperationFailed, Nodes: t.made, Error: provider.Errorf(provider.KindQuota, "no capacity")}
				}
			}
		}
		out = append(out, st)
	}
	return out, nil
}
