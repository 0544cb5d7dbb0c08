package durable

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/durable-lambda/durable-lambda/durable/history"
)

// ActivityError is why an activity, or a step, failed: its last attempt's error as it came across the wire. errors.Is
// finds the ErrorKinds that the error wrapped.
type ActivityError struct {
	Activity string
	// Attempt is the number of the attempt that failed last, from 1; 0 when none was made.
	Attempt int
	Kind    ErrorKind
	Message string
	// Kinds are all kinds that the error wrapped, Kind first.
	Kinds []ErrorKind
	// Properties are what the code said of the error: see WithProperties.
	Properties map[string]string

	cause error
}

func (e *ActivityError) Error() string {
	if e.Attempt > 1 {
		return fmt.Sprintf("%s failed after %d attempts: %s", e.Activity, e.Attempt, e.Message)
	}
	return fmt.Sprintf("%s failed: %s", e.Activity, e.Message)
}

// Is reports whether target is one of the error's kinds.
func (e *ActivityError) Is(target error) bool { return isKind(e.Kinds, target) }

// Unwrap is the error that kept the activity from being asked for, where it is one of this process.
func (e *ActivityError) Unwrap() error { return e.cause }

// activityError is the error of a failure in the history.
func activityError(f *history.Failure) error {
	e := &ActivityError{Activity: f.Activity, Attempt: int(f.Attempt), Kind: ErrorKind(f.Kind), Message: f.Message, Properties: f.Properties}
	e.Kinds = appendKinds(nil, f)
	return e
}

func appendKinds(kinds []ErrorKind, f *history.Failure) []ErrorKind {
	if f.Kind != "" {
		kinds = append(kinds, ErrorKind(f.Kind))
	}
	for i := range f.Causes {
		kinds = appendKinds(kinds, &f.Causes[i])
	}
	return kinds
}

// maxKinds of one error cross the wire.
const maxKinds = 32

// toFailure is err as it goes across the wire: its text, its kinds, its properties and whether it is permanent.
func toFailure(err error) *history.Failure {
	f := &history.Failure{Message: cut(err.Error(), history.MaxMessage), Properties: fitting(Properties(err))}
	var kinds []ErrorKind
	walk(err, 0, func(e error) {
		switch e := e.(type) {
		case ErrorKind:
			kinds = append(kinds, e)
		case *ActivityError:
			kinds = append(kinds, e.Kinds...)
		case *OrchestrationError:
			kinds = append(kinds, e.Kinds...)
		case *permanentError:
			f.Permanent = true
		}
	})
	for i, k := range kinds[:min(len(kinds), maxKinds)] {
		if name := cut(string(k), history.MaxName); i == 0 {
			f.Kind = name
		} else {
			f.Causes = append(f.Causes, history.Failure{Kind: name})
		}
	}
	return f
}

// walk visits err and what it wraps, depth first.
func walk(err error, depth int, visit func(error)) {
	if err == nil || depth > 100 {
		return
	}
	visit(err)
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			walk(e, depth+1, visit)
		}
		return
	}
	walk(errors.Unwrap(err), depth+1, visit)
}

// cut shortens a text to limit bytes, between characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := limit - len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
