// Package delivery decides which message of a queue is handed out next, and until when it is hidden. It owns order, group
// locks, visibility, delays, deduplication and waiting; it knows neither bodies nor storage, so that the embedded adapters
// share one definition of what a queue does.
package delivery

import (
	"container/heap"
	"sync"
	"time"
)

// Options say what kind of queue a Schedule is.
type Options struct {
	// Now is the clock. It must not go back.
	Now func() time.Time
	// Visibility is how long a message taken is hidden.
	Visibility time.Duration
	// Grouped keeps the messages of one group in order, and holds a group back while some of it are in flight.
	Grouped bool
	// LookAhead is among how many messages, the oldest ones that are not acknowledged, a group must have one to be found;
	// zero is all. Only a Grouped schedule has it.
	LookAhead int
	// Dedup is how long a message's id is remembered; zero is not at all.
	Dedup time.Duration
	// Pick chooses who goes next among n candidates: messages, or groups when Grouped. Nil takes the
	// one that became ready first. It is called with a lock held.
	Pick func(n int) int
	// Salt begins every receipt, so that one from before a restart names nothing after it.
	Salt string
}

// Entry is a message as its Schedule sees it. Seq is unique, and is the order of messages that were sent one after the other.
type Entry struct {
	Seq       uint64
	ID, Group string
	// Due is when the message may be delivered first.
	Due time.Time
}

// Taken is a message handed out.
type Taken struct {
	Seq      uint64
	Receipt  string
	Receives int
}

// Schedule holds the messages of one queue that were sent and not acknowledged. It is safe for concurrent use.
type Schedule struct {
	opts Options

	mu      sync.Mutex
	closed  bool
	waiting []*waiter
	rung    int         // of those who waited, that were woken and have not looked yet
	alarm   *time.Timer // rings at alarmAt
	alarmAt time.Time
	entries map[uint64]*message
	hidden  hiddenHeap
	ready   []*lane
	lanes   map[string]*lane
	seen    seenIDs
	delayed int
}

type message struct {
	Entry
	lane     *lane
	until    time.Time // when in the hidden heap
	place    int       // in the hidden heap
	taken    bool      // hidden because it was handed out, not because it is delayed
	receives int
}

// lane is a group of a grouped queue; on any other queue each message has one of its own.
type lane struct {
	group    string
	waiting  seqHeap // visible messages
	inFlight int
	queued   bool // in Schedule.ready
}

// New returns an empty Schedule.
func New(o Options) *Schedule {
	return &Schedule{opts: o, entries: map[uint64]*message{}, lanes: map[string]*lane{}}
}

// Add puts a message in its place. It reports false, and does nothing, for a duplicate.
func (s *Schedule) Add(e Entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	if s.seen.has(e.ID, now) {
		return false
	}
	if s.opts.Dedup > 0 && e.ID != "" {
		s.seen.add(e.ID, now.Add(s.opts.Dedup))
	}
	m := &message{Entry: e, lane: s.laneOf(e.Group)}
	s.entries[e.Seq] = m
	if e.Due.After(now) {
		s.delayed++
		s.hide(m, e.Due)
	} else {
		s.show(m)
	}
	s.ring()
	return true
}

// Known reports whether a message of this id was added within the deduplication window.
func (s *Schedule) Known(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.has(id, s.opts.Now())
}

// Take hands out up to max messages and hides them. A group's messages come together and in order.
func (s *Schedule) Take(max int) []Taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(max, s.opts.Now())
}

func (s *Schedule) take(max int, now time.Time) []Taken {
	s.advance(now)
	var taken []Taken
	for len(taken) < max && (len(taken) == 0 || len(s.waiting) == 0) { // others who wait get the next group
		l := s.pick()
		if l == nil {
			break
		}
		for len(taken) < max && len(l.waiting) > 0 {
			m := heap.Pop(&l.waiting).(*message)
			m.receives++
			m.taken = true
			l.inFlight++
			s.hide(m, now.Add(s.opts.Visibility))
			taken = append(taken, Taken{m.Seq, s.receipt(m), m.receives})
		}
	}
	return taken
}

// Done removes the message that receipt names. It reports false, and does nothing, when the receipt is out of date.
func (s *Schedule) Done(receipt string) (seq uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.inFlight(receipt, s.opts.Now())
	if m == nil {
		return 0, false
	}
	heap.Remove(&s.hidden, m.place)
	delete(s.entries, m.Seq)
	s.unlock(m)
	s.ring()
	return m.Seq, true
}

// Defer ends the visibility of the message that receipt names after d. It reports false, and does nothing, when the
// receipt is out of date.
func (s *Schedule) Defer(receipt string, d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	m := s.inFlight(receipt, now)
	if m == nil {
		return false
	}
	defer s.ring()
	heap.Remove(&s.hidden, m.place)
	if d > 0 {
		s.hide(m, now.Add(d))
		return true
	}
	s.show(m)
	s.unlock(m)
	return true
}
