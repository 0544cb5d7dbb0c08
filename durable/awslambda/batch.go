package awslambda

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/aws"
	"github.com/durable-lambda/durable-lambda/durable/codec"
	"github.com/durable-lambda/durable-lambda/durable/worker"
)

// envelope is what events are told apart by.
type envelope struct {
	Source    string // of EventBridge
	Time      time.Time
	Resources []string
	Detail    json.RawMessage
	Records   []events.SQSMessage
}

func open(event json.RawMessage) (e envelope, err error) {
	if err := json.Unmarshal(event, &e); err != nil {
		return e, fmt.Errorf("awslambda: the event cannot be read: %w", err)
	}
	return e, nil
}

// isBatch: Lambda never mixes queues in a batch.
func (e envelope) isBatch() bool { return len(e.Records) > 0 && e.Records[0].EventSource == "aws:sqs" }

// isTick: a rule of EventBridge with a schedule.
func (e envelope) isTick() bool { return e.Source == "aws.events" }

// ordered reports whether a batch is a FIFO queue's, whose names all end like that.
func (e envelope) ordered() bool { return strings.HasSuffix(e.Records[0].EventSourceARN, ".fifo") }

// batch is messages of one queue, and in the end what becomes of each.
type batch struct {
	queue      backend.Queue
	deliveries []backend.Delivery
	ids        []string
	outcomes   []worker.Outcome
	removed    []bool // by us, before there is an answer
	log        *slog.Logger
}

func newBatch(ctx context.Context, q backend.Queue, records []events.SQSMessage, log *slog.Logger) *batch {
	b := &batch{queue: q, log: log, outcomes: make([]worker.Outcome, len(records)), removed: make([]bool, len(records))}
	for _, r := range records {
		named := make(map[string]string, len(r.MessageAttributes))
		for name, a := range r.MessageAttributes {
			if a.StringValue != nil {
				named[name] = *a.StringValue
			}
		}
		b.deliveries = append(b.deliveries, codec.Open(ctx, q, aws.DeliveryOf(r.Body, r.ReceiptHandle, r.Attributes, named)))
		b.ids = append(b.ids, r.MessageId)
	}
	return b
}

// answer tells Lambda what is not done; it removes the rest. What failed is hidden until it is worth trying again.
func (b *batch) answer(ctx context.Context) events.SQSEventResponse {
	b.putBack(ctx)
	return events.SQSEventResponse{BatchItemFailures: b.failures()}
}

// failures is never nil: as null it would mean to some that nothing is done.
func (b *batch) failures() []events.SQSBatchItemFailure {
	failures := []events.SQSBatchItemFailure{}
	for i, o := range b.outcomes {
		if !o.Ack {
			failures = append(failures, events.SQSBatchItemFailure{ItemIdentifier: b.ids[i]})
		}
	}
	return failures
}

// settle does what Lambda would do with an answer, for a process that will not answer.
func (b *batch) settle(ctx context.Context) {
	b.remove(context.WithoutCancel(ctx))
	b.putBack(ctx)
}

// remove removes what is done without waiting for an answer, which may be late or never come. What it cannot remove it tries
// again when it is called again, and the answer removes it in any case.
func (b *batch) remove(ctx context.Context) {
	var done []backend.Delivery
	var at []int
	for i, o := range b.outcomes {
		if o.Ack && !b.removed[i] {
			done, at = append(done, b.deliveries[i]), append(at, i)
		}
	}
	if len(done) == 0 {
		return
	}
	if err := b.queue.Ack(ctx, done); err != nil {
		b.log.Warn("messages that are done cannot be removed now, and may come again", "error", err)
		return
	}
	for _, i := range at {
		b.removed[i] = true
	}
}

func (b *batch) putBack(ctx context.Context) {
	ctx, cancel := settling(ctx)
	defer cancel()
	for i, o := range b.outcomes {
		if o.Ack {
			continue
		}
		if o.Foreign {
			o.Retry = foreignPause(b.deliveries[i].Receives)
		}
		// Without it the message comes back all the same, only later.
		if err := b.queue.Defer(ctx, b.deliveries[i], o.Retry); err != nil {
			b.log.Warn("a message cannot be put back early", "error", err)
		}
	}
}

// foreignPause is how long a message rests that this version cannot read, before it is received again and, in the end, goes
// to the dead-letter queue. A version that can read it may be on its way, so the pauses grow: to a minute, which makes an
// hour and more of a hundred receives.
func foreignPause(receives int) time.Duration {
	return min(max(time.Duration(receives), 1)*time.Second, time.Minute)
}
