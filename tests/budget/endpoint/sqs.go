package endpoint

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// posted is a message as it is sent.
type posted struct {
	ID                string `json:"Id,omitempty"`
	MessageBody       string
	DelaySeconds      int                        `json:",omitempty"`
	MessageGroup      string                     `json:"MessageGroupId,omitempty"`
	Deduplication     string                     `json:"MessageDeduplicationId,omitempty"`
	MessageAttributes map[string]json.RawMessage `json:",omitempty"`
}

type sqsRequest struct {
	QueueURL            string `json:"QueueUrl"`
	Entries             []json.RawMessage
	MaxNumberOfMessages int
	WaitTimeSeconds     int
	ReceiptHandle       string
	VisibilityTimeout   int
}

func (e *Endpoint) sqs(r *http.Request, operation string, body []byte) (*http.Response, error) {
	var q sqsRequest
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	name := q.QueueURL[strings.LastIndex(q.QueueURL, "/")+1:]
	queue := e.queues[name]
	if queue == nil {
		return fault(r, "QueueDoesNotExist", "there is no queue "+name)
	}
	switch operation {
	case "SendMessageBatch":
		return e.send(r, name, queue, q.Entries)
	case "ReceiveMessage":
		return e.receive(r, name, queue, q)
	case "DeleteMessageBatch":
		e.charge(operation, name, 0)
		return remove(r, queue, q.Entries)
	case "ChangeMessageVisibility":
		e.charge(operation, name, 0)
		if err := queue.Defer(r.Context(), backend.Delivery{Receipt: q.ReceiptHandle}, time.Duration(q.VisibilityTimeout)*time.Second); err != nil {
			return fault(r, "InvalidParameterValue", err.Error())
		}
		return answer(r, http.StatusOK, struct{}{})
	}
	return nil, fmt.Errorf("endpoint: SQS has no %s here", operation)
}

// charge bills a request: each 64 KB of it are one.
func (e *Endpoint) charge(operation, queue string, bytes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bill.Requests["SQS."+operation]++
	if n := units(bytes, sqsChunk); strings.HasSuffix(queue, ".fifo") {
		e.bill.FIFO += n
	} else {
		e.bill.Standard += n
	}
}

// Poll bills what Lambda's pollers do for a batch that a function has handled: a receive of so many bytes, and a delete.
func (e *Endpoint) Poll(queue string, bytes int) {
	e.charge("ReceiveMessage", queue, bytes)
	e.charge("DeleteMessageBatch", queue, 0)
}

func (e *Endpoint) send(r *http.Request, name string, queue backend.Queue, entries []json.RawMessage) (*http.Response, error) {
	var messages []backend.Message
	var ids []string
	var sums []any
	size := 0
	for _, raw := range entries {
		var m posted
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, err
		}
		size += len(m.MessageBody)
		for k, v := range m.MessageAttributes {
			size += len(k) + len(v)
		}
		ids = append(ids, m.ID)
		sum := map[string]string{"Id": m.ID, "MessageId": m.ID, "MD5OfMessageBody": md5Of(m.MessageBody)}
		sums = append(sums, sum)
		b := backend.Message{ID: m.Deduplication, Group: m.MessageGroup, Delay: time.Duration(m.DelaySeconds) * time.Second}
		m.ID, m.DelaySeconds = "", 0
		b.Body = e.keep(m)
		messages = append(messages, b)
	}
	e.charge("SendMessageBatch", name, size)
	errs := queue.Send(r.Context(), messages)
	successful, failed := []any{}, []any{}
	for i := range messages {
		if errs != nil && errs[i] != nil {
			failed = append(failed, map[string]any{"Id": ids[i], "Code": "InvalidParameterValue", "Message": errs[i].Error(), "SenderFault": true})
		} else {
			successful = append(successful, sums[i])
		}
	}
	return answer(r, http.StatusOK, map[string]any{"Successful": successful, "Failed": failed})
}

// keep returns what stands for a message in a queue, which has its own limits.
func (e *Endpoint) keep(m posted) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.letters = append(e.letters, m)
	return []byte(strconv.Itoa(len(e.letters) - 1))
}

func (e *Endpoint) kept(token []byte) posted {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, _ := strconv.Atoi(string(token))
	return e.letters[n]
}

func md5Of(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (e *Endpoint) receive(r *http.Request, name string, queue backend.Queue, q sqsRequest) (*http.Response, error) {
	batch, err := queue.Receive(r.Context(), max(q.MaxNumberOfMessages, 1), time.Duration(q.WaitTimeSeconds)*time.Second)
	if err != nil {
		return nil, err
	}
	out, size := []any{}, 0
	for _, d := range batch {
		m := e.kept(d.Body)
		size += len(m.MessageBody)
		attributes := map[string]string{"ApproximateReceiveCount": strconv.Itoa(d.Receives)}
		if m.MessageGroup != "" {
			attributes["MessageGroupId"] = m.MessageGroup
		}
		if m.Deduplication != "" {
			attributes["MessageDeduplicationId"] = m.Deduplication
		}
		out = append(out, map[string]any{"MessageId": d.Receipt, "ReceiptHandle": d.Receipt, "Body": m.MessageBody, "MD5OfBody": md5Of(m.MessageBody),
			"Attributes": attributes, "MessageAttributes": m.MessageAttributes})
	}
	e.charge("ReceiveMessage", name, size)
	return answer(r, http.StatusOK, map[string]any{"Messages": out})
}

func remove(r *http.Request, queue backend.Queue, entries []json.RawMessage) (*http.Response, error) {
	var successful []any
	var deliveries []backend.Delivery
	for _, raw := range entries {
		var d struct {
			ID            string `json:"Id"`
			ReceiptHandle string
		}
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, err
		}
		deliveries = append(deliveries, backend.Delivery{Receipt: d.ReceiptHandle})
		successful = append(successful, map[string]string{"Id": d.ID})
	}
	if err := queue.Ack(r.Context(), deliveries); err != nil {
		return nil, err
	}
	return answer(r, http.StatusOK, map[string]any{"Successful": successful, "Failed": []any{}})
}
