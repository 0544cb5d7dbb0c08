package awslambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/aws/aws-lambda-go/events"

	"github.com/durable-lambda/durable-lambda/durable"
)

// Message is a message of a queue of the application's.
type Message struct {
	// ID is SQS's: the same each time that the message is delivered.
	ID   string
	Body string
	// Attributes are those that are text or numbers.
	Attributes map[string]string
	// Group is that of a queue which keeps order.
	Group string
}

func messageOf(r events.SQSMessage) Message {
	m := Message{ID: r.MessageId, Body: r.Body, Attributes: map[string]string{}, Group: r.Attributes["MessageGroupId"]}
	for name, a := range r.MessageAttributes {
		if a.StringValue != nil {
			m.Attributes[name] = *a.StringValue
		}
	}
	return m
}

// Reject marks the error of a message that can never be handled: it goes to the queue that DURABLE_REJECTED_URL names at once, with the
// error as its attribute "reason", instead of being delivered again. So do errors that are durable.ErrInvalid.
func Reject(err error) error {
	if err == nil {
		return nil
	}
	return &rejected{err}
}

type rejected struct{ error }

func (r *rejected) Unwrap() error { return r.error }

func isRejected(err error) bool {
	var r *rejected
	return errors.As(err, &r) || errors.Is(err, durable.ErrInvalid)
}

const (
	// reasonAttribute is what a message that was rejected has beside its own attributes.
	reasonAttribute = "reason"
	// maxReason is how much of a reason is kept; maxAttributes how many a message may have, as SQS has it.
	maxReason, maxAttributes = 1000, 10
)

// rejectTo returns what sends a message that was rejected to a queue; nil when there is none.
func rejectTo(cfg sdk.Config, url string) func(context.Context, Message, error) error {
	if url == "" {
		return nil
	}
	client := sqs.NewFromConfig(cfg)
	return func(ctx context.Context, m Message, why error) error {
		in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &m.Body, MessageAttributes: map[string]types.MessageAttributeValue{}}
		text := sdk.String("String")
		for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
			if value := m.Attributes[name]; len(in.MessageAttributes) < maxAttributes-1 && value != "" {
				in.MessageAttributes[name] = types.MessageAttributeValue{DataType: text, StringValue: &value}
			}
		}
		reason := plain(why.Error())
		in.MessageAttributes[reasonAttribute] = types.MessageAttributeValue{DataType: text, StringValue: &reason}
		if strings.HasSuffix(url, ".fifo") {
			in.MessageGroupId, in.MessageDeduplicationId = &m.Group, &m.ID
		}
		if _, err := client.SendMessage(ctx, in); err != nil {
			return fmt.Errorf("it cannot be sent to the queue of what was rejected: %w", err)
		}
		return nil
	}
}

// plain is a text as SQS takes it: no control characters, and not too long.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0xfffe && r <= 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > maxReason {
		return strings.ToValidUTF8(s[:maxReason], "")
	}
	return s
}
