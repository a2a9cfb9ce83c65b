package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// Evidence writes what is known of an unsettled request.
func Evidence(w io.Writer, address string, ev *engine.Evidence, look Look) error {
	out := bufio.NewWriter(w)
	row := func(name, text string) { fmt.Fprintf(out, "  %s  %s\n", pad(name, 8), Clean(text)) }
	if ev.Intent == nil {
		fmt.Fprintf(out, "%s  a request whose record cannot be trusted\n", look.bold(Clean(address)))
		row("record", ev.Corrupt.Error())
	} else {
		in := ev.Intent
		act := &engine.Action{Op: in.Op, From: in.From, To: in.To}
		fmt.Fprintf(out, "%s  %s %s\n", look.bold(Clean(engine.Address(in.Cluster, in.Group))), opName(in.Op), Change(act))
		row("sent", stamp(in.SignedAt)+answerWords(in.Answer))
		row("before", before(in))
		if len(in.Victims) > 0 {
			row("removes", strings.Join(in.Victims, ", "))
		}
	}
	row("now", ev.Shows)
	if ev.Seems != journal.Unknown {
		row("seems", string(ev.Seems)+": "+ev.Detail+" (one read, which may lag)")
	}
	row("waits", "nothing further is sent to this cluster before "+stamp(ev.QuietUntil))
	return out.Flush()
}

// Choices writes how a person closes the request, and what follows from each.
func Choices(w io.Writer, address string) error {
	_, err := fmt.Fprintf(w, "Close it with one of these; the reason stands in history:\n"+
		"  clusterctl resolve --applied --reason TEXT %[1]s      as done: the next plan is made from live state\n"+
		"  clusterctl resolve --not-applied --reason TEXT %[1]s  as not done: the next plan may send it again\n", Clean(address))
	return err
}

// stamp is a moment as every line of ours gives it: in UTC, and saying so.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func answerWords(a *journal.Answer) string {
	switch {
	case a == nil:
		return "; no answer was recorded"
	case a.Outcome == provider.OutcomeAccepted:
		text := "; accepted"
		if a.RequestID != "" {
			text += ", request " + a.RequestID
		}
		return text
	case a.Message != "":
		return "; no clear answer: " + a.Message
	}
	return "; no clear answer"
}

func before(in *journal.Intent) string {
	if in.Op == provider.OpCreate {
		return plural(len(in.Base), "cluster") + " of that name"
	}
	text := plural(len(in.Base), "node")
	if len(in.Base) > 0 {
		text += ": " + strings.Join(in.Base, ", ")
	}
	return text
}
