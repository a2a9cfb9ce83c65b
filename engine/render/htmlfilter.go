package render

import (
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/engine/topology"
)

// htmlKinds are the kinds that a page knows, in the order of its buttons.
var htmlKinds = []htmlKind{
	{Kind: "scale_in", Word: "scale in", Symbol: "−", Tone: "bad"},
	{Kind: "smaller", Word: "made smaller", Symbol: "−", Tone: "bad"},
	{Kind: "denied", Word: "denied", Symbol: "!", Tone: "bad"},
	{Kind: "blocked", Word: "blocked", Symbol: "!", Tone: "bad"},
	{Kind: "unknown", Word: "unknown", Symbol: "?", Tone: "bad"},
	{Kind: "failed", Word: "not done", Symbol: "!", Tone: "bad"},
	{Kind: "unsent", Word: "not sent", Symbol: "!", Tone: "warn"},
	{Kind: "unsettled", Word: "unsettled", Symbol: "?", Tone: "warn"},
	{Kind: "unread", Word: "not read", Symbol: "?", Tone: "warn"},
	{Kind: "applied", Word: "done", Symbol: "✓", Tone: "good"},
	{Kind: "identity", Word: "another cluster", Symbol: "!", Tone: "warn"},
	{Kind: "removed", Word: "no longer managed", Symbol: "−", Tone: "warn"},
	{Kind: "renamed", Word: "other key", Symbol: "~", Tone: "warn"},
	{Kind: "create", Word: "create", Symbol: "+", Tone: "good"},
	{Kind: "added", Word: "managed from now on", Symbol: "+", Tone: "good"},
	{Kind: "scale_out", Word: "scale out", Symbol: "+", Tone: "good"},
	{Kind: "resize", Word: "resize", Symbol: "~", Tone: "warn"},
	{Kind: "parameter", Word: "parameter", Symbol: "~", Tone: "warn"},
	{Kind: "stated", Word: "compared from now on", Symbol: "~", Tone: ""},
	{Kind: "released", Word: "no longer compared", Symbol: "~", Tone: ""},
	{Kind: "guard", Word: "guard", Symbol: "!", Tone: "warn"},
	{Kind: "order", Word: "another order", Symbol: "~", Tone: ""},
	{Kind: "other", Word: "other", Symbol: "~", Tone: ""},
}

// buttons makes the filter's from the kinds of the clusters: with one kind
// there is nothing to choose.
func (p *htmlPage) buttons(clusters kindSet) {
	counts := map[string]int{}
	for _, kinds := range clusters {
		for _, k := range kinds {
			counts[k]++
		}
	}
	if len(counts) < 2 {
		return
	}
	for _, k := range htmlKinds {
		if k.Count = counts[k.Kind]; k.Count > 0 {
			p.Kinds = append(p.Kinds, k)
		}
	}
}

// kindSet gathers words for the filter by cluster.
type kindSet map[string][]string

func (s kindSet) add(address, kinds string) {
	cluster, _, _ := strings.Cut(address, "/")
	for _, k := range strings.Fields(kinds) {
		if !slices.Contains(s[cluster], k) {
			s[cluster] = append(s[cluster], k)
		}
	}
}

func (s kindSet) of(c *topology.Cluster) string {
	if kinds := s[c.Address]; len(kinds) > 0 {
		return strings.Join(kinds, " ")
	}
	return "other"
}
