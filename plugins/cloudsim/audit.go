package cloudsim

import (
	"context"
	"sync"
	"time"
)

// Entry is one line of the audit log.
type Entry struct {
	Seq  int       `json:"seq"`
	Time time.Time `json:"time"`
	// Event: "request" (a changing request and its outcome), "created",
	// "added", "removed", "resized" (what a job did), "drift".
	Event   string `json:"event"`
	Cloud   string `json:"cloud"`
	Call    string `json:"call,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	Group   string `json:"group,omitempty"`
	// Outcome of a request: "accepted", or "refused".
	Outcome   string   `json:"outcome,omitempty"`
	Code      string   `json:"code,omitempty"`
	RequestID string   `json:"request_id,omitempty"`
	Job       string   `json:"job,omitempty"`
	Count     int      `json:"count,omitempty"` // asked for
	Nodes     []string `json:"nodes,omitempty"` // added, removed or resized
	Detail    string   `json:"detail,omitempty"`
	Fault     string   `json:"fault,omitempty"` // injected with this request
}

// Log is the audit log: every change and every request that asked for one.
// Safe for concurrent use.
type Log struct {
	mu      sync.Mutex
	entries []Entry
	calls   map[string]int
}

// Record appends e, numbered, with the fault that ctx carries.
func (l *Log) Record(ctx context.Context, e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Seq = len(l.entries) + 1
	if f := FaultOf(ctx); f != nil {
		e.Fault = f.Kind
	}
	l.entries = append(l.entries, e)
}

// Entries returns a copy of the log.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Entry(nil), l.entries...)
}

func (l *Log) count(call string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls == nil {
		l.calls = map[string]int{}
	}
	l.calls[call]++
}

// Calls returns how often each API call came in, faulted ones included.
func (l *Log) Calls() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := make(map[string]int, len(l.calls))
	for name, n := range l.calls {
		calls[name] = n
	}
	return calls
}
