package teeth

// sendBugs are in the way from a plan to a request: baseline, stale check,
// intent, send, answer.
var sendBugs = []bug{
	{
		name: "the intent is not written", file: "engine/send.go",
		old: `return c.lease().Put(durable(in))`,
		new: `return nil`,
	},
	{
		name: "it sends although the intent could not be written", file: "engine/send.go",
		old: `return c.lease().Put(durable(in))`,
		new: `_ = c.lease().Put(durable(in))
			return nil`,
	},
	{
		name: "unknown is sent again", file: "engine/send.go",
		old:     `if answer.Outcome == provider.OutcomeRefused || answer.Outcome == provider.OutcomeUnsent {`,
		new:     `if answer.Outcome != provider.OutcomeAccepted {`,
		scripts: []string{"lostreply"},
	},
	{
		name: "the stale check is left out", file: "engine/send.go",
		old:     `fresh, err := c.replan(ctx, act, base.observation.Cluster)`,
		new:     `fresh, err := act, error(nil)`,
		scripts: []string{"stale"},
	},
	{
		name: "the lock is given back before the send", file: "engine/send.go",
		old: `answer = start(detached, c.entry,`,
		new: `_ = c.lease().Unlock()
	answer = start(detached, c.entry,`,
	},
	{
		name: "an interrupt cuts the send", file: "engine/send.go",
		old:     `context.WithoutCancel(ctx)`,
		new:     `ctx`,
		scripts: []string{"interrupt"},
	},
	{
		name: "the intent expires before its request can have been signed", file: "engine/send.go",
		old: `in.Expires = now.Add(c.entry.sendDeadline() + in.AcceptWindow +`,
		new: `in.Expires = now.Add(in.AcceptWindow +`,
	},
	{
		name: "after the answer the accept window is ignored", file: "engine/send.go",
		old:     `in.Expires = signed.Add(in.AcceptWindow + ahead)`,
		new:     `in.Expires = signed.Add(ahead)`,
		scripts: []string{"neverarrived"},
	},
	{
		name: "a send that was cut off counts as signed by then", file: "engine/send.go",
		old: `signed = now.Add(c.entry.sendDeadline())`,
		new: `signed = now`,
	},
	{
		name: "an action's own window is ignored", file: "engine/send.go",
		old: `return max(kind.AcceptWindow, act.AcceptWindow)`,
		new: `return kind.AcceptWindow`,
	},
	{
		name: "the baseline is left out", file: "engine/send.go",
		old: `Base: orEmpty(b.reading.nodes), Tasks: []string{},`,
		new: `Base: []string{}, Tasks: []string{},`,
	},
	{
		name: "the victims are left out of the intent", file: "engine/send.go",
		old: `in.Victims = append(in.Victims, v.ID)`,
		new: `_ = v`,
	},
	{
		name: "a stale read is trusted as the baseline", file: "engine/baseline.go",
		old: `case why == "" && (moved.IsZero() || past(began, late)):`,
		new: `case why == "":`,
	},
	{
		name: "an earlier request is not waited out", file: "engine/baseline.go",
		old: `if !c.quieten(ctx, act, quiet) {`,
		new: `if false {`,
	},
	{
		name: "requests of a lost store are not waited out", file: "engine/baseline.go",
		old: `if known || since.IsZero() {`,
		new: `if true || known || since.IsZero() {`,
	},
	{
		name: "a busy cluster takes another request", file: "engine/baseline.go",
		old:     `case r.status != provider.StatusReady:`,
		new:     `case r.status == provider.StatusUnknown:`,
		scripts: []string{"killed"},
	},
	{
		name: "a running task is no reason to wait", file: "engine/baseline.go",
		old: `case len(r.running) > 0:`,
		new: `case false:`,
	},
	{
		name: "what was approved is not compared with what is sent", file: "engine/baseline.go",
		old: `case !slices.Equal(planned.Request, now.Request):`,
		new: `case false:`,
	},
	{
		name: "other victims than were approved", file: "engine/baseline.go",
		old: `case !slices.EqualFunc(planned.Removes, now.Removes, func(a, b provider.NodeRef) bool { return a.ID == b.ID }):`,
		new: `case len(planned.Removes) != len(now.Removes):`,
	},
	{
		name: "a broken stream leaves clusters absent", file: "engine/observe.go",
		old: `_ = take(provider.Observation{Address: k.Address, Error: reason})`,
		new: `_, _ = reason, take(provider.Observation{Address: k.Address, Presence: provider.Absent})`,
	},
	{
		name: "another cluster's state is believed", file: "engine/sound.go",
		old: `case k.ID != "" && s.ID != k.ID:`,
		new: `case false:`,
	},
}
