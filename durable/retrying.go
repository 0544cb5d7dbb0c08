package durable

import (
	"errors"
	"time"
)

// Retrying calls f until it succeeds, or decide says no: it is asked after each failed attempt, counted from 1, and answers after
// which pause there is another one. f is ordinary code of an orchestration, so it may do several things, and decide may look at
// whatever the orchestration knows. An activity whose Retry is enough is better retried by that: it costs the history nothing,
// whereas here each attempt and each pause is kept. f's own calls should have one attempt then.
//
// The error is that of the last attempt, joined with ErrCanceled or ErrTimeout when ctx's scope was over during a pause. Nothing
// is decided once the scope is over.
func Retrying[T any](ctx Context, f func(attempt int) (T, error), decide func(attempt int, err error) (pause time.Duration, again bool)) (T, error) {
	for attempt := 1; ; attempt++ {
		v, err := f(attempt)
		if _, renewed := renews(err); err == nil || renewed || ctx.Err() != nil {
			return v, err
		}
		pause, again := decide(attempt, err)
		if !again {
			return v, err
		}
		if pause <= 0 {
			continue
		}
		if e := Sleep(ctx, pause); e != nil {
			return v, errors.Join(err, e)
		}
	}
}
