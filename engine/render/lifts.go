package render

import (
	"fmt"
	"slices"

	"github.com/clusterctl/clusterctl/engine/review"
)

// lift is a guard that is lifted in the same way, by one line, from clusters.
type lift struct {
	review.Field
	clusters []string
}

// lifts gathers the guards that a review lifts, those of removed clusters with
// them.
func lifts(r *review.Review) []lift {
	var all []lift
	for _, c := range r.Clusters {
		for i := range c.Fields {
			f := &c.Fields[i]
			if !f.Lifts() {
				continue
			}
			same := func(l lift) bool {
				return l.Path == f.Path && l.Cause == f.Cause && Value(l.Before) == Value(f.Before) && Value(l.After) == Value(f.After)
			}
			if at := slices.IndexFunc(all, same); at >= 0 {
				all[at].clusters = append(all[at].clusters, c.Address)
				continue
			}
			all = append(all, lift{*f, []string{c.Address}})
		}
	}
	return all
}

// liftItems are the guards that are lifted or made looser.
func liftItems(r *review.Review) []string {
	var items []string
	for _, l := range lifts(r) {
		items = append(items, fmt.Sprintf("%s of %s: %s → %s, by %s", code(l.Path), codes(l.clusters, namesInItem),
			valueCode(stated(l.Before)), valueCode(stated(l.After)), atLine(l.Cause, l.InBase)))
	}
	return items
}

func htmlLifts(r *review.Review) []htmlItem {
	var items []htmlItem
	for _, l := range lifts(r) {
		item := htmlItem{Kinds: string(review.EffectGuard), Strong: shownName(l.Path), Text: variantText(stated(l.Before)) + " → " + variantText(stated(l.After)), Source: lineText(l.Cause, l.InBase)}
		item.Names, item.More = folds(l.clusters, "clusters")
		items = append(items, item)
	}
	return items
}
