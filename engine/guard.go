package engine

import (
	"fmt"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// The default guard against large removals: a share of a group that is large
// enough for shares to mean something.
const (
	shrinkShare = 30 // per cent
	shrinkFloor = 10 // nodes
)

// String words a denial: "denied by guard protect (fleet.cue:12:3): …".
func (d Denied) String() string {
	at := ""
	if d.Source != "" {
		at = " (" + d.Source + ")"
	}
	return fmt.Sprintf("denied by guard %s%s: %s", d.Guard, at, d.Reason)
}

// guardShrink refuses a scale-in of more than 30 % of a group of ten or more.
func guardShrink(a *Action) *Denied {
	from := a.From["count"]
	removed := int64(a.Removed())
	if a.Op != provider.OpScaleIn || from < shrinkFloor || removed*100 <= from*shrinkShare {
		return nil
	}
	return &Denied{
		Address: a.Address, Guard: "shrink", Source: a.Source,
		Reason: fmt.Sprintf("removes %d of %d nodes, more than %d %% of the group; pass --allow-shrink if that is meant", removed, from, shrinkShare),
	}
}
