// Package memory is the executable specification of the ports: a backend in memory, exact where the contract leaves room,
// and deterministic. Tests and the simulator run on it.
//
// Its index is never behind, its queues deliver a message once unless its visibility ends, an out-of-date receipt does
// nothing, and an expired item stays until DeleteExpired. Time is what Options.Now says; nothing but a Receive that waits
// uses a timer.
package memory

import (
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/backend/delivery"
)

// Defaults of Options, the same as those of a deployed hub's queues, and the deduplication window of SQS FIFO.
const (
	DefaultVisibility         = 30 * time.Second
	DefaultActivityVisibility = 6 * time.Minute
	DedupWindow               = 5 * time.Minute
)

// Options of a Backend. The zero value works.
type Options struct {
	// Now is the clock; nil is time.Now. It must not go back.
	Now func() time.Time
	// Visibility is how long a delivery from the inbox or the wake queue is hidden; zero is DefaultVisibility.
	Visibility time.Duration
	// ActivityVisibility is the same of the activities queue; zero is DefaultActivityVisibility.
	ActivityVisibility time.Duration
	// Unordered makes the inbox a standard queue: no order, no group lock, no deduplication. It still refuses what an
	// ordered inbox refuses.
	Unordered bool
	// LookAhead is among how many messages, the oldest ones, an ordered inbox finds the groups that it hands out: SQS looks
	// at 120,000. Zero is all.
	LookAhead int
	// Pick chooses, among n candidates, which one Receive hands out next, 0 <= Pick(n) < n: the messages that are ready, or
	// the groups of an ordered inbox. Nil takes the one that has been ready longest. It is called with a lock held.
	Pick func(n int) int
}

// Backend holds everything in memory. It is safe for concurrent use.
type Backend struct {
	table                   *table
	inbox, wake, activities *queue
	blobs                   *blobs
	now                     func() time.Time
}

// New returns an empty Backend.
func New(o Options) *Backend {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Visibility == 0 {
		o.Visibility = DefaultVisibility
	}
	if o.ActivityVisibility == 0 {
		o.ActivityVisibility = DefaultActivityVisibility
	}
	standard := delivery.Options{Now: o.Now, Visibility: o.Visibility, Pick: o.Pick}
	inbox, activities := standard, standard
	activities.Visibility = o.ActivityVisibility
	if !o.Unordered {
		inbox.Grouped, inbox.Dedup, inbox.LookAhead = true, DedupWindow, o.LookAhead
	}
	return &Backend{
		table:      newTable(),
		inbox:      newQueue("inbox", true, inbox),
		wake:       newQueue("wake", false, standard),
		activities: newQueue("activities", false, activities),
		blobs:      &blobs{now: o.Now, data: map[string]blob{}},
		now:        o.Now,
	}
}

// Backend returns the ports. Every call returns the same ones.
func (b *Backend) Backend() backend.Backend {
	return backend.Backend{Table: b.table, Inbox: b.inbox, Wake: b.wake, Activities: b.activities, Blobs: b.blobs}
}
