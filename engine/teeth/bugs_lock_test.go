package teeth

// lockBugs are in what keeps runs apart, and plans from acting twice.
var lockBugs = []bug{
	{
		name: "the lock is given back early", file: "engine/locks.go",
		old: `c.locks[key] = held{lease, leave}`,
		new: `c.locks[key] = held{lease, leave}
			_ = lease.Unlock()`,
	},
	{
		name: "a cluster is locked by its id alone", file: "engine/locks.go",
		old: `name != "" && !slices.Contains(out, identity) {`,
		new: `name != "" && id == "" && !slices.Contains(out, identity) {`,
	},
	{
		name: "two clusters of one run share a lock without taking turns", file: "engine/locks.go",
		old: `a.turns[key] = make(chan struct{}, 1)`,
		new: `a.turns[key] = make(chan struct{}, 8)`,
	},
	{
		name: "another run's new cluster is worked on without its lock", file: "engine/baseline.go",
		old: `if c.lease() == nil {`,
		new: `if false {`,
	},
	{
		name: "open requests are not settled first", file: "engine/clusterrun.go",
		old: `if in == nil {
			continue
		}`,
		new: `if true {
			continue
		}`,
	},
	{
		name: "what is not settled stops nothing", file: "engine/clusterrun.go",
		old: `if out.State == Unsettled || out.State == Held {
			open = true`,
		new: `if out.State == Unsettled || out.State == Held {
			open = false`,
	},
	{
		name: "a plan may follow any history", file: "engine/clusterrun.go",
		old: `if opOf(last) == c.planned.LastOp {`,
		new: `if opOf(last) != "" {`,
	},
	{
		name: "a saved plan may act again", file: "engine/clusterrun.go",
		old: `if sent != nil {`,
		new: `if sent != nil && sent.Verdict == "" {`,
	},
	{
		name: "after a shortfall the cluster's next action goes on", file: "engine/clusterrun.go",
		old: `if out.State != Applied {
			return c.skip(outcomes, out), settled
		}`,
		new: `if out.State != Applied && out.State != FellShort {
			return c.skip(outcomes, out), settled
		}`,
	},
	{
		name: "the verdict is not written", file: "engine/clusterrun.go",
		old: `if err := lease.Close(record); err != nil {
		out.Detail`,
		new: `if err := error(nil); err != nil && record.By == "" {
		out.Detail`,
	},
	{
		name: "an open request of another spec's name is not seen", file: "engine/compare.go",
		old: `id, live = o.Cluster.ID, o.Cluster.Name`,
		new: `id, live = o.Cluster.ID, ""`,
	},
	{
		name: "open requests do not stop a plan", file: "engine/compare.go",
		old: `if open := unsettled(entry, c, o); open != nil {`,
		new: `if open := unsettled(entry, c, o); open != nil && open.Op == "none" {`,
	},
	{
		name: "a plan does not know what came before it", file: "engine/planner.go",
		old: `c.LastOp = opOf(last)`,
		new: `_ = last`,
	},
	{
		name: "two keys of one spec change the same cluster", file: "engine/compare.go",
		old: `if len(keys) == 1 {`,
		new: `if len(keys) > 0 {`,
	},
}
