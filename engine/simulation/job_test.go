package simulation

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// body is what a request says.
type body struct {
	Op      provider.Op
	Cluster string           `json:",omitempty"`
	Name    string           `json:",omitempty"`
	Kind    string           `json:",omitempty"`
	Group   string           `json:",omitempty"`
	Count   int64            `json:",omitempty"` // how many more or fewer
	Victims []string         `json:",omitempty"`
	Size    int64            `json:",omitempty"`
	Groups  map[string]int64 `json:",omitempty"`
}

func (b body) String() string {
	text, _ := json.Marshal(b)
	return string(text)
}

// request is one signed request, and what became of it.
type request struct {
	serial  int
	body    body
	by      *process
	intent  *journal.Intent // a copy; nil for the naive engine
	base    []string        // the nodes, or clusters, that its sender knew of
	late    bool            // signed when its sender may have been given up
	signed  time.Time       // by our clock
	limit   time.Time       // until when the cloud takes it, by our clock
	told    provider.Outcome
	state   requestState
	arrived time.Time // when the cloud took it
	early   bool      // it acted after an early done, as the design permits
	effect  []string  // nodes or clusters made, removed or resized
}

type requestState int

const (
	flying  requestState = iota // or lost: who sent it cannot tell
	refused                     // the cloud turned it away, or it was never written
	working
	ended
)

func (r *request) String() string { return fmt.Sprintf("r%d %s", r.serial, r.body) }

// alive reports whether a request may still have an effect for all that its
// sender can know.
func (r *request) alive(now time.Time) bool {
	switch r.state {
	case flying:
		return !now.After(r.limit)
	case working:
		return true
	}
	return false
}

// fate is how a job ends.
type fate int

const (
	whole fate = iota
	part
	nothing
	rolledBack
)

// job is a change under way.
type job struct {
	body  body
	by    *request // nil: somebody else's
	task  *task
	fate  fate
	done  []string // nodes it worked on
	start []node   // the group's nodes as they were
}

const nonceUsed = "NonceUsed"

// take judges a request as it arrives. It returns the answer that the cloud
// gives.
func (c *cloud) take(r *request) provider.Answer {
	no := func(kind provider.ErrorKind, code string) provider.Answer {
		if r.state == flying {
			r.state = refused
		}
		return provider.Answer{Outcome: provider.OutcomeRefused, At: c.now(), Error: &provider.Error{Kind: kind, Code: code, Message: "the cloud refuses"}}
	}
	if r.state != flying {
		c.w.fault("duplicate refused")
		return provider.Answer{Outcome: provider.OutcomeRefused, At: c.now(), Error: &provider.Error{Kind: provider.KindInvalid, Code: nonceUsed, Message: "seen before"}}
	}
	if time.Now().After(r.limit) || c.now().Before(r.signed.Add(-c.w.windowOf(r.body))) {
		c.w.fault("arrived after its window")
		return no(provider.KindUnauthenticated, "SignatureExpired")
	}
	cl := c.byID(r.body.Cluster)
	if r.body.Op == provider.OpCreate {
		cl = c.add(c.w.kindOf(r.body.Kind), r.body.Name, provider.StatusBusy)
		cl.made = r
		r.effect = []string{cl.id}
	} else {
		switch {
		case cl == nil:
			return no(provider.KindNotFound, "NoSuchCluster")
		case cl.running != nil || cl.status == provider.StatusBusy:
			return no(provider.KindConflict, "Busy")
		case cl.status != provider.StatusReady:
			return no(provider.KindConflict, "State")
		case r.body.Op == provider.OpScaleIn && !cl.has(r.body):
			return no(provider.KindInvalid, "NoSuchNode")
		}
	}
	r.arrived = time.Now()
	c.w.begins(r, cl)
	r.state = working
	t := cl.begin(r.body, r, c.w.fate())
	answer := provider.Answer{Outcome: provider.OutcomeAccepted, At: c.now()}
	if cl.traits.handles {
		answer.Operation.Handle = []byte(t.id)
	}
	if r.body.Op == provider.OpCreate && cl.traits.handles {
		answer.ClusterID = cl.id
	}
	return answer
}

func (cl *cluster) has(b body) bool {
	ids := cl.ids(b.Group)
	for _, v := range b.Victims {
		if !slices.Contains(ids, v) {
			return false
		}
	}
	return len(ids) >= int(b.Count)
}

// begin starts a job on an idle cluster.
func (cl *cluster) begin(b body, by *request, f fate) *task {
	w := cl.cloud.w
	t := &task{id: cl.cloud.next("t"), op: b.Op, group: b.Group, begun: time.Now(), cluster: cl}
	cl.tasks = append(cl.tasks, t)
	j := &job{body: b, by: by, task: t, fate: f, start: slices.Clone(cl.groups[b.Group])}
	cl.running, cl.status = j, provider.StatusBusy
	cl.commit()
	takes := w.between(2*time.Second, w.faults.jobs)
	w.in(takes/2, "job "+t.id+" half way", func() { cl.half(j) })
	w.in(takes, "job "+t.id+" ends", func() { cl.end(j) })
	return t
}

// half does part of the work.
func (cl *cluster) half(j *job) {
	if cl.gone || j.fate == nothing || j.body.Op == provider.OpCreate {
		return
	}
	cl.work(j, (j.body.amount(cl)+1)/2)
	cl.commit()
}

// amount is how many nodes a job concerns.
func (b body) amount(cl *cluster) int64 {
	if b.Op == provider.OpResize {
		return int64(len(cl.groups[b.Group]))
	}
	return b.Count
}

// work brings the number of nodes done to n.
func (cl *cluster) work(j *job, n int64) {
	n -= int64(len(j.done))
	if n <= 0 {
		return
	}
	cl.cloud.w.affects(j, cl)
	if j.by == nil {
		cl.touch()
	}
	switch j.body.Op {
	case provider.OpScaleOut:
		j.done = append(j.done, cl.grow(j.body.Group, n, j.body.Size, j.by)...)
	case provider.OpScaleIn:
		victims := j.body.Victims
		if len(victims) == 0 {
			victims = cl.ids(j.body.Group) // the cloud's choice
		} else {
			victims = victims[len(j.done):]
		}
		victims = victims[:min(n, int64(len(victims)))]
		cl.remove(j.body.Group, victims)
		j.done = append(j.done, victims...)
	case provider.OpResize:
		nodes := slices.Clone(cl.groups[j.body.Group])
		for i := range nodes {
			if n > 0 && nodes[i].size != j.body.Size {
				nodes[i].size = j.body.Size
				j.done = append(j.done, nodes[i].id)
				n--
			}
		}
		cl.groups[j.body.Group] = nodes
	}
	if j.by != nil {
		j.by.effect = slices.Clone(j.done)
	}
}

// end completes the job as its fate wants it.
func (cl *cluster) end(j *job) {
	j.task.ended, j.task.failed = time.Now(), j.fate != whole
	cl.running = nil
	if j.by != nil {
		j.by.state = ended
	} else {
		cl.touch()
	}
	if cl.gone {
		return
	}
	cl.status = provider.StatusReady
	switch {
	case j.body.Op == provider.OpCreate:
		cl.endCreate(j)
	case j.fate == whole:
		cl.work(j, j.body.amount(cl))
	case j.fate == rolledBack:
		cl.rollBack(j)
	}
	j.task.lists = slices.Clone(j.done)
	cl.commit()
	cl.cloud.w.tellJob(cl, j)
}

// rollBack takes back what the job did, and nothing of what others did.
func (cl *cluster) rollBack(j *job) {
	was := map[string]node{}
	for _, n := range j.start {
		was[n.id] = n
	}
	switch j.body.Op {
	case provider.OpScaleOut:
		cl.remove(j.body.Group, j.done)
	case provider.OpScaleIn:
		for _, id := range j.done {
			if n, ok := was[id]; ok {
				cl.groups[j.body.Group] = append(slices.Clone(cl.groups[j.body.Group]), n)
			}
		}
	case provider.OpResize:
		nodes := slices.Clone(cl.groups[j.body.Group])
		for i, n := range nodes {
			if before, ok := was[n.id]; ok && slices.Contains(j.done, n.id) {
				nodes[i].size = before.size
			}
		}
		cl.groups[j.body.Group] = nodes
	}
	if len(j.done) > 0 {
		cl.cloud.w.fault("job rolled back after half its work")
	}
	j.done = nil
	if j.by != nil {
		j.by.effect = nil
	}
}

// endCreate ends the making of a cluster.
func (cl *cluster) endCreate(j *job) {
	switch j.fate {
	case whole:
		for _, role := range roles {
			cl.grow(role, j.body.Groups[role], j.body.Size, j.by)
		}
	case part:
		cl.status = provider.StatusBroken
	default:
		cl.gone = true
		if j.by != nil {
			j.by.effect = nil
		}
	}
}
