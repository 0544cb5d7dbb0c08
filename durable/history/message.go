package history

import "time"

// Message is what travels through a queue: one event on its way into a history, or a command on its way out of one.
type Message struct {
	// ID is the identity by which queues deduplicate: see docs/format.md for how it is made.
	ID          string
	Instance    string
	Incarnation string
	Generation  uint64
	Event       Event
	// Attempt of an activity, from 1.
	Attempt uint32
	// Sent is when the message was first sent.
	Sent time.Time
	// Waiting is since when an activity that nobody has registered is being re-sent.
	Waiting time.Time
	// Pending is since when an attempt of an activity is under way elsewhere, or by when its body must have come to an end: this message asks for nothing but that somebody
	// looks whether it is over. With a failure in its event, it reports that.
	Pending time.Time
	// Replaces is, in a start, the version of the status row that it replaces; nil when there was none.
	Replaces *Version
	// Number is, in a Continued message, the number of the segment that is to be written.
	Number uint64
	// Redrives is how often the message came back from a dead-letter queue.
	Redrives uint32
}

// Version names one version of a status row.
type Version struct {
	Incarnation        string
	Generation, Number uint64
}
