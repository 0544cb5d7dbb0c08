package memory

import (
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/delivery"
)

// Queues counts the messages of each queue.
type Queues struct{ Inbox, Wake, Activities delivery.Counts }

// Total is the number of messages in all queues.
func (q Queues) Total() int { return q.Inbox.Total() + q.Wake.Total() + q.Activities.Total() }

// Ready is the number of messages that can be received now, in all queues.
func (q Queues) Ready() int { return q.Inbox.Ready + q.Wake.Ready + q.Activities.Ready }

// Queues returns where the messages are now.
func (b *Backend) Queues() Queues {
	return Queues{Inbox: b.inbox.schedule.Counts(), Wake: b.wake.schedule.Counts(), Activities: b.activities.schedule.Counts()}
}

// NextDue returns the earliest time later than now at which a message becomes visible in any queue, because its delay or
// its visibility ends; false when no message is hidden. A simulator advances its clock to it when nothing is ready.
func (b *Backend) NextDue() (time.Time, bool) {
	var earliest time.Time
	found := false
	for _, q := range []*queue{b.inbox, b.wake, b.activities} {
		if due, ok := q.schedule.Next(); ok && (!found || due.Before(earliest)) {
			earliest, found = due, true
		}
	}
	return earliest, found
}

// Items returns every item of the table, ordered by key.
func (b *Backend) Items() []backend.Item { return b.table.all() }

// DeleteExpired removes the items whose Expires is not after now, as DynamoDB does some day, and returns how many.
func (b *Backend) DeleteExpired() int { return b.table.deleteExpired(b.now()) }
