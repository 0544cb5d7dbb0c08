package bench

import (
	"strconv"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Temporal is the replayer of Temporal's Go SDK, as its users call it in their tests: the history is decoded from protobuf, and replayed by worker.NewWorkflowReplayer.
var Temporal = Replayer{"Temporal Go SDK", func(n int) (int, func() error, error) {
	calls := func(ctx workflow.Context, o Order) (Order, error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
		for range n {
			var next Order
			if err := workflow.ExecuteActivity(ctx, "Handle", o).Get(ctx, &next); err != nil {
				return o, err
			}
			o = next
		}
		return o, nil
	}
	h, err := events(n)
	if err != nil {
		return 0, nil, err
	}
	stored, err := proto.Marshal(h)
	if err != nil {
		return 0, nil, err
	}
	return len(stored), func() error {
		var h historypb.History
		if err := proto.Unmarshal(stored, &h); err != nil {
			return err
		}
		r := worker.NewWorkflowReplayer()
		r.RegisterWorkflowWithOptions(calls, workflow.RegisterOptions{Name: "Calls"})
		return r.ReplayWorkflowHistory(quiet{}, &h)
	}, nil
}}

// quiet is a logger that says nothing.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// events are a workflow's history: for each activity three events of the workflow's task and three of its own.
func events(n int) (*historypb.History, error) {
	h := &historypb.History{}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	add := func(kind enumspb.EventType, e *historypb.HistoryEvent) int64 {
		at = at.Add(100 * time.Millisecond)
		e.EventId, e.EventTime, e.EventType = int64(len(h.Events)+1), timestamppb.New(at), kind
		h.Events = append(h.Events, e)
		return e.EventId
	}
	queue := &taskqueuepb.TaskQueue{Name: "queue", Kind: enumspb.TASK_QUEUE_KIND_NORMAL}
	turn := func() int64 {
		scheduled := add(enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowTaskScheduledEventAttributes{
			WorkflowTaskScheduledEventAttributes: &historypb.WorkflowTaskScheduledEventAttributes{TaskQueue: queue, StartToCloseTimeout: durationpb.New(10 * time.Second), Attempt: 1}}})
		started := add(enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED, &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowTaskStartedEventAttributes{
			WorkflowTaskStartedEventAttributes: &historypb.WorkflowTaskStartedEventAttributes{ScheduledEventId: scheduled, Identity: "worker"}}})
		return add(enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowTaskCompletedEventAttributes{
			WorkflowTaskCompletedEventAttributes: &historypb.WorkflowTaskCompletedEventAttributes{ScheduledEventId: scheduled, StartedEventId: started, Identity: "worker"}}})
	}
	o := NewOrder()
	data := func() (*commonpb.Payloads, error) { return converter.GetDefaultDataConverter().ToPayloads(o) }
	input, err := data()
	if err != nil {
		return nil, err
	}
	add(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{WorkflowType: &commonpb.WorkflowType{Name: "Calls"}, TaskQueue: queue, Input: input,
			OriginalExecutionRunId: "run", FirstExecutionRunId: "run", Attempt: 1}}})
	for range n {
		if input, err = data(); err != nil {
			return nil, err
		}
		completed := turn()
		// The SDK numbers activities by the event that schedules them.
		id := strconv.Itoa(len(h.Events) + 1)
		scheduled := add(enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{
			ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{ActivityId: id, ActivityType: &commonpb.ActivityType{Name: "Handle"}, TaskQueue: queue,
				Input: input, StartToCloseTimeout: durationpb.New(time.Minute), WorkflowTaskCompletedEventId: completed}}})
		started := add(enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED, &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_ActivityTaskStartedEventAttributes{
			ActivityTaskStartedEventAttributes: &historypb.ActivityTaskStartedEventAttributes{ScheduledEventId: scheduled, Identity: "worker", Attempt: 1}}})
		o.Done++
		result, err := data()
		if err != nil {
			return nil, err
		}
		add(enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{
			ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{Result: result, ScheduledEventId: scheduled, StartedEventId: started, Identity: "worker"}}})
	}
	completed := turn()
	result, err := data()
	add(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
		WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{Result: result, WorkflowTaskCompletedEventId: completed}}})
	return h, err
}
