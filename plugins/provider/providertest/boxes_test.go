package providertest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const (
	goodKey     = "canary-key-of-the-account"
	wrongKey    = "canary-key-of-nobody"
	goodSecret  = "canary-admin-Passw0rd"
	badSecret   = "canary-with-a\nline-break"
	boxDefs     = "package box\n\nimport \"list\"\n\n#Provider: {plugin!: \"box\", region!: string}\n#Box: {kind!: \"box\", ...}\n"
	jobTicks    = 2
	secretPath  = "admin_password"
	workerGroup = "worker"
)

// boxes is a cloud in memory: clusters with one group of workers. Its clock is
// a counter.
type boxes struct {
	mu       sync.Mutex
	ticks    int
	clusters []*box
	tasks    []*task
	made     int
	requests map[string]int // by endpoint
}

type box struct {
	id, name string
	nodes    []boxNode // oldest first
	denied   bool
}

type boxNode struct {
	id  string
	cpu int64
}

type task struct {
	id   string
	op   provider.Op
	box  string
	end  int
	done bool
	work func()
}

// order is a request of the box provider.
type order struct {
	Op      provider.Op `json:"op"`
	Box     string      `json:"box,omitempty"`
	Name    string      `json:"name,omitempty"`
	Count   int         `json:"count,omitempty"`
	CPU     int64       `json:"cpu,omitempty"`
	Removes []string    `json:"removes,omitempty"`
}

func newBoxes() *boxes {
	c := &boxes{requests: map[string]int{}}
	c.add("one", 2, 4)
	c.add("two", 3, 2)
	c.add("closed", 1, 2).denied = true
	return c
}

func (c *boxes) add(name string, nodes int, cpu int64) *box {
	b := &box{id: fmt.Sprintf("box-%d", len(c.clusters)+1), name: name}
	c.clusters = append(c.clusters, b)
	c.grow(b, nodes, cpu)
	return b
}

func (c *boxes) grow(b *box, nodes int, cpu int64) {
	for range nodes {
		c.made++
		b.nodes = append(b.nodes, boxNode{fmt.Sprintf("node-%d", c.made), cpu})
	}
}

func (c *boxes) find(id string) *box {
	for _, b := range c.clusters {
		if b.id == id {
			return b
		}
	}
	return nil
}

// wait lets time pass and does what is due.
func (c *boxes) wait(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ticks++
	for _, t := range c.tasks {
		if !t.done && t.end <= c.ticks {
			t.done = true
			t.work()
		}
	}
	return nil
}

func (c *boxes) start(o order) string {
	t := &task{id: fmt.Sprintf("task-%d", len(c.tasks)+1), op: o.Op, box: o.Box, end: c.ticks + jobTicks}
	b := c.find(o.Box)
	if o.Op == provider.OpCreate {
		b = c.add(o.Name, o.Count, o.CPU)
		t.box = b.id
	}
	t.work = func() {
		switch o.Op {
		case provider.OpScaleOut:
			c.grow(b, o.Count, b.nodes[0].cpu)
		case provider.OpScaleIn:
			b.nodes = slices.DeleteFunc(b.nodes, func(n boxNode) bool { return slices.Contains(o.Removes, n.id) })
		case provider.OpResize:
			for i := range b.nodes {
				b.nodes[i].cpu = o.CPU
			}
		}
	}
	c.tasks = append(c.tasks, t)
	return t.id
}

func (c *boxes) state(b *box, level provider.Level) *provider.State {
	s := &provider.State{ID: b.id, Name: b.name, Kind: "box", Status: provider.StatusReady, StatusText: "up"}
	g := provider.Group{Role: workerGroup, Count: len(b.nodes), Attributes: provider.Raw(map[string]any{"cpu": b.nodes[0].cpu})}
	if level == provider.LevelNodes {
		for _, n := range b.nodes {
			g.Nodes = append(g.Nodes, provider.Node{ID: n.id, Status: provider.StatusReady})
		}
	}
	for i, t := range slices.Backward(c.tasks) {
		if t.box != b.id {
			continue
		}
		if !t.done {
			s.Status = provider.StatusBusy
		}
		if level == provider.LevelNodes {
			s.Tasks = append(s.Tasks, provider.Task{
				ID: t.id, Op: t.op, State: t.state(), Created: time.Unix(int64(i), 0).UTC(), Handle: []byte(t.id),
			})
		}
	}
	s.Groups = []provider.Group{g}
	return s
}

func (t *task) state() provider.OperationState {
	if t.done {
		return provider.OperationSucceeded
	}
	return provider.OperationRunning
}
