package delivery

import (
	"container/heap"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Schedule) laneOf(group string) *lane {
	if !s.opts.Grouped {
		return &lane{}
	}
	l := s.lanes[group]
	if l == nil {
		l = &lane{group: group}
		s.lanes[group] = l
	}
	return l
}

// pick takes the lane that goes next out of the ready ones that are in sight; nil when there is none.
func (s *Schedule) pick() *lane {
	i := slices.IndexFunc(s.ready, s.inSight)
	if i < 0 {
		return nil
	}
	if s.opts.Pick != nil && len(s.ready) > 1 {
		i = s.chosen()
	}
	l := s.ready[i]
	l.queued = false
	if i == 0 {
		s.ready[0] = nil
		s.ready = s.ready[1:]
	} else {
		s.ready = append(s.ready[:i], s.ready[i+1:]...)
	}
	return l
}

// chosen is the place in ready that Pick chooses among those in sight.
func (s *Schedule) chosen() int {
	var in []int
	for i, l := range s.ready {
		if s.inSight(l) {
			in = append(in, i)
		}
	}
	if len(in) == 1 {
		return in[0]
	}
	return in[s.opts.Pick(len(in))]
}

// inSight reports whether the first message of a lane is among those that are looked at.
func (s *Schedule) inSight(l *lane) bool {
	if s.opts.LookAhead == 0 || len(s.entries) <= s.opts.LookAhead {
		return true
	}
	older := 0
	for seq := range s.entries {
		if seq < l.waiting[0].Seq {
			older++
		}
	}
	return older < s.opts.LookAhead
}

// advance shows what became visible by now.
func (s *Schedule) advance(now time.Time) {
	for len(s.hidden) > 0 && !s.hidden[0].until.After(now) {
		m := heap.Pop(&s.hidden).(*message)
		s.show(m)
		if m.taken {
			s.unlock(m)
		} else {
			s.delayed--
		}
	}
}

func (s *Schedule) hide(m *message, until time.Time) {
	m.until = until
	heap.Push(&s.hidden, m)
}

// show makes m visible. Of a message in flight it is called before unlock, which forgets lanes that are empty.
func (s *Schedule) show(m *message) {
	heap.Push(&m.lane.waiting, m)
	s.enqueue(m.lane)
}

// unlock ends m's hold on its lane.
func (s *Schedule) unlock(m *message) {
	m.taken = false
	m.lane.inFlight--
	s.enqueue(m.lane)
	if m.lane.inFlight == 0 && len(m.lane.waiting) == 0 {
		delete(s.lanes, m.lane.group)
	}
}

func (s *Schedule) enqueue(l *lane) {
	if l.inFlight == 0 && len(l.waiting) > 0 && !l.queued {
		l.queued = true
		s.ready = append(s.ready, l)
	}
}

func (s *Schedule) receipt(m *message) string {
	return s.opts.Salt + "." + strconv.FormatUint(m.Seq, 10) + "." + strconv.Itoa(m.receives)
}

// inFlight returns the message that receipt names, nil when the receipt is out of date.
func (s *Schedule) inFlight(receipt string, now time.Time) *message {
	s.advance(now)
	parts := strings.Split(receipt, ".")
	if len(parts) != 3 {
		return nil
	}
	seq, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil {
		return nil
	}
	m := s.entries[seq]
	if m == nil || !m.taken || s.receipt(m) != receipt {
		return nil
	}
	return m
}
