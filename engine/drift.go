package engine

import (
	"time"

	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// DriftVersion is the version of a Drift's JSON.
const DriftVersion = "1.0"

// Drift is how live clusters differ from the spec and, as far as history tells,
// why. It is plain data, and proposes nothing.
type Drift struct {
	FormatVersion string       `json:"format_version"`
	SpecDigest    string       `json:"spec_digest"`
	Summary       DriftSummary `json:"summary"`
	// HistoryKnown is false when there is no history to judge by, or it is damaged:
	// then every cause is unknown. Notes say so in words. It is not looked at when
	// nothing differs.
	HistoryKnown bool      `json:"history_known"`
	Clusters     []Drifted `json:"clusters"` // those that differ, by address
	// Owned are differences that are somebody else's to keep. Nothing counts them.
	Owned       []Owned      `json:"owned"`
	Ambiguous   []Ambiguous  `json:"ambiguous"`
	Unread      []Unread     `json:"unread"`
	OpenIntents []OpenIntent `json:"open_intents"`
	Notes       []string     `json:"notes"` // what history cannot tell
}

// DriftSummary counts clusters: all of them, those that match, those that
// differ, and of these each cause.
type DriftSummary struct {
	Clusters  int `json:"clusters"`
	Matching  int `json:"matching"`
	Differing int `json:"differing"`
	Outside   int `json:"drift"`
	Spec      int `json:"spec"`
	Both      int `json:"both"`
	Unknown   int `json:"unknown"`
	Ambiguous int `json:"ambiguous"`
	Unread    int `json:"unread"`
}

// DriftCause is why something differs, judged from what our own applies left.
type DriftCause string

const (
	// CauseDrift: it was left as the spec wants it, and was changed outside since.
	CauseDrift DriftCause = "drift"
	// CauseSpec: it is as it was left, and the spec was changed since.
	CauseSpec DriftCause = "spec"
	// CauseBoth: it is neither as it was left, nor would that match the spec.
	CauseBoth DriftCause = "both"
	// CauseUnknown: history does not tell what it was left at.
	CauseUnknown DriftCause = "unknown"
)

// Drifted is one cluster that differs.
type Drifted struct {
	Address   string `json:"address"`
	Provider  string `json:"provider"`
	Kind      string `json:"kind"`
	ClusterID string `json:"cluster_id,omitempty"`
	// Absent: there is no such cluster. Reason says so in words, and Last is the
	// newest request that shows that there was one.
	Absent bool         `json:"absent,omitempty"`
	Reason string       `json:"reason,omitempty"`
	Last   *DriftRun    `json:"last,omitempty"`
	Cause  DriftCause   `json:"cause"` // of all its fields together
	Fields []DriftField `json:"fields"`
	Nodes  []DriftNodes `json:"nodes"`
	// Runs are what our own runs did since the last applied plan, it included,
	// oldest first. RunsBefore counts the requests before them.
	Runs       []DriftRun `json:"runs"`
	RunsBefore int        `json:"runs_before"`
	Source     string     `json:"source"`
}

// DriftField is one field that differs.
type DriftField struct {
	Address string `json:"address"` // of the group, or of the cluster
	Path    string `json:"path"`    // in it
	Spec    any    `json:"spec"`
	Live    any    `json:"live"` // null: it has none, or its nodes differ in it
	// Range is what the spec leaves open of a count; Spec is its nearest end.
	Range *Band `json:"range,omitempty"`
	// Immutable: it cannot be changed in place.
	Immutable bool       `json:"immutable,omitempty"`
	Cause     DriftCause `json:"cause"`
	// Applied is what our last apply left it at; null: that is not known.
	Applied any `json:"applied"`
	// Last is the newest request of ours that had an effect on it, or may have.
	Last   *DriftRun `json:"last,omitempty"`
	Source string    `json:"source"`
}

// DriftNodes are the nodes of one group that came and went after our last
// request about the group was settled, and so without us.
type DriftNodes struct {
	Address string             `json:"address"`
	Since   time.Time          `json:"since"`
	Came    []provider.NodeRef `json:"came"`
	Gone    []provider.NodeRef `json:"gone"`
}

// DriftRun is one request of ours as history has it.
type DriftRun struct {
	At      time.Time        `json:"at"` // when it was settled
	Address string           `json:"address"`
	Op      provider.Op      `json:"op"` // empty: its record could not be read
	From    map[string]int64 `json:"from"`
	To      map[string]int64 `json:"to"`
	Verdict journal.Verdict  `json:"verdict"`
	// Who is whose run sent it, user@host; empty: it was not recorded.
	Who        string `json:"who,omitempty"`
	PlanDigest string `json:"plan_digest"`
	OpID       string `json:"op_id"`
	Detail     string `json:"detail,omitempty"`
	By         string `json:"by,omitempty"` // a person's word: who and why
}

// Ambiguous is a cluster of the spec whose name several live ones bear, so that
// nothing can be compared.
type Ambiguous struct {
	Address  string   `json:"address"`
	Provider string   `json:"provider"`
	Kind     string   `json:"kind"`
	IDs      []string `json:"ids"`
	Source   string   `json:"source"`
}

// Empty reports that every cluster was compared and matches.
func (d *Drift) Empty() bool { return len(d.Clusters)+len(d.Ambiguous)+len(d.Unread) == 0 }

// count fills in the summary.
func (d *Drift) count(clusters int) {
	s := DriftSummary{Clusters: clusters, Differing: len(d.Clusters), Ambiguous: len(d.Ambiguous), Unread: len(d.Unread)}
	for i := range d.Clusters {
		switch d.Clusters[i].Cause {
		case CauseDrift:
			s.Outside++
		case CauseSpec:
			s.Spec++
		case CauseBoth:
			s.Both++
		default:
			s.Unknown++
		}
	}
	s.Matching = s.Clusters - s.Differing - s.Ambiguous - s.Unread
	d.Summary = s
}
