package journal

import (
	"errors"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// OpGuard marks a record that is about guards and no request.
const OpGuard provider.Op = "guard"

// Guarded is the scope of the identity under which guards are recorded: apart
// from the requests to the same cluster, so that neither hides the other.
const Guarded = "guards"

// Guards are what a spec last asked to be kept, by node group; "" is the cluster
// as a whole, or the account.
type Guards struct {
	Protected  map[string]Protection `json:"protected,omitempty"`
	MaxRemoved map[string]Budget     `json:"max_removed,omitempty"`
}

// Protection forbids removals and smaller nodes.
type Protection struct {
	Source string `json:"source"` // its line when it was applied
}

// Budget is how many nodes may be removed within a time, as in the spec.
type Budget struct {
	Count  int64  `json:"count"`
	Per    string `json:"per"` // "24h"
	Source string `json:"source"`
}

// errNoGuards refuses a record that is for a request.
var errNoGuards = errors.New("only guards are recorded without an intent")

// Append implements Lease.
func (l *fileLease) Append(r Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Guards == nil || r.Intent.Op != OpGuard || r.Intent.Identity.Scope != Guarded {
		return errNoGuards
	}
	if err := l.may(&r.Intent); err != nil {
		return err
	}
	r.Intent.FormatVersion = formatVersion
	return l.store.append(r, true)
}
