package aws

import "github.com/durable-lambda/durable-lambda/durable/backend"

// For the tests in package aws_test.
var (
	IndexSort  = indexSort
	SortOf     = sortOf
	EncodeBody = encodeBody
	EncodeItem = encodeItem
	DecodeItem = decodeItem
)

// Entry is what the tests want to know of a message as it is sent.
type Entry struct {
	ID, Body, Dedup, Group string
	Delay                  int32
	Attributes             map[string]string
}

// Batches are the calls that a Send would make.
func Batches(messages []backend.Message, ordered bool) [][]Entry {
	q := &queue{name: "test", ordered: ordered}
	var all [][]Entry
	for _, batch := range q.batches(messages, make([]error, len(messages))) {
		var entries []Entry
		for _, e := range batch {
			entry := Entry{ID: *e.Id, Body: *e.MessageBody, Delay: e.DelaySeconds}
			if e.MessageDeduplicationId != nil {
				entry.Dedup = *e.MessageDeduplicationId
			}
			if e.MessageGroupId != nil {
				entry.Group = *e.MessageGroupId
			}
			for name, a := range e.MessageAttributes {
				if entry.Attributes == nil {
					entry.Attributes = map[string]string{}
				}
				entry.Attributes[name] = *a.StringValue
			}
			entries = append(entries, entry)
		}
		all = append(all, entries)
	}
	return all
}
