package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// guarded watches every send of a model: of the clusters in refuse none is
// taken, and sent hears of each.
type guarded struct {
	*model
	refuse map[string]bool // by id
	sent   func(id string)
}

func (g *guarded) Start(ctx context.Context, req provider.StartRequest) provider.Answer {
	var r modelRequest
	_ = json.Unmarshal(req.Request, &r)
	switch {
	case req.CheckOnly:
	case g.refuse[r.Cluster]:
		return provider.Answer{Outcome: provider.OutcomeRefused, Error: provider.Errorf(provider.KindQuota, "no capacity")}
	case g.sent != nil:
		g.sent(r.Cluster)
	}
	return g.model.Start(ctx, req)
}

// linked is a bench with clusters from lines such as "a 3-5: b c": of three nodes,
// five wanted, depending on b and c.
func linked(t *testing.T, lines ...string) (*bench, []*Cluster) {
	t.Helper()
	b := newBench(t)
	var clusters []*Cluster
	for _, line := range lines {
		head, names, _ := strings.Cut(line, ":")
		name, counts, _ := strings.Cut(head, " ")
		var live, wanted int
		if _, err := fmt.Sscanf(counts, "%d-%d", &live, &wanted); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		b.cloud.add("id-"+name, name, map[string]int{"core": live, "task": live})
		spec := fmt.Sprintf(`{"node_groups": {"core": {"count": %d}}}`, wanted)
		if wanted == 9 { // two actions
			spec = `{"node_groups": {"core": {"count": 9}, "task": {"count": 9}}}`
		}
		c := want(name, spec)
		rules, err := ReadRules(provider.Raw(map[string]any{"depends_on": strings.Fields(names)}))
		if err != nil {
			t.Fatal(err)
		}
		c.Rules = rules
		clusters = append(clusters, c)
	}
	slices.SortFunc(clusters, func(a, b *Cluster) int { return strings.Compare(a.Address, b.Address) })
	return b, clusters
}

// waits renders a plan as "a1 z/core" and "a2 a/core after a1".
func waits(p *Plan) []string {
	out := []string{}
	for _, a := range p.Actions {
		text := a.ID + " " + a.Address
		if len(a.DependsOn) > 0 {
			text += " after " + strings.Join(a.DependsOn, " ")
		}
		out = append(out, text)
	}
	return out
}

// What depends on others stands after them, through those without changes too;
// what has the choice stays in the order of addresses.
func TestDependsOnOrder(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"nothing depends", []string{"a 3-5", "b 3-5"}, []string{"a1 a/core", "a2 b/core"}},
		{"the order is that of addresses already", []string{"a 3-5", "b 3-5: a"}, []string{"a1 a/core", "a2 b/core after a1"}},
		{"a later address comes first", []string{"a 3-5: y", "b 3-5", "y 3-9", "z 3-5"},
			[]string{"a1 b/core", "a2 y/core", "a3 y/task after a2", "a4 a/core after a3", "a5 z/core"}},
		{"all actions wait", []string{"a 3-9: b", "b 3-9"},
			[]string{"a1 b/core", "a2 b/task after a1", "a3 a/core after a2", "a4 a/task after a3"}},
		{"through one without changes", []string{"a 3-5: b", "b 5-5: c", "c 3-5"}, []string{"a1 c/core", "a2 a/core after a1"}},
		{"through two, to two", []string{"a 3-5: b", "b 5-5: c d", "c 5-5: e", "d 3-5", "e 3-5"},
			[]string{"a1 d/core", "a2 e/core", "a3 a/core after a1 a2"}},
		{"a diamond", []string{"a 3-5: b c", "b 3-5: d", "c 3-5: d", "d 3-5"},
			[]string{"a1 d/core", "a2 b/core after a1", "a3 c/core after a1", "a4 a/core after a2 a3"}},
		{"not in this run", []string{"a 3-5: gone"}, []string{"a1 a/core"}},
		{"on what has no change", []string{"a 3-5: b", "b 5-5"}, []string{"a1 a/core"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, clusters := linked(t, test.lines...)
			plan := b.plan(clusters...)
			check(t, "actions", waits(plan), test.want)
			var order []string
			for _, a := range plan.Actions {
				order = append(order, a.Cluster)
			}
			var kept []string
			for _, c := range plan.Clusters {
				kept = append(kept, c.Address)
			}
			check(t, "clusters", kept, slices.Compact(order))
			saved, err := plan.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ReadPlan(saved); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDependsOnCycle(t *testing.T) {
	b, clusters := linked(t, "a 3-5: b", "b 3-5: c", "c 3-5: d", "d 5-5: b")
	_, err := (&Planner{Entries: b.entries()}).Plan(t.Context(), clusters)
	if err == nil || err.Error() != "clusters depend on each other: b, c, d" {
		t.Errorf("got %v", err)
	}
}

// What depends on changes that will not be made is blocked, and says on what.
func TestDependsOnWhatIsNotDone(t *testing.T) {
	blocked := func(p *Plan) []string {
		out := []string{}
		for _, b := range p.Blocked {
			out = append(out, b.Address+": "+b.Reason)
		}
		return out
	}
	lines := []string{"a 3-9: b", "b 5-5: c", "c 3-5: d", "d 3-5", "e 3-5: d f", "f 3-5", "g 5-5: d"}
	set := func(reason string) []string {
		return []string{"a/core: depends on b and so on d, " + reason, "a/task: depends on b and so on d, " + reason,
			"c/core: depends on d, " + reason, "e/core: depends on d, " + reason}
	}
	for _, test := range []struct {
		name  string
		spoil func(*bench, []*Cluster, *Planner)
		want  []string
		left  []string
		count Summary
	}{
		{"unread", func(b *bench, _ []*Cluster, _ *Planner) {
			b.cloud.observe = func(o provider.Observation) provider.Observation {
				if o.Address == "d" {
					return provider.Observation{Address: "d", Presence: provider.Unread, Error: provider.Errorf(provider.KindDenied, "no right")}
				}
				return o
			}
		}, set("which was not read"), []string{"a1 f/core"}, Summary{ScaleOut: 1, Blocked: 4, Unread: 1}},
		{"blocked", func(_ *bench, clusters []*Cluster, _ *Planner) {
			clusters[3].Spec = json.RawMessage(`{"zone": "z2", "node_groups": {"core": {"count": 5}}}`)
		}, slices.Insert(set("which is blocked"), 3, "d: zone"), []string{"a1 d/core", "a2 f/core"}, Summary{ScaleOut: 2, Blocked: 5}},
		{"unsettled", func(b *bench, _ []*Cluster, p *Planner) {
			p.Intents = []journal.Intent{{Identity: b.entry.identity("id-d", ""), Cluster: "d", Group: "core", Op: provider.OpScaleOut}}
		}, set("which has a request that is not settled"), []string{"a1 f/core"}, Summary{ScaleOut: 1, Blocked: 4}},
		{"denied", func(b *bench, clusters []*Cluster, _ *Planner) {
			b.cloud.clusters["id-d"].groups["core"] = b.cloud.add("tmp", "tmp", map[string]int{"core": 20}).groups["core"]
			delete(b.cloud.clusters, "tmp")
		}, set("a change of which is denied by guard shrink"), []string{"a1 d/core", "a2 f/core"}, Summary{ScaleOut: 1, ScaleIn: 1, Removed: 15, Blocked: 4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, clusters := linked(t, lines...)
			p := &Planner{Entries: b.entries()}
			test.spoil(b, clusters, p)
			plan, err := p.Plan(t.Context(), clusters)
			if err != nil {
				t.Fatal(err)
			}
			got := blocked(plan)
			for i := range got {
				if strings.HasPrefix(got[i], "d: ") {
					got[i] = "d: zone"
				}
			}
			check(t, "blocked", got, test.want)
			check(t, "left", waits(plan), test.left)
			s := plan.Summary
			check(t, "summary", Summary{ScaleOut: s.ScaleOut, ScaleIn: s.ScaleIn, Removed: s.Removed, Blocked: s.Blocked, Unread: s.Unread}, test.count)
			if err := plan.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Of several obstacles the nearest is named, and of those the first.
func TestDependsOnNamesTheNearest(t *testing.T) {
	b, clusters := linked(t, "a 3-5: b d c", "b 5-5: c", "c 3-5", "d 3-5", "e 3-5: b f", "f 5-5: d")
	b.cloud.observe = func(o provider.Observation) provider.Observation {
		if o.Address == "c" || o.Address == "d" {
			return provider.Observation{Address: o.Address, Presence: provider.Unread, Error: provider.Errorf(provider.KindDenied, "no right")}
		}
		return o
	}
	var got []string
	for _, b := range b.plan(clusters...).Blocked {
		got = append(got, b.Address+" "+b.Reason)
	}
	check(t, "blocked", got, []string{"a/core depends on d, which was not read", "e/core depends on b and so on c, which was not read"})
}

// What is blocked is not waited for either.
func TestDependsOnBlocksWarnings(t *testing.T) {
	b, clusters := linked(t, "a 3-5: b", "b 3-5", "c 3-5")
	b.cloud.clusters["id-a"].status = provider.StatusBusy
	b.cloud.clusters["id-c"].status = provider.StatusBusy
	b.cloud.clusters["id-a"].tasks = []*modelTask{{ends: time.Now().Add(time.Hour)}}
	b.cloud.clusters["id-c"].tasks = []*modelTask{{ends: time.Now().Add(time.Hour)}}
	clusters[1].Spec = json.RawMessage(`{"zone": "z2"}`)
	plan := b.plan(clusters...)
	check(t, "warnings", plan.Warnings, []string{"c is busy now; apply waits until it is ready"})
}

// A plan in which something waits for what is not there, or for itself, is none.
func TestCheckDependsOn(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func([]Action)
		want string
	}{
		{"as planned", func([]Action) {}, ""},
		{"not there", func(a []Action) { a[0].DependsOn = []string{"a9"} }, `action a1 depends on action "a9", which is not in it`},
		{"itself", func(a []Action) { a[1].DependsOn = []string{"a2"} }, "action a2 depends on action a2, which comes after it"},
		{"a later one of the cluster", func(a []Action) { a[0].DependsOn = []string{"a2"} }, "action a1 depends on action a2, which comes after it"},
		{"each other", func(a []Action) { a[0].DependsOn = []string{"a3"} }, "its clusters wait for each other: a, b"},
		{"each other, action by action in order", func(a []Action) { a[2].DependsOn, a[1].DependsOn = []string{"a1"}, []string{"a3"} }, "its clusters wait for each other: a, b"},
		{"another order", func(a []Action) { a[0].DependsOn, a[2].DependsOn = []string{"a3"}, []string{} }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, clusters := linked(t, "a 3-9", "b 3-5: a")
			plan := b.plan(clusters...)
			test.edit(plan.Actions)
			if err := plan.Seal(); err != nil {
				t.Fatal(err)
			}
			saved, err := plan.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			_, err = ReadPlan(saved)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if !errors.Is(err, ErrNotAPlan) || !strings.HasSuffix(err.Error(), ": "+test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestDependsOnApplied: of fleets made by chance, with calls that are refused
// here and there and few slots, nothing is sent to a cluster before all it
// depends on is as wanted, exactly what depends on a failure is left out, and
// the next runs bring the rest.
func TestDependsOnApplied(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { appliedInOrder(t, rand.New(rand.NewPCG(seed, 6))) })
		})
	}
}

func appliedInOrder(t *testing.T, random *rand.Rand) {
	n := 2 + random.IntN(7)
	names := random.Perm(n)
	above := map[string]map[string]bool{} // all that each depends on
	var lines []string
	for i, k := range names {
		name := fmt.Sprintf("c%d", k)
		above[name] = map[string]bool{}
		line := name + []string{" 3-5", " 3-9", " 5-5"}[random.IntN(3)] + ":"
		for _, other := range names[:i] {
			if random.IntN(3) == 0 {
				first := fmt.Sprintf("c%d", other)
				line += " " + first
				above[name][first] = true
				for far := range above[first] {
					above[name][far] = true
				}
			}
		}
		lines = append(lines, line)
	}
	b, clusters := linked(t, lines...)
	refuse := map[string]bool{}
	for i := range names {
		if random.IntN(4) == 0 {
			refuse[fmt.Sprintf("id-c%d", i)] = true
		}
	}
	wanted := map[string]int{}
	for _, c := range clusters {
		wanted[c.Address] = 5
		if strings.Contains(string(c.Spec), "9") {
			wanted[c.Address] = 9
		}
	}
	cloud := &guarded{model: b.cloud, refuse: refuse}
	cloud.sent = func(id string) {
		b.cloud.mu.Lock()
		defer b.cloud.mu.Unlock()
		for first := range above[strings.TrimPrefix(id, "id-")] {
			c := b.cloud.clusters["id-"+first]
			if len(c.groups["core"]) != wanted[first] || wanted[first] == 9 && len(c.groups["task"]) != 9 || c.status != provider.StatusReady {
				t.Errorf("%v: %s is sent while %s is not done", lines, id, first)
			}
		}
	}
	b.entry.Provider = cloud
	plan := b.plan(clusters...)
	acts := map[string]bool{}
	for _, a := range plan.Actions {
		acts[a.Cluster] = true
	}
	a := &Applier{Plan: plan, Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now()), Parallelism: 1 + random.IntN(3)}
	result, err := a.Apply(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range result.Outcomes {
		cluster := plan.Actions[i].Cluster
		below := false
		for first := range above[cluster] {
			below = below || refuse["id-"+first] && acts[first]
		}
		firstOf := i == 0 || plan.Actions[i-1].Cluster != cluster
		want := Applied
		switch {
		case below:
			want = Skipped
			if !strings.HasPrefix(o.Detail, "not sent: it depends on ") {
				t.Errorf("%v: %s: %s", lines, o.Address, o.Detail)
			}
		case refuse["id-"+cluster] && firstOf:
			want = Failed
		case refuse["id-"+cluster]:
			want = Skipped
		}
		if o.State != want {
			t.Errorf("%v without %v: %s is %s, want %s", lines, refuse, o.Address, o.State, want)
		}
	}
	clear(refuse)
	b.apply(t.Context(), b.plan(clusters...))
	check(t, "plan again", len(b.plan(clusters...).Actions), 0)
}

// An interrupt while clusters wait for others ends all of them as interrupted,
// and what they wait for is said.
func TestDependsOnInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, clusters := linked(t, "a 3-9", "b 3-5: a", "c 3-5: b")
		b.cloud.answer = func(_ int, given provider.Answer) provider.Answer { return given }
		ctx, cancel := context.WithCancel(t.Context())
		var waited []string
		plan := b.plan(clusters...)
		a := &Applier{Plan: plan, Entries: b.entries(), Store: b.store, Holder: journal.Self("test", time.Now()), Parallelism: 1,
			Report: func(e Event) {
				if e.For != "" {
					waited = append(waited, e.Action.Address+" for "+e.For)
				}
				if e.Action.Address == "a/task" && e.State == Sending {
					cancel()
				}
			}}
		result, err := a.Apply(ctx)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(waited)
		check(t, "waits", waited, []string{"b/core for a/task", "c/core for b/core"})
		check(t, "outcomes", states(result.Outcomes[2:]), []string{"b/core scale_out interrupted", "c/core scale_out interrupted"})
		check(t, "sends", len(b.cloud.sends), 2)
	})
}

// TestDependsOnChain: a chain of many clusters is planned and checked in a time
// that grows with it.
func TestDependsOnChain(t *testing.T) {
	const n = 20_000
	first := make([][]int, n)
	for i := range n - 1 {
		first[i] = []int{i + 1}
	}
	order, cyclic := inOrder(first)
	if len(cyclic) > 0 || len(order) != n || order[0] != n-1 || order[n-1] != 0 {
		t.Errorf("the order is %d long, %d are cyclic", len(order), len(cyclic))
	}
}
