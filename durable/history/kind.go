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
	OperationCalled:           "OperationCalled",
	OperationSignaled:         "OperationSignaled",
	OperationCompleted:        "OperationCompleted",
	OperationFailed:           "OperationFailed",
	LockRequested:             "LockRequested",
	LockGranted:               "LockGranted",
	LockReleased:              "LockReleased",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}
