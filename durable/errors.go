package durable

import "errors"

// What a Client's methods wrap.
var (
	// ErrNotFound: there is no instance with this id.
	ErrNotFound = errors.New("no such instance")
	// ErrExists: the id is in use.
	ErrExists = errors.New("the instance id is in use")
	// ErrEnded: the instance has ended and takes nothing any more.
	ErrEnded = errors.New("the instance has ended")
	// ErrNotEnded: the instance has not ended, and so cannot be purged.
	ErrNotEnded = errors.New("the instance has not ended")
	// ErrSuspended: the instance is suspended already.
	ErrSuspended = errors.New("the instance is suspended already")
	// ErrNotSuspended: there is nothing to resume.
	ErrNotSuspended = errors.New("the instance is not suspended")
	// ErrNotFailed: the instance has not failed, and so cannot be rewound.
	ErrNotFailed = errors.New("the instance has not failed")
	// ErrNotResettable: the instance cannot be reset so, as its history is now; the text says why.
	ErrNotResettable = errors.New("the instance cannot be reset so")
	// ErrNotPending: nobody waits for the outcome that a token names.
	ErrNotPending = errors.New("nobody waits for this activity any more")
	// ErrInvalid: the request can never be right; its text says what to change.
	ErrInvalid = errors.New("invalid request")
)

// What orchestrations meet.
var (
	// ErrTimeout is returned by Event.Within when the time is up, and by whatever waits within a WithTimeout when that is.
	ErrTimeout = errors.New("timed out")
	// ErrCanceled: within an orchestration, the scope of a WithCancel, a WithTimeout or a Group was given up, and nothing waits
	// in it any more. As the cause of an activity's context: the instance has ended or was replaced, and nobody wants the outcome.
	ErrCanceled = errors.New("canceled")
)

// What the context of an activity's attempt ends with, beside its time-out and ErrCanceled: see context.Cause, and Heartbeat.
var (
	// ErrHeartbeatMissed: no heartbeat came for so long as the activity's HeartbeatTimeout.
	ErrHeartbeatMissed = errors.New("the heartbeat was missed")
)

// ErrorKind names a kind of error that keeps its identity across the wire. Declare one as a constant, wrap it where the
// error is made, and ask for it with errors.Is where it arrives, even in another process a month later:
//
//	const Declined = durable.ErrorKind("CardDeclined")
//	return durable.Permanent(fmt.Errorf("the bank said no: %w", Declined))
//	if errors.Is(err, Declined) { … }
type ErrorKind string

func (k ErrorKind) Error() string { return string(k) }

// Kinds of failures that the engine itself makes.
const (
	// ActivityTimedOut: an attempt took longer than its time-out, or all of them longer than their deadline, or no heartbeat
	// came in time. The message says which.
	ActivityTimedOut = ErrorKind("ActivityTimedOut")
	// ActivityPanicked: the activity's body panicked.
	ActivityPanicked = ErrorKind("ActivityPanicked")
	// ActivityNotRegistered: no worker had the activity for some minutes.
	ActivityNotRegistered = ErrorKind("ActivityNotRegistered")
	// WorkerLost: an attempt was begun again and again, and no worker lived to report its outcome. It may have had effects.
	WorkerLost = ErrorKind("WorkerLost")
	// ErrTooLarge: an input or a result has more bytes of JSON than the hub keeps. Keep it elsewhere and pass a reference.
	ErrTooLarge = ErrorKind("TooLarge")
	// OutcomeUnknown: an activity or step that is AtMostOnce was begun, and nobody knows what came of it. It may have had effects.
	OutcomeUnknown = ErrorKind("OutcomeUnknown")
	// InstanceExists: a sub-orchestration was not started, because its id is that of an instance that runs.
	InstanceExists = ErrorKind("InstanceExists")
	// InstanceTerminated: a sub-orchestration was terminated.
	InstanceTerminated = ErrorKind("InstanceTerminated")
	// InstanceGone: a sub-orchestration that was to be rewound with its parent was purged, or replaced.
	InstanceGone = ErrorKind("InstanceGone")
	// NotRunnable: no function of this deployment may run as long as the activity asks for.
	NotRunnable = ErrorKind("NotRunnable")
)

// Permanent marks an error that retrying cannot help: no further attempts are made.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }
