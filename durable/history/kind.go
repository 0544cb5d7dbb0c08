package history

import "strconv"

var kindNames = [...]string{
	ExecutionStarted:          "ExecutionStarted",
	ExecutionCompleted:        "ExecutionCompleted",
	ExecutionFailed:           "ExecutionFailed",
	ExecutionTerminated:       "ExecutionTerminated",
	ExecutionSuspended:        "ExecutionSuspended",
	ExecutionResumed:          "ExecutionResumed",
	ExecutionRewound:          "ExecutionRewound",
	ContinuedAsNew:            "ContinuedAsNew",
	GenerationStarted:         "GenerationStarted",
	StartRefused:              "StartRefused",
	Sealed:                    "Sealed",
	CustomStatusSet:           "CustomStatusSet",
	Continued:                 "Continued",
	ParentRewound:             "ParentRewound",
	ExecutionReset:            "ExecutionReset",
	TaskScheduled:             "TaskScheduled",
	TaskCompleted:             "TaskCompleted",
	TaskFailed:                "TaskFailed",
	TimerCreated:              "TimerCreated",
	TimerFired:                "TimerFired",
	TimerCanceled:             "TimerCanceled",
	EventRaised:               "EventRaised",
	EventSent:                 "EventSent",
	SubOrchestrationCreated:   "SubOrchestrationCreated",
	SubOrchestrationCompleted: "SubOrchestrationCompleted",
	SubOrchestrationFailed:    "SubOrchestrationFailed",
	StepStarted:               "StepStarted",
	StepCompleted:             "StepCompleted",
	StepFailed:                "StepFailed",
	ChangeMarked:              "ChangeMarked",
	Notified:                  "Notified",
	OperationCalled:           "OperationCalled",
	OperationSignaled:         "OperationSignaled",
	OperationCompleted:        "OperationCompleted",
	OperationFailed:           "OperationFailed",
	LockRequested:             "LockRequested",
	LockGranted:               "LockGranted",
	LockReleased:              "LockReleased",
}

// unread reports whether this version does not read events of the kind. Those that are reserved count as unknown: taken in
// without anybody who knows what to do with them, their messages would be dropped.
func (k Kind) unread() bool {
	switch k {
	case OperationCalled, OperationSignaled, OperationCompleted, OperationFailed, LockRequested, LockGranted, LockReleased:
		return true
	}
	return int(k) >= len(kindNames) || kindNames[k] == ""
}

func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// isCall reports whether messages of this kind are sent by a client's call, whose id they carry.
func (k Kind) isCall() bool {
	switch k {
	case EventRaised, ExecutionTerminated, ExecutionSuspended, ExecutionResumed, ExecutionRewound, ExecutionReset:
		return true
	}
	return false
}
