package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Description is what a schedule shows: its custom status.
type Description struct {
	Plan   Plan `json:"plan"`
	Paused bool `json:"paused,omitempty"`
	// Next is when the next run is due. Of a paused schedule, the first that it has not made.
	Next time.Time `json:"next,omitzero"`
	// Running is the instance id of the run that is under way.
	Running string `json:"running,omitempty"`
	// CatchingUp is how many missed runs are still to be made.
	CatchingUp int `json:"catchingUp,omitempty"`
	// Completed, Failed, Canceled (by CancelOverlap) and Skipped count the runs so far.
	Completed int `json:"completed"`
	Failed    int `json:"failed,omitempty"`
	Canceled  int `json:"canceled,omitempty"`
	Skipped   int `json:"skipped,omitempty"`
	// Triggered counts what Trigger asked for, made or not.
	Triggered int `json:"triggered,omitempty"`
	// Last is the instance id of the last run that has ended, and LastError why it failed.
	Last      string `json:"last,omitempty"`
	LastError string `json:"lastError,omitempty"`
}

// state is the input of each generation of a schedule: all that it knows. Who starts one gives a plan and an input.
type state[I any] struct {
	Description
	Input I `json:"input"`
	// Made is when the plan was.
	Made time.Time `json:"made,omitzero"`
	// Late is what was found of times that are still being looked at.
	Late []time.Time `json:"late,omitempty"`
	// Queue is what is to be run now, the first first.
	Queue []job `json:"queue,omitempty"`
}

// job is one run.
type job struct {
	Due time.Time `json:"due"`
	// ByHand numbers those that were triggered.
	ByHand int `json:"byHand,omitempty"`
}

// id is the instance id of a run.
func (j job) id(schedule string) string {
	id := schedule + "@" + j.Due.UTC().Format("20060102T150405.999Z")
	if j.ByHand > 0 {
		id += fmt.Sprint("-by-hand-", j.ByHand)
	}
	return id
}

type verb string

const (
	pause   verb = "pause"
	resume  verb = "resume"
	trigger verb = "trigger"
	update  verb = "update"
	remove  verb = "delete"
)

// command is what a schedule is told.
type command[I any] struct {
	Do    verb `json:"do"`
	Plan  Plan `json:"plan,omitzero"`
	Input I    `json:"input"`
}

// follow takes a plan from now on, if it is right and ever due.
func (s *state[I]) follow(p Plan, now time.Time) error {
	if err := p.Check(); err != nil {
		return fmt.Errorf("the plan is wrong: %w", err)
	}
	next, ok := p.Next(now)
	if !ok {
		return errors.New("the plan is wrong: from now on it is never due")
	}
	s.Plan, s.Made, s.Next, s.Late = p, now, next, nil
	return nil
}

// maxLook is how many times are looked at at once: half a year of minutes takes longer than a turn should.
const maxLook = 100_000

// due takes the times that have come by now from the plan, the oldest first. When there are too many it returns none yet, and keeps
// the newest for when it is asked again, which is at once because the next time has come.
func (s *state[I]) due(now time.Time) []time.Time {
	c, err := s.Plan.clock(s.Made)
	if err != nil {
		return nil
	}
	times := s.Late
	s.Late = nil
	for len(times) < maxLook && !s.Next.IsZero() && !s.Next.After(now) {
		times = append(times, s.Next)
		s.Next, _ = c.next(s.Next)
	}
	if len(times) == maxLook {
		s.Late = times[maxLook-mostCatchUp:]
		s.Skipped += maxLook - mostCatchUp
		return nil
	}
	return times
}

// enqueue plans runs of these times, and counts the others as skipped.
func (s *state[I]) enqueue(times []time.Time, of int) {
	for _, t := range times {
		s.Queue = append(s.Queue, job{Due: t})
	}
	s.Skipped += of - len(times)
}

// overlapped deals with the times that have come while a run was under way, which has ended.
func (s *state[I]) overlapped(policy Overlap, now time.Time) {
	if s.Paused || policy == CancelOverlap {
		return // they are late, or in time
	}
	times := s.due(now)
	if n := len(times); n > 0 && policy == WaitOverlap && len(s.Queue) == 0 {
		s.enqueue(times[:1], n)
	} else {
		s.enqueue(nil, n)
	}
}

// byHand is a run that was triggered.
func (s *state[I]) byHand(now time.Time) job {
	s.Triggered++
	return job{Due: now, ByHand: s.Triggered}
}

// again has a run made by hand, while another one is under way. It reports whether that one is to be terminated.
func (s *state[I]) again(policy Overlap, now time.Time) bool {
	next := s.byHand(now)
	switch {
	case policy == CancelOverlap:
		s.replace(next)
		return true
	case policy == WaitOverlap && len(s.Queue) == 1:
		s.Queue = append(s.Queue, next)
	default:
		s.Skipped++
	}
	return false
}

// replace notes that the run which is under way is terminated for another one, and that all others are dropped.
func (s *state[I]) replace(next job) {
	s.Canceled++
	s.Skipped += len(s.Queue) - 1
	s.Last, s.LastError, s.Running = s.Running, "", ""
	s.Queue = []job{next}
}

// ended notes the outcome of a run.
func (s *state[I]) ended(id string, err error) {
	s.Running, s.Last, s.LastError = "", id, ""
	if err == nil {
		s.Completed++
		return
	}
	s.Failed++
	s.LastError = err.Error()
	if len(s.LastError) > longestError {
		s.LastError = strings.ToValidUTF8(s.LastError[:longestError], "") + "…"
	}
}

const longestError = 500
