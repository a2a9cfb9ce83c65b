package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Store is where intents, history and locks live. Implementations must be safe
// for use by several goroutines and several processes; journaltest judges them.
type Store interface {
	// Lock takes the lock on key or returns a *LockedError at once. The lease
	// carries a fence that is higher than that of every earlier lease of the
	// key. A lock dies with its process, and no crash blocks a key for ever.
	Lock(ctx context.Context, key string, holder Holder) (Lease, error)
	// Intent returns the open intent of key, or nil. It is an error of type
	// *CorruptError when the record cannot be trusted.
	Intent(key string) (*Intent, error)
	// Open lists every open intent, sorted by cluster and then key. Records that
	// cannot be trusted come back as *CorruptError in the second list and block
	// their cluster only.
	Open() ([]Intent, []*CorruptError, error)
	// Last returns the newest record of key, or nil. A torn last line is
	// reported as in History, beside the newest record before it.
	Last(key string) (*Record, error)
	// History calls f with every record, oldest first, until f returns false.
	// f may use the store. A torn last line is skipped and reported by the
	// returned error of type *TornError after f saw all others; any other error
	// means that history cannot be trusted from the place that it names.
	History(f func(Record) bool) error
	// Since is when the store began, or zero when its maker knew that nothing
	// was under way. Requests that an earlier, lost store knew of may have
	// been signed until then.
	Since() time.Time
}

// Lease is a held lock. All writes about a cluster go through it; after Unlock,
// and when the lock was lost, they are refused.
type Lease interface {
	// Fence rises with every lease of the key.
	Fence() uint64
	// Put makes the intent durable, replacing an earlier version of it. When
	// it returns nil the intent survives a crash of the machine; when not, the
	// earlier version or this one stands, whole. Another open intent under the
	// key is an error.
	Put(Intent) error
	// Close appends the record to history and then removes the intent, both
	// durable. Closing again what is the key's newest record adds no second
	// line. Anything else that is not open is refused. An intent that cannot
	// be trusted is closed only by a record that says By whom.
	Close(Record) error
	// Append adds a record about guards to history, durable, once. It is about
	// no request: what else is recorded needs an intent, and is refused.
	Append(Record) error
	// Unlock gives the lock back. It may be called more than once.
	Unlock() error
}

// Holder says to people who holds a lock.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	User    string    `json:"user"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

// Self describes this process.
func Self(command string, now time.Time) Holder {
	host, _ := os.Hostname()
	user := os.Getenv("USER")
	if user == "" {
		user = "uid " + strconv.Itoa(os.Getuid())
	}
	return Holder{PID: os.Getpid(), Host: host, User: user, Command: command, Since: now.UTC().Truncate(time.Second)}
}

func (h Holder) String() string {
	if h == (Holder{}) {
		return "a process that has not said who it is"
	}
	return fmt.Sprintf("%s on %s, process %d, %q, since %s", h.User, h.Host, h.PID, h.Command, h.Since.Format(time.RFC3339))
}

// Who is the holder as history names people: user@host; empty when it has not
// said who it is.
func (h Holder) Who() string {
	if h.User == "" && h.Host == "" {
		return ""
	}
	return h.User + "@" + h.Host
}

// LockedError says who holds a lock. The holder may be zero: it has just taken
// the lock, or could not write its name.
type LockedError struct {
	Key    string
	Holder Holder
}

func (e *LockedError) Error() string { return "locked by " + e.Holder.String() }

// CorruptError is a record that fails its checksum or cannot be read.
type CorruptError struct {
	Key  string
	Path string
	Err  error
}

func (e *CorruptError) Error() string { return fmt.Sprintf("%s cannot be trusted: %v", e.Path, e.Err) }
func (e *CorruptError) Unwrap() error { return e.Err }

// TornError is a last line of history that was cut.
type TornError struct {
	Path string
	Line int
}

func (e *TornError) Error() string {
	return fmt.Sprintf("%s:%d: the last line was cut and is left out", e.Path, e.Line)
}

// ErrMissing says that there is no store where one was expected.
var ErrMissing = errors.New("no store")
