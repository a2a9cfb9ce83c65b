package teeth

// settleBugs are in the way from an answer to a verdict.
var settleBugs = []bug{
	{
		name: "late reads do not wait for the read lag", file: "engine/settle.go",
		old: `late := s.changedAt.Add(in.ReadLag)`,
		new: `late := s.changedAt`,
	},
	{
		name: "expiry is ignored", file: "engine/settle.go",
		old:     `if out.verdict != journal.Done && !s.known() {`,
		new:     `if out.verdict == journal.Unknown {`,
		scripts: []string{"neverarrived"},
	},
	{
		name: "a request taken without a handle is settled like one with", file: "engine/settle.go",
		old: `return s.accepted() && len(s.intent.Answer.Handle) > 0 }`,
		new: `return s.accepted() }`,
	},
	{
		name: "an early done leaves no quiet time", file: "engine/settle.go",
		old: `!s.accepted() && !past(now, until) {`,
		new: `!s.accepted() && past(now, until) {`,
	},
	{
		name: "a new cluster is looked for by its name alone", file: "engine/settle.go",
		old: `if s.intent.Op != provider.OpCreate || s.cluster == "" ||`,
		new: `if true || s.cluster == "" ||`,
	},
	{
		name: "nodes are counted, not known by their ids", file: "engine/verdict.go",
		old: `out := ruling{verdict: byCount(int64(len(added)), in.K),`,
		new: `out := ruling{verdict: byCount(int64(len(r.nodes)-len(in.Base)), in.K),`,
	},
	{
		name: "what the task lists is not looked at", file: "engine/verdict.go",
		old: `if made = minus(made, in.Base); len(made) > 0 {`,
		new: `if made = minus(made, in.Base); len(made) > len(r.nodes) {`,
	},
	{
		name: "a removal is counted, whoever went", file: "engine/verdict.go",
		old: `if len(in.Victims) > 0 {`,
		new: `if len(in.Victims) > len(in.Base) {`,
	},
	{
		name: "too much counts as done", file: "engine/verdict.go",
		old: `return journal.Done
	}
	return journal.Drifted
}

// within`,
		new: `return journal.Done
	}
	return journal.Done
}

// within`,
	},
	{
		name: "a verdict is taken from a busy cluster", file: "engine/verdict.go",
		old: `return len(r.ids) == 0 || r.settled()`,
		new: `return len(r.ids) == 0 || r.settled() || r.status == provider.StatusBusy`,
	},
	{
		name: "counter and node list may differ", file: "engine/verdict.go",
		old: `if g.Count != len(g.Nodes) {`,
		new: `if g.Count < 0 {`,
	},
	{
		name: "reads that differ count as agreeing", file: "engine/verdict.go",
		old: `slices.Equal(r.ids, other.ids) && r.status == other.status &&`,
		new: `true || r.status == other.status &&`,
	},
	{
		name: "the cloud's clock is not asked for", file: "engine/clock.go",
		old: `return min(max(local.Sub(cloud), 0), window)`,
		new: `return 0`,
	},
	{
		name: "what a person decided is not waited out", file: "engine/resolve.go",
		old: `QuietUntil: ev.QuietUntil.UTC(),`,
		new: `QuietUntil: time.Now().UTC(),`,
	},
	{
		name: "a person decides about a request that was not shown", file: "engine/resolve.go",
		old: `now.OpID != ev.Intent.OpID:`,
		new: `now.OpID == "":`,
	},
	{
		name: "what moved in other groups is not told", file: "engine/verify.go",
		old: `if role == group {`,
		new: `if role != group {`,
	},
}
