package simulation

import (
	"fmt"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// A story is the trace for people: who did what, until the first double buy is
// complete. It is kept beside the trace and changes nothing.

const doubleBuy = "DOUBLE BUY"

func isDoubleBuy(line string) bool { return strings.Contains(line, doubleBuy) }

// tell adds one line.
func (w *world) tell(who, format string, args ...any) {
	if w.keep && !w.told {
		w.story = append(w.story, fmt.Sprintf("%7.1fs  %-8s %s", time.Since(w.begun).Seconds(), who, fmt.Sprintf(format, args...)))
	}
}

// tellJob tells how a job ended; that of the second buy ends the story.
func (w *world) tellJob(cl *cluster, j *job) {
	if j.by == nil {
		return
	}
	if j.body.Op == provider.OpCreate {
		w.tell("cloud", "r%d has ended: cluster %s is there", j.by.serial, cl.id)
	} else {
		w.tell("cloud", "r%d has ended: %s of %s has %s", j.by.serial, j.body.Group, cl.id, nodes(len(cl.groups[j.body.Group])))
	}
	w.told = w.told || j.by == w.second
}

// words are a request for people.
func (r *request) words() string {
	b := r.body
	switch b.Op {
	case provider.OpCreate:
		return fmt.Sprintf("r%d: create cluster %s, core=%d task=%d", r.serial, b.Name, b.Groups["core"], b.Groups["task"])
	case provider.OpScaleOut:
		return fmt.Sprintf("r%d: %s more in %s of %s", r.serial, nodes(int(b.Count)), b.Group, b.Cluster)
	}
	return fmt.Sprintf("r%d: %s fewer in %s of %s", r.serial, nodes(int(b.Count)), b.Group, b.Cluster)
}

func (t *target) words() string {
	text := fmt.Sprintf("%s with core=%d", t.address, t.core)
	if t.task >= 0 {
		text += fmt.Sprintf(" task=%d", t.task)
	}
	return text
}

// words are what a run wants.
func (f *fleet) words() string {
	var all []string
	for _, t := range f.clusters {
		all = append(all, t.words())
	}
	return strings.Join(all, ", ")
}

// asRead are observations for people.
func asRead(answers []provider.Observation) string {
	var all []string
	for _, o := range answers {
		text := o.Address + " "
		switch {
		case o.Error != nil:
			text += "cannot be read: " + o.Error.Message
		case o.Cluster == nil:
			text += "is " + string(o.Presence)
		default:
			text += "is " + o.Cluster.ID + ", " + string(o.Cluster.Status)
			for _, g := range o.Cluster.Groups {
				text += fmt.Sprintf(", %s=%d", g.Role, len(g.Nodes))
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func nodes(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}
