package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/durable-lambda/durable-lambda/durable/backend"
	"github.com/durable-lambda/durable-lambda/durable/history"
)

// attemptKept is how long what is known of an activity's attempts stays: longer than any queue, dead-letter queue or due row
// of a retry can hold its message.
const attemptKept = 400 * 24 * time.Hour

const (
	claimPrefix = "c#"
	beatPrefix  = "b#"
)

// State is how far an attempt has come.
type State uint64

// The states of an attempt. None goes back.
const (
	// Begun: its body runs, or has died.
	Begun State = iota
	// Pending: its body has handed its work on, and the outcome comes from elsewhere.
	Pending
	// Over: it failed, and whoever noticed has sent what comes of that.
	Over
)

// Attempt is what is known of an activity's newest attempt that said something of itself. The zero Attempt is nothing.
type Attempt struct {
	Number uint32
	State  State
	// Beat is when it said something last: any writer's clock, in milliseconds.
	Beat time.Time
	// Details of the last heartbeat that gave some, this attempt's or an earlier one's: JSON.
	Details []byte
}

// AttemptID is the identity of a message's operation: its own, unless the message only looks after an attempt.
func AttemptID(m *history.Message) string {
	return OperationID(m.Instance, m.Incarnation, m.Generation, m.Event.Op, m.Event.Epoch)
}

// attemptKey is below the instance and its incarnation, named by the operation.
func attemptKey(prefix string, m *history.Message) backend.Key {
	return backend.Key{Partition: instancePartition(m.Instance), Sort: prefix + m.Incarnation + "#" + AttemptID(m)}
}

// Claim reports whether the caller is the one that may begin an at-most-once activity: the first who asks, and nobody ever
// after; and since when it is claimed. After an error nobody knows; the next who asks is not the first.
func (s *Store) Claim(ctx context.Context, m *history.Message) (mine bool, since time.Time, err error) {
	nonce, err := s.nonce()
	if err != nil {
		return false, since, err
	}
	now := s.now()
	err = s.b.Table.Put(ctx, backend.Item{Key: attemptKey(claimPrefix, m), Owner: nonce, Value: encodeMark(now, nil),
		Expires: now.Add(attemptKept)}, backend.Absent())
	var failed *backend.ConditionError
	switch {
	case err == nil:
		return true, now, nil
	case !errors.As(err, &failed):
	case failed.Found == nil:
		return false, now, nil
	default:
		since, _, err = decodeMark(failed.Found.Value)
		mine = failed.Found.Owner == nonce
	}
	if err != nil {
		return false, since, fmt.Errorf("store: claim an activity of %s: %w", m.Instance, err)
	}
	return mine, since, nil
}

// Claimed reports whether somebody has claimed the activity.
func (s *Store) Claimed(ctx context.Context, m *history.Message) (bool, error) {
	item, err := s.b.Table.Get(ctx, attemptKey(claimPrefix, m))
	return item != nil, err
}

// Attempt is what Mark has kept last of an activity.
func (s *Store) Attempt(ctx context.Context, m *history.Message) (Attempt, error) {
	item, err := s.b.Table.Get(ctx, attemptKey(beatPrefix, m))
	if err != nil || item == nil {
		return Attempt{}, err
	}
	return decodeAttempt(item)
}

// Mark keeps how far the message's attempt has come, that it lives now, and what it says, if details is not nil. It reports
// false, and changes nothing, when a later attempt has said something, or this one has come further.
func (s *Store) Mark(ctx context.Context, m *history.Message, state State, details []byte) (bool, error) {
	key := attemptKey(beatPrefix, m)
	found, err := s.b.Table.Get(ctx, key)
	for err == nil {
		now := s.now()
		item := backend.Item{Key: key, Owner: m.Incarnation, Expires: now.Add(attemptKept),
			Sequence: backend.Sequence{Generation: uint64(m.Attempt), Number: uint64(state)}}
		cond, said := backend.Absent(), details
		if found != nil {
			if item.Sequence.Less(found.Sequence) {
				return false, nil
			}
			if said == nil {
				var before Attempt
				if before, err = decodeAttempt(found); err != nil {
					break
				}
				said = before.Details
			}
			cond = backend.OwnedAt(found.Owner, found.Sequence)
		}
		item.Value = encodeMark(now, said)
		err = s.b.Table.Put(ctx, item, cond)
		var failed *backend.ConditionError
		if !errors.As(err, &failed) {
			break
		}
		found, err = failed.Found, nil // somebody was faster, and has come further: that ends
	}
	if err != nil {
		return false, fmt.Errorf("store: mark an attempt of %s: %w", m.Instance, err)
	}
	return true, nil
}

func decodeAttempt(item *backend.Item) (Attempt, error) {
	beat, details, err := decodeMark(item.Value)
	return Attempt{Number: uint32(item.Sequence.Generation), State: State(item.Sequence.Number), Beat: beat, Details: details}, err
}

// encodeMark is the value of a claim or of an attempt: a format version, a time in milliseconds, and the rest.
func encodeMark(t time.Time, rest []byte) []byte {
	return append(binary.AppendUvarint([]byte{history.FormatVersion, 0}, uint64(millis(t))), rest...)
}

func decodeMark(b []byte) (t time.Time, rest []byte, err error) {
	const what = "mark of an activity"
	if len(b) < 3 || b[0] == 0 {
		return t, nil, fmt.Errorf("%w %s", history.ErrFormat, what)
	}
	if b[0] != history.FormatVersion || b[1] != 0 {
		return t, nil, fmt.Errorf("%w %s: %w: format version %d, compression %d", history.ErrFormat, what, history.ErrNewer, b[0], b[1])
	}
	ms, n := binary.Uvarint(b[2:])
	if n <= 0 || ms > maxMillis {
		return t, nil, fmt.Errorf("%w %s: it has no time", history.ErrFormat, what)
	}
	if rest = b[2+n:]; len(rest) == 0 {
		rest = nil
	}
	return time.UnixMilli(int64(ms)).UTC(), rest, nil
}

// Awaits is the activity that the history asks for and waits for: nil when it has its outcome, or when nobody waits any more.
func (h *History) Awaits(op string, epoch uint32) *history.Event {
	var command *history.Event
	over := false
	for _, seg := range h.Segments {
		for i := range seg.Events {
			switch e := &seg.Events[i]; e.Kind {
			case history.TaskScheduled:
				if e.Op == op && e.Epoch == epoch {
					command = e
				}
			case history.TaskCompleted, history.TaskFailed:
				if e.Op == op && e.Epoch == epoch {
					return nil // it has had its outcome
				}
			case history.ExecutionCompleted, history.ExecutionFailed, history.ExecutionTerminated, history.ContinuedAsNew, history.Sealed:
				over = true
			case history.ExecutionRewound, history.ExecutionReset:
				if seg.Cuts() {
					command, over = nil, false // what it runs again is asked for again
				}
			}
		}
	}
	if over {
		return nil
	}
	return command
}
