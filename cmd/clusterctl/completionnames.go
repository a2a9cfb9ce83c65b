package main

import (
	"cmp"
	"maps"
	"slices"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/schema"
)

// addresses are the clusters that the files of the spec in the working directory
// name. A spec elsewhere is named behind the cursor, if it is yet.
func (c *completing) addresses() []string { return schema.Addresses(".", ".") }

// rememberedNames are what a store's requests are about.
type rememberedNames struct {
	open      []string // clusters with an open request
	clusters  []string
	addresses []string
	of        map[string][]string // values by flag of history
}

// newestForNames is how much of history is read for names: some thousands of
// requests, in less time than a person notices.
const newestForNames = 8 << 20

// remembered reads the store that --store or the environment names.
func (c *completing) remembered() rememberedNames {
	dir := c.getenv("CCTL_STORE")
	if given := c.values["store"]; len(given) > 0 {
		dir = given[len(given)-1]
	}
	if dir == "" {
		dir, _ = journal.DefaultDir()
	}
	names := rememberedNames{of: map[string][]string{}}
	store, err := c.taps.openStore(dir, journal.CreateNo)
	if err != nil {
		return names
	}
	sets := map[string]map[string]bool{}
	add := func(set string, texts ...string) {
		if sets[set] == nil {
			sets[set] = map[string]bool{}
		}
		for _, text := range texts {
			if text != "" {
				sets[set][text] = true
			}
		}
	}
	take := func(in *journal.Intent) {
		add("cluster", in.Cluster)
		add("address", engine.Address(in.Cluster, in.Group))
		add("group", in.Group)
		add("provider", in.Entry, in.Identity.Plugin)
		add("who", in.Who)
		add("plan", in.PlanDigest)
	}
	open, _, _ := store.Open()
	for i := range open {
		take(&open[i])
		add("open", open[i].Cluster)
	}
	_ = store.RecallNewest(newestForNames, func(r journal.Remembered) bool {
		take(&r.Intent)
		return true
	})
	for name, set := range sets {
		names.of[name] = slices.SortedFunc(maps.Keys(set), cmp.Compare[string])
	}
	names.open, names.clusters, names.addresses = names.of["open"], names.of["cluster"], names.of["address"]
	return names
}

// groupsOf are the addresses of a cluster's groups.
func (n rememberedNames) groupsOf(cluster string) []string {
	return slices.DeleteFunc(slices.Clone(n.addresses), func(address string) bool {
		return len(address) <= len(cluster) || address[:len(cluster)+1] != cluster+"/"
	})
}
