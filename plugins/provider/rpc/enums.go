package rpc

import (
	"github.com/clusterctl/clusterctl/plugins/provider"
	"github.com/clusterctl/clusterctl/plugins/provider/rpc/wire"
)

// enum pairs the contract's words with the wire's numbers. What either side
// does not know becomes the zero value, which is the cautious reading.
type enum[S ~string, N ~int32] struct {
	number map[S]N
	word   map[N]S
}

func newEnum[S ~string, N ~int32](number map[S]N) enum[S, N] {
	e := enum[S, N]{number: number, word: make(map[N]S, len(number))}
	for s, n := range number {
		e.word[n] = s
	}
	return e
}

func (e enum[S, N]) to(s S) N   { return e.number[s] }
func (e enum[S, N]) from(n N) S { return e.word[n] }

var errorKinds = newEnum(map[provider.ErrorKind]wire.ErrorKind{
	provider.KindInternal:        wire.ErrorKind_ERROR_KIND_INTERNAL,
	provider.KindInvalid:         wire.ErrorKind_ERROR_KIND_INVALID,
	provider.KindUnauthenticated: wire.ErrorKind_ERROR_KIND_UNAUTHENTICATED,
	provider.KindDenied:          wire.ErrorKind_ERROR_KIND_DENIED,
	provider.KindNotFound:        wire.ErrorKind_ERROR_KIND_NOT_FOUND,
	provider.KindConflict:        wire.ErrorKind_ERROR_KIND_CONFLICT,
	provider.KindQuota:           wire.ErrorKind_ERROR_KIND_QUOTA,
	provider.KindThrottled:       wire.ErrorKind_ERROR_KIND_THROTTLED,
	provider.KindUnavailable:     wire.ErrorKind_ERROR_KIND_UNAVAILABLE,
	provider.KindUnsupported:     wire.ErrorKind_ERROR_KIND_UNSUPPORTED,
})

var levels = newEnum(map[provider.Level]wire.Level{
	"":                    wire.Level_LEVEL_UNSPECIFIED,
	provider.LevelSummary: wire.Level_LEVEL_SUMMARY,
	provider.LevelNodes:   wire.Level_LEVEL_NODES,
})

var presences = newEnum(map[provider.Presence]wire.Presence{
	provider.Unread:    wire.Presence_PRESENCE_UNREAD,
	provider.Present:   wire.Presence_PRESENCE_PRESENT,
	provider.Absent:    wire.Presence_PRESENCE_ABSENT,
	provider.Ambiguous: wire.Presence_PRESENCE_AMBIGUOUS,
})

var statuses = newEnum(map[provider.Status]wire.Status{
	provider.StatusUnknown: wire.Status_STATUS_UNKNOWN,
	provider.StatusReady:   wire.Status_STATUS_READY,
	provider.StatusBusy:    wire.Status_STATUS_BUSY,
	provider.StatusBroken:  wire.Status_STATUS_BROKEN,
})

var ops = newEnum(map[provider.Op]wire.Op{
	provider.OpUnknown:  wire.Op_OP_UNKNOWN,
	provider.OpCreate:   wire.Op_OP_CREATE,
	provider.OpScaleOut: wire.Op_OP_SCALE_OUT,
	provider.OpScaleIn:  wire.Op_OP_SCALE_IN,
	provider.OpResize:   wire.Op_OP_RESIZE,
})

var outcomes = newEnum(map[provider.Outcome]wire.Outcome{
	provider.OutcomeUnknown:  wire.Outcome_OUTCOME_UNKNOWN,
	provider.OutcomeAccepted: wire.Outcome_OUTCOME_ACCEPTED,
	provider.OutcomeRefused:  wire.Outcome_OUTCOME_REFUSED,
	provider.OutcomeUnsent:   wire.Outcome_OUTCOME_UNSENT,
})

var operationStates = newEnum(map[provider.OperationState]wire.OperationState{
	provider.OperationUnknown:   wire.OperationState_OPERATION_STATE_UNKNOWN,
	provider.OperationRunning:   wire.OperationState_OPERATION_STATE_RUNNING,
	provider.OperationSucceeded: wire.OperationState_OPERATION_STATE_SUCCEEDED,
	provider.OperationFailed:    wire.OperationState_OPERATION_STATE_FAILED,
})
