package rpc

import (
	"encoding/json"
	"fmt"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

func toObserve(r provider.ObserveRequest) *wire.ObserveRequest {
	return &wire.ObserveRequest{Level: levels.to(r.Level), Keys: list(r.Keys, toKey)}
}

func fromObserve(r *wire.ObserveRequest) provider.ObserveRequest {
	return provider.ObserveRequest{Level: levels.from(r.GetLevel()), Keys: list(r.GetKeys(), fromKey)}
}

func toKey(k provider.Key) *wire.Key {
	return &wire.Key{Address: text(k.Address), Kind: text(k.Kind), Id: text(k.ID), Name: text(k.Name)}
}

func fromKey(k *wire.Key) provider.Key {
	return provider.Key{Address: k.GetAddress(), Kind: k.GetKind(), ID: k.GetId(), Name: k.GetName()}
}

func toObservation(o provider.Observation) (*wire.Observation, error) {
	cluster, err := toState(o.Cluster)
	if err != nil {
		return nil, err
	}
	return &wire.Observation{
		Address:  text(o.Address),
		Presence: presences.to(o.Presence),
		Cluster:  cluster,
		Ids:      texts(o.IDs),
		Error:    toError(o.Error),
		At:       toTime(o.At),
	}, nil
}

func fromObservation(o *wire.Observation) (provider.Observation, error) {
	cluster, err := fromState(o.GetCluster())
	if err != nil {
		return provider.Observation{}, err
	}
	return provider.Observation{
		Address:  o.GetAddress(),
		Presence: presences.from(o.GetPresence()),
		Cluster:  cluster,
		IDs:      texts(o.GetIds()),
		Error:    fromError(o.GetError()),
		At:       fromTime(o.GetAt()),
	}, nil
}

func toState(s *provider.State) (*wire.State, error) {
	if s == nil {
		return nil, nil
	}
	tasks, err := listErr(s.Tasks, toTask)
	if err != nil {
		return nil, err
	}
	return &wire.State{
		Id:         text(s.ID),
		Name:       text(s.Name),
		Kind:       text(s.Kind),
		Status:     statuses.to(s.Status),
		StatusText: text(s.StatusText),
		Attributes: opaque(s.Attributes),
		Groups:     list(s.Groups, toGroup),
		Tasks:      tasks,
	}, nil
}

func fromState(s *wire.State) (*provider.State, error) {
	if s == nil {
		return nil, nil
	}
	tasks, err := listErr(s.GetTasks(), fromTask)
	if err != nil {
		return nil, err
	}
	return &provider.State{
		ID:         s.GetId(),
		Name:       s.GetName(),
		Kind:       s.GetKind(),
		Status:     statuses.from(s.GetStatus()),
		StatusText: s.GetStatusText(),
		Attributes: json.RawMessage(opaque(s.GetAttributes())),
		Groups:     list(s.GetGroups(), fromGroup),
		Tasks:      tasks,
	}, nil
}

func toGroup(g provider.Group) *wire.Group {
	return &wire.Group{
		Role:       text(g.Role),
		Count:      int64(g.Count),
		Attributes: opaque(g.Attributes),
		Nodes:      list(g.Nodes, toNode),
	}
}

func fromGroup(g *wire.Group) provider.Group {
	return provider.Group{
		Role:       g.GetRole(),
		Count:      int(g.GetCount()),
		Attributes: json.RawMessage(opaque(g.GetAttributes())),
		Nodes:      list(g.GetNodes(), fromNode),
	}
}

func toNode(n provider.Node) *wire.Node {
	return &wire.Node{
		Id:         text(n.ID),
		Name:       text(n.Name),
		Created:    toTime(n.Created),
		Status:     statuses.to(n.Status),
		StatusText: text(n.StatusText),
		Attributes: opaque(n.Attributes),
	}
}

func fromNode(n *wire.Node) provider.Node {
	return provider.Node{
		ID:         n.GetId(),
		Name:       n.GetName(),
		Created:    fromTime(n.GetCreated()),
		Status:     statuses.from(n.GetStatus()),
		StatusText: n.GetStatusText(),
		Attributes: json.RawMessage(opaque(n.GetAttributes())),
	}
}

func toTask(t provider.Task) (*wire.Task, error) {
	if err := checkHandle(t.Handle); err != nil {
		return nil, fmt.Errorf("task %s: %w", t.ID, err)
	}
	return &wire.Task{
		Id:      text(t.ID),
		Op:      ops.to(t.Op),
		Type:    text(t.Type),
		Group:   text(t.Group),
		State:   operationStates.to(t.State),
		Created: toTime(t.Created),
		Handle:  opaque(t.Handle),
	}, nil
}

func fromTask(t *wire.Task) (provider.Task, error) {
	if err := checkHandle(t.GetHandle()); err != nil {
		return provider.Task{}, fmt.Errorf("task %s: %w", t.GetId(), err)
	}
	return provider.Task{
		ID:      t.GetId(),
		Op:      ops.from(t.GetOp()),
		Type:    t.GetType(),
		Group:   t.GetGroup(),
		State:   operationStates.from(t.GetState()),
		Created: fromTime(t.GetCreated()),
		Handle:  opaque(t.GetHandle()),
	}, nil
}
