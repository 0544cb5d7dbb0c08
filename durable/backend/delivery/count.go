package delivery

import "time"

// Counts says where the messages of a queue are.
type Counts struct {
	// Ready messages can be received now.
	Ready int
	// Held messages are visible, but others of their group are in flight, or their group is not looked at yet.
	Held int
	// InFlight messages were handed out and are neither acknowledged nor visible again.
	InFlight int
	// Delayed messages were not due yet.
	Delayed int
}

// Total is the number of messages that are not acknowledged.
func (c Counts) Total() int { return c.Ready + c.Held + c.InFlight + c.Delayed }

// Counts counts the messages as they are now.
func (s *Schedule) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.opts.Now())
	c := Counts{InFlight: len(s.hidden) - s.delayed, Delayed: s.delayed}
	for _, l := range s.lanes {
		if l.inFlight > 0 || l.queued && !s.inSight(l) {
			c.Held += len(l.waiting)
		}
	}
	c.Ready = len(s.entries) - len(s.hidden) - c.Held
	return c
}

// Next returns when the next hidden message becomes visible, which is later than now; false when none is hidden.
func (s *Schedule) Next() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.opts.Now())
	return s.next()
}

func (s *Schedule) next() (time.Time, bool) {
	if len(s.hidden) == 0 {
		return time.Time{}, false
	}
	return s.hidden[0].until, true
}
