package aws

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

var _ backend.Queue = (*queue)(nil)

// Limits of SQS.
const (
	maxBatchBytes = 1 << 20          // of all messages of a SendMessageBatch
	maxPoll       = 20 * time.Second // of WaitTimeSeconds
)

type queue struct {
	client  sqsCalls
	name    string
	url     string
	ordered bool
}

func newQueue(client sqsCalls, name, url string, ordered bool) backend.Queue {
	if url == "" {
		return nil
	}
	return &queue{client, name, url, ordered}
}

// Send sends the batches one after the other, to keep their order.
func (q *queue) Send(ctx context.Context, messages []backend.Message) []error {
	errs := make([]error, len(messages))
	for _, batch := range q.batches(messages, errs) {
		q.sendBatch(ctx, batch, errs)
	}
	failed := false
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("send to %s: %w", q.name, err)
			failed = true
		}
	}
	if !failed {
		return nil
	}
	return errs
}

// batches cuts the messages into what one call takes, without those that it refuses in errs.
func (q *queue) batches(messages []backend.Message, errs []error) [][]types.SendMessageBatchRequestEntry {
	var batches [][]types.SendMessageBatchRequestEntry
	var batch []types.SendMessageBatchRequestEntry
	size := 0
	for i, m := range messages {
		if errs[i] = backend.CheckMessage(m, q.ordered); errs[i] != nil {
			continue
		}
		e := encodeMessage(i, m, q.ordered)
		n := sizeOf(e)
		if len(batch) == backend.MaxBatch || size+n > maxBatchBytes {
			batches = append(batches, batch)
			batch, size = nil, 0
		}
		batch = append(batch, e)
		size += n
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}

// sendBatch fills in the errors of the batch's messages; the id of an entry is the message's position.
func (q *queue) sendBatch(ctx context.Context, batch []types.SendMessageBatchRequestEntry, errs []error) {
	fates := fatesOf(batch, func(e types.SendMessageBatchRequestEntry) *string { return e.Id })
	if err := ctx.Err(); err != nil {
		fates.all(err)
	} else if out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: batch}); err != nil {
		fates.all(explained(ctx, err))
	} else {
		for _, e := range out.Successful {
			fates.set(e.Id, nil)
		}
		fates.fail(out.Failed)
	}
	for id, err := range fates {
		position, _ := strconv.Atoi(id)
		errs[position] = err
	}
}

// Receive waits in polls of at most 20 seconds; SQS counts in seconds, so that wait is rounded up to the next.
func (q *queue) Receive(ctx context.Context, max int, wait time.Duration) ([]backend.Delivery, error) {
	if err := refused(ctx, backend.CheckReceive(max)); err != nil {
		return nil, fmt.Errorf("receive from %s: %w", q.name, err)
	}
	until := time.Now().Add(wait)
	for {
		deliveries, err := q.poll(ctx, max, min(wait, maxPoll))
		if err != nil {
			return nil, fmt.Errorf("receive from %s: %w", q.name, explained(ctx, err))
		}
		if wait = time.Until(until); len(deliveries) > 0 || wait <= 0 {
			return deliveries, nil
		}
	}
}

func (q *queue) poll(ctx context.Context, max int, wait time.Duration) ([]backend.Delivery, error) {
	in := &sqs.ReceiveMessageInput{
		QueueUrl:            &q.url,
		MaxNumberOfMessages: int32(max),
		WaitTimeSeconds:     seconds(wait),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
			types.MessageSystemAttributeNameMessageGroupId,
			types.MessageSystemAttributeNameMessageDeduplicationId,
		},
		MessageAttributeNames: []string{idAttribute, groupAttribute, unnamedAttribute},
	}
	if q.ordered {
		// When the answer is lost and the SDK asks again, it gets the same messages; otherwise their groups would be locked
		// until the visibility ends.
		in.ReceiveRequestAttemptId = sdk.String(rand.Text())
	}
	out, err := q.client.ReceiveMessage(ctx, in)
	if err != nil {
		return nil, err
	}
	var deliveries []backend.Delivery
	for _, m := range out.Messages {
		deliveries = append(deliveries, decodeMessage(m))
	}
	return deliveries, nil
}

func (q *queue) Ack(ctx context.Context, deliveries []backend.Delivery) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ack to %s: %w", q.name, err)
	}
	var errs []error
	for batch := range slices.Chunk(deliveries, backend.MaxBatch) {
		errs = append(errs, q.ackBatch(ctx, batch))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("ack to %s: %w", q.name, err)
	}
	return nil
}

func (q *queue) ackBatch(ctx context.Context, deliveries []backend.Delivery) error {
	var entries []types.DeleteMessageBatchRequestEntry
	for i, d := range deliveries {
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: sdk.String(strconv.Itoa(i)), ReceiptHandle: &d.Receipt})
	}
	out, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return explained(ctx, err)
	}
	fates := fatesOf(entries, func(e types.DeleteMessageBatchRequestEntry) *string { return e.Id })
	for _, e := range out.Successful {
		fates.set(e.Id, nil)
	}
	fates.fail(out.Failed)
	var errs []error
	for i := range deliveries {
		if err := fates[strconv.Itoa(i)]; err != nil && !outdated(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (q *queue) Defer(ctx context.Context, d backend.Delivery, visibility time.Duration) error {
	if err := refused(ctx, backend.CheckDefer(visibility)); err != nil {
		return fmt.Errorf("defer in %s: %w", q.name, err)
	}
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.url, ReceiptHandle: &d.Receipt, VisibilityTimeout: seconds(visibility),
	})
	if err != nil && !outdated(err) {
		return fmt.Errorf("defer in %s: %w", q.name, explained(ctx, err))
	}
	return nil
}

// fates are the outcomes of a batch's entries, by their ids.
type fates map[string]error

func fatesOf[E any](entries []E, id func(E) *string) fates {
	f := fates{}
	for _, e := range entries {
		f[*id(e)] = errUnanswered
	}
	return f
}

func (f fates) all(err error) {
	for id := range f {
		f[id] = err
	}
}

func (f fates) set(id *string, err error) {
	if _, ours := f[sdk.ToString(id)]; ours {
		f[*id] = err
	}
}

func (f fates) fail(failed []types.BatchResultErrorEntry) {
	for _, e := range failed {
		fault := smithy.FaultServer
		if e.SenderFault {
			fault = smithy.FaultClient
		}
		f.set(e.Id, &smithy.GenericAPIError{Code: sdk.ToString(e.Code), Message: sdk.ToString(e.Message), Fault: fault})
	}
}
