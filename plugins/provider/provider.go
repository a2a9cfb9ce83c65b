package provider

import "context"

// Provider is what a plugin implements for one cloud. The engine creates one
// per entry under "providers" in the spec, calls Describe, then Configure once,
// then the other methods from several goroutines at a time: every method must
// be safe for concurrent use after Configure has returned.
//
// Every method takes a context; when it is cancelled the method returns soon,
// with an error whose chain holds the context's. Errors that the engine acts on
// are *Error; any other error counts as KindInternal.
type Provider interface {
	// Describe says what the plugin is and can do. It needs no configuration,
	// sends nothing, and answers the same for the life of the process.
	Describe(ctx context.Context) (*Description, error)

	// Configure takes one entry of the spec's "providers" and its credentials.
	// Missing or malformed values are refused here and not at first use; a
	// credential that only the cloud can judge is judged at the first Observe.
	Configure(ctx context.Context, cfg Config) error

	// Observe reads live state and calls yield once for every key asked for,
	// in any order, from one goroutine. With no keys it reads every cluster of
	// the account and yields each with an empty Address. A cluster that
	// cannot be read is yielded with its own error and does not stop the
	// others. When yield returns an error Observe stops and returns it. An
	// error of Observe itself leaves the keys not yet yielded unread: never
	// absent. Idempotent; may be retried inside.
	Observe(ctx context.Context, req ObserveRequest, yield func(Observation) error) error

	// Plan turns differences into actions, or says why the cloud cannot make
	// them. It is pure: no I/O, no clock, no randomness; the same input gives
	// the same bytes. Every field of every change must be covered by exactly
	// one action or one blocked entry, and nothing else may be touched.
	Plan(ctx context.Context, req PlanRequest) (PlanResponse, error)

	// Start signs and sends one request that Plan made, exactly once. It does
	// no reads and takes no decisions. Its context is detached from the
	// user's interrupt and has a deadline of its own. The zero Answer means
	// unknown: return it whenever the cloud may have received the request and
	// did not clearly refuse it. Not idempotent: the engine never calls it
	// twice for one request unless the answer was refused or unsent.
	//
	// With CheckOnly it sends nothing and answers OutcomeUnsent without an
	// error when request and secrets are sound, OutcomeRefused with
	// KindInvalid otherwise.
	Start(ctx context.Context, req StartRequest) Answer

	// Poll asks for the present state of operations that Start accepted or
	// that Observe listed, possibly in an earlier process. It answers in the
	// order asked. Idempotent.
	Poll(ctx context.Context, ops []Operation) ([]OperationStatus, error)
}

// Quoter is implemented by a provider that declares CapQuote.
type Quoter interface {
	// Quote asks the cloud what an action changes in price. Idempotent.
	Quote(ctx context.Context, request []byte) (Price, error)
}

// Capabilities a Description may declare. Absent means not supported.
const (
	// CapQuote: the provider implements Quoter.
	CapQuote = "quote"
	// CapList: Observe without keys reads the whole account.
	CapList = "list"
	// CapTasks: observations at LevelNodes carry the cloud's tasks.
	CapTasks = "tasks"
)

// Limits of the contract, checked on both ends of the wire.
const (
	// MaxHandle bounds Operation.Handle, in bytes.
	MaxHandle = 4 << 10
	// MaxBatchItems and MaxBatchBytes bound one message of a stream.
	MaxBatchItems = 100
	MaxBatchBytes = 1 << 20
	// MaxMessage is what a receiver accepts at most, in bytes.
	MaxMessage = 16 << 20
)
