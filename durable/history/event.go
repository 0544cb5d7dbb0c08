package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Kind says what an event is. The numbers are part of the stored format and never change their meaning.
type Kind uint8

// The kinds of events of format version 1. Those marked reserved have a number and no writer yet.
const (
	ExecutionStarted    Kind = 1  // input: the orchestration begins
	ExecutionCompleted  Kind = 2  // output: the code returned a value
	ExecutionFailed     Kind = 3  // output: the code returned an error
	ExecutionTerminated Kind = 4  // input: somebody ended it
	ExecutionSuspended  Kind = 5  // input: somebody, or (without a message id) the worker, suspended it
	ExecutionResumed    Kind = 6  // input: somebody, or (without a message id) a worker of another build, resumed it
	ExecutionRewound    Kind = 7  // input: somebody had what failed run again
	ContinuedAsNew      Kind = 8  // output: the code ended, and is to begin anew with another input
	GenerationStarted   Kind = 9  // input: it begins anew
	StartRefused        Kind = 10 // input: a child's start comes to nothing, because its id was taken
	Sealed              Kind = 11 // nothing may ever follow
	CustomStatusSet     Kind = 12 // output: what SetStatus said last
	Continued           Kind = 13 // message only: finish the unfinished turn

	ParentRewound  Kind = 14 // input: the parent was rewound, and waits for the outcome under another epoch
	ExecutionReset Kind = 15 // input: somebody had it go back to an operation, and run again from there

	TaskScheduled Kind = 16 // output: an activity is asked for
	TaskCompleted Kind = 17 // input: its result
	TaskFailed    Kind = 18 // input: its failure, retries used up

	TimerCreated  Kind = 20 // output
	TimerFired    Kind = 21 // input
	TimerCanceled Kind = 22 // output

	EventRaised Kind = 24 // input: an external event
	EventSent   Kind = 25 // output: an event to another instance

	SubOrchestrationCreated   Kind = 28 // output: a child is asked for
	SubOrchestrationCompleted Kind = 29 // input: its output
	SubOrchestrationFailed    Kind = 30 // input: why it did not complete

	StepStarted   Kind = 32 // output: an at-most-once step is about to run
	StepCompleted Kind = 33 // input: the value of an inline step
	StepFailed    Kind = 34 // input: the error of an inline step

	ChangeMarked Kind = 36 // output: which side of a change the code took

	Notified Kind = 39 // message only: somebody outside is to hear what has become of the instance

	OperationCalled    Kind = 40 // reserved for entities, 40 to 47
	OperationSignaled  Kind = 41
	OperationCompleted Kind = 42
	OperationFailed    Kind = 43
	LockRequested      Kind = 44
	LockGranted        Kind = 45
	LockReleased       Kind = 46
)

// StartOp is the path of the timer of a scheduled start. No command asks for it: the start does. In a reset it is the beginning of the
// orchestration.
const StartOp = "start"

// Due is when a scheduled start is to begin; zero of every other event.
func (e *Event) Due() time.Time {
	if e.Kind != ExecutionStarted || e.Start == nil {
		return time.Time{}
	}
	return e.Start.Due
}

// Event is one thing that happened in an instance. Which fields mean something depends on the kind; docs/format.md has
// the table. Those that do not are zero.
type Event struct {
	Kind Kind `json:"kind,omitzero"`
	// Op is the path of the operation the event belongs to, as in "2.0.1".
	Op string `json:"op,omitzero"`
	// Epoch is how often the history had been rewound when the operation was asked for, the last time. Outcomes name it.
	Epoch uint32 `json:"epoch,omitzero"`
	// Attempt is the attempt, from 1, that gave the outcome.
	Attempt uint32 `json:"attempt,omitzero"`
	// Name of the orchestration, activity, external event or step.
	Name string `json:"name,omitzero"`
	// Version of the orchestration that is asked for.
	Version uint32 `json:"version,omitzero"`
	// Data is the input, result, output, event data or custom status: JSON.
	Data Payload `json:"data,omitzero"`
	// At is when a timer is due, or when a start, or an activity with a deadline, was asked for. Milliseconds, UTC.
	At time.Time `json:"at,omitzero"`
	// MessageID is the identity of an external message: external events and management commands.
	MessageID string `json:"messageId,omitzero"`
	// Reason of a terminate, suspend, resume, rewind or reset, for people.
	Reason string `json:"reason,omitzero"`
	// Build is the build of the worker that suspended the instance.
	Build   string   `json:"build,omitzero"`
	Failure *Failure `json:"failure,omitzero"`
	Policy  *Policy  `json:"policy,omitzero"`
	Start   *Start   `json:"start,omitzero"`
	Target  *Target  `json:"target,omitzero"`
	// Close says what becomes of a child that runs when the one that asked for it ends.
	Close Close `json:"close,omitzero"`
	// Recursive: a terminate is for the children, too.
	Recursive bool `json:"recursive,omitzero"`
	// Rewound says, in ExecutionRewound and ExecutionReset, what runs again. A reset without it, in a history, came to nothing: its failure
	// says why.
	Rewound *Rewound `json:"rewound,omitzero"`
	// Edit says, in ExecutionReset, what Data takes the place of.
	Edit Edit `json:"edit,omitzero"`
}

// Rewound is what a rewind, or a reset, does to a history.
type Rewound struct {
	// From is the number of the segment from which on the history is cut: the first of a turn, or the next that there will be. The code
	// runs again from there, with what came from outside since; after a rewind with the results of what had succeeded, too.
	From uint64 `json:"from,omitzero"`
}

// Edit is what a reset replaces of the operation to which it goes back.
type Edit uint8

// The edits. Without one the operation runs again as it is.
const (
	EditNothing Edit = iota
	EditResult       // the operation does not run again: this is its result
	EditInput        // it runs again with this input; the beginning of the orchestration, StartOp, can have one, too
)

// Target is another instance: a child, or whom an event is for.
type Target struct {
	Instance string `json:"instance,omitzero"`
	// Incarnation of a child. An event is for whoever has the id when it is sent.
	Incarnation string `json:"incarnation,omitzero"`
}

// Names reports whether both are of the same instance, or nobody's.
func (t *Target) Names(other *Target) bool {
	return t == nil && other == nil || t != nil && other != nil && t.Instance == other.Instance
}

// Close is a parent-close policy.
type Close uint8

// The policies. To wait is not among them: that the code does, before it returns.
const (
	Abandon Close = iota
	Terminate
)

// Payload is a JSON value: inline, or a reference to a blob. The zero Payload is no value, which reads as null.
type Payload struct {
	Bytes []byte
	// Blob is the key of the blob that holds the value when it is too large to be inline. With a blob, Bytes is what was
	// read from it, or nil, and is not written again.
	Blob string
	// Size is the number of bytes in the blob.
	Size uint64
}

// Holds reports whether the payload's value is b. A blob need not be read for it: keys end with the hash of the content.
func (p Payload) Holds(b []byte) bool {
	if p.Blob == "" || p.Bytes != nil {
		return bytes.Equal(p.Bytes, b)
	}
	sum := sha256.Sum256(b)
	return p.Size == uint64(len(b)) && strings.HasSuffix(p.Blob, "/"+hex.EncodeToString(sum[:]))
}

// IsZero reports whether the payload holds no value and refers to none.
func (p Payload) IsZero() bool { return len(p.Bytes) == 0 && p.Blob == "" }

// Failure is an error as it crosses the wire and as it is kept.
type Failure struct {
	// Kind is the error's durable.ErrorKind, or one of the engine's own, or empty.
	Kind    string `json:"kind,omitzero"`
	Message string `json:"message,omitzero"`
	// Activity and Attempt say where the failure came from.
	Activity string `json:"activity,omitzero"`
	Attempt  uint32 `json:"attempt,omitzero"`
	// Instance is the sub-orchestration that the failure came from.
	Instance string `json:"instance,omitzero"`
	// Permanent says that retrying cannot help.
	Permanent bool `json:"permanent,omitzero"`
	// Causes are failures of activities, steps and sub-orchestrations that the error wraps; then those kinds that are in none of
	// them, alone.
	Causes []Failure `json:"causes,omitzero"`
	// Properties are what the code says of the error, for the code that handles it.
	Properties map[string]string `json:"properties,omitzero"`
	// Stack is that of a panic. It goes no further than the event of the activity or step.
	Stack string `json:"stack,omitzero"`
}

// Policy is how an activity is to be run. It travels with its message and is kept with its event, so that whoever
// repairs an instance sends the very same message.
type Policy struct {
	// Attempts counts the first one; 0 and 1 are one attempt.
	Attempts     uint32        `json:"attempts,omitzero"`
	Initial      time.Duration `json:"initial,omitzero"`
	Factor       float64       `json:"factor,omitzero"`
	Cap          time.Duration `json:"cap,omitzero"`
	NonRetryable []string      `json:"nonRetryable,omitzero"`
	// Timeout of one attempt; 0 is the worker's default.
	Timeout time.Duration `json:"timeout,omitzero"`
	// Queue is the named queue the activity runs on; reserved.
	Queue string `json:"queue,omitzero"`
	// Deadline bounds all attempts together, counted from the event's time; 0 is none.
	Deadline time.Duration `json:"deadline,omitzero"`
	// Heartbeat is how long the body may be silent; 0 when it need not say anything.
	Heartbeat time.Duration `json:"heartbeat,omitzero"`
	// AtMostOnce: a body that may have begun is not begun again.
	AtMostOnce bool `json:"atMostOnce,omitzero"`
	// Jitter is the share, of 0 to 1, that a pause may be shorter than the rest says. 0 leaves it to the worker, which makes it
	// longer by a tenth at most.
	Jitter float64 `json:"jitter,omitzero"`
	// Async: the body hands its work on, and the outcome comes from elsewhere. Timeout and Heartbeat bound that, too; without
	// them nothing does.
	Async bool `json:"async,omitzero"`
}

// TenantTag is the tag that says whom an instance is for. Starts are fair by it.
const TenantTag = "tenant"

// Start holds what only a start knows.
type Start struct {
	// Parent of a sub-orchestration. In a terminate it is who has ended, and wants its child ended, too; in a rewind, who was rewound,
	// and waits for the outcome again.
	Parent *Parent           `json:"parent,omitzero"`
	Tags   map[string]string `json:"tags,omitzero"`
	// TraceParent and TraceState carry W3C trace context.
	TraceParent string `json:"traceParent,omitzero"`
	TraceState  string `json:"traceState,omitzero"`
	// Due is when a scheduled start is to begin, at the earliest; zero is at once. Until the timer StartOp has fired the code does not
	// run.
	Due time.Time `json:"due,omitzero"`
	// Carried are, in ContinuedAsNew, the message ids of the events that the code has not taken: the next generation gets them. In
	// GenerationStarted they are those of the events that come with it.
	Carried []string `json:"carried,omitzero"`
	// Known are, in GenerationStarted, messages that generations before it have consumed, as far as copies of them may still come
	// and mean something.
	Known []Known `json:"known,omitzero"`
	// Custom is, in GenerationStarted, the custom status: JSON.
	Custom []byte `json:"custom,omitzero"`
	// Spun is, in GenerationStarted, how many turns in a row nothing had caused but the instance itself, and SpunSince when the first of
	// these was.
	Spun      uint64    `json:"spun,omitzero"`
	SpunSince time.Time `json:"spunSince,omitzero"`
}

// Known is a message that was consumed: one from outside, or one of the last turn of the generation before.
type Known struct {
	ID string    `json:"id,omitzero"`
	At time.Time `json:"at,omitzero"`
	// Last: the last turn of the generation before has consumed it. When it comes again, it owes the first turn of this one.
	Last bool `json:"last,omitzero"`
}

// Parent is the operation that waits for a sub-orchestration.
type Parent struct {
	Instance    string `json:"instance,omitzero"`
	Incarnation string `json:"incarnation,omitzero"`
	Generation  uint64 `json:"generation,omitzero"`
	Op          string `json:"op,omitzero"`
	Epoch       uint32 `json:"epoch,omitzero"`
}

// IsEnd reports whether the kind says what the code came to: nothing that it asks for follows.
func (k Kind) IsEnd() bool {
	return k == ExecutionCompleted || k == ExecutionFailed || k == ContinuedAsNew
}

// IsInput reports whether events of this kind come from outside the code: they are fed to it, in order, on replay.
// All others are what the code asked for, or said of itself.
func (k Kind) IsInput() bool {
	switch k {
	case ExecutionStarted, ExecutionTerminated, ExecutionSuspended, ExecutionResumed, ExecutionRewound, ParentRewound, ExecutionReset,
		GenerationStarted, StartRefused, Sealed, TaskCompleted, TaskFailed, TimerFired, EventRaised,
		SubOrchestrationCompleted, SubOrchestrationFailed, StepCompleted, StepFailed,
		OperationCompleted, OperationFailed, LockGranted:
		return true
	}
	return false
}
