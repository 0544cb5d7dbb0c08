package worker

import "github.com/durable-lambda/durable-lambda/durable/history"

// At most a number of activities of one instance are in flight: the others wait in the history, so that a fan-out of any
// width neither fills the queue before other instances' work nor a batch of sends. They go in the order in which they
// were asked for, and each segment records how many it lets go: whoever repeats its obligations sends just these. Timers
// are never held back, because what waits for a year must not hold up what could run now.

// release counts what segment s lets go.
func (st *state) release(s *history.Segment) {
	n := len(st.asked)
	if !s.Released {
		n = min(st.released+int(min(s.Releases, uint64(n))), n)
	}
	st.flying += n - st.released
	st.released = n
	st.releasedBy = append(st.releasedBy, n)
}

// releasedIn are the activities that segment n has let go.
func (st *state) releasedIn(n int) []*operation {
	from := 0
	if n > 0 {
		from = st.releasedBy[n-1]
	}
	return st.asked[from:st.releasedBy[n]]
}

// allot decides how many activities a segment lets go that is about to be committed. A suspended instance lets none go, and
// one that is terminated wants none. One that has ended otherwise lets all go that are left, because nobody waits for them any
// more: segment by segment, each with as many as may be in flight, so that the sends of each are a bounded number; the last
// of these segments is the instance's last.
func (a *attempt) allot(seg *history.Segment) {
	st := a.st
	waiting, flying := len(st.asked)-st.released, st.flying
	suspended, sticky, ended, terminated := st.suspended, false, st.end != nil, false
	for i := range seg.Events {
		switch e := &seg.Events[i]; e.Kind {
		case history.TaskScheduled:
			waiting++
		case history.TaskCompleted, history.TaskFailed:
			flying--
		case history.ExecutionSuspended:
			suspended, sticky = true, sticky || e.MessageID == ""
		case history.ExecutionResumed:
			suspended = sticky
		case history.ExecutionCompleted, history.ExecutionFailed, history.ContinuedAsNew:
			ended = true
		case history.ExecutionTerminated:
			terminated = true
		case history.ExecutionRewound, history.ExecutionReset:
			if !seg.Cuts() {
				continue
			}
			waiting, flying, suspended, ended = 0, 0, false, false
		}
	}
	room := max(a.w.cfg.InFlight-flying, 0)
	switch {
	case ended:
		room = a.w.cfg.InFlight
	case suspended:
		room = 0
	}
	seg.Released = terminated || waiting <= room
	seg.Releases = 0
	if !seg.Released {
		seg.Releases = uint64(room)
		seg.More = seg.More || ended
	}
}
