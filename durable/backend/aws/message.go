package aws

import (
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// Message attributes.
const (
	idAttribute      = "id"
	groupAttribute   = "group"
	unnamedAttribute = "unnamed"
)

// emptyBody is no base64, and stands for an empty body, which SQS refuses.
const emptyBody = "="

// encodeMessage is the message at a position of a Send.
func encodeMessage(position int, m backend.Message, ordered bool) types.SendMessageBatchRequestEntry {
	e := types.SendMessageBatchRequestEntry{
		Id:           sdk.String(strconv.Itoa(position)),
		MessageBody:  sdk.String(encodeBody(m.Body)),
		DelaySeconds: seconds(m.Delay),
	}
	if m.Group != "" {
		e.MessageGroupId = &m.Group
	}
	if !ordered {
		attach(&e, idAttribute, m.ID)
		attach(&e, groupAttribute, m.Group)
		return e
	}
	if m.ID == "" {
		m.ID = rand.Text()
		attach(&e, unnamedAttribute, "1")
	}
	e.MessageDeduplicationId = &m.ID
	return e
}

func attach(e *types.SendMessageBatchRequestEntry, name, value string) {
	if value == "" {
		return // SQS refuses an empty one
	}
	if e.MessageAttributes == nil {
		e.MessageAttributes = map[string]types.MessageAttributeValue{}
	}
	e.MessageAttributes[name] = types.MessageAttributeValue{DataType: sdk.String("String"), StringValue: &value}
}

// sizeOf is what SQS counts: the body, and name, type and value of each message attribute.
func sizeOf(e types.SendMessageBatchRequestEntry) int {
	n := len(*e.MessageBody)
	for name, a := range e.MessageAttributes {
		n += len(name) + len(*a.DataType) + len(*a.StringValue)
	}
	return n
}

// DeliveryOf returns the delivery that a record of SQS stands for, however it was received: attributes are the system's,
// such as ApproximateReceiveCount, messageAttributes those of the message whose values are strings. Lambda hands records
// to a function in this form. A body that this package did not write is delivered as it is.
func DeliveryOf(body, receipt string, attributes, messageAttributes map[string]string) backend.Delivery {
	d := backend.Delivery{
		Message: backend.Message{
			ID:    attributes[string(types.MessageSystemAttributeNameMessageDeduplicationId)],
			Group: attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
			Body:  decodeBody(body),
		},
		Receipt: receipt,
	}
	d.Receives, _ = strconv.Atoi(attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if id, ok := messageAttributes[idAttribute]; ok {
		d.ID = id
	}
	if group, ok := messageAttributes[groupAttribute]; ok {
		d.Group = group
	}
	if messageAttributes[unnamedAttribute] != "" {
		d.ID = ""
	}
	return d
}

func decodeMessage(m types.Message) backend.Delivery {
	named := make(map[string]string, len(m.MessageAttributes))
	for name, a := range m.MessageAttributes {
		named[name] = sdk.ToString(a.StringValue)
	}
	return DeliveryOf(sdk.ToString(m.Body), sdk.ToString(m.ReceiptHandle), m.Attributes, named)
}

func encodeBody(body []byte) string {
	if len(body) == 0 {
		return emptyBody
	}
	return base64.StdEncoding.EncodeToString(body)
}

func decodeBody(body string) []byte {
	if body == emptyBody {
		return nil
	}
	// The decoder would skip line ends, which encodeBody never writes.
	decoded, err := base64.StdEncoding.Strict().DecodeString(body)
	if err != nil || strings.ContainsAny(body, "\r\n") {
		return []byte(body)
	}
	return decoded
}

// seconds rounds up to what SQS counts in.
func seconds(d time.Duration) int32 { return int32((d + time.Second - 1) / time.Second) }
