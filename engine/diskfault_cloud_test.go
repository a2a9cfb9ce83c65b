package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// witness is a model cloud that looks at the platter whenever a request comes.
// Some of its replies are lost, one of its requests arrives late, and one is
// refused at first.
type witness struct {
	*model
	run *trial

	accepted map[string]int // by action ("scale_out a/core"), over all processes
	started  map[string]int // by action, in this process
	refused  map[string]int // by action, in this process; the first of all only
	slowed   bool
	ops      map[string]string // op ids under which something was sent, and the action
}

// Replies that go wrong, by action.
const (
	heldBack = "scale_out held/core" // the reply is lost, and the request arrives late
	lostOnce = "scale_in both/task"  // the reply is lost
	slowDown = "scale_out slow/core" // the first one is refused
	lastWord = "scale_out early/core"
)

func actionName(op provider.Op, address string) string { return string(op) + " " + address }

// subject is the name of the cluster that a request is about. The caller holds m.mu.
func (c *witness) subject(r modelRequest) string {
	if cluster := c.clusters[r.Cluster]; cluster != nil {
		return cluster.name
	}
	return r.Name
}

func (c *witness) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	if req.CheckOnly || c.run.disk.isDead() {
		return c.model.Start(ctx, provider.StartRequest{CheckOnly: true})
	}
	var r modelRequest
	if err := json.Unmarshal(req.Request, &r); err != nil {
		c.run.violate("a request that is none: %v", err)
	}
	c.mu.Lock()
	name := c.subject(r)
	c.mu.Unlock()
	c.run.align(name)
	what := actionName(r.Op, Address(name, r.Group))
	err := c.provable(name, what, r, req.Request)
	c.run.counted(err == nil)
	if err != nil {
		c.run.violate("%s is sent without a durable intent: %v", what, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.model.started++
	c.started[what]++
	if r.Op == provider.OpScaleIn && len(r.Victims) == 0 {
		for _, n := range c.clusters[r.Cluster].groups[r.Group][:-r.Count] {
			r.Victims = append(r.Victims, n.ID) // the cloud chooses the oldest
		}
	}
	request, _ := json.Marshal(r)
	carryOut := func() provider.Answer {
		c.advance()
		c.accepted[what]++
		return c.carryOut(request)
	}
	switch {
	case what == slowDown && !c.slowed:
		c.slowed = true
		c.refused[what]++
		return provider.Answer{Outcome: provider.OutcomeRefused, Error: provider.Errorf(provider.KindThrottled, "slow down")}
	case what == heldBack:
		// Not at the very moment of a read, so that every run is the same.
		time.AfterFunc(50*time.Second+500*time.Nanosecond, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			carryOut()
		})
		return provider.Answer{}
	case what == lostOnce:
		carryOut()
		return provider.Answer{}
	case what == lastWord && c.run.early:
		carryOut()
		c.run.disk.die()
		return provider.Answer{}
	}
	return carryOut()
}

// provable says what is missing for a run that finds, after a power cut at this
// moment, nothing but what the disk was made to keep.
func (c *witness) provable(name, what string, r modelRequest, request []byte) error {
	key := c.run.entry.identity(r.Cluster, name).Key()
	sum := sha256.Sum256(request)
	for _, newNames := range []bool{false, true} {
		b, ok := c.run.disk.platter.left(newNames, "store", "open", key+".json")
		if !ok {
			return errors.New("no such file")
		}
		in, err := unsealed(b)
		switch {
		case err != nil:
			return err
		case in.Identity.Key() != key || in.OpID == "" || in.Fence == 0:
			return fmt.Errorf("it is about %s", in.Identity.Key())
		case in.Answer != nil || len(in.Inferred) > 0:
			return errors.New("it has an answer already")
		case actionName(in.Op, Address(in.Cluster, in.Group)) != what || in.RequestDigest != "sha256:"+hex.EncodeToString(sum[:]):
			return fmt.Errorf("it is about another request: %s", actionName(in.Op, Address(in.Cluster, in.Group)))
		case !newNames && !c.note(in.OpID, what):
			return fmt.Errorf("its op id %s was used before", in.OpID)
		}
	}
	for _, below := range [][]string{{"store", "store.json"}, {"store", "history.jsonl"}} {
		if _, ok := c.run.disk.platter.left(false, below...); !ok {
			return fmt.Errorf("%s is not durable", below[1])
		}
	}
	other, err := journal.OpenFile(c.run.dir, journal.CreateNo, time.Now())
	if err != nil {
		return err
	}
	lease, err := other.Lock(context.Background(), key, journal.Holder{})
	var locked *journal.LockedError
	if !errors.As(err, &locked) {
		if err == nil {
			_ = lease.Unlock()
		}
		return fmt.Errorf("the lock is not held: %v", err)
	}
	return nil
}

// note keeps under which op id an action was sent; each is good for one send.
func (c *witness) note(op, what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ops[op] != "" {
		return false
	}
	c.ops[op] = what
	return true
}

// unsealed reads an intent's file, which is the sum of its body and the body.
func unsealed(b []byte) (*journal.Intent, error) {
	var file struct {
		Sum  string
		Body json.RawMessage
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(file.Body); file.Sum != hex.EncodeToString(sum[:]) {
		return nil, errors.New("its checksum does not match")
	}
	var in journal.Intent
	return &in, json.Unmarshal(file.Body, &in)
}

var errGone = provider.Errorf(provider.KindUnavailable, "the process is dead")

func (c *witness) Observe(ctx context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	if c.run.disk.isDead() {
		return errGone
	}
	if len(req.Keys) == 1 {
		c.run.align(req.Keys[0].Address)
	}
	return c.model.Observe(ctx, req, yield)
}

func (c *witness) Poll(ctx context.Context, ops []provider.Operation) ([]provider.OperationStatus, error) {
	if c.run.disk.isDead() {
		return nil, errGone
	}
	return c.model.Poll(ctx, ops)
}

// Plan leaves the choice of the cluster "picks" to the cloud.
func (c *witness) Plan(ctx context.Context, req provider.PlanRequest) (provider.PlanResponse, error) {
	resp, err := c.model.Plan(ctx, req)
	for i := range req.Clusters {
		if err != nil || req.Clusters[i].Desired.Address != "picks" {
			continue
		}
		for k := range resp.Clusters[i].Actions {
			a := &resp.Clusters[i].Actions[k]
			var r modelRequest
			if err := json.Unmarshal(a.Request, &r); err != nil {
				return resp, err
			}
			a.Removes, r.Victims = nil, nil
			a.Request, _ = json.Marshal(r)
		}
	}
	return resp, err
}

// opsOf are the op ids under which an action was sent.
func (c *witness) opsOf(what string) (ops []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for op, of := range c.ops {
		if of == what {
			ops = append(ops, op)
		}
	}
	return ops
}

// isSo reports that the cloud has carried out an action, wholly and once.
func (c *witness) isSo(act *Action) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance()
	if c.accepted[actionName(act.Op, act.Address)] != 1 {
		return false
	}
	for _, cluster := range c.clusters {
		if cluster.name != act.Cluster {
			continue
		}
		nodes := cluster.groups[act.Group]
		for _, n := range nodes {
			if cpu, ok := act.To["cpu"]; ok && n.Size != cpu {
				return false
			}
			if disk, ok := act.To["disk"]; ok && n.Disk != disk {
				return false
			}
		}
		count, ok := act.To["count"]
		return cluster.status == provider.StatusReady && (!ok || int64(len(nodes)) == count)
	}
	return false
}
