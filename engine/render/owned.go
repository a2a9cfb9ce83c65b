package render

import (
	"fmt"

	"github.com/clusterctl/clusterctl/engine"
)

// OwnedText words a field that somebody else keeps: "count 10 → live 12, kept by
// autoscaler".
func OwnedText(o engine.Owned) string {
	return fmt.Sprintf("%s %s → live %s, kept by %s", Clean(o.Field.Path), Value(o.Field.After), Value(o.Field.Before), Clean(o.Owner))
}

// owned writes what others keep. It is context: nothing is to be done about it.
func (t *planText) owned(list []engine.Owned) {
	for _, o := range list {
		t.say(2, "%s", t.dim(fmt.Sprintf("i %s  %s     %s", Clean(o.Address), OwnedText(o), Clean(o.Source))))
	}
}

// otherwise says that everything matches but for what others keep.
func otherwise(owned int) string {
	switch owned {
	case 0:
		return ""
	case 1:
		return "; 1 field differs that others keep"
	}
	return fmt.Sprintf("; %d fields differ that others keep", owned)
}

func ownedItems(owned []engine.Owned) []string {
	var items []string
	for _, o := range owned {
		items = append(items, code(o.Address)+": "+code(o.Field.Path)+" is "+code(Value(o.Field.Before))+", and "+code(Value(o.Field.After))+
			" in the spec; kept by "+code(o.Owner)+sourceOf(o.Source))
	}
	return items
}
