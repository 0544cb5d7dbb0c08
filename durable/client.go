package durable

import (
	"context"
	"encoding/json"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// Client starts and manages instances. It is erased: names, ids and JSON. The typed way to it is through the contracts
// (Orchestration.Submit, Event.Raise); the HTTP API and tools use it as it is. Package client implements it over a
// backend. All methods are safe for concurrent use.
//
// Errors wrap ErrNotFound, ErrExists, ErrEnded, ErrNotEnded, ErrNotFailed, ErrNotSuspended, ErrSuspended, ErrNotResettable or ErrInvalid where those apply; anything
// else is the backend's failure, and whether the call took effect is then unknown. Every call may be repeated.
type Client interface {
	// Start creates an instance. When it returns nil the instance can be read and will run, whatever crashes.
	// ErrExists when the id is in use, as Reuse and Conflict have it; ErrInvalid for an id, name or input that can never be right.
	Start(ctx context.Context, req StartRequest) (InstanceRef, error)
	// Restart starts an instance of the same orchestration, version, input and tags: of the newest ones, if it has continued as new. It
	// takes the place of the one that was there, or gets an id of its own. ErrNotFound; ErrExists when it is to take the place of
	// one that has not ended.
	Restart(ctx context.Context, req RestartRequest) (InstanceRef, error)
	// Raise sends an external event. ErrNotFound, ErrEnded, ErrInvalid. Events are kept until the code asks for them.
	Raise(ctx context.Context, req EventRequest) error
	// Manage terminates, suspends, resumes or rewinds. It returns when the command is on its way, not when it is done.
	// ErrNotFound, ErrEnded, ErrSuspended, ErrNotSuspended; Rewind: ErrNotFound, ErrNotFailed.
	Manage(ctx context.Context, req ManageRequest) error
	// Reset has an instance go back to an operation, and run again from there: with another result of it, with another input, or as it was.
	// It returns when that is on its way, not when it is done. ErrNotFound, ErrNotResettable, ErrInvalid.
	Reset(ctx context.Context, req ResetRequest) error
	// Report reports what became of an Async activity. ErrInvalid, ErrNotPending, ErrNotFound, ErrEnded.
	Report(ctx context.Context, req ReportRequest) error
	// Get returns the status of an instance. ErrNotFound.
	Get(ctx context.Context, id string, opts ...GetOption) (Instance, error)
	// List returns instances, newest first. It is eventually consistent: it may miss what was just started.
	List(ctx context.Context, q Query) (Page, error)
	// History returns what happened in an instance so far, payloads included. ErrNotFound.
	History(ctx context.Context, id string) ([]HistoryEvent, error)
	// Purge removes an instance that has ended, with its history, its payloads, and all that is left of earlier lives under
	// its id. Its id is free afterwards. After an error part of it may be gone: purge again. ErrNotFound, ErrNotEnded.
	Purge(ctx context.Context, id string) error
	// PurgeWhere purges what a query selects of the instances that have ended, until the budget is used up. It passes over what
	// has gone on in the meantime. With an error it returns what was purged before. ErrInvalid.
	PurgeWhere(ctx context.Context, req PurgeRequest) (Purged, error)
}

// PurgeRequest asks for instances to be purged.
type PurgeRequest struct {
	// Where selects them: only those that have ended, whatever its Statuses say. Its Limit is how many are purged at most; 0 is
	// any number.
	Where Query
	// Budget is how long that may take, but for the one that is being purged; 0 is any time.
	Budget time.Duration
}

// Purged is how far a PurgeWhere has come.
type Purged struct {
	// Instances is how many were purged.
	Instances int
	// Continue is where to go on, as Where.Continue of the same query; empty when there are no more.
	Continue string
}

// StartRequest asks for a new instance.
type StartRequest struct {
	// Name of the orchestration.
	Name string
	// Version of it; 0 is the unversioned one.
	Version uint32
	// ID of the instance; empty means that one is made up.
	ID string
	// Input is JSON; empty is null.
	Input json.RawMessage
	// Reuse says which instances that have ended may be replaced, Conflict what else becomes of a start whose id is in use.
	Reuse    Reuse
	Conflict Conflict
	// At is when the code is to begin, at the earliest, by the clocks of the workers; zero, or what has passed, is at once. Until
	// then the instance is Pending. It keeps events, and can be suspended and terminated, and then its code never runs.
	At   time.Time
	Tags map[string]string
	// TraceParent and TraceState carry W3C trace context.
	TraceParent, TraceState string
}

// RestartRequest asks for an instance to be started once more.
type RestartRequest struct {
	Instance string
	// NewID has it run beside the one that was there, with an id that is made up.
	NewID bool
}

// InstanceRef names one life of an instance id.
type InstanceRef struct{ ID, Incarnation string }

// EventRequest asks for an external event to be raised.
type EventRequest struct {
	Instance, Name string
	// Data is JSON; empty is null.
	Data json.RawMessage
	// ID is the event's identity: the same id again is the same event. Empty means that one is made up for this call.
	ID string
}

// Command is what Manage can do.
type Command uint8

// The commands of Manage.
const (
	Terminate Command = iota + 1
	Suspend
	Resume
	// Rewind has an instance that has failed run again. Activities that had failed, or had no outcome at the end, are run again, with
	// new idempotency keys; those that had succeeded keep their results, and inline steps too, wherever the code asks for the same again.
	// What the code did about the failure is not taken back: see docs/decisions/rewind.md before you rewind a saga that has compensated.
	Rewind
)

// ManageRequest asks for a command to be carried out.
type ManageRequest struct {
	Instance string
	Command  Command
	Reason   string
	// Recursive has a Terminate end the instance's sub-orchestrations, too, and theirs.
	Recursive bool
	// ID is the command's identity, as that of an event. Empty means that one is made up for this call.
	ID string
}

// ResetRequest asks for an instance to go back to an operation, whether it has ended, runs or is suspended: then it runs. What was recorded
// before the turn in which the operation's outcome came in stands. From that turn on all is abandoned and runs again, but for external
// events, which come again in their order. Without an outcome the operation has its new one now, or is asked for once more. What is asked for
// again has new idempotency keys, and so has what is under way: it may run a second time. What the code has done is not taken back. See
// docs/decisions/reset.md.
type ResetRequest struct {
	Instance string
	// Operation is its path, as the history shows it: "2" or "2.0.1". "start" is the beginning of the orchestration, of the newest
	// generation if it has continued as new.
	Operation string
	// Result is JSON: the operation does not run again, and this is its outcome. Of a timer it is null. The start has none.
	Result json.RawMessage
	// Input is JSON: an activity, a sub-orchestration or the start runs again with it. Result and Input exclude each other; without both the
	// operation runs again as it is.
	Input  json.RawMessage
	Reason string
	// ID is the command's identity, as that of an event. Empty means that one is made up for this call.
	ID string
}

// Report is what can be reported of an Async activity.
type Report uint8

// The reports.
const (
	ReportResult Report = iota + 1
	ReportFailure
	ReportHeartbeat
)

// ReportRequest reports what became of the attempt of an Async activity.
type ReportRequest struct {
	Token string
	// Activity is the name that the token's activity must have; empty is any.
	Activity string
	What     Report
	// Data is JSON: the result, empty is null; or a heartbeat's details, empty is none.
	Data json.RawMessage
	// Failure is why it failed.
	Failure *history.Failure
}

// Status is the runtime status of an instance, in Durable Functions' words.
type Status string

// The runtime statuses.
const (
	Pending        Status = "Pending"
	Running        Status = "Running"
	Suspended      Status = "Suspended"
	ContinuedAsNew Status = "ContinuedAsNew"
	Completed      Status = "Completed"
	Failed         Status = "Failed"
	Canceled       Status = "Canceled"
	Terminated     Status = "Terminated"
)

// Ended reports whether the status is final.
func (s Status) Ended() bool {
	return s == Completed || s == Failed || s == Terminated || s == Canceled
}

// GetOption says what of an instance is not asked for: reading it may cost a request.
type GetOption uint8

// NoInput leaves Instance.Input out.
const NoInput GetOption = 1

// Instance is what is known of an instance without its history.
type Instance struct {
	ID, Incarnation string
	Name            string
	Version         uint32
	Status          Status
	// Input, CustomStatus and Output are JSON; nil is none. The output of a terminated instance is its reason, that of a
	// failed one its error's text.
	Input, CustomStatus, Output json.RawMessage
	// Created is when the start was asked for; Updated when the status last changed. Never zero.
	Created, Updated time.Time
	// StartAt is when the code was to begin, at the earliest, if the start was for a time; zero otherwise, and after it has continued
	// as new.
	StartAt time.Time
	// Failure says why a failed instance failed; nil otherwise.
	Failure *history.Failure
	// SuspendReason says why a suspended instance is, and what to do when it was not a person.
	SuspendReason string
	Tags          map[string]string
	// Parent is the instance whose sub-orchestration this one is; empty when it has none.
	Parent string
}

// Query selects instances. Zero fields select everything.
type Query struct {
	IDPrefix string
	// From and To bound the time of creation, both inclusive.
	From, To time.Time
	Statuses []Status
	Names    []string
	// Tags are labels that the instance has, all of them.
	Tags map[string]string
	// CustomStatus is text that the custom status contains: a string's own, or the JSON of anything else.
	CustomStatus string
	// Text is what the id, the name, a tag or the custom status contains, in any case of letters.
	Text string
	// NoInput leaves the inputs out.
	NoInput bool
	// Limit of one page; 0 is 100.
	Limit int
	// Continue is the Continue of the page before, which must have been one of this same query: Limit and NoInput may differ.
	Continue string
}

// Page is one answer to a Query.
type Page struct {
	Instances []Instance
	// Continue asks for the next page; empty at the end. A page may be short, or empty, before the end.
	Continue string
}

// HistoryEvent is one event of an instance's history with its payload at hand.
type HistoryEvent struct {
	history.Event
	// Time is when it was committed to the history, as the turn's clock had it.
	Time time.Time `json:"time"`
	// Segment is the number of the commit it is part of.
	Segment uint64 `json:"segment"`
}
