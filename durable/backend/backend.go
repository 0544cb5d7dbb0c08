// Package backend defines the three ports that everything durable stands on: a Table of ordered items with
// conditional puts, a Queue of messages, and Blobs.
//
// The model is DynamoDB's and SQS's, reduced to what the protocol needs, so that an adapter stays thin: it stores,
// compares and hands out, and decides nothing. What the items and messages mean is the business of package store.
// Package backendtest holds the conformance suite that every adapter passes.
package backend

import (
	"errors"
	"time"
)

var (
	// ErrClosed is returned by an adapter that has been closed.
	ErrClosed = errors.New("backend: closed")
	// ErrNoBlob is wrapped by Blobs.Get when there is no such blob.
	ErrNoBlob = errors.New("backend: no such blob")
)

// Backend is one task hub's storage: a table, its queues and its blobs. All of them are safe for concurrent use.
type Backend struct {
	Table Table
	// Inbox carries what orchestrations consume. Messages of one group are delivered in the order they were sent, and
	// while some are out none of the same group is delivered, wherever the adapter can promise it; the protocol stays
	// correct where it cannot.
	Inbox Queue
	// Wake carries starts and delayed timers. No order is promised.
	Wake Queue
	// Activities carries the work of activities. No order is promised.
	Activities Queue
	Blobs      Blobs
	// Dead has the dead-letter queues, where an adapter has any.
	Dead Dead
}

// Dead are the queues that messages of the others go to when they were delivered too often. One is nil where its queue
// never gives up, or where nobody is to look. They hand out what they hold as it was sent, and are sent to by nobody.
type Dead struct{ Inbox, Wake, Activities Queue }

// Limits that every adapter enforces, so that a program which runs on a laptop also runs on AWS.
const (
	MaxPartitionKey = 2048             // bytes; DynamoDB's limit of a partition key
	MaxSortKey      = 1024             // bytes; DynamoDB's limit of a sort key
	MaxItemValue    = 380 << 10        // bytes of an item's value; DynamoDB's items hold 400 KB with keys and attributes
	MaxMessageBody  = 190 << 10        // bytes of a message's body; SQS has 256 KiB in base64 and attributes on older queues
	MaxBatch        = 10               // messages of one Send that travel together, and the most one Receive returns; SQS's batch
	MaxDelay        = 15 * time.Minute // longest Message.Delay; SQS's DelaySeconds
	MaxVisibility   = 11 * time.Hour   // longest Defer; SQS allows 12 hours, the time since the receive included
	MaxIDLength     = 128              // bytes of Message.ID and Message.Group, printable ASCII; SQS's limit
)
