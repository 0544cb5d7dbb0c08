package delivery

import "time"

// hiddenHeap orders hidden messages by when they become visible.
type hiddenHeap []*message

func (h hiddenHeap) Len() int { return len(h) }

func (h hiddenHeap) Less(i, j int) bool {
	if h[i].until.Equal(h[j].until) {
		return h[i].Seq < h[j].Seq
	}
	return h[i].until.Before(h[j].until)
}

func (h hiddenHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *hiddenHeap) Push(x any) {
	m := x.(*message)
	m.place = len(*h)
	*h = append(*h, m)
}

func (h *hiddenHeap) Pop() any { return popLast((*[]*message)(h)) }

// seqHeap orders messages as they were sent.
type seqHeap []*message

func (h seqHeap) Len() int           { return len(h) }
func (h seqHeap) Less(i, j int) bool { return h[i].Seq < h[j].Seq }
func (h seqHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *seqHeap) Push(x any)        { *h = append(*h, x.(*message)) }
func (h *seqHeap) Pop() any          { return popLast((*[]*message)(h)) }

func popLast(s *[]*message) *message {
	n := len(*s) - 1
	m := (*s)[n]
	(*s)[n] = nil
	*s = (*s)[:n]
	return m
}

// seenIDs remembers ids, each until its time.
type seenIDs struct {
	until map[string]time.Time
	order []string // by until, as every id is remembered for the same time
}

func (s *seenIDs) add(id string, until time.Time) {
	if s.until == nil {
		s.until = map[string]time.Time{}
	}
	s.until[id] = until
	s.order = append(s.order, id)
}

func (s *seenIDs) has(id string, now time.Time) bool {
	for len(s.order) > 0 && !s.until[s.order[0]].After(now) {
		delete(s.until, s.order[0])
		s.order = s.order[1:]
	}
	_, ok := s.until[id]
	return ok
}
