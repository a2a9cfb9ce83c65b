package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

var sizes = []int{10, 100, 1_000, 10_000}

// fleet is n clusters that match the spec but for one in fifty, and what is
// live of them.
func fleet(n int) ([]*Cluster, map[string]*provider.State) {
	var clusters []*Cluster
	live := map[string]*provider.State{}
	for i := range n {
		key := fmt.Sprintf("cluster-%05d", i)
		core := 5
		if i%50 == 0 {
			core = 3
		}
		c := want(key, `{"provider":"m","kind":"k","name":"`+key+`","zone":"z1","note":"for nobody","node_groups":{"core":{"count":5,"node_size":"c3.4xlarge.2","data_volume_count":2},`+
			`"task":{"count":2,"node_size":"c3.4xlarge.2","data_volume_type":"SAS","data_volume_size":200,"scale_without_start":false}}}`)
		c.Meanings = provider.Meanings{"zone": provider.Immutable, "note": provider.Param, "node_groups.task.scale_without_start": provider.Param, "node_groups.core.server_ids": provider.Param | provider.Set}
		clusters = append(clusters, c)
		s := &provider.State{ID: "id-" + key, Name: key, Kind: "k", Status: provider.StatusReady, Attributes: json.RawMessage(`{"zone":"z1","version":"3.1.0","type":0,"billing":"postpaid"}`)}
		for role, count := range map[string]int{"core": core, "task": 2} {
			g := provider.Group{Role: role, Count: count, Attributes: json.RawMessage(`{"node_size":"c3.4xlarge.2","data_volume_type":"SAS","data_volume_size":200,"data_volume_count":2,"root_volume_size":40}`)}
			for k := range count {
				g.Nodes = append(g.Nodes, provider.Node{ID: fmt.Sprintf("%s-%s-%d", key, role, k)})
			}
			s.Groups = append(s.Groups, g)
		}
		live[key] = s
	}
	return clusters, live
}

func BenchmarkDiff(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			clusters, live := fleet(n)
			b.ReportAllocs()
			for b.Loop() {
				differ := 0
				for _, c := range clusters {
					d, err := Diff(c, live[c.Address])
					if err != nil {
						b.Fatal(err)
					}
					if !d.Empty() {
						differ++
					}
				}
				if differ != (n+49)/50 {
					b.Fatalf("%d differ", differ)
				}
			}
		})
	}
}

// ready is a provider whose clusters are values in memory.
type ready struct {
	*model
	live map[string]*provider.State
}

func (r ready) Observe(_ context.Context, req provider.ObserveRequest, yield func(provider.Observation) error) error {
	for _, k := range req.Keys {
		if err := yield(provider.Observation{Address: k.Address, Presence: provider.Present, Cluster: r.live[k.Address]}); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			clusters, live := fleet(n)
			cloud := ready{newModel(), live}
			d, _ := cloud.Describe(context.Background())
			p := &Planner{Entries: map[string]*Entry{"m": {Name: "m", Provider: cloud, Description: d, Settings: json.RawMessage(`{"region":"r1"}`)}}}
			b.ReportAllocs()
			for b.Loop() {
				plan, err := p.Plan(context.Background(), clusters)
				if err != nil {
					b.Fatal(err)
				}
				if len(plan.Actions) != (n+49)/50 {
					b.Fatalf("%d actions", len(plan.Actions))
				}
			}
		})
	}
}

// BenchmarkGuards plans fleets in which every cluster has guards and depends on
// the one before it, one in fifty loses nodes, and history has 10,000 removals.
func BenchmarkGuards(b *testing.B) {
	for _, n := range []int{100, 1_000, 5_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			clusters, live := fleet(n)
			entry := &Entry{Name: "m", Settings: json.RawMessage(`{"region":"r1"}`), MaxRemoved: &Budget{Count: 1 << 20, Per: "7d"}}
			cloud := ready{newModel(), live}
			entry.Provider = cloud
			entry.Description, _ = cloud.Describe(context.Background())
			budget := &Budget{Count: 100, Per: "7d"}
			for i, c := range clusters {
				c.Rules = Rules{MaxRemoved: budget, Groups: map[string]GroupRules{"core": {Protect: true}, "task": {MaxRemoved: budget}}}
				if i > 0 {
					c.Rules.DependsOn = []string{clusters[i-1].Address}
				}
				if i%50 == 1 {
					for g := range live[c.Address].Groups {
						if group := &live[c.Address].Groups[g]; group.Role == "task" {
							group.Count = 3
							group.Nodes = append(group.Nodes, provider.Node{ID: c.Address + "-more"})
						}
					}
				}
			}
			history := func(f func(journal.Record) bool) error {
				for i := range 10_000 {
					in := journal.Intent{Identity: entry.identity(fmt.Sprintf("id-cluster-%05d", i%n), ""), Op: provider.OpScaleIn, Group: "task", K: 1}
					if !f(journal.Record{Intent: in, Verdict: journal.Done}) {
						break
					}
				}
				return nil
			}
			p := &Planner{Entries: map[string]*Entry{"m": entry}, History: history, Last: func(string) (*journal.Record, error) { return nil, nil }}
			b.ReportAllocs()
			for b.Loop() {
				plan, err := p.Plan(context.Background(), clusters)
				if err != nil {
					b.Fatal(err)
				}
				if len(plan.Guards) < 3*n || len(plan.Actions)+len(plan.Blocked) == 0 {
					b.Fatalf("%d guards, %d actions, %d blocked", len(plan.Guards), len(plan.Actions), len(plan.Blocked))
				}
			}
		})
	}
}
