package aliyun

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

const (
	// The sub-types of a managed cluster that matter here (DescribeClusterDetail,
	// profile). It is reported as the attribute of the same name.
	profileEdge    = "Edge"
	profileDefault = "Default"
	attrProfile    = "profile"

	roleWorker   = "Worker"           // DescribeClusterNodes, instance_role
	taskScaleOut = "cluster_scaleout" // DescribeTaskInfo, task_type
)

// read answers one look.
func (o *observing) read(ctx context.Context, l look) provider.Observation {
	obs := provider.Observation{Address: l.key.Address, IDs: l.ids, At: l.at}
	state, at, err := o.state(ctx, l)
	if obs.At.IsZero() || !at.IsZero() && at.Before(obs.At) {
		obs.At = at // the oldest of the reads that the answer rests on
	}
	if obs.At.IsZero() {
		obs.At = o.client.now()
	}
	switch {
	case err != nil && gone(err):
		obs.Presence, obs.IDs = provider.Absent, nil
	case err != nil:
		obs.Error = provider.AsError(err)
	case state == nil:
		obs.Presence, obs.IDs = provider.Absent, nil
	default:
		obs.Presence, obs.Cluster = provider.Present, state
	}
	return obs
}

// state reads one cluster; nil without an error means that it is deleted.
func (o *observing) state(ctx context.Context, l look) (*provider.State, time.Time, error) {
	var at time.Time
	if !pathID.MatchString(l.id) {
		return nil, at, provider.Errorf(provider.KindInvalid, "%q is not a cluster id", l.id)
	}
	entry := l.entry
	if entry == nil || o.level == provider.LevelNodes {
		detail, when, err := o.detail(ctx, l.id)
		if err != nil {
			return nil, when, err
		}
		if !live(detail) {
			return nil, when, nil
		}
		if detail.Region != "" && detail.Region != o.region {
			return nil, when, provider.Errorf(provider.KindInvalid,
				"cluster %s is in region %s, the providers entry says %s", l.id, detail.Region, o.region)
		}
		entry, at = &detail, when
	}
	state := &provider.State{
		ID:         entry.ID,
		Name:       entry.Name,
		Kind:       l.key.Kind,
		Status:     clusterStatus(entry.State),
		StatusText: entry.State,
	}
	if entry.Profile != "" {
		state.Attributes = provider.Raw(map[string]string{attrProfile: entry.Profile})
	}
	if o.level == provider.LevelNodes {
		tasks, err := o.tasks(ctx, l.id)
		if err != nil {
			return nil, at, err
		}
		state.Tasks = stateTasks(tasks)
	}
	nodes, when, err := o.nodes(ctx, l.id)
	if err != nil {
		return nil, at, err
	}
	if at.IsZero() {
		at = when
	}
	state.Groups = []provider.Group{workers(nodes, o.level)}
	return state, at, nil
}

// workers is the one group: every node of role Worker, of any pool or health,
// until it is gone. The cloud has no counter of workers, so the list is it.
func workers(nodes []clusterNode, level provider.Level) provider.Group {
	group := provider.Group{Role: groupWorker}
	for _, n := range nodes {
		if n.Role != roleWorker {
			continue
		}
		group.Count++
		if level != provider.LevelNodes {
			continue
		}
		status, text := nodeStatus(n)
		group.Nodes = append(group.Nodes, provider.Node{
			ID: n.ID, Name: n.Name, Created: parseTime(n.Created), Status: status, StatusText: text,
		})
	}
	slices.SortFunc(group.Nodes, func(a, b provider.Node) int { return strings.Compare(a.ID, b.ID) })
	return group
}

func stateTasks(tasks []task) []provider.Task {
	out := make([]provider.Task, 0, len(tasks))
	for _, t := range tasks {
		one := provider.Task{
			ID: t.ID, Type: t.Type, State: taskState(t.State), Created: parseTime(t.Created), Handle: []byte(t.ID),
		}
		if t.Type == taskScaleOut {
			one.Op, one.Group = provider.OpScaleOut, groupWorker
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b provider.Task) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// parseTime reads the times of the API, which come with and without a zone's
// colon; an unreadable one is zero.
func parseTime(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
