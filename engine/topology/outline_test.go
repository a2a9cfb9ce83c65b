package topology_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/topology"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// What a spec says to clusterctl itself stands in its outline and its picture.
func TestRulesAreOutlined(t *testing.T) {
	rules, err := engine.ReadRules(json.RawMessage(`{"max_removed": {"count": 4, "per": "24h"}, "node_groups": {
		"core": {"protect": true}, "task": {"count": {"min": 2, "max": 20}, "max_removed": {"count": 1, "per": "60m"}, "owned_by": {"node_size": "capacity team", "count": "autoscaler"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	cluster := &engine.Cluster{Desired: provider.Desired{Address: "a", Kind: "mrs", Spec: json.RawMessage(`{"node_groups": {"core": {"count": 3}, "task": {}}}`)}, Entry: "hw", Rules: rules}
	picture := topology.OfSpec([]*engine.Cluster{cluster}).Clusters[0]
	var notes []string
	for _, g := range picture.Groups {
		notes = append(notes, g.Note)
	}
	want := []string{"protected", "loses at most 1 node in 60m; count kept by autoscaler; node_size kept by capacity team"}
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if picture.Note != "loses at most 4 nodes in 24h" {
		t.Errorf("cluster: %q", picture.Note)
	}
	outline := topology.OutlineOf([]*engine.Cluster{cluster}, "").Clusters[0]
	if outline.MaxRemoved == nil || outline.Groups[1].OwnedBy["count"] != "autoscaler" || outline.Groups[1].MaxRemoved == nil {
		t.Errorf("outline: %+v", outline)
	}
}
