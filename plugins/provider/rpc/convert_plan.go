package rpc

import (
	"encoding/json"

	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

func toClusterChange(c provider.ClusterChange) (*wire.ClusterChange, error) {
	current, err := toState(c.Current)
	if err != nil {
		return nil, err
	}
	changes, err := listErr(c.Changes, toChange)
	if err != nil {
		return nil, err
	}
	return &wire.ClusterChange{
		Desired: &wire.Desired{
			Address: text(c.Desired.Address),
			Kind:    text(c.Desired.Kind),
			Id:      text(c.Desired.ID),
			Name:    text(c.Desired.Name),
			Spec:    opaque(c.Desired.Spec),
		},
		Current:  current,
		Changes:  changes,
		Meanings: table(c.Meanings, func(m provider.Meaning) uint32 { return uint32(m) }),
	}, nil
}

func fromClusterChange(c *wire.ClusterChange) (provider.ClusterChange, error) {
	current, err := fromState(c.GetCurrent())
	if err != nil {
		return provider.ClusterChange{}, err
	}
	changes, err := listErr(c.GetChanges(), fromChange)
	if err != nil {
		return provider.ClusterChange{}, err
	}
	d := c.GetDesired()
	return provider.ClusterChange{
		Desired: provider.Desired{
			Address: d.GetAddress(),
			Kind:    d.GetKind(),
			ID:      d.GetId(),
			Name:    d.GetName(),
			Spec:    json.RawMessage(opaque(d.GetSpec())),
		},
		Current:  current,
		Changes:  changes,
		Meanings: table(c.GetMeanings(), func(m uint32) provider.Meaning { return provider.Meaning(m) }),
	}, nil
}

func toChange(c provider.Change) (*wire.Change, error) {
	fields, err := listErr(c.Fields, toField)
	if err != nil {
		return nil, err
	}
	return &wire.Change{Group: text(c.Group), Op: ops.to(c.Op), Fields: fields}, nil
}

func fromChange(c *wire.Change) (provider.Change, error) {
	fields, err := listErr(c.GetFields(), fromField)
	if err != nil {
		return provider.Change{}, err
	}
	return provider.Change{Group: c.GetGroup(), Op: ops.from(c.GetOp()), Fields: fields}, nil
}

func toClusterPlan(p provider.ClusterPlan) (*wire.ClusterPlan, error) {
	actions, err := listErr(p.Actions, toAction)
	if err != nil {
		return nil, err
	}
	blocked, err := listErr(p.Blocked, toBlocked)
	if err != nil {
		return nil, err
	}
	return &wire.ClusterPlan{Actions: actions, Blocked: blocked, Warnings: texts(p.Warnings)}, nil
}

func fromClusterPlan(p *wire.ClusterPlan) (provider.ClusterPlan, error) {
	actions, err := listErr(p.GetActions(), fromAction)
	if err != nil {
		return provider.ClusterPlan{}, err
	}
	blocked, err := listErr(p.GetBlocked(), fromBlocked)
	if err != nil {
		return provider.ClusterPlan{}, err
	}
	return provider.ClusterPlan{Actions: actions, Blocked: blocked, Warnings: texts(p.GetWarnings())}, nil
}

func toAction(a provider.Action) (*wire.Action, error) {
	fields, err := listErr(a.Fields, toField)
	if err != nil {
		return nil, err
	}
	return &wire.Action{
		Group:        text(a.Group),
		Op:           ops.to(a.Op),
		From:         table(a.From, same),
		To:           table(a.To, same),
		Fields:       fields,
		Removes:      list(a.Removes, toNodeRef),
		Request:      opaque(a.Request),
		Secrets:      texts(a.Secrets),
		AcceptWindow: toDuration(a.AcceptWindow),
		Reason:       text(a.Reason),
		Risk:         text(a.Risk),
	}, nil
}

func fromAction(a *wire.Action) (provider.Action, error) {
	fields, err := listErr(a.GetFields(), fromField)
	if err != nil {
		return provider.Action{}, err
	}
	return provider.Action{
		Group:        a.GetGroup(),
		Op:           ops.from(a.GetOp()),
		From:         table(a.GetFrom(), same),
		To:           table(a.GetTo(), same),
		Fields:       fields,
		Removes:      list(a.GetRemoves(), fromNodeRef),
		Request:      opaque(a.GetRequest()),
		Secrets:      texts(a.GetSecrets()),
		AcceptWindow: fromDuration(a.GetAcceptWindow()),
		Reason:       a.GetReason(),
		Risk:         a.GetRisk(),
	}, nil
}

func toNodeRef(n provider.NodeRef) *wire.NodeRef {
	return &wire.NodeRef{Id: text(n.ID), Name: text(n.Name), Created: toTime(n.Created)}
}

func fromNodeRef(n *wire.NodeRef) provider.NodeRef {
	return provider.NodeRef{ID: n.GetId(), Name: n.GetName(), Created: fromTime(n.GetCreated())}
}

func toBlocked(b provider.Blocked) (*wire.Blocked, error) {
	fields, err := listErr(b.Fields, toField)
	if err != nil {
		return nil, err
	}
	return &wire.Blocked{Group: text(b.Group), Fields: fields, Reason: text(b.Reason)}, nil
}

func fromBlocked(b *wire.Blocked) (provider.Blocked, error) {
	fields, err := listErr(b.GetFields(), fromField)
	if err != nil {
		return provider.Blocked{}, err
	}
	return provider.Blocked{Group: b.GetGroup(), Fields: fields, Reason: b.GetReason()}, nil
}
