package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// FormatVersion is the version of the plan's JSON. A reader accepts its own
// major version only.
const FormatVersion = "1.0"

// Plan is what would be changed. It is plain data: printed, saved, hashed,
// compared and reviewed without anything else.
type Plan struct {
	FormatVersion string `json:"format_version"`
	Digest        string `json:"digest"` // of everything else in the plan
	// Nonce tells two approvals of one wish apart where the planner knew no
	// history; it is set when such a plan is saved.
	Nonce       string       `json:"nonce,omitempty"`
	SpecDigest  string       `json:"spec_digest"`
	Summary     Summary      `json:"summary"`
	Actions     []Action     `json:"actions"`
	Blocked     []Blocked    `json:"blocked"`
	Unread      []Unread     `json:"unread"`
	OpenIntents []OpenIntent `json:"open_intents"`
	Denied      []Denied     `json:"denied"`
	// Guards are those that apply writes to history or takes out of it.
	Guards []Guard `json:"guards"`
	// Owned are differences that are somebody else's to keep.
	Owned     []Owned        `json:"owned"`
	Warnings  []string       `json:"warnings"`
	Clusters  []Planned      `json:"clusters"` // every cluster with actions
	Providers []PlanProvider `json:"providers"`
}

// Summary counts the plan's actions by op, and clusters. Removed is in nodes.
type Summary struct {
	Create    int `json:"create"`
	ScaleOut  int `json:"scale_out"`
	ScaleIn   int `json:"scale_in"`
	Resize    int `json:"resize"`
	Removed   int `json:"removed"`
	Blocked   int `json:"blocked"`
	Unread    int `json:"unread"`
	Unchanged int `json:"unchanged"`
	Clusters  int `json:"clusters"`
	// Cost has a sum for each currency and period; a refund is negative.
	Cost     []provider.Price `json:"cost"`
	Unpriced int              `json:"unpriced"` // actions without a price
}

// Action is one call that changes the cloud.
type Action struct {
	ID        string                 `json:"id"`
	Address   string                 `json:"address"`
	Op        provider.Op            `json:"op"`
	Provider  string                 `json:"provider"` // the entry
	Kind      string                 `json:"kind"`
	Cluster   string                 `json:"cluster"`
	ClusterID string                 `json:"cluster_id,omitempty"`
	Group     string                 `json:"group,omitempty"`
	From      map[string]int64       `json:"from"`
	To        map[string]int64       `json:"to"`
	Fields    []provider.FieldChange `json:"fields"`
	Removes   []provider.NodeRef     `json:"removes"`
	// CloudChooses: nodes are removed and the cloud picks which.
	CloudChooses bool            `json:"cloud_chooses,omitempty"`
	DependsOn    []string        `json:"depends_on"`
	Reason       string          `json:"reason,omitempty"`
	Risk         string          `json:"risk,omitempty"`
	Cost         *provider.Price `json:"cost,omitempty"`
	Source       string          `json:"source"`
	Request      []byte          `json:"request"`
	Secrets      []string        `json:"secrets,omitempty"`
	AcceptWindow time.Duration   `json:"accept_window,omitempty"`
}

// Removed is how many nodes the action takes away.
func (a *Action) Removed() int {
	if a.Op != provider.OpScaleIn {
		return 0
	}
	return int(a.From["count"] - a.To["count"])
}

// Blocked is a wanted change that will not be made, and why.
type Blocked struct {
	Address  string                 `json:"address"`
	Provider string                 `json:"provider"`
	Kind     string                 `json:"kind"`
	Fields   []provider.FieldChange `json:"fields"`
	Reason   string                 `json:"reason"`
	Source   string                 `json:"source"`
}

// Unread is a cluster of which nothing is known.
type Unread struct {
	Address  string             `json:"address"`
	Provider string             `json:"provider"`
	Kind     provider.ErrorKind `json:"kind"`
	Reason   string             `json:"reason"`
	Source   string             `json:"source"`
}

// OpenIntent is an earlier request that is not settled.
type OpenIntent struct {
	Address string      `json:"address"`
	Op      provider.Op `json:"op"`
	Since   time.Time   `json:"since"`
	Reason  string      `json:"reason"`
}

// Denied is an action that a guard refuses.
type Denied struct {
	Address string `json:"address"`
	Guard   string `json:"guard"`
	Reason  string `json:"reason"`
	Source  string `json:"source"`
}

// GuardProtect and GuardMaxRemoved are guards that a spec states.
const (
	GuardProtect    = "protect"
	GuardMaxRemoved = "max_removed"
)

// Guard is a guard that is new, or is lifted. History remembers guards, so that
// taking the line out of a spec does not lift one in the same plan that needs it
// lifted.
type Guard struct {
	Address   string  `json:"address"` // a cluster's, a group's, or "providers.NAME"
	Guard     string  `json:"guard"`
	Change    string  `json:"change"` // GuardSet or GuardLift
	Provider  string  `json:"provider"`
	Kind      string  `json:"kind,omitempty"`
	Cluster   string  `json:"cluster,omitempty"` // empty: it is of the account
	ClusterID string  `json:"cluster_id,omitempty"`
	Group     string  `json:"group,omitempty"`
	Before    *Budget `json:"before,omitempty"` // of max_removed
	After     *Budget `json:"after,omitempty"`
	// Source is the guard's line in the spec; of one that is lifted, the line at
	// which it stood when it was applied last.
	Source string `json:"source"`
	// LastOp is the newest record about guards of this cluster or account that
	// the plan was made after, "none" without one, empty when none was asked for.
	// Apply refuses the plan when another has come.
	LastOp string `json:"last_op,omitempty"`
}

const (
	GuardSet  = "set"
	GuardLift = "lift" // gone from the spec, or looser there
)

// Owned is a field that differs and is kept by somebody else. It is information:
// no action comes of it and nothing counts it.
type Owned struct {
	Address  string               `json:"address"`
	Provider string               `json:"provider"`
	Kind     string               `json:"kind"`
	Field    provider.FieldChange `json:"field"`
	Owner    string               `json:"owner"`
	Source   string               `json:"source"`
}

// Planned is a cluster's part of the plan: what is needed to plan it again.
type Planned struct {
	Address  string            `json:"address"`
	Provider string            `json:"provider"`
	Desired  provider.Desired  `json:"desired"`
	Meanings provider.Meanings `json:"meanings"`
	Sources  map[string]string `json:"sources"` // path to position, of the fields that change
	// Rules are the spec's, as far as apply has to keep them.
	Rules Rules           `json:"rules,omitzero"`
	Waits provider.Status `json:"waits,omitempty"`
	// LiveName is the cluster's name where it is another than the wanted one.
	LiveName string `json:"live_name,omitempty"`
	// LastOp is the newest closed request in the cluster's history that the
	// plan was made after, "none" without one, empty when none was asked for.
	// Apply refuses the plan when another has come: a plan acts once.
	LastOp string `json:"last_op,omitempty"`
}

// PlanProvider pins an entry and its plugin.
type PlanProvider struct {
	Name         string            `json:"name"`
	Plugin       string            `json:"plugin"`
	Version      string            `json:"version"`
	Hash         string            `json:"hash"`
	SchemaDigest string            `json:"schema_digest"`
	Settings     json.RawMessage   `json:"settings"`
	Credentials  map[string]string `json:"credentials,omitempty"` // names of variables
	Endpoint     string            `json:"endpoint,omitempty"`
	Timing       *provider.Timing  `json:"timing,omitempty"`
	MaxRemoved   *Budget           `json:"max_removed,omitempty"`
	Source       string            `json:"source,omitempty"` // of max_removed: the entry's line
}

// Empty reports that the plan would change nothing, in the clouds or in what
// guards them.
func (p *Plan) Empty() bool { return len(p.Actions) == 0 && len(p.Guards) == 0 }

// Seal fills in the digest.
func (p *Plan) Seal() error {
	sum, err := p.sum()
	p.Digest = sum
	return err
}

func (p *Plan) sum() (string, error) {
	c := *p
	c.Digest = ""
	b, err := json.Marshal(&c)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// Marshal writes the plan as indented JSON.
func (p *Plan) Marshal() ([]byte, error) {
	b, err := json.MarshalIndent(p, "", "  ")
	return append(b, '\n'), err
}

// ErrNotAPlan says that a file is no saved plan of ours, or not one that this
// program can apply.
var ErrNotAPlan = errors.New("not a plan that can be applied")

// ReadPlan reads a saved plan and refuses one that was made by another version
// or changed since.
func ReadPlan(b []byte) (*Plan, error) {
	var head struct {
		FormatVersion string `json:"format_version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("%w: it is not the JSON that clusterctl plan --out FILE saves (%v)", ErrNotAPlan, err)
	}
	if head.FormatVersion != FormatVersion {
		return nil, fmt.Errorf("%w: it has format version %q and this clusterctl reads %q; plan again with this clusterctl", ErrNotAPlan, head.FormatVersion, FormatVersion)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	dec.UseNumber() // a float64 would round large whole numbers
	var p Plan
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotAPlan, err)
	}
	for i := range p.Actions {
		fixFields(p.Actions[i].Fields)
	}
	for i := range p.Blocked {
		fixFields(p.Blocked[i].Fields)
	}
	for i := range p.Owned {
		p.Owned[i].Field.Before, p.Owned[i].Field.After = normalise(p.Owned[i].Field.Before), normalise(p.Owned[i].Field.After)
	}
	for i := range p.Clusters {
		p.Clusters[i].Desired.Spec = canonical(p.Clusters[i].Desired.Spec)
	}
	for i := range p.Providers {
		p.Providers[i].Settings = canonical(p.Providers[i].Settings)
	}
	sum, err := p.sum()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotAPlan, err)
	}
	if sum != p.Digest || !p.says(b) {
		return nil, fmt.Errorf("%w: it was changed after clusterctl wrote it; plan again", ErrNotAPlan)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return &p, nil
}

// says reports that text is what Marshal writes, white space aside: a key that
// stands twice would show a reviewer something else than what is applied.
func (p *Plan) says(text []byte) bool {
	var compact bytes.Buffer
	again, err := json.Marshal(p)
	return err == nil && json.Compact(&compact, text) == nil && bytes.Equal(compact.Bytes(), again)
}

// check says whether the plan hangs together: every action belongs to one of
// its clusters, every cluster has actions, what follows a create stands after it,
// and nothing waits for what comes later.
func (p *Plan) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrNotAPlan, fmt.Sprintf(format, args...))
	}
	clusters := map[string]*Planned{}
	for i := range p.Clusters {
		c := &p.Clusters[i]
		if clusters[c.Address] != nil {
			return wrong("cluster %s stands in it twice", c.Address)
		}
		clusters[c.Address] = c
	}
	ids, busy, creates := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range p.Actions {
		a := &p.Actions[i]
		c := clusters[a.Cluster]
		switch {
		case a.ID == "" || ids[a.ID]:
			return wrong("action %q stands in it twice or has no id", a.ID)
		case c == nil || c.Provider != a.Provider || c.Desired.Kind != a.Kind:
			return wrong("action %s is about cluster %q, which is not in it as such", a.ID, a.Cluster)
		case c.Desired.ID != "" && a.ClusterID != "" && a.ClusterID != c.Desired.ID:
			return wrong("action %s is about cluster %s, and %s is wanted of %s", a.ID, a.ClusterID, a.Cluster, c.Desired.ID)
		case a.Op == provider.OpCreate && (busy[a.Cluster] || a.ClusterID != ""):
			return wrong("action %s creates a cluster that is there", a.ID)
		case a.follows() && !creates[a.Cluster]:
			return wrong("action %s does not say which cluster it changes", a.ID)
		}
		ids[a.ID], busy[a.Cluster] = true, true
		creates[a.Cluster] = creates[a.Cluster] || a.Op == provider.OpCreate
	}
	for i := range p.Clusters {
		if !busy[p.Clusters[i].Address] {
			return wrong("cluster %s has no action in it", p.Clusters[i].Address)
		}
	}
	return p.checkDepends()
}

// fixFields brings numbers back to int64 after a trip through JSON.
func fixFields(fields []provider.FieldChange) {
	for i := range fields {
		fields[i].Before = normalise(fields[i].Before)
		fields[i].After = normalise(fields[i].After)
	}
}

// canonical is raw as Marshal writes it, so that a plan reads back as it was.
func canonical(raw json.RawMessage) json.RawMessage {
	b, err := json.Marshal(raw)
	if err != nil {
		return raw
	}
	return b
}
