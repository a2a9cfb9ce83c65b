package journal

import (
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// enough is how many earlier operations an expectation takes. Fewer say more
// about their own day than about the cloud.
const enough = 3

// Usual tells how long operations usually take, from what history knows of
// earlier ones. The zero value knows none.
type Usual struct {
	took map[alike][]time.Duration
}

// alike is what makes operations comparable; without cluster, those of all clusters.
type alike struct {
	plugin, kind string
	op           provider.Op
	cluster      string
}

// Add takes what a record says: only of an operation that the cloud accepted,
// that was done, and whose end no person declared.
func (u *Usual) Add(r Record) {
	in := r.Intent
	took := r.At.Sub(in.SignedAt)
	if r.Verdict != Done || r.By != "" || in.Answer == nil || in.Answer.Outcome != provider.OutcomeAccepted || took <= 0 {
		return
	}
	if u.took == nil {
		u.took = map[alike][]time.Duration{}
	}
	all := alike{plugin: in.Identity.Plugin, kind: in.Kind, op: in.Op}
	u.took[all] = append(u.took[all], took)
	if in.ClusterID != "" {
		all.cluster = in.ClusterID
		u.took[all] = append(u.took[all], took)
	}
}

// Of is the median of the operations of one plugin, kind and op: of the same
// cluster where there were enough, else of all. It is false, and nothing should
// be guessed, where there were too few of either.
func (u *Usual) Of(plugin, kind string, op provider.Op, clusterID string) (time.Duration, bool) {
	all := alike{plugin: plugin, kind: kind, op: op}
	own := all
	own.cluster = clusterID
	for _, s := range []alike{own, all} {
		if took := u.took[s]; len(took) >= enough {
			return median(took), true
		}
	}
	return 0, false
}

func median(of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return sorted[middle-1] + (sorted[middle]-sorted[middle-1])/2
}
