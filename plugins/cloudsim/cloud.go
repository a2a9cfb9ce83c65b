package cloudsim

import (
	"errors"
	"net/http"
	"time"
)

// Cloud is one simulated cloud. The Server calls it from one goroutine at a
// time, so a Cloud needs no locks.
type Cloud interface {
	// ServeHTTP answers one API request as the cloud would, signature check
	// included. Work that takes time is a job: the reply comes at once, the
	// effect when Options.Now has passed the job's end, worked out at the
	// next request.
	http.Handler
	// Name is the plugin's name: "huawei".
	Name() string
	// Call says which API call a request is, before it is served.
	Call(r *http.Request) Call
	// Advance brings jobs up to Options.Now.
	Advance()
	// Version rises with every change of state.
	Version() int
	// State and Restore give and take the whole state as JSON.
	State() ([]byte, error)
	Restore(state []byte) error
	// Refuse answers as the cloud does when it throttles (429 or its code) or
	// is unavailable (status 5xx), before looking at the request.
	Refuse(w http.ResponseWriter, f Fault)
	// Drift changes something from outside, as a person at the console would.
	Drift(d Drift) error
}

// Call describes an API request for faults, counters and the audit log.
type Call struct {
	Name    string // the cloud's own name: "UpdateClusterScaling"
	Cluster string // id, when the request names one
	Changes bool   // may change something
}

// Options configure a simulated cloud.
type Options struct {
	Now          func() time.Time // default time.Now
	AcceptWindow time.Duration    // 0: as documented
	JobTime      time.Duration    // how long a job takes; 0: at once, at the next request
	AccessKeyID  string           // the one key pair that is accepted
	SecretKey    string
	Log          *Log // default: a new one
	// History is how many past states are kept for stale reads; 0 keeps none.
	History int
}

// Drift is a change from outside.
type Drift struct {
	Cluster string         `json:"cluster"`
	Group   string         `json:"group"`
	Add     int            `json:"add"`    // nodes
	Remove  int            `json:"remove"` // nodes, newest first
	Set     map[string]any `json:"set"`    // fields of the cluster's state, in the cloud's names
	Delete  bool           `json:"delete"` // the whole cluster
}

// check refuses a drift that changes nothing.
func (d *Drift) check() error {
	if d.Add == 0 && d.Remove == 0 && len(d.Set) == 0 && !d.Delete {
		return errors.New("the drift changes nothing; it takes add, remove, set or delete")
	}
	return nil
}
