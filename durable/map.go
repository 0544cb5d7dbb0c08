package durable

import (
	"errors"
	"fmt"
)

// MapOption is how Map and Parallel go about it: what Concurrency, Tolerate, TolerateShare and AtLeast return.
type MapOption interface{ applyMap(*mapping) }

// mapping is the options of a Map.
type mapping struct {
	concurrency, tolerate, atLeast int
	share                          float64
}

type mapOption func(*mapping)

func (f mapOption) applyMap(o *mapping) { f(o) }

// Concurrency is a MapOption: at most n items at a time.
func Concurrency(n int) MapOption {
	if n < 1 {
		panic("durable.Concurrency: it must be at least 1")
	}
	return mapOption(func(o *mapping) { o.concurrency = n })
}

// Tolerate is a MapOption: up to n failures are none of the whole, and with one more it is given up at once.
func Tolerate(n int) MapOption {
	if n < 0 {
		panic("durable.Tolerate: it must not be negative")
	}
	return mapOption(func(o *mapping) { o.tolerate = n })
}

// TolerateShare is Tolerate for a share of all items, between 0 and 1, rounded down: 0.29 of 100 items are 29.
func TolerateShare(share float64) MapOption {
	if !(share >= 0 && share <= 1) {
		panic("durable.TolerateShare: it must be between 0 and 1")
	}
	return mapOption(func(o *mapping) { o.share = share })
}

// AtLeast is a MapOption: n successes are enough, and the whole fails when they cannot be reached any more. Beside it Tolerate and
// TolerateShare mean nothing.
func AtLeast(n int) MapOption {
	if n < 1 {
		panic("durable.AtLeast: it must be at least 1")
	}
	return mapOption(func(o *mapping) { o.atLeast = n })
}

// Result is what one item of a Map, or one function of a Parallel, came to.
type Result[O any] struct {
	Value O
	Err   error
	// Done: it came to an end. Without it, it was not begun, or nobody waited for it, because the whole was decided before.
	Done bool
}

// ErrTooManyFailures is wrapped by the error of a Map of which more items failed than are tolerated.
var ErrTooManyFailures = errors.New("too many failed")

// Map runs f for each item, each in a coroutine of its own, and returns what they came to, in the order of the items. Without
// options it begins all at once and waits for all, and its error joins those of all that failed. f runs like what Go runs:
// deterministically interleaved with the others.
//
// Where it ends before all items have, those under way go on, and nobody waits for them; no other is begun.
func Map[I, O any](ctx Context, items []I, f func(Context, I) (O, error), opts ...MapOption) ([]Result[O], error) {
	o := mapping{concurrency: len(items), tolerate: -1, share: -1}
	for _, opt := range opts {
		opt.applyMap(&o)
	}
	tolerated := o.tolerated(len(items))
	if o.atLeast == 0 {
		o.atLeast = len(items)
	}
	results := make([]Result[O], len(items))
	if o.atLeast > len(items) {
		return results, fmt.Errorf("%w: %d successes are asked for, and there are %d items", ErrTooManyFailures, o.atLeast, len(items))
	}
	var failures []error
	next, good := 0, 0
	over := func() bool {
		return good >= o.atLeast || good+len(failures) == len(items) || tolerated >= 0 && len(failures) > tolerated
	}
	if !over() {
		decided, decide := ctx.run.Signal()
		for range min(o.concurrency, len(items)) {
			Go(ctx, func(ctx Context) (None, error) {
				for next < len(items) && !over() {
					i := next
					next++
					v, err := f(ctx, items[i])
					if over() {
						break // too late: it was decided without it
					}
					if results[i] = (Result[O]{v, err, true}); err != nil {
						failures = append(failures, fmt.Errorf("item %d: %w", i, err))
					} else {
						good++
					}
					if over() {
						decide()
					}
				}
				return None{}, nil
			})
		}
		ctx.run.Await(decided)
	}
	switch {
	case good < o.atLeast && tolerated >= 0 && len(failures) > tolerated:
		return results, fmt.Errorf("%w: %d of %d, and %d are tolerated: %w", ErrTooManyFailures, len(failures), len(items), tolerated, errors.Join(failures...))
	case tolerated < 0:
		return results, errors.Join(failures...)
	}
	return results, nil
}

// Parallel is Map for functions: it runs each in a coroutine of its own, and returns what they came to, in their order. A Group
// is for functions of which each is needed, All for futures that are at hand.
func Parallel[O any](ctx Context, fs []func(Context) (O, error), opts ...MapOption) ([]Result[O], error) {
	return Map(ctx, fs, func(ctx Context, f func(Context) (O, error)) (O, error) { return f(ctx) }, opts...)
}

// rounding makes up for shares that no float64 is exactly: 0.29 times 100 is less than 29.
const rounding = 1e-6

// tolerated is how many failures of n items are none of the whole; -1 is none, of which all are waited for.
func (o *mapping) tolerated(n int) int {
	if o.atLeast > 0 {
		return n - o.atLeast
	}
	tolerated := o.tolerate
	if o.share >= 0 {
		tolerated = max(tolerated, int(float64(o.share*float64(n))+rounding))
	}
	return tolerated
}

// Values are the values of the results that are done without an error, in their order.
func Values[O any](results []Result[O]) []O {
	var out []O
	for _, r := range results {
		if r.Done && r.Err == nil {
			out = append(out, r.Value)
		}
	}
	return out
}
