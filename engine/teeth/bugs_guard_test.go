package teeth

// guardBugs are in what keeps nodes from going.
var guardBugs = []bug{
	{
		name: "a guard is lifted by taking its line out", file: "engine/guardjudge.go",
		old:     `if !stated && !kept {`,
		new:     `if !stated || false && kept {`,
		scripts: []string{"guardskept"},
	},
	{
		name: "a cluster's protection leaves its groups out", file: "engine/guardjudge.go",
		old: `return []string{"", group}`,
		new: `return []string{group}`,
	},
	{
		name: "smaller nodes pass a protection", file: "engine/guardjudge.go",
		old: `if a.Op == provider.OpResize && !a.follows() {`,
		new: `if false {`,
	},
	{
		name: "a budget forgets what was removed before", file: "engine/guardjudge.go",
		old:     `if before+int64(a.Removed()) <= b.Count {`,
		new:     `if int64(a.Removed()) <= b.Count {`,
		scripts: []string{"guardskept"},
	},
	{
		name: "a budget counts one cluster of an account", file: "engine/guardjudge.go",
		old: `(place.ID == "" || one.ID == place.ID)`,
		new: `one.ID == place.ID`,
	},
	{
		name: "a removal that is not settled is not counted", file: "engine/guardjudge.go",
		old: `if in.Op == provider.OpScaleIn {`,
		new: `if false {`,
	},
	{
		name: "a looser budget is taken at once", file: "engine/guardjudge.go",
		old: `if b, ok := g.MaxRemoved[group]; ok {`,
		new: `if b, ok := g.MaxRemoved[group]; ok && len(f.stated.MaxRemoved) == 0 {`,
	},
	{
		name: "an old plan lifts a guard that was set since", file: "engine/guardapply.go",
		old:     `if c.LastOp != op && (c.LastOp != "" || loosens) {`,
		new:     `if false && (c.LastOp != op || loosens) {`,
		scripts: []string{"guardonce"},
	},
	{
		name: "a plan that knew no history loosens a budget", file: "engine/guardapply.go",
		old:     `if c.LastOp != op && (c.LastOp != "" || loosens) {`,
		new:     `if c.LastOp != op && c.LastOp != "" && (true || loosens) {`,
		scripts: []string{"guardonce"},
	},
	{
		name: "what a plan lifts is out of its own way", file: "engine/guardapply.go",
		old: `k.cluster.lifted, k.account.lifted = c.lifts(cluster), c.lifts(account)`,
		new: `k.cluster.lifted, k.account.lifted = journal.Guards{}, journal.Guards{}`,
	},
	{
		name: "an entry lifts what another of the account states", file: "engine/guardplan.go",
		old: `f, err := g.inForce(stated[entry.guarded("")], entry.guarded(""))`,
		new: `f, err := g.inForce(entry.guards(), entry.guarded(""))`,
	},
	{
		name: "an endpoint that is spelled otherwise leads past locks and guards", file: "engine/cluster.go",
		old: `Endpoint: e.place(), ID: id,`,
		new: `Endpoint: e.Endpoint, ID: id,`,
	},
	{
		name: "a plan does not count its own removals", file: "engine/guardplan.go",
		old: `if n := a.Removed(); n > 0 {`,
		new: `if n := a.Removed(); n > 1000 {`,
	},
	{
		name: "guards are not checked at the send", file: "engine/guardapply.go",
		old: `if !act.reduces() || planned.follows() {`,
		new: `if true {`,
	},
	{
		name: "runs count a budget beside each other", file: "engine/guardapply.go",
		old: `_, release, err := c.lockGuards(ctx, cluster, account)`,
		new: `_, release, err := c.lockGuards(ctx, cluster, account)
	if err == nil {
		release()
		release = func() {}
	}`,
	},
	{
		name: "guards are not written", file: "engine/apply.go",
		old:     `if err := a.writeGuards(ctx); err != nil {`,
		new:     `if err := error(nil); err != nil {`,
		scripts: []string{"guardskept"},
	},
	{
		name: "a new cluster's guards are not written", file: "engine/clusterrun.go",
		old: `if act.Op == provider.OpCreate {
			if err := c.guardNew(ctx); err != nil {`,
		new: `if act.Op == provider.OpCreate {
			if err := error(nil); err != nil {`,
	},
}
