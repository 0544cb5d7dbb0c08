package backend

import (
	"context"
	"time"
)

// Message is what a queue carries.
type Message struct {
	// ID is the message's identity for deduplication within some minutes, where the queue does that (the inbox). It is a
	// courtesy, never a promise. At most MaxIDLength printable ASCII characters. Empty: never deduplicated.
	ID string
	// Group orders messages on a queue that keeps order (the inbox) and makes others fair. At most MaxIDLength printable ASCII characters.
	Group string
	// Body is at most MaxMessageBody bytes of anything.
	Body []byte
	// Delay, at most MaxDelay, is how long the message stays hidden. Queues that keep order refuse a delay.
	Delay time.Duration
}

// Delivery is a message handed out by Receive, hidden from other receivers until its visibility ends.
type Delivery struct {
	Message
	// Receipt names this delivery to Ack and Defer.
	Receipt string
	// Receives counts the deliveries of this message, this one included, as far as the queue knows.
	Receives int
	// Err, when set, is why Body cannot be decoded: it is as it was sent then. Package codec sets it.
	Err error
}

// Queue delivers each message at least once: a message that is not acknowledged before its visibility ends is delivered
// again.
type Queue interface {
	// Send appends messages, any number of them, in order. It returns nil, or one error (or nil) for each message. A nil
	// entry means that the message is durable; an error means its fate is unknown. Sending the same message again is
	// always allowed.
	Send(ctx context.Context, messages []Message) []error
	// Receive returns up to max (at most MaxBatch) messages. With none ready it waits up to wait and returns none;
	// a wait of zero never blocks. When ctx ends it returns ctx's error.
	Receive(ctx context.Context, max int, wait time.Duration) ([]Delivery, error)
	// Ack removes deliveries for good. An out-of-date receipt is no error, and may or may not remove the message.
	Ack(ctx context.Context, deliveries []Delivery) error
	// Defer ends the visibility of a delivery after d from now, at most MaxVisibility; zero makes it ready at once.
	// An out-of-date receipt is no error and changes nothing.
	Defer(ctx context.Context, delivery Delivery, d time.Duration) error
}

// Blobs stores payloads that are too large for an item. A blob's content never changes: the key contains its hash.
// Put is durable when it returns nil; Get of what is not there returns an error that wraps ErrNoBlob.
type Blobs interface {
	Put(ctx context.Context, key string, data []byte) error
	Get(ctx context.Context, key string) ([]byte, error)
	Delete(ctx context.Context, key string) error
	// List returns, in the order of their bytes, up to limit of the keys that begin with prefix and are greater than after.
	// An empty prefix is that of all keys. Fewer than limit means that there are no more. Limit must be positive. Like
	// Get it sees every Put and Delete that returned before it was called.
	List(ctx context.Context, prefix, after string, limit int) ([]BlobInfo, error)
}

// BlobInfo is what List knows of a blob.
type BlobInfo struct {
	Key string
	// Size is the number of bytes that are stored.
	Size int64
	// Modified is when the blob was put last, by the clock of where it is stored, at least to the second.
	Modified time.Time
}
