package render

import (
	"cmp"
	"encoding/base64"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/clusterctl/clusterctl/engine"
	"github.com/clusterctl/clusterctl/engine/journal"
	"github.com/clusterctl/clusterctl/plugins/provider"
)

// HistoryVersion is the version of history's JSON.
const HistoryVersion = "1.0"

// History is what a store remembers of the requests that were sent.
type History struct {
	FormatVersion string    `json:"format_version"`
	Requests      []Request `json:"requests"` // the newest last, open ones after all others
	Faults        []Fault   `json:"faults"`
}

// Fault is a part of the store that cannot be trusted.
type Fault struct {
	Kind    FaultKind `json:"kind"`
	Line    int       `json:"line,omitempty"` // of history
	Message string    `json:"message"`
}

// FaultKind is what a fault is about.
type FaultKind string

const (
	FaultLine FaultKind = "line" // a line of history is not as it was written
	FaultCut  FaultKind = "cut"  // a crash cut the last line; what it was about is open
	FaultOpen FaultKind = "open" // the record of an open request cannot be read
)

// Request is one request, under the address that it had when it was sent.
type Request struct {
	OpID      string           `json:"op_id"`
	Address   string           `json:"address"`
	Cluster   string           `json:"cluster"`
	Group     string           `json:"group,omitempty"`
	Provider  string           `json:"provider"` // the entry
	Plugin    string           `json:"plugin"`
	Kind      string           `json:"kind"`
	Account   string           `json:"account,omitempty"`
	Endpoint  string           `json:"endpoint,omitempty"`
	ClusterID string           `json:"cluster_id,omitempty"`
	Name      string           `json:"name,omitempty"`
	Op        provider.Op      `json:"op"` // empty: its record could not be read when a person closed it
	From      map[string]int64 `json:"from,omitempty"`
	To        map[string]int64 `json:"to,omitempty"`

	Who        string    `json:"who,omitempty"`
	PlanDigest string    `json:"plan_digest,omitempty"`
	Action     string    `json:"action,omitempty"`
	ReadAt     time.Time `json:"read_at,omitzero"`
	Before     []string  `json:"before,omitempty"`
	SentAt     time.Time `json:"sent_at,omitzero"`

	Outcome   provider.Outcome `json:"outcome"` // empty: unknown
	RequestID string           `json:"request_id,omitempty"`
	Handle    string           `json:"handle,omitempty"`
	Code      string           `json:"code,omitempty"`
	Message   string           `json:"message,omitempty"`

	Verdict    journal.Verdict `json:"verdict,omitempty"` // empty: it is open
	Detail     string          `json:"detail,omitempty"`
	Added      []journal.Node  `json:"added,omitempty"`
	Removed    []journal.Node  `json:"removed,omitempty"`
	Foreign    []string        `json:"foreign,omitempty"`
	Closed     *Closing        `json:"closed,omitempty"`
	QuietUntil time.Time       `json:"quiet_until,omitzero"`

	// Guards are all that are in force from then on, of what is about guards and
	// was sent to no cloud.
	Guards *journal.Guards `json:"guards,omitempty"`

	Fault string `json:"fault,omitempty"` // why its line cannot be trusted
}

// Closing is how a request was closed: by a run that saw what became of it, or
// by a person's word.
type Closing struct {
	At     time.Time `json:"at"`
	By     ClosedBy  `json:"by"`
	Who    string    `json:"who,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// ClosedBy is whose word a closing stands on.
type ClosedBy string

const (
	ClosedByRun    ClosedBy = "run"    // one that saw what became of it
	ClosedByPerson ClosedBy = "person" // with resolve
)

// OpenRequest is a request that is not settled.
func OpenRequest(in journal.Intent) Request {
	r := Request{
		OpID: in.OpID, Address: engine.Address(in.Cluster, in.Group), Cluster: in.Cluster, Group: in.Group,
		Provider: in.Entry, Plugin: in.Identity.Plugin, Kind: in.Kind, Account: in.Identity.Account, Endpoint: in.Identity.Endpoint,
		ClusterID: in.ClusterID, Name: in.Name, Op: in.Op, From: in.From, To: in.To,
		Who: in.Who, PlanDigest: in.PlanDigest, Action: in.ActionID, ReadAt: in.ReadAt, Before: in.Base, SentAt: in.SignedAt,
		QuietUntil: in.Expires,
	}
	handle := in.Inferred
	if a := in.Answer; a != nil {
		r.Outcome, r.RequestID, r.Code, r.Message = a.Outcome, a.RequestID, a.Code, a.Message
		r.ClusterID = cmp.Or(r.ClusterID, a.ClusterID)
		if len(a.Handle) > 0 {
			handle = a.Handle
		}
	}
	r.Handle = legible(handle)
	return r
}

// ClosedRequest is a line of history.
func ClosedRequest(line journal.Remembered) Request {
	r := OpenRequest(line.Intent)
	r.Verdict, r.Detail, r.Foreign, r.QuietUntil, r.Fault = line.Verdict, line.Detail, line.Foreign, line.QuietUntil, line.Fault
	r.Closed = &Closing{At: line.At, By: ClosedByRun, Who: line.Closer}
	if line.By != "" {
		who, reason, _ := strings.Cut(line.By, ": ")
		if at := strings.LastIndexByte(line.Closer, '@'); at >= 0 {
			who += line.Closer[at:]
		}
		r.Closed.By, r.Closed.Who, r.Closed.Reason = ClosedByPerson, who, reason
	}
	r.Added, r.Removed, r.Guards = line.Added, line.Removed, line.Guards
	if r.Op == provider.OpCreate && len(r.Added) == 1 {
		r.ClusterID, r.Added = r.Added[0].ID, nil
	}
	return r
}

// When is the moment under which history lists a request: when it was closed,
// or sent if it is open.
func (r *Request) When() time.Time {
	if r.Closed != nil {
		return r.Closed.At
	}
	return r.SentAt
}

// legible is a handle as the cloud's people know it: most are ids in plain text.
func legible(handle []byte) string {
	if utf8.Valid(handle) && strings.IndexFunc(string(handle), func(r rune) bool { return !unicode.IsGraphic(r) }) < 0 {
		return string(handle)
	}
	return "base64:" + base64.StdEncoding.EncodeToString(handle)
}
