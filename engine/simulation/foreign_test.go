package simulation

import (
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// autoscaler holds one group at a size of its own, whatever a spec says.
type autoscaler struct {
	cluster *cluster
	role    string
	size    int
	every   time.Duration
}

// autoscale looks at the group, and again and again while faults are on.
func (w *world) autoscale() {
	a := w.faults.scaler
	if a == nil {
		return
	}
	w.in(w.between(a.every/2, a.every), "autoscaler looks", func() {
		if w.faults.scaler == a {
			a.act(w)
			w.autoscale()
		}
	})
}

func (a *autoscaler) act(w *world) {
	cl := a.cluster
	more := a.size - len(cl.groups[a.role])
	if more == 0 || cl.gone || cl.running != nil || cl.status != provider.StatusReady {
		return
	}
	w.fault("autoscaler acts")
	w.tell("others", "an autoscaler brings %s of %s to %s", a.role, cl.id, nodes(a.size))
	w.note("autoscaler brings "+a.role+" to its size", cl.id)
	if w.rolls(0.5) { // by the cloud's own call
		b := body{Op: provider.OpScaleOut, Group: a.role, Count: int64(max(more, -more)), Size: defaultSize}
		if more < 0 {
			b.Op = provider.OpScaleIn
		}
		cl.touch()
		cl.begin(b, nil, w.fate())
		return
	}
	if more > 0 {
		cl.grow(a.role, int64(more), defaultSize, nil)
	} else {
		cl.remove(a.role, cl.ids(a.role)[a.size:])
	}
	cl.touch()
	cl.commit()
}

// meddle lets somebody else change the cloud, again and again while faults are
// on: people at a console, an autoscaler, dying machines.
func (w *world) meddle() {
	if w.faults.foreign == 0 {
		return
	}
	w.in(w.between(time.Second, 2*w.faults.foreign), "others", func() {
		w.foreignChange()
		w.meddle()
	})
}

func (w *world) foreignChange() {
	c := w.cloud
	if len(c.clusters) == 0 || w.faults.foreign == 0 {
		return
	}
	if w.rolls(0.2) && w.copycat() {
		return
	}
	cl := c.clusters[w.luck.IntN(len(c.clusters))]
	if cl.gone {
		return
	}
	role := roles[w.luck.IntN(len(roles))]
	n := int64(1 + w.luck.IntN(3))
	what := ""
	switch kind := w.luck.IntN(40); {
	case kind < 8:
		what = "somebody adds to " + role
		cl.grow(role, n, defaultSize, nil)
	case kind < 16:
		what = "machines of " + role + " die"
		ids := cl.ids(role)
		cl.remove(role, ids[:min(len(ids), int(n))])
	case kind < 36:
		if cl.running != nil || cl.status != provider.StatusReady {
			return
		}
		b := body{Op: provider.OpScaleOut, Group: role, Count: n, Size: defaultSize}
		if kind < 22 && len(cl.groups[role]) >= int(n) {
			b.Op = provider.OpScaleIn
		} else if kind < 26 {
			b = body{Op: provider.OpResize, Group: role, Size: []int64{2, 4, 8}[w.luck.IntN(3)]}
		}
		what = "a person starts " + b.String() + " on"
		cl.touch()
		cl.begin(b, nil, w.fate())
	case kind < 38:
		what = "a person makes another"
		twin := c.add(cl.traits, cl.name, provider.StatusReady)
		twin.touch()
		twin.commit()
	default:
		what = "a person deletes"
		cl.gone = true
		if j := cl.running; j != nil && j.by != nil {
			j.by.state = ended // there is nothing left to act on
		}
	}
	w.fault("foreign change")
	w.tell("others", "%s %s", what, cl.id)
	w.note(what, cl.id)
	cl.touch()
	cl.commit()
}

// copycat does by another's hand exactly what a request of ours asks for while
// nobody knows what became of it: the worst coincidence there is.
func (w *world) copycat() bool {
	for _, r := range w.cloud.requests {
		cl := w.cloud.byID(r.body.Cluster)
		if r.state != flying || !r.alive(time.Now()) || cl == nil || cl.running != nil {
			continue
		}
		switch r.body.Op {
		case provider.OpScaleOut:
			cl.grow(r.body.Group, r.body.Count, r.body.Size, nil)
		case provider.OpScaleIn:
			ids := cl.ids(r.body.Group)
			cl.remove(r.body.Group, ids[:min(len(ids), int(r.body.Count))])
		default:
			continue
		}
		w.fault("foreign change")
		w.tell("others", "happen to do the like of r%d on %s", r.serial, cl.id)
		w.note("others happen to do the like of "+r.String(), cl.id)
		cl.touch()
		cl.commit()
		return true
	}
	return false
}
