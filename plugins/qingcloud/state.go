package qingcloud

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// state reads what the list does not tell of one cluster: its nodes, which
// counts and sizes come from, and at LevelNodes its jobs.
func (a *account) state(ctx context.Context, item clusterItem, level provider.Level) (*provider.State, time.Time, error) {
	nodes, at, err := a.listNodes(ctx, item.ID)
	if err != nil {
		return nil, at, err
	}
	s := &provider.State{
		ID: item.ID, Name: item.Name, Kind: kindOf(item),
		Status: statusOf(item.Status, item.Transit), StatusText: text(item.Status, item.Transit),
		Attributes: clusterAttributes(item, nodes),
		Groups:     groups(nodes, level),
	}
	if level == provider.LevelNodes {
		jobs, date, err := a.listJobs(ctx, map[string]string{"resource_ids": item.ID})
		if err != nil {
			return nil, at, err
		}
		s.Tasks = tasks(item.ID, jobs)
		at = earlier(at, date)
	}
	if s.Status == provider.StatusReady {
		markBusy(s, nodes)
	}
	return s, at, nil
}

// markBusy turns a ready cluster busy while a node moves or a job runs: the
// list shows active then.
func markBusy(s *provider.State, nodes []nodeItem) {
	for _, n := range nodes {
		if n.Transit != "" {
			s.Status, s.StatusText = provider.StatusBusy, s.StatusText+", node "+n.ID+" "+n.Transit
			return
		}
	}
	for _, t := range s.Tasks {
		if t.State == provider.OperationRunning {
			s.Status, s.StatusText = provider.StatusBusy, s.StatusText+", job "+t.ID+" "+t.Type
			return
		}
	}
}

func text(status, transition string) string {
	if transition == "" {
		return status
	}
	return status + ", " + transition
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// clusterAttributes are the cluster's fields that can be read back: some stand
// in the list, some in the nodes. What is empty or differs cannot be read.
func clusterAttributes(item clusterItem, nodes []nodeItem) []byte {
	attributes := map[string]any{}
	for name, value := range map[string]string{
		"nas_id": item.NasID, "nas_path": item.NasPath,
		"paid_type": paidType(item.PaidType), "scheduler_type": item.Scheduler,
		"version_id": common(nodes, func(n nodeItem) string { return n.Version }),
		"vxnet":      common(nodes, func(n nodeItem) string { return n.VxNet }),
	} {
		if value != "" {
			attributes[name] = value
		}
	}
	return provider.Raw(attributes)
}

// common is the value that all nodes share, or the zero value.
func common[T comparable](nodes []nodeItem, value func(nodeItem) T) T {
	var shared T
	for i, n := range nodes {
		if i == 0 {
			shared = value(n)
		}
		if value(n) != shared {
			var none T
			return none
		}
	}
	return shared
}

// groups sorts nodes by role; counts are their number, as the cloud keeps no
// counter per role.
func groups(nodes []nodeItem, level provider.Level) []provider.Group {
	byRole := map[string][]nodeItem{}
	for _, n := range nodes {
		byRole[n.Role] = append(byRole[n.Role], n)
	}
	var groups []provider.Group
	for _, role := range slices.Sorted(maps.Keys(byRole)) {
		members := byRole[role]
		slices.SortFunc(members, func(a, b nodeItem) int { return cmp.Compare(a.ID, b.ID) })
		g := provider.Group{Role: role, Count: len(members), Attributes: provider.Raw(size(members...))}
		if level == provider.LevelNodes {
			for _, n := range members {
				g.Nodes = append(g.Nodes, provider.Node{
					ID: n.ID, Name: n.Name, Created: parseTime(n.Created),
					Status: statusOf(n.Status, n.Transit), StatusText: text(n.Status, n.Transit),
					Attributes: provider.Raw(size(n)),
				})
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// size is what nodes agree on.
func size(nodes ...nodeItem) map[string]any {
	attributes := map[string]any{}
	for name, value := range map[string]number{
		"cpu":          common(nodes, func(n nodeItem) number { return n.CPU }),
		"memory":       common(nodes, func(n nodeItem) number { return n.Memory }),
		"storage_size": common(nodes, func(n nodeItem) number { return n.Storage }),
	} {
		if value.set {
			attributes[name] = value.n
		}
	}
	if mount := common(nodes, func(n nodeItem) string { return n.Mount }); mount != "" {
		attributes["nas_mount_point"] = mount
	}
	return attributes
}

// tasks are the cluster's jobs, newest first. The log's filter is not trusted.
func tasks(cluster string, jobs []jobItem) []provider.Task {
	var tasks []provider.Task
	for _, j := range jobs {
		if !slices.Contains(j.Resources, cluster) {
			continue
		}
		op := jobOp(j.Action)
		tasks = append(tasks, provider.Task{
			ID: j.ID, Op: op, Type: j.Action, State: jobState(j.Status), Created: parseTime(j.Created),
			Handle: handle{Job: j.ID, Cluster: cluster}.bytes(),
		})
	}
	slices.SortStableFunc(tasks, func(a, b provider.Task) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID))
	})
	return tasks
}
